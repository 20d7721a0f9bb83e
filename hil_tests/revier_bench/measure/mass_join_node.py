# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Nodes of a town that all get their power back at once: ours, and a naive one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from revier_bench.measure.downlink_fuzz import Aes
from revier_bench.measure.duty_checker import Sent
from revier_bench.measure.mass_join_firmware import Firmware, seldom
from revier_bench.measure.mass_join_radio import Clock
from revier_bench.world.air import Air, Emission, Position
from revier_bench.world.airtime import lora_airtime_us, preamble_us
from revier_bench.world.chance import stream
from revier_mac import actions as act
from revier_mac.frames import Key
from revier_mac.joining import SealedJoinAccept, join_request
from revier_payload.diagnosis import DIAGNOSIS

DIAGNOSES_MAX: int = seldom.DIAGNOSES_MAX
SLEEP_ERROR = 0.05  # of the deep sleep clock, either way; each chip has its own
SLEEP_MIN_MS = 1_000  # revier_node/app.py
BOOT_US = 1_500_000  # to the first line of the join; equal parts differ little
BOOT_SPREAD_US = 50_000
TX_AFTER_US = 20_000  # from the request to the first symbol
WINDOW_TOLERANCE_US = 5_000
DIAGNOSIS_EVERY_MS = 300_000  # the shortest interval of a kind (air)
EIRP_DBM = 16.0
SYNC_WORD_PUBLIC = 0x3444
DEV_NONCE = 7  # the node has joined before
HOUR_US = 3_600_000_000

Heard = Callable[[bytes | None, float, float], None]


class Radio:
    """Half duplex; one window at a time."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        air: Air,
        position: Position,
        ground_loss_db: Callable[[int], float] | None = None,
    ) -> None:
        self.name = name
        self.sent: list[Sent] = []
        self._clock = clock
        self._air = air
        self._wanted: tuple[int, int, int] | None = None  # frequency, spreading factor, start
        self._locked: Emission | None = None
        air.attach(self, position, ground_loss_db)

    def transmit(
        self,
        frequency_hz: int,
        sf: int,
        payload: bytes,
        then: Callable[[], None],
        power_dbm: float = EIRP_DBM,
    ) -> int:
        """`then` runs when the frame has left; that time is returned."""
        start_us = self._clock.now_us + TX_AFTER_US
        airtime_us = lora_airtime_us(len(payload), sf)
        self.sent.append(Sent(start_us, frequency_hz, sf, 125_000, len(payload)))
        emission = Emission(
            self.name, start_us, airtime_us, preamble_us(sf), frequency_hz, 125_000, sf, 5,
            power_dbm, False, SYNC_WORD_PUBLIC, True, True, payload,
        )  # fmt: skip
        self._clock.at(start_us, lambda: self._air.emit(emission))
        self._clock.at(emission.end_us, then)
        return emission.end_us

    def listen(self, frequency_hz: int, sf: int, start_us: int, heard: Heard) -> None:
        """For a frame that begins at start_us; `heard` gets its payload, or None."""

        def open_window() -> None:
            self._wanted, self._locked = (frequency_hz, sf, start_us), None

        def preamble_over() -> None:
            self._wanted = None
            emission = self._locked
            if emission is None:
                heard(None, 0, 0)
            else:
                self._clock.at(emission.end_us, lambda: self._demodulated(emission, heard))

        self._clock.at(start_us - WINDOW_TOLERANCE_US, open_window)
        self._clock.at(start_us + WINDOW_TOLERANCE_US + preamble_us(sf), preamble_over)

    def on_emission(self, emission: Emission) -> None:
        if self._wanted is None or self._locked or not emission.iq_inverted:
            return
        frequency_hz, sf, start_us = self._wanted
        if (emission.frequency_hz, emission.spreading_factor) != (frequency_hz, sf):
            return
        in_time = abs(emission.start_us - start_us) <= WINDOW_TOLERANCE_US
        if in_time and self._air.outcome(emission, self) is not None:
            self._locked = emission

    def _demodulated(self, emission: Emission, heard: Heard) -> None:
        found = self._air.outcome(emission, self)
        if found is None or not found.crc_ok:
            heard(None, 0, 0)
        else:
            heard(emission.payload, found.rssi_dbm, found.snr_db)


class Node:
    """The shipped firmware's cold start, join and diagnosis; its sleep clock errs."""

    def __init__(self, dev_eui: bytes, app_key: bytes, radio: Radio, clock: Clock, seed: str):
        self.radio = radio
        self.joined_us: int | None = None
        self.tries = 0
        self._clock = clock
        self._chance = stream(seed, f"node:{radio.name}")
        self._sleep_error = self._chance.uniform(-SLEEP_ERROR, SLEEP_ERROR)
        self._chip_us, self._chip_rate, self._marked_us = 0.0, 1.0, clock.now_us
        self._diagnosed = 0
        self._tx_end_us = 0
        self._device: Any = None
        self._join_over: Callable[[object], None] = self._join_ended
        identity = act.Identity(dev_eui, bytes(8), app_key, DEV_NONCE)
        self.firmware = Firmware(identity, self.chip_ms, self._chance)

    def power_on(self) -> None:
        self._awake(self._start)

    def chip_ms(self) -> int:
        since_us = self._clock.now_us - self._marked_us
        return int(self._chip_us + since_us * self._chip_rate) // 1000

    def _run_chip_at(self, rate: float) -> None:
        self._chip_us += (self._clock.now_us - self._marked_us) * self._chip_rate
        self._marked_us, self._chip_rate = self._clock.now_us, rate

    # -- wakes

    def _awake(self, then: Callable[[], None]) -> None:
        boot_us = BOOT_US + self._chance.randrange(BOOT_SPREAD_US)
        self._clock.at(self._clock.now_us + boot_us, then)

    def _start(self) -> None:
        if self.firmware.cold_start():
            self._sleep(self.firmware.sleep_until_ms)
        else:
            self._work()

    def _sleep(self, until_ms: int) -> None:
        self.firmware.sleep()
        sleep_ms = max(SLEEP_MIN_MS, until_ms - self.chip_ms())
        self._run_chip_at(1 / (1 + self._sleep_error))
        wake_us = self._clock.now_us + int(sleep_ms * 1000 * (1 + self._sleep_error))
        self._clock.at(wake_us, self._wake)

    def _wake(self) -> None:
        self._run_chip_at(1.0)
        self._awake(self._work)

    def _work(self) -> None:
        self._device = self.firmware.woken()
        if self._device.joined:
            self._diagnose()
            return
        actions = self.firmware.join()
        if actions is None:
            self._sleep(self.firmware.sleep_until_ms)
        else:
            self.tries += 1
            self._run(actions)

    def _join_ended(self, result: object) -> None:
        if self.firmware.joined(result):
            self.joined_us = self._clock.now_us
            self._diagnose()
        else:
            self._sleep(self.firmware.sleep_until_ms)

    def _diagnose(self) -> None:
        """What seldom.send_diagnosis() puts on the air: it asks for the time, until answered."""
        if self._diagnosed >= DIAGNOSES_MAX:
            return
        device = self._device
        device.request_device_time()
        now_ms, rnd = self.firmware.mac_ms(), self._chance.getrandbits(16)
        actions = device.send(DIAGNOSIS.f_port, bytes(DIAGNOSIS.length), False, now_ms, rnd)
        if type(actions[-1]) is act.Refused:
            self._sleep(self.chip_ms() + DIAGNOSIS_EVERY_MS)
            return
        self._diagnosed += 1
        self._run(actions)

    # -- the MAC's actions

    def _run(self, actions: Sequence[Any]) -> None:
        for action in actions:
            if isinstance(action, act.ReserveDevNonce):
                self.firmware.store.reserve_dev_nonce(action.next_dev_nonce)
            elif isinstance(action, act.Save):
                self.firmware.state.session = action.record
            elif isinstance(action, act.Transmit):
                sf = action.spreading_factor
                self._tx_end_us = self.radio.transmit(
                    action.frequency_hz, sf, action.payload, lambda: self._event(act.TX_DONE)
                )
            elif isinstance(action, act.Window):
                start_us = self._tx_end_us + action.delay_us
                self.radio.listen(
                    action.frequency_hz, action.spreading_factor, start_us, self._heard
                )
            elif isinstance(action, act.Finish):
                self._event(act.FINISH)
            elif isinstance(action, act.Done):
                self._done(action)

    def _event(self, event: int) -> None:
        self._run(self._device.handle(event, self.firmware.mac_ms()))

    def _heard(self, payload: bytes | None, rssi_dbm: float, snr_db: float) -> None:
        if payload is None:
            self._event(act.WINDOW_EMPTY)
            return
        self._run(self._device.received(payload, len(payload), round(rssi_dbm), round(snr_db)))

    def _done(self, done: Any) -> None:
        if self.joined_us is None:
            self._join_ended(done)
        elif self._device.session.f_cnt_down >= 0:
            self._diagnosed = DIAGNOSES_MAX  # the network has heard it: no more is asked for here
        else:
            self._sleep(self.chip_ms() + DIAGNOSIS_EVERY_MS)


