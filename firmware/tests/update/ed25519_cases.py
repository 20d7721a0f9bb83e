# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Signatures that must be taken or refused; vectors/ed25519.json names the source of each."""

import json
from binascii import hexlify, unhexlify

from revier_node import ed25519, sha512

HERE = __file__.rsplit("/", 1)[0]
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493


def vectors():
    with open(HERE + "/vectors/ed25519.json") as file:
        found = json.load(file)["vectors"]
    return [(v, [unhexlify(v[key]) for key in ("public", "message", "signature")]) for v in found]


def good():
    return [values for vector, values in vectors() if vector["valid"]]


def number(data):
    return int.from_bytes(data, "little")


def coded(value):
    return value.to_bytes(32, "little")


def case_published_vectors():
    taken = 0
    for vector, values in vectors():
        assert ed25519.verify(*values) == vector["valid"], vector["id"]
        taken += vector["valid"]
    assert taken >= 10
    return "%d, %d taken" % (len(vectors()), taken)


def case_sha512_of_fips_180_4():
    """The digests of "" and "abc", and of each length about a block's end, chained."""
    assert hexlify(sha512.digest(b"abc"))[:32] == b"ddaf35a193617abacc417349ae204131"
    assert hexlify(sha512.digest(b""))[:32] == b"cf83e1357eefb8bdf1542850d66d8007"
    chained = b""
    for size in (111, 112, 127, 128, 129, 239, 240, 255, 256, 300):
        chained = sha512.digest(chained + bytes(size - len(chained)))
    return hexlify(chained).decode()


def case_one_flipped_bit_anywhere_is_refused():
    public, message, signature = good()[2]
    whole = public + message + signature
    for at in range(0, 8 * len(whole), 7):
        changed = bytearray(whole)
        changed[at // 8] ^= 1 << at % 8
        end = len(changed) - 64
        assert not ed25519.verify(bytes(changed[:32]), bytes(changed[32:end]), bytes(changed[end:]))


def case_s_plus_the_order_is_refused():
    """Else a second signature of the same message could be made from the first."""
    for public, message, signature in good():
        for times in range(1, 8):
            again = signature[:32] + coded(number(signature[32:]) + times * L)
            assert not ed25519.verify(public, message, again)


def case_other_lengths_are_refused():
    public, message, signature = good()[0]
    for length in (0, 31, 32, 63, 65, 96):
        assert not ed25519.verify(public, message, (signature + bytes(64))[:length])
    for length in (0, 31, 33, 64):
        assert not ed25519.verify((public + bytes(64))[:length], message, signature)


def case_points_of_small_order_are_refused():
    """A public key of which 0 = S, R = the neutral point is a signature of whatever message."""
    neutral, order_two, order_four = coded(1), coded(P - 1), coded(0)
    for public in (neutral, order_two, order_four, coded(1 << 255)):
        for r in (neutral, order_two, order_four):
            for message in (b"", b"a", b"b", b"c"):
                assert not ed25519.verify(public, message, r + bytes(32))


def case_other_encodings_of_a_point_are_refused():
    public, message, signature = good()[0]
    assert not ed25519.verify(coded(P + 1), message, signature)  # the neutral point, once more
    assert not ed25519.verify(coded(1 | 1 << 255), message, signature)  # x = 0 and its sign set
    assert not ed25519.verify(public, message, coded(P + 1) + signature[32:])
    assert not ed25519.verify(b"\xff" * 32, message, signature)
