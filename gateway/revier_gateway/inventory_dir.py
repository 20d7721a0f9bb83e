# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The inventory's folder: read at start and whenever a file changes."""

from __future__ import annotations

from pathlib import Path

from revier_inventory import FILE_NAMES, Inventory, InventoryError, load


def read(folder: Path) -> Inventory:
    """Raises InventoryError, or OSError where the folder cannot be read."""
    files = {
        name: (folder / name).read_text("utf-8") for name in FILE_NAMES if (folder / name).exists()
    }
    return load(files)


class Watch:
    """Tells when the files changed since the last look."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamps = self._look()

    def changed(self) -> bool:
        stamps = self._look()
        if stamps == self._stamps:
            return False
        self._stamps = stamps
        return True

    def _look(self) -> list[tuple[str, int, int]]:
        stamps = []
        for name in FILE_NAMES:
            try:
                stat = (self._folder / name).stat()
            except OSError:
                continue
            stamps.append((name, stat.st_mtime_ns, stat.st_size))
        return stamps


__all__ = ["InventoryError", "Watch", "read"]
