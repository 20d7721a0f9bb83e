# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""When a connection is read: not while too much is held here, and under load a moment later.

Reads that follow each other fast bring few packets each, and each has its price; after a moment's
pause one brings many. Under load that saved a tenth of all of the gateway's time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from revier_gateway.mqtt.link import Message

# Mosquitto before 2.0.13 sends more than our Receive Maximum (measured with R = 10 and 5
# acknowledgements: 60 messages). That is no reason to hang up; memory is bounded by not reading.
OVERSENT_FACTOR_MAX = 4
HELD_BYTES_MAX = 32 * 1024 * 1024  # received and not yet acknowledged; then no more is read
FAST_S = 0.0003  # between two reads
PAUSE_S = 0.001
LARGE_READ_BYTES = 128 * 1024  # there is more than enough already

log = structlog.get_logger("revier.gateway.mqtt")


class Inflow:
    def __init__(self, receive_max: int) -> None:
        self._receive_max = receive_max
        self._transport: asyncio.Transport | None = None
        self._unacknowledged = 0
        self._held_bytes = 0
        self._oversent = False
        self._full = False
        self._pausing = False

    def begin(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def end(self) -> None:
        """The connection is lost."""
        self._transport = None

    def read(self, since_s: float, size_bytes: int) -> None:
        """So long after the read before, this one brought so much."""
        many_small = since_s < FAST_S and size_bytes < LARGE_READ_BYTES
        if many_small and self._transport is not None and not (self._pausing or self._full):
            self._pausing = True
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(PAUSE_S, self._pause_ends)

    def hold(self, messages: Sequence[Message]) -> None:
        """They have come, and wait for their acknowledgement."""
        self._unacknowledged += _to_acknowledge(messages)
        self._held_bytes += _bytes_of(messages)
        if self._unacknowledged > self._receive_max and not self._oversent:
            self._oversent = True
            oversent = "the broker sends more than our receive maximum"
            log.info(oversent, receive_max=self._receive_max)
        many = self._unacknowledged > self._receive_max * OVERSENT_FACTOR_MAX
        if not self._full and (many or self._held_bytes > HELD_BYTES_MAX):
            self._full = True
            if self._transport is not None:
                self._transport.pause_reading()

    def let_go(self, messages: Sequence[Message]) -> None:
        """They are durable."""
        self._unacknowledged -= _to_acknowledge(messages)
        self._held_bytes -= _bytes_of(messages)
        few = self._unacknowledged <= self._receive_max
        if self._full and few and self._held_bytes <= HELD_BYTES_MAX // 2:
            self._full = False
            self._go_on()

    def _pause_ends(self) -> None:
        self._pausing = False
        self._go_on()

    def _go_on(self) -> None:
        if self._transport is not None and not (self._full or self._pausing):
            self._transport.resume_reading()


def _to_acknowledge(messages: Sequence[Message]) -> int:
    return sum([message.packet_id is not None for message in messages])


def _bytes_of(messages: Sequence[Message]) -> int:
    return sum([len(message.payload) for message in messages])
