# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Virtual time: ticks, leases, sleeps, interrupts, order, determinism."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from revier_bench.virtual_board import Kernel, link
from revier_bench.virtual_board.shim_build import build_shim
from revier_bench.world.air import Emission, NullAir

from .conftest import BOOT_US, SECOND_US, MakeNode, Node


def test_both_ends_of_the_link_number_alike() -> None:
    source = (Path(link.__file__).parent / "shim" / "_link.py").read_text()
    assignments = (line.partition(" = ") for line in source.splitlines())
    shim = {
        name: int(value) for name, _, value in assignments if name.isupper() and value.isdigit()
    }
    ours = {k: v for k, v in vars(link).items() if k.isupper() and isinstance(v, int)}
    shared = shim.keys() & ours.keys()
    assert {"SPI", "SLEEP", "STARTED"} <= shared
    assert {k: shim[k] for k in shared} == {k: ours[k] for k in shared}
    assert link.REQUEST.size == shim["_REQUEST"]
    assert link.REPLY.size == shim["_REPLY"]


def test_a_busy_wait_ends_without_calls(make_node: MakeNode, kernel: Kernel) -> None:
    node = make_node(
        "import time\n"
        "t = time.ticks_us()\n"
        "n = 0\n"
        "while time.ticks_diff(time.ticks_us(), t) < 20_000: n += 1\n"
        "print(n)\n"
        "time.sleep_ms(500)\n"
        "print('end')"
    )
    node.board.power_on()
    kernel.run_until(2 * SECOND_US)
    assert node.lines == ["3999", "end"]
    assert node.timed[1][0] - node.timed[0][0] == 500_000
    assert node.board.calls < 8


@pytest.mark.parametrize("near", [True, False])
def test_ticks_wrap_at_two_to_the_thirty(make_node: MakeNode, kernel: Kernel, near: bool) -> None:
    node = make_node(
        "import time\n"
        "a, b = time.ticks_us(), time.ticks_ms()\n"
        "time.sleep(10)\n"
        "c, d = time.ticks_us(), time.ticks_ms()\n"
        "print(c < a, d < b, time.ticks_diff(c, a) // 1000, time.ticks_diff(d, b))\n"
        "print(time.ticks_add(2**30 - 1, 2), time.ticks_diff(0, 2**30 - 1), time.gmtime(0)[0])\n"
        "print(max(a, b, c, d) < 2**30)",
        ticks_near_wrap=near,
    )
    node.board.power_on()
    kernel.run_until(20 * SECOND_US)
    assert node.lines == [f"{near} {near} 10000 10000", "1 1 2000", "True"]


def test_every_second_boot_starts_near_the_wrap(make_node: MakeNode, kernel: Kernel) -> None:
    node = make_node(
        "import machine, time\nprint(time.ticks_ms() > 2**29)\nmachine.deepsleep(1000)",
        ticks_near_wrap=None,
    )
    node.board.power_on()
    kernel.run_until(20 * SECOND_US)
    assert node.lines[:6] in (["True", "False"] * 3, ["False", "True"] * 3)


def test_light_sleep_corrects_the_ticks_by_its_own_clock(
    make_node: MakeNode, kernel: Kernel
) -> None:
    node = make_node(
        "import machine, time\n"
        "t = time.ticks_us()\n"
        "print('a')\n"
        "machine.lightsleep(10_000)\n"
        "print(time.ticks_diff(time.ticks_us(), t))",
        light_sleep_error_ppm=1_000,
    )
    node.board.power_on()
    kernel.run_until(20 * SECOND_US)
    assert abs(int(node.lines[1]) - 10 * SECOND_US) < 100, "what the node believes"
    true_us = node.timed[1][0] - node.timed[0][0]
    assert true_us == pytest.approx(10_010_000, abs=600), "what passed"


