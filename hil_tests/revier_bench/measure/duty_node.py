# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A node of the duty measurement: the shipped MAC, woken from deep sleep for each attempt.

Two times run beside each other: true time, which the judge sees, and the MAC's, which counts
deep sleep by the node's rule while the sleep clock errs. An application wants to send far more
than it may; attempts come at random (Poisson), whatever came of the one before, and at the very
moment that a refusal names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from revier_bench.measure import duty_network as network
from revier_bench.measure.duty_checker import Sent
from revier_bench.world.airtime import lora_airtime_us
from revier_mac import actions as act
from revier_mac.airtime import DATA_RATES, PAYLOAD_MAX
from revier_mac.device import Device
from revier_mac.joining import start_cold
from revier_mac.session import Session
from revier_node.cold_wait import cold_wait_ms

OFFERED = 5.0  # offered load, in multiples of all limits together
LIMITS_US_PER_HOUR = 475_200_000  # 3.6 + 36 + 36 + 3.6 + 360 + 36 s
HOUR_US = 3_600_000_000
MEAN_AIRTIME_US = 730_000  # of the mix below; what was really offered is counted
LIMIT_3_CHANNELS_US = 36_000_000
COMMANDS_EVERY = 150  # uplinks between two DutyCycleReq
SLOW_EVERY = 50  # one request in so many meets a slow node (flash, collection)


def airtime_us(dr: int, size: int) -> int:
    """Of a frame with `size` bytes of payload and no FOpts."""
    return lora_airtime_us(13 + size, *DATA_RATES[dr])


@dataclass(frozen=True, slots=True)
class Plan:
    """How one node lives. counted: share of its deep sleep that the node adds to the MAC's time."""

    family: str
    seed: int
    uplinks: int
    sleep_error_ppm: int = 0
    counted: float = 1.0
    awake_error_ppm: int = 0
    limits_all: bool = False  # DutyCycleReq on and off
    repeats: int = 1
    cold: bool = False  # loses its supply at random, an hour apart at least
    mix: tuple[int, int] | None = None  # DR and payload bytes of all frames, on three channels only


@dataclass(slots=True)
class Life:
    """What a node did, in true time."""

    sent: list[Sent] = field(default_factory=list)
    max_d_cycles: list[int] = field(default_factory=list)  # in force at each frame
    attempts: list[tuple[int, int, int]] = field(default_factory=list)  # time, DR, payload bytes
    offered_us: int = 0
    refused: int = 0
    busy: int = 0
    cold_starts_us: list[int] = field(default_factory=list)
    end_us: int = 0
    own_us: int = 0  # the same by the node's own clock


