# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Some thousands of power cuts; and stores that are broken on purpose are found out."""

import pytest

from revier_bench.measure import power_cuts
from revier_bench.measure.registry import KEYS


def test_nothing_comes_twice() -> None:
    result = power_cuts.cuts(7, 2_000)
    assert result["cuts"] == 2_000
    assert result["faults"] == 0, result["what"]
    assert result["resumed"] > 500
    assert result["joined_anew"] > 200


@pytest.mark.parametrize(("fault", "what"), [("late", "DevNonce"), ("forgetful", "FCntDown")])
def test_a_broken_store_is_found_out(fault: str, what: str) -> None:
    found = power_cuts.cuts(1, power_cuts.BROKEN[fault], fault)["what"]
    assert any(name.startswith(what) for name in found), found


def test_too_few_cuts_do_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power_cuts, "BROKEN", {"late": 300})
    result = power_cuts.measure(400)
    assert not result["holds"]
    assert set(KEYS) - set(result) == {"command"}
