# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""_boot.py of the frozen image on a virtual board.

The bench's interpreter has no image to freeze into. So the flash is mounted at /frozen too, where
the modules are found that the image would hold, and a boot.py of this test runs _boot.py first.
"""

from __future__ import annotations

from pathlib import Path

from revier_bench import image
from revier_bench.chips.environments import Still
from revier_bench.measure.sim_speed import joined_flash
from revier_bench.virtual_board import BoardSpec, Kernel, Nvs, WiredBoard, build_board
from revier_bench.virtual_board.flash import new_image
from revier_bench.world.air import NullAir

HOUR_US = 3_600_000_000
NAMESPACE = "revier_frozen"
BOOT = """
import sys, vfs
flash = [fs for fs, point in vfs.mount() if point == "/"][0]
vfs.umount("/")
vfs.mount(flash, "/frozen")
sys.path[:] = ["/frozen/f"]
import _boot
print("test mounted", [type(fs) is type(flash) for fs, point in vfs.mount() if point == "/"])
service = False
"""
FLASHBDEV = 'import vfs\nbdev = [fs for fs, point in vfs.mount() if point == "/frozen"][0]\n'


def frozen_flash(folder: Path, more: dict[str, bytes]) -> Path:
    """A joined parking node's flash whose application is where only /frozen has it."""
    build_dir = folder / "build"
    shipped = image.read_files(image.build(build_dir), build_dir)
    files = {name.replace("/a/", "/f/", 1): data for name, data in shipped.items()}
    frozen = image.FIRMWARE_DIR / "image" / "frozen" / "_boot.py"
    files["/f/_boot.py"] = frozen.read_bytes()
    files["/f/main.py"] = shipped["/main.py"]
    files["/f/flashbdev.py"] = FLASHBDEV.encode()
    files["/boot.py"] = BOOT.encode()
    base = folder / "base.img"
    new_image(base)
    image.write_files(base, files | more, build_dir)
    return joined_flash("parking", 1, folder, build_dir, base)


def run(folder: Path, flash: Path, until_us: int) -> tuple[WiredBoard, list[str]]:
    lines: list[str] = []
    with Kernel(build_dir=folder / "build") as kernel:
        spec = BoardSpec(
            name="frozen", mac=bytes(6), flash_image=flash, work_dir=folder, kind="parking"
        )
        board = build_board(kernel, spec, NullAir(), Still())
        board.on_console_line = lambda _, line: lines.append(line)
        board.power_on()
        kernel.run_until(until_us)
    return board, lines


def mounts(lines: list[str]) -> list[str]:
    """Of each boot that went on after _boot.py: was the flash the root?"""
    return [line.removeprefix("test mounted ") for line in lines if line.startswith("test mounted")]


def test_a_wake_does_without_the_flash_and_sends_all_the_same(tmp_path):
    flash = frozen_flash(tmp_path, {})
    board, lines = run(tmp_path, flash, 3 * HOUR_US + HOUR_US // 2)
    boots = [line for line in lines if line.startswith("revier boot")]
    assert [("deep_sleep" in line) for line in boots] == [False, True, True, True]
    assert mounts(lines) == ["[True]"]  # power-on only; the wakes never came back from _boot.py
    assert not [line for line in lines if "error" in line or "Traceback" in line]
    assert sum(line.startswith("revier reading") for line in lines) == 4
    assert board.radio.modem.transmissions >= 4
    kept = Nvs(flash)
    assert kept.get(NAMESPACE, "node") == image.read_files(flash, tmp_path / "build")["/node.json"]
    board_file = image.FIRMWARE_DIR / "image" / "boards" / "heltec_v3.json"
    assert kept.get(NAMESPACE, "board") == board_file.read_bytes()


def test_an_application_in_the_flash_goes_before_the_frozen_one(tmp_path):
    flash = frozen_flash(tmp_path, {"/a/marker.txt": b"x"})
    _, lines = run(tmp_path, flash, HOUR_US + HOUR_US // 2)
    assert mounts(lines) == ["[True]", "[True]"]
    assert not Nvs(flash).get(NAMESPACE, "node")


def test_a_wake_whose_files_are_not_kept_mounts_the_flash(tmp_path):
    """As after a first start that provisioning did not finish."""
    flash = frozen_flash(tmp_path, {})
    big = b"x" * 2_001
    image.write_files(flash, {"/boards/heltec_v3.json": big}, tmp_path / "build")
    _, lines = run(tmp_path, flash, HOUR_US)
    assert mounts(lines)[0] == "[True]"
    assert len(mounts(lines)) > 1
    assert any("heltec_v3" in line for line in lines if line.startswith("revier error"))


CHANGE = b"""
import machine
if machine.reset_cause() == machine.DEEPSLEEP_RESET:
    from revier_node import settings
    settings.change(bytes((1, 1, 7, 8)))  # 1800 s
"""


def test_other_settings_take_the_place_of_the_copy(tmp_path):
    shipped = image.read_files(image.build(tmp_path / "build"), tmp_path / "build")
    flash = frozen_flash(tmp_path, {})
    main = {"/f/main.py": CHANGE + shipped["/main.py"]}
    image.write_files(flash, main, tmp_path / "build")
    _, lines = run(tmp_path, flash, 4 * HOUR_US)
    slept = [int(line.split("ms=")[1]) for line in lines if line.startswith("revier sleep")]
    assert slept[0] > 1_800_000
    assert all(ms <= 1_800_000 for ms in slept[2:])
    assert len(slept) >= 6
    # power-on; after the change, after the trial: then from the copy again
    assert mounts(lines) == ["[True]"] * 3
    written = image.read_files(flash, tmp_path / "build")["/node.json"]
    assert Nvs(flash).get(NAMESPACE, "node") == written
    assert b'"settings": [[1, 1800]]' in written
    assert b"before" not in written


MAIN = """
import machine, os
if machine.reset_cause() == machine.DEEPSLEEP_RESET:
    try:
        os.stat("/note.txt")
    except OSError:
        print("test nothing to import in sight")
    with open("/note.txt") as file:
        print("test note", file.read())
    with open("/new.txt", "w") as file:
        file.write("written")
    print("test files", "new.txt" in os.listdir("/"))
machine.deepsleep(60_000)
"""


def test_any_other_file_mounts_the_flash_after_all(tmp_path):
    more = {"/note.txt": b"hello", "/main.py": MAIN.encode(), "/f/main.py": MAIN.encode()}
    flash = frozen_flash(tmp_path, more)
    _, lines = run(tmp_path, flash, 90_000_000)
    assert [line for line in lines if line.startswith("test ")] == [
        "test mounted [True]",
        "test nothing to import in sight",
        "test note hello",
        "test files True",
    ]
    assert image.read_files(flash, tmp_path / "build")["/new.txt"] == b"written"
