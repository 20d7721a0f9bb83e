# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""esptool, the boot loader, the flash and MicroPython on one serial port."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from revier_bench.virtual_board import Nvs
from revier_bench.workbench import BenchBoard, Faults, State, make_runtime
from revier_bench.workbench.bench_board import MAC
from revier_bench.workbench.runtime_image import VFS_AT
from revier_provision import BoardError, open_board
from revier_provision.chip import BaudMemory, Flasher, RuntimeImage

pytestmark = pytest.mark.pty

Bench = Callable[..., BenchBoard]
Runtime = Callable[..., RuntimeImage]
APP_BYTE = 0x12345


@pytest.mark.parametrize("chip", ["ESP32", "ESP32-S3"])
def test_from_an_empty_chip_to_a_board_with_files(
    bench: Bench, runtime: Runtime, chip: str
) -> None:
    board = bench(chip)
    assert board.state is State.DEAD
    assert "invalid header: 0xffffffff" in board.rom_lines
    image = runtime(chip)
    flasher = Flasher(board.url, BaudMemory())
    info = flasher.chip()
    assert (info.name, info.flash_bytes) == (chip, 4 * 1024 * 1024)
    heard: list[tuple[int, int]] = []
    done = flasher.flash(image, lambda at, total: heard.append((at, total)))
    assert (done.skipped, done.baud) == (False, 921_600)
    assert board.bauds[-1] == 921_600
    assert heard == sorted(heard)
    assert heard[-1][0] == heard[-1][1] == sum(len(piece.data) for piece in image.pieces)
    assert len(heard) > 3
    assert board.state is State.RUNNING
    with open_board(board.url, reset=False) as repl:
        assert repl.factory_mac() == info.factory_mac
        assert repl._repl.run("import os\nprint(os.listdir('/'))") == "[]\n"
        repl._repl.run("with open('/kept', 'w') as f: f.write('kept')")
        repl._repl.run("import sys\nassert sys.stdout.buffer.write(bytes((255, 255, 240)))")
    again = flasher.flash(image)
    assert again.skipped
    assert flasher.holds(image)
    with open_board(board.url, reset=False) as repl:
        assert repl._repl.run("print(open('/kept').read())") == "kept\n"


def test_a_flipped_byte_is_found_by_read_back_and_written_again(
    bench: Bench, runtime: Runtime
) -> None:
    board, image = bench(), runtime()
    flasher = Flasher(board.url, BaudMemory())
    flasher.flash(image)
    board.flip(APP_BYTE)
    assert not flasher.holds(image)
    assert board.state is State.DEAD
    assert any("Checksum failed" in line for line in board.rom_lines)
    assert not flasher.flash(image).skipped
    assert flasher.holds(image)
    assert board.state is State.RUNNING


def test_a_flash_that_does_not_keep_what_is_written_is_refused(
    bench: Bench, runtime: Runtime, tmp_path: Path
) -> None:
    board = bench(faults=Faults(stuck=frozenset({APP_BYTE})))
    memory = BaudMemory(tmp_path / "bauds.json")
    flasher = Flasher(board.url, memory, "adapter")
    with pytest.raises(BoardError, match="is not what was written") as caught:
        flasher.flash(runtime())
    assert "put it aside" in caught.value.cure
    assert board.state is State.DEAD
    assert memory.ladder("adapter")[0] == 921_600, "not the adapter's fault"


def test_speeds_that_garble_are_left_and_remembered(
    bench: Bench, runtime: Runtime, tmp_path: Path
) -> None:
    board = bench(faults=Faults(bad_bauds=frozenset({921_600, 460_800})))
    image, state = runtime(), tmp_path / "state" / "bauds.json"
    done = Flasher(board.url, BaudMemory(state), "10c4:ea60:0001").flash(image)
    assert (done.skipped, done.baud) == (False, 115_200)
    assert board.state is State.RUNNING
    tried = [baud for baud in board.bauds if baud > 115_200]
    assert tried == [921_600, 460_800]
    again = Flasher(board.url, BaudMemory(state), "10c4:ea60:0001")
    assert again.flash(image).baud == 115_200
    assert [baud for baud in board.bauds if baud > 115_200] == tried, "remembered"


