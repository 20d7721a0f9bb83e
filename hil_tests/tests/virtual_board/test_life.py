# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Boot, reset, deep sleep, power: what survives and what does not."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from revier_bench import image
from revier_bench.chips.environments import Still
from revier_bench.virtual_board import Kernel, NodeError, Nvs, clone_image, new_image
from revier_bench.virtual_board.process import SHIM_HEAP_BYTES, heap_bytes

from .conftest import BOOT_US, SECOND_US, MakeNode


def test_main_runs_from_the_boards_own_flash(make_node: MakeNode, kernel: Kernel) -> None:
    node = make_node(
        "import sys, os, machine\n"
        "print(sys.implementation.name, os.listdir('/'), machine.unique_id().hex())\n"
        "print(machine.reset_cause() == machine.PWRON_RESET, __name__)"
    )
    node.board.power_on()
    kernel.run_until(SECOND_US)
    assert node.lines == ["micropython ['main.py'] 025245560001", "True __main__"]
    assert node.timed[0][0] == BOOT_US


def test_rtc_memory_outlives_deep_sleep_and_reset_but_not_power(
    make_node: MakeNode, kernel: Kernel
) -> None:
    node = make_node(
        "import machine\n"
        "rtc = machine.RTC()\n"
        "n = len(rtc.memory())\n"
        "print(machine.reset_cause(), machine.wake_reason(), rtc.memory())\n"
        "rtc.memory(rtc.memory() + b'x')\n"
        "if n == 1: machine.reset()\n"
        "if n == 2: machine.WDT(timeout=1000); import time; time.sleep(5)\n"
        "machine.deepsleep(10_000 if n == 0 else 0)\n",
        sleep_clock_error_ppm=0,
        sleep_clock_drift_ppm=0,
    )
    node.board.power_on()
    kernel.run_until(60 * SECOND_US)
    assert node.lines == ["1 0 b''", "4 4 b'x'", "2 0 b'xx'", "3 0 b'xxx'"]
    assert node.timed[1][0] - node.timed[0][0] == 10 * SECOND_US + BOOT_US
    assert node.timed[3][0] - node.timed[2][0] == SECOND_US + BOOT_US, "the watchdog bit after 1 s"
    assert node.board.asleep
    node.board.power_off()
    node.board.power_on()
    kernel.run_until(62 * SECOND_US)
    assert node.lines[4] == "1 0 b''"


def test_a_fed_watchdog_does_not_bite(make_node: MakeNode, kernel: Kernel) -> None:
    node = make_node(
        "import machine, time\n"
        "wdt = machine.WDT(timeout=1000)\n"
        "for i in range(10): time.sleep_ms(600); wdt.feed()\n"
        "print('alive')\n"
        "time.sleep_ms(1100)\n"
        "print('never')"
    )
    node.board.power_on()
    kernel.run_until(8 * SECOND_US)
    assert node.lines[0] == "alive"
    assert "never" not in node.lines
    assert node.board.cause == 3


def test_the_sleep_clock_errs_and_the_nodes_clock_does_not_notice(
    make_node: MakeNode, kernel: Kernel
) -> None:
    node = make_node(
        "import machine, time\nprint(time.time_ns() // 1000)\nmachine.deepsleep(1_000_000)",
        sleep_clock_error_ppm=50_000,
        sleep_clock_drift_ppm=0,
    )
    node.board.power_on()
    kernel.run_until(1_200 * SECOND_US)
    (first_us, first), (second_us, second) = node.timed
    assert second_us - first_us - BOOT_US == pytest.approx(1_050 * SECOND_US, abs=20)
    assert abs(int(second) - int(first) - BOOT_US - 1_000 * SECOND_US) < 100


def test_an_exception_in_main_leads_to_the_prompt(make_node: MakeNode, kernel: Kernel) -> None:
    node = make_node("print('before')\n1 // 0\n")
    node.board.power_on()
    kernel.run_until(5 * SECOND_US)
    assert node.lines[0] == "before"
    assert "ZeroDivisionError" in node.lines[-1]
    kernel.run_until(100 * SECOND_US)
    assert kernel.now_us == 100 * SECOND_US