def test_the_clock_can_be_set_and_runs_on_through_sleep(
    make_node: MakeNode, kernel: Kernel
) -> None:
    node = make_node(
        "import machine, time\n"
        "rtc = machine.RTC()\n"
        "if machine.reset_cause() == 1: rtc.datetime((2026, 5, 4, 0, 12, 30, 0, 0))\n"
        "print(rtc.datetime()[:6], time.gmtime()[:6])\n"
        "machine.deepsleep(60_000)",
        sleep_clock_error_ppm=0,
        sleep_clock_drift_ppm=0,
    )
    node.board.power_on()
    kernel.run_until(62 * SECOND_US)
    assert node.lines == [
        "(2026, 5, 4, 0, 12, 30) (2026, 5, 4, 12, 30, 0)",
        "(2026, 5, 4, 0, 12, 31) (2026, 5, 4, 12, 31, 0)",
    ]


# -- the radio through the shims --

RADIO = """
import machine, time
spi = machine.SPI(1, baudrate=8_000_000)
cs = machine.Pin(8, machine.Pin.OUT, value=1)
busy = machine.Pin(13, machine.Pin.IN)
dio1 = machine.Pin(14, machine.Pin.IN)
reset = machine.Pin(12, machine.Pin.OUT, value=1)

def command(*data):
    buf = bytearray(data)
    while busy(): pass
    cs(0)
    spi.write_readinto(buf, buf)
    cs(1)
    return buf

def setup(iq=0):
    command(0x80, 0)
    command(0x97, 2, 0, 1, 0x40)
    command(0x07, 0, 0)
    command(0x89, 0x7F)
    command(0x98, 0xD7, 0xDB)
    command(0x8A, 1)
    command(0x0D, 0x07, 0x40, 0x34, 0x44)
    command(0x86, 0x36, 0x41, 0x99, 0x9A)
    command(0x95, 4, 7, 0, 1)
    command(0x8E, 14, 4)
    command(0x8B, 7, 4, 1, 0)
    command(0x8C, 0, 8, 0, 5, 1, iq)
    command(0x0D, 0x07, 0x36, 0x09 if iq else 0x0D)
    command(0x08, 0x02, 0x77, 0x02, 0x77, 0, 0, 0, 0)
"""


class Ether(NullAir):
    """Keeps what is sent and passes it on to every other radio."""

    def __init__(self) -> None:
        self.emitted: list[Emission] = []
        self.radios: list[Any] = []

    def emit(self, emission: Emission) -> None:
        self.emitted.append(emission)
        for radio in self.radios:
            if radio.name != emission.sender:
                radio.on_emission(emission)

    def outcome(self, emission: Emission, listener: object) -> Any:
        from revier_bench.world.air import Reception

        return Reception(emission, -80.0, 8.0, crc_ok=True)


def test_one_spi_transaction_is_one_call(make_node: MakeNode, kernel: Kernel) -> None:
    node = make_node(RADIO + "setup()\nprint('ready')\nfor i in range(50): command(0xC0, 0)\n")
    node.board.power_on()
    kernel.run_until(2 * SECOND_US)
    assert node.board.calls_by_op[link.SPI] == 64
    assert node.board.misuse == []


def test_an_interrupt_comes_at_its_microsecond(make_node: MakeNode, kernel: Kernel) -> None:
    air = Ether()
    node = make_node(
        RADIO
        + "at = []\n"
        + "dio1.irq(lambda pin: at.append(time.ticks_us()), machine.Pin.IRQ_RISING)\n"
        + "setup()\ncommand(0x0E, 0, 1, 2, 3, 4, 5)\n"
        + "command(0x83, 0, 0, 0)\n"
        + "t = time.ticks_us()\n"
        + "time.sleep(1)\n"
        + "print(len(at), time.ticks_diff(time.ticks_us(), t) // 1000, at[0])\n",
        air=air,
    )
    node.board.power_on()
    kernel.run_until(3 * SECOND_US)
    count, slept_ms, at = (int(word) for word in node.lines[0].split())
    assert (count, slept_ms) == (1, 1000)
    (emission,) = air.emitted
    assert 0 <= at - emission.end_us <= 10
    assert emission.payload == bytes((1, 2, 3, 4, 5))