def test_the_wrong_chip_is_refused_by_name_before_a_byte_is_written(
    bench: Bench, runtime: Runtime
) -> None:
    board = bench("ESP32")
    before = board.flash.read()
    with pytest.raises(BoardError, match="is made for ESP32-S3, but this board has an ESP32"):
        Flasher(board.url, BaudMemory()).flash(runtime("ESP32-S3"))
    assert board.flash.read() == before


def test_keys_and_counters_stay_when_another_runtime_is_flashed(
    bench: Bench, runtime: Runtime
) -> None:
    board = bench()
    flasher = Flasher(board.url, BaudMemory())
    flasher.flash(runtime())
    with open_board(board.url, reset=False) as repl:
        repl.write_identity("025245fffe560001", "00" * 8, bytes(range(16)))
    newer = flasher.flash(runtime(version="v1.30.0"))
    assert not newer.skipped
    assert board.state is State.RUNNING
    with open_board(board.url, reset=False) as repl:
        assert repl.state().has_app_key
    assert Nvs(board.flash.image).get("lorawan", "app_key") == bytes(range(16))


def test_without_auto_reset_the_buttons_are_named_and_work(bench: Bench, runtime: Runtime) -> None:
    board = bench(faults=Faults(broken_reset=True))
    with pytest.raises(BoardError, match="did not enter its boot loader") as caught:
        Flasher(board.url, BaudMemory()).chip()
    assert "Hold the button BOOT" in caught.value.cure
    board.press_boot()
    assert not Flasher(board.url, BaudMemory()).flash(runtime()).skipped
    assert board.state is State.DOWNLOAD
    board.press_reset()
    assert board.state is State.RUNNING


def test_a_cable_pulled_while_writing_is_said_and_the_next_run_ends_it(
    bench: Bench, runtime: Runtime
) -> None:
    board, image = bench(), runtime()
    flasher = Flasher(board.url, BaudMemory())

    def pull(done: int, total: int) -> None:
        if done > total // 2 and board.state is not State.OFF:
            board.cut()

    with pytest.raises(BoardError, match=r"went away|There is no"):
        flasher.flash(image, pull)
    assert board.state is State.OFF
    board.plug()
    assert board.state is State.DEAD
    assert not flasher.flash(image).skipped
    assert board.state is State.RUNNING


def test_the_same_folder_is_the_same_board(
    bench: Bench, runtime: Runtime, tmp_path: Path, build_dir: Path
) -> None:
    with BenchBoard(tmp_path / "board", build_dir=build_dir) as board:
        Flasher(board.url, BaudMemory()).flash(runtime())
    assert bench(folder="board").state is State.RUNNING


def test_a_port_has_one_user_at_a_time(bench: Bench, runtime: Runtime) -> None:
    board = bench()
    Flasher(board.url, BaudMemory()).flash(runtime())
    hurried = board.url.replace("timeout=30", "timeout=1")
    with (
        open_board(board.url, reset=False),
        pytest.raises(BoardError, match="Cannot open"),
        open_board(hurried, 1),
    ):
        pass


def test_what_another_program_left_is_erased_on_request(bench: Bench, runtime: Runtime) -> None:
    board, image = bench(), runtime()
    flasher = Flasher(board.url, BaudMemory())
    board.flash.write(VFS_AT, b"another program's data")
    flasher.flash(image)
    assert board.state is State.DEAD
    assert any("looks corrupt" in line for line in board.rom_lines)
    assert not flasher.flash(image, erase=True).skipped
    assert board.state is State.RUNNING
    with open_board(board.url, reset=False) as repl:
        repl.write_identity("025245fffe560001", "00" * 8, bytes(range(16)))
    flasher.flash(image, erase=True)
    with open_board(board.url, reset=False) as repl:
        assert not repl.state().has_app_key


def test_a_preloaded_board_is_reset_over_its_repl_and_by_its_button(
    tmp_path: Path, build_dir: Path
) -> None:
    board = BenchBoard(tmp_path / "board", build_dir=build_dir)
    board.preload(make_runtime())
    with board:
        assert board.state is State.RUNNING
        with open_board(board.url, reset=False) as repl:
            repl._repl.run("with open('/main.py', 'w') as f: f.write('print(\"main ran\")')")
        board.press_reset()
        board.wait_for("main ran")
        board.lines.clear()
        with open_board(board.url) as repl:
            assert repl.factory_mac() == MAC
        board.wait_for("main ran")
        board.cut()
        board.lines.clear()
        board.plug()
        board.wait_for("main ran")
        assert board.do(lambda: board.virtual.counters["boots"]) >= 4
