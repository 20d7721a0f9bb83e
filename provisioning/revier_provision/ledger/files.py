# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The ledger's folder: STATION.jsonl and STATION.head of every station; their union is the ledger.
STATION.names (names.py) says for a while who is meant by its codes.

A station writes only its own files, one process at a time. A record counts when its line and after
it the head are on the disk. What a power failure tore is kept aside, in STATION.torn-N, before the
next record is written.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from revier_inventory.message import _
from revier_provision import durable_files
from revier_provision.errors import LedgerError, OrderError, cannot_read, cannot_write_in
from revier_provision.ledger import names as ledger_names
from revier_provision.ledger.records import (
    EMPTY,
    LINE_BYTES_MAX,
    STATION,
    Chain,
    Entry,
    Finding,
    Head,
    Record,
    contradictions,
    line_of,
    link,
    read_chain,
)

FILE_BYTES_MAX = 256 * 1024 * 1024
READS_MAX = 100
READABLE = _("Make it readable for this user (chmod, chown)")

Now = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


class LedgerFolder:
    """The ledger as one station, worked at by one person, sees and writes it.

    Every method may raise OrderError (the folder) and LedgerError (what is in it).
    """

    def __init__(self, folder: Path, station: str, by: str, now: Now = utc_now) -> None:
        if not STATION.match(station):
            cure = "Give --station with at most 32 of a-z, 0-9 and -"
            raise OrderError(
                "The station's name {station!r} is not of the right form", cure, station=station
            )
        self.folder = folder
        self.station = station
        self.by = by
        self.now = now

    def append(self, entry: Callable[[tuple[Record, ...]], Entry]) -> Record:
        """Write the entry that `entry` makes, in view of all records of all stations.

        Under the station's lock: what `entry` checked still holds when its record is written.
        """
        with self._writing() as (chain, others):
            return self._with_name(self._write(chain, others, entry))

    def append_each(self, entries: Iterable[Entry]) -> None:
        """Write them one after the other, reading the folder once: for thousands."""
        with self._writing() as (chain, others):
            upto = chain
            for entry in entries:
                record = self._write(upto, others, lambda _, one=entry: one)  # type: ignore[misc]
                upto = msgspec.structs.replace(upto, records=(record,))

    @contextmanager
    def _writing(self) -> Iterator[tuple[Chain, dict[str, Chain]]]:
        """This station's chain, and the others', under its lock."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with durable_files.locked(self.folder / f".{self.station}.lock"):
                chain = self._mend()
                others = read_all(self.folder)
                others.pop(self.station, None)
                yield chain, others
        except OSError as error:
            cure = _("Make room or correct the rights there, then run again")
            raise cannot_write_in(self.folder, error, cure) from error

    def records(self) -> tuple[Record, ...]:
        """Of all stations, with the names that are still known; this one's must be sound."""
        chains = read_all(self.folder)
        own = chains.get(self.station)
        if own is not None and own.findings:
            raise LedgerError(own.findings)
        known = ledger_names.by_code(self.folder)
        records = [record for chain in chains.values() for record in chain.records]
        return tuple([_named(record, known) for record in records])

    def _write(
        self,
        chain: Chain,
        others: dict[str, Chain],
        entry: Callable[[tuple[Record, ...]], Entry],
    ) -> Record:
        union = chain.records + tuple(r for other in others.values() for r in other.records)
        seen = {name: other.head for name, other in others.items() if other.records}
        record = link(self._coded(entry(union)), self.station, chain.head, seen)
        line = line_of(record)
        if len(line) > LINE_BYTES_MAX:
            raise OrderError(
                "The record is too long",
                "Shorten the note; a record has {most} bytes at most",
                most=LINE_BYTES_MAX,
            )
        durable_files.append(self._path, line)
        self._seal(record.head)
        return record

    def _coded(self, entry: Entry) -> Entry:
        """A person's name never goes into the chain; those whose deadline has passed go now."""
        if not entry.by or ledger_names.CODE.match(entry.by):
            return entry
        before = ledger_names.read(self.folder, self.station)
        months = ledger_names.months(self.folder)
        kept = ledger_names.still_kept(before, entry.at, months)
        code, names = ledger_names.code_of(entry.by, entry.at, kept)
        if names != before:
            ledger_names.write(self.folder, self.station, names)
        return msgspec.structs.replace(entry, by=code)

    def _with_name(self, record: Record) -> Record:
        return _named(record, ledger_names.by_code(self.folder))

    def _mend(self) -> Chain:
        """The station's chain with a clean end; refuses to continue a broken one."""
        chain = read_one(self.folder, self.station)
        if chain.findings:
            raise LedgerError(chain.findings)
        if not chain.sealed:
            self._seal(chain.head)
        if not chain.torn:
            return chain
        aside = self._keep(chain.torn)
        durable_files.truncate(self._path, self._path.stat().st_size - len(chain.torn))
        note = f"the power failed while a record was written; its beginning is in {aside.name}"
        entry = Entry(at=self.now(), by=self.by, event="end-repaired", note=note)
        self._write(msgspec.structs.replace(chain, torn=b""), {}, lambda _: entry)
        return read_one(self.folder, self.station)

    def _keep(self, torn: bytes) -> Path:
        for number in range(1, 1000):
            path = self.folder / f"{self.station}.torn-{number}"
            with suppress(FileExistsError):
                durable_files.create(path, torn)
                return path
        raise OrderError("There are 999 torn ends", "Move the *.torn-* files elsewhere")

    def _seal(self, head: Head) -> None:
        durable_files.replace(
            self.folder / f"{self.station}.head", msgspec.json.encode(head, order="sorted")
        )

    @property
    def _path(self) -> Path:
        return self.folder / f"{self.station}.jsonl"


