# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Files with secrets: keys and tokens."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

from revier_inventory.message import _
from revier_provision.errors import OrderError, cannot_read


def private_bytes(path: Path) -> bytes:
    """A secret's file, which nobody else on this machine may read."""
    try:
        data = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        raise cannot_read(path, error, _("Correct the path")) from None
    if sys.platform != "win32" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise OrderError(
            "Others on this machine can read {path}", "Run: chmod 600 {path}", path=path
        )
    return data