def test_system_exit_is_a_soft_reset(make_node: MakeNode, kernel: Kernel) -> None:
    node = make_node(
        "import machine, sys\n"
        "print(machine.reset_cause())\n"
        "if machine.reset_cause() == machine.PWRON_RESET: sys.exit()"
    )
    node.board.power_on()
    kernel.run_until(5 * SECOND_US)
    assert node.lines == ["1", "5"]


def test_an_interpreter_that_dies_is_reported(make_node: MakeNode, kernel: Kernel) -> None:
    node = make_node("import uctypes\nprint('about to die')\nuctypes.bytearray_at(0, 1)[0] = 1")
    node.board.power_on()
    with pytest.raises(NodeError, match="about to die"):
        kernel.run_until(5 * SECOND_US)


def test_power_may_fail_at_any_moment(make_node: MakeNode, kernel: Kernel) -> None:
    node = make_node("import time\nn = 0\nwhile True:\n  time.sleep_ms(100)\n  print(n)\n  n += 1")
    node.board.at(BOOT_US + 550_000, node.board.power_off)
    node.board.power_on()
    kernel.run_until(10 * SECOND_US)
    assert node.lines == ["0", "1", "2", "3", "4"]
    assert kernel.now_us == 10 * SECOND_US


# -- NVS --

WRITE_NVS = """
import esp32, time
nvs = esp32.NVS('test')
nvs.set_i32('kept', 41)
nvs.set_blob('blob', b'abc')
nvs.commit()
for i in range(20):
    nvs.set_i32('loose%d' % i, i)
print('written')
time.sleep(100)
"""


def test_committed_values_survive_a_power_cut_and_others_may_not(
    make_node: MakeNode, kernel: Kernel
) -> None:
    node = make_node(WRITE_NVS)
    node.board.at(5 * SECOND_US, node.board.power_off)
    node.board.power_on()
    kernel.run_until(6 * SECOND_US)
    nvs = Nvs(node.board.spec.flash_image)
    assert nvs.get("test", "kept") == 41
    assert nvs.get("test", "blob") == b"abc"
    loose = [nvs.get("test", f"loose{i}") for i in range(20)]
    assert loose == sorted(v for v in loose if v is not None) + [None] * loose.count(None)


@pytest.mark.parametrize("seed", range(6))
def test_commit_is_enough(make_node: MakeNode, kernel: Kernel, seed: int) -> None:
    """Without a commit chance decides, so several seeds."""
    node = make_node(
        "import esp32, time\n"
        "nvs = esp32.NVS('test')\n"
        "nvs.set_i32('kept', 41)\n"
        "nvs.commit()\n"
        "time.sleep(100)",
        seed=str(seed),
    )
    node.board.at(2 * SECOND_US, node.board.power_off)
    node.board.power_on()
    kernel.run_until(3 * SECOND_US)
    assert Nvs(node.board.spec.flash_image).get("test", "kept") == 41


def test_without_commit_chance_decides(make_node: MakeNode, kernel: Kernel) -> None:
    kept = []
    for seed in range(8):
        node = make_node(
            "import esp32, time\nesp32.NVS('test').set_i32('loose', 41)\ntime.sleep(100)",
            name=f"node-{seed}",
            seed=str(seed),
        )
        node.board.power_on()
        kernel.run_until(kernel.now_us + SECOND_US)
        node.board.power_off()
        kept.append(Nvs(node.board.spec.flash_image).get("test", "loose"))
    assert set(kept) == {None, 41}


def test_nvs_written_by_the_host_is_read_by_the_node(make_node: MakeNode, kernel: Kernel) -> None:
    node = make_node(
        "import esp32\n"
        "nvs = esp32.NVS('lorawan')\n"
        "buf = bytearray(16)\n"
        "print(nvs.get_blob('app_key', buf), buf[:3], nvs.get_i32('n'))\n"
        "def code(f, *a):\n"
        "  try: f(*a)\n"
        "  except OSError as e: return e.args[0]\n"
        "print(code(nvs.get_i32, 'app_key'), code(nvs.get_blob, 'n', buf))\n"
        "print(code(nvs.get_i32, 'x'))\n"
        "print(code(nvs.get_blob, 'app_key', bytearray(3)), code(nvs.set_i32, 'k' * 16, 1))\n"
        "nvs.erase_key('n')\n"
        "nvs.commit()\n"
    )
    image_path = node.board.spec.flash_image
    nvs = Nvs(image_path)
    nvs.set("lorawan", "app_key", bytes(range(16)))
    nvs.set("lorawan", "n", -5)
    nvs.commit()
    node.board.power_on()
    kernel.run_until(SECOND_US)
    assert node.lines[0] == "16 bytearray(b'\\x00\\x01\\x02') -5"
    assert node.lines[1:3] == ["-4354 -4354", "-4354"]
    assert node.lines[3] == "-4364 -4361"
    assert Nvs(image_path).get("lorawan", "n") is None


