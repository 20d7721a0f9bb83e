# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Files onto a board through its raw REPL: whole or not at all, and only what is missing.

    with open_repl(port) as repl:
        upload(repl, {"/b/revier_node/app.mpy": data, ...}, only_below="/b")

Each file is written under a temporary name, read back from flash, compared, and renamed, which
LittleFS does at once or not at all. So wherever the cable is pulled, a file under its own name is a
whole one, and the next run sends what is still missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

import msgspec

from revier_provision.board.raw_repl import RawRepl, RemoteError
from revier_provision.board.upload_plan import (
    DIGEST_BYTES,
    TEMPORARY,
    WINDOW_BITS,
    Chunk,
    chunks,
    difference,
    folders,
    literal,
)
from revier_provision.errors import BoardError

LOOK_S = 120.0  # every file of a slot, read from slow flash
CHUNK_S = 60.0

# Short names: the text crosses the cable, too.
_PROGRAM = f"""
import os, io, deflate, hashlib
def h(p):
    d = hashlib.sha256()
    b = memoryview(bytearray(1024))
    with open(p, 'rb') as f:
        n = f.readinto(b)
        while n:
            d.update(b[:n])
            n = f.readinto(b)
    return d.digest()[:{DIGEST_BYTES}]
def l(p):
    try:
        found = list(os.ilistdir(p or '/'))
    except OSError:
        return
    for e in found:
        q = p + '/' + e[0]
        if e[1] & 0x4000:
            l(q)
        else:
            print(h(q).hex(), q)
def m(*ps):
    for p in ps:
        try:
            os.mkdir(p)
        except OSError as e:
            if e.errno != 17:
                raise
def r(*ps):
    for p in ps:
        os.remove(p)
def w(data, *parts):
    s = deflate.DeflateIO(io.BytesIO(data), deflate.RAW, {WINDOW_BITS})
    for p, n, first, digest in parts:
        t = p + '{TEMPORARY}'
        with open(t, 'wb' if first else 'ab') as f:
            while n:
                b = s.read(min(n, 512))
                if not b:
                    raise ValueError('short')
                f.write(b)
                n -= len(b)
        if digest:
            if h(t) != digest:
                raise ValueError('read back')
            os.rename(t, p)
def y():
    if hasattr(os, 'sync'):
        os.sync()
"""

Progress = Callable[[float], None]  # 0 to 1, of the bytes to be sent


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """Paths by what happened to them; `wire_bytes` to the board, programs included."""

    sent: tuple[str, ...]
    same: tuple[str, ...]
    removed: tuple[str, ...]
    wire_bytes: int
    seconds: float


def upload(
    repl: RawRepl,
    files: Mapping[str, bytes],
    only_below: str | None = None,
    progress: Progress = lambda _share: None,
) -> Uploaded:
    """files: by absolute path. only_below: a folder in which no other file shall be.

    Raises BoardError if the flash is full, does not keep what was written, or the cable is gone.
    """
    started, before = time.monotonic(), repl.sent_bytes
    _run(repl, _PROGRAM.encode(), LOOK_S)
    wanted = difference(files, _held(repl, files, only_below), only_below)
    if wanted.remove:
        _call(repl, "r", wanted.remove)
    new = folders(wanted.send)
    if new:
        _call(repl, "m", new)
    total = sum(len(files[path]) for path in wanted.send)
    done = 0
    for chunk in chunks(files, wanted.send):
        _run(repl, _writing(chunk), CHUNK_S)
        done += sum(piece.size for piece in chunk.pieces)
        progress(done / total if total else 1.0)
    _run(repl, b"y()", CHUNK_S)
    return Uploaded(
        sent=wanted.send,
        same=wanted.same,
        removed=wanted.remove,
        wire_bytes=repl.sent_bytes - before,
        seconds=time.monotonic() - started,
    )


def _held(repl: RawRepl, files: Mapping[str, bytes], only_below: str | None) -> dict[str, bytes]:
    """Digests of what the board has in the folders that matter."""
    outside = {path for path in files if not (only_below and path.startswith(only_below + "/"))}
    looks = [f"l({only_below!r})"] if only_below else []
    looks += [
        f"l({folder!r})"
        for folder in sorted({path.rpartition("/")[0] for path in outside})
        if folder
    ]
    single = sorted(path for path in outside if path.count("/") == 1)
    if single:
        names = ",".join(repr(path[1:]) for path in single)
        looks.append(f"for n in os.listdir('/'):\n if n in ({names},):print(h('/'+n).hex(),'/'+n)")
    text = _run(repl, "\n".join(looks).encode(), LOOK_S)
    held = {}
    for line in text.splitlines():
        digest, _, path = line.partition(" ")
        try:
            held[path] = bytes.fromhex(digest)
        except ValueError:
            cure = "Press the board's reset button and run again"
            raise BoardError("The board listed its files in an unknown form", cure) from None
    return held


def _call(repl: RawRepl, name: str, paths: Iterable[str]) -> None:
    _run(repl, f"{name}({','.join(map(repr, paths))})".encode(), CHUNK_S)


def _writing(chunk: Chunk) -> bytes:
    parts = b",".join(
        f"({piece.path!r},{piece.size},{int(piece.first)},".encode() + literal(piece.digest) + b")"
        for piece in chunk.pieces
    )
    return b"w(" + literal(chunk.data) + b"," + parts + b")"


def _run(repl: RawRepl, program: bytes, limit_s: float) -> str:
    try:
        return repl.run(program, limit_s)
    except RemoteError as error:
        raise _in_words(error) from None


def _in_words(error: RemoteError) -> BoardError:
    what = error.exception
    if "ENOSPC" in what or what.startswith("OSError: 28"):
        cure = "Free the flash: erase it and put MicroPython on it again (revier-provision flash)"
        return BoardError("The board's flash is full", cure)
    if "read back" in what or "short" in what:
        cure = "Run again; if it repeats, the flash is worn: use another board"
        return BoardError("What was read back from the flash is not what was written", cure)
    if what.startswith("MemoryError"):
        cure = "Reset the board and run again at once, before the node's application runs"
        return BoardError("The board has no memory left to take files", cure)
    if what.startswith("ImportError"):
        cure = "Flash MicroPython 1.22 or newer from micropython.org and run again"
        return BoardError("The board's MicroPython lacks a module ({what})", cure, what=what)
    return BoardError(
        "The board could not write a file ({what})",
        "Press the board's reset button and run again",
        what=what,
    )
