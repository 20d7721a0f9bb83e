# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""MAC commands of LoRaWAN 1.0.4 (L2 = LoRaWAN L2 1.0.4, section 5) as a table.

apply() walks over the commands of one downlink. A handler gets (session, data, at, context), at =
first byte of the command's payload; it changes the session and returns what its answer holds behind
the CID, as a little endian number. The walk, not the handler, moves the index, so that it always
advances. An unknown CID or a cut command ends it.
"""

# ruff: noqa: ARG001 - the handlers of the table share one signature

from revier_mac import airtime as eu868
from revier_mac import counts
from revier_mac.actions import DeviceTime, LinkCheck
from revier_mac.session import ANSWERS_MAX

if 0:  # for the type checker; compiles to nothing
    from typing import Protocol

    from revier_mac.session import Session

    class Context(Protocol):
        """What commands need beside the session, and the news that a downlink brings: a Device."""

        snr_db: int
        rssi_dbm: int
        tx_end_ms: int
        battery: int
        adr: bool
        window: int
        news: list[object]

        def count(self, what: int, times: int = 1) -> None: ...


KEEP = 15  # L2 5.3: DataRate and TXPower 0xF leave the value as it is


def apply(session: "Session", data: bytes, context: "Context") -> int:
    """Carry out the commands of one downlink; returns how many bytes were understood.

    A run of LinkADRReq is one block: taken or refused as a whole, answered once for each (L2 5.3).
    A command whose answer has no room any more ends the walk: the network repeats it.
    """
    at = 0
    while at < len(data):
        command = COMMANDS.get(data[at])
        if command is None:
            break
        cid = data[at]
        length, answer_length, _, handler = command
        end = at + 1 + length
        while cid == 0x03 and end < len(data) and data[end] == 0x03:
            end += 1 + length
        count = (end - at) // (1 + length)
        room = ANSWERS_MAX - len(session.answers)
        if end > len(data) or count * answer_length > room:
            break
        status = handler(session, data[:end], at + 1, context)
        at = end
        if answer_length:
            answer = bytes((cid,)) + status.to_bytes(answer_length - 1, "little")
            session.answers.extend(answer * count)
        if answer_length == 2 and status != (7 if cid in (3, 5) else 3):
            context.count(counts.COMMAND_REFUSED)
    return at


def sent(session: "Session") -> None:
    """The answers have left: only the sticky ones stay, to be sent again."""
    answers = session.answers
    kept = bytearray()
    at = 0
    while at < len(answers):
        _, length, sticky, _ = COMMANDS[answers[at]]
        if sticky:
            kept.extend(answers[at : at + length])
        at += length
    session.answers = kept
    session.answers_sent = len(kept)


def fitting(answers: bytes, room: int) -> bytes:
    """As many whole answers as fit."""
    at = end = 0
    while end <= room:
        at = end
        if end == len(answers):
            break
        end += COMMANDS[answers[at]][1]
    return answers[:at]


def _link_check(session: "Session", data: bytes, at: int, context: "Context") -> int:
    context.news.append(LinkCheck(data[at], data[at + 1]))
    return 0


def _device_time(session: "Session", data: bytes, at: int, context: "Context") -> int:
    gps_s = int.from_bytes(data[at : at + 4], "little")
    context.news.append(DeviceTime(gps_s, data[at + 4], context.tx_end_ms))
    return 0


def _link_adr(session: "Session", data: bytes, at: int, context: "Context") -> int:
    """L2 5.3. The block's last command gives data rate, power and NbTrans, all give the mask."""
    defined = session.defined_mask()
    mask = session.mask
    mask_ok = True
    for start in range(at, len(data), 5):
        control = data[start + 3] >> 4 & 7
        if control == 0:
            mask = data[start + 1] | data[start + 2] << 8
            mask_ok = mask_ok and not mask & ~defined
        elif control == 6:
            mask = defined
        else:
            mask_ok = False
    dr = data[start] >> 4
    tx_power = data[start] & 15
    if dr == KEEP or not context.adr:
        dr = session.dr
    if tx_power == KEEP or not context.adr:
        tx_power = session.tx_power
    mask_ok = mask_ok and mask != 0
    dr_ok = session.usable(mask if mask_ok else session.mask, dr)
    status = mask_ok | dr_ok << 1 | (tx_power < 8) << 2
    if status == 7:
        session.mask = mask
        session.dr = dr
        session.tx_power = tx_power
        session.nb_trans = data[start + 3] & 15 or 1
    return status


