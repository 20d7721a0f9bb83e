# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""payload-roundtrip: 10^6 messages of random values, encoded and decoded again.

Every value that its field holds comes back within half a step, every other one as what it was:
missing or out of range. Batches (one in twelve): each code exactly at the finest level, within what
its level has lost at a coarser one. What was decoded gives the same values when it is sent again.
"""

from __future__ import annotations

from random import Random
from typing import Any

from revier_bench.payload import inputs
from revier_payload import air_batch
from revier_payload.codec import decode, encode
from revier_payload.schema import MESSAGES
from revier_payload.schema.air import AIR_BATCH, CHANNELS
from revier_payload.schema.fields import OUT_OF_RANGE, VALID, Choice, Counter, Field, Flags, Log

COUNT = 1_000_000
SEED = 5
EXAMPLES_MAX = 5
ONE_BATCH_IN = 12


def measure(count: int = COUNT, seed: int = SEED) -> dict[str, Any]:
    """About a minute and a half."""
    rng = Random(seed)  # noqa: S311 (repeatable)
    failures: list[str] = []
    batches = values = 0
    for n in range(count):
        if n % ONE_BATCH_IN == 0:
            batches += 1
            failed = batch_fault(rng)
        else:
            port = rng.choice(inputs.FLAT)
            sent = inputs.values(rng, port)
            values += len(sent)
            failed = fault(port, sent)
        if failed:
            failures.append(failed)
    return {
        "name": "payload-roundtrip",
        "value": len(failures),
        "unit": f"of {count} messages that did not come back",
        "budget": "0",
        "holds": not failures,
        "n": {
            "messages": count,
            "batches": batches,
            "values": values,
            "examples": failures[:EXAMPLES_MAX],
        },
        "peer": {},
        "rows": [{"messages": count, "batches": batches, "failed": len(failures)}],
    }


def fault(port: int, sent: dict[str, int | None]) -> str:
    """What does not hold of these values; "" if all does."""
    decoded = decode(port, encode(port, sent))
    if decoded.errors or decoded.warnings:
        return f"fPort {port}: {decoded.errors + decoded.warnings}"
    for field in MESSAGES[port].fields + MESSAGES[port].extras:
        if field.name not in sent:
            continue
        value, state = sent[field.name], decoded.states[field.name]
        back = decoded.values[field.name]
        if state != field.encode(value)[1] or not _near(field, value, back, state):
            return f"fPort {port} {field.name}: {value} came back as {back}, {state}"
    if OUT_OF_RANGE not in decoded.states.values():
        again = decode(port, encode(port, decoded.values))
        if again.values != decoded.values or again.states != decoded.states:
            return f"fPort {port}: {decoded.values} came back as {again.values}"
    return ""


def _near(field: Field, value: int | None, back: int | None, state: str) -> bool:
    if state != VALID or value is None:
        return state == VALID or back is None
    assert back is not None
    if isinstance(field, Counter | Flags | Choice):
        return back == value
    step: int = getattr(field, "step", 1)
    half = step / 2
    if isinstance(field, Log):
        half = max(half, value / 2 / (1 << field.mantissa_bits))
    return abs(back - value) <= half


def batch_fault(rng: Random) -> str:
    data, head, samples = inputs.batch(rng)
    decoded = decode(AIR_BATCH.f_port, data)
    rows = [row for row in decoded.rows if row.name == "sample"]
    level = decoded.values.get("level")
    if decoded.errors or decoded.warnings or level is None or len(rows) != len(samples):
        return f"batch {data.hex()}: {decoded.errors + decoded.warnings}"
    if decoded.values["seq"] != head["seq"]:
        return f"batch {data.hex()}: seq {head['seq']}"
    if level == air_batch.LEVEL_MEANS:
        return ""
    mask = decoded.values["channels"] or 0
    channels = [c for c in range(len(CHANNELS)) if mask >> c & 1]
    lost = dict(zip(channels, air_batch.shifts(channels, level), strict=True))
    for row, sample in zip(rows, samples, strict=True):
        for c, (ours, theirs) in enumerate(
            zip(inputs.codes(row), inputs.as_sent(sample), strict=True)
        ):
            if abs(ours - theirs) > (1 << lost.get(c, 0)) - 1:
                return f"batch {data.hex()}: {CHANNELS[c].name} {theirs} came back as {ours}"
    return ""
