# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""codec-speed: decodes a second on CPython, and what an encode costs on MicroPython.

CPython: the CPU time of one process, the best of some runs; the air reading, of all readings the
one with most fields, is judged. MicroPython: the unix build on this machine; its objects
are of 64 bits, twice as large as the chip's, and its clock is not the chip's. Bytes allocated are
garbage; what an encode keeps must be nothing. Peers decode the same content in the same run.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from revier_bench.image import FIRMWARE_DIR
from revier_bench.measure.payload_size import READINGS
from revier_bench.payload import hours, runtimes
from revier_payload import air_batch
from revier_payload.codec import decode, encode

BUDGET = 150_000
RUNS = 5
RUN_S = 0.3
TIMEOUT_S = 300


def per_second(call: Callable[[], object]) -> float:
    """Of this process's own CPU time; the best of RUNS runs of about RUN_S seconds."""
    best = 0.0
    for _ in range(RUNS):
        count, started = 0, time.process_time()
        while (took := time.process_time() - started) < RUN_S:
            for _ in range(200):
                call()
            count += 200
        best = max(best, count / took)
    return best


def decodes() -> dict[str, float]:
    found = {}
    for name, (port, values) in READINGS.items():
        data = encode(port, {**values})
        found[name] = per_second(lambda port=port, data=data: decode(port, data))  # type: ignore[misc]
    samples = hours.codes(hours.hour(Random(1)))  # noqa: S311 (repeatable)
    batch = air_batch.encode(hours.HEAD, samples, 45)
    found["air_batch (12 readings)"] = per_second(lambda: decode(11, batch))
    return found


def peers() -> dict[str, float]:
    cbor2, msgpack = (importlib.import_module(name) for name in ("cbor2", "msgpack"))
    values = READINGS["air"][1]
    cbor, packed = cbor2.dumps(values), msgpack.packb(values)
    return {
        "CBOR map (C)": per_second(lambda: cbor2.loads(cbor)),
        "MessagePack map (C)": per_second(lambda: msgpack.unpackb(packed)),
    }


def micropython() -> dict[str, dict[str, float]]:
    script = Path(__file__).with_name("codec_timing.py")
    launch = [sys.executable, "-c", runtimes.LAUNCH, "micropython", "-X", "heapsize=8M"]
    done = subprocess.run(
        [*launch, str(script), str(FIRMWARE_DIR)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    found = {}
    for line in done.stdout.splitlines():
        name, took, allocated, kept = line.rsplit(" ", 3)
        found[name] = {"us": float(took), "allocated": int(allocated), "kept": int(kept)}
    return found


def measure() -> dict[str, Any]:
    speeds, theirs, encodes = decodes(), peers(), micropython()
    rows: list[dict[str, Any]] = [
        {"what": f"decode {name}, CPython", "per_second": round(speed)}
        for name, speed in {**speeds, **theirs}.items()
    ]
    rows += [
        {
            "what": f"encode {name}, MicroPython",
            "us": round(cost["us"], 1),
            "bytes_allocated": cost["allocated"],
            "bytes_kept": cost["kept"],
        }
        for name, cost in encodes.items()
    ]
    kept = max(cost["kept"] for cost in encodes.values())
    return {
        "name": "codec-speed",
        "value": round(speeds["air"]),
        "unit": "air readings decoded per second and core",
        "budget": f">= {BUDGET}; an encode keeps no byte",
        "holds": speeds["air"] >= BUDGET and kept <= 0,
        "n": {
            "decodes_per_second": {name: round(speed) for name, speed in speeds.items()},
            "micropython": encodes,
        },
        "peer": {name: round(speed) for name, speed in theirs.items()},
        "rows": rows,
    }
