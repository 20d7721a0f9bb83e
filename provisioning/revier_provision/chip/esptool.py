# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""esptool as a child process: its arguments, its output line by line, its end.

GPL-2.0-or-later, hence never imported. No argument here is a secret.
"""

from __future__ import annotations

import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import IO

import msgspec

from revier_provision.chip.esptool_words import as_error

COMMAND: tuple[str, ...] = (sys.executable, "-m", "esptool")
SILENCE_S = 120.0  # erasing a large region is the longest that esptool says nothing
LINES_MAX = 2_000
_COLUMNS = "240"  # nothing is wrapped
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

OnLine = Callable[[str], None]


class Ran(msgspec.Struct, frozen=True):
    """How a run ended: exit code and every line, output and errors in their order."""

    code: int
    lines: tuple[str, ...]

    @property
    def at_full_speed(self) -> bool:
        """The chip answered and the speed was raised: what failed then may be the speed's.

        A crash of esptool itself never is.
        """
        if any(line.startswith("Traceback") for line in self.lines):
            return False
        return any(line.startswith("Changing baud rate") for line in self.lines)


def run(arguments: Sequence[str], on_line: OnLine = lambda _: None) -> Ran:
    """Run it to its end. A run that says nothing for SILENCE_S is killed (code -1)."""
    child = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={
            **os.environ,
            "COLUMNS": _COLUMNS,
            "NO_COLOR": "1",
            "TERM": "dumb",
            "PYTHONUNBUFFERED": "1",
            "PYTHONIOENCODING": "utf-8",
        },
    )
    assert child.stdout is not None
    with child:
        try:
            lines = _lines(child.stdout, on_line)
        except BaseException:
            child.kill()
            raise
        if lines is None:
            child.kill()
            return Ran(-1, ("A fatal error occurred: esptool said nothing more.",))
        return Ran(child.wait(), tuple(lines))


def checked(port: str, arguments: Sequence[str], on_line: OnLine = lambda _: None) -> Ran:
    """As run(), for this port; raises BoardError in words if it failed."""
    ran = run(["--port", port, *arguments], on_line)
    if ran.code != 0:
        raise as_error(port, ran.lines)
    return ran


def _lines(output: IO[bytes], on_line: OnLine) -> list[str] | None:
    """Lines up to the end of the output; None if it fell silent."""
    said: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read, args=(output, said), daemon=True, name="esptool").start()
    lines: list[str] = []
    while True:
        try:
            line = said.get(timeout=SILENCE_S)
        except queue.Empty:
            return None
        if line is None:
            return lines
        if len(lines) < LINES_MAX:
            lines.append(line)
        on_line(line)


def _read(output: IO[bytes], said: queue.Queue[str | None]) -> None:
    for raw in output:
        for part in raw.decode("utf-8", "replace").replace("\r", "\n").split("\n"):
            line = _ESCAPES.sub("", part).rstrip()
            if line:
                said.put(line)
    said.put(None)
