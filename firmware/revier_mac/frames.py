# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""PHYPayload: frames of LoRaWAN 1.0.x, sealed and opened.

L2 = LoRaWAN L2 1.0.4; RFC 4493 is CMAC. What comes from the air is a Sealed... object: only its
shape is known. authentic() checks its MIC and allocates nothing; open() gives the opened type,
which cannot be made in another way. DevAddr is 4 bytes in the order of the wire (little endian).

The cipher is handed in as new_aes(key) -> object with encrypt(source, target), ECB; with
MicroPython that is `lambda key: cryptolib.aes(key, 1)`. Only ECB is used: a CBC object of
cryptolib keeps its chaining value and would have to be made anew for each message, which costs
heap while the receive windows are open. After the first cmac() a Key allocates nothing.
"""

from collections import namedtuple

if 0:  # for the type checker; compiles to nothing
    from collections.abc import Callable
    from typing import Protocol

    class BlockCipher(Protocol):
        def encrypt(self, source: bytearray, target: bytearray) -> object: ...

    NewAes = Callable[[bytes], BlockCipher]

# MHDR (L2 4.2): MType << 5 | RFU << 2 | Major; data up 0x40, confirmed 0x80; data down 0x60, 0xA0
# FCtrl (L2 4.3.1): ADR 0x80, ADRACKReq (up) 0x40, ACK 0x20, FPending (down) 0x10, FOptsLen

OpenedDownlink = namedtuple("OpenedDownlink", "f_cnt confirmed ack pending f_opts f_port data")


def uplink(
    nwk: "Key",
    app: "Key",
    dev_addr: bytes,
    m_hdr: int,
    f_ctrl: int,
    f_cnt: int,
    f_opts: "bytes | bytearray",
    f_port_data: "tuple[int, bytes] | None",
) -> bytes:
    """A data frame, encrypted and signed (L2 4.3, 4.4)."""
    assert len(f_opts) <= 15
    frame = bytearray((m_hdr,))
    frame.extend(dev_addr)
    frame.extend(bytes((f_ctrl | len(f_opts), f_cnt & 0xFF, f_cnt >> 8 & 0xFF)))
    frame.extend(f_opts)
    block = bytearray(16)
    counter = f_cnt & 0xFFFF, f_cnt >> 16
    if f_port_data is not None:
        f_port, data = f_port_data
        assert f_port or not f_opts
        frame.append(f_port)
        start = len(frame)
        frame.extend(data)
        _fill_block(block, 0x01, 0, dev_addr, *counter)
        (app if f_port else nwk).apply_keystream(block, frame, start, len(frame))
    _fill_block(block, 0x49, 0, dev_addr, *counter)
    block[15] = len(frame)
    frame.extend(nwk.cmac(block, frame, 0, len(frame))[:4])
    return bytes(frame)


class SealedDownlink:
    """A data frame from the air; one object is used again for each frame of an exchange.

    dev_addr, f_cnt: our address and the lowest FCntDown (0..2^32) that is not a replay. The counter
    is kept in halves: where a small integer has 31 bits, a whole one would take heap.
    """

    def __init__(self, nwk: "Key", dev_addr: bytes, f_cnt: int) -> None:
        self._nwk = nwk
        self._dev_addr = dev_addr
        self._block = bytearray(16)
        self._buffer: "bytes | bytearray" = b""
        self._end = 0  # where the MIC begins
        self._f_opts_end = 0
        self._low = 0
        self._high = -1
        self.expect(f_cnt)

    def expect(self, f_cnt: int) -> None:
        self._low_next = f_cnt & 0xFFFF
        self._high_next = f_cnt >> 16

    def read(self, buffer: "bytes | bytearray", length: int) -> bool:
        """True if the shape is a downlink's, the address ours, and a counter left for it.

        L2 4.3.1.5 knows no MAX_FCNT_GAP any more: whatever is not behind is at most one turn ahead,
        and the MIC decides.
        """
        self._high = -1
        if length < 12 or length > len(buffer):
            return False
        if buffer[0] not in (0x60, 0xA0):  # unconfirmed, confirmed data down
            return False
        for i in range(4):
            if buffer[1 + i] != self._dev_addr[i]:
                return False
        f_opts_end = 8 + (buffer[5] & 0x0F)
        end = length - 4
        if f_opts_end > end:
            return False
        if f_opts_end > 8 and f_opts_end < end and buffer[f_opts_end] == 0:
            return False  # commands in FOpts and on port 0 at once (L2 4.3.1.6)
        low = buffer[6] | buffer[7] << 8
        high = self._high_next + (low < self._low_next)
        if high > 0xFFFF:
            return False
        self._buffer = buffer
        self._end = end
        self._f_opts_end = f_opts_end
        self._low = low
        self._high = high
        return True

    def authentic(self) -> bool:
        """True if the MIC is right for the counter that follows the last one (L2 4.4)."""
        if self._high < 0:
            return False
        block = self._block
        _fill_block(block, 0x49, 1, self._dev_addr, self._low, self._high)
        block[15] = self._end
        return same_mic(self._nwk.cmac(block, self._buffer, 0, self._end), self._buffer, self._end)

    def open(self, app: "Key") -> OpenedDownlink:
        """The content. Only after authentic() was true."""
        assert self._high >= 0
        frame = self._buffer
        f_ctrl = frame[5]
        f_port = None
        data = bytearray(0)
        at = self._f_opts_end
        if at < self._end:
            f_port = frame[at]
            data = bytearray(frame[at + 1 : self._end])
            block = self._block
            _fill_block(block, 0x01, 1, self._dev_addr, self._low, self._high)
            (app if f_port else self._nwk).apply_keystream(block, data, 0, len(data))
        return OpenedDownlink(
            self._high << 16 | self._low,
            frame[0] == 0xA0,
            bool(f_ctrl & 0x20),
            bool(f_ctrl & 0x10),
            bytes(frame[8:at]),
            f_port,
            bytes(data),
        )


def _fill_block(
    block: bytearray, first: int, direction: int, dev_addr: bytes, low: int, high: int
) -> None:
    """A_i (first 0x01, L2 4.3.3) or B_0 (0x49, L2 4.4), but for the last byte."""
    block[0] = first
    for i in range(1, 5):
        block[i] = 0
    block[5] = direction
    for i in range(4):
        block[6 + i] = dev_addr[i]
    block[10] = low & 0xFF
    block[11] = low >> 8
    block[12] = high & 0xFF
    block[13] = high >> 8
    block[14] = 0


def same_mic(mac: bytearray, frame: "bytes | bytearray", at: int) -> bool:
    difference = 0
    for i in range(4):
        difference |= mac[i] ^ frame[at + i]
    return difference == 0


BLOCK = 16


class Key:
    def __init__(self, new_aes: "NewAes", key: bytes) -> None:
        assert len(key) == BLOCK
        self.encrypt = new_aes(key).encrypt  # (source, target): one block
        self._x = bytearray(BLOCK)
        self._k1 = bytearray(0)
        self._k2 = bytearray(0)

    def cmac(
        self, head: "bytearray | None", data: "bytes | bytearray", start: int, end: int
    ) -> bytearray:
        """CMAC of head (one block or None) and data[start:end]; valid until the next call."""
        if not self._k1:
            self._make_subkeys()
        x = self._x
        for i in range(BLOCK):
            x[i] = 0
        if head is not None:
            assert end > start
            self._absorb(head, 0)
        while end - start > BLOCK:
            self._absorb(data, start)
            start += BLOCK
        left = end - start
        for i in range(left):
            x[i] ^= data[start + i]
        last = self._k1
        if left < BLOCK:
            x[left] ^= 0x80
            last = self._k2
        self._absorb(last, 0)
        return x

    def apply_keystream(self, a_block: bytearray, data: bytearray, start: int, end: int) -> None:
        """XOR data[start:end] with S_1, S_2, ... (L2 4.3.3); its own inverse."""
        stream = self._x
        number = 0
        while start < end:
            number += 1
            a_block[15] = number
            self.encrypt(a_block, stream)
            size = min(end - start, BLOCK)
            for i in range(size):
                data[start + i] ^= stream[i]
            start += size

    def _absorb(self, block: "bytes | bytearray", at: int) -> None:
        x = self._x
        for i in range(BLOCK):
            x[i] ^= block[at + i]
        self.encrypt(x, x)

    def _make_subkeys(self) -> None:
        zero = bytearray(BLOCK)
        self.encrypt(zero, zero)
        self._k1 = _double(zero)
        self._k2 = _double(self._k1)


def _double(block: bytearray) -> bytearray:
    """Multiplication by x in GF(2^128), RFC 4493 2.3."""
    result = bytearray(BLOCK)
    carry = 0
    for i in range(BLOCK - 1, -1, -1):
        result[i] = (block[i] << 1 | carry) & 0xFF
        carry = block[i] >> 7
    if carry:
        result[BLOCK - 1] ^= 0x87
    return result
