# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The MAC on its radio. Its actions: transmit, windows at their microsecond, sleep between.

The end of a transmission is the time of SetTx plus the frame's exact airtime, or what a poll a
moment later saw, never the time of an interrupt: MicroPython serves those up to 10 ms late.
From SetTx to Finish no heap is taken.
"""

import gc
import os
import time

import machine
import micropython
from cryptolib import aes
from micropython import const

from revier_mac import actions as mac
from revier_mac.airtime import airtime_us
from revier_mac.device import IDLE, Device
from revier_mac.session import Session
from revier_node import radio_bus
from revier_node import store as memory
from revier_node.console import say
from revier_node.radio_bus import RadioError

MYPY = False
if MYPY:
    from typing import Any

    from revier_node.app import Node
    from revier_node.clock import Clock
    from revier_node.store import Store
    from revier_node.sx1262 import Sx1262
    from revier_node.sx1276 import Sx1276


NAP_MIN_US = const(8_000)  # a shorter light sleep costs more than it saves
NAP_MAX_US = const(60_000_000)
WAKE_US = const(3_000)  # light sleep's own end; the rest is awake and exact
PREPARE_US = const(12_000)  # ten commands and a TCXO's start of 5 ms
TX_END_LIMIT_US = const(200_000)  # TX_DONE must be there this long after its time
_TX_POLL_US = const(100)
_DRIFT_DIVISOR = const(900)  # 1 / CLOCK_ERROR_PPM
_POLL_MS = const(5)
WAIT_MAX_MS = const(30_000)  # for a repeat or the duty cycle, in light sleep; no node waits longer
FRAME_MAX = const(255)
TRIES_MAX = const(3)
FOLLOW_UPS_MAX = const(2)  # empty uplinks of one wake that fetch what the network still has
# At a window: the radio's commands, and what light sleep's clock (calibrated each time) may err by
CLOCK_ERROR_US = const(1_500)
CLOCK_ERROR_PPM = const(1_100)
LEARNT_ERROR_PPM = const(500)  # once a downlink has told light sleep's error, as long as any come
_FORGET_AFTER = const(16)  # requests without an answer
_LEARN_FROM_US = const(2_500_000)  # of delay: before, a polled end is as wrong as the clock
_LEARN_SF_MAX = const(9)  # polled awake, while the frame lasts
_LEARN_POLL_US = const(500)
_BATTERY_EMPTY_MV = const(3_000)
_BATTERY_FULL_MV = const(4_200)


def connect(node: "Node") -> "Link":
    """The MAC with its session as it was left, on the board's radio."""
    stored = node.store
    session = Session.unpack(node.state.session) if node.state.session else None
    dev_eui, join_eui, app_key = stored.identity() or (b"", b"", b"")
    identity = mac.Identity(dev_eui, join_eui, app_key, stored.dev_nonce())
    device = Device(identity, _new_aes, session, CLOCK_ERROR_US, CLOCK_ERROR_PPM)
    device.counts = bytearray(node.state.counts)
    device.battery = _battery_level(node.wake.battery_mv())
    node.state.flags &= ~memory.FLAG_JOINED  # a record that this firmware cannot read: join
    if device.joined:
        node.state.flags |= memory.FLAG_JOINED
    gain_dbi = node.board["radio"]["antenna_gain_dbi"]
    link = Link(device, node.radio(), stored, node.clock, gain_dbi)
    if node.state.nap_ppm and node.state.unanswered < _FORGET_AFTER:
        link.nap_ppm = node.state.nap_ppm
        device.error_ppm = LEARNT_ERROR_PPM
    link.confirmed_every = node.wake.settings.get(2, 0)
    if node.kind.LINK:
        from revier_node import link_policy

        reserve_db, floor_dr = node.kind.LINK
        link.policy = link_policy.Managed(reserve_db - node.wake.shadow_db, floor_dr)
        device.adr = False
    return link


def _new_aes(key: bytes) -> "aes":
    """Hardware AES on the ESP32; ECB: encrypt(source, target), in place allowed, no heap."""
    return aes(key, 1)


def random16() -> int:
    return int.from_bytes(os.urandom(2), "little")