def test_a_torn_nvs_record_ends_the_log(tmp_path: Path) -> None:
    flash = tmp_path / "flash.img"
    nvs = Nvs(flash)
    nvs.set("a", "one", 1)
    nvs.set("a", "two", 2)
    nvs.commit()
    whole = nvs.path.read_bytes()
    nvs.path.write_bytes(whole[:-1])
    assert Nvs(flash).values == {("a", "one"): 1}
    nvs.path.write_bytes(whole[:-1] + bytes((whole[-1] ^ 1,)))
    assert Nvs(flash).values == {("a", "one"): 1}


# -- flash --

REWRITE = """
import machine, os
def read():
    try:
        with open('/state') as f: return f.read()
    except OSError: return None
print(read())
with open('/state.new', 'w') as f: f.write('new' * 500)
os.rename('/state.new', '/state')
print('done')
"""


@pytest.mark.parametrize("cut", [0, 1, 300, 700, 1500, 2047, 2300, 3100, 4500])
def test_a_cut_in_the_middle_of_a_flash_write_leaves_old_or_new(
    make_node: MakeNode, kernel: Kernel, build_dir: Path, cut: int
) -> None:
    node = make_node(REWRITE)
    flash = node.board.spec.flash_image
    image.write_files(flash, {"/state": b"old"}, build_dir)
    node.board.cut_power_after_flash_bytes(cut)
    node.board.power_on()
    kernel.run_until(2 * SECOND_US)
    cut_happened = not node.board.powered_on
    assert cut_happened == ("done" not in node.lines)
    node.board.power_off()
    node.lines.clear()
    node.board.power_on()
    kernel.run_until(4 * SECOND_US)
    assert node.lines[0] in ("old", "new" * 500)
    assert node.lines[-1] == "done"


def test_flash_cuts_come_at_different_places(make_node: MakeNode, kernel: Kernel) -> None:
    """The cuts above are only worth something if some hit and some miss."""
    node = make_node(REWRITE)
    hit = []
    for cut in (300, 1_000_000):
        node.board.cut_power_after_flash_bytes(cut)
        node.board.power_on()
        kernel.run_until(kernel.now_us + SECOND_US)
        hit.append(not node.board.powered_on)
        node.board.power_off()
    assert hit == [True, False]


def test_clone_takes_the_nvs_along(tmp_path: Path) -> None:
    flash = tmp_path / "a.img"
    new_image(flash)
    nvs = Nvs(flash)
    nvs.set("a", "b", 3)
    nvs.commit()
    assert Nvs(clone_image(flash, tmp_path / "b" / "b.img")).get("a", "b") == 3


def test_the_file_system_is_the_flashs(make_node: MakeNode, kernel: Kernel) -> None:
    """Folders are remembered between look-ups: changes must show at once."""
    node = make_node(
        "import os\n"
        "def there(path):\n"
        "  try: return os.stat(path)[6]\n"
        "  except OSError as e: return -e.args[0]\n"
        "print(there('/d'), there('/d/x'))\n"
        "os.mkdir('/d')\n"
        "print(there('/d') == 0, there('/d/x'))\n"
        "with open('/d/x', 'w') as f: f.write('abc')\n"
        "print(there('/d/x'), os.listdir('/d'))\n"
        "with open('/d/x', 'a') as f: f.write('de')\n"
        "print(there('/d/x'), there('d/x'), there('/'))\n"
        "os.rename('/d/x', '/d/y')\n"
        "print(there('/d/x'), there('/d/y'), open('/d/y').read())\n"
        "os.chdir('/d'); print(there('y'), os.getcwd()); os.chdir('/')\n"
        "os.remove('/d/y'); os.rmdir('/d')\n"
        "print(there('/d/y'), there('/d'), os.statvfs('/')[0])\n"
    )
    node.board.power_on()
    kernel.run_until(SECOND_US)
    assert node.lines == [
        "-2 -2",
        "True -2",
        "3 ['x']",
        "5 5 0",
        "-2 5 abcde",
        "5 /d",
        "-2 -2 4096",
    ]


