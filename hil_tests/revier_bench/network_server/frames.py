# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""LoRaWAN 1.0.x frames of a network server: parse, check, build. Independent of `revier_mac`.

L2 = LoRaWAN Link Layer 1.0.4; RP = RP002-1.0.4. Keys and EUIs are bytes in the order in which they
are printed (big endian); the air's little endian order appears in this file only.
"""

import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

JOIN_REQUEST = 0b000  # L2 4.2.1, MType
JOIN_ACCEPT = 0b001
UNCONFIRMED_UP = 0b010
UNCONFIRMED_DOWN = 0b011
CONFIRMED_UP = 0b100
CONFIRMED_DOWN = 0b101

UP = 0  # L2 4.4, Dir field of the MIC block and of the key stream
DOWN = 1

MIC_BYTES = 4
JOIN_REQUEST_BYTES = 23
PHY_BYTES_MAX = 255
F_OPTS_BYTES_MAX = 15


class FrameError(ValueError):
    """These bytes are no LoRaWAN 1.0 frame that a device sends."""


@dataclass(frozen=True, slots=True)
class JoinRequest:
    join_eui: bytes
    dev_eui: bytes
    dev_nonce: int
    phy_payload: bytes


@dataclass(frozen=True, slots=True)
class DataUp:
    """A data uplink as it came: counter of 16 bits, payload still encrypted."""

    confirmed: bool
    dev_addr: bytes
    adr: bool
    adr_ack_req: bool
    ack: bool
    f_cnt_16: int
    f_opts: bytes
    f_port: int | None
    frm_payload: bytes
    phy_payload: bytes


@dataclass(frozen=True, slots=True)
class DataDown:
    confirmed: bool
    dev_addr: bytes
    adr: bool
    ack: bool
    f_pending: bool
    f_cnt: int
    f_opts: bytes
    f_port: int | None
    frm_payload: bytes


@dataclass(frozen=True, slots=True)
class JoinAccept:
    join_nonce: int
    net_id: bytes
    dev_addr: bytes
    rx1_dr_offset: int
    rx2_dr: int
    rx1_delay_s: int
    cf_list_hz: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SessionKeys:
    nwk_s_key: bytes
    app_s_key: bytes


def parse_uplink(phy_payload: bytes) -> JoinRequest | DataUp:
    if not MIC_BYTES < len(phy_payload) <= PHY_BYTES_MAX:
        raise FrameError(f"a frame of {len(phy_payload)} bytes")
    message_type, major = phy_payload[0] >> 5, phy_payload[0] & 0b11
    if major != 0:
        raise FrameError(f"major version {major}")
    if message_type == JOIN_REQUEST:
        return _parse_join_request(phy_payload)
    if message_type in (UNCONFIRMED_UP, CONFIRMED_UP):
        return _parse_data_up(phy_payload, message_type == CONFIRMED_UP)
    raise FrameError(f"message type {message_type} does not come from a device")


def _parse_join_request(phy: bytes) -> JoinRequest:
    if len(phy) != JOIN_REQUEST_BYTES:
        raise FrameError(f"a join-request of {len(phy)} bytes")
    (dev_nonce,) = struct.unpack_from("<H", phy, 17)
    return JoinRequest(phy[1:9][::-1], phy[9:17][::-1], dev_nonce, phy)


def _parse_data_up(phy: bytes, confirmed: bool) -> DataUp:
    body = phy[:-MIC_BYTES]
    if len(body) < 8:
        raise FrameError(f"a data frame of {len(phy)} bytes")
    control = body[5]
    (f_cnt_16,) = struct.unpack_from("<H", body, 6)
    options_end = 8 + (control & 0x0F)
    if options_end > len(body):
        raise FrameError("FOpts reach beyond the frame")
    has_port = options_end < len(body)
    return DataUp(
        confirmed=confirmed,
        dev_addr=body[1:5][::-1],
        adr=bool(control & 0x80),
        adr_ack_req=bool(control & 0x40),
        ack=bool(control & 0x20),
        f_cnt_16=f_cnt_16,
        f_opts=body[8:options_end],
        f_port=body[options_end] if has_port else None,
        frm_payload=body[options_end + 1 :],
        phy_payload=phy,
    )


def aes_encrypt(key: bytes, data: bytes) -> bytes:
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 the standard's mode
    return cipher.update(data) + cipher.finalize()


def aes_decrypt(key: bytes, data: bytes) -> bytes:
    cipher = Cipher(algorithms.AES(key), modes.ECB()).decryptor()  # noqa: S305 the standard's mode
    return cipher.update(data) + cipher.finalize()


def cmac(key: bytes, data: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(data)
    return mac.finalize()


def data_mic(key: bytes, direction: int, dev_addr: bytes, f_cnt: int, message: bytes) -> bytes:
    """MIC of a data frame, L2 4.4; `message` is the frame without its MIC."""
    tail = (direction, dev_addr[::-1], f_cnt, 0, len(message))
    return cmac(key, struct.pack("<BIB4sIBB", 0x49, 0, *tail) + message)[:MIC_BYTES]


def data_mic_valid(frame: DataUp, nwk_s_key: bytes, f_cnt: int) -> bool:
    message, mic = frame.phy_payload[:-MIC_BYTES], frame.phy_payload[-MIC_BYTES:]
    return data_mic(nwk_s_key, UP, frame.dev_addr, f_cnt, message) == mic


def crypt_payload(key: bytes, direction: int, dev_addr: bytes, f_cnt: int, data: bytes) -> bytes:
    """Encrypt or decrypt FRMPayload, L2 4.3.3."""
    blocks = b"".join(
        struct.pack("<BIB4sIBB", 0x01, 0, direction, dev_addr[::-1], f_cnt, 0, i)
        for i in range(1, (len(data) + 15) // 16 + 1)
    )
    stream = aes_encrypt(key, blocks) if blocks else b""
    return bytes(a ^ b for a, b in zip(data, stream, strict=False))


def join_mic_valid(request: JoinRequest, app_key: bytes) -> bool:
    message, mic = request.phy_payload[:-MIC_BYTES], request.phy_payload[-MIC_BYTES:]
    return cmac(app_key, message)[:MIC_BYTES] == mic


def session_keys(app_key: bytes, join_nonce: int, net_id: bytes, dev_nonce: int) -> SessionKeys:
    """L2 6.2.6."""
    seed = join_nonce.to_bytes(3, "little") + net_id[::-1] + struct.pack("<H", dev_nonce) + bytes(7)
    return SessionKeys(aes_encrypt(app_key, b"\x01" + seed), aes_encrypt(app_key, b"\x02" + seed))


def build_join_accept(app_key: bytes, accept: JoinAccept) -> bytes:
    """The encrypted frame, L2 6.2.3; the CFList is of type 0 (RP 2.4.4)."""
    plain = (
        accept.join_nonce.to_bytes(3, "little")
        + accept.net_id[::-1]
        + accept.dev_addr[::-1]
        + bytes([accept.rx1_dr_offset << 4 | accept.rx2_dr, accept.rx1_delay_s])
    )
    if accept.cf_list_hz:
        channels = [(f // 100).to_bytes(3, "little") for f in accept.cf_list_hz]
        plain += b"".join(channels).ljust(15, b"\x00") + b"\x00"
    header = bytes([JOIN_ACCEPT << 5])
    mic = cmac(app_key, header + plain)[:MIC_BYTES]
    return header + aes_decrypt(app_key, plain + mic)  # the device only ever encrypts


def parse_join_accept(app_key: bytes, phy_payload: bytes) -> JoinAccept:
    """The other side's view, for tests and for comparing with a recording."""
    plain = aes_encrypt(app_key, phy_payload[1:])
    body, mic = plain[:-MIC_BYTES], plain[-MIC_BYTES:]
    if cmac(app_key, phy_payload[:1] + body)[:MIC_BYTES] != mic:
        raise FrameError("wrong MIC of a join-accept")
    cf_list = body[12:27]
    channels = (int.from_bytes(cf_list[i : i + 3], "little") for i in range(0, len(cf_list), 3))
    return JoinAccept(
        join_nonce=int.from_bytes(body[:3], "little"),
        net_id=body[3:6][::-1],
        dev_addr=body[6:10][::-1],
        rx1_dr_offset=body[10] >> 4 & 7,
        rx2_dr=body[10] & 0x0F,
        rx1_delay_s=body[11] & 0x0F,
        cf_list_hz=tuple(c * 100 for c in channels if c),
    )