def _named(record: Record, known: dict[str, str]) -> Record:
    """For who reads it: with the name it is no link of the chain any more."""
    name = ledger_names.shown(record.by, known)
    return record if name == record.by else msgspec.structs.replace(record, by=name)


def read_one(folder: Path, station: str) -> Chain:
    """One station's chain, checked; empty if it has no files. It may be written meanwhile."""
    head_path = folder / f"{station}.head"
    for _try in range(READS_MAX):
        text = _bytes(head_path)
        data = _bytes(folder / f"{station}.jsonl")
        if text == _bytes(head_path):
            return _checked(station, data, text)
    raise OrderError(
        "{head_path} changes all the time", "Wait until the station is idle", head_path=head_path
    )


def _checked(station: str, data: bytes, head_text: bytes) -> Chain:
    head: Head | None = EMPTY
    if head_text:
        try:
            head = msgspec.json.decode(head_text, type=Head)
        except msgspec.DecodeError:
            head = None
    chain = read_chain(station, data, head or EMPTY)
    if head is not None:
        return chain
    problem = _(
        "cannot be told from another: {station}.head is not as it was written", station=station
    )
    finding = Finding(station=station, line=len(chain.records), fault="changed", problem=problem)
    return msgspec.structs.replace(chain, findings=(*chain.findings, finding))


def read_all(folder: Path) -> dict[str, Chain]:
    """Every station's chain by station."""
    files = [*folder.glob("*.jsonl"), *folder.glob("*.head")]
    return {name: read_one(folder, name) for name in sorted({path.stem for path in files})}


def verify(folder: Path) -> dict[str, Chain]:
    """Read all and raise LedgerError with every contradiction."""
    must_be_there(folder)
    chains = read_all(folder)
    findings = list(contradictions(chains))
    if findings:
        raise LedgerError(findings)
    return chains


def must_be_there(folder: Path) -> None:
    if not folder.is_dir():
        cure = "Correct the path; a ledger begins with the first: revier-provision node"
        raise OrderError("There is no ledger in {folder}", cure, folder=folder)


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise OrderError(
                "{path} is larger than 256 MiB",
                "Move it out of the folder: no station wrote it",
                path=path,
            )
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise cannot_read(path, error, READABLE) from error


def machine_name() -> str:
    """This machine's name as a station's."""
    name = re.sub(r"[^a-z0-9]+", "-", socket.gethostname().split(".")[0].lower()).strip("-")
    return name[:32] or "station"
