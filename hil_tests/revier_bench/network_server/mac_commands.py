# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""MAC commands as a network server reads and writes them (L2 5: LoRaWAN Link Layer 1.0.4).

A *block* is a list of commands of one kind, each with its CID in front: what is sent, answered and
remembered together.
"""

import struct

from revier_bench.network_server.region import (
    CHANNEL_DR_MAX,
    CHANNEL_DR_MIN,
    CHANNELS_HZ,
    DEFAULT_CHANNELS_HZ,
    EXTRA_CHANNELS_HZ,
)
from revier_bench.network_server.registry import Session
from revier_bench.network_server.times import NS_PER_S

LINK_CHECK = 0x02
LINK_ADR = 0x03
DUTY_CYCLE = 0x04
RX_PARAM_SETUP = 0x05
DEV_STATUS = 0x06
NEW_CHANNEL = 0x07
RX_TIMING_SETUP = 0x08
TX_PARAM_SETUP = 0x09
DL_CHANNEL = 0x0A
DEVICE_TIME = 0x0D

# What a device of class A sends: bytes behind the CID.
UPLINK_BYTES = {
    LINK_CHECK: 0, LINK_ADR: 1, DUTY_CYCLE: 0, RX_PARAM_SETUP: 1, DEV_STATUS: 2, NEW_CHANNEL: 1,
    RX_TIMING_SETUP: 0, TX_PARAM_SETUP: 0, DL_CHANNEL: 1, DEVICE_TIME: 0,
}  # fmt: skip
# A sticky answer must be confirmed by any downlink of class A (L2 5.4, 5.7).
STICKY = frozenset((RX_PARAM_SETUP, RX_TIMING_SETUP))

NEW_CHANNELS_PER_DOWNLINK_MAX = 3
ERROR_COUNT_MAX = 1  # refusals after which ChirpStack asks no more
INCOMPATIBLE = {NEW_CHANNEL: LINK_ADR, LINK_ADR: NEW_CHANNEL}

Block = list[bytes]


class MacCommandError(ValueError):
    """A known command is cut short: none of the set is handled."""


def parse_uplink(data: bytes) -> dict[int, Block]:
    """Blocks by CID in order of first appearance; what follows an unknown CID is unreadable."""
    blocks: dict[int, Block] = {}
    at = 0
    while at < len(data) and data[at] in UPLINK_BYTES:
        end = at + 1 + UPLINK_BYTES[data[at]]
        if end > len(data):
            raise MacCommandError(f"command {data[at]:#04x} is cut short")
        blocks.setdefault(data[at], []).append(data[at:end])
        at = end
    return blocks


def link_check_ans(best_snr_db: float, required_snr_db: float, gateway_count: int) -> Block:
    margin_db = max(0.0, best_snr_db - required_snr_db)
    return [bytes([LINK_CHECK, min(int(margin_db), 255), min(gateway_count, 255)])]


def device_time_ans(since_gps_epoch_ns: int) -> Block:
    seconds, nanos = divmod(since_gps_epoch_ns, NS_PER_S)
    return [struct.pack("<BIB", DEVICE_TIME, seconds & 0xFFFFFFFF, nanos * 256 // NS_PER_S)]


def link_adr_req(dr: int, tx_power_index: int, channels: list[int], nb_trans: int) -> Block:
    mask = sum(1 << c for c in channels)
    return [struct.pack("<BBHB", LINK_ADR, dr << 4 | tx_power_index, mask, nb_trans & 0x0F)]


def dev_status_req() -> Block:
    return [bytes([DEV_STATUS])]


def rx_timing_setup_req(delay_s: int) -> Block:
    return [bytes([RX_TIMING_SETUP, delay_s & 0x0F])]


def rx_param_setup_req(rx1_dr_offset: int, rx2_dr: int, frequency_hz: int) -> Block:
    settings = rx1_dr_offset << 4 | rx2_dr
    return [bytes([RX_PARAM_SETUP, settings]) + (frequency_hz // 100).to_bytes(3, "little")]


def new_channel_reqs(session: Session) -> Block:
    """Requests for the extra channels that the session lacks, as many as go at once."""
    wanted = {
        len(DEFAULT_CHANNELS_HZ) + i: (hz, CHANNEL_DR_MIN, CHANNEL_DR_MAX)
        for i, hz in enumerate(EXTRA_CHANNELS_HZ)
    }
    session.extra_channels = {k: v for k, v in session.extra_channels.items() if k in wanted}
    missing = [
        bytes([NEW_CHANNEL, index])
        + (hz // 100).to_bytes(3, "little")
        + bytes([dr_max << 4 | dr_min])
        for index, (hz, dr_min, dr_max) in wanted.items()
        if session.extra_channels.get(index) != (hz, dr_min, dr_max)
    ]
    return missing[:NEW_CHANNELS_PER_DOWNLINK_MAX]


def channel_mask_wanted(session: Session) -> list[int] | None:
    """Channels that a LinkADRReq should leave enabled; None when the device has what it should.

    Extra channels are only named when the device already has them.
    """
    has = set(session.enabled_channels)
    differing = has.symmetric_difference(range(len(CHANNELS_HZ)))
    if not any(c in has or c < len(DEFAULT_CHANNELS_HZ) for c in differing):
        return None
    return [c for c in range(len(CHANNELS_HZ)) if c < len(DEFAULT_CHANNELS_HZ) or c in has]


def handle_link_adr_ans(session: Session, answers: Block, asked: Block | None) -> None:
    if not asked:
        return
    bits = 0b111
    for answer in answers:
        bits &= answer[1]
    mask_ok, dr_ok, power_ok = bool(bits & 1), bool(bits & 2), bool(bits & 4)
    _, rates, mask, redundancy = struct.unpack("<BBHB", asked[-1])
    dr, power, nb_trans = rates >> 4, rates & 0x0F, redundancy & 0x0F
    if mask_ok and ((dr_ok and power_ok) or not session.adr):
        session.mac_error_count.pop(LINK_ADR, None)
        now = (session.tx_power_index, session.dr, session.nb_trans)
        if session.adr and now != (power, dr, nb_trans):
            session.adr_history.clear()
        session.enabled_channels = [i for i in range(len(CHANNELS_HZ)) if mask >> i & 1]
        session.nb_trans = nb_trans
        session.dr = dr if dr_ok else session.dr
        session.tx_power_index = power if power_ok else session.tx_power_index
        return
    session.mac_error_count[LINK_ADR] = session.mac_error_count.get(LINK_ADR, 0) + 1
    if not power_ok and power == 0:
        session.tx_power_index = 1
    elif not power_ok:
        session.tx_power_index_max = power - 1


def handle_new_channel_ans(session: Session, answers: Block, asked: Block | None) -> None:
    if not asked or len(asked) != len(answers):
        return
    for answer, request in zip(answers, asked, strict=True):
        if answer[1] & 0b11 != 0b11:
            session.mac_error_count[NEW_CHANNEL] = session.mac_error_count.get(NEW_CHANNEL, 0) + 1
            continue
        session.mac_error_count.pop(NEW_CHANNEL, None)
        index, hz = request[1], int.from_bytes(request[2:5], "little") * 100
        session.extra_channels[index] = (hz, request[5] & 0x0F, request[5] >> 4)
        if index not in session.enabled_channels:
            session.enabled_channels.append(index)


def handle_rx_param_setup_ans(session: Session, answers: Block, asked: Block | None) -> None:
    if not asked:
        return
    if answers[0][1] & 0b111 != 0b111:
        count = session.mac_error_count.get(RX_PARAM_SETUP, 0)
        session.mac_error_count[RX_PARAM_SETUP] = count + 1
        return
    session.mac_error_count.pop(RX_PARAM_SETUP, None)
    session.rx1_dr_offset, session.rx2_dr = asked[0][1] >> 4 & 7, asked[0][1] & 0x0F
    session.rx2_frequency_hz = int.from_bytes(asked[0][2:5], "little") * 100


def handle_rx_timing_setup_ans(session: Session, asked: Block | None) -> None:
    if asked:
        session.rx1_delay_s = asked[0][1] & 0x0F


def sendable(session: Session, blocks: list[Block]) -> list[Block]:
    """Without what the device refused too often and what must not travel together."""
    chosen: list[Block] = []
    for block in blocks:
        cid = block[0][0]
        if session.mac_error_count.get(cid, 0) > ERROR_COUNT_MAX:
            continue
        if any(b[0][0] == INCOMPATIBLE.get(cid) for b in chosen):
            continue
        chosen.append(block)
    return chosen
