# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""upload-speed: the application onto a blank virtual board, beside `mpremote cp -r`.

Both go through a relay that counts the bytes of the cable, both ways. A virtual board has no baud
rate: seconds are of the whole command on this machine, `line_s` is what 115,200 baud take for the
bytes alone.
"""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import tempfile
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from revier_bench import firmware_release, image
from revier_bench.chips.environments import Still
from revier_bench.virtual_board import BoardSpec, Kernel, build_board
from revier_bench.virtual_board.flash import new_image
from revier_bench.world.air import NullAir
from revier_provision.update.firmware_bundle import packed

BUDGET = 0.5
START_UNIX_US = 1_795_000_000_000_000
LIMIT_US = 600_000_000
BITS_A_BYTE = 10
BAUD = 115_200
LIMIT_S = 300


class CountingCable:
    """A pseudo-terminal in front of the board's, and a name that is no /dev/pts: mpremote waits
    for ever on those."""

    def __init__(self, board_port: str, folder: Path) -> None:
        self.bytes_to_board = self.bytes_from_board = 0
        self._outer, self._child = pty.openpty()
        tty.setraw(self._child)
        self._board = os.open(board_port, os.O_RDWR | os.O_NOCTTY)
        self.port = str(folder / "port")
        Path(self.port).symlink_to(os.ttyname(self._child))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._relay, name="cable")
        self._thread.start()

    def _relay(self) -> None:
        while not self._stop.is_set():
            ready, _, _ = select.select((self._outer, self._board), (), (), 0.05)
            if self._outer in ready:
                data = os.read(self._outer, 4096)
                self.bytes_to_board += len(data)
                _write_all(self._board, data)
            if self._board in ready:
                data = os.read(self._board, 4096)
                self.bytes_from_board += len(data)
                _write_all(self._outer, data)

    @property
    def wire_bytes(self) -> int:
        return self.bytes_to_board + self.bytes_from_board

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        for fd in (self._outer, self._child, self._board):
            os.close(fd)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


@contextmanager
def blank_board(folder: Path) -> Iterator[tuple[CountingCable, Path]]:
    """A virtual board that has MicroPython and an empty file system; cable and flash."""
    folder.mkdir()
    flash = folder / "flash.img"
    new_image(flash)
    kernel = Kernel(START_UNIX_US, folder / "shim")
    spec = BoardSpec(name="a", mac=bytes(6), flash_image=flash, work_dir=folder)
    board = build_board(kernel, spec, NullAir(), Still())
    port = board.attach_pty()
    board.power_on()
    thread = threading.Thread(target=kernel.run_until, args=(LIMIT_US, 1.0))
    thread.start()
    cable = CountingCable(port, folder)
    try:
        yield cable, flash
    finally:
        cable.close()
        kernel.stop()
        thread.join()
        kernel.close()


def _seconds(command: list[str]) -> float:
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    if done.returncode != 0:
        raise RuntimeError(f"{command[:3]}: {(done.stdout + done.stderr).strip()[-400:]}")
    return time.monotonic() - started


def _ours(folder: Path, files: dict[str, bytes], bundle: Path) -> dict[str, Any]:
    with blank_board(folder) as (cable, flash):
        program = str(Path(sys.executable).with_name("revier-provision"))
        command = [program, "upload", "--port", cable.port, "--firmware", str(bundle), "--json"]
        seconds = _seconds(command)
        row = _row("revier-provision upload", cable, seconds)
    _check(flash, folder, files)
    return row


def _mpremote(folder: Path, files: dict[str, bytes]) -> dict[str, Any]:
    source = folder.with_name("source")
    for path, data in files.items():
        target = source / path[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    with blank_board(folder) as (cable, flash):
        command = [sys.executable, "-m", "mpremote", "connect", cable.port, "resume", "cp", "-r"]
        names = sorted(str(path) for path in source.iterdir())
        seconds = _seconds([*command, *names, ":/"])
        row = _row("mpremote cp -r", cable, seconds)
    _check(flash, folder, files)
    return row


def _row(name: str, cable: CountingCable, seconds: float) -> dict[str, Any]:
    return {
        "tool": name,
        "wire_bytes": cable.wire_bytes,
        "to_board": cable.bytes_to_board,
        "seconds": round(seconds, 2),
        "line_s": round(cable.wire_bytes * BITS_A_BYTE / BAUD, 1),
    }


def _check(flash: Path, folder: Path, files: dict[str, bytes]) -> None:
    held = image.read_files(flash, folder / "build")
    if {path: held.get(path) for path in files} != files:
        raise RuntimeError("the board's files are not those that were sent")


def measure() -> dict[str, Any]:
    firmware = firmware_release.build()
    files = {f"/a/{name}": data for name, data in firmware.slot_files.items()}
    files |= firmware.root_files
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle = folder / "bundle.zip"
        bundle.write_bytes(packed(firmware))
        ours = _ours(folder / "ours", files, bundle)
        peer = _mpremote(folder / "mpremote", files)
    bytes_share = ours["wire_bytes"] / peer["wire_bytes"]
    time_share = ours["seconds"] / peer["seconds"]
    return {
        "name": "upload-speed",
        "value": round(max(bytes_share, time_share), 3),
        "unit": "of mpremote's, the larger of wire bytes and seconds",
        "budget": f"<= {BUDGET}",
        "holds": max(bytes_share, time_share) <= BUDGET,
        "n": {
            "files": len(files),
            "file_bytes": sum(map(len, files.values())),
            "wire_bytes_share": round(bytes_share, 3),
            "seconds_share": round(time_share, 3),
        }
        | {f"revier_{key}": value for key, value in ours.items() if key != "tool"},
        "peer": {f"mpremote_{key}": value for key, value in peer.items() if key != "tool"},
        "rows": [ours, peer],
    }