def test_nothing_takes_heap_between_transmission_and_reception(
    make_node: MakeNode, kernel: Kernel
) -> None:
    node = make_node(
        RADIO
        + "import micropython\n"
        + "setup(1)\n"
        + "ask = bytearray(4)\n"
        + "def locked():\n"
        + "    t = time.ticks_us()\n"
        + "    while time.ticks_diff(time.ticks_us(), t) < 3000: pass\n"
        + "    for i in range(3):\n"
        + "        while busy(): pass\n"
        + "        ask[0] = 0x12\n"
        + "        cs(0); spi.write_readinto(ask, ask); cs(1)\n"
        + "        spi.write(ask); spi.readinto(ask)\n"
        + "        time.sleep_us(500); time.sleep_ms(5); machine.lightsleep(7)\n"
        + "        dio1(); dio1.value(); time.ticks_ms()\n"
        + "locked()\n"
        + "micropython.heap_lock()\n"
        + "locked()\n"
        + "micropython.heap_unlock()\n"
        + "print('no heap taken')\n"
    )
    node.board.power_on()
    kernel.run_until(2 * SECOND_US)
    assert node.lines == ["no heap taken"]


PING = (
    RADIO
    + """
import os
setup(0)
for i in range(5):
    time.sleep_ms(100 + os.urandom(1)[0])
    command(0x0E, 0, 1, 2, 3, 4, i)
    command(0x83, 0, 0, 0)
    while not dio1(): time.sleep_ms(1)
    command(0x02, 3, 0xFF)
    print('sent', i)
"""
)
LISTEN = (
    RADIO
    + """
setup(0)
command(0x8C, 0, 8, 0, 255, 1, 0)
command(0x82, 0xFF, 0xFF, 0xFF)
while True:
    while not dio1(): machine.lightsleep(20)
    irq = command(0x12, 0, 0, 0)[3]
    command(0x02, 3, 0xFF)
    if irq & 2:
        n, at = command(0x13, 0, 0, 0)[2:]
        print('heard', bytes(command(0x1E, at, 0, *([0] * n))[3:]))
"""
)


def play(
    make_node: MakeNode, build_dir: Path, run: Callable[[Kernel], None]
) -> list[tuple[str, int, str]]:
    """Two nodes, one sends, one listens: everything that was said and when."""
    air = Ether()
    trace: list[tuple[str, int, str]] = []
    with Kernel(build_dir=build_dir) as kernel:
        for name, main in (("ping", PING), ("listen", LISTEN)):
            node = make_node(main, name=name, air=air, in_kernel=kernel)
            air.radios.append(node.board.radio)
            node.board.on_console_line = lambda t, line, name=name: trace.append((name, t, line))
            node.board.power_on()
        run(kernel)
    trace += [("air", e.start_us, e.payload.hex()) for e in air.emitted]
    return trace


LISTEN_AWAKE = (
    RADIO
    + """
setup(0)
command(0x8C, 0, 8, 0, 255, 1, 0)
command(0x08, 0x02, 0x77, 0x00, 0x02, 0, 0, 0, 0)
command(0x82, 0xFF, 0xFF, 0xFF)
while True:
    while not dio1(): time.sleep_us(400)
    command(0x02, 3, 0xFF)
    print('heard')
"""
)


def test_a_node_that_polls_its_radio_hears_at_the_right_time(
    make_node: MakeNode, kernel: Kernel
) -> None:
    """While its radio listens a node must not run ahead of what may still come."""
    air = Ether()
    listener = make_node(LISTEN_AWAKE, name="awake", air=air)
    sender = make_node(PING, name="ping", air=air)
    for node in (listener, sender):
        air.radios.append(node.board.radio)
        node.board.power_on()
    kernel.run_until(3 * SECOND_US)
    heard = [t_us for t_us, line in listener.timed if line == "heard"]
    assert len(heard) == len(air.emitted) == 5
    for t_us, emission in zip(heard, air.emitted, strict=True):
        assert 0 <= t_us - emission.end_us < 600


def in_slices(kernel: Kernel) -> None:
    for i in range(1, 1_600):
        kernel.run_until(i * 3_127)


def test_one_seed_gives_one_run_whatever_the_slices(make_node: MakeNode, build_dir: Path) -> None:
    first = play(make_node, build_dir, lambda kernel: kernel.run_until(5 * SECOND_US))
    assert [line for name, _, line in first if name == "listen"] == [
        f"heard b'\\x01\\x02\\x03\\x04\\x0{i}'" for i in range(5)
    ]
    again = play(make_node, build_dir, lambda kernel: kernel.run_until(5 * SECOND_US))
    assert again == first
    assert play(make_node, build_dir, in_slices) == first


