# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Messages in, one line for each out, from each runtime that decodes payloads.

A message is ("up" or "down", fPort, bytes).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import quickjs

from revier_bench.image import FIRMWARE_DIR
from revier_payload.codec import decode, decode_downlink
from revier_payload.line import line_of

Message = tuple[str, int, bytes]

HERE = Path(__file__).parent
CODEC_FILE = FIRMWARE_DIR / "revier_payload" / "codec.js"
TIMEOUT_S = 600
HEAP = "32M"
LAUNCH = "import sys; from micropython_run import run_main; sys.exit(run_main(sys.argv[1:]))"
_NODE = "process.stdout.write({call}(require('fs').readFileSync(0, 'utf8')))"


def script() -> str:
    return CODEC_FILE.read_text(encoding="utf-8") + (HERE / "lines.js").read_text(encoding="utf-8")


def text_of(messages: Sequence[Message]) -> str:
    return "".join(f"{way} {port} {data.hex()}\n" for way, port, data in messages)


def cpython(messages: Sequence[Message]) -> list[str]:
    return [
        line_of((decode if way == "up" else decode_downlink)(port, data))
        for way, port, data in messages
    ]


def micropython(messages: Sequence[Message]) -> list[str]:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(text_of(messages))
        file.flush()
        command = [sys.executable, "-c", LAUNCH, "micropython", "-X", f"heapsize={HEAP}"]
        command += [str(HERE / "lines.py"), str(FIRMWARE_DIR), file.name]
        return _output(command, "")


def in_quickjs(messages: Sequence[Message], call: str = "linesOf") -> list[str]:
    context = quickjs.Context()
    context.eval(script())
    return str(context.get(call)(text_of(messages))).split("\n")


def in_node(messages: Sequence[Message], call: str = "linesOf") -> list[str]:
    return _output(["node", "-e", script() + _NODE.format(call=call)], text_of(messages))


def has_node() -> bool:
    return shutil.which("node") is not None


def runtimes() -> dict[str, Callable[[Sequence[Message]], list[str]]]:
    """Those that this machine has; CPython is the first."""
    found: dict[str, Callable[[Sequence[Message]], list[str]]] = {
        "CPython": cpython,
        "MicroPython": micropython,
        "QuickJS": in_quickjs,
    }
    if has_node():
        found["Node.js"] = in_node
    return found


def _output(command: list[str], text: str) -> list[str]:
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:] or done.stdout[-2000:])
    return done.stdout.rstrip("\n").split("\n")
