# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""downlink-fuzz: 10^6 downlinks against the MAC, and how many of them broke what must hold.

Half have a right MIC and random commands in FOpts or on port 0, half are mutations of valid frames
(downlink_fuzzer.py). Two processes on CPython with the AES of `cryptography`; the same file runs
on MicroPython in the tests.
"""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from revier_bench.measure import downlink_fuzzer

FRAMES = 1_000_000
PROCESSES = 2
SEEDS_APART = 1_000_000  # more than a process has rounds


class Aes:
    """What the MAC wants of a cipher: one block, ECB, in place allowed."""

    def __init__(self, key: bytes) -> None:
        self._ecb = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - LoRaWAN's

    def encrypt(self, source: bytearray, target: bytearray) -> None:
        target[:] = self._ecb.update(bytes(source))


def measure(frames: int = FRAMES) -> dict[str, Any]:
    """About two minutes."""
    started = time.monotonic()
    counts: dict[str, int] = {}
    failures: list[str] = []
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(PROCESSES, context) as pool:
        share = frames // PROCESSES
        futures = [
            pool.submit(downlink_fuzzer.run, Aes, SEEDS_APART * i, share) for i in range(PROCESSES)
        ]
        for future in futures:
            one, failed = future.result()
            failures += failed
            counts = {name: counts.get(name, 0) + count for name, count in one.items()}
    return result(counts, failures, frames, time.monotonic() - started)


def result(
    counts: dict[str, int], failures: list[str], frames: int, seconds: float
) -> dict[str, Any]:
    """Holds if all frames were tried, both halves are there, and none failed."""
    halves = min(counts["right_mic"], counts["wrong_mic"]) > 0.45 * frames
    return {
        "name": "downlink-fuzz",
        "value": len(failures),
        "unit": "failures",
        "budget": f"0 in {FRAMES:,} downlinks",
        "holds": not failures and halves and counts["frames"] >= frames - PROCESSES,
        "n": counts,
        "seconds": round(seconds, 2),
        "peer": {"frames_per_s": round(counts["frames"] / seconds)},
        "rows": [{"failure": failure} for failure in failures]
        or [{"frames": name, "count": count} for name, count in counts.items()],
    }
