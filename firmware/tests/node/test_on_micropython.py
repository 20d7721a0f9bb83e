# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The checks in checks/ run on the real MicroPython interpreter; here each is one test."""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FIRMWARE = HERE.parents[1]
# run_main() replaces the process that calls it
LAUNCH = "import sys; from micropython_run import run_main; run_main(sys.argv[1:])"
INTERPRETER = (sys.executable, "-c", LAUNCH, "micropython")
CHECK = re.compile(r"^def (check_\w+)", re.MULTILINE)
SCRIPTS = sorted((HERE / "checks").glob("*.py"))
CASES = [
    (script.stem, name)
    for script in SCRIPTS
    for name in CHECK.findall(script.read_text(encoding="utf-8"))
]


@cache
def output(script: str) -> str:
    path = os.pathsep.join(map(str, (HERE / "fakes", HERE / "checks", FIRMWARE, ".frozen")))
    done = subprocess.run(
        [*INTERPRETER, "-X", "heapsize=1M", HERE / "checks" / f"{script}.py"],
        env=os.environ
        | {
            "MICROPYPATH": path,
            "VECTORS": str(HERE / "vectors" / "sensors.json"),
            "FIRMWARE": str(FIRMWARE),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(("script", "name"), CASES)
def test_check(script: str, name: str) -> None:
    said = output(script)
    assert said.endswith("done\n"), said
    assert f"ok {name}\n" in said, said


def test_there_are_checks() -> None:
    assert len(CASES) >= 30