def test_world_events_come_in_order_and_may_block(make_node: MakeNode, kernel: Kernel) -> None:
    seen: list[tuple[int, str]] = []
    node = make_node("import time\nfor i in range(5):\n  print(i)\n  time.sleep_ms(200)")
    node.board.on_console_line = lambda t_us, line: seen.append((t_us, line))
    for i in range(5):
        t_us = BOOT_US + 100_000 + i * 200_000
        kernel.at(t_us, lambda t_us=t_us: seen.append((kernel.now_us, "event")))
    node.board.power_on()
    kernel.run_until(3 * SECOND_US)
    assert [what for _, what in seen] == [w for i in range(5) for w in (str(i), "event")]
    assert [t for t, _ in seen] == sorted(t for t, _ in seen)


def test_pace_is_the_wall_clocks(kernel: Kernel) -> None:
    import time

    begun_s = time.monotonic()
    kernel.run_until(300_000, pace=1.0)
    assert 0.28 < time.monotonic() - begun_s < 1.0
    assert kernel.now_us == 300_000


def test_stop_ends_a_paced_run(kernel: Kernel) -> None:
    kernel.at(50_000, kernel.stop)
    kernel.run_until(3_600 * SECOND_US, pace=1.0)
    assert kernel.now_us < 10 * SECOND_US


def test_shims_are_compiled_once(build_dir: Path) -> None:
    folder = build_shim(build_dir)
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    assert build_shim(build_dir) == folder
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir()} == before
    assert "machine.mpy" in before


# -- input and UART --


def test_a_service_window_passes_in_virtual_time(make_node: MakeNode, kernel: Kernel) -> None:
    code = (
        "import select, sys\n"
        "p = select.poll()\n"
        "p.register(sys.stdin, select.POLLIN)\n"
        "print('open')\n"
        "print(bool(p.poll(3000)), sys.stdin.read(1) if p.poll(0) else '')\n"
    )
    quiet, knocked = make_node(code, name="quiet"), make_node(code, name="knocked")
    knocked.board.at(BOOT_US + SECOND_US, lambda: knocked.board.console_write(b"x"))
    quiet.board.power_on()
    knocked.board.power_on()
    kernel.run_until(10 * SECOND_US)
    assert quiet.lines == ["open", "False "]
    assert quiet.timed[1][0] - quiet.timed[0][0] == pytest.approx(3 * SECOND_US, abs=50)
    assert knocked.lines == ["open", "True x"]
    assert knocked.timed[1][0] - knocked.timed[0][0] == pytest.approx(SECOND_US, abs=50)


def test_uart_reads(make_node: MakeNode, kernel: Kernel) -> None:
    node = make_node(
        "import machine, time\n"
        "machine.Pin(36, machine.Pin.OUT, value=0)\n"
        "u = machine.UART(1, baudrate=9600, tx=47, rx=48, timeout=0)\n"
        "print(u.any(), u.read(4))\n"
        "while not u.any(): time.sleep_ms(5)\n"
        "u.init(timeout=400)\n"
        "got = u.read(4)\n"
        "print(len(got), got == bytes((255, 4, 176, 179)))\n"
        "bad = machine.UART(1, baudrate=115200, timeout=400)\n"
        "print(bad.read(4) != got)\n",
        kind="waste",
    )
    node.board.power_on()
    kernel.run_until(5 * SECOND_US)
    assert node.lines == ["0 None", "4 True", "True"]


@pytest.mark.parametrize("kind", ["air", "parking", "waste"])
def test_the_firmware_runs_without_misuse(
    real_node: Callable[..., Node], kernel: Kernel, kind: str
) -> None:
    node = real_node(kind)
    node.board.power_on()
    kernel.run_until(120 * SECOND_US)
    assert node.board.misuse == []
    text = "\n".join(node.lines)
    assert "revier selftest" in text
    assert "error" not in text
    assert "revier join try=2" in text
