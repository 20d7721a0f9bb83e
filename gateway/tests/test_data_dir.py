# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One writer; a schema that only goes forward, with a copy from before; copies and their return."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from gateway.tests import support
from gateway.tests.support import air_payload, uplink
from gateway.tests.test_service import events, gateway, ids, online
from iotcore import Broker
from typer.testing import CliRunner

from revier_bench.broker import free_port
from revier_gateway import backup, store_schema
from revier_gateway.cli import app
from revier_gateway.data_dir import FILE_NAME, RESTORING_NAME, DataDirBusyError, DataDirError
from revier_gateway.doctor.broker import write_marks
from revier_gateway.mqtt.link import Message
from revier_gateway.outcomes import FeedMessage
from revier_gateway.pipeline import Pipeline
from revier_gateway.store import Store
from revier_gateway.work import QuarantineRow, Work

NOBODY = 65534


def fill(store: Store, count: int, first: int = 0) -> None:
    work = Work(store)
    work.outbox += [FeedMessage(f"t/{first + n}", b"x" * 300, "obs", "a", n) for n in range(count)]
    store.commit(work)


def topics(store: Store) -> list[str]:
    return [row.topic for row in store.outbox_after(0, 10_000)]


def newest_schema() -> int:
    return max(store_schema.schema_files())


# -- one writer


def test_two_gateways_never_share_a_folder(tmp_path: Path) -> None:
    first = Store(tmp_path)
    with pytest.raises(DataDirBusyError, match="works there already"):
        Store(tmp_path)
    first.abandon()
    Store(tmp_path).close()


