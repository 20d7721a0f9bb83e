# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Who a node is: its EUIs and its key.

Sources: EUI = IEEE, Guidelines for Use of EUI, OUI and CID (an EUI-64 from an EUI-48 carries FF-FE
in the middle); L2 = LoRaWAN L2 1.0.4 section 6.1 (DevEUI, AppKey: one per device, 128 bits).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from revier_provision.errors import BoardError

APP_KEY_BYTES = 16
CHALLENGE_BYTES = 16
SEQ_EPOCH_S = 1_735_689_600  # 2025-01-01T00:00:00Z


def dev_eui_from_mac(mac: bytes, *, local_ok: bool = False) -> str:
    """The chip's factory MAC as EUI-64, 16 lower-case hex digits.

    A MAC that cannot be a factory's is refused, because two boards may carry the same one:
    all zeros or ones, a group address, and unless `local_ok` a locally administered address.
    """
    assert len(mac) == 6
    shown = mac.hex(":")
    if mac in (bytes(6), b"\xff" * 6) or mac[0] & 0x01:
        cure = "Check the chip with esptool read-mac; do not use this board"
        raise BoardError(
            "The chip says that its factory MAC is {shown}, which cannot be", cure, shown=shown
        )
    if mac[0] & 0x02 and not local_ok:
        cure = "Use another board; for a virtual one give --virtual"
        raise BoardError(
            "The MAC {shown} is locally administered, not a factory's", cure, shown=shown
        )
    return (mac[:3] + b"\xff\xfe" + mac[3:]).hex()


def dev_eui_of(mac: bytes, allotted: str | None, *, local_ok: bool = False) -> str:
    """The DevEUI that was allotted to this chip, else that of its factory MAC."""
    return allotted or dev_eui_from_mac(mac, local_ok=local_ok)


def seq_start(unix_s: float) -> int:
    """Where the reading sequence begins on a board that remembers none: seconds since 2025-01-01.

    A node takes less than one reading a second, so no reading before its flash was erased had a
    number as high, and none that follows has the id of an old one. An i32 until 2093.
    """
    return max(0, min(round(unix_s) - SEQ_EPOCH_S, 0x7FFFFFFF))


def new_app_key(entropy: Callable[[int], bytes]) -> bytes:
    """16 bytes from `entropy` (secrets.token_bytes in life, a seeded source on the bench)."""
    key = entropy(APP_KEY_BYTES)
    assert len(key) == APP_KEY_BYTES
    assert len(set(key)) > 1, "the entropy source is broken"
    return key


def app_key_digest(challenge: bytes, app_key: bytes) -> bytes:
    """What the board must answer to the challenge if it holds this key."""
    return hashlib.sha256(challenge + app_key).digest()
