# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Identity and counters on LittleFS, beside NVS, which start-up code may erase.

Two copies, written in turn: one that was torn leaves the other. Each: generation, DevEUI, JoinEUI,
AppKey, next DevNonce, leases of FCntUp and of the reading sequence, CRC-32; little endian.
"""

import binascii
import struct

PATHS = ("/identity.bin", "/identity.alt")
_FORM = "<I8s8s16sIII"
SIZE = struct.calcsize(_FORM) + 4


def read() -> "tuple | None":
    """(identity, dev_nonce, f_cnt_lease, seq_lease) of the newer whole copy."""
    newest = _newest()
    return newest[1] if newest else None


def write(identity: tuple, dev_nonce: int, f_cnt_lease: int, seq_lease: int) -> bool:
    """False if the file system refuses: NVS alone has to serve then."""
    newest = _newest()
    generation, path = 1, PATHS[0]
    if newest:
        generation = newest[0] + 1 & 0xFFFFFFFF
        path = PATHS[generation & 1]
    body = struct.pack(_FORM, generation, *identity, dev_nonce, f_cnt_lease, seq_lease)
    try:
        with open(path, "wb") as file:
            file.write(body + struct.pack("<I", binascii.crc32(body)))
    except OSError:
        return False
    return True


def _newest() -> "tuple | None":
    """(generation, what read() tells)"""
    newest = None
    for path in PATHS:
        copy = _open(path)
        if copy and (newest is None or copy[0] > newest[0]):
            newest = copy
    return newest


def _open(path: str) -> "tuple | None":
    try:
        with open(path, "rb") as file:
            data = file.read(SIZE + 1)
    except OSError:
        return None
    if len(data) != SIZE or binascii.crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
        return None
    values = struct.unpack(_FORM, data[:-4])
    return values[0], (values[1:4],) + values[4:]
