# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Runs a module of cases (cases.py) on the real MicroPython of the PyPI package.

python firmware/tests/on_micropython.py firmware/tests/mac/mac_frames_cases.py
"""

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent
FIRMWARE = TESTS.parent
HEAP = "8M"  # of the host's 64-bit interpreter; what the chip has is another test's business
TIMEOUT_S = 120


def command(*arguments: str) -> list[str]:
    """A child that is MicroPython: run_main() replaces the process, hence a process of its own."""
    code = "import sys; from micropython_run import run_main; sys.exit(run_main(sys.argv[1:]))"
    return [sys.executable, "-c", code, "micropython", *arguments]


def run(module: Path) -> tuple[int, list[str]]:
    """(exit code, lines) of all cases in a file."""
    paths = [str(FIRMWARE), str(module.parent), str(TESTS)]
    done = subprocess.run(
        command("-X", f"heapsize={HEAP}", str(TESTS / "cases.py"), module.stem, *paths),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        cwd=module.parent,
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


if __name__ == "__main__":
    code, lines = run(Path(sys.argv[1]).resolve())
    print("\n".join(lines))
    sys.exit(code)
