# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The files of a slot through the raw REPL: afterwards it has these, whole, and no others.

What is there already is left; so what broke off goes on where it was. Nothing runs from the slot
before the board itself has checked all of it (revier_node/update.py).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping

import msgspec

from revier_provision.errors import BoardError
from revier_provision.raw_repl import RemoteError

CHUNK_BYTES = 1024
LISTING_S = 60.0
RUN = Callable[[str, float], str]
Progress = Callable[[str], None]

_LIST = """
import hashlib, json, os
from binascii import hexlify
try:
    os.mkdir('/{slot}')
except OSError:
    pass
found, folders = dict(), ['/{slot}']
buffer = bytearray(1024)
while folders:
    folder = folders.pop()
    for entry in os.ilistdir(folder):
        path = folder + '/' + entry[0]
        if entry[1] & 0x4000:
            folders.append(path)
            continue
        digest = hashlib.sha256()
        with open(path, 'rb') as f:
            while True:
                size = f.readinto(buffer)
                if not size:
                    break
                digest.update(memoryview(buffer)[:size])
        found[path[3:]] = hexlify(digest.digest()).decode()
print(json.dumps(found))
"""


def put(run: RUN, slot: str, files: Mapping[str, bytes], progress: Progress) -> None:
    """run(program, limit_s) is the board's raw REPL. Raises BoardError if its flash does not."""
    try:
        there = msgspec.json.decode(run(_LIST.format(slot=slot), LISTING_S), type=dict[str, str])
        for path in sorted(set(there) - set(files)):
            run(f"import os\nos.remove('/{slot}/{path}')", LISTING_S)
        wanted = [
            path
            for path, data in sorted(files.items())
            if there.get(path) != hashlib.sha256(data).hexdigest()
        ]
        done, whole = 0, sum(len(files[path]) for path in wanted)
        for path in wanted:
            for program in _writing(f"/{slot}/{path}", files[path]):
                run(program, LISTING_S)
            done += len(files[path])
            progress(f"{done * 100 // max(1, whole)} % of {whole} bytes: {path}")
    except RemoteError as error:
        cure = "Make room on the board's flash, or format it, and run again"
        problem = f"The board could not write slot {slot} ({error.exception})"
        raise BoardError(problem, cure) from None


def _writing(path: str, data: bytes) -> Iterator[str]:
    """Programs that write a file; a cut between two leaves it short, and so to be written again."""
    folders = path.split("/")[1:-1]
    start = ["import os", "from binascii import a2b_base64 as b"]
    for depth in range(2, len(folders) + 1):
        folder = "/" + "/".join(folders[:depth])
        start += ["try:", f" os.mkdir({folder!r})", "except OSError:", " pass"]
    yield "\n".join([*start, f"f = open({path!r}, 'wb')"])
    for at in range(0, len(data), CHUNK_BYTES):
        text = base64.b64encode(data[at : at + CHUNK_BYTES]).decode()
        yield f"f.write(b({text!r}))"
    yield "f.close()"
