# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The air of a workbench: a radio gateway in the same room hears its board, and is heard in RX1."""

from __future__ import annotations

from typing import Any

from revier_bench.virtual_board import Kernel
from revier_bench.workshop.paper_air import PaperAir
from revier_bench.world.air import Emission, NullAir, Reception
from revier_bench.world.airtime import lora_airtime_us, preamble_us

RSSI_DBM, SNR_DB = -60.0, 9.0
SYNC_WORD_PUBLIC = 0x3444
JOIN_REQUEST = 0x00  # L2 4.2, MHDR
JOIN_DELAY_US, RX1_DELAY_US = 5_000_000, 1_000_000


class NearGateway(NullAir):
    """For one board; `join()` it to its kernel and radio once they are made."""

    def __init__(self, network: PaperAir) -> None:
        self._network = network
        self._kernel: Kernel | None = None
        self._radio: Any = None
        self._on_air: list[Emission] = []
        self.heard = 0

    def join(self, kernel: Kernel, radio: Any) -> None:
        self._kernel, self._radio = kernel, radio

    def emit(self, emission: Emission) -> None:
        self.heard += 1
        sf, hz = emission.spreading_factor, emission.frequency_hz
        for frame in self._network.hear(emission.payload, hz, sf):
            self._answer(emission, frame.items[0].phy_payload)

    def _answer(self, up: Emission, payload: bytes) -> None:
        assert self._kernel is not None, "join() first"
        joins = up.payload[0] & 0xE0 == JOIN_REQUEST
        start_us = up.end_us + (JOIN_DELAY_US if joins else RX1_DELAY_US)
        sf = up.spreading_factor
        down = Emission(
            "gateway", start_us, lora_airtime_us(len(payload), sf, crc=False), preamble_us(sf),
            up.frequency_hz, 125_000, sf, 5, 14.0, iq_inverted=True, sync_word=SYNC_WORD_PUBLIC,
            crc_on=False, explicit_header=True, payload=payload,
        )  # fmt: skip
        self._on_air = [e for e in self._on_air if e.end_us > up.start_us] + [down]
        self._kernel.at(start_us, lambda: self._radio.on_emission(down))

    def ongoing(self, listener: object, now_us: int) -> list[Emission]:  # noqa: ARG002
        return [e for e in self._on_air if e.start_us <= now_us < e.end_us]

    def outcome(self, emission: Emission, listener: object) -> Reception | None:  # noqa: ARG002
        return Reception(emission, RSSI_DBM, SNR_DB, crc_ok=True)
