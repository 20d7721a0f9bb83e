# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""power-cuts: the shipped store and MAC on MicroPython, the power gone at every write.

firmware/tests/power_cuts tells stories of joins, uplinks, confirmed uplinks, downlinks with data
and MAC commands, sleeps, cold starts, rejoins, new keys and an erased NVS. Each write leaves every
state that a cut could leave: RTC memory torn at every byte or lost, NVS old, new or erased (also
between set and commit), the file old, gone, torn at every byte or new. From each the node goes on,
and a town that forgets nothing looks for what came twice. Three parts:

    tale    one story with everything in it: every cut
    wakes   a parking node from boot to deep sleep (app.run), join to rejoin: every cut
    drawn   stories drawn at random, cuts drawn from all of theirs, until there are enough

Stores that are broken on purpose show that the town would find it.
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
SLICES = 8  # of the parts that are tried whole; one interpreter each
BROKEN = ("late", "forgetful")
BROKEN_SLICES = 24  # the town must notice in one of so many
TIMEOUT_S = 900
# run_main() replaces the process that calls it
LAUNCH = "import sys; from micropython_run import run_main; run_main(sys.argv[1:])"
INTERPRETER = (sys.executable, "-c", LAUNCH, "micropython", "-X", "heapsize=64M")


def drawn(seed: int, wanted: int) -> dict[str, Any]:
    """{"cuts", "kinds", "stories", "resumed", "joined_anew", "no_identity", "faults", "what"}."""
    return on_micropython("cuts.py", seed, wanted)


def tale(part: int, parts: int, fault: str = "") -> dict[str, Any]:
    """Every so-and-so-many-th cut of the story that has everything in it; as drawn()."""
    return on_micropython("cuts.py", "tale", part, parts, *([fault] if fault else []))


def wakes(part: int, parts: int, fault: str = "") -> dict[str, Any]:
    """The same of a node's whole wakes."""
    return on_micropython("wakes.py", part, parts, *([fault] if fault else []))


def on_micropython(script: str, *arguments: int | str) -> dict[str, Any]:
    """A script of firmware/tests/power_cuts: the JSON object of its last line."""
    tests = FIRMWARE / "tests"
    node = (tests / "node" / "fakes", tests / "node" / "checks")
    own = (tests / "power_cuts", tests / "mac")
    rooms = (*node, *own) if script == "wakes.py" else (*own, *node)
    done = subprocess.run(
        [*INTERPRETER, tests / "power_cuts" / script, *map(str, arguments)],
        env=os.environ
        | {
            "MICROPYPATH": os.pathsep.join(map(str, (*rooms, FIRMWARE, ".frozen"))),
            "FIRMWARE": str(FIRMWARE),
        },
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode or not done.stdout:
        raise RuntimeError(f"the story broke off: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(wanted: int = CUTS, slices: range = range(SLICES)) -> dict[str, Any]:
    """Some three minutes of CPU on two cores."""
    started = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        rows = {
            "wakes": total(list(pool.map(lambda part: wakes(part, SLICES), slices))),
            "tale": total(list(pool.map(lambda part: tale(part, SLICES), slices))),
        }
        left = max(2, wanted - sum(row["cuts"] for row in rows.values()))
        rows["drawn"] = total(list(pool.map(lambda seed: drawn(seed, -(-left // 2)), (1, 2))))
        found = pool.map(lambda fault: tale(0, BROKEN_SLICES, fault)["faults"], BROKEN)
        broken = dict(zip(BROKEN, found, strict=True))
    broken["lease"] = wakes(0, 100, "lease")["faults"]
    n = total(list(rows.values()))
    return {
        "name": "power-cuts",
        "value": n["faults"],
        "unit": f"faults in {n['cuts']} cuts",
        "budget": f"0 in >= {CUTS}; the broken stores are found out",
        "holds": not n["faults"]
        and n["cuts"] >= CUTS
        and len(slices) == SLICES
        and all(broken.values()),
        "n": n,
        "peer": {f"store broken on purpose, {name}": faults for name, faults in broken.items()},
        "rows": [{"part": name, **flat(row)} for name, row in rows.items()],
        "seconds": round(time.monotonic() - started, 2),
    }


COUNTED = ("cuts", "stories", "resumed", "joined_anew", "no_identity", "faults")
KINDS = ("rtc_torn", "rtc_lost", "nvs", "nvs_lost", "file")


def total(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Of several interpreters."""
    summed: dict[str, Any] = {name: sum(part[name] for part in parts) for name in COUNTED}
    summed["kinds"] = {kind: sum(part["kinds"].get(kind, 0) for part in parts) for kind in KINDS}
    return summed


def flat(row: dict[str, Any]) -> dict[str, int]:
    """For a table: the kinds of cut beside the rest."""
    return {name: row[name] for name in COUNTED} | dict(row["kinds"])
