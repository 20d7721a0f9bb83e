# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""signature-time: one verification of an update's signature on the MicroPython interpreter.

The shipped ed25519 and sha512 modules, as .mpy, verify manifests that `cryptography` has signed
with keys drawn at random, and refuse each with one bit turned. The interpreter is the host's: not a
chip. In the same run and interpreter, RFC 8032's own way (6: double and add, one scalar after the
other) over the same SHA-512; and outside of it cryptography's verification in C.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from revier_bench import firmware_mpy
from revier_provision.update.manifest import Manifest

BUDGET_S = 0.25
SIGNATURES = 20
NAIVE = 3
TIMEOUT_S = 300
NOT_A_CHIP = "the host's interpreter, not a chip"
_MODULES = ("revier_node/ed25519.mpy", "revier_node/sha512.mpy")
# run_main() replaces the process that calls it
_LAUNCH = "import sys; from micropython_run import run_main; run_main(sys.argv[1:])"
_PROGRAM = """
import json, sys, time
from binascii import unhexlify
from revier_node import ed25519 as ed, sha512
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
BASE = ed._decoded(b"\\x58" + 31 * b"\\x66")  # y = 4/5
D = (P - 121665) * pow(121666, P - 2, P) % P

def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P

def times(s, p):
    q = (0, 1, 1, 0)
    while s > 0:
        if s & 1:
            q = add(q, p)
        p = add(p, p)
        s >>= 1
    return q

def naive(public, message, signature):
    a, r = ed._decoded(public), ed._decoded(signature[:32])
    h = int.from_bytes(sha512.digest(signature[:32] + public + message), "little") % L
    left, right = times(int.from_bytes(signature[32:], "little"), BASE), add(r, times(h, a))
    return not ((left[0] * right[2] - right[0] * left[2]) % P
        or (left[1] * right[2] - right[1] * left[2]) % P)

def turned(signature, bit):
    changed = bytearray(signature)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)

def timed(verify, cases):
    times_us, taken = [], 0
    for case in cases:
        started = time.ticks_us()
        taken += verify(*case)
        times_us.append(time.ticks_diff(time.ticks_us(), started))
    return times_us, taken

with open(sys.argv[1]) as file:
    cases = [[unhexlify(part) for part in case] for case in json.load(file)]
own_us, taken = timed(ed.verify, cases)
naive_us, naive_taken = timed(naive, cases[:NAIVE])
wrong = sum(ed.verify(a, m, turned(s, 37 * i % 512)) for i, (a, m, s) in enumerate(cases))
print(json.dumps([own_us, taken, naive_us, naive_taken, wrong]))
""".replace("NAIVE", str(NAIVE))


Case = tuple[bytes, bytes, bytes]  # public key, message, signature


def cases(count: int = SIGNATURES, seed: int = 25519) -> list[Case]:
    chance = Random(seed)  # noqa: S311 - repeatable by design
    made = []
    for _ in range(count):
        key = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        manifest = Manifest(version=(1, 2, 3), size=90_000, tree_sha256=chance.randbytes(32))
        data = manifest.pack()
        made.append((key.public_key().public_bytes_raw(), data, key.sign(data)))
    return made


def on_micropython(signed: list[Case]) -> tuple[list[int], int, list[int], int, int]:
    """(us of each, how many were taken, the same of the naive way, wrong ones that were taken)"""
    compiled = firmware_mpy.compiled()
    with tempfile.TemporaryDirectory(prefix="revier-signature-time-") as name:
        folder = Path(name)
        (folder / "revier_node").mkdir()
        for module in _MODULES:
            (folder / module).write_bytes(compiled[module])
        (folder / "cases.json").write_text(json.dumps([[p.hex() for p in c] for c in signed]))
        (folder / "program.py").write_text(_PROGRAM)
        interpreter = (sys.executable, "-c", _LAUNCH, "micropython", "-X", "heapsize=8M")
        done = subprocess.run(
            [*interpreter, str(folder / "program.py"), str(folder / "cases.json")],
            env={**os.environ, "MICROPYPATH": f"{folder}:.frozen"},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
    if done.returncode or not done.stdout.startswith("["):
        raise RuntimeError(f"signature-time: {done.stdout[-500:]}{done.stderr[-500:]}")
    own_us, taken, naive_us, naive_taken, wrong = json.loads(done.stdout.splitlines()[-1])
    return own_us, taken, naive_us, naive_taken, wrong


def in_c_us(signed: list[Case]) -> list[float]:
    """Of cryptography, keys read each time as the board reads them."""
    from revier_provision.update.manifest import is_signed

    found = []
    for public, message, signature in signed:
        started = time.perf_counter()
        assert is_signed(message, signature, public)
        found.append((time.perf_counter() - started) * 1e6)
    return found


def summary(
    own: tuple[list[int], int, list[int], int, int], c_us: list[float], count: int
) -> dict[str, Any]:
    own_us, taken, naive_us, naive_taken, wrong = own
    seconds = statistics.median(own_us) / 1e6
    naive_s, c_s = statistics.median(naive_us) / 1e6, statistics.median(c_us) / 1e6
    right = taken == count and naive_taken == len(naive_us) and not wrong
    return {
        "name": "signature-time",
        "value": round(seconds, 4),
        "unit": f"s for one verification ({NOT_A_CHIP})",
        "budget": f"<= {BUDGET_S}",
        "holds": seconds <= BUDGET_S and right,
        "n": {
            "verified": taken,
            "signatures": count,
            "wrong_taken": wrong,
            "slowest_s": round(max(own_us) / 1e6, 4),
        },
        "peer": {
            "double and add, in the same interpreter": f"{naive_s:.4f} s",
            "cryptography, in C": f"{c_s:.6f} s",
        },
        "rows": [
            {"how": "revier_node.ed25519 (MicroPython)", "seconds": f"{seconds:.4f}"},
            {"how": "double and add (MicroPython)", "seconds": f"{naive_s:.4f}"},
            {"how": "cryptography (C)", "seconds": f"{c_s:.6f}"},
        ],
    }


def measure() -> dict[str, Any]:
    """About five seconds."""
    signed = cases()
    return summary(on_micropython(signed), in_c_us(signed), len(signed))
