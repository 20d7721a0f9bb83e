# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A parking node on the modelled air: the firmware's kind, link policy and MAC, wake after wake.

The steps are those of revier_node/app.py (sense_and_send) and radio.py (send, run), whose waits
are the simulation's. Sensor and detector see a clean field: what is judged is the way to the
network.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from revier_bench.measure.downlink_fuzz import Aes
from revier_bench.measure.mass_join_firmware import clock as node_clock
from revier_bench.measure.mass_join_firmware import store, waiting
from revier_bench.measure.mass_join_node import Radio
from revier_bench.measure.mass_join_radio import Clock
from revier_mac import actions as act
from revier_mac.device import Device
from revier_mac.session import Session
from revier_node import kinds, link_policy
from revier_node.kinds import parking
from revier_node.sensors import VALID

START_MS = 800_000_000_000  # of the chip's clock, 2000 + 25 years
SETTLED_US = 600_000  # from a vehicle's standing still, or being gone, to the frame
TRIES_MAX = 3  # revier_node/radio.py
WAIT_MAX_MS = 30_000
FOLLOW_UPS_MAX = 2
SLEEP_MIN_MS = 1_000  # revier_node/app.py
JOIN_PAUSE_MS = 60_000
VACANT_FIELD = (120, -40, 300)  # digits
OCCUPIED_FIELD = (220, 60, 500)
TEMPERATURE_EIGHTHS_C = 120
BATTERY_MV = 3_600
WIRING = {"kinds": {"parking": {"lis2mdl": {"int": 1}}}}

Steps = Generator[int | None, Any, Any]  # yields when to go on, in us; None: when called


@dataclass(frozen=True, slots=True)
class Policy:
    """managed: link_policy.py keeps a reserve, else the network's ADR does what it likes."""

    name: str
    managed: bool
    repeats: bool


OURS = Policy("Revier", True, True)
ADR = Policy("plain ADR, each event once", False, False)
ADR_TWICE = Policy("plain ADR, events repeated", False, True)
ONCE = Policy("link policy, each event once", True, False)


@dataclass(frozen=True, slots=True)
class Change:
    at_us: int
    state: int


class Magnetometer:
    """revier_node/sensors/lis2mdl.py in front of a clean field."""

    def __init__(self) -> None:
        self.field = VACANT_FIELD
        self._offset = (0, 0, 0)

    def start(self) -> tuple[int, tuple[int, ...], str]:
        return (VALID, self._offset, "")

    def read(self) -> tuple[int, tuple[int, ...], str]:
        x, y, z = (self.field[i] - self._offset[i] for i in range(3))
        return (VALID, (x, y, z), "")

    def set_offset(self, field: tuple[int, int, int]) -> tuple[int, None, str]:
        self._offset = field
        return (VALID, None, "")

    def arm(self, _threshold_digits: int) -> tuple[int, None, str]:
        return (VALID, None, "")

    def temperature_eighths_c(self) -> int:
        return TEMPERATURE_EIGHTHS_C


class Notes:
    """revier_node/notes.py: what is kept in RTC memory, as JSON can say it."""

    def __init__(self) -> None:
        self._text = "{}"

    def load(self) -> dict[str, Any]:
        notes: dict[str, Any] = json.loads(self._text)
        return notes

    def save(self, owner: str, what: object) -> None:
        self._text = json.dumps(self.load() | {owner: what})


