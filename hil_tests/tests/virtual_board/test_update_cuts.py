# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The power goes at any byte that a trial's beginning, counting, end or failure writes to flash.

boot.py and trial.py are the project's, the two applications a few lines. Whatever the cut leaves
is whole, says the old or the new, and starts a slot that was whole when it was named.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from revier_bench import image
from revier_bench.chips.environments import Still
from revier_bench.virtual_board import BoardSpec, Kernel, build_board, clone_image, new_image
from revier_bench.world.air import NullAir

from .conftest import SECOND_US, Node

MAIN = b"""
import machine, sys
import ver
print("runs", ver.NAME)
if ver.NAME == "a" and ver.BEGINS:
    import trial
    trial.begin("b", "a")
elif "trial" in sys.modules:
    sys.modules["trial"].commit()
print("ended")
machine.deepsleep(3_600_000)
"""
A, BEGIN, B = (
    f"NAME = {name!r}\nBEGINS = {begins}\n".encode()
    for name, begins in (("a", False), ("a", True), ("b", False))
)
# what is done -> (slot a, /slot before, what /slot may say after the cut, what runs then, and then)
PHASES = {
    "begin": (BEGIN, "a", ("a", "b?a3"), ("a", "b"), ("b?a3", "b")),
    "count and commit": (A, "b?a3 0", ("b?a3", "b?a2", "b"), ("b",), ("b",)),
    "roll back": (A, "b?a0 0", ("b?a0", "a!b restarts"), ("a",), ("a!b restarts",)),
}
CUTS = 60
RUN_US = 20 * SECOND_US


@pytest.fixture
def one_kernel(build_dir: Path) -> Iterator[Kernel]:
    with Kernel(build_dir=build_dir) as made:
        yield made


def prepared(folder: Path, build_dir: Path, a: bytes, slot: str) -> Path:
    flash = folder / "prepared.img"
    new_image(flash)
    root = image.FIRMWARE_DIR / "image"
    files = {f"/{name}": (root / name).read_bytes() for name in ("boot.py", "trial.py")}
    files |= {"/main.py": MAIN, "/a/ver.py": a, "/b/ver.py": B, "/slot": slot.encode()}
    image.write_files(flash, files, build_dir)
    return flash


def slot_of(flash: Path, build_dir: Path) -> str:
    files = image.read_files(flash, build_dir)
    assert {"/a/ver.py", "/b/ver.py", "/slot"} <= set(files)
    text = files["/slot"].decode()
    return text.split()[0] if "?" in text else text  # without the time


@pytest.mark.parametrize("phase", PHASES)
def test_a_cut_leaves_the_old_or_the_new_and_a_board_that_starts(
    one_kernel: Kernel, build_dir: Path, tmp_path: Path, phase: str
) -> None:
    a, before, left, runs, ends = PHASES[phase]
    base = prepared(tmp_path, build_dir, a, before)
    chance = Random(phase)
    seen: dict[str, int] = {}
    for number in range(CUTS):
        flash = clone_image(base, tmp_path / f"{number}.img")
        spec = BoardSpec(
            name=f"cut-{number}", mac=number.to_bytes(6, "big"), flash_image=flash,
            work_dir=tmp_path,
        )  # fmt: skip
        board = build_board(one_kernel, spec, NullAir(), Still())
        node = Node(board)
        # a file and its renaming program some 200 to 900 bytes; 0: nothing at all
        cut = number if number < 8 else chance.randrange(8, 1_000)
        board.cut_power_after_flash_bytes(cut)
        board.power_on()
        one_kernel.run_until(one_kernel.now_us + RUN_US)
        if board.powered_on:
            assert "ended" in node.lines, node.lines  # it wrote less than that
            board.power_off()
        after = slot_of(flash, build_dir)
        assert after in left, (cut, after)
        seen[after] = seen.get(after, 0) + 1
        node.lines.clear()
        board.power_on()
        one_kernel.run_until(one_kernel.now_us + RUN_US)
        ran = [line[-1] for line in node.lines if line.startswith("runs ")]
        assert ran, node.lines
        assert set(ran) <= set(runs), (cut, ran)
        assert "ended" in node.lines, node.lines
        board.power_off()
        assert slot_of(flash, build_dir) in ends, cut
        flash.unlink()
    assert set(seen) == set(left), "cuts before, between and after"
