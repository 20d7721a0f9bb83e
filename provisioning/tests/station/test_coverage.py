# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The judge: by vectors, and by what must hold for any uplinks."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revier_inventory.model import Kind
from revier_provision.station.coverage import (
    FLOOR_DB,
    LEAP,
    UPLINKS_MIN,
    Uplink,
    judge,
)

ORDER = {"red": 0, "yellow": 1, "green": 2}


def uplink(f_cnt: int, snr_db: float = 5.0, gateways: int = 2, sf: int = 7, **more: Any) -> Uplink:
    fields = {"dev_addr": "26011bda", "rssi_dbm": -97} | more
    return Uplink(f_cnt=f_cnt, snr_db=snr_db, gateways=gateways, spreading_factor=sf, **fields)


def three(snr_db: float, gateways: int = 2, sf: int = 7) -> list[Uplink]:
    return [uplink(i, snr_db, gateways, sf) for i in range(3)]


@pytest.mark.parametrize(
    ("kind", "snr_db", "gateways", "colour", "advice"),
    [
        ("air", 5.0, 2, "green", ("good",)),
        ("air", -5.0, 2, "green", ("good",)),  # 15 dB above SF12's floor
        ("air", -5.25, 2, "yellow", ("raise_antenna",)),
        ("air", -5.0, 1, "yellow", ("raise_antenna", "second_gateway")),
        ("air", 0.0, 1, "green", ("good",)),
        ("waste", -12.0, 2, "yellow", ("raise_antenna",)),
        ("waste", -12.25, 2, "red", ("other_place", "raise_antenna")),
        ("parking", 5.0, 2, "green", ("good",)),
        ("parking", 4.75, 2, "yellow", ("car_above",)),
        ("parking", -7.25, 1, "red", ("other_place", "car_above", "second_gateway")),
    ],
)
def test_the_limits(
    kind: Kind, snr_db: float, gateways: int, colour: str, advice: tuple[str, ...]
) -> None:
    verdict = judge(three(snr_db, gateways), kind)
    assert (verdict.colour, verdict.advice) == (colour, advice)
    assert verdict.reserve_db == snr_db + 20
    assert verdict.margin_db == snr_db + 7.5


def test_two_uplinks_prove_nothing_and_a_repetition_is_none() -> None:
    first, second, third = three(9.0)
    assert judge([], "air").uplinks == 0
    verdict = judge([first, second, second, first], "air")
    assert (verdict.colour, verdict.uplinks, verdict.advice) == (None, 2, ())
    assert judge([first, second, second, third], "air").colour == "green"


def test_lost_frames_cost_the_green_and_half_of_them_everything() -> None:
    some = [uplink(0), uplink(1), uplink(3)]
    assert judge(some, "air").lost == 1
    assert judge(some, "air").colour == "yellow"
    assert judge(some, "air").advice == ("raise_antenna", "lost_frames")
    assert judge([uplink(0), uplink(3), uplink(5)], "air").colour == "red"


def test_a_lease_that_was_skipped_and_a_new_session_are_no_loss() -> None:
    leap = [uplink(0), uplink(LEAP + 1), uplink(LEAP + 2)]
    assert judge(leap, "air").lost == 0
    rejoined = [uplink(7), uplink(0, dev_addr="01020304"), uplink(1, dev_addr="01020304")]
    assert judge(rejoined, "air").colour == "green"
    assert judge([uplink(0), uplink(LEAP), uplink(LEAP + 1)], "air").lost == LEAP - 1


def test_a_slow_node_in_a_good_place_is_not_called_slow() -> None:
    assert judge(three(-8.0, sf=12), "air").advice == ("raise_antenna",)
    assert judge(three(-11.0, sf=12), "air").advice == ("raise_antenna", "slow")


UPLINKS = st.builds(
    Uplink,
    dev_addr=st.sampled_from(["26011bda", "00558158"]),
    f_cnt=st.integers(0, 40),
    spreading_factor=st.sampled_from(sorted(FLOOR_DB)),
    rssi_dbm=st.integers(-140, -20),
    snr_db=st.floats(-25, 14),
    gateways=st.integers(1, 4),
)
KINDS: st.SearchStrategy[Kind] = st.sampled_from(["air", "parking", "waste"])


@given(st.lists(UPLINKS, max_size=8), KINDS)
def test_a_verdict_is_whole(uplinks: list[Uplink], kind: Kind) -> None:
    verdict = judge(uplinks, kind)
    distinct = {(one.dev_addr, one.f_cnt) for one in uplinks}
    assert verdict.uplinks == len(distinct)
    assert (verdict.colour is None) == (len(distinct) < UPLINKS_MIN)
    assert bool(verdict.advice) == (verdict.colour is not None)
    assert ("good" in verdict.advice) == (verdict.colour == "green")


@given(st.lists(UPLINKS, min_size=3, max_size=6), KINDS, st.floats(0.25, 10))
def test_a_better_place_is_never_judged_worse(
    uplinks: list[Uplink], kind: Kind, better_db: float
) -> None:
    before = judge(uplinks, kind)
    raised = [msgspec.structs.replace(one, snr_db=one.snr_db + better_db) for one in uplinks]
    after = judge(raised, kind)
    if before.colour is not None and after.colour is not None:
        assert ORDER[after.colour] >= ORDER[before.colour]


@given(st.lists(UPLINKS, min_size=3, max_size=6), KINDS)
def test_the_order_of_arrival_does_not_matter(uplinks: list[Uplink], kind: Kind) -> None:
    distinct = list({(one.dev_addr, one.f_cnt): one for one in uplinks}.values())
    there, back = judge(distinct, kind), judge(reversed(distinct), kind)
    assert (there.colour, there.lost, there.gateways) == (back.colour, back.lost, back.gateways)
