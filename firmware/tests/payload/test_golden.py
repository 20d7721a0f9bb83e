# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The golden vectors are frozen, cover every message, and hold in JavaScript too."""

import hashlib
import json
from pathlib import Path

import pytest

from revier_bench.payload import runtimes
from revier_payload.codec import decode, decode_downlink
from revier_payload.physical import object_of
from revier_payload.schema import DOWNLINKS, MESSAGES

GOLDEN = Path(__file__).parent / "vectors" / "golden.jsonl"
# (lines, SHA-256 of them): the first lines of the file stay as they are for ever. New vectors go to
# the end, and then a pair for the longer file to the end of this list.
FROZEN = [
    (92, "fbfb852345fded59493c9f0e62fbfb271011d9e2716a372ea19d807bf3944428"),
    (99, "49ce5cb1662c9fda303c5c0757139bc873fc4a2ad879ebe458b76a477172d859"),
]

ENGINES = [
    pytest.param(runtimes.in_quickjs, id="QuickJS"),
    pytest.param(
        runtimes.in_node,
        id="Node.js",
        marks=pytest.mark.skipif(not runtimes.has_node(), reason="no node here"),
    ),
]


def vectors():
    return [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]


def messages():
    return [(v["way"], v["port"], bytes.fromhex(v["bytes"])) for v in vectors()]


def test_what_was_frozen_is_unchanged():
    lines = GOLDEN.read_bytes().splitlines(keepends=True)
    for count, digest in FROZEN:
        assert hashlib.sha256(b"".join(lines[:count])).hexdigest() == digest
    assert FROZEN[-1][0] == len(lines), "freeze the new vectors: append to FROZEN"


def test_every_message_has_vectors():
    """Beside one that is whole: of each message one with nothing, one cut, one that is too long."""
    seen = {(v["way"], v["port"]) for v in vectors()}
    assert seen >= {("up", port) for port in MESSAGES} | {("down", port) for port in DOWNLINKS}
    lines = " ".join(v["line"] for v in vectors())
    for state in ("missing", "out_of_range", "error: ", "warning: "):
        assert state in lines


def test_objects():
    for vector, (way, port, data) in zip(vectors(), messages(), strict=True):
        decoded = (decode if way == "up" else decode_downlink)(port, data)
        if decoded.errors:
            assert "object" not in vector
        else:
            assert object_of(decoded) == vector["object"], vector["note"]


@pytest.mark.parametrize("engine", ENGINES)
def test_lines_in_javascript(engine):
    assert engine(messages()) == [v["line"] for v in vectors()]


@pytest.mark.parametrize("engine", ENGINES)
def test_objects_in_javascript(engine):
    for vector, text in zip(vectors(), engine(messages(), "objectsOf"), strict=True):
        answer = json.loads(text)
        assert answer.get("data") == vector.get("object"), vector["note"]
        expected = [part.split(" warning: ")[0] for part in vector["line"].split(" error: ")[1:]]
        assert answer.get("errors", []) == expected
        assert answer.get("warnings", []) == vector["line"].split(" warning: ")[1:]
