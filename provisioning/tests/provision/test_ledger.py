# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The ledger: whatever is done to its files shows, at its line; a torn end is no tampering."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from revier_provision import cli, durable_files
from revier_provision.errors import LedgerError, OrderError
from revier_provision.ledger.files import LedgerFolder, read_all, read_one, verify
from revier_provision.ledger.records import (
    EMPTY,
    Chain,
    Entry,
    Head,
    Installed,
    StepResult,
    contradictions,
    key_id,
    line_of,
    link,
    read_chain,
)

AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
WHO = "p-0123456789ab"  # as ledger_names draws it
ENTRIES = [
    Entry(at=AT, by=WHO, event="key-reserved", dev_eui="240ac4fffe112233", key_id="0" * 32),
    Entry(at=AT, by=WHO, event="failed", steps=(StepResult("read the chip", "failed"),)),
    Entry(at=AT, by=WHO, event="provisioned", asset="herten-air-01", note="ß \\ \n [/x]"),
    Entry(at=AT, by=WHO, event="key-shown"),
]


def chain_of(entries: list[Entry], station: str = "a") -> tuple[list[bytes], Head]:
    lines, head = [], EMPTY
    for entry in entries:
        record = link(entry, station, head, {})
        lines.append(line_of(record))
        head = record.head
    return lines, head


LINES, HEAD = chain_of(ENTRIES)
DATA = b"".join(LINES)


def read(data: bytes, head: Head = HEAD) -> Chain:
    return read_chain("a", data, head)


def test_a_whole_chain_is_sound() -> None:
    chain = read(DATA)
    assert (chain.findings, chain.torn, chain.sealed, chain.head) == ((), b"", True, HEAD)
    for entry, record in zip(ENTRIES, chain.records, strict=True):
        for name in Entry.__struct_fields__:
            assert getattr(record, name) == getattr(entry, name)
    assert read(b"", EMPTY).findings == ()


