# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What was done to which board: records in a chain of hashes, one chain a station. Pure.

A station's file holds one record a line, in canonical JSON (sorted keys, no spaces). A record's
`hash` is the SHA-256 of its canonical form with an empty `hash`; it names the hash of the record
before it (`previous`) and the newest record of every other station's file that it could see
(`seen`). The station's head, kept beside the file, names its newest record. So a record that was
changed, taken out, moved or cut off shows, at its line.

Nothing here is secret: who can write every station's file and head can write another history.
No record holds a key; `key_id` tells two keys apart and does not lead back to one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from revier_inventory.message import Message, _, joined

FORMAT = 1
LINE_BYTES_MAX = 16 * 1024
STATION = re.compile(r"[a-z0-9][a-z0-9-]{0,31}\Z")
NO_HASH = "0" * 64
KEY_ID_DOMAIN = b"revier key id\0"

Event = Literal[
    "provisioned",
    "failed",
    "updated",
    "key-reserved",
    "key-kept",
    "key-shown",
    "replaced",
    "rekeyed",
    "retired",
    "eui-allotted",
    "server-restored",
    "key-exported",
    "installed",
    "end-repaired",
]
Fault = Literal["changed", "missing", "moved", "cut off"]


class StepResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    step: str
    result: Literal["done", "failed"]


class Installed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was found at the final place. Degrees WGS 84, metres, dB; `id`: of the sign-off.

    `reserve_db`: what the link may lose before SF12 fails. `baseline`: what became of a parking
    node's empty bay; `distance_mm`: what a waste node measured in its empty container.
    """

    id: str
    begun_at: datetime
    lon: float
    lat: float
    accuracy_m: float
    photo_sha256: str
    verdict: Literal["green", "yellow", "red"]
    uplinks: int
    lost: int
    reserve_db: float
    spreading_factor: int
    gateways: int
    baseline: str = ""
    distance_mm: int | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happened. EUIs, MAC and hashes in lower-case hex; `by`: who; empty: not known."""

    at: datetime
    by: str
    event: Event
    dev_eui: str = ""
    chip_mac: str = ""
    asset: str = ""
    ags: str = ""
    firmware_sha256: str = ""
    key_id: str = ""
    steps: tuple[StepResult, ...] = ()
    note: str = ""
    installed: Installed | msgspec.UnsetType = msgspec.UNSET  # as if not there: older lines hold


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest record of a chain; number 0 before the first."""

    number: int
    hash: str


EMPTY = Head(0, NO_HASH)


class Record(Entry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry in its chain; `number` is its line, from 1."""

    format: int
    station: str
    number: int
    previous: str
    seen: dict[str, Head]
    hash: str

    @property
    def head(self) -> Head:
        return Head(self.number, self.hash)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One contradiction: in which station's file, at which line (from 1), what."""

    station: str
    line: int
    fault: Fault
    problem: Message

    @property
    def words(self) -> Message:
        where = _("{station}.jsonl line {line}", station=self.station, line=self.line)
        return joined(" ", [where, self.problem])


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """A station's file as read.

    `torn`: bytes after the last whole record that a write left when the power failed; the record
    they began was never confirmed to anyone. `sealed`: the head names the last record.
    """

    station: str
    records: tuple[Record, ...]
    findings: tuple[Finding, ...]
    torn: bytes
    sealed: bool

    @property
    def head(self) -> Head:
        return self.records[-1].head if self.records else EMPTY


def key_id(app_key: bytes) -> str:
    """Names a key without telling it: 128 random bits cannot be found by trying."""
    return hashlib.sha256(KEY_ID_DOMAIN + app_key).hexdigest()[:32]


def link(entry: Entry, station: str, after: Head, seen: Mapping[str, Head]) -> Record:
    """The entry as the record that follows `after`."""
    fields = {name: getattr(entry, name) for name in Entry.__struct_fields__}
    open_record = Record(
        **fields,
        format=FORMAT,
        station=station,
        number=after.number + 1,
        previous=after.hash,
        seen=dict(seen),
        hash="",
    )
    return msgspec.structs.replace(open_record, hash=_hash(open_record))