def test_the_second_gateway_names_the_first(broker: Broker, tmp_path: Path) -> None:
    config = support.gateway_toml(tmp_path, broker.port, broker.port)
    with gateway(config) as first:
        support.wait_until(lambda: "subscribed" in (tmp_path / "gateway.log").read_text())
        done = subprocess.run(
            [sys.executable, "-m", "revier_gateway.cli", "run", "-c", str(config)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 2
        assert f"process {first.pid} works there already" in done.stderr
        assert "Traceback" not in done.stderr
    Store(tmp_path / "data").close()  # a killed gateway leaves no lock


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirError, match="data_dir"):
        Store(tmp_path / "file" / "data")


@pytest.mark.parametrize(
    "content", [b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 4080]
)
def test_a_damaged_database_is_said_with_its_cure(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(DataDirError, match="revier-gateway restore"):
        Store(tmp_path)
    with pytest.raises(DataDirError):
        Store(tmp_path)  # the lock was given back: not busy


# -- the schema


def with_later_schema(monkeypatch: pytest.MonkeyPatch, script: str) -> int:
    known = store_schema.schema_files()
    later = max(known) + 1
    monkeypatch.setattr(store_schema, "schema_files", lambda: {**known, later: script})
    return later


def test_an_upgrade_keeps_a_copy_from_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    fill(store, 3)
    store.abandon()
    before = newest_schema()
    assert not list(tmp_path.glob("*.schema-*"))
    later = with_later_schema(monkeypatch, "ALTER TABLE message ADD COLUMN more TEXT;")
    store = Store(tmp_path)
    assert store_schema.version_of(store.database) == later
    assert topics(store) == ["t/0", "t/1", "t/2"]
    store.close()
    copy = store_schema.before_upgrade(tmp_path / FILE_NAME, before)
    with closing(sqlite3.connect(copy)) as db:
        assert store_schema.version_of(db) == before
        assert db.execute("SELECT count(*) FROM outbox").fetchone() == (3,)


def test_an_upgrade_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    fill(store, 3)
    store.close()
    with monkeypatch.context() as later:
        with_later_schema(later, "ALTER TABLE message ADD COLUMN more TEXT; CREATE TABLE seen (a);")
        with pytest.raises(DataDirError, match="already exists"):
            Store(tmp_path)
    store = Store(tmp_path)
    assert topics(store) == ["t/0", "t/1", "t/2"]
    store.close()


def test_a_newer_database_is_refused_and_the_copy_from_before_is_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    fill(store, 3)
    store.close()
    with monkeypatch.context() as later:
        with_later_schema(later, "ALTER TABLE message ADD COLUMN more TEXT;")
        Store(tmp_path).close()
    with pytest.raises(DataDirError, match="newer revier-gateway") as caught:
        Store(tmp_path)
    cure = Path(str(caught.value).rsplit("revier-gateway restore ", 1)[1])
    backup.restore(cure, tmp_path)
    store = Store(tmp_path)
    assert topics(store) == ["t/0", "t/1", "t/2"]
    store.close()


# -- copies


def test_a_copy_while_a_writer_writes_is_one_moment(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    fill(store, 100)
    copied = backup.backup(tmp_path / "data", tmp_path / "copy")
    fill(store, 100, first=100)
    assert (copied.waiting, copied.quarantine, copied.schema) == (100, 0, newest_schema())
    store.abandon()
    shutil.rmtree(tmp_path / "data")
    backup.restore(tmp_path / "copy", tmp_path / "data")
    store = Store(tmp_path / "data")
    assert topics(store) == [f"t/{n}" for n in range(100)]
    store.close()


def test_restore_sets_the_old_database_aside_with_its_log(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    fill(store, 1)
    backup.backup(tmp_path / "data", tmp_path / "copy")
    fill(store, 1, first=1)
    wal = tmp_path / "data" / f"{FILE_NAME}-wal"
    kept_wal = wal.read_bytes()
    store.abandon()  # SQLite checkpoints on the last close; a kill would leave the log:
    wal.write_bytes(kept_wal)
    restored = backup.restore(tmp_path / "copy", tmp_path / "data")
    assert not wal.exists()
    assert Path(f"{restored.replaced}-wal").read_bytes() == kept_wal
    store = Store(tmp_path / "data")
    assert topics(store) == ["t/0"]
    store.close()
    with closing(sqlite3.connect(restored.replaced)) as db:
        assert db.execute("SELECT count(*) FROM outbox").fetchone() == (2,)


def test_restore_refuses_while_a_gateway_holds_the_folder(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    fill(store, 1)
    backup.backup(tmp_path / "data", tmp_path / "copy")
    with pytest.raises(DataDirBusyError):
        backup.restore(tmp_path / "copy", tmp_path / "data")
    assert topics(store) == ["t/0"]
    store.close()


@pytest.mark.parametrize("damage", ["missing", "text", "cut", "foreign", "newer"])
def test_restore_takes_sound_copies_only(tmp_path: Path, damage: str) -> None:
    store = Store(tmp_path / "data")
    fill(store, 200)
    copy = tmp_path / "copy"
    backup.backup(tmp_path / "data", copy)
    store.close()
    if damage == "missing":
        copy.unlink()
    elif damage == "text":
        copy.write_text("hello" * 1000)
    elif damage == "cut":
        copy.write_bytes(copy.read_bytes()[: copy.stat().st_size // 2])
    elif damage == "foreign":
        copy.unlink()
        with closing(sqlite3.connect(copy)) as db:
            db.execute("CREATE TABLE other (a)")
    else:
        with closing(sqlite3.connect(copy)) as db:
            db.execute("PRAGMA user_version = 9999")
    with pytest.raises(DataDirError):
        backup.restore(copy, tmp_path / "data")
    store = Store(tmp_path / "data")
    assert len(topics(store)) == 200
    store.close()


def test_an_interrupted_restore_is_not_taken_for_a_database(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    fill(store, 1)
    backup.backup(tmp_path / "data", tmp_path / "copy")
    store.close()
    (tmp_path / "data" / FILE_NAME).rename(tmp_path / "data" / RESTORING_NAME)
    with pytest.raises(DataDirError, match="interrupted"):
        Store(tmp_path / "data")
    backup.restore(tmp_path / "copy", tmp_path / "data")
    Store(tmp_path / "data").close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for another user")
def test_what_root_restores_is_the_gateways_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under systemd the folder is the service user's, and the operator who restores is root."""
    data_dir, copy = tmp_path / "data", tmp_path / "copy"
    data_dir.mkdir()
    os.chown(data_dir, NOBODY, NOBODY)
    store = Store(data_dir)
    fill(store, 3)
    store.close()
    os.chown(data_dir / FILE_NAME, NOBODY, NOBODY)
    backup.backup(data_dir, copy)
    backup.restore(copy, data_dir)
    before = newest_schema()
    with_later_schema(monkeypatch, "CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT;")
    write_marks(data_dir, {"feed": 1.0})
    Store(data_dir).close()
    owner_of = {path.name: path.stat().st_uid for path in data_dir.iterdir()}
    assert {FILE_NAME, "lock", "doctor.json", f"{FILE_NAME}.schema-{before:04}"} <= set(owner_of)
    assert set(owner_of.values()) == {NOBODY}
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_a_copy_never_overwrites(tmp_path: Path) -> None:
    Store(tmp_path / "data").close()
    (tmp_path / "copy").write_text("mine")
    with pytest.raises(DataDirError, match="exists"):
        backup.backup(tmp_path / "data", tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "mine"


def test_backup_under_load_then_the_host_is_lost(broker: Broker, tmp_path: Path) -> None:
    """The feed cannot be reached; the gateway takes events; a copy; then everything is deleted."""
    host, other = tmp_path / "host", tmp_path / "other"
    host.mkdir()
    config = support.gateway_toml(host, broker.port, free_port())
    made = events(400)
    with gateway(config) as process:
        support.wait_until(lambda: "subscribed" in (host / "gateway.log").read_text())
        support.publish(broker.port, made[:201])
        support.wait_until(lambda: _published(host) == 200)
        result = CliRunner().invoke(
            app, ["backup", str(tmp_path / "copy"), "-c", str(config), "--json"]
        )
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["waiting"] >= 200
        refused = CliRunner().invoke(app, ["restore", str(tmp_path / "copy"), "-c", str(config)])
        assert (refused.exit_code, "works there already" in refused.output) == (2, True)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    shutil.rmtree(host)
    other.mkdir()
    config = support.gateway_toml(other, broker.port, broker.port)
    done = CliRunner().invoke(app, ["restore", str(tmp_path / "copy"), "-c", str(config)])
    assert done.exit_code == 0, done.output
    with support.listening(broker.port, "revier/v1/#") as listener, gateway(config):
        support.wait_until(lambda: online(listener))
        support.publish(broker.port, made)  # the broker or ChirpStack repeats some
        support.wait_until(lambda: len(ids(listener)) == 400)
    assert sorted(message["seq"] for message in listener.of_kind("obs")) == list(range(100, 500))


def _published(host: Path) -> int:
    with closing(sqlite3.connect(host / "data" / FILE_NAME)) as db:
        sql = "SELECT value FROM counters WHERE name = 'published.readings'"
        row = db.execute(sql).fetchone()
    return row[0] if row else 0


def test_quarantine_commands_read_without_writing(tmp_path: Path, pipeline: Pipeline) -> None:
    """A command of a newer program does not take a running gateway's database over."""
    config = support.gateway_toml(tmp_path, 1, 1)
    store = Store(tmp_path / "data")
    work = Work(store)
    work.quarantine.append(QuarantineRow("", "source", "bad_json", "", "t", b"{"))
    pipeline.handle(Message(support.topic(), support.to_bytes(uplink(air_payload(1)))), work)
    store.commit(work)
    changes = store.database.total_changes
    (before,) = store.database.execute("PRAGMA data_version").fetchone()
    listed = CliRunner().invoke(app, ["quarantine", "list", "-c", str(config), "--json"])
    assert [row["reason"] for row in json.loads(listed.stdout)] == ["bad_json"]
    assert store.database.execute("PRAGMA data_version").fetchone() == (before,)
    assert store.database.total_changes == changes
    store.close()
