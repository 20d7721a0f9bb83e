# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The other end for tests: a device's frames, and a radio gateway's messages around them."""

import struct
from dataclasses import dataclass

from chirpstack_api import gw

from revier_bench.network_server import frames
from revier_bench.network_server.frames import JoinAccept, SessionKeys
from revier_bench.network_server.times import timestamp

GATEWAY = "0016c001f10000aa"
OTHER_GATEWAY = "0016c001f10000bb"


@dataclass(slots=True)
class SimpleDevice:
    dev_eui: bytes
    app_key: bytes
    join_eui: bytes = bytes.fromhex("70b3d57ed0000000")
    dev_nonce: int = 0
    dev_addr: bytes = b""
    keys: SessionKeys | None = None
    f_cnt: int = 0

    def join_request(self) -> bytes:
        message = b"\x00" + self.join_eui[::-1] + self.dev_eui[::-1]
        message += struct.pack("<H", self.dev_nonce)
        return message + frames.cmac(self.app_key, message)[:4]

    def take_join_accept(self, phy_payload: bytes) -> JoinAccept:
        accept = frames.parse_join_accept(self.app_key, phy_payload)
        self.dev_addr = accept.dev_addr
        self.keys = frames.session_keys(
            self.app_key, accept.join_nonce, accept.net_id, self.dev_nonce
        )
        self.dev_nonce += 1
        self.f_cnt = 0
        return accept

    def uplink(
        self,
        data: bytes = b"",
        f_port: int | None = 1,
        *,
        f_opts: bytes = b"",
        confirmed: bool = False,
        control: int = 0x80,
        f_cnt: int | None = None,
    ) -> bytes:
        """A data frame; its counter goes up unless one is given."""
        assert self.keys is not None
        if f_cnt is None:
            f_cnt, self.f_cnt = self.f_cnt, self.f_cnt + 1
        kind = frames.CONFIRMED_UP if confirmed else frames.UNCONFIRMED_UP
        message = struct.pack(
            "<B4sBH", kind << 5, self.dev_addr[::-1], control | len(f_opts), f_cnt & 0xFFFF
        )
        message += f_opts
        if f_port is not None:
            key = self.keys.app_s_key if f_port else self.keys.nwk_s_key
            sealed = frames.crypt_payload(key, frames.UP, self.dev_addr, f_cnt, data)
            message += bytes([f_port]) + sealed
        return message + frames.data_mic(
            self.keys.nwk_s_key, frames.UP, self.dev_addr, f_cnt, message
        )

    def open_downlink(self, phy_payload: bytes, f_cnt: int) -> tuple[bytes, int | None, bytes]:
        """FOpts, port and payload of a downlink whose counter is known; asserts its MIC."""
        assert self.keys is not None
        body, mic = phy_payload[:-4], phy_payload[-4:]
        wanted = frames.data_mic(self.keys.nwk_s_key, frames.DOWN, self.dev_addr, f_cnt, body)
        assert mic == wanted, "wrong MIC of a downlink"
        end = 8 + (body[5] & 0x0F)
        if end == len(body):
            return body[8:end], None, b""
        port = body[end]
        key = self.keys.app_s_key if port else self.keys.nwk_s_key
        plain = frames.crypt_payload(key, frames.DOWN, self.dev_addr, f_cnt, body[end + 1 :])
        return body[8:end], port, plain


def heard(
    phy_payload: bytes,
    now_ns: int,
    *,
    gateway_id: str = GATEWAY,
    uplink_id: int = 1,
    snr: float = 8.5,
    sf: int = 7,
    frequency: int = 868_100_000,
) -> gw.UplinkFrame:
    return gw.UplinkFrame(
        phy_payload=phy_payload,
        tx_info=gw.UplinkTxInfo(
            frequency=frequency,
            modulation=gw.Modulation(
                lora=gw.LoraModulationInfo(
                    bandwidth=125_000, spreading_factor=sf, code_rate=gw.CR_4_5
                )
            ),
        ),
        rx_info=gw.UplinkRxInfo(
            gateway_id=gateway_id,
            uplink_id=uplink_id,
            gw_time=timestamp(now_ns),
            rssi=-60,
            snr=snr,
            context=b"\0\0\0\1",
            crc_status=gw.CRC_OK,
        ),
    )


def transmitted(frame: gw.DownlinkFrame, *statuses: int) -> gw.DownlinkTxAck:
    items = [gw.DownlinkTxAckItem(status=s) for s in statuses or (gw.OK, gw.IGNORED)]
    return gw.DownlinkTxAck(gateway_id=frame.gateway_id, downlink_id=frame.downlink_id, items=items)
