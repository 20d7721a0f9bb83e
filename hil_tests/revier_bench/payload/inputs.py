# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Bytes that decoders may meet: noise, messages that are right, and right ones with damage."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from revier_bench.payload.runtimes import Message
from revier_payload import air_batch, backfill, downlinks
from revier_payload.codec import Decoded, encode
from revier_payload.schema import DOWNLINKS, MESSAGES
from revier_payload.schema import fields as schema_fields
from revier_payload.schema.air import CHANNELS
from revier_payload.schema.remote import SETTINGS

PORTS = (*MESSAGES, *DOWNLINKS, 0, 99, 255)
FLAT = tuple(port for port, message in MESSAGES.items() if not message.body)
READINGS = tuple(port for port in FLAT if port != 1 and MESSAGES[port].fields[0].name == "seq")


def messages(seed: int, count: int) -> Iterator[Message]:
    """Half noise, half messages, every other one of these damaged. Any length from 0 to 255."""
    rng = Random(seed)  # noqa: S311 (repeatable)
    for _ in range(count):
        draw = rng.random()
        if draw < 0.5:
            yield noise(rng)
            continue
        way, port, data = whole(rng)
        yield way, port, damaged(rng, data) if draw < 0.75 else data


def noise(rng: Random) -> Message:
    length = rng.randrange(256) if rng.random() < 0.3 else rng.randrange(24)
    return rng.choice(("up", "up", "up", "down")), rng.choice(PORTS), rng.randbytes(length)


def damaged(rng: Random, data: bytes) -> bytes:
    draw = rng.random()
    if draw < 0.3:
        return data[: rng.randrange(len(data) + 1)]
    if draw < 0.5:
        return (data + rng.randbytes(1 + rng.randrange(20)))[:255]
    flipped = bytearray(data)
    for _ in range(1 + rng.randrange(3)):
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    return bytes(flipped)


def whole(rng: Random) -> Message:
    kind = rng.randrange(12)
    if kind == 0:
        return "down", 2, _configuration(rng)
    if kind == 1:
        ranges = [(rng.getrandbits(32), rng.randrange(1, 255)) for _ in range(rng.randrange(1, 9))]
        return "down", 4, downlinks.backfill_request(ranges)
    if kind < 4:
        return "up", 5, _backfill(rng)
    if kind < 7:
        return "up", 11, batch(rng)[0]
    port = rng.choice(FLAT)
    return "up", port, encode(port, values(rng, port))


def values(rng: Random, port: int) -> dict[str, int | None]:
    """For every field its limits, its missing state or a value in between; extras at times."""
    message = MESSAGES[port]
    chosen = message.fields + (message.extras if rng.random() < 0.5 else ())
    return {field.name: value(rng, field) for field in chosen}


def value(rng: Random, field: schema_fields.Field) -> int | None:
    draw = rng.random()
    if field.required or isinstance(field, schema_fields.Flags):
        return rng.getrandbits(field.bits)
    if draw < 0.1:
        return None
    if draw < 0.2:
        return rng.choice((field.minimum, field.maximum))
    if draw < 0.3:
        return rng.choice((field.minimum - 1, field.maximum + 1, 10**9, -(10**9)))
    return rng.randint(field.minimum, field.maximum)


def batch(rng: Random) -> tuple[bytes, dict[str, int | None], list[tuple[int, ...]]]:
    """(payload, head, samples); the samples from calm to wild, with and without gaps."""
    wild, gaps = rng.choice((1, 2, 5, 30, 600)), rng.choice((0.0, 0.0, 0.1, 0.6))
    channels = rng.getrandbits(10)
    at = [rng.randrange(1 << bits) for bits in air_batch.BITS]
    samples = []
    for _ in range(rng.randrange(1, air_batch.SAMPLES_MAX + 1)):
        sample = []
        for c, bits in enumerate(air_batch.BITS):
            top = (1 << bits) - 3
            at[c] = min(top, max(0, at[c] + rng.randint(-wild, wild)))
            none = rng.random() < gaps or not channels >> c & 1
            sample.append(top + rng.randint(1, 2) if none and channels >> c & 1 else at[c])
            if not channels >> c & 1:
                sample[-1] = top + 2
        samples.append(tuple(sample))
    head: dict[str, int | None] = {
        "seq": rng.getrandbits(32),
        "time": rng.choice((None, rng.getrandbits(31))),
        "interval": 300,
        "battery": 3600,
        "status": rng.getrandbits(5),
    }
    size_max = rng.choice((18, 30, 36, 45, 51, 115, 222))
    before = air_batch.means(samples[::-1]) if rng.random() < 0.5 else None
    data = air_batch.encode(head, samples, size_max, lambda size: size + 9, before)
    return data, head, samples


def codes(sample: Decoded) -> tuple[int, ...]:
    """A decoded sample's codes, to be held against the tuple that was encoded."""
    found = []
    for field in CHANNELS:
        state = sample.states[field.name]
        code = field.encode(sample.values[field.name])[0]
        found.append(field.out_of_range_code if state == schema_fields.OUT_OF_RANGE else code)
    return tuple(found)


def as_sent(sample: tuple[int, ...]) -> tuple[int, ...]:
    """Codes above a field's maximum are none that a node makes: the decoder takes the maximum."""
    tops = zip(sample, CHANNELS, air_batch.BITS, strict=True)
    return tuple(
        code if code > (1 << bits) - 3 else min(code, field.code_of(field.maximum))
        for code, field, bits in tops
    )


def _backfill(rng: Random) -> bytes:
    port = rng.choice(READINGS)
    seq, time_s = rng.getrandbits(32), rng.getrandbits(31)
    known = rng.random() < 0.8
    records = []
    for _ in range(rng.randrange(1, 8)):
        one = values(rng, port)
        one["seq"] = seq
        records.append((seq, time_s if known else None, port, encode(port, one)))
        seq = min(0xFFFFFFFF, seq + rng.randrange(1, 5))
        time_s += rng.randrange(2000)
    return backfill.encode(records, rng.choice((51, 115, 222)))[0]


def _configuration(rng: Random) -> bytes:
    some = rng.sample(SETTINGS, rng.randrange(len(SETTINGS)))
    data = bytes((rng.randrange(1, 3),))
    for setting in some:
        value = rng.randint(setting.low, setting.high)
        data += bytes((setting.number, value >> 8, value & 255))
    return data
