# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The part of MicroPython's cryptolib that the MAC uses, for builds without it: AES-128, ECB.

FIPS = FIPS 197. For tests only: slow, and its running time tells the key. Like the real one it
takes no heap while it encrypts into a given target.
"""


def _double(value):
    return (value << 1 ^ (0x11B if value & 0x80 else 0)) & 0xFF


def _make_s_box():
    """FIPS 4.4, 5.1.1: the affine map of the inverse in GF(2^8)."""
    box = bytearray(256)
    power = inverse = 1
    while True:
        power = power ^ _double(power)  # times 3, a generator
        inverse ^= inverse << 1  # divided by 3
        inverse ^= inverse << 2
        inverse ^= inverse << 4
        inverse &= 0xFF
        if inverse & 0x80:
            inverse ^= 0x09
        turned = inverse | inverse << 8
        box[power] = (turned ^ turned >> 4 ^ turned >> 5 ^ turned >> 6 ^ turned >> 7) & 0xFF ^ 0x63
        if power == 1:
            break
    box[0] = 0x63
    return box


S_BOX = _make_s_box()
INVERSE_S_BOX = bytearray(256)
for _i in range(256):
    INVERSE_S_BOX[S_BOX[_i]] = _i
DOUBLE = bytes([_double(i) for i in range(256)])


class aes:  # noqa: N801 - as in MicroPython
    def __init__(self, key, mode):
        assert len(key) == 16
        assert mode == 1, "only ECB"
        self._keys = self._expand(key)
        self._state = bytearray(16)
        self._other = bytearray(16)

    def encrypt(self, source, target=None):
        if target is None:
            return self._blocks(source, self._encrypt)
        self._encrypt(source, target)  # not by way of a bound method, which would be heap
        return None

    def decrypt(self, source):
        return self._blocks(source, self._decrypt)

    def _blocks(self, source, work):
        assert len(source) % 16 == 0
        blocks = [bytearray(source[i : i + 16]) for i in range(0, len(source), 16)]
        for block in blocks:
            work(block, block)
        return b"".join([bytes(block) for block in blocks])

    @staticmethod
    def _expand(key):
        """FIPS 5.2: eleven round keys in a row."""
        keys = bytearray(key)
        constant = 1
        for at in range(16, 176, 4):
            word = keys[at - 4 : at]
            if at % 16 == 0:
                word = bytearray(S_BOX[word[i]] for i in (1, 2, 3, 0))
                word[0] ^= constant
                constant = _double(constant)
            for i in range(4):
                keys.append(keys[at - 16 + i] ^ word[i])
        return keys

    def _encrypt(self, source, target):
        """FIPS 5.1"""
        s, o, keys = self._state, self._other, self._keys
        for i in range(16):
            s[i] = source[i] ^ keys[i]
        at = 16
        while at <= 160:
            for i in range(16):  # SubBytes, ShiftRows
                o[i] = S_BOX[s[(5 * i) & 15]]
            if at < 160:
                self._mix_columns(o, s)
            else:
                s, o = o, s
            for i in range(16):
                s[i] ^= keys[at + i]
            at += 16
        for i in range(16):
            target[i] = s[i]

    def _decrypt(self, source, target):
        """FIPS 5.3; the inverse of MixColumns is MixColumns three times."""
        s, o, keys = self._state, self._other, self._keys
        for i in range(16):
            s[i] = source[i] ^ keys[160 + i]
        at = 144
        while at >= 0:
            for i in range(16):
                o[(5 * i) & 15] = INVERSE_S_BOX[s[i]]
            for i in range(16):
                o[i] ^= keys[at + i]
            if at:
                self._mix_columns(o, s)
                self._mix_columns(s, o)
                self._mix_columns(o, s)
            else:
                s, o = o, s
            at -= 16
        for i in range(16):
            target[i] = s[i]

    @staticmethod
    def _mix_columns(source, target):
        for at in range(0, 16, 4):
            a, b = source[at], source[at + 1]  # four at once would be a tuple, which is heap
            c, d = source[at + 2], source[at + 3]
            every = a ^ b ^ c ^ d
            target[at] = a ^ every ^ DOUBLE[a ^ b]
            target[at + 1] = b ^ every ^ DOUBLE[b ^ c]
            target[at + 2] = c ^ every ^ DOUBLE[c ^ d]
            target[at + 3] = d ^ every ^ DOUBLE[d ^ a]
