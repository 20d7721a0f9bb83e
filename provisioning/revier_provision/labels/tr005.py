# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a label's QR code says: LoRa Alliance TR005, LoRaWAN Device Identification QR Codes.

    LW:D0:<JoinEUI>:<DevEUI>:<ProfileID>[:O<OwnerToken>][:S<SerNum>]

Hexadecimal is upper-case, most significant byte first; `:` only separates. ProfileID is the
vendor's number at the LoRa Alliance and its own number of the profile. The optional checksum is
left out: readers do not need it. Every character is one of QR's alphanumeric mode
(ISO/IEC 18004 table 5), which makes the smallest code. A key has no place here.
"""

from __future__ import annotations

import re

import msgspec

from revier_inventory.message import Message, _
from revier_inventory.model import EUI, Kind
from revier_provision.errors import OrderError

SCHEMA = "LW:D0"
VENDOR_ID_NONE = "0000"  # not a member of the LoRa Alliance
VENDOR_PROFILE_BY_KIND: dict[Kind, int] = {"air": 1, "parking": 2, "waste": 3}

TEXT_CHARS_MAX = 90  # QR version 4, level M (ISO/IEC 18004 table 7)

VENDOR_ID = re.compile(r"[0-9A-F]{4}\Z")
FIELD = re.compile(r"[0-9A-Z $%*+\-./]{1,24}\Z")
LABEL = re.compile(
    r"LW:D0:([0-9A-F]{16}):([0-9A-F]{16}):([0-9A-F]{4})([0-9A-F]{4})((?::[^:]{1,64}){0,8})\Z"
)
KEY = re.compile(r"[0-9A-F]{32}")


def identification(
    dev_eui: str,
    join_eui: str,
    kind: Kind,
    *,
    vendor_id: str = VENDOR_ID_NONE,
    owner_token: str = "",
    serial: str = "",
) -> str:
    """The QR code's text. EUIs are 16 lower-case hex digits, empty fields are left out.

    Raises OrderError on a field that TR005 or the label cannot hold.
    """
    assert EUI.match(dev_eui)
    if not EUI.match(join_eui):
        raise OrderError(
            "The JoinEUI {join_eui!r} is not of the right form",
            "Write 16 hex digits",
            join_eui=join_eui,
        )
    profile_id = f"{vendor_number(vendor_id)}{VENDOR_PROFILE_BY_KIND[kind]:04X}"
    parts = [SCHEMA, join_eui.upper(), dev_eui.upper(), profile_id]
    parts += _field("O", owner_token, _("owner token"))
    parts += _field("S", serial, _("serial number"))
    text = ":".join(parts)
    if len(text) > TEXT_CHARS_MAX:
        cure = "Shorten the owner token or the serial number"
        raise OrderError(
            "The label holds {most} characters, not {count}",
            cure,
            most=TEXT_CHARS_MAX,
            count=len(text),
        )
    return text


def vendor_number(text: str) -> str:
    """4 hex digits in upper case. Raises OrderError."""
    number = text.upper()
    if not VENDOR_ID.match(number):
        cure = "Write the 4 hex digits that the LoRa Alliance gave, or leave it out"
        raise OrderError("The vendor id {text!r} is not of the right form", cure, text=text)
    return number


class Identification(msgspec.Struct, frozen=True, kw_only=True):
    """What a label says. EUIs as 16 lower-case hex digits; `kind`: None on another's label."""

    dev_eui: str
    join_eui: str
    kind: Kind | None
    serial: str = ""


def read(text: str) -> Identification:
    """What a QR code's text says; a DevEUI typed as 16 hex digits (with - : or spaces) will do.

    Raises OrderError on anything else.
    """
    bare = re.sub(r"[-: ]", "", text.strip()).lower()
    if EUI.match(bare):
        return Identification(dev_eui=bare, join_eui="", kind=None)
    match = LABEL.match(text.strip().upper())
    if match is None:
        cure = "Scan the node's own label, or type the 16 hex digits of the DevEUI on it"
        raise OrderError("This is not the label of a LoRaWAN node", cure)
    join_eui, dev_eui, _vendor, profile, rest = match.groups()
    fields = {part[0]: part[1:] for part in rest.split(":") if part}
    kinds = {number: kind for kind, number in VENDOR_PROFILE_BY_KIND.items()}
    return Identification(
        dev_eui=dev_eui.lower(),
        join_eui=join_eui.lower(),
        kind=kinds.get(int(profile, 16)),
        serial=fields.get("S", ""),
    )


def _field(letter: str, value: str, what: Message) -> list[str]:
    if not value:
        return []
    value = value.upper()
    if KEY.search(value.replace(" ", "").replace("-", "")):
        cure = "Leave it out: a key never goes on a label"
        raise OrderError("The {what} looks like a key", cure, what=what)
    if not FIELD.match(value):
        cure = "Use at most 24 of: 0-9 A-Z space $ % * + - . /"
        raise OrderError(
            "The {what} {value!r} cannot stand in a QR label", cure, what=what, value=value
        )
    return [letter + value]
