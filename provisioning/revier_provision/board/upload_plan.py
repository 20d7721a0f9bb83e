# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What has to cross the cable so that a board has given files, in which pieces. Pure."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from itertools import groupby

import msgspec

from revier_provision.errors import OrderError

# A chunk as it lies on the board's heap: compressed in the program's text, its window, nothing else
PLAIN_BYTES_MAX = 8 * 1024
WINDOW_BITS = 12
DIGEST_BYTES = 16  # of SHA-256: enough to tell two files of one name apart
TEMPORARY = ".new"
PATH_CHARS_MAX = 100
# What the raw REPL, the lexer of a literal in '...', or a terminal on the way would take for
# itself. Octal with three digits cannot run into a digit behind it.
ESCAPED = {
    code: f"\\{code:03o}".encode() for code in (0x00, 0x03, 0x04, 0x11, 0x13, 0x1A, 0x1C)
} | {
    ord("\\"): b"\\\\",
    ord("'"): b"\\'",
    ord("\r"): b"\\r",
    ord("\n"): b"\\n",
}


class Difference(msgspec.Struct, frozen=True):
    """Paths: `send` is missing or other on the board, `remove` must not be there."""

    send: tuple[str, ...]
    same: tuple[str, ...]
    remove: tuple[str, ...]


class Piece(msgspec.Struct, frozen=True):
    """`size` bytes of a file; `first`: it begins with them; `digest` with its last, else empty."""

    path: str
    size: int
    first: bool
    digest: bytes


class Chunk(msgspec.Struct, frozen=True):
    """`data`: raw deflate of the pieces' bytes, one after the other."""

    data: bytes
    pieces: tuple[Piece, ...]


def digest_of(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:DIGEST_BYTES]


def difference(
    files: Mapping[str, bytes], held: Mapping[str, bytes], only_below: str | None
) -> Difference:
    """files: by absolute path. held: digests of what the board has. only_below: a folder that
    shall have no other files; temporary ones go wherever they are."""
    for path in files:
        check_path(path)
    same = tuple(path for path in files if held.get(path) == digest_of(files[path]))
    kept = set(same)
    remove = tuple(
        path
        for path in sorted(held)
        if path not in files
        and (path.endswith(TEMPORARY) or (only_below and path.startswith(only_below + "/")))
    )
    return Difference(tuple(path for path in files if path not in kept), same, remove)


def check_path(path: str) -> None:
    """Raises OrderError for a path that could leave its folder or that the node cannot have."""
    parts = path.split("/")
    plain = path.isascii() and path.replace("/", "").replace("_", "").replace(".", "").isalnum()
    if (
        not path.startswith("/")
        or not plain
        or any(part.strip(".") == "" for part in parts[1:])
        or path.endswith(TEMPORARY)
        or len(path) > PATH_CHARS_MAX
    ):
        cure = "Build the firmware again; a file has letters, digits, _ and . in its name"
        raise OrderError("{path!r} cannot be a file on a board", cure, path=path)


def folders(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Those that the files need, the outer before the inner."""
    found = {path[:at] for path in paths for at, char in enumerate(path) if char == "/" and at}
    return tuple(sorted(found))


def chunks(files: Mapping[str, bytes], send: tuple[str, ...]) -> Iterator[Chunk]:
    """Small files share a chunk, and so each other's words; a long one goes over several."""
    flat = [cut for path in send for cut in _cuts(path, files[path])]
    for _, group in groupby(_numbered(flat), key=lambda numbered: numbered[0]):
        cuts = [cut for _, cut in group]
        data = b"".join(files[piece.path][start : start + piece.size] for piece, start in cuts)
        yield Chunk(_deflated(data), tuple(piece for piece, _ in cuts))


def _cuts(path: str, data: bytes) -> Iterator[tuple[Piece, int]]:
    starts = range(0, max(len(data), 1), PLAIN_BYTES_MAX)
    for start in starts:
        size = min(PLAIN_BYTES_MAX, len(data) - start)
        digest = digest_of(data) if start == starts[-1] else b""
        yield Piece(path, size, start == 0, digest), start


def _numbered(cuts: list[tuple[Piece, int]]) -> Iterator[tuple[int, tuple[Piece, int]]]:
    """Each with the number of its chunk."""
    number = filled = 0
    for cut in cuts:
        if filled and filled + cut[0].size > PLAIN_BYTES_MAX:
            number, filled = number + 1, 0
        filled += cut[0].size
        yield number, cut


def _deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -WINDOW_BITS, 9)
    return packer.compress(data) + packer.flush()


def literal(data: bytes) -> bytes:
    """A bytes literal of Python with as few bytes as the way to the board's lexer allows."""
    return b"b'" + b"".join(ESCAPED.get(code) or bytes((code,)) for code in data) + b"'"
