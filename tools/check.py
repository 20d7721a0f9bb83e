# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Run every static check side by side; print the output of those that fail, then one line each."""

import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parent.parent

CHECKS: dict[str, list[str]] = {
    "types": [str(BIN / "mypy")],
    "types (firmware)": [str(BIN / "mypy"), "--config-file", "firmware/mypy.ini"],
    "format": [str(BIN / "ruff"), "format", "--check", "--quiet", "."],
    "lint": [str(BIN / "ruff"), "check", "--quiet", "."],
    "imports": [str(BIN / "lint-imports"), "--no-logo"],
    "payload": [sys.executable, "tools/payload.py", "--check"],
    "feed": [sys.executable, "tools/feed_schema.py", "--check"],
    "messages": [sys.executable, "tools/messages.py", "--check"],
    "spelling": [str(BIN / "codespell")],
    "tidy": [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_tidy.py"],
}


def link_typings() -> None:
    """Make the board modules' stubs (`machine`, `time`, ...) visible to mypy.

    They lie at the top of site-packages, which mypy refuses as a search path.
    """
    site = next((BIN.parent / "lib").glob("python3*/site-packages"))
    record = next(site.glob("micropython_esp32_stubs-*.dist-info/RECORD")).read_text()
    typings = ROOT / ".build" / "typings"
    shutil.rmtree(typings, ignore_errors=True)
    typings.mkdir(parents=True)
    for top in sorted({line.split(",")[0].split("/")[0] for line in record.splitlines()}):
        if top.endswith(".pyi") or (site / top / "__init__.pyi").exists():
            (typings / top).symlink_to(site / top)


def run(item: tuple[str, list[str]]) -> tuple[str, int, str, float]:
    """Run one check; return its name, exit code, output and seconds."""
    name, command = item
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return name, done.returncode, done.stdout + done.stderr, time.monotonic() - started


def main() -> int:
    """Return 0 when every check is green."""
    link_typings()
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(run, CHECKS.items()))
    failed = [result for result in results if result[1] != 0]
    for name, _, output, _ in failed:
        sys.stdout.write(f"--- {name}\n{output}\n")
    for name, code, _, seconds in results:
        sys.stdout.write(f"{'ok  ' if code == 0 else 'FAIL'} {name} ({seconds:.1f} s)\n")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
