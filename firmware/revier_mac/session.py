# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Everything that the MAC must remember between two wake-ups, as one record of <= 256 bytes.

Little endian: 'R', record version; flags (_FLAGS, first name is bit 0); the fields of _FIELDS in
the form of _FORM; length of the MAC answers; the answers; three lists, each as a mask of 16 bits
and the entries that are not 0 (channels 3..15: frequency in 3 bytes; their DR range in 1; changed
RX1 frequencies in 3); the duty cycle ledger (airtime.py) in what is left; CRC-32.
"""

import struct
from binascii import crc32

from revier_mac import airtime as eu868

RECORD_MAX = 256
ANSWERS_MAX = 28  # so that the fullest record leaves the ledger one bucket for each sub-band
_FORM = "<HB4s16s16siqqHBBBBBBBIHBIIIBB"
_HEAD_SIZE = struct.calcsize(_FORM)
_MAGIC = 0x0352


class Session:
    """joined is False until the first join. f_cnt_down and join_nonce are -1 until there is one."""

    def __init__(self) -> None:
        self.joined = False
        self.join_nonce = -1  # of the last join; ChirpStack's first one is 0
        self.joins_tried = 0
        self.join_first_s = 0
        self.join_not_before_s = 0
        self.quiet_until_s = 0
        self.ledger = eu868.Ledger()
        self.cold = False  # the ledger was lost: the airtime kept for a join may be used
        self.start(b"\0\0\0\0", b"\0" * 16, b"\0" * 16, 0)

    def start(self, dev_addr: bytes, nwk_s_key: bytes, app_s_key: bytes, dr: int) -> None:
        """Defaults of a new session (L2 6.2.5, RP 2.4). Ledger, nonce and pauses stay."""
        self.dev_addr = dev_addr  # as on the wire
        self.nwk_s_key = nwk_s_key
        self.app_s_key = app_s_key
        self.f_cnt_up = 0  # next to use
        self.f_cnt_down = -1  # last accepted
        self.adr_ack_cnt = 0
        self.dr = dr
        self.tx_power = 0
        self.nb_trans = 1
        self.rx1_dr_offset = 0
        self.rx2_dr = eu868.RX2_DR
        self.rx2_frequency = eu868.RX2_FREQUENCY
        self.rx1_delay_s = 1  # RP 2.4.7
        self.max_d_cycle = 0
        self.ack_due = False
        self.link_check_due = False
        self.device_time_due = False
        self.answers = bytearray()  # in the order of the commands
        self.answers_sent = 0  # leading bytes that have been sent and are sticky
        self.channels = [0] * 16  # frequency / 100 Hz, 0 = there is none
        self.dr_ranges = [0] * 16  # max << 4 | min
        self.rx1_frequencies = [0] * 16  # 0 = as the uplink
        self.mask = 0
        self.enable_default_channels()

    def enable_default_channels(self) -> None:
        for i in range(3):
            self.add_channel(i, eu868.DEFAULT_CHANNELS[i], eu868.DEFAULT_DR_RANGE)

    def add_channel(self, index: int, frequency: int, dr_range: int) -> None:
        self.channels[index] = frequency
        self.dr_ranges[index] = dr_range
        self.mask |= 1 << index

    def defined_mask(self) -> int:
        return _mask_of(self.channels)

    def usable(self, mask: int, dr: int) -> bool:
        """A channel of the mask allows the data rate."""
        for i in range(16):  # noqa: SIM110 (a generator is larger, and takes heap)
            if mask >> i & 1 and eu868.allows(self.dr_ranges[i], dr):
                return True
        return False

    def repair(self) -> None:
        """If no channel allows the data rate any more, the default channels come back."""
        if not self.usable(self.mask, self.dr):
            self.enable_default_channels()
            self.dr = min(self.dr, 5)

    def beside(self, room: int) -> "tuple[bytes, bytes]":
        """(MAC answers, then requests) for the next frame, beside data that leaves `room` bytes.

        Answers longer than the room must leave alone first. Those that have left and are repeated
        until a downlink comes keep no data back: as many as fit.
        """
        answers = bytes(self.answers)
        room = min(room, 15)
        if len(answers) > room and self.answers_sent == len(answers):
            from revier_mac import commands

            answers = commands.fitting(answers, room)
        requests = b"\x02" if self.link_check_due else b""
        if self.device_time_due:
            requests += b"\x0d"
        return answers, requests[: max(0, room - len(answers))]

    def acknowledged(self) -> None:
        """A class A downlink: the network has what was sent before it."""
        self.answers = self.answers[self.answers_sent :]
        self.answers_sent = 0

    def unanswered(self) -> None:
        """After each new uplink (not after its repeats) that brought no class A downlink.

        L2 4.3.1.1: ADR_ACK_LIMIT 64 (ADRACKReq stays set from there on until a class A downlink
        comes, also when nothing is left to give back: stacks disagree; LoRaMac-node and RadioLib's
        1.0.4 mode do it so), ADR_ACK_DELAY 32.
        """
        if self.adr_ack_cnt == 0xFFFF:
            return
        self.adr_ack_cnt += 1
        if self.adr_ack_cnt < 96 or self.adr_ack_cnt % 32:
            return
        if self.tx_power:
            self.tx_power = 0
            return
        while self.dr:
            self.dr -= 1
            if self.usable(self.mask, self.dr):
                return
        self.enable_default_channels()
        self.nb_trans = 1

    def pack(self) -> bytes:
        flags = 0
        for i, name in enumerate(_FLAGS):
            flags |= getattr(self, name) << i
        fields = [getattr(self, name) for name in _FIELDS]
        record = bytearray(struct.pack(_FORM, _MAGIC, flags, *fields, len(self.answers)))
        record.extend(self.answers)
        for whole, first, size in self._lists():
            entries = whole[first:]
            record.extend(_mask_of(entries).to_bytes(2, "little"))
            for entry in entries:
                if entry:
                    record.extend(entry.to_bytes(size, "little"))
        record.extend(self.ledger.pack(RECORD_MAX - 4 - len(record)))
        record.extend(struct.pack("<I", crc32(record)))
        return bytes(record)

    def _lists(self) -> "tuple[tuple[list[int], int, int], ...]":
        """(list, first index, bytes of an entry)"""
        return (self.channels, 3, 3), (self.dr_ranges, 3, 1), (self.rx1_frequencies, 0, 3)

    @staticmethod
    def unpack(record: bytes) -> "Session | None":
        """The session, or None if the record is not whole."""
        if (
            not _HEAD_SIZE < len(record) <= RECORD_MAX
            or struct.pack("<I", crc32(record[:-4])) != record[-4:]
            or struct.unpack("<H", record[:2])[0] != _MAGIC
        ):
            return None
        session = Session()
        session._unpack(record)
        return session

    def _unpack(self, record: bytes) -> None:
        head = struct.unpack(_FORM, record[:_HEAD_SIZE])
        for i, name in enumerate(_FLAGS):
            setattr(self, name, bool(head[1] >> i & 1))
        for i, name in enumerate(_FIELDS):
            setattr(self, name, head[i + 2])
        at = _HEAD_SIZE + head[-1]
        self.answers = bytearray(record[_HEAD_SIZE:at])
        for entries, first, size in self._lists():
            mask = int.from_bytes(record[at : at + 2], "little")
            at += 2
            for i in range(16 - first):
                if mask >> i & 1:
                    entries[first + i] = int.from_bytes(record[at : at + size], "little")
                    at += size
        self.ledger.unpack(record[at:-4])


def _mask_of(entries: "list[int]") -> int:
    mask = 0
    for i, entry in enumerate(entries):
        if entry:
            mask |= 1 << i
    return mask


# Names of attributes as lists, after the class: its own table of names serves them. A tuple or a
# string of names would hold them a second time in the .mpy.
_FIELDS = [
    "dev_addr",
    "nwk_s_key",
    "app_s_key",
    "join_nonce",
    "f_cnt_up",
    "f_cnt_down",
    "adr_ack_cnt",
    "dr",
    "tx_power",
    "nb_trans",
    "rx1_dr_offset",
    "rx2_dr",
    "rx1_delay_s",
    "max_d_cycle",
    "rx2_frequency",
    "mask",
    "joins_tried",
    "join_first_s",
    "join_not_before_s",
    "quiet_until_s",
    "answers_sent",
]
_FLAGS = ["joined", "ack_due", "link_check_due", "device_time_due", "cold"]