def sleep_until(at_us: int, nap_max_us: int = NAP_MAX_US) -> None:
    """Until ticks_us() is `at_us`: light sleep for the bulk, the rest awake."""
    left_us = time.ticks_diff(at_us, time.ticks_us())
    if left_us > NAP_MIN_US:
        machine.lightsleep(min(left_us - WAKE_US, nap_max_us) // 1000)
        left_us = time.ticks_diff(at_us, time.ticks_us())
    if left_us > 0:
        time.sleep_ms(left_us // 1000)  # lets the core idle; sleep_us() is a busy wait
        time.sleep_us(left_us % 1000)


class Link:
    """One exchange at a time: run(actions) until the MAC is done."""

    def __init__(
        self,
        device: "Device",
        radio: "Sx1262 | Sx1276",
        store: "Store",
        clock: "Clock",
        antenna_gain_dbi: int,
    ) -> None:
        self.device = device
        self.downlinks: list = []
        self._radio = radio
        self._store = store
        self.policy: "Any" = None  # link_policy.Managed, if the kind does without network ADR
        self._clock = clock
        self._now_ms = clock.mac_ms
        self._gain_dbi = antenna_gain_dbi
        self._frame = bytearray(FRAME_MAX)
        self._tx_stuck = RadioError("tx not done")
        self._launch_us = 0  # what launch() takes; as long, about, as from a wait to its last bit
        self._tx_end_us = 0
        self._tx_end_ms = 0
        self._kept = (device.session.nwk_s_key, device.session.f_cnt_down)
        self.heard = False
        self.nap_max_us = NAP_MAX_US  # in light sleep before a window
        self.nap_ppm = 0
        self.in_tx: "Any" = None  # battery_tx.Sampler: called in the middle of a transmission
        self._learn: "Any" = None  # the window whose frame's end was seen to the poll
        self._took_us = self._length = 0
        self.confirmed_every = 0  # setting 2
        self.retry_ms = 0  # after a refusal: when the duty cycle lets it pass; 0: it was not that
        self._awake = False
        self._heap_locked = False
        self._result = None
        self._execute = {
            mac.ReserveDevNonce: self._reserve_dev_nonce,
            mac.Save: self._save,
            mac.Transmit: self._transmit,
            mac.Window: self._window,
            mac.Finish: self._finish,
            mac.Wait: self._wait,
            mac.Done: self._done,
            mac.Refused: self._done,
        }

    def run(self, actions: "list | None") -> "Any":
        """The Done or Refused that ends the request. RadioError goes on after the MAC has ended."""
        self._result = None
        self.heard = False
        self.downlinks.clear()
        try:
            while actions:
                actions = self._run_list(actions)
        except RadioError:
            self._unlock_heap()
            self._awake = False
            self._run_list(self.device.handle(mac.ABORT, self._now_ms()))
            raise
        finally:
            self._unlock_heap()
        return self._result

    def send(self, f_port: int, data: bytes, seq: int, confirmed: bool = False) -> str:
        """Application data of the reading `seq`. What came of it; "" if it was never on the air.

        mac.UNACKNOWLEDGED means unknown, not lost. Empty uplinks follow while the network has more
        or waits for an acknowledgement (L2 4.3.1.2), at most FOLLOW_UPS_MAX.
        """
        state = self._store.state
        if self._clock.sync_due():
            self.device.request_device_time()
            state.unanswered = min(state.unanswered + 1, 0xFFFF)
        if self.policy:
            self.policy.before(self.device, state)
        every = self.confirmed_every
        confirmed = confirmed or (every > 0 and not self.device.session.f_cnt_up % every)
        result = self._exchange(f_port, data, confirmed)
        if type(result) is mac.Refused:
            self.retry_ms = max(0, result.retry_ms or 0)
            say("error", "code", "send", "reason", result.reason, "seq", seq)
            return ""
        outcome: str = result.result
        say("uplink", "f_cnt", result.f_cnt, "port", f_port, "len", len(data),
            "dr", self.device.session.dr, "seq", seq, "outcome", outcome)  # fmt: skip
        for _ in range(FOLLOW_UPS_MAX):
            if type(result) is mac.Done and (result.pending or result.ack_due):
                result = self._exchange(None, b"", False)
        if self.policy:
            self.policy.after(self.device, state, outcome == mac.UNACKNOWLEDGED)
        return outcome

    def _exchange(self, f_port: "int | None", data: bytes, confirmed: bool) -> "Any":
        """One request, again after MAC answers that went first; waits a little for the duty."""
        for _ in range(TRIES_MAX):
            result = self.run(self.device.send(f_port, data, confirmed, self._now_ms(), random16()))
            if self.heard:
                self._store.state.unanswered = 0
            if type(result) is mac.Refused and result.reason == mac.DUTY:
                wait_ms = result.retry_ms - self._now_ms()
                if result.retry_ms < 0 or wait_ms > WAIT_MAX_MS:
                    break
                machine.lightsleep(max(1, wait_ms))
            elif type(result) is mac.Refused or result.result != mac.DEFERRED:
                break
        return result

    def close(self) -> None:
        """Before deep sleep: the radio loses all and needs least."""
        self._store.state.counts = bytes(self.device.counts)
        if self._awake:
            self._radio.sleep()
            self._awake = False

    def _run_list(self, actions: list) -> "list | None":
        """Execute one list; the last action may lead to an event and so to the next list."""
        following = None
        for action in actions:
            step = self._execute.get(type(action))
            following = step(action) if step else self._tell(action)
        return following

    def _unlock_heap(self) -> None:
        if self._heap_locked:
            self._heap_locked = False
            micropython.heap_unlock()

    # -- on the air --

    def _transmit(self, action: "Any") -> list:
        radio = self._radio
        if not self._awake:
            radio.begin()
            self._awake = True
        radio.prepare_tx(
            action.frequency_hz,
            action.spreading_factor,
            action.bandwidth_hz,
            action.power_dbm - self._gain_dbi,
            action.payload,
            action.airtime_us,
        )
        say("tx", "freq", action.frequency_hz, "sf", action.spreading_factor,
            "len", len(action.payload))  # fmt: skip
        gc.collect()
        self._tx_end_ms = self._now_ms() + (action.airtime_us + radio.TX_START_US) // 1000
        self._heap_locked = True
        micropython.heap_lock()  # a garbage collection would cost up to 50 ms
        called_us = time.ticks_us()
        launched_us = radio.launch()
        self._launch_us = time.ticks_diff(launched_us, called_us)
        self._tx_end_us = time.ticks_add(launched_us, radio.TX_START_US + action.airtime_us)
        if self.in_tx:
            sleep_until(time.ticks_add(launched_us, action.airtime_us // 2))
            self.in_tx()
        # awake a little before the end, to see it: light sleep's clock erred during the frame
        sleep_until(time.ticks_add(self._tx_end_us, -1_000 - action.airtime_us // _DRIFT_DIVISOR))
        polled_us = 0
        while not radio.poll_irq() & radio_bus.IRQ_TX_DONE:
            if time.ticks_diff(time.ticks_us(), self._tx_end_us) > TX_END_LIMIT_US:
                raise self._tx_stuck
            polled_us = _TX_POLL_US
            time.sleep_us(polled_us)
        if polled_us:
            self._tx_end_us = time.ticks_add(time.ticks_us(), -polled_us)
        return self.device.handle(mac.TX_DONE, self._tx_end_ms)

    def _window(self, action: "Any") -> list:
        early_us = action.open_us // 1000 * self.nap_ppm // 1000
        open_us = time.ticks_add(self._tx_end_us, action.open_us - early_us)
        radio = self._radio
        if time.ticks_diff(open_us, time.ticks_us()) < 0:
            # RX1 was still demodulating (L2 3.3.1): there is no second window any more
            return self.device.handle(mac.WINDOW_EMPTY, self._tx_end_ms)
        sleep_until(time.ticks_add(open_us, -PREPARE_US), self.nap_max_us)
        radio.prepare_rx(
            action.frequency_hz, action.spreading_factor, action.bandwidth_hz, action.symbols
        )
        left_us = time.ticks_diff(open_us, time.ticks_us()) - radio.RX_START_US - self._launch_us
        if left_us > 0:
            time.sleep_us(left_us)
        started_us = radio.launch()
        symbol_us = radio_bus.symbol_us(action.spreading_factor, action.bandwidth_hz)
        sleep_until(time.ticks_add(started_us, (action.symbols + 1) * symbol_us))
        # The MCU's own limit for a reception: the longest frame, begun as the search ended
        limit_us = action.symbols * symbol_us + airtime_us(
            FRAME_MAX, action.spreading_factor, action.bandwidth_hz
        )
        learns = self.nap_max_us > action.delay_us > _LEARN_FROM_US
        learns = learns and action.spreading_factor <= _LEARN_SF_MAX
        while True:
            irq = radio.poll_irq()
            if irq & radio_bus.IRQ_RX_DONE:
                if learns:
                    self._learn = action
                    self._took_us = time.ticks_diff(time.ticks_us(), self._tx_end_us)
                return self._received(irq)
            if irq & (radio_bus.IRQ_TIMEOUT | radio_bus.IRQ_HEADER_ERROR):
                break
            if time.ticks_diff(time.ticks_us(), started_us) > limit_us:
                radio.standby()
                break
            if learns:
                time.sleep_us(_LEARN_POLL_US)
            else:
                machine.lightsleep(_POLL_MS)
        return self.device.handle(mac.WINDOW_EMPTY, self._tx_end_ms)

    def _received(self, irq: int) -> list:
        """A frame is in the chip. Downlinks have no payload CRC; a wrong header was no frame."""
        length = 0 if irq & radio_bus.IRQ_CRC_ERROR else self._radio.read_frame(self._frame)
        self._length = length
        if not length:
            return self.device.handle(mac.WINDOW_EMPTY, self._tx_end_ms)
        return self.device.received(self._frame, length, self._radio.rssi_dbm, self._radio.snr_db)

    def _finish(self, action: "Any") -> list:
        self._unlock_heap()
        self.heard = action.heard
        if self._learn and action.heard:
            from revier_node import news

            news.learn_nap(self._store.state, self._learn, self._took_us, self._length)
        self._learn = None
        return self.device.handle(mac.FINISH, self._now_ms())

    def _wait(self, action: "Any") -> list:
        left_ms = action.until_ms - self._now_ms()
        if left_ms > WAIT_MAX_MS:
            return self.device.handle(mac.ABORT, self._now_ms())
        if left_ms > 0:
            machine.lightsleep(left_ms)
        return self.device.handle(mac.TIMER, self._now_ms())

    # -- to remember --

    def _reserve_dev_nonce(self, action: "Any") -> None:
        self._store.reserve_dev_nonce(action.next_dev_nonce)

    def _save(self, action: "Any") -> None:
        """The copy in NVS follows what must not go back: new keys, the downlink counter.

        The record after an exchange that nobody answered may wait for the next one, or for the
        end of the wake: what counts, the frame counter and the airtime, was stored before it.
        """
        session = self.device.session
        what = (session.nwk_s_key, session.f_cnt_down)
        urgent = self.heard or self.device.state != IDLE
        self._store.save_session(action.record, session.f_cnt_up, what != self._kept, urgent)
        self._kept = what

    # -- what it came to --

    def _tell(self, action: "Any") -> "list | None":
        from revier_node import news

        if type(action) is mac.Downlink:
            self.downlinks.append(action)
        elif type(action) is mac.LinkCheck:
            self._store.state.margin_db = min(action.margin_db, 127)
            if self.policy:
                self.policy.margin_db = action.margin_db
        news.tell(action, self._clock)
        return None

    def _done(self, action: "Any") -> None:
        self._result = action


def _battery_level(battery_mv: "int | None") -> int:
    """LoRaWAN L2 1.0.4 section 5.5, DevStatusAns: 1 empty to 254 full, 255 unknown."""
    if battery_mv is None:
        return 255
    span = _BATTERY_FULL_MV - _BATTERY_EMPTY_MV
    return max(1, min(254, 1 + (battery_mv - _BATTERY_EMPTY_MV) * 253 // span))
