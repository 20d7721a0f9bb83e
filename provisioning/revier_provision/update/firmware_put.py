# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The application of a bundle onto a board by cable, without a trial: as on a new board.

It goes into the slot that does not run; /slot names it when every file of it was read back, and
boot.py comes last. A board on which this broke off starts what it started before, or nothing yet.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from revier_inventory.message import Message, _
from revier_provision.board.raw_repl import RawRepl
from revier_provision.board.repl_board import ReplBoard
from revier_provision.board.upload import Uploaded, upload
from revier_provision.errors import BoardError, OrderError
from revier_provision.update import manifest
from revier_provision.update.firmware_bundle import Firmware
from revier_provision.update.manifest import Version
from revier_provision.update.signing_key import BOARD_PATH

OTHER = {"a": "b", "b": "a", "": "a"}
LAST = ("/main.py", "/boot.py")
RUNNING_SLOT = """
import os, sys
held = os.listdir('/')
print(''.join([path[1] for path in sys.path if path in ('/a', '/b') and path[1] in held][:1]))
"""
MANIFEST = """
from binascii import hexlify
try:
    with open('/{slot}.manifest', 'rb') as file:
        print(hexlify(file.read({size})).decode())
except OSError:
    pass
"""

Progress = Callable[[Message, float | None], None]  # what is done, and how much of it (0 to 1)


class Put(msgspec.Struct, frozen=True, kw_only=True):
    """`slot`: which the next start takes. `changed`: something was written."""

    slot: str
    version: str
    changed: bool
    sent_files: int
    wire_bytes: int
    seconds: float


def put_firmware(
    repl: RawRepl,
    firmware: Firmware,
    progress: Progress = lambda _what, _share: None,
    trusted: bytes = b"",
    *,
    keep_newer: bool = False,
) -> Put:
    """Afterwards the next start is of this firmware. Safe to run again. Raises BoardError.

    `trusted`: what signing_key.BOARD_PATH is to hold; empty: it is left alone. `keep_newer`: a node
    that was updated to a higher version keeps it.
    """
    board = ReplBoard(repl)
    slot = repl.run(RUNNING_SLOT).strip()
    done: list[Uploaded] = []
    held = _version_in(repl, slot) if slot and keep_newer else (0, 0, 0)
    newer = held > manifest.parse_version(firmware.version)
    if not newer and (not slot or board.firmware_sha256() != firmware.tree_sha256):
        slot = OTHER[slot]
        done.append(_fill(repl, board, firmware, slot, progress))
    root = {BOARD_PATH: trusted} if trusted else {}
    if not newer:
        root |= dict(sorted(firmware.root_files.items(), key=lambda item: item[0] in LAST))
    done.append(upload(repl, root, None, lambda share: progress(_("start files"), share)))
    return Put(
        slot=slot,
        version=manifest.version_text(held) if newer else firmware.version,
        changed=len(done) > 1 or bool(done[0].sent),
        sent_files=sum(len(part.sent) for part in done),
        wire_bytes=sum(part.wire_bytes for part in done),
        seconds=sum(part.seconds for part in done),
    )


def _version_in(repl: RawRepl, slot: str) -> Version:
    """Of the signed firmware in this slot; 0.0.0 if it is not signed."""
    try:
        text = repl.run(MANIFEST.format(slot=slot, size=manifest.SIZE))
        return manifest.unpack(bytes.fromhex(text.strip())).version
    except (OrderError, ValueError):
        return 0, 0, 0


def _fill(
    repl: RawRepl, board: ReplBoard, firmware: Firmware, slot: str, progress: Progress
) -> Uploaded:
    board.write_small_file(f"/{slot}.manifest", b"")
    files = {f"/{slot}/{name}": data for name, data in firmware.slot_files.items()}
    done = upload(
        repl, files, f"/{slot}", lambda share: progress(_("slot {slot}", slot=slot), share)
    )
    progress(_("read every file back"), None)
    if board.firmware_sha256(slot) != firmware.tree_sha256:
        cure = "Run again; if it repeats, the flash is worn: use another board"
        raise BoardError("What was read back from the flash is not what was written", cure)
    if firmware.manifest:
        board.write_small_file(f"/{slot}.manifest", firmware.manifest + firmware.signature)
    board.write_small_file("/slot", slot.encode())
    return done