def test_hashes_can_be_recomputed_from_the_description_alone() -> None:
    previous = "0" * 64
    for line in LINES:
        fields = json.loads(line)
        assert fields["previous"] == previous
        previous = fields.pop("hash")
        canonical = json.dumps(
            fields | {"hash": ""}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        assert hashlib.sha256(canonical.encode()).hexdigest() == previous


def test_an_installation_is_a_record_and_others_do_not_know_the_word() -> None:
    found = Installed(
        id="x", begun_at=AT, lon=7.13571, lat=51.59583, accuracy_m=6.5, photo_sha256="0" * 64,
        verdict="green", uplinks=3, lost=0, reserve_db=29.0, spreading_factor=7, gateways=2,
    )  # fmt: skip
    entry = Entry(at=AT, by="ingo", event="installed", asset="herten-air-01", installed=found)
    lines, head = chain_of([*ENTRIES, entry])
    assert lines[:4] == LINES
    assert all(b"installed" not in line for line in LINES), "older ledgers stay as they are"
    chain = read(b"".join(lines), head)
    assert chain.findings == ()
    assert chain.records[-1].installed == found
    forged = lines[4].replace(b'"green"', b'"red"')
    assert read(b"".join([*lines[:4], forged]), head).findings[0].line == 5


def test_every_changed_byte_is_found_at_its_line() -> None:
    line = 1
    for place, byte in enumerate(DATA):
        for other in {byte ^ 1, byte ^ 32, ord("\n"), ord(" "), ord("0"), 0xFF} - {byte}:
            findings = read(DATA[:place] + bytes([other]) + DATA[place + 1 :]).findings
            assert findings, f"byte {place} as {other} was not found"
            assert findings[0].line == line
        line += byte == ord("\n")


@given(st.integers(0, len(DATA) - 1), st.integers(0, 255))
def test_any_single_byte_change_is_found(place: int, byte: int) -> None:
    changed = DATA[:place] + bytes([byte]) + DATA[place + 1 :]
    assert bool(read(changed).findings) == (changed != DATA)


@given(st.integers(0, len(DATA) - 1))
def test_a_byte_taken_out_or_put_in_is_found(place: int) -> None:
    assert read(DATA[:place] + DATA[place + 1 :]).findings
    assert read(DATA[:place] + b"x" + DATA[place:]).findings


@given(st.permutations(range(len(LINES))), st.integers(0, len(LINES)))
def test_lines_moved_or_missing_are_found(order: list[int], count: int) -> None:
    kept = order[:count]
    findings = read(b"".join(LINES[i] for i in kept)).findings
    assert bool(findings) == (kept != list(range(len(LINES))))
    wrong = next((n for n, i in enumerate(kept) if n != i), len(kept))
    assert not findings or findings[0].line == wrong + 1


def test_faults_are_named() -> None:
    def fault(*order: int) -> tuple[int, str]:
        first = read(b"".join(LINES[i] for i in order)).findings[0]
        return first.line, first.fault

    assert fault(0, 2, 3) == (2, "missing")
    assert fault(0, 0, 1, 2, 3) == (2, "moved")
    assert fault(0, 1, 2) == (4, "cut off")
    other, other_head = chain_of([*ENTRIES[:1], *ENTRIES[:1], *ENTRIES[2:]])
    mixed = read(LINES[0] + other[1] + LINES[2] + LINES[3]).findings[0]
    assert (mixed.line, mixed.fault) == (3, "changed")
    assert "line 2" in mixed.problem
    rewritten = read(b"".join(other)).findings[0]
    assert (rewritten.line, rewritten.fault) == (4, "changed")
    assert read(b"".join(other), other_head).findings == ()
    foreign = read_chain("b", DATA, HEAD).findings
    assert [finding.line for finding in foreign] == [1, 2, 3, 4]


@given(st.integers(1, len(LINES)), st.data())
def test_a_cut_at_any_byte_of_the_last_write_is_a_torn_end(count: int, data: st.DataObject) -> None:
    whole, last = LINES[: count - 1], LINES[count - 1]
    _, before = chain_of(ENTRIES[: count - 1])
    written = data.draw(st.integers(0, len(last)))
    chain = read(b"".join(whole) + last[:written], before)
    assert chain.findings == ()
    if written < len(last):
        assert chain.torn == last[:written]
        assert len(chain.records) == count - 1
    else:
        assert (chain.torn, chain.sealed, len(chain.records)) == (b"", False, count)


@given(st.integers(1, len(LINES[-1])))
def test_the_same_cut_after_the_record_was_sealed_is_tampering(missing: int) -> None:
    (finding,) = read(DATA[:-missing]).findings
    assert (finding.line, finding.fault) == (len(LINES), "cut off")


def test_other_stations_are_witnesses() -> None:
    witness = link(ENTRIES[0], "b", EMPTY, {"a": HEAD})
    b = read_chain("b", line_of(witness), witness.head)
    assert list(contradictions({"a": read(DATA), "b": b})) == []
    _, shorter = chain_of(ENTRIES[:2])
    cut = read(b"".join(LINES[:2]), shorter)
    assert cut.findings == (), "file and head were cut together: only the witness knows"
    (finding,) = contradictions({"a": cut, "b": b})
    assert (finding.station, finding.line, finding.fault) == ("a", 4, "missing")
    (gone,) = contradictions({"b": b})
    assert (gone.station, gone.fault) == ("a", "missing")
    other, other_head = chain_of([*ENTRIES[:3], ENTRIES[0]])
    (rewritten,) = contradictions({"a": read(b"".join(other), other_head), "b": b})
    assert "is not what b's record 1 saw" in rewritten.problem


def test_a_key_id_does_not_hold_the_key() -> None:
    key = bytes(range(16))
    assert key.hex() not in key_id(key)
    assert key_id(key) != key_id(bytes(16))


# Files


def station(folder: Path, name: str = "a") -> LedgerFolder:
    return LedgerFolder(folder, name, "Änne", lambda: AT)


def fill(folder: Path, name: str = "a") -> None:
    for entry in ENTRIES:
        station(folder, name).append(lambda _, entry=entry: entry)


def test_stations_write_their_own_files_and_see_the_others(tmp_path: Path) -> None:
    fill(tmp_path, "a")
    known: list[int] = []

    def entry(union: tuple[Any, ...]) -> Entry:
        known.append(len(union))
        return ENTRIES[0]

    record = station(tmp_path, "b").append(entry)
    assert known == [len(ENTRIES)]
    assert record.seen == {"a": HEAD}
    assert (tmp_path / "a.jsonl").read_bytes() == DATA
    assert [len(chain.records) for chain in verify(tmp_path).values()] == [4, 1]


def test_many_at_once_are_a_chain_like_any_other(tmp_path: Path) -> None:
    ledger = LedgerFolder(tmp_path, "a", "me", lambda: AT)
    other = LedgerFolder(tmp_path, "b", "me", lambda: AT).append(lambda _: ENTRIES[0])
    ledger.append(lambda _: ENTRIES[1])
    ledger.append_each(iter([]))
    ledger.append_each(ENTRIES * 25)
    ledger.append(lambda union: ENTRIES[len(union) % 2])
    chains = verify(tmp_path)
    assert len(chains["a"].records) == 102
    assert {record.seen["b"] for record in chains["a"].records} == {other.head}
    assert [r.event for r in chains["a"].records[1:5]] == [entry.event for entry in ENTRIES]


def test_a_torn_end_is_kept_aside_before_the_next_record(tmp_path: Path) -> None:
    fill(tmp_path)
    torn = LINES[0][:100]
    durable_files.append(tmp_path / "a.jsonl", torn)
    assert read_one(tmp_path, "a").torn == torn
    assert verify(tmp_path)["a"].torn == torn, "no tampering, and verify changes nothing"
    station(tmp_path).append(lambda _: ENTRIES[0])
    assert (tmp_path / "a.torn-1").read_bytes() == torn
    events = [record.event for record in verify(tmp_path)["a"].records]
    assert events[-2:] == ["end-repaired", "key-reserved"]
    durable_files.append(tmp_path / "a.jsonl", torn)
    station(tmp_path).append(lambda _: ENTRIES[0])
    assert (tmp_path / "a.torn-2").read_bytes() == torn


@pytest.mark.parametrize("cut_at", range(7))
def test_power_lost_anywhere_in_a_repair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut_at: int
) -> None:
    fill(tmp_path)
    torn = LINES[0][:100]
    durable_files.append(tmp_path / "a.jsonl", torn)
    calls: list[str] = []

    def cut_before(name: str) -> Callable[..., None]:
        function = getattr(durable_files, name)

        def call(*arguments: Any) -> None:
            calls.append(name)
            if len(calls) > cut_at:
                raise OSError(5, "power lost")
            function(*arguments)

        return call

    with monkeypatch.context() as patch:
        for name in ("create", "truncate", "append", "replace"):
            patch.setattr(durable_files, name, cut_before(name))
        with pytest.raises(OrderError, match="power lost"):
            station(tmp_path).append(lambda _: ENTRIES[0])
    names = ["replace"]  # who repaired it
    whole = ["create", "truncate", *names, "append", "replace", "append", "replace"]
    assert calls == whole[: cut_at + 1]
    verify(tmp_path)
    station(tmp_path).append(lambda _: ENTRIES[0])
    records = verify(tmp_path)["a"].records
    assert list(records[: len(ENTRIES)]) == list(read(DATA).records)
    assert (tmp_path / "a.torn-1").read_bytes() == torn


