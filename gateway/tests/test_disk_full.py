# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A disk that is really full (a small tmpfs) or read-only: nothing acknowledged, nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway.tests import support
from gateway.tests.test_service import events, gateway, ids, online
from iotcore import Broker
from typer.testing import CliRunner

from revier_gateway import store_log
from revier_gateway.cli import app
from revier_gateway.data_dir import DataDirError
from revier_gateway.outcomes import FeedMessage
from revier_gateway.store import Store, StoreError
from revier_gateway.work import Work

MB = 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here: run as root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def rows(count: int) -> list[FeedMessage]:
    return [FeedMessage(f"t/{n}", b"x" * 1000, "obs", "a", n) for n in range(count)]


def fill_up(store: Store) -> int:
    """Until the disk is full; returns the rows that were taken."""
    taken = 0
    while True:
        work = Work(store)
        work.outbox += rows(100)
        try:
            store.commit(work)
        except StoreError:
            return taken
        taken += 100


def test_what_was_taken_before_the_disk_was_full_is_there(small_disk: Path) -> None:
    store = Store(small_disk)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(MB))
    taken = fill_up(store)
    assert taken > 0
    assert store.outbox_rows() == taken
    ballast.unlink()
    more = fill_up(store)
    assert more > 0
    store.abandon()
    again = Store(small_disk)
    assert again.outbox_rows() == taken + more
    again.abandon()


def test_with_a_reserve_a_full_disk_empties_itself(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taking stops at the reserve; what the feed has sent can be forgotten and makes room. As small
    as the disk is the write-ahead log; the reserve has room for it twice."""
    monkeypatch.setattr(store_log, "MOVE_PAGES", 50)
    monkeypatch.setattr(store_log, "LOG_PAGES_MAX", 100)
    store = Store(small_disk, reserve_bytes=MB)
    taken = 0
    while True:
        try:
            store.check_room()
        except StoreError:
            break
        work = Work(store)
        work.outbox += rows(100)
        store.commit(work)
        taken += 100
    cursor = 0
    while batch := store.outbox_after(cursor, 50):
        cursor = batch[-1].id
        store.done([row.id for row in batch])
        store.settle()
    assert store.outbox_rows() == 0
    assert taken >= 500
    store.close()


def test_the_gateway_on_a_full_disk(small_disk: Path, broker: Broker, tmp_path: Path) -> None:
    """It says so in log and status, the broker keeps the events, and with room they all come."""
    config = support.gateway_toml(tmp_path, broker.port, broker.port)
    text = config.read_text().replace('data_dir = "data"', f'data_dir = "{small_disk / "data"}"')
    config.write_text(text.replace("[source]", "disk_reserve_mb = 0\n[source]", 1))
    ballast = small_disk / "ballast"
    with support.listening(broker.port, "revier/v1/#") as listener, gateway(config):
        support.wait_until(lambda: online(listener))
        free = 4 * MB - sum(file.stat().st_size for file in small_disk.rglob("*"))
        ballast.write_bytes(bytes(free - 16 * 1024))
        made = events(300)
        support.publish(broker.port, made)
        support.wait_until(lambda: "full" in listener.of_kind("status")[-1].get("problem", ""))
        full = CliRunner().invoke(app, ["backup", str(small_disk / "copy"), "-c", str(config)])
        assert (full.exit_code, "Make room" in full.output) == (4, True)
        assert len(ids(listener)) < 300
        ballast.unlink()
        support.wait_until(lambda: len(ids(listener)) == 300)
        support.wait_until(lambda: "problem" not in listener.of_kind("status")[-1])
    assert list(ids(listener).values()) == [1] * 300
    log = [json.loads(line) for line in (tmp_path / "gateway.log").read_text().splitlines()]
    said = [entry["event"] for entry in log if entry["level"] == "error"]
    assert said == ["the store does not take it: nothing is acknowledged"]


def test_a_full_disk_at_the_start(small_disk: Path, tmp_path: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(4 * MB - 8192))
    with pytest.raises(DataDirError, match="Make room"):
        Store(small_disk)


def test_a_read_only_disk_at_the_start(small_disk: Path, tmp_path: Path) -> None:
    config = support.gateway_toml(tmp_path, 1, 1)
    data_dir = small_disk / "data"
    config.write_text(config.read_text().replace('"data"', f'"{data_dir}"'))
    Store(data_dir).close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = subprocess.run(
        [sys.executable, "-m", "revier_gateway.cli", "run", "-c", str(config)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (4, False)
    assert "Read-only file system" in done.stderr
    listed = CliRunner().invoke(app, ["quarantine", "list", "-c", str(config)])
    assert listed.exit_code == 2
