# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""CPython, MicroPython and JavaScript read any bytes alike, and none of them throws."""

from __future__ import annotations

from random import Random

import pytest

from revier_bench.payload import inputs, runtimes
from revier_bench.payload.runtimes import Message
from revier_payload.codec import decode
from revier_payload.schema import DOWNLINKS, MESSAGES

COUNT = 4_000
SEED = 20_260


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    """Every port with each of its first lengths in zeros and ones, then what inputs.py makes."""
    every = [
        (way, port, bytes([fill]) * length)
        for way, ports in (("up", MESSAGES), ("down", DOWNLINKS))
        for port in (*ports, 0, 255)
        for fill in (0, 0xFF)
        for length in (*range(16), 51, 255)
    ]
    return every + list(inputs.messages(SEED, COUNT))


@pytest.fixture(scope="module")
def expected(messages: list[Message]) -> list[str]:
    return runtimes.cpython(messages)


def test_the_inputs_are_of_every_kind(messages: list[Message], expected: list[str]) -> None:
    for way, ports in (("up", MESSAGES), ("down", DOWNLINKS)):
        for port in ports:
            lines = [
                line
                for (how, of, _), line in zip(messages, expected, strict=True)
                if (how, of) == (way, port)
            ]
            assert any(" error: " not in line for line in lines), (way, port)
            assert any(" error: " in line for line in lines), (way, port)
    assert {len(data) for _, _, data in messages} >= {*range(52), 255}
    for text in ("(means_before", "the block is damaged", "not of its sequence", "out_of_range"):
        assert any(text in line for line in expected), text


@pytest.mark.parametrize("name", ["MicroPython", "QuickJS", "Node.js"])
def test_a_runtime(name: str, messages: list[Message], expected: list[str]) -> None:
    call = runtimes.runtimes().get(name)
    if call is None:
        pytest.skip(f"no {name} here")
    found = call(messages)
    differing = [
        (message, ours, theirs)
        for message, ours, theirs in zip(messages, expected, found, strict=True)
        if ours != theirs
    ]
    assert not differing, differing[:3]


def test_what_batches_are_made_of_comes_back() -> None:
    """At the finest level as it was; coarser, within half of what is lost; in any size."""
    rng = Random(SEED)
    exact = 0
    for _ in range(300):
        data, head, samples = inputs.batch(rng)
        decoded = decode(11, data)
        assert not decoded.errors
        assert not decoded.warnings
        assert decoded.values["seq"] == head["seq"]
        rows = [row for row in decoded.rows if row.name == "sample"]
        assert len(rows) == len(samples)
        if decoded.values["level"] == 0:
            exact += 1
            for row, sample in zip(rows, samples, strict=True):
                assert inputs.codes(row) == inputs.as_sent(sample)
    assert exact > 50
