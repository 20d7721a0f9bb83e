# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Some thousands of power cuts; and stores that are broken on purpose are found out."""

import pytest

from revier_bench.measure import power_cuts
from revier_bench.measure.registry import KEYS


def test_nothing_comes_twice_in_drawn_stories() -> None:
    result = power_cuts.drawn(7, 1_000)
    assert result["cuts"] == 1_000
    assert result["faults"] == 0, result["what"]
    assert result["resumed"] > 200
    assert result["joined_anew"] > 200


def test_nothing_comes_twice_in_the_story_that_has_everything() -> None:
    result = power_cuts.tale(0, 8)
    assert result["faults"] == 0, result["what"]
    assert result["cuts"] > 500
    assert all(result["kinds"][kind] for kind in power_cuts.KINDS)


def test_nothing_comes_twice_in_whole_wakes() -> None:
    result = power_cuts.wakes(0, 40)
    assert result["faults"] == 0, result["what"]
    assert result["cuts"] > 90
    assert result["kinds"]["rtc_torn"] > 40


@pytest.mark.parametrize(("fault", "what"), [("late", "DevNonce"), ("forgetful", "FCntDown")])
def test_a_broken_store_is_found_out(fault: str, what: str) -> None:
    found = power_cuts.tale(0, power_cuts.BROKEN_SLICES, fault)["what"]
    assert any(name.startswith(what) for name in found), found


def test_a_broken_lease_is_found_out_in_whole_wakes() -> None:
    found = power_cuts.wakes(0, 100, "lease")["what"]
    assert any(name.startswith("FCntUp") for name in found), found


def test_too_few_cuts_do_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power_cuts, "BROKEN", ("late",))
    monkeypatch.setattr(power_cuts, "SLICES", 100)
    result = power_cuts.measure(400, range(1))
    assert not result["holds"]
    assert set(KEYS) - set(result) == {"command"}
    assert sum(result["n"]["kinds"].values()) == result["n"]["cuts"] >= 400
