# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The golden vectors on both interpreters. They never change: see test_golden.py."""

import json
from binascii import hexlify, unhexlify

from revier_payload.codec import decode, decode_downlink, encode
from revier_payload.line import line_of
from revier_payload.schema import MESSAGES


def vectors():
    with open(__file__.rpartition("/")[0] + "/vectors/golden.jsonl") as source:
        return [json.loads(line) for line in source]


def case_decode():
    for vector in vectors():
        call = decode if vector["way"] == "up" else decode_downlink
        line = line_of(call(vector["port"], unhexlify(vector["bytes"])))
        assert line == vector["line"], (vector["note"], line)
    return len(vectors())


def case_encode():
    """What was decoded without a warning gives its bytes back, if all of it has a value or none."""
    again = 0
    for vector in vectors():
        message = MESSAGES.get(vector["port"])
        decoded = decode(vector["port"], unhexlify(vector["bytes"]))
        odd = "out_of_range" in decoded.states.values() or decoded.warnings or decoded.errors
        if vector["way"] == "down" or message is None or message.body or odd:
            continue
        data = encode(vector["port"], decoded.values)[: len(vector["bytes"]) // 2]
        assert hexlify(data).decode() == vector["bytes"], vector["note"]
        again += 1
    return again
