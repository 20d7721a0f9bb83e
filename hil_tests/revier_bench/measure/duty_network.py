# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The least network that a device needs to be told its channels: join accepts and MAC commands.

L2 = LoRaWAN L2 1.0.4. The cipher is none: a block is its own ciphertext. What is measured is time,
and both sides agree on every MIC.
"""

from __future__ import annotations

from revier_mac.frames import Key
from revier_mac.session import Session

# Two or three channels in each sub-band of EU868, in steps of 100 Hz, and their DR ranges: DR0..5,
# and DR6 (SF7 at 250 kHz) where there is room for it.
CHANNELS = (
    (8632000, 0x50),
    (8644000, 0x60),
    (8662000, 0x50),
    (8671000, 0x60),
    (8675000, 0x50),
    (8679000, 0x50),
    (8688000, 0x50),
    (8690500, 0x50),
    (8694625, 0x50),
    (8695250, 0x50),
    (8695500, 0x50),
    (8698500, 0x60),
    (8699000, 0x50),
)


class NoCipher:
    def __init__(self, key: bytes) -> None:
        """Every key is the same."""

    def encrypt(self, source: bytearray, target: bytearray) -> None:
        target[:] = source


def join_accept(join_nonce: int) -> bytearray:
    """L2 6.2.5: NetID 0, a DevAddr, default settings, no CFList."""
    body = join_nonce.to_bytes(3, "little") + bytes(3) + b"\x01\x00\x00\x26" + b"\x00\x01"
    frame = bytearray(b"\x20" + body)
    frame += Key(NoCipher, bytes(16)).cmac(None, frame, 0, len(frame))[:4]
    return frame


def orders(session: Session, commands: bytes) -> bytearray:
    """A downlink that carries MAC commands on port 0 (L2 4.3, 4.4)."""
    key = Key(NoCipher, session.nwk_s_key)
    f_cnt = session.f_cnt_down + 1
    middle = bytes(4) + b"\x01" + session.dev_addr + f_cnt.to_bytes(4, "little")
    data = bytearray(commands)
    key.apply_keystream(bytearray(b"\x01" + middle + bytes(2)), data, 0, len(data))
    head = b"\x60" + session.dev_addr + b"\x00" + (f_cnt & 0xFFFF).to_bytes(2, "little")
    frame = bytearray(head + b"\x00" + data)
    block = bytearray(b"\x49" + middle + bytes((0, len(frame))))
    frame += key.cmac(block, frame, 0, len(frame))[:4]
    return frame


def new_channels() -> list[bytes]:
    """NewChannelReq for all of CHANNELS (L2 5.7), in two downlinks that DR0 can carry."""
    commands = [
        bytes((0x07, 3 + i)) + frequency.to_bytes(3, "little") + bytes((dr_range,))
        for i, (frequency, dr_range) in enumerate(CHANNELS)
    ]
    return [b"".join(commands[:7]), b"".join(commands[7:])]


def duty_cycle(max_d_cycle: int) -> bytes:
    """DutyCycleReq (L2 5.4)."""
    return bytes((0x04, max_d_cycle))


def repeats(count: int) -> bytes:
    """LinkADRReq that keeps data rate and power, all channels on, NbTrans = count (L2 5.3)."""
    return bytes((0x03, 0xFF, 0xFF, 0xFF, count))