def _duty_cycle(session: "Session", data: bytes, at: int, context: "Context") -> int:
    session.max_d_cycle = data[at] & 15  # L2 5.4: 1/2^MaxDCycle of all time, 0 = no limit
    return 0


def _rx_param_setup(session: "Session", data: bytes, at: int, context: "Context") -> int:
    offset = data[at] >> 4 & 7
    dr = data[at] & 15
    frequency = _frequency(data, at + 1)
    status = eu868.can_listen(frequency) | (dr <= eu868.DR_MAX) << 1 | (offset < 6) << 2
    if status == 7:
        session.rx1_dr_offset = offset
        session.rx2_dr = dr
        session.rx2_frequency = frequency
    return status


def _dev_status(session: "Session", data: bytes, at: int, context: "Context") -> int:
    margin = max(-32, min(31, context.snr_db))  # L2 5.6: SNR of this downlink, 6 bits signed
    return context.battery & 0xFF | (margin & 0x3F) << 8


def _new_channel(session: "Session", data: bytes, at: int, context: "Context") -> int:
    """L2 5.7. The default channels cannot be changed; frequency 0 takes a channel away."""
    index = data[at]
    frequency = _frequency(data, at + 1)
    dr_range = data[at + 4]
    own = 3 <= index < 16
    frequency_ok = own and (frequency == 0 or eu868.sub_band(frequency, dr_range >> 4) >= 0)
    dr_ok = own and (frequency == 0 or dr_range & 15 <= dr_range >> 4 <= eu868.DR_MAX)
    if frequency_ok and dr_ok:
        session.add_channel(index, frequency, dr_range)
        session.rx1_frequencies[index] = 0
        if not frequency:
            session.mask &= ~(1 << index)
            session.dr_ranges[index] = 0
        session.repair()
    return frequency_ok | dr_ok << 1


def _rx_timing_setup(session: "Session", data: bytes, at: int, context: "Context") -> int:
    session.rx1_delay_s = data[at] & 15 or 1  # L2 5.8: 0 means 1 s
    return 0


def _tx_param_setup(session: "Session", data: bytes, at: int, context: "Context") -> int:
    """RP 2.4.3: not used in EU868; a device silently drops it."""
    return 0


def _dl_channel(session: "Session", data: bytes, at: int, context: "Context") -> int:
    index = data[at]
    frequency = _frequency(data, at + 1)
    exists = index < 16 and session.channels[index] != 0
    frequency_ok = eu868.can_listen(frequency)
    if exists and frequency_ok:
        session.rx1_frequencies[index] = frequency
    return frequency_ok | exists << 1


def _frequency(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16


# CID -> (payload of the command, length of its answer in all, sticky, handler). L2 5.1: a sticky
# answer is repeated in every uplink until a class A downlink comes.
COMMANDS = {
    0x02: (2, 0, False, _link_check),
    0x03: (4, 2, False, _link_adr),
    0x04: (1, 1, False, _duty_cycle),
    0x05: (4, 2, True, _rx_param_setup),
    0x06: (0, 3, False, _dev_status),
    0x07: (5, 2, False, _new_channel),
    0x08: (1, 1, True, _rx_timing_setup),
    0x09: (1, 0, False, _tx_param_setup),
    0x0A: (4, 2, True, _dl_channel),
    0x0D: (5, 0, False, _device_time),
}