def line_of(record: Record) -> bytes:
    """The record as its line in the file, with the line's end."""
    return msgspec.json.encode(record, order="sorted") + b"\n"


def read_chain(station: str, data: bytes, head: Head) -> Chain:
    """Read and check a station's file; `head` is what is kept beside it (EMPTY if nothing is)."""
    *lines, rest = data.split(b"\n")
    records: list[Record] = []
    findings: list[Finding] = []
    expected = EMPTY
    for line, text in enumerate(lines, 1):
        record = _parse(text)
        if record is None or record.station != station:
            findings.append(_finding(station, line, "changed", _("is not as it was written")))
            expected = Head(line, "")
            continue
        findings += _follows(record, expected, line)
        records.append(record)
        expected = record.head
    torn = rest if head.number == len(lines) else b""
    if not findings:
        findings += _end(station, records, rest, head)
    return Chain(
        station=station,
        records=tuple(records),
        findings=tuple(findings),
        torn=torn,
        sealed=head == (records[-1].head if records else EMPTY),
    )


def contradictions(chains: Mapping[str, Chain]) -> Iterator[Finding]:
    """Findings of all chains, and what one station has seen that another's file no longer holds."""
    for chain in chains.values():
        yield from chain.findings
    newest: dict[str, Record] = {}
    for chain in chains.values():
        for record in chain.records:
            for station, head in record.seen.items():
                if not _holds(chains.get(station), head):
                    newest.setdefault(station, record)
    for station, witness in newest.items():
        head = witness.seen[station]
        problem = _(
            "is not what {station}'s record {number} saw there",
            station=witness.station,
            number=witness.number,
        )
        if station not in chains or len(chains[station].records) < head.number:
            problem = _(
                "is missing; {station}'s record {number} saw it",
                station=witness.station,
                number=witness.number,
            )
        yield _finding(station, head.number, "missing", problem)


def _holds(chain: Chain | None, head: Head) -> bool:
    """A chain with findings of its own has said where it is broken."""
    if chain is None:
        return False
    if chain.findings:
        return True
    return head.number <= len(chain.records) and chain.records[head.number - 1].hash == head.hash


def _parse(text: bytes) -> Record | None:
    if len(text) > LINE_BYTES_MAX:
        return None
    try:
        record = msgspec.json.decode(text, type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    whole = record.format == FORMAT and line_of(record) == text + b"\n"
    return record if whole and record.hash == _hash(record) else None


def _hash(record: Record) -> str:
    canonical = msgspec.json.encode(msgspec.structs.replace(record, hash=""), order="sorted")
    return hashlib.sha256(canonical).hexdigest()


def _follows(record: Record, expected: Head, line: int) -> Iterator[Finding]:
    station, wanted = record.station, expected.number + 1
    if record.number > wanted:
        gap = _(
            "records {first} to {last} are missing before it", first=wanted, last=record.number - 1
        )
        yield _finding(
            station, line, "missing", _("is record {number}: {gap}", number=record.number, gap=gap)
        )
    elif record.number < wanted:
        problem = _(
            "is record {number} where record {wanted} belongs", number=record.number, wanted=wanted
        )
        yield _finding(station, line, "moved", problem)
    elif expected.hash and record.previous != expected.hash:
        problem = _("does not follow line {line}, which was changed or replaced", line=line - 1)
        yield _finding(station, line, "changed", problem)


def _end(station: str, records: list[Record], rest: bytes, head: Head) -> Iterator[Finding]:
    """What the head says about the end. A cut while writing leaves it as it was or one behind."""
    count = len(records)
    if head.number > count:
        problem = _(
            "is missing: the station's head says that there are {number} records",
            number=head.number,
        )
        yield _finding(station, count + 1, "cut off", problem)
    elif head.number < count - 1 or (head.number < count and rest):
        problem = _(
            "was added past the station's head, which ends at record {number}", number=head.number
        )
        yield _finding(station, head.number + 1, "changed", problem)
    elif head.number and head != records[head.number - 1].head:
        yield _finding(station, head.number, "changed", _("is not what the station's head names"))


def _finding(station: str, line: int, fault: Fault, problem: Message) -> Finding:
    return Finding(station=station, line=line, fault=fault, problem=problem)
