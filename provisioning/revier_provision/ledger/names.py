# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Who did what, for as long as that is anybody's business: names with a deadline.

The ledger is a chain of hashes that nothing may be taken out of, so a person's name never goes in.
A record has a code instead, drawn anew for each person and month. STATION.names says whose it is,
until the deadline; then the line goes, and the record, as sound as before, is nobody's.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from revier_inventory.message import _
from revier_provision import durable_files
from revier_provision.errors import OrderError, cannot_read, cannot_write_in

CODE = re.compile(r"p-[0-9a-f]{12}\Z")
MONTHS = 12  # after the month of the records
MONTHS_MAX = 120
MONTHS_FILE = "names-months"  # another number, for all stations of the folder


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """month: of the records that bear the code, '2026-05'."""

    code: str
    name: str
    month: str


Names = tuple[Named, ...]


def code_of(name: str, at: datetime, names: Names) -> tuple[str, Names]:
    """The code for this person's records of now, and the names that are known with it."""
    month = f"{at:%Y-%m}"
    for one in names:
        if (one.name, one.month) == (name, month):
            return one.code, names
    code = f"p-{secrets.token_hex(6)}"
    return code, (*names, Named(code, name, month))


def still_kept(names: Names, at: datetime, months: int) -> Names:
    """Without those whose deadline has passed."""
    return tuple(one for one in names if _month_number(at) - _number_of(one.month) <= months)


def read(folder: Path, station: str) -> Names:
    """One station's. Raises OrderError where the file is not as it was written."""
    path = path_of(folder, station)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Names)
    except FileNotFoundError:
        return ()
    except OSError as error:
        cure = _("Make it readable for this user (chmod, chown)")
        raise cannot_read(path, error, cure) from error
    except msgspec.DecodeError:
        raise OrderError(
            "{path} is not as it was written",
            "Put it aside: its names are lost, the ledger is not",
            path=path,
        ) from None


def write(folder: Path, station: str, names: Names) -> None:
    """Raises OSError."""
    durable_files.replace(path_of(folder, station), msgspec.json.encode(names))


def by_code(folder: Path) -> dict[str, str]:
    """Of all stations: whose code it is."""
    stations = [path.stem for path in sorted(folder.glob("*.names"))]
    return {one.code: one.name for station in stations for one in read(folder, station)}


def months(folder: Path) -> int:
    """After how many months a name is forgotten here."""
    path = folder / MONTHS_FILE
    try:
        text = path.read_text("ascii").strip()
    except FileNotFoundError:
        return MONTHS
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text.isdigit() or not 1 <= int(text) <= MONTHS_MAX:
        raise OrderError(
            "{path} holds no number of months",
            "Write one from 1 to {months_max} into it: revier-provision ledger names",
            path=path,
            months_max=MONTHS_MAX,
        )
    return int(text)


def set_months(folder: Path, number: int) -> None:
    """Raises OSError."""
    durable_files.replace(folder / MONTHS_FILE, f"{number}\n".encode())


def forget(folder: Path, at: datetime) -> dict[str, Names]:
    """Those of every station whose deadline has passed go; returns who stays, by station.

    Raises OrderError.
    """
    number, kept = months(folder), {}
    for path in sorted(folder.glob("*.names")):
        station = path.stem
        try:
            with durable_files.locked(folder / f".{station}.lock"):
                names = read(folder, station)
                kept[station] = still_kept(names, at, number)
                if kept[station] != names:
                    write(folder, station, kept[station])
        except OSError as error:
            cure = _("Make room or correct the rights there, then run again")
            raise cannot_write_in(folder, error, cure) from error
    return kept


def path_of(folder: Path, station: str) -> Path:
    return folder / f"{station}.names"


def shown(by: str, known: dict[str, str]) -> str:
    """The name where it is known, else what stands in the record."""
    return known.get(by, by)


def people(names: Iterable[Named]) -> list[str]:
    return sorted({one.name for one in names})


def _month_number(at: datetime) -> int:
    return at.year * 12 + at.month


def _number_of(month: str) -> int:
    year, _, number = month.partition("-")
    return int(year) * 12 + int(number)
