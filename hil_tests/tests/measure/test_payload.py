# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The payload's measurements: that they can fail, and what they say of a small share."""

from __future__ import annotations

from random import Random

import pytest

from revier_bench.measure import airtime, codec_speed, payload_fuzz, payload_roundtrip
from revier_bench.payload import hours, inputs, runtimes
from revier_payload import air_batch
from revier_payload.schema.air import AIR


def test_round_trips_of_a_small_share() -> None:
    found = payload_roundtrip.measure(3_000, seed=77)
    assert (found["value"], found["holds"], found["n"]["batches"]) == (0, True, 250)


def test_a_wrong_field_is_found_by_the_round_trip(monkeypatch: pytest.MonkeyPatch) -> None:
    field = AIR.fields[5]
    monkeypatch.setattr(field, "code_of", lambda value: (value - field.minimum) // 3)
    rng = Random(1)
    found = [payload_roundtrip.fault(10, inputs.values(rng, 10)) for _ in range(50)]
    assert any("temperature" in text for text in found)


def test_a_wrong_batch_is_found_by_the_round_trip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(air_batch, "_residuals", lambda values: [2 * abs(v) for v in values])
    rng = Random(1)
    assert any(payload_roundtrip.batch_fault(rng) for _ in range(20))


def test_the_fuzz_of_a_small_share() -> None:
    found = payload_fuzz.measure(500)
    assert (found["value"], found["holds"]) == (0, True)
    assert found["n"]["unreadable"] > 50


def test_a_runtime_that_reads_otherwise_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(messages: list[runtimes.Message]) -> list[str]:
        return [line.replace("missing", "0") for line in runtimes.cpython(messages)]

    readers = {"CPython": runtimes.cpython, "other": other, "third": runtimes.cpython}
    monkeypatch.setattr(runtimes, "runtimes", lambda: readers)
    found = payload_fuzz.measure(200)
    assert found["value"] > 0
    assert not found["holds"]
    assert found["peer"] == {"other": found["value"], "third": 0}


def test_an_hour_is_of_twelve_samples_and_eight_channels() -> None:
    for seed in range(20):
        codes = hours.codes(hours.hour(Random(seed)))
        assert len(codes) == 12
        for sample in codes:
            states = [
                code > (1 << bits) - 3 for code, bits in zip(sample, air_batch.BITS, strict=True)
            ]
            assert states == [False] * 8 + [True] * 2


def test_airtime_is_the_staircase() -> None:
    """sensors facts 3.2: 11 B are 61.7 ms at SF7 and 370.7 ms at SF10; 52 B do not go at SF10."""
    assert (airtime.ms(11, 7), airtime.ms(11, 10)) == (61.7, 370.7)
    assert (airtime.ms(52, 10), airtime.ms(51, 10) is None) == (None, False)
    free, sizes, levels = airtime.batches(20)
    assert max(sizes) <= airtime.SIZE_MAX
    assert [level > 0 for level in levels] == [size > airtime.SIZE_MAX for size in free]


def test_micropython_keeps_nothing_of_an_encode() -> None:
    found = codec_speed.micropython()
    assert set(found) == {"air", "parking", "waste", "batch of 12", "batch in 36 B"}
    assert all(cost["kept"] <= 0 < cost["us"] for cost in found.values())
