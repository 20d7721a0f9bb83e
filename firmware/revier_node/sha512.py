# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""SHA-512 (FIPS 180-4), which hashlib lacks on the ESP32. For the few bytes of a signature.

A block takes some 17 ms there: words of 64 bits are big integers to MicroPython.
"""

import binascii

# FIPS 180-4 4.2.3: the first 64 bits of the fractional parts of the cube roots of 80 primes
_K = binascii.unhexlify(
    "428a2f98d728ae227137449123ef65cdb5c0fbcfec4d3b2fe9b5dba58189dbbc"
    "3956c25bf348b53859f111f1b605d019923f82a4af194f9bab1c5ed5da6d8118"
    "d807aa98a303024212835b0145706fbe243185be4ee4b28c550c7dc3d5ffb4e2"
    "72be5d74f27b896f80deb1fe3b1696b19bdc06a725c71235c19bf174cf692694"
    "e49b69c19ef14ad2efbe4786384f25e30fc19dc68b8cd5b5240ca1cc77ac9c65"
    "2de92c6f592b02754a7484aa6ea6e4835cb0a9dcbd41fbd476f988da831153b5"
    "983e5152ee66dfaba831c66d2db43210b00327c898fb213fbf597fc7beef0ee4"
    "c6e00bf33da88fc2d5a79147930aa72506ca6351e003826f142929670a0e6e70"
    "27b70a8546d22ffc2e1b21385c26c9264d2c6dfc5ac42aed53380d139d95b3df"
    "650a73548baf63de766a0abb3c77b2a881c2c92e47edaee692722c851482353b"
    "a2bfe8a14cf10364a81a664bbc423001c24b8b70d0f89791c76c51a30654be30"
    "d192e819d6ef5218d69906245565a910f40e35855771202a106aa07032bbd1b8"
    "19a4c116b8d2d0c81e376c085141ab532748774cdf8eeb9934b0bcb5e19b48a8"
    "391c0cb3c5c95a634ed8aa4ae3418acb5b9cca4f7763e373682e6ff3d6b2b8a3"
    "748f82ee5defb2fc78a5636f43172f6084c87814a1f0ab728cc702081a6439ec"
    "90befffa23631e28a4506cebde82bde9bef9a3f7b2c67915c67178f2e372532b"
    "ca273eceea26619cd186b8c721c0c207eada7dd6cde0eb1ef57d4f7fee6ed178"
    "06f067aa72176fba0a637dc5a2c898a6113f9804bef90dae1b710b35131c471b"
    "28db77f523047d8432caab7b40c724933c9ebe0a15c9bebc431d67c49c100d4c"
    "4cc5d4becb3e42b6597f299cfc657e2a5fcb6fab3ad6faec6c44198c4a475817"
)
# 5.3.5
_START = binascii.unhexlify(
    "6a09e667f3bcc908bb67ae8584caa73b3c6ef372fe94f82ba54ff53a5f1d36f1"
    "510e527fade682d19b05688c2b3e6c1f1f83d9abfb41bd6b5be0cd19137e2179"
)
_MASK = 0xFFFFFFFFFFFFFFFF
_BLOCK = 128


def digest(message: bytes) -> bytes:
    """64 bytes."""
    padding = (_BLOCK - 17 - len(message)) % _BLOCK
    data = message + b"\x80" + bytes(padding) + (8 * len(message)).to_bytes(16, "big")
    k = _words(_K, 0, 80)
    state = _words(_START, 0, 8)
    for at in range(0, len(data), _BLOCK):
        _compress(state, _schedule(_words(data, at, 16)), k)
    return b"".join([word.to_bytes(8, "big") for word in state])


def _words(data: bytes, at: int, count: int) -> "list[int]":
    return [int.from_bytes(data[i : i + 8], "big") for i in range(at, at + 8 * count, 8)]


def _schedule(w: "list[int]") -> "list[int]":
    """6.4.2, step 1. x * 2^64 + x: a rotation is one shift of it."""
    for i in range(16, 80):
        x, y = w[i - 15], w[i - 2]
        xx, yy = x << 64 | x, y << 64 | y
        s0 = (xx >> 1) ^ (xx >> 8) ^ (x >> 7)
        s1 = (yy >> 19) ^ (yy >> 61) ^ (y >> 6)
        w.append((w[i - 16] + (s0 & _MASK) + w[i - 7] + (s1 & _MASK)) & _MASK)
    return w


def _compress(state: "list[int]", w: "list[int]", k: "list[int]") -> None:
    a, b, c, d, e, f, g, h = state
    for i in range(80):
        ee, aa = e << 64 | e, a << 64 | a
        s1 = ((ee >> 14) ^ (ee >> 18) ^ (ee >> 41)) & _MASK
        t1 = h + s1 + (g ^ e & (f ^ g)) + k[i] + w[i]
        s0 = ((aa >> 28) ^ (aa >> 34) ^ (aa >> 39)) & _MASK
        t2 = s0 + (a & b ^ c & (a ^ b))
        h, g, f, e = g, f, e, (d + t1) & _MASK
        d, c, b, a = c, b, a, (t1 + t2) & _MASK
    for i, word in enumerate((a, b, c, d, e, f, g, h)):
        state[i] = (state[i] + word) & _MASK
