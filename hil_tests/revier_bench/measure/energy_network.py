# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""An air with a network that answers each link check, and every other question for the time.

A parking node asks every sixteenth uplink for its margin and goes down to SF12 in silence; this
keeps it at SF7. What is not answered ends with two empty windows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from revier_bench.network_server import frames
from revier_bench.world.air import Emission, NullAir, Reception
from revier_bench.world.airtime import lora_airtime_us, preamble_us

MARGIN_DB = 25
_LINK_CHECK, _DEVICE_TIME = 0x02, 0x0D  # L2 1.0.4 5.1, 5.12
_RX1_US = 1_000_000


class AnsweringAir(NullAir):
    """One radio gateway; `at` is the kernel's, `radio` the chip of the one node."""

    def __init__(
        self, keys: frames.SessionKeys, dev_addr: bytes, at: Callable[[int, Callable[[], Any]], Any]
    ) -> None:
        self.radio: Any = None
        self._keys, self._dev_addr, self._at = keys, dev_addr, at
        self._down: Emission | None = None
        self._f_cnt = self._uplinks = 0

    def emit(self, emission: Emission) -> None:
        up = frames.parse_uplink(emission.payload)
        if not isinstance(up, frames.DataUp):
            return
        answers = b""
        self._uplinks += 1
        if _LINK_CHECK in up.f_opts:
            answers += bytes((_LINK_CHECK, MARGIN_DB, 1))
        if _DEVICE_TIME in up.f_opts and self._uplinks % 2:
            seconds = emission.end_us // 1_000_000 + 1_480_000_000
            answers += bytes((_DEVICE_TIME,)) + seconds.to_bytes(4, "little") + b"\0"
        if answers:
            self._answer(emission, answers)

    def _answer(self, up: Emission, answers: bytes) -> None:
        self._f_cnt += 1
        down = frames.DataDown(
            confirmed=False, dev_addr=self._dev_addr, adr=False, ack=False, f_pending=False,
            f_cnt=self._f_cnt, f_opts=answers, f_port=None, frm_payload=b"",
        )  # fmt: skip
        payload = frames.build_data_down(down, self._keys)
        sf = up.spreading_factor
        emission = Emission(
            "gateway", up.end_us + _RX1_US, lora_airtime_us(len(payload), sf, crc=False),
            preamble_us(sf), up.frequency_hz, 125_000, sf, 5, 14.0, iq_inverted=True,
            sync_word=0x3444, crc_on=False, explicit_header=True, payload=payload,
        )  # fmt: skip
        self._down = emission
        self._at(emission.start_us, lambda: self.radio.on_emission(emission))

    def ongoing(self, listener: object, now_us: int) -> list[Emission]:  # noqa: ARG002
        down = self._down
        return [down] if down and down.start_us <= now_us < down.end_us else []

    def outcome(self, emission: Emission, listener: object) -> Reception | None:  # noqa: ARG002
        return Reception(emission, -80.0, 8.0, crc_ok=True) if emission is self._down else None