class Node:
    def __init__(self, plan: Plan) -> None:
        self.life = Life()
        self._plan = plan
        self._chance = Random(plan.seed)  # noqa: S311
        self._true_us = 0
        self._mac_us = 1_000_000
        self._record = b""
        self._dev_nonce = 0
        self._join_nonce = 0
        self._orders: list[bytes] = []
        self._starts = 0  # cold ones since the last frame that went well
        self._cold_at_us = HOUR_US if plan.cold else 0

    def run(self) -> Life:
        gap_us = MEAN_AIRTIME_US * HOUR_US / (OFFERED * LIMITS_US_PER_HOUR)
        if self._plan.mix:
            gap_us = airtime_us(*self._plan.mix) * HOUR_US / (OFFERED * LIMIT_3_CHANNELS_US)
        arrival_us = 0.0
        while len(self.life.sent) < self._plan.uplinks:
            arrival_us += self._chance.expovariate(1 / gap_us)
            dr = self._chance.randrange(len(DATA_RATES))
            size = self._chance.randint(1, PAYLOAD_MAX[dr])
            dr, size = self._plan.mix or (dr, size)
            self._offer(int(arrival_us), dr, size)
            if self._true_us > arrival_us:
                self.life.busy += 1
                continue
            self._sleep_until(int(arrival_us))
            retry_ms = self._attempt(dr, size)
            if retry_ms is not None:
                self._retry(dr, size, retry_ms, arrival_us + gap_us)
            if 0 < self._cold_at_us <= self._true_us:
                self._lose_power()
        self.life.end_us = self._true_us
        return self.life

    def _offer(self, arrival_us: int, dr: int, size: int) -> None:
        self.life.attempts.append((arrival_us, dr, size))
        self.life.offered_us += airtime_us(dr, size)

    # -- the two times

    def _now_ms(self) -> int:
        return self._mac_us // 1000

    def _awake(self, true_us: int) -> None:
        self._true_us += true_us
        self._count(true_us + true_us * self._plan.awake_error_ppm // 1_000_000)

    def _count(self, own_us: int) -> None:
        self._mac_us += own_us
        self.life.own_us += own_us

    def _sleep_until(self, true_us: int) -> None:
        asked_us = (true_us - self._true_us) / (1 + self._plan.sleep_error_ppm / 1e6)
        self._true_us = true_us
        self._count(int(asked_us * self._plan.counted))

    def _sleep_till_mac(self, mac_ms: int) -> None:
        """Deep sleep until the MAC's time is just there."""
        asked_us = max(0, mac_ms * 1000 - self._mac_us) / self._plan.counted
        self._true_us += int(asked_us * (1 + self._plan.sleep_error_ppm / 1e6))
        self._count(max(0, mac_ms * 1000 - self._mac_us))

    # -- one wake

    def _device(self) -> Device:
        session = Session.unpack(self._record)
        assert session is not None or not self._record
        identity = act.Identity(bytes(8), bytes(8), bytes(16), self._dev_nonce)
        device = Device(identity, network.NoCipher, session)
        device.adr = False
        return device

    def _retry(self, dr: int, size: int, retry_ms: int, before_us: float) -> None:
        """The node sleeps until the moment that the refusal named, unless more comes before."""
        wait_us = (retry_ms * 1000 - self._mac_us) / self._plan.counted
        if self._true_us + wait_us * 1.05 < before_us:
            self._sleep_till_mac(retry_ms)
            self._attempt(dr, size)

    def _attempt(self, dr: int, size: int) -> int | None:
        """One uplink (or join) with its repeats; the time of a refusal for the duty cycle."""
        device = self._device()
        rnd = self._chance.getrandbits(16)
        if not device.joined:
            actions = device.join(self._now_ms(), rnd)
        else:
            if device.session.defined_mask() == 7 and not self._plan.mix:
                self._orders = [*network.new_channels(), network.repeats(self._plan.repeats)]
                dr = min(dr, 5)
            device.session.dr = dr
            room = max(0, device.payload_max())
            actions = device.send(10, bytes(min(size, room)), False, self._now_ms(), rnd)
        while actions:
            last = actions[-1]
            if isinstance(last, act.Refused):
                self.life.refused += 1
                return None if last.retry_ms is None or last.retry_ms < 0 else int(last.retry_ms)
            actions = self._execute(device, actions)
        return None

    def _execute(self, device: Device, actions: list[object]) -> list[object]:
        for action in actions:
            if isinstance(action, act.Save):
                self._record = action.record
            elif isinstance(action, act.ReserveDevNonce):
                self._dev_nonce = action.next_dev_nonce
        last = actions[-1]
        if isinstance(last, act.Wait):
            self._awake(max(0, last.until_ms * 1000 - self._mac_us) + 1000)
            return device.handle(act.TIMER, self._now_ms())
        if isinstance(last, act.Transmit):
            return self._transmit(device, last)
        return []

    def _transmit(self, device: Device, frame: act.Transmit) -> list[object]:
        """The frame, its windows and the MAC's last word. The radio takes its time to start."""
        slow = self._chance.randrange(SLOW_EVERY) == 0
        self._awake(1_900_000 if slow else self._chance.randint(5_000, 300_000))
        hz = (frame.frequency_hz, frame.spreading_factor, frame.bandwidth_hz)
        sent = Sent(self._true_us, *hz, len(frame.payload))
        self.life.sent.append(sent)
        self.life.max_d_cycles.append(device.session.max_d_cycle if device.joined else 0)
        self._awake(sent.airtime_us)
        device.handle(act.TX_DONE, self._now_ms())
        heard = self._answer(device)
        if heard is None:
            self._awake(2_200_000 if device.joined else 6_200_000)
            device.handle(act.WINDOW_EMPTY, self._now_ms())
            device.handle(act.WINDOW_EMPTY, self._now_ms())
        else:
            self._awake(1_300_000 if device.joined else 5_300_000)
            device.received(heard, len(heard), -90, 7)
        self._starts = 0
        return device.handle(act.FINISH, self._now_ms())

    def _answer(self, device: Device) -> bytearray | None:
        if not device.joined:
            self._join_nonce += 1
            return network.join_accept(self._join_nonce)
        if self._plan.limits_all and len(self.life.sent) % COMMANDS_EVERY == 0:
            on = len(self.life.sent) // COMMANDS_EVERY % 2
            self._orders.append(network.duty_cycle(self._chance.randint(1, 7) if on else 0))
        return network.orders(device.session, self._orders.pop(0)) if self._orders else None

    # -- power loss

    def _lose_power(self) -> None:
        """RTC memory is gone and the clock begins anew. Flash has the session, or lost that too."""
        self._cold_at_us = self._true_us + HOUR_US + self._chance.randrange(3 * HOUR_US)
        self.life.cold_starts_us.append(self._true_us)
        session = self._device().session if self._chance.random() < 0.5 else Session()
        self._mac_us = self._chance.randint(100_000, 900_000)
        start_cold(session, self._now_ms())
        self._record = session.pack()
        wait_ms = cold_wait_ms(self._starts, self._chance.getrandbits(16))
        self._starts += 1
        self._sleep_till_mac(self._now_ms() + wait_ms)
