# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""power-cuts: the shipped store and MAC on MicroPython, the power gone at every write.

firmware/tests/power_cuts tells stories of joins, uplinks, downlinks, confirmed uplinks, sleeps,
rejoins, new keys and an erased NVS. Each write leaves the states that a cut could leave: RTC memory
torn at drawn bytes or lost, NVS old, new or erased (also between set and commit), the file old,
torn, new or gone. From each the node goes on, and a town that forgets nothing looks for what came
twice. Two stores that are broken on purpose show that it would find it.
"""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import revier_mac

CUTS = 100_000
FIRMWARE = Path(revier_mac.__file__).parents[1]
BROKEN = {"late": 500, "forgetful": 5_000}  # cuts within which the town must notice
TIMEOUT_S = 900
# run_main() replaces the process that calls it
LAUNCH = "import sys; from micropython_run import run_main; run_main(sys.argv[1:])"
INTERPRETER = (sys.executable, "-c", LAUNCH, "micropython", "-X", "heapsize=64M")


def cuts(seed: int, wanted: int, fault: str = "") -> dict[str, Any]:
    """One interpreter: {"cuts", "stories", "resumed", "joined_anew", "no_identity", "faults"}."""
    return on_micropython("cuts.py", seed, wanted, *([fault] if fault else []))


def on_micropython(script: str, *arguments: int | str) -> dict[str, Any]:
    """A script of firmware/tests/power_cuts: the JSON object of its last line."""
    tests = FIRMWARE / "tests"
    rooms = (tests / "power_cuts", tests / "mac", tests / "node" / "fakes", FIRMWARE, ".frozen")
    done = subprocess.run(
        [*INTERPRETER, tests / "power_cuts" / script, *map(str, arguments)],
        env=os.environ | {"MICROPYPATH": os.pathsep.join(map(str, rooms))},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode or not done.stdout:
        raise RuntimeError(f"the story broke off: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(wanted: int = CUTS) -> dict[str, Any]:
    """About a minute of CPU on each of two cores."""
    started = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(lambda seed: cuts(seed, wanted // 2), (1, 2)))
        broken = dict(
            zip(BROKEN, pool.map(lambda f: cuts(1, BROKEN[f], f)["faults"], BROKEN), strict=True)
        )
    names = ("cuts", "stories", "resumed", "joined_anew", "no_identity", "faults")
    n = {name: sum(part[name] for part in parts) for name in names}
    return {
        "name": "power-cuts",
        "value": n["faults"],
        "unit": f"faults in {n['cuts']} cuts",
        "budget": f"0 in >= {CUTS}; the broken stores are found out",
        "holds": not n["faults"] and n["cuts"] >= CUTS and all(broken.values()),
        "n": n,
        "peer": {f"store broken on purpose, {name}": faults for name, faults in broken.items()},
        "rows": [{"seed": seed, **parts[i]} for i, seed in enumerate((1, 2))],
        "seconds": round(time.monotonic() - started, 2),
    }
