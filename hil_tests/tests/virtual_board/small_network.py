# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A network of one radio gateway that hears everything and answers at once."""

from __future__ import annotations

from typing import Any

from revier_bench.network_server import frames
from revier_bench.virtual_board import Kernel
from revier_bench.world.air import Emission, NullAir, Reception
from revier_bench.world.airtime import lora_airtime_us, preamble_us

SECOND_US = 1_000_000
APP_KEY = bytes(range(16))  # conftest.real_node's
DEV_ADDR = bytes.fromhex("26011bda")
PORT = 99


class SmallNetwork(NullAir):
    """Answers every frame in one of the two windows, as a radio gateway's clock would have it."""

    def __init__(self, kernel: Kernel, window: int) -> None:
        self.kernel = kernel
        self.window = window
        self.radio: Any = None
        self.sent: list[Emission] = []
        self.uplinks: list[frames.DataUp] = []
        self.answered = 0
        self.silent = False  # to all but join requests
        self.margin_db: int | None = None  # tells it in every answer (LinkCheckAns)
        self.down: tuple[int, bytes] | None = None  # goes out once, instead of the usual answer
        self._on_air: list[Emission] = []
        self._keys: frames.SessionKeys | None = None
        self._f_cnt_down = 0

    def emit(self, emission: Emission) -> None:
        self.sent.append(emission)
        up = frames.parse_uplink(emission.payload)
        if isinstance(up, frames.JoinRequest):
            assert frames.join_mic_valid(up, APP_KEY)
            accept = frames.JoinAccept(1, bytes(3), DEV_ADDR, 0, 0, 1, ())
            self._keys = frames.session_keys(APP_KEY, 1, bytes(3), up.dev_nonce)
            self._f_cnt_down = 0
            self._answer(emission, 5, frames.build_join_accept(APP_KEY, accept))
            return
        assert self._keys is not None
        self.uplinks.append(up)
        if self.silent:
            return
        (port, data), self.down = self.down or (PORT, b"mind the gap"), None
        f_opts = b"" if self.margin_db is None else bytes((0x02, self.margin_db, 1))
        down = frames.DataDown(
            confirmed=False, dev_addr=DEV_ADDR, adr=False, ack=False, f_pending=False,
            f_cnt=self._f_cnt_down, f_opts=f_opts, f_port=port, frm_payload=data,
        )  # fmt: skip
        self._f_cnt_down += 1
        self._answer(emission, 1, frames.build_data_down(down, self._keys))

    def _answer(self, up: Emission, delay_s: int, payload: bytes) -> None:
        sf, hz = (up.spreading_factor, up.frequency_hz) if self.window == 1 else (12, 869_525_000)
        start_us = up.end_us + (delay_s + self.window - 1) * SECOND_US
        airtime_us = lora_airtime_us(len(payload), sf, crc=False)
        down = Emission(
            "gateway", start_us, airtime_us, preamble_us(sf), hz, 125_000, sf, 5, 14.0,
            iq_inverted=True, sync_word=0x3444, crc_on=False, explicit_header=True,
            payload=payload,
        )  # fmt: skip
        self._on_air.append(down)
        self.answered += 1
        self.kernel.at(start_us, lambda: self.radio.on_emission(down))

    def ongoing(self, listener: object, now_us: int) -> list[Emission]:
        return [e for e in self._on_air if e.start_us <= now_us < e.end_us]

    def outcome(self, emission: Emission, listener: object) -> Reception | None:
        return Reception(emission, -101.0, -3.0, crc_ok=True)
