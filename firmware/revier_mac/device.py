# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""LoRaWAN 1.0.4 class A end device for EU868 without I/O: an automaton as a table.

How to use it stands in __init__.py. L2 = LoRaWAN L2 1.0.4.
"""

# ruff: noqa: ARG002 - the handlers of the table share one signature

from revier_mac import actions as act
from revier_mac import airtime as eu868
from revier_mac import counts, frames
from revier_mac.session import Session
from revier_mac.uplink import Uplink

if 0:  # for the type checker; compiles to nothing
    from typing import Any

    from revier_mac.frames import NewAes

    Actions = list[object]

# States; an event (1..15) in the low bits makes the key of the table.
IDLE = 0x00
TX = 0x10
RX1 = 0x20
RX2 = 0x30
OVER = 0x40
PAUSE = 0x50


class ProtocolError(Exception):
    """The caller raised an event that cannot happen in this state."""


class Device:
    def __init__(
        self,
        identity: act.Identity,
        new_aes: "NewAes",
        session: "Session | None" = None,
        error_us: int = 1000,
        error_ppm: int = 100,
    ) -> None:
        self.identity = identity
        self.session = session or Session()
        self.next_dev_nonce: int = identity.next_dev_nonce
        self.battery = 255
        self.counts = bytearray(counts.COUNTS)  # the node may put in its own, kept over sleep
        self.adr = True
        self.state = IDLE
        self._new_aes = new_aes
        self.error_us = error_us
        self.error_ppm = error_ppm
        self._keys: "tuple[frames.Key, frames.Key] | None" = None
        self._exchange: "Any" = None  # Uplink or joining.Join
        self._channel = 0
        self._random = 1
        self._rx1: "Actions" = []
        self._rx2: "Actions" = []
        self._heard = False
        self._size_max = (0, 0)  # PHYPayload that RX1's and RX2's data rate may carry
        self._until_ms = 0
        # of the exchange: what the commands of its downlink want to know, and the news it brings
        self.window = 0
        self.tx_end_ms = 0
        self.rssi_dbm = 0
        self.snr_db = 0
        self.news: "Actions" = []

    def count(self, what: int, times: int = 1) -> None:
        """Takes no heap."""
        self.counts[what] = min(255, self.counts[what] + times)

    # -- questions and settings --

    @property
    def joined(self) -> bool:
        return self.session.joined

    def request_link_check(self) -> None:
        self.session.link_check_due = True

    def request_device_time(self) -> None:
        self.session.device_time_due = True

    def deadline_ms(self) -> "int | None":
        return self._until_ms if self.state == PAUSE else None

    def payload_max(self) -> int:
        """Bytes of application data that fit beside what the MAC has to say; 0: answers first."""
        answers, requests = self.session.beside(15)
        beside = len(answers) + len(requests)
        return 0 if beside > 15 else eu868.PAYLOAD_MAX[self.session.dr] - beside

    def next_tx_ms(self, now_ms: int, length: int = 0) -> int:
        """Earliest time for send() with `length` bytes, or for join() if not joined."""
        session = self.session
        if not session.joined:
            from revier_mac import joining

            dr = joining.data_rate(session.joins_tried, 0)
            return max(now_ms, joining.not_before_ms(session, dr, now_ms))
        size = Uplink(session, 1, bytes(length), False).size
        return max(now_ms, eu868.free_channels(session, session.mask, session.dr, size, now_ms)[1])

    # -- requests --

    def join(self, now_ms: int, rnd: int) -> "Actions":
        if self.state != IDLE:
            return [act.Refused(act.BUSY, None)]
        if self.next_dev_nonce > 0xFFFF:
            return [act.Refused(act.NONCES_SPENT, None)]
        from revier_mac import joining  # not needed by most wakes

        self._seed(rnd)
        session = self.session
        dr = joining.data_rate(session.joins_tried, self._draw())
        at_ms = joining.not_before_ms(session, dr, now_ms)
        if at_ms > now_ms:
            return self._put_off(at_ms)
        nonce = self.next_dev_nonce
        self.next_dev_nonce = nonce + 1
        self._keys = None
        self._exchange = joining.Join(session, self._new_aes, self.identity, nonce, dr)
        airtime = eu868.airtime_us(joining.SIZE, *eu868.DATA_RATES[dr])
        joining.count_try(session, now_ms, airtime)
        return [act.ReserveDevNonce(nonce + 1)] + self._transmit(joining.MASK, now_ms)

    def send(
        self, f_port: "int | None", data: bytes, confirmed: bool, now_ms: int, rnd: int
    ) -> "Actions":
        session = self.session
        reason = None
        if self.state != IDLE:
            reason = act.BUSY
        elif not session.joined:
            reason = act.NOT_JOINED
        elif session.f_cnt_up > 0xFFFFFFFF:
            reason = act.COUNTER_SPENT
        elif (data and f_port is None) or f_port == 0 or (f_port or 0) > 255:
            reason = act.BAD_PORT
        elif len(data) > eu868.PAYLOAD_MAX[session.dr]:
            reason = act.TOO_LONG
        if reason is not None:
            return [act.Refused(reason, None)]
        exchange = Uplink(session, f_port, data, confirmed)
        free, at_ms = eu868.free_channels(session, session.mask, session.dr, exchange.size, now_ms)
        if not free:
            return self._put_off(at_ms)
        self._seed(rnd)
        if self._keys is None:
            nwk = frames.Key(self._new_aes, session.nwk_s_key)
            self._keys = nwk, frames.Key(self._new_aes, session.app_s_key)
        exchange.seal(self._keys, self.adr)
        self._exchange = exchange
        return self._transmit(session.mask, now_ms)

    # -- events --

    def handle(self, event: int, now_ms: int) -> "Actions":
        handler = TABLE.get(self.state | event)
        if handler is None:
            if event == act.ABORT:
                return self._abort()
            raise ProtocolError(self.state | event)
        return handler(self, now_ms)

    def received(
        self, buffer: "bytes | bytearray", length: int, rssi_dbm: int, snr_db: int
    ) -> "Actions":
        self.rssi_dbm = rssi_dbm
        self.snr_db = snr_db
        if RX1 <= self.state <= RX2:  # a tuple of names would take heap
            sealed = self._exchange.sealed
            if length > self._size_max[(self.state - RX1) >> 4]:
                self.count(counts.OVERSIZED)
            elif not sealed.read(buffer, length):
                self.count(counts.NOT_OURS)
            elif not sealed.authentic():
                self.count(counts.MIC_WRONG)
            else:
                self._heard = True
        return self.handle(act.FRAME if self._heard else act.WINDOW_EMPTY, self.tx_end_ms)

    # -- handlers --

    def _tx_done(self, now_ms: int) -> "Actions":
        self.tx_end_ms = now_ms
        self.state = RX1
        return self._rx1

    def _second_window(self, now_ms: int) -> "Actions":
        self.state = RX2
        return self._rx2

    def _end(self, now_ms: int) -> "Actions":
        """RX2 is left out only after a valid frame for us in RX1 (L2 3.3.1)."""
        self.window = (self.state - TX) >> 4
        self.state = OVER
        return _FINISH_HEARD if self._heard else _FINISH

    def _over(self, now_ms: int) -> "Actions":
        exchange = self._exchange
        self.news = []
        last = exchange.over(self._heard, self)
        self.state = IDLE
        if last is None:
            last = self._wait(now_ms + exchange.pause_ms(self._draw()))
        actions: "Actions" = [act.Save(self.session.pack())]
        actions.extend(self.news)
        actions.append(last)
        return actions

    def _repeat(self, now_ms: int) -> "Actions":
        if now_ms < self._until_ms or not self._repeat_channels(now_ms)[0]:
            return [self._wait(max(now_ms, self._until_ms))]
        return self._transmit(self.session.mask, now_ms)

    def _abort(self) -> "Actions":
        if self.state == IDLE:
            return []
        self.state = IDLE
        self.count(counts.ABORTED)
        done = act.Done(act.ABORTED, self._exchange.f_cnt, False, self.session.ack_due)
        return [act.Save(self.session.pack()), done]

    # -- parts of handlers --

    def _put_off(self, at_ms: int) -> "Actions":
        self.count(counts.DUTY)
        return [act.Refused(act.DUTY, at_ms)]

    def _transmit(self, mask: int, now_ms: int) -> "Actions":
        """Send the exchange's frame on a free channel, not on the last one if there are others.

        Both windows are made here, before the transmission: none is made while time presses.
        """
        session = self.session
        exchange = self._exchange
        size = len(exchange.frame)
        free = eu868.free_channels(session, mask, exchange.dr, size, now_ms, exchange.is_join)[0]
        if len(free) > 1 and self._channel in free:
            free.remove(self._channel)
        channel = free[self._draw() % len(free)]
        self._channel = channel
        frequency = session.channels[channel]
        rx1_frequency = frequency
        delay_s, offset = 5, 0  # L2 6.2.6: JOIN_ACCEPT_DELAY1
        rx2_frequency, rx2_dr = eu868.RX2_FREQUENCY, eu868.RX2_DR
        power_dbm = 16
        if not exchange.is_join:
            delay_s, offset = session.rx1_delay_s, session.rx1_dr_offset
            rx2_frequency, rx2_dr = session.rx2_frequency, session.rx2_dr
            rx1_frequency = session.rx1_frequencies[channel] or frequency
            power_dbm -= 2 * session.tx_power
            exchange.left -= 1
        rx1_dr = max(0, exchange.dr - offset)
        self._size_max = eu868.PAYLOAD_MAX[rx1_dr] + 13, eu868.PAYLOAD_MAX[rx2_dr] + 13
        self._rx1 = [self._window_of(1, delay_s, rx1_frequency, rx1_dr)]
        self._rx2 = [self._window_of(2, delay_s + 1, rx2_frequency, rx2_dr)]
        self._heard = False
        self.state = TX
        data_rate = eu868.DATA_RATES[exchange.dr]
        airtime = eu868.airtime_us(len(exchange.frame), *data_rate)
        eu868.book(session, frequency, airtime, now_ms)
        transmit = act.Transmit(frequency * 100, *data_rate, power_dbm, airtime, exchange.frame)
        return [act.Save(session.pack()), transmit]

    def _window_of(self, number: int, delay_s: int, frequency: int, dr: int) -> act.Window:
        data_rate = eu868.DATA_RATES[dr]
        error_us = self.error_us + delay_s * self.error_ppm
        symbols, offset_us = eu868.window(eu868.symbol_us(*data_rate), error_us)
        delay_us = delay_s * 1000000
        return act.Window(
            number, delay_us, delay_us + offset_us, frequency * 100, *data_rate, symbols
        )

    def _wait(self, until_ms: int) -> act.Wait:
        """Wait for the time and for a channel whose duty cycle lets the frame pass."""
        self._until_ms = max(until_ms, self._repeat_channels(until_ms)[1])
        self.state = PAUSE
        return act.Wait(self._until_ms)

    def _repeat_channels(self, now_ms: int) -> "tuple[list[int], int]":
        session = self.session
        exchange = self._exchange
        return eu868.free_channels(session, session.mask, exchange.dr, len(exchange.frame), now_ms)

    def _seed(self, rnd: int) -> None:
        self._random = rnd % 65536 + 1
        self._draw()
        self._channel = -1

    def _draw(self) -> int:
        """12 random bits of a Lehmer generator: 75 generates all of 1..65536 modulo 65537."""
        self._random = self._random * 75 % 65537
        return self._random >> 4


_FINISH: "Actions" = [act.Finish(False)]
_FINISH_HEARD: "Actions" = [act.Finish(True)]

# The automaton. What is not here cannot happen; ABORT leads to IDLE from everywhere. FRAME is a
# frame whose address, counter and MIC are right: received() makes WINDOW_EMPTY of all others.
TABLE = {
    TX | act.TX_DONE: Device._tx_done,
    RX1 | act.WINDOW_EMPTY: Device._second_window,
    RX1 | act.FRAME: Device._end,
    RX2 | act.WINDOW_EMPTY: Device._end,
    RX2 | act.FRAME: Device._end,
    OVER | act.FINISH: Device._over,
    PAUSE | act.TIMER: Device._repeat,
}
