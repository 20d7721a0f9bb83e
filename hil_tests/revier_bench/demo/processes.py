# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Child processes that never outlive us: started, watched, killed on purpose, ended cleanly."""

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

STOP_S_MAX = 8.0


class ChildError(RuntimeError):
    """A child ended or did not come up; the message holds the end of its log."""


def _tied(argv: list[str]) -> list[str]:
    """The same command, ended by Linux when this supervisor is gone, however it went."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--", *argv] if setpriv else argv


class Child:
    """One named child process with a log file of its own."""

    def __init__(self, name: str, argv: list[str], log_dir: Path) -> None:
        self.name = name
        self.argv = argv
        self.log_path = log_dir / f"{name}.log"
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it (again); its output is appended to the log."""
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                _tied(self.argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.starts += 1

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL, as a power cut would: nothing of ours runs in it afterwards."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when it has not ended after STOP_S_MAX."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def log_tail(self, lines: int = 15) -> str:
        """The end of the log, for an error message."""
        if not self.log_path.exists():
            return ""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def wait_until(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Wait until ready() is true; ChildError when the child ends first or time runs out."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not self.running:
                raise ChildError(f"{self.name} ended while starting:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise ChildError(
                    f"{self.name} is not up after {timeout_s:.0f} s:\n{self.log_tail()}"
                )
            time.sleep(0.05)
