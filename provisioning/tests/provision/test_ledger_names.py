# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A technician's name is forgotten after its deadline, and the chain of records does not notice."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from revier_provision import cli
from revier_provision.errors import OrderError
from revier_provision.ledger import files as ledger_files
from revier_provision.ledger import names as ledger_names
from revier_provision.ledger.files import LedgerFolder, verify
from revier_provision.ledger.records import Entry

MAY = datetime(2026, 5, 20, 8, tzinfo=UTC)


def work(folder: Path, at: datetime, by: str = "Änne Example", station: str = "desk") -> str:
    """One record; returns the name as its reader sees it."""
    ledger = LedgerFolder(folder, station, by, lambda: at)
    return ledger.append(lambda _: Entry(at=at, by=by, event="provisioned")).by


def run(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(cli.app, ["ledger", *words])
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.output


def test_no_name_is_in_the_chain_and_the_reader_sees_it(tmp_path: Path) -> None:
    assert work(tmp_path, MAY) == "Änne Example"
    assert "Example" not in (tmp_path / "desk.jsonl").read_text("utf-8")
    (record,) = LedgerFolder(tmp_path, "desk", "x").records()
    assert record.by == "Änne Example"
    (row,) = [json.loads(line) for line in run("show", str(tmp_path), "--json").splitlines()]
    assert "Änne Example" in str(row)


def test_one_code_for_a_person_and_a_month(tmp_path: Path) -> None:
    for at, by in ((MAY, "A"), (MAY, "A"), (MAY, "B"), (MAY + timedelta(days=20), "A")):
        work(tmp_path, at, by)
    codes = [record.by for record in verify(tmp_path)["desk"].records]
    assert codes[0] == codes[1]
    assert len(set(codes)) == 3, "months cannot be joined once the names are gone"


@pytest.mark.parametrize(("months", "kept"), [(12, True), (13, False)])
def test_it_goes_by_itself_with_the_station_s_next_record(
    tmp_path: Path, months: int, kept: bool
) -> None:
    work(tmp_path, MAY)
    year, month = divmod(MAY.year * 12 + MAY.month - 1 + months, 12)
    work(tmp_path, datetime(year, month + 1, 1, tzinfo=UTC), by="B")
    old, _ = LedgerFolder(tmp_path, "desk", "x").records()
    assert (old.by == "Änne Example") is kept
    assert ("Example" in (tmp_path / "desk.names").read_text("utf-8")) is kept
    verify(tmp_path)


def test_the_command_forgets_for_every_station_and_knows_another_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(tmp_path, MAY)
    work(tmp_path, MAY, "Uwe", "van")
    monkeypatch.setattr(ledger_files, "utc_now", lambda: MAY + timedelta(days=100))
    assert json.loads(run("names", str(tmp_path), "--json"))["names"] == {
        "desk": ["Änne Example"], "van": ["Uwe"],
    }  # fmt: skip
    told = run("names", str(tmp_path), "--months", "2")
    assert "nobody" in told
    assert "2 months after" in told
    assert ledger_names.by_code(tmp_path) == {}
    assert {record.by[:2] for record in LedgerFolder(tmp_path, "desk", "x").records()} == {"p-"}
    verify(tmp_path)
    assert ledger_names.months(tmp_path) == 2


def test_what_is_wrong_with_the_files_is_said(tmp_path: Path) -> None:
    work(tmp_path, MAY)
    (tmp_path / "names-months").write_text("soon")
    with pytest.raises(OrderError, match="no number of months"):
        work(tmp_path, MAY)
    (tmp_path / "names-months").unlink()
    (tmp_path / "desk.names").write_text("{")
    with pytest.raises(OrderError, match="not as it was written"):
        work(tmp_path, MAY)
    assert "There is no ledger" in run("names", str(tmp_path / "none"), code=1)
