# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Bytes alive on MicroPython's heap after each of some steps of code, with the shipped .mpy files.

gc.mem_alloc() after gc.collect(). PyPI's interpreter has words of 64 bits, about twice the chip's.
MicroPython's WebAssembly build from npm has the chip's: 32-bit words, 31-bit small integers. It is
there where firmware/tests/mac/test_wasm.py has installed it beside Node.js;
REVIER_MICROPYTHON_WASM may name its micropython.mjs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from revier_bench import firmware_mpy, image

TIMEOUT_S = 60
HEAP = 1 << 20
SMALL_INT_BITS = {64: (), 32: ("-msmall-int-bits=31",)}
_LAUNCH = "import sys; from micropython_run import run_main; run_main(sys.argv[1:])"
_WASM = ".build/wasm/node_modules/@micropython/micropython-webassembly-pyscript/micropython.mjs"
_RUN_UNIX = """
import gc, sys, json
sys.path[:] = [sys.argv[1] + "/a"]
with open(sys.argv[2]) as file:
    steps = json.load(file)
for step in steps:
    exec(step, globals())
    gc.collect()
    print(gc.mem_alloc())
"""
# A collection waits there until no Python runs.
_RUN_WASM = """
import {{ loadMicroPython }} from "{mjs}";
import fs from "node:fs";
const lines = [];
const mp = await loadMicroPython({{ heapsize: {heap}, stdout: (line) => lines.push(line) }});
const [, , folder, steps] = process.argv;
function copy(name) {{
  if (!fs.statSync(folder + name).isDirectory())
    return mp.FS.writeFile(name, fs.readFileSync(folder + name));
  mp.FS.mkdir(name);
  for (const entry of fs.readdirSync(folder + name)) copy(name + "/" + entry);
}}
copy("/a");
mp.runPython("import gc, sys; sys.path[:] = ['/a']");
for (const step of JSON.parse(fs.readFileSync(steps))) {{
  mp.runPython(step);
  mp.runPython("gc.collect()");
  mp.runPython("gc.collect()");
  mp.runPython("print(gc.mem_alloc())");
}}
console.log(lines.join("\\n"));
"""


def wasm() -> Path | None:
    """micropython.mjs of the npm build, if it and Node.js are there."""
    named = os.environ.get("REVIER_MICROPYTHON_WASM")
    found = Path(named) if named else image.FIRMWARE_DIR.parent / _WASM
    return found if found.exists() and shutil.which("node") else None


def alive(
    names: Iterable[str],
    steps: Sequence[str],
    mjs: Path | None = None,
    beside: Mapping[str, str] | None = None,
) -> list[int]:
    """Bytes after each step; words of 32 bits with `mjs`. RuntimeError with the runner's words.

    names: .mpy files by their path below the slot; beside: sources of modules that the port lacks.
    """
    texts = firmware_mpy.prepared()
    options = firmware_mpy.SHIPPED + SMALL_INT_BITS[32 if mjs else 64]
    with tempfile.TemporaryDirectory(prefix="revier-chip-heap-") as made:
        folder = Path(made)
        (folder / "a").mkdir()
        for name in names:
            target = folder / "a" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_mpy(texts[name], Path(name).name, options))
        for name, source in (beside or {}).items():
            (folder / "a" / name).write_text(source)
        (folder / "steps.json").write_text(json.dumps(steps))
        return _run(folder, mjs, len(steps))


_mpy = cache(firmware_mpy.mpy)


def _run(folder: Path, mjs: Path | None, count: int) -> list[int]:
    if mjs is None:
        (folder / "run.py").write_text(_RUN_UNIX)
        command = [sys.executable, "-c", _LAUNCH, "micropython", "-X", f"heapsize={HEAP}"]
        script = folder / "run.py"
    else:
        script = folder / "run.mjs"
        script.write_text(_RUN_WASM.format(mjs=mjs.resolve(), heap=HEAP))
        command = ["node"]
    done = subprocess.run(
        [*command, str(script), str(folder), str(folder / "steps.json")],
        capture_output=True, text=True, check=False, timeout=TIMEOUT_S,
    )  # fmt: skip
    lines = done.stdout.split()
    if done.returncode != 0 or len(lines) != count or not all(x.isdigit() for x in lines):
        raise RuntimeError(f"heap: {(done.stdout + done.stderr).strip()[-1000:]}")
    return [int(line) for line in lines]