# -- processes --

ORPHAN = """
import sys
from pathlib import Path
from revier_bench.chips.environments import Still
from revier_bench.virtual_board import BoardSpec, Kernel, build_board, new_image
from revier_bench.world.air import NullAir
folder = Path(sys.argv[1])
new_image(folder / "flash.img")
spec = BoardSpec("orphan", bytes(6), folder / "flash.img", folder)
kernel = Kernel(build_dir=Path(sys.argv[2]))
board = build_board(kernel, spec, NullAir(), Still())
board.power_on()
kernel.run_until(1_000_000)
print(board.process.server_pid, flush=True)
sys.stdin.read()
"""


def test_no_process_outlives_a_killed_bench(tmp_path: Path, build_dir: Path) -> None:
    bench = subprocess.Popen(
        [sys.executable, "-c", ORPHAN, str(tmp_path), str(build_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert bench.stdout is not None
    server = int(bench.stdout.readline())
    assert Path(f"/proc/{server}").exists()
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    assert len(children) == 1
    bench.kill()
    bench.wait()
    end_s = time.monotonic() + 10
    while time.monotonic() < end_s and any(
        Path(f"/proc/{pid}").exists() for pid in (server, *children)
    ):
        time.sleep(0.02)
    assert not Path(f"/proc/{server}").exists()
    assert not Path(f"/proc/{children[0]}").exists()


def test_closing_the_kernel_ends_all(make_node: MakeNode, build_dir: Path) -> None:
    kernel = Kernel(build_dir=build_dir)
    node = make_node("import time\ntime.sleep(100)", in_kernel=kernel)
    node.board.power_on()
    kernel.run_until(SECOND_US)
    server = node.board.process.server_pid
    kernel.close()
    kernel.close()
    assert not Path(f"/proc/{server}").exists()


# -- heap --


def test_the_firmware_has_its_heap_to_itself(make_node: MakeNode, kernel: Kernel) -> None:
    node = make_node("import gc\ngc.collect()\nprint(gc.mem_free())")
    node.board.power_on()
    kernel.run_until(SECOND_US)
    free = int(node.lines[0])
    wanted = heap_bytes(node.board.spec) - SHIM_HEAP_BYTES
    assert abs(node.board.shim_heap - SHIM_HEAP_BYTES) < 4_000, node.board.shim_heap
    assert abs(free - wanted) < 0.06 * wanted


# -- wake by a pin --

WAIT_FOR_CAR = """
import esp32, machine
i2c = machine.I2C(0, scl=machine.Pin(42), sda=machine.Pin(41), freq=100000)
print(machine.reset_cause(), machine.wake_reason())
def put(reg, data): i2c.writeto_mem(0x1E, reg, data)
put(0x60, bytes((0x90, 0x08, 0x50)))
put(0x45, b'\\x64\\x00\\x38\\xff\\x2c\\x01')
put(0x65, b'\\x28\\x00')
put(0x63, b'\\xe7')
i2c.readfrom_mem(0x1E, 0x64, 1)
esp32.wake_on_ext1((machine.Pin(7, machine.Pin.IN),), esp32.WAKEUP_ANY_HIGH)
machine.deepsleep(3_600_000)
"""


def test_a_car_wakes_the_node(make_node: MakeNode, kernel: Kernel) -> None:
    arrives_us = 100 * SECOND_US
    environment = Still(field=(15.0, -30.0, 45.0), changes_us=((arrives_us, (15.0, -30.0, 80.0)),))
    node = make_node(WAIT_FOR_CAR, kind="parking", environment=environment)
    node.board.power_on()
    kernel.run_until(101 * SECOND_US)
    assert node.lines == ["1 0", "4 3"]
    assert 0 < node.timed[1][0] - arrives_us < BOOT_US + 300_000
