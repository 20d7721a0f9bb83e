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

from revier_inventory.model import EUI, Kind
from revier_provision.errors import OrderError

SCHEMA = "LW:D0"
VENDOR_ID_NONE = "0000"  # not a member of the LoRa Alliance
VENDOR_PROFILE_BY_KIND: dict[Kind, int] = {"air": 1, "parking": 2, "waste": 3}

TEXT_CHARS_MAX = 90  # QR version 4, level M (ISO/IEC 18004 table 7)

VENDOR_ID = re.compile(r"[0-9A-F]{4}\Z")
FIELD = re.compile(r"[0-9A-Z $%*+\-./]{1,24}\Z")
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
            f"The JoinEUI {join_eui!r} is not of the right form", "Write 16 hex digits"
        )
    if not VENDOR_ID.match(vendor_id):
        cure = "Write the 4 hex digits that the LoRa Alliance gave, or leave it out"
        raise OrderError(f"The vendor id {vendor_id!r} is not of the right form", cure)
    profile_id = f"{vendor_id}{VENDOR_PROFILE_BY_KIND[kind]:04X}"
    parts = [SCHEMA, join_eui.upper(), dev_eui.upper(), profile_id]
    parts += _field("O", owner_token, "owner token") + _field("S", serial, "serial number")
    text = ":".join(parts)
    if len(text) > TEXT_CHARS_MAX:
        cure = "Shorten the owner token or the serial number"
        raise OrderError(f"The label holds {TEXT_CHARS_MAX} characters, not {len(text)}", cure)
    return text


def _field(letter: str, value: str, what: str) -> list[str]:
    if not value:
        return []
    value = value.upper()
    if KEY.search(value.replace(" ", "").replace("-", "")):
        raise OrderError(f"The {what} looks like a key", "A key never goes on a label")
    if not FIELD.match(value):
        cure = "Use at most 24 of: 0-9 A-Z space $ % * + - . /"
        raise OrderError(f"The {what} {value!r} cannot stand in a QR label", cure)
    return [letter + value]
