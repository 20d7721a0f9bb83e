# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

import contextlib
import io
import zipfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revier_provision.errors import OrderError
from revier_provision.update import firmware_bundle
from revier_provision.update.firmware_bundle import Firmware, packed, parse

FIRMWARE = Firmware(
    version="1.2.3",
    slot_files={"revier_node/app.mpy": b"app", "revier_mac/device.mpy": b"mac"},
    root_files={"/boot.py": b"boot", "/main.py": b"main", "/boards/heltec_v3.json": b"{}"},
)


def bundle(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in members.items():
            made.writestr(name, data)
    return out.getvalue()


GOOD = {
    "bundle.json": b'{"format":1,"version":"1.2.3"}',
    "slot/revier_node/app.mpy": b"app",
    "root/boot.py": b"boot",
    "root/main.py": b"main",
}


def test_there_and_back_and_always_the_same_bytes() -> None:
    assert parse(packed(FIRMWARE)) == FIRMWARE
    signed = FIRMWARE.with_signature(bytes(96), bytes(64))
    assert parse(packed(signed)) == signed
    backwards = msgspec.structs.replace(
        FIRMWARE, slot_files=dict(reversed(FIRMWARE.slot_files.items()))
    )
    assert packed(backwards) == packed(FIRMWARE)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"bundle.json": b"{}"}, "no bundle"),
        ({"bundle.json": b'{"format":2,"version":"1"}'}, "format 2"),
        ({"slot/../boot.py": b""}, "cannot be a file"),
        ({"root/../x": b""}, "cannot be a file"),
        ({"root/a/app.py": b""}, "wants to write /a/app.py"),
        ({"other.txt": b""}, "belong nowhere"),
        ({"manifest.bin": bytes(96)}, "not whole"),
        ({"slot/big.mpy": bytes(70_000)}, "more than a board can take"),
        ({"root/boot.py": None}, "no /boot.py"),
        ({"slot/revier_node/app.mpy": None}, "no application"),
    ],
)
def test_what_is_no_bundle_is_refused(change: dict[str, bytes | None], problem: str) -> None:
    members = {name: data for name, data in (GOOD | change).items() if data is not None}
    with pytest.raises(OrderError, match=problem):
        parse(bundle(members))


@given(st.binary(max_size=200))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(OrderError, match="no bundle"):
        parse(data)


@given(st.integers(0, 4000), st.integers(1, 255))
def test_a_changed_byte_never_crashes(at: int, flip: int) -> None:
    data = bytearray(packed(FIRMWARE))
    data[at % len(data)] ^= flip
    with contextlib.suppress(OrderError):
        parse(bytes(data))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OrderError, match="Cannot read"):
        firmware_bundle.load(tmp_path / "none.zip")
