# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""DevEUIs out of the owner's own block, split between stations. Pure.

Source: IEEE Registration Authority, Guidelines for Use of EUI, OUI and CID: MA-L (OUI, 24 bits),
MA-M (28), MA-S (OUI-36, 36). The second-lowest bit of the first octet says "locally administered",
the lowest "group": neither is ever an assigned identifier. FF-FE and FF-FF in the fourth and fifth
octet are kept for EUI-64s that were made from MAC addresses.

    prefix = "00005eef1"              # MA-S: 9 hex digits, as the IEEE assigned them
    registered_to = "Kreis Musterland"
    [stations]
    bench-1 = ["0000000", "3ffffff"]  # first and last of what follows the prefix
    bench-2 = ["4000000", "7ffffff"]
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from itertools import pairwise

import msgspec

from revier_inventory.message import Message, _
from revier_provision.errors import FaultsError, OrderError

EUI_DIGITS = 16
REGISTRY_BY_DIGITS = {6: "MA-L", 7: "MA-M", 9: "MA-S"}
FROM_MAC = ("fffe", "ffff")  # digits 6 to 9
# Blocks out of which a company hands EUIs to its customers, one by one.
HANDED_OUT = {"70b3d57ed": "The Things Industries"}
OF_IANA = "00005e"  # RFC 9542: for protocols, and 00-00-5E-EF-10 for examples in documents

_HEX = re.compile(r"[0-9a-f]+\Z")


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    prefix: str
    registered_to: str
    stations: dict[str, tuple[str, str]]
    format: int = 1


class EuiBlock(msgspec.Struct, frozen=True, kw_only=True):
    """`stations`: first and last EUI of each, as numbers, both included."""

    prefix: str
    registered_to: str
    stations: dict[str, tuple[int, int]]


def parse(text: str) -> EuiBlock:
    """The block's file. Raises FaultsError with everything that is wrong in it."""
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        cure = _("Write prefix, registered_to and [stations], see docs/technician.md")
        problem = _("The file of the EUI block cannot be read: {error}", error=str(error))
        raise FaultsError([(problem, cure)]) from None
    prefix = re.sub(r"[-: .]", "", file.prefix).lower()
    faults = list(_prefix_faults(prefix, file.registered_to))
    if faults:
        raise FaultsError(faults)
    digits = EUI_DIGITS - len(prefix)
    stations: dict[str, tuple[int, int]] = {}
    for station, (first, last) in file.stations.items():
        ends = first.lower(), last.lower()
        if any(len(end) != digits or not _HEX.match(end) for end in ends) or ends[0] > ends[1]:
            problem = _(
                "Station {station}: {first!r} to {last!r} is no range of this block",
                station=station,
                first=first,
                last=last,
            )
            faults.append(
                (
                    problem,
                    _("Write two numbers of {digits} hex digits, the lower first", digits=digits),
                )
            )
            continue
        stations[station] = (int(prefix + ends[0], 16), int(prefix + ends[1], 16))
    faults += _overlaps(stations)
    if not file.stations:
        faults.append(
            (_("No station has a part of the block"), _("Write [stations] and their ranges"))
        )
    if faults:
        raise FaultsError(faults)
    return EuiBlock(prefix=prefix, registered_to=file.registered_to, stations=stations)


def next_dev_eui(block: EuiBlock, station: str, used: Iterable[str]) -> str:
    """The station's next one: above every one that was ever used in its part.

    `used`: every DevEUI of the ledger's union and of the inventory; others do no harm.
    """
    if station not in block.stations:
        cure = "Give --station as in the block's file, or add it there"
        raise OrderError("Station {station!r} has no part of the EUI block", cure, station=station)
    first, last = block.stations[station]
    own = (int(each, 16) for each in used)
    after = max((each + 1 for each in own if first <= each <= last), default=first)
    for number in _past_reserved(after, last):
        return f"{number:016x}"
    cure = "Give it another range in the block's file; a used DevEUI is never used again"
    raise OrderError(
        "Station {station!r} has used up its part of the EUI block", cure, station=station
    )


def _past_reserved(number: int, last: int) -> Iterator[int]:
    """The first number that is not of the form of a MAC's; nothing if there is none."""
    while number <= last:
        if f"{number:016x}"[6:10] not in FROM_MAC:
            yield number
            return
        number = (number | 0xFFFFFF) + 1  # the last three octets are free


def _prefix_faults(prefix: str, registered_to: str) -> Iterator[tuple[Message, Message]]:
    as_assigned = _(
        "Write the prefix that the IEEE assigned to you, or leave --eui-block out: the DevEUI is "
        "then made from the chip's own MAC address"
    )
    if not _HEX.match(prefix) or len(prefix) not in REGISTRY_BY_DIGITS:
        problem = _("The prefix {prefix!r} is none that the IEEE assigns", prefix=prefix[:20])
        yield problem, _("Write 6 (MA-L), 7 (MA-M) or 9 (MA-S) hex digits")
        return
    first_octet = int(prefix[:2], 16)
    if first_octet & 0x02:
        yield (
            _("The prefix {prefix} is locally administered: nobody owns it", prefix=prefix),
            as_assigned,
        )
    elif first_octet & 0x01:
        yield _("The prefix {prefix} is that of a group address", prefix=prefix), as_assigned
    elif prefix[:6] in ("000000", OF_IANA):
        yield _("The prefix {prefix} is no block of yours", prefix=prefix), as_assigned
    elif prefix in HANDED_OUT:
        problem = _(
            "The prefix {prefix} is {company}'s, who hands it out EUI by EUI",
            prefix=prefix,
            company=HANDED_OUT[prefix],
        )
        yield problem, as_assigned
    if len(prefix) == 9 and prefix[6:] == "fff":
        yield (
            _("The prefix {prefix} is kept for EUIs made from MAC addresses", prefix=prefix),
            as_assigned,
        )
    if not registered_to.strip():
        cure = _("Write in whose name the IEEE's register has the block")
        yield _("registered_to is empty"), cure


def _overlaps(stations: dict[str, tuple[int, int]]) -> Iterator[tuple[Message, Message]]:
    ordered = sorted(stations.items(), key=lambda item: item[1])
    for (before, (_first, last)), (after, (first, _last)) in pairwise(ordered):
        if first <= last:
            problem = _(
                "The parts of stations {before} and {after} overlap", before=before, after=after
            )
            yield problem, _("Give every DevEUI to one station only")