def test_power_lost_between_record_and_head_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path)

    def cut(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(durable_files, "replace", cut)
        with pytest.raises(OrderError, match="No space left"):
            station(tmp_path).append(lambda _: ENTRIES[0])
    assert not verify(tmp_path)["a"].sealed
    assert station(tmp_path).append(lambda _: ENTRIES[0]).number == 6


def test_a_broken_chain_is_not_continued(tmp_path: Path) -> None:
    fill(tmp_path)
    path = tmp_path / "a.jsonl"
    path.write_bytes(DATA.replace(b"key-shown", b"key-shaun"))
    with pytest.raises(LedgerError, match=r"a\.jsonl line 4 is not as it was written"):
        station(tmp_path).append(lambda _: ENTRIES[0])
    path.write_bytes(DATA)
    head = (tmp_path / "a.head").read_bytes()
    for place in range(len(head)):
        (tmp_path / "a.head").write_bytes(head[:place] + b"x" + head[place + 1 :])
        with pytest.raises(LedgerError):
            verify(tmp_path)
    (tmp_path / "a.head").unlink()
    with pytest.raises(LedgerError):
        verify(tmp_path)
    (tmp_path / "a.head").write_bytes(head)
    path.unlink()
    with pytest.raises(LedgerError, match=r"line 1 is missing"):
        verify(tmp_path)
    station(tmp_path, "b").append(lambda _: ENTRIES[0])
    assert [f.station for f in contradictions(read_all(tmp_path))] == ["a"]


def work(folder: Path, count: int) -> None:
    for _ in range(count):
        station(folder).append(lambda _: ENTRIES[0])


def test_two_processes_on_one_station_do_not_interleave(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=work, args=(tmp_path, 12)) for _ in range(3)]
    for process in processes:
        process.start()
    while any(process.is_alive() for process in processes):
        if tmp_path.joinpath("a.jsonl").exists():
            verify(tmp_path)
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert [record.number for record in verify(tmp_path)["a"].records] == list(range(1, 37))