class Node:
    """`told`: frame counter -> numbers of the bay's changes that the frame tells."""

    kind = parking

    def __init__(
        self,
        policy: Policy,
        identity: act.Identity,
        radio: Radio,
        clock: Clock,
        changes: Sequence[Change],
        chance: Random,
    ) -> None:
        self.radio = radio
        self.told: dict[int, list[int]] = {}
        self.data_rates = [0] * 6  # frames sent at each
        self.state: Any = store.State()
        self.sensor = Magnetometer()
        self.wake: Any = None
        self._policy = policy
        self._identity = identity
        self._clock = clock
        self._changes = changes
        self._times_us = [change.at_us for change in changes]
        self._chance = chance
        self._number_of: dict[int, int] = {}  # reading sequence -> change
        self._memory = b""
        self._retry_ms = 0
        self._heard = False
        self._notes = Notes()
        self._device: Any = None
        self._link: link_policy.Managed | None = None
        self._node_clock: Any = None
        self._steps = self._live()

    def power_on(self, at_us: int) -> None:
        self._clock.at(at_us, self._go_on)

    def _go_on(self, value: object = None) -> None:
        try:
            until_us = self._steps.send(value)
        except StopIteration:
            return
        if until_us is not None:
            self._clock.at(until_us, self._go_on)

    # -- a life

    def _live(self) -> Steps:
        self._connect()
        while not self._device.joined:
            result = yield from self._run(self._device.join(self._mac_ms(), self._random16()))
            if type(result) is not act.Done or not self._device.joined:
                yield from self._doze(JOIN_PAUSE_MS)
        by_pin = False
        while True:
            until_ms = yield from self._work(by_pin)
            by_pin = yield from self._sleep(until_ms)

    def _work(self, by_pin: bool) -> Steps:
        """app.Node.sense_and_send; when to wake again, on the chip's clock."""
        free_ms = 0
        self._connect()
        wake = self._begin(by_pin)
        messages = parking.sense(wake)
        if self._policy.managed:
            self._manage()
        if self.state.flags & store.FLAG_HELD:
            messages = self._waiting().release(self) + messages
        while messages:
            if not (yield from self._send(*messages[0][:2])):
                free_ms = self._retry_ms
                if free_ms and messages[0][0] in parking.HELD:
                    self._waiting().keep(self, messages)
                    break
            messages = messages[1:]
        wake.heard = wake.heard or not self._policy.repeats
        next_ms = 0 if self.state.flags & store.FLAG_HELD else parking.next_wake_ms(wake)
        self._memory = wake.memory
        return max(next_ms, self._node_clock.wake_ms(free_ms))

    def _begin(self, by_pin: bool) -> kinds.Wake:
        now_ms = self.chip_ms(self._clock)
        interval_ms = parking.INTERVAL_S * 1_000
        self.wake = kinds.Wake(WIRING, "parking", interval_ms, now_ms, by_pin, self._memory)
        self.wake.node = self
        self.wake._battery_mv = [BATTERY_MV]
        number = self._newest()
        vacant = number < 0 or self._changes[number].state == parking.VACANT
        self.sensor.field = VACANT_FIELD if vacant else OCCUPIED_FIELD
        self._looked_us = self._clock.now_us
        return self.wake

    def _sleep(self, until_ms: int) -> Steps:
        """Until then, or until a vehicle moves; True: it did."""
        self._node_clock.mark()
        now_us = self._clock.now_us
        until_us = max(until_ms - START_MS, now_us // 1_000 + SLEEP_MIN_MS) * 1_000
        seen = bisect_right(self._times_us, self._looked_us - SETTLED_US)
        moves_us = self._times_us[seen : seen + 1]
        by_pin = bool(moves_us) and moves_us[0] + SETTLED_US < until_us
        yield max(now_us, moves_us[0] + SETTLED_US) if by_pin else until_us
        return by_pin

    def _doze(self, ms: int) -> Steps:
        yield self._clock.now_us + 1_000 * ms

    def _newest(self) -> int:
        """Number of the newest change; -1: none yet."""
        return bisect_right(self._times_us, self._clock.now_us) - 1

    # -- a message

    def _send(self, f_port: int, values: dict[str, Any]) -> Steps:
        """radio.Link.send, under app's reading sequence; False: it was never on the air."""
        if "seq" not in values:
            values["seq"] = self.state.seq
            self.state.seq += 1
        if self._link:
            self._link.before(self._device, self.state)
        f_cnt = self._device.session.f_cnt_up
        data = parking.MESSAGES[f_port].encode(values)
        self.told[f_cnt] = self._tells(f_port, values)
        dr = self._device.session.dr
        result = yield from self._exchange(f_port, data)
        self.wake.heard = self.wake.heard or self._heard
        if type(result) is act.Refused:
            self._retry_ms = result.retry_ms or 0
            return False
        self.data_rates[dr] += 1
        for _ in range(FOLLOW_UPS_MAX):
            if type(result) is act.Done and (result.pending or result.ack_due):
                result = yield from self._exchange(None, b"")
        if self._link:
            self._link.after(self._device, self.state, False)
        return True

    def _tells(self, f_port: int, values: dict[str, Any]) -> list[int]:
        newest = self._number_of.setdefault(values["seq"], self._newest())
        if f_port == parking.F_PORT_HEARTBEAT:
            return [newest]
        history = sum(values.get(name) is not None for name in ("dwell", "dwell_2", "dwell_3"))
        return list(range(max(0, newest - history), newest + 1))

    def _exchange(self, f_port: int | None, data: bytes) -> Steps:
        for _ in range(TRIES_MAX):
            actions = self._device.send(f_port, data, False, self._mac_ms(), self._random16())
            result = yield from self._run(actions)
            if type(result) is act.Refused and result.reason == act.DUTY:
                wait_ms = result.retry_ms - self._mac_ms()
                if result.retry_ms < 0 or wait_ms > WAIT_MAX_MS:
                    break
                yield from self._doze(max(1, wait_ms))
            elif type(result) is act.Refused or result.result != act.DEFERRED:
                break
        return result

    def _run(self, actions: Sequence[Any]) -> Steps:
        """The Done or Refused that ends the request."""
        self._heard = False
        while True:
            following: Sequence[Any] = ()
            for action in actions:
                if type(action) in {act.Done, act.Refused}:
                    return action
                following = yield from self._execute(action)
            actions = following

    def _execute(self, action: Any) -> Steps:
        """What the MAC wants next, if the action leads to an event."""
        kind = type(action)
        if kind is act.Save:
            self.state.session = action.record
        elif kind is act.LinkCheck and self._link:
            self._link.margin_db = action.margin_db
        elif kind is act.Transmit:
            return (yield from self._transmit(action))
        elif kind is act.Window:
            return (yield from self._window(action))
        elif kind is act.Finish:
            self._heard = action.heard
            return self._device.handle(act.FINISH, self._mac_ms())
        elif kind is act.Wait:
            yield from self._doze(max(0, action.until_ms - self._mac_ms()))
            return self._device.handle(act.TIMER, self._mac_ms())
        return ()

    def _transmit(self, action: Any) -> Steps:
        sf, power_dbm = action.spreading_factor, action.power_dbm
        self._tx_end_us = self.radio.transmit(
            action.frequency_hz, sf, action.payload, self._go_on, power_dbm
        )
        yield None
        return self._device.handle(act.TX_DONE, self._mac_ms())

    def _window(self, action: Any) -> Steps:
        start_us = self._tx_end_us + action.delay_us
        sf = action.spreading_factor
        self.radio.listen(action.frequency_hz, sf, start_us, lambda *heard: self._go_on(heard))
        payload, rssi_dbm, snr_db = yield None
        if payload is None:
            return self._device.handle(act.WINDOW_EMPTY, self._mac_ms())
        return self._device.received(payload, len(payload), round(rssi_dbm), round(snr_db))

    # -- the chip

    def _connect(self) -> None:
        """radio.connect: a new MAC from the session that was left."""
        session = Session.unpack(self.state.session) if self.state.session else None
        self._device = Device(self._identity, Aes, session)
        self._node_clock = node_clock.Clock(self.state)
        self._device.adr = not self._policy.managed

    def _manage(self) -> None:
        reserve_db, floor_dr = parking.LINK
        self._link = link_policy.Managed(reserve_db - self.wake.shadow_db, floor_dr)

    @staticmethod
    def chip_ms(clock: Clock) -> int:
        return START_MS + clock.now_us // 1_000

    def _mac_ms(self) -> int:
        return int(self._node_clock.mac_ms())

    def _waiting(self) -> Any:
        vars(waiting)["notes"] = self._notes
        vars(waiting)["say"] = lambda *_words: None
        return waiting

    def _random16(self) -> int:
        return self._chance.getrandbits(16)
