# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The serial line as tools see it: service window, raw REPL, soft reset, Ctrl-C."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import serial

from revier_bench.virtual_board import Kernel

from .conftest import SECOND_US, MakeNode

pytestmark = pytest.mark.pty


class Line:
    """A serial port on a board whose kernel runs in a thread."""

    def __init__(self, kernel: Kernel, path: str) -> None:
        self.port = serial.Serial(path, 115200, timeout=0.05)
        self._got = b""
        self._kernel = kernel
        self._thread = threading.Thread(target=kernel.run_until, args=(3_600 * SECOND_US, 1.0))
        self._thread.start()

    def expect(self, text: bytes, limit_s: float = 20.0) -> bytes:
        """What came up to and with this text; the rest waits for the next call."""
        end_s = time.monotonic() + limit_s
        while text not in self._got:
            assert time.monotonic() < end_s, f"no {text!r} in {self._got!r}"
            self._got += self.port.read(max(1, self.port.in_waiting))
        before, _, self._got = self._got.partition(text)
        return before + text

    def close(self) -> None:
        self._kernel.stop()
        self._thread.join()
        self.port.close()


@pytest.fixture
def line(make_node: MakeNode, kernel: Kernel) -> Iterator[Line]:
    node = make_node("print('main ran')\n")
    path = node.board.attach_pty()
    node.board.power_on()
    made = Line(kernel, path)
    yield made
    made.close()


def test_repl_raw_repl_and_soft_reset(line: Line) -> None:
    line.expect(b"main ran\r\n")
    line.expect(b">>> ")
    line.port.write(b"1 + 41\r\n")
    line.expect(b"42\r\n")
    line.port.write(b"\r\x01")
    line.expect(b"raw REPL; CTRL-B to exit\r\n>")
    line.port.write(b"import machine\nprint(machine.unique_id().hex())\x04")
    assert b"OK025245560001" in line.expect(b"\x04\x04>")
    line.port.write(b"\x04")
    said = line.expect(b"raw REPL; CTRL-B to exit\r\n>")
    assert b"MPY: soft reboot\r\n" in said
    assert b"main ran" not in said, "main.py does not run after a soft reset in the raw REPL"
    line.port.write(b"import machine\nprint(machine.reset_cause())\x04")
    assert b"OK5\r\n" in line.expect(b"\x04\x04>")
    line.port.write(b"\x02")
    line.expect(b">>> ")
    line.port.write(b"\x04")
    said = line.expect(b"main ran")
    assert b"MPY: soft reboot\r\n" in said


def test_raw_paste_and_virtual_sleep(line: Line) -> None:
    line.expect(b">>> ")
    line.port.write(b"\r\x01")
    line.expect(b"raw REPL; CTRL-B to exit\r\n>")
    line.port.write(b"\x05A\x01")
    line.expect(b"R\x01\x80\x00\x01")
    line.port.write(b"import time\nt=time.time()\ntime.sleep(1)\nprint(time.time()-t)\x04")
    assert b"1\r\n" in line.expect(b"\x04\x04>")


def test_ctrl_c_interrupts_a_loop(line: Line) -> None:
    line.expect(b">>> ")
    line.port.write(b"while True: pass\r\n\r\n")
    time.sleep(0.5)
    line.port.write(b"\x03")
    line.expect(b"KeyboardInterrupt")
    line.port.write(b"print('still', 'here')\r\n")
    line.expect(b"still here")


def test_reset_from_the_repl(line: Line) -> None:
    line.expect(b">>> ")
    line.port.write(b"import machine; machine.reset()\r\n")
    line.expect(b"main ran")
    line.expect(b">>> ")


def test_ctrl_c_ends_a_sleep_and_the_next_call_gets_its_own_answer(line: Line) -> None:
    line.expect(b">>> ")
    line.port.write(b"import time\r\n")
    for before_s in (0.3, 0.0, 0.001, 0.002, 0.003, 0.005, 0.01):
        line.port.write(b"time.sleep(3000)\r\n")
        time.sleep(before_s)  # the interrupt may come while the sleep begins
        line.port.write(b"\x03\x03")
        line.expect(b">>> ")
        time.sleep(0.2)
        line.port.write(b"\r\x03t = time.ticks_us(); time.sleep_ms(20); 6 * 7\r\n")
        line.expect(b"42\r\n")


def test_ctrl_c_is_a_byte_where_the_program_says_so(make_node: MakeNode, kernel: Kernel) -> None:
    node = make_node(
        "import micropython, sys\n"
        "micropython.kbd_intr(-1)\n"
        "print('deaf')\n"
        "print('read', sys.stdin.read(2).encode())\n"
        "micropython.kbd_intr(3)\n"
        "print('listens')\n"
        "while True: pass\n"
    )
    path = node.board.attach_pty()
    node.board.power_on()
    line = Line(kernel, path)
    try:
        line.expect(b"deaf")
        line.port.write(b"\x03\x03")
        line.expect(b"read b'\\x03\\x03'")
        line.expect(b"listens")
        line.port.write(b"\x03")
        line.expect(b"KeyboardInterrupt")
    finally:
        line.close()


def test_a_tool_that_knocks_all_the_time_breaks_no_start(line: Line) -> None:
    for _ in range(5):
        line.expect(b">>> ")
        line.port.write(b"\x02import machine; machine.reset()\r\n")
        end_s = time.monotonic() + 1.0
        while time.monotonic() < end_s:
            line.port.write(b"\x03\x03\r")
            time.sleep(0.005)
    line.port.write(b"\r\x01")
    line.expect(b"raw REPL; CTRL-B to exit\r\n>")
    time.sleep(0.2)
    line.port.write(b"\x03print(6 * 7)\x04")
    line.expect(b"OK42\r\n\x04\x04>")
