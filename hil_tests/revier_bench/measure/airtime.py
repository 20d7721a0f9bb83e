# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""airtime: how long the same content is on the air, at every spreading factor, beside others.

Contents: one reading of each kind, and an hour of twelve air readings of eight channels; the peers
send each of these alone (their formats have no batch; an array of arrays is shown as one). Hours
are seeded (payload/hours.py); the batch is the median of many. Peers: payload_size.py.
"""

from __future__ import annotations

import statistics
from random import Random
from typing import Any

from revier_bench.measure.payload_size import OVERHEAD, READINGS, encoders
from revier_bench.payload import hours
from revier_mac.airtime import airtime_us
from revier_payload import air_batch
from revier_payload.codec import decode, encode

SIZE_MAX = 45
HOURS = 500
SEED = 1
BUDGET_MS_PER_SAMPLE = 60
PAYLOAD_MAX = {7: 222, 8: 222, 9: 115, 10: 51, 11: 51, 12: 51}  # RP002-1.0.4 2.4.6


def ms(size: int, spreading_factor: int) -> float | None:
    """None where the data rate does not carry it."""
    if size > PAYLOAD_MAX[spreading_factor]:
        return None
    return round(airtime_us(OVERHEAD + size, spreading_factor, 125_000) / 1000, 1)


def batches(count: int = HOURS) -> tuple[list[int], list[int], list[int]]:
    """Sizes at the finest level, sizes and levels within SIZE_MAX."""
    rng = Random(SEED)  # noqa: S311 (repeatable)
    free, sizes, levels = [], [], []
    for _ in range(count):
        samples = hours.codes(hours.hour(rng))
        free.append(len(air_batch.encode(hours.HEAD, samples, 222)))
        data = air_batch.encode(hours.HEAD, samples, SIZE_MAX)
        decoded = decode(11, data)
        if decoded.errors or len(data) > SIZE_MAX:
            raise AssertionError(f"a batch that does not fit: {data.hex()}")
        sizes.append(len(data))
        levels.append(decoded.values["level"] or 0)
    return free, sizes, levels


def measure() -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    shorter = True
    for name, (port, values) in READINGS.items():
        sizes = {"revier": len(encode(port, {**values}))}
        sizes |= {peer: len(call(values)) for peer, call in encoders().items()}
        rows += [_row(name, encoding, size) for encoding, size in sizes.items()]
        shorter &= all(sizes["revier"] < size for size in sizes.values() if size != sizes["revier"])
    free, sizes_45, levels = batches()
    median = round(statistics.median(sizes_45))
    rows.append(_row("air, 12 samples in one frame", "revier, median", median))
    rows.append(_row("air, 12 samples in one frame", "revier, longest", max(sizes_45)))
    rng = Random(SEED)  # noqa: S311 (repeatable)
    hour = hours.hour(rng)
    arrays = [list(reading.values()) for reading in hour]
    for encoding in ("CBOR array", "MessagePack array"):
        flat = {str(n): values for n, values in enumerate(arrays)}
        rows.append(_row("air, 12 samples in one frame", encoding, len(encoders()[encoding](flat))))
    per_sample = (ms(max(sizes_45), 10) or 0.0) / hours.SAMPLES
    ranked = sorted(levels)
    return {
        "name": "airtime",
        "value": round(per_sample, 1),
        "unit": "ms of airtime per air sample in an hourly batch at SF10, longest batch",
        "budget": f"<= {BUDGET_MS_PER_SAMPLE}; a batch <= {SIZE_MAX} B",
        "holds": per_sample <= BUDGET_MS_PER_SAMPLE and max(sizes_45) <= SIZE_MAX and shorter,
        "n": {
            "hours": len(levels),
            "bytes_at_finest_p50_p95": [_quantile(free, 0.5), _quantile(free, 0.95)],
            "bits_given_up_of_8_channels_p50_p95_max": [
                _quantile(ranked, 0.5),
                _quantile(ranked, 0.95),
                ranked[-1],
            ],
        },
        "peer": {
            row["encoding"]: row["SF10"]
            for row in rows
            if row["content"] == "air" and row["encoding"] != "revier"
        },
        "rows": rows,
    }


def _row(content: str, encoding: str, size: int) -> dict[str, Any]:
    times = {f"SF{sf}": ms(size, sf) for sf in PAYLOAD_MAX}
    return {"content": content, "encoding": encoding, "bytes": size, **times}


def _quantile(values: list[int], share: float) -> int:
    return sorted(values)[int(share * (len(values) - 1))]