class NaiveNode:
    """A loop around a join call: at power-on, again as soon as RX2 is over, DR5, three channels,
    36 s of airtime in the hour (L2 7), no random pause."""

    CHANNELS_HZ = (868_100_000, 868_300_000, 868_500_000)
    LIMIT_US = 36_000_000

    def __init__(self, dev_eui: bytes, app_key: bytes, radio: Radio, clock: Clock, seed: str):
        self.radio = radio
        self.joined_us: int | None = None
        self.tries = 0
        self._dev_eui = dev_eui
        self._key = Key(Aes, app_key)
        self._clock = clock
        self._chance: Random = stream(seed, f"node:{radio.name}")

    def power_on(self) -> None:
        boot_us = BOOT_US + self._chance.randrange(BOOT_SPREAD_US)
        self._clock.at(self._clock.now_us + boot_us, self._try)

    def _try(self) -> None:
        airtime_us = lora_airtime_us(23, 7)
        if (self.tries + 1) * airtime_us > self.LIMIT_US:
            return
        frequency_hz = self._chance.choice(self.CHANNELS_HZ)
        frame = join_request(self._key, bytes(8), self._dev_eui, DEV_NONCE + self.tries)
        self.tries += 1
        self.radio.transmit(frequency_hz, 7, frame, lambda: self._listen(frequency_hz))

    def _listen(self, frequency_hz: int) -> None:
        tx_end_us = self._clock.now_us

        def second(payload: bytes | None, _rssi_dbm: float, _snr_db: float) -> None:
            if not self._joined(payload):
                self._try()

        def first(payload: bytes | None, _rssi_dbm: float, _snr_db: float) -> None:
            if not self._joined(payload):
                self.radio.listen(869_525_000, 12, tx_end_us + 6_000_000, second)

        self.radio.listen(frequency_hz, 7, tx_end_us + 5_000_000, first)

    def _joined(self, payload: bytes | None) -> bool:
        accept = SealedJoinAccept(self._key)
        if payload and accept.read(payload, len(payload)) and accept.authentic():
            self.joined_us = self._clock.now_us
            return True
        return False
