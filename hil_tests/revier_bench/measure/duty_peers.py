# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""How other stacks keep the duty cycle, as small models of what their public sources do.

Each answers `allows(band, now_us, airtime_us)` and is told `sent(...)`. Time is exact and nothing
is lost in deep sleep, which is more than the stacks themselves offer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from revier_bench.measure.duty_checker import BANDS, limit_us
from revier_bench.world.duty_cycle import SUB_BANDS_EU868, WINDOW_US


class Peer(Protocol):
    name: str

    def allows(self, band: int, now_us: int, airtime_us: int) -> bool: ...
    def sent(self, band: int, now_us: int, airtime_us: int) -> None: ...


class OffTime:
    """ToA x (1/duty - 1) of silence in the sub-band after each frame (LMIC, Zephyr's own stack)."""

    name = "off-time rule"

    def __init__(self) -> None:
        self._free_at_us = [0] * BANDS

    def allows(self, band: int, now_us: int, airtime_us: int) -> bool:  # noqa: ARG002
        return now_us >= self._free_at_us[band]

    def sent(self, band: int, now_us: int, airtime_us: int) -> None:
        self._free_at_us[band] = now_us + airtime_us * 1000 // SUB_BANDS_EU868[band].per_mille


class Credits:
    """LoRaMac-node 4.7, RegionCommon.c UpdateTimeCredits: an hour of credit at the start.

    A frame costs ToA / duty; credit grows with time up to one hour. So the hour after a pause
    may carry up to twice the limit.
    """

    name = "LoRaMac-node credits"

    def __init__(self) -> None:
        self._credit_us = [WINDOW_US] * BANDS
        self._updated_us = [0] * BANDS

    def allows(self, band: int, now_us: int, airtime_us: int) -> bool:
        credit = self._credit_us[band] + now_us - self._updated_us[band]
        self._credit_us[band] = min(credit, WINDOW_US)
        self._updated_us[band] = now_us
        return self._credit_us[band] >= airtime_us * 1000 // SUB_BANDS_EU868[band].per_mille

    def sent(self, band: int, now_us: int, airtime_us: int) -> None:  # noqa: ARG002
        self._credit_us[band] -= airtime_us * 1000 // SUB_BANDS_EU868[band].per_mille


class SlidingSlots:
    """LoRa Basics Modem, smtc_duty_cycle.c: 30 slots of 120 s, 2 ms resolution, booked at TX end.

    The slot that is being filled is one of the 30, so what is older than 58 minutes may already
    count no more. Here a frame must fit whole into what is left.
    """

    name = "LBM 30 x 120 s"
    SLOTS = 30
    SLOT_US = 120_000_000

    def __init__(self) -> None:
        self._slots: list[dict[int, int]] = [{} for _ in range(BANDS)]

    def allows(self, band: int, now_us: int, airtime_us: int) -> bool:
        oldest = now_us // self.SLOT_US - self.SLOTS
        slots = self._slots[band]
        for slot in [slot for slot in slots if slot <= oldest]:
            del slots[slot]
        return sum(slots.values()) + airtime_us <= limit_us(band)

    def sent(self, band: int, now_us: int, airtime_us: int) -> None:
        slot = (now_us + airtime_us) // self.SLOT_US
        booked = (airtime_us // 2000 + 1) * 2000
        self._slots[band][slot] = self._slots[band].get(slot, 0) + booked


class OneTimer:
    """RadioLib, LoRaWANNode::timeUntilUplink: one interval for all channels, 36 s an hour.

    An hour / floor(36,000 ms / ToA) after the end of the last uplink.
    """

    name = "RadioLib one 1 % timer"

    def __init__(self) -> None:
        self._free_at_us = 0

    def allows(self, band: int, now_us: int, airtime_us: int) -> bool:  # noqa: ARG002
        return now_us >= self._free_at_us

    def sent(self, band: int, now_us: int, airtime_us: int) -> None:  # noqa: ARG002
        frames = 36_000_000 // airtime_us
        self._free_at_us = now_us + airtime_us + WINDOW_US // frames


class ExactLedger:
    """What is permitted, to be compared with: every frame remembered to the microsecond.

    After a cold start it knows as little as the node: all of the hour spent, but for a join.
    """

    name = "exact ledger"
    JOIN_BAND = 2
    RESERVE_US = 1_483_000  # a join request at SF12

    def __init__(self, cold_starts_us: Sequence[int]) -> None:
        self._cold_starts_us = list(cold_starts_us)
        self._sent: list[deque[tuple[int, int]]] = [deque() for _ in range(BANDS)]
        self._spent_us = [0] * BANDS

    def allows(self, band: int, now_us: int, airtime_us: int) -> bool:
        while self._cold_starts_us and self._cold_starts_us[0] <= now_us:
            self._forget(self._cold_starts_us.pop(0))
        sent = self._sent[band]
        while sent and sent[0][0] <= now_us + airtime_us - WINDOW_US:
            self._spent_us[band] -= sent.popleft()[1]
        return self._spent_us[band] + airtime_us <= limit_us(band)

    def sent(self, band: int, now_us: int, airtime_us: int) -> None:
        self._sent[band].append((now_us + airtime_us, airtime_us))
        self._spent_us[band] += airtime_us

    def _forget(self, now_us: int) -> None:
        for band in range(BANDS):
            reserve_us = self.RESERVE_US if band == self.JOIN_BAND else 0
            self._spent_us[band] = limit_us(band) - reserve_us
            self._sent[band] = deque([(now_us, self._spent_us[band])])


PEERS: tuple[type[Peer], ...] = (OffTime, Credits, SlidingSlots, OneTimer)