def build_data_down(down: DataDown, keys: SessionKeys, *, sealed: bool = False) -> bytes:
    """The frame; with `sealed` the payload is taken as already encrypted."""
    assert len(down.f_opts) <= F_OPTS_BYTES_MAX
    flags = down.adr << 7 | down.ack << 5 | down.f_pending << 4 | len(down.f_opts)
    message_type = CONFIRMED_DOWN if down.confirmed else UNCONFIRMED_DOWN
    header = struct.pack(
        "<B4sBH", message_type << 5, down.dev_addr[::-1], flags, down.f_cnt & 0xFFFF
    )
    message = header + down.f_opts
    if down.f_port is not None:
        key = keys.nwk_s_key if down.f_port == 0 else keys.app_s_key
        payload = down.frm_payload
        if not sealed or down.f_port == 0:
            payload = crypt_payload(key, DOWN, down.dev_addr, down.f_cnt, payload)
        message += bytes([down.f_port]) + payload
    return message + data_mic(keys.nwk_s_key, DOWN, down.dev_addr, down.f_cnt, message)


def full_f_cnt_up(next_expected: int, f_cnt_16: int) -> int:
    """The 32-bit counter nearest above the expected one; a repeat of the last frame stays a repeat.

    Only the frame just received counts backward; every other 16-bit value counts forward, as
    ChirpStack does it (so a replay of an older frame fails its MIC at the guessed counter).
    """
    if f_cnt_16 == (next_expected - 1) & 0xFFFF and next_expected > 0:
        return next_expected - 1
    return (next_expected + ((f_cnt_16 - next_expected) & 0xFFFF)) & 0xFFFFFFFF
