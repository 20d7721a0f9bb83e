# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Which speed an adapter can do: the fastest first, remembered once it has failed.

Field note: 921600 fails on many CH340 and CP2102 boards and on long cables (esptool issues 182,
255, 435); 115200 works wherever the bootloader answers at all.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from revier_provision import durable_files

BAUDS = (921_600, 460_800, 115_200)
ADAPTERS_MAX = 1_000


class BaudMemory:
    """The speed at which each adapter worked, in a small JSON file; without a path, in memory.

    A file that cannot be read or written costs a slower start, never an error.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._bauds: dict[str, int] = _read(path)

    def ladder(self, adapter: str) -> tuple[int, ...]:
        """The speeds to try, in order."""
        best = self._bauds.get(adapter, BAUDS[0])
        return tuple(baud for baud in BAUDS if baud <= best)

    def remember(self, adapter: str, baud: int) -> None:
        if self._bauds.get(adapter) == baud:
            return
        self._bauds.pop(adapter, None)
        self._bauds[adapter] = baud
        while len(self._bauds) > ADAPTERS_MAX:
            self._bauds.pop(next(iter(self._bauds)))
        if self._path is not None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                durable_files.replace(self._path, json.dumps({"bauds": self._bauds}).encode())
            except OSError:
                return


def default_state_file() -> Path:
    """Where this user's programs keep their state (XDG base directories; Windows: AppData)."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return base / "revier" / "adapters.json"


def _read(path: Path | None) -> dict[str, int]:
    try:
        known = json.loads(path.read_bytes())["bauds"] if path is not None else {}
        return {str(adapter): baud for adapter, baud in known.items() if baud in BAUDS}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
