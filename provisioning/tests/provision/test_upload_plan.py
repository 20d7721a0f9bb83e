# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revier_provision.board.upload_plan import (
    PLAIN_BYTES_MAX,
    WINDOW_BITS,
    check_path,
    chunks,
    difference,
    digest_of,
    folders,
    literal,
)
from revier_provision.errors import OrderError

NAMES = st.text("abc_1", min_size=1, max_size=6)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts) + ".mpy")
CONTENTS = st.one_of(
    st.binary(max_size=300),
    st.integers(0, 3 * PLAIN_BYTES_MAX).map(lambda size: bytes(range(256)) * (size // 256)),
)
FILES = st.dictionaries(PATHS, CONTENTS, max_size=12)


@given(FILES)
def test_the_chunks_are_the_files(files: dict[str, bytes]) -> None:
    written: dict[str, bytes] = {}
    whole = {}
    for chunk in chunks(files, tuple(files)):
        data = zlib.decompress(chunk.data, -WINDOW_BITS)
        assert len(data) <= PLAIN_BYTES_MAX
        for piece in chunk.pieces:
            part, data = data[: piece.size], data[piece.size :]
            written[piece.path] = part if piece.first else written[piece.path] + part
            if piece.digest:
                whole[piece.path] = piece.digest
        assert not data
    assert written == files
    assert whole == {path: digest_of(content) for path, content in files.items()}


@given(FILES, FILES)
def test_what_is_the_same_stays_and_what_does_not_belong_goes(
    files: dict[str, bytes], there: dict[str, bytes]
) -> None:
    files = {"/b" + path: data for path, data in files.items()}
    there = {"/b" + path: data for path, data in there.items()}
    held = {path: digest_of(data) for path, data in there.items()}
    found = difference(files, held, "/b")
    after = {path: data for path, data in there.items() if path not in found.remove}
    after |= {path: files[path] for path in found.send}
    assert after == files
    assert all(there.get(path) != files[path] for path in found.send)


def test_others_are_left_alone_outside_the_slot() -> None:
    held = {"/node.json": b"x", "/boards/own.json": b"y", "/main.py.new": b"z"}
    assert difference({"/main.py": b""}, held, None).remove == ("/main.py.new",)


@given(st.binary(max_size=600))
def test_a_literal_is_its_bytes_and_has_none_that_the_way_takes(data: bytes) -> None:
    text = literal(data)
    assert not set(text) & {0x00, 0x03, 0x04, 0x11, 0x13, 0x1A, 0x1C, 0x0A, 0x0D}
    assert text[:2] + text[-1:] == b"b''"
    assert text[2:-1].decode("unicode_escape").encode("latin-1") == data


def test_a_literal_is_hardly_longer_than_its_bytes() -> None:
    assert len(literal(bytes(range(256)) * 8)) < 1.11 * 2048  # Base64: 1.33


@pytest.mark.parametrize(
    "path",
    ["b/x", "/../x", "/b/../x", "/b//x", "/b/x\n", "/b/x y", "/b/./x", "/b/ä", "/b/x.new", "/"],
)
def test_a_path_that_could_leave_its_folder_is_refused(path: str) -> None:
    with pytest.raises(OrderError):
        check_path(path)


def test_folders_come_before_what_is_in_them() -> None:
    assert folders(("/b/c/d.mpy", "/b/e.mpy", "/f.py")) == ("/b", "/b/c")
