# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A real Mosquitto as a child process, that can be stopped, killed and started again.

REVIER_MOSQUITTO names other programs to run the same tests with, divided by os.pathsep; without it
the installed one is taken.
"""

from __future__ import annotations

import getpass
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gateway.tests import support

from revier_bench.broker import free_port
from revier_bench.mosquitto import programs, version

PERSISTENT = """
persistence true
persistence_location {folder}/
autosave_interval 1
autosave_on_changes true
max_queued_messages 0
"""


def program() -> str:
    """The first one's path; skips the test where none is installed."""
    found = CHOSEN.get("program") or next(iter(programs()), None)
    if found is None:
        pytest.skip(support.MOSQUITTO_MISSING)
    return found


CHOSEN: dict[str, str | None] = {}  # by the fixture each_mosquitto


@pytest.fixture(params=programs() or [None], ids=lambda path: version(path) if path else "none")
def each_mosquitto(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runs once with each program."""
    monkeypatch.setitem(CHOSEN, "program", request.param)


class Mosquitto:
    def __init__(self, folder: Path, conf: str, listener: str = "", port: int = 0) -> None:
        """conf: settings beside listener and log; {folder} stands for its folder."""
        self._program = program()
        self.port = port or free_port()
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        anonymous = "" if "allow_anonymous" in conf else "allow_anonymous true\n"
        text = (
            f"listener {self.port} 127.0.0.1\n{listener}\n{anonymous}log_dest file {folder}/log\n"
            f"user {getpass.getuser()}\n" + conf.format(folder=folder)
        )
        (folder / "mosquitto.conf").write_text(text)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [self._program, "-c", str(self.folder / "mosquitto.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        support.wait_until(lambda: support.answers(self.port), what="Mosquitto does not listen")

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(10)
            self.process = None

    def reload(self) -> None:
        """SIGHUP: its configuration, access lists and certificates again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)


@contextmanager
def running(folder: Path, conf: str, listener: str = "", port: int = 0) -> Iterator[Mosquitto]:
    broker = Mosquitto(folder, conf, listener, port)
    broker.start()
    try:
        yield broker
    finally:
        broker.end()
