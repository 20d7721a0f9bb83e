# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A LoRaWAN node on paper: joins, then sends readings. No board, no MAC of ours behind it."""

from revier_bench.network_server.frames import (
    FrameError,
    SessionKeys,
    cmac,
    crypt_payload,
    data_mic,
    parse_join_accept,
    session_keys,
)
from revier_bench.world.air import Air, Emission, Position
from revier_bench.world.airtime import lora_airtime_us, preamble_us

RX1_JOIN_US, RX1_US = 5_000_000, 1_000_000


class PaperNode:
    """Listens in RX1 only; always SF7 on 868.1 MHz."""

    def __init__(self, kernel, air: Air, name: str, dev_eui: str, app_key: bytes, position):
        self.name = name
        self.dev_eui = dev_eui
        self._kernel, self._air, self._app_key = kernel, air, app_key
        self._nonce = 0
        self._sent_end_us = 0
        self._dev_addr = bytes(4)
        self._keys: SessionKeys | None = None
        self.f_cnt = 0
        self.downlinks: list[Emission] = []
        air.attach(self, position)

    @property
    def joined(self) -> bool:
        return self._keys is not None

    def join(self) -> None:
        self._nonce += 1
        body = b"\x00" + bytes(8) + bytes.fromhex(self.dev_eui)[::-1]
        body += self._nonce.to_bytes(2, "little")
        self._emit(body + cmac(self._app_key, body)[:4])

    def send(self, f_port: int, payload: bytes) -> bytes:
        """An unconfirmed uplink; gives the frame, to be repeated or bent."""
        assert self._keys is not None
        body = b"\x40" + self._dev_addr[::-1] + b"\x00" + self.f_cnt.to_bytes(2, "little")
        sealed = crypt_payload(self._keys.app_s_key, 0, self._dev_addr, self.f_cnt, payload)
        body += bytes([f_port]) + sealed
        frame = body + data_mic(self._keys.nwk_s_key, 0, self._dev_addr, self.f_cnt, body)
        self.f_cnt += 1
        self._emit(frame)
        return frame

    def _emit(self, payload: bytes) -> None:
        emission = Emission(
            self.name,
            self._kernel.now_us,
            lora_airtime_us(len(payload), 7),
            preamble_us(7),
            868_100_000,
            125_000,
            7,
            5,
            14.0,
            iq_inverted=False,
            sync_word=0x3444,
            crc_on=True,
            explicit_header=True,
            payload=payload,
        )
        self._sent_end_us = emission.end_us
        self._air.emit(emission)

    def on_emission(self, emission: Emission) -> None:
        if emission.iq_inverted and emission.spreading_factor == 7:
            self._kernel.at(emission.end_us, lambda: self._receive(emission))

    def _receive(self, emission: Emission) -> None:
        delay_us = emission.start_us - self._sent_end_us
        if self._air.outcome(emission, self) is None or delay_us not in (RX1_JOIN_US, RX1_US):
            return
        self.downlinks.append(emission)
        if emission.payload[0] >> 5 != 1:
            return
        try:
            accept = parse_join_accept(self._app_key, emission.payload)
        except FrameError:
            return
        self._dev_addr, self.f_cnt = accept.dev_addr, 0
        nonces = (accept.join_nonce, accept.net_id, self._nonce)
        self._keys = session_keys(self._app_key, *nonces)


def near(km_east: float) -> Position:
    return Position(7.1670 + km_east / 69.2, 51.5670, 3.0)
