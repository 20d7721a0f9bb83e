# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The typed readings: every golden vector, and attributes as their annotations say."""

import json
from pathlib import Path

import pytest

from revier_payload import readings
from revier_payload.schema import MESSAGES
from revier_payload.typed import Sample, Unreadable, read

GOLDEN = Path(__file__).parent / "vectors" / "golden.jsonl"


def uplinks():
    vectors = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
    return [v for v in vectors if v["way"] == "up"]


@pytest.mark.parametrize("vector", uplinks(), ids=lambda v: f"{v['port']} {v['note']}")
def test_a_vector(vector):
    reading = read(vector["port"], bytes.fromhex(vector["bytes"]))
    if "object" not in vector:
        assert isinstance(reading, Unreadable)
        assert reading.errors
        return
    assert type(reading) is readings.CLASSES[vector["object"]["message"]]
    message = MESSAGES[vector["port"]]
    annotations = type(reading).__annotations__
    assert set(annotations) == {field.name for field in message.fields + message.extras}
    for name, kind in annotations.items():
        value, expected = getattr(reading, name), vector["object"][name]
        assert isinstance(value, tuple if kind == tuple[str, ...] else kind), (name, value)
        assert (list(value) if isinstance(value, tuple) else value) == expected
    rows = vector["object"].get("readings", [])
    for row, expected in zip(reading.rows, rows, strict=False):
        assert row.seq == expected["seq"]
        assert row.time == expected.get("time", expected.get("after"))
        if vector["port"] == 11:
            assert isinstance(row, Sample)
            assert (row.pm25, row.temperature) == (expected["pm25"], expected["temperature"])
