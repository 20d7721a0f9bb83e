# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from revier_bench.demo.processes import Child, ChildError

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


def test_a_child_is_started_killed_and_started_again(tmp_path: Path) -> None:
    child = Child("sleeper", SLEEPER, tmp_path)
    child.start()
    child.wait_until(lambda: "up" in child.log_tail(), 10)
    child.kill()
    assert not child.running
    child.start()
    assert child.starts == 2
    child.stop()
    assert not child.running


def test_a_child_that_ends_while_starting_shows_its_log(tmp_path: Path) -> None:
    child = Child("broken", [sys.executable, "-c", "raise SystemExit('no config')"], tmp_path)
    child.start()
    with pytest.raises(ChildError, match="no config"):
        child.wait_until(lambda: False, 10)


def test_a_child_that_does_not_come_up_is_named(tmp_path: Path) -> None:
    child = Child("slow", SLEEPER, tmp_path)
    child.start()
    with pytest.raises(ChildError, match="slow is not up"):
        child.wait_until(lambda: False, 0.2)
    child.stop()


def test_a_child_does_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from revier_bench.demo.processes import Child;"
        f"c = Child('orphan', {SLEEPER!r}, Path({str(tmp_path)!r})); c.start();"
        "c.wait_until(lambda: 'up' in c.log_tail(), 10);"
        "print(c._process.pid, flush=True); time.sleep(60)"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    pid = int(supervisor.stdout.readline())
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    deadline = time.monotonic() + 5
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the child lives on"
        time.sleep(0.05)