def test_limits(tmp_path: Path) -> None:
    for name in ("", "A", "a/b", "a" * 33):
        with pytest.raises(OrderError, match="--station"):
            station(tmp_path, name)
    long = msgspec.structs.replace(ENTRIES[0], note="x" * 16_384)
    with pytest.raises(OrderError, match="too long"):
        station(tmp_path).append(lambda _: long)
    assert read_all(tmp_path) == {}


# The command


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(cli.app, ["ledger", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result.output


def test_verify_and_show(tmp_path: Path) -> None:
    fill(tmp_path)
    assert "4 records of 1 station" in run("verify", tmp_path)
    shown = json.loads(run("show", tmp_path, "--dev-eui", "240AC4FFFE112233", "--json"))
    assert [(row["event"], row["at"]) for row in shown] == [
        ("key-reserved", "2026-05-01T08:00:00Z")
    ]
    assert "herten-air-01" in run("show", tmp_path, "--asset", "herten-air-01")
    assert len(json.loads(run("show", tmp_path, "--last", "2", "--json"))) == 2
    durable_files.append(tmp_path / "a.jsonl", b"{")
    assert "a.jsonl ends in 1 byte" in run("verify", tmp_path)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda lines: [lines[0].replace(b"89ab", b"89ac"), *lines[1:]], "line 1 is not as"),
        (lambda lines: [lines[0], *lines[2:]], "line 2 is record 3: records 2 to 2 are missing"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "line 2 is record 1 where record 3"),
        (lambda lines: lines[:3], "line 4 is missing: the station's head says"),
    ],
)
def test_verify_names_file_and_line(
    tmp_path: Path, damage: Callable[[list[bytes]], list[bytes]], said: str
) -> None:
    fill(tmp_path)
    (tmp_path / "a.jsonl").write_bytes(b"".join(damage(LINES)))
    refused = run("verify", tmp_path, code=1)
    assert f"a.jsonl {said}" in " ".join(refused.split())
    assert "Next: Compare with a copy" in refused
    assert "error" in json.loads(run("verify", tmp_path, "--json", code=1))
    assert "revier-provision node" in run("verify", tmp_path / "none", code=1)
