# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Is this place covered? Three uplinks, judged green, yellow or red, with advice. Pure.

DS = SX1261/2 datasheet rev. 2.1, table 6-1: the SNR down to which LoRa is demodulated.

The judge asks how much the link may lose before even SF12 fails: `reserve_db`, the worst uplink's
SNR at its best radio gateway above SF12's floor. The network's ADR chooses the spreading factor,
so a node that still sends at SF12 in a good place is not judged by it; one that has nothing left
at SF12 is.

The limits: slow fading between seasons and weathers in a street takes some 10 dB (standard
deviations of 6 to 8 dB are usual in planning), so below 8 dB is red, and 15 dB and more is green.
A car above a node in the ground takes 10 to 25 dB (docs/sensing-parking.md): there 25 dB is green.
A radio gateway's SNR saturates near +10 dB, so nothing above 30 dB is ever seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

import msgspec

from revier_inventory.model import Kind

FLOOR_DB = {5: -2.5, 6: -5.0, 7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}  # DS
FLOOR_SF12_DB = FLOOR_DB[12]
UPLINKS_MIN = 3
GREEN_DB = {"air": 15.0, "parking": 25.0, "waste": 15.0}
YELLOW_DB = {"air": 8.0, "parking": 13.0, "waste": 8.0}
ALONE_DB = 5.0  # more is wanted where one radio gateway alone hears the node
SLOW_SF = 11
SLOW_DB = 10.0  # a slow data rate for want of signal, not for want of ADR
LEAP = 16  # a larger step of FCntUp is a lease that a start skipped, not loss

Colour = Literal["green", "yellow", "red"]
Advice = Literal[
    "good",
    "raise_antenna",
    "other_place",
    "second_gateway",
    "lost_frames",
    "slow",
    "car_above",
]


class Uplink(msgspec.Struct, frozen=True, kw_only=True):
    """One uplink as the network heard it; SNR and RSSI at the best radio gateway, in dB and dBm."""

    dev_addr: str
    f_cnt: int
    spreading_factor: int
    rssi_dbm: int
    snr_db: float
    gateways: int

    @property
    def margin_db(self) -> float:
        """Above the floor of its own spreading factor."""
        return self.snr_db - FLOOR_DB[self.spreading_factor]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`colour` None: fewer than UPLINKS_MIN uplinks. `lost`: between the first and the last.

    `reserve_db`, `margin_db` and `spreading_factor` are of the worst uplink, `gateways` the most
    that heard one.
    """

    colour: Colour | None
    uplinks: int
    lost: int = 0
    reserve_db: float | None = None
    margin_db: float | None = None
    spreading_factor: int | None = None
    rssi_dbm: int | None = None
    gateways: int = 0
    advice: tuple[Advice, ...] = ()


def judge(uplinks: Iterable[Uplink], kind: Kind) -> Verdict:
    """The verdict on all uplinks heard at this place; repetitions of one count once."""
    heard = _once(uplinks)
    if not heard:
        return Verdict(colour=None, uplinks=0)
    worst = min(heard, key=lambda one: one.snr_db)
    reserve_db = worst.snr_db - FLOOR_SF12_DB
    gateways = max(one.gateways for one in heard)
    lost = _lost(heard)
    colour = _colour(reserve_db, gateways, lost, len(heard), kind)
    return Verdict(
        colour=colour if len(heard) >= UPLINKS_MIN else None,
        uplinks=len(heard),
        lost=lost,
        reserve_db=reserve_db,
        margin_db=worst.margin_db,
        spreading_factor=worst.spreading_factor,
        rssi_dbm=worst.rssi_dbm,
        gateways=gateways,
        advice=_advice(colour, heard, gateways, lost, kind) if len(heard) >= UPLINKS_MIN else (),
    )


def _once(uplinks: Iterable[Uplink]) -> list[Uplink]:
    return list({(one.dev_addr, one.f_cnt): one for one in uplinks}.values())


def _lost(heard: Sequence[Uplink]) -> int:
    """Frame counters that are missing, within a session and between leaps."""
    lost = 0
    counts: dict[str, list[int]] = {}
    for one in heard:
        counts.setdefault(one.dev_addr, []).append(one.f_cnt)
    for session in counts.values():
        for before, after in pairwise(sorted(session)):
            if after - before <= LEAP:
                lost += after - before - 1
    return lost


def _colour(reserve_db: float, gateways: int, lost: int, heard: int, kind: Kind) -> Colour:
    green_db = GREEN_DB[kind] + (ALONE_DB if gateways < 2 else 0.0)
    if reserve_db < YELLOW_DB[kind] or lost >= heard:
        return "red"
    return "green" if reserve_db >= green_db and not lost else "yellow"


def _advice(
    colour: Colour, heard: Sequence[Uplink], gateways: int, lost: int, kind: Kind
) -> tuple[Advice, ...]:
    if colour == "green":
        return ("good",)
    found: list[Advice] = []
    if colour == "red":
        found.append("other_place")
    found.append("car_above" if kind == "parking" else "raise_antenna")
    if gateways < 2:
        found.append("second_gateway")
    if lost:
        found.append("lost_frames")
    worst = max(heard, key=lambda one: one.spreading_factor)
    if worst.spreading_factor >= SLOW_SF and worst.margin_db < SLOW_DB:
        found.append("slow")
    return tuple(found)
