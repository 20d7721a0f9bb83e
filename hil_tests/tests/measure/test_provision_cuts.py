# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A small share of `revier-bench measure provision-cuts`, whose thousand boards take minutes."""

from __future__ import annotations

from revier_bench.measure import provision_cuts


def test_a_cut_run_is_healed_by_running_again() -> None:
    found, points = provision_cuts.run(range(1, 41))
    assert points > 45
    assert found.faults == []
    assert found.trials == 40
    assert found.cuts["at board"] > 5
    assert found.cuts["at server"] > 5
    assert found.cuts["at file"] > 2
    assert found.cuts["killed"] > 5
    assert len(found.dev_euis) == 40
    assert len(found.keys) >= 40


def test_a_board_that_repeats_a_dev_nonce_is_found_out() -> None:
    found, _ = provision_cuts.run(range(1, 21), forgetful=True)
    assert any("a DevNonce was used twice" in fault for fault in found.faults)
