# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The write-ahead log is moved to its place by a thread, so that no batch waits for it.

SQLite's own check-point comes with a commit and flushes thousands of pages: each second or so a
batch waited 30 to 70 ms (1,000 uplinks/s). A passive check-point of another connection holds up no
writer. But the log begins anew only when all of it has been moved, and a writer that never rests
always has more: so when it is long the last few pages are moved between two batches.
"""

from __future__ import annotations

import contextlib
import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

# Pages are of 4 KiB. How many a commit adds is estimated (measured: 9 for 5 uplinks, 346 for
# 1,000); that only decides how often we move.
MOVE_PAGES = 2_000
PAGES_PER_COMMIT = 8
PAGES_OF_A_BATCH_MAX = 500
LOG_PAGES_MAX = 8_000  # 32 MB
MOVE = "PRAGMA wal_checkpoint(PASSIVE)"


class Log:
    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        """db: the writer's."""
        self._db = db
        self._path = path
        self._mover: ThreadPoolExecutor | None = None
        self._own: sqlite3.Connection | None = None
        self._moving: Future[int] | None = None
        self._pages = 0

    def grew(self, rows: int) -> None:
        """A batch was committed that wrote about so many rows."""
        self._pages += PAGES_PER_COMMIT + min(rows, PAGES_OF_A_BATCH_MAX)
        if self._moving is not None:
            if not self._moving.done() and self._pages < LOG_PAGES_MAX:
                return  # on a disk so slow that it is more, wait
            is_long = self._moving.result() > LOG_PAGES_MAX
            self._moving = None
            if is_long:
                self.reuse()
        if self._pages >= MOVE_PAGES:
            self._pages = 0
            if self._mover is None:
                self._mover = ThreadPoolExecutor(1, "revier.gateway.log")
            self._moving = self._mover.submit(self._move)

    def reuse(self) -> None:
        """What the log still holds goes to its place, as far as there is one; then the next
        transaction may begin the log anew and needs no room for it."""
        if self._moving is not None:
            self._moving.result()
        with contextlib.suppress(sqlite3.OperationalError):
            self._db.execute(MOVE)

    def close(self) -> None:
        if self._mover is not None:
            self._mover.shutdown()
        if self._own is not None:
            self._own.close()

    def _move(self) -> int:
        """Returns the log's length in pages; 0 where the disk does not take it."""
        if self._own is None:
            self._own = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            _, pages, _ = self._own.execute(MOVE).fetchone()
            if pages > LOG_PAGES_MAX:  # what came meanwhile: the writer is to find little
                self._own.execute(MOVE)
        except sqlite3.OperationalError:
            return 0
        return int(pages)
