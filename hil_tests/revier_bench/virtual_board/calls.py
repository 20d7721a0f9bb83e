# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the kernel does for each kind of message from a node."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from revier_bench.virtual_board import link

if TYPE_CHECKING:
    from revier_bench.virtual_board.board import VirtualBoard


@dataclass(slots=True)
class Request:
    """A message of a node (link.py); `want`: length that the reply's payload must have."""

    op: int = 0
    now_us: int = 0
    arg: int = 0
    payload: bytes = b""
    want: int = 0
    outs: int = 0
    cs_fell_us: int = 0
    hold: int = 0
    mark_us: int = 0
    fed_us: int = 0


Handler = Callable[["VirtualBoard", Request], None]


def _chip_selects(board: "VirtualBoard", request: Request) -> None:
    """Chip selects travel with the next message: tell the chips what they saw."""
    changed = (board.outs ^ request.outs) & board.cs_mask
    if not changed and not request.cs_fell_us:
        return
    board.outs = (board.outs & ~board.cs_mask) | (request.outs & board.cs_mask)
    if board.selected is not None:
        board.selected.deselect(board.now_us)
        board.selected = None
    for pin, chip in board.spi:
        low = not request.outs >> pin & 1
        if low or request.cs_fell_us:
            chip.select(request.cs_fell_us or board.now_us)
            if low:
                board.selected = chip
            else:
                chip.deselect(board.now_us)


def welcome(board: "VirtualBoard") -> bytes:
    """What a new process reads first: who and when it is, and what survived."""
    boots = board.counters["boots"]
    chance = board.spec.chance(f"boot {boots}")
    ticks = board.sleep_clock.ticks_at_boot(boots, chance, board.spec.boot_us)
    costs = board.spec.costs
    words = (
        ticks - board.now_us,
        board.rtc_base_us,
        board.cause,
        board.wake_reason,
        1 if board.nomain else 0,
        board.busy_mask,
        board.cs_mask,
        board.driven_mask,
        board.outs,
        board.flash_cut,
        len(board.rtc_memory),
        chance.getrandbits(31),
        board.hold,
        board.floating,
        costs.clock_or_pin_us,
        costs.select_us,
        costs.sleep_us,
        costs.stray_us,
        *costs.soft_irq_us,
        *costs.collect_us,
        costs.collect_every_bytes,
        board.rtc_pins,
    )
    board.flash_cut = -1
    data = link.WELCOME.pack(*words, board.spec.mac, chance.randbytes(24))
    return data + board.rtc_memory.ljust(link.RTC_MEMORY_BYTES, b"\0")


def _advance(board: "VirtualBoard", request: Request) -> None:
    _chip_selects(board, request)
    board.reply(board.now_us)


def _sleep(board: "VirtualBoard", request: Request) -> None:
    """A sleep ends at its time or at an interrupt; the shim goes on sleeping after its handler."""
    _chip_selects(board, request)
    target_us = max(request.arg, board.now_us)
    board.then(target_us, lambda: board.reply(board.now_us), interruptible=True)


def _spi(board: "VirtualBoard", request: Request) -> None:
    _chip_selects(board, request)
    baud = request.arg >> 8
    n = len(request.payload)
    end_us = board.now_us + board.spec.costs.spi_us + n * 8_000_000 // baud
    if board.free_until(end_us):
        board.now_us = end_us
        _spi_transfer(board, request.payload)
    else:
        board.wait(end_us, lambda: _spi_transfer(board, request.payload))


def _spi_transfer(board: "VirtualBoard", mosi: bytes) -> None:
    chip = board.selected
    if chip is not None:
        board.send(0, chip.transfer(mosi, board.now_us))
    else:
        board.send(0, b"\xff" * len(mosi))


def _i2c(board: "VirtualBoard", request: Request) -> None:
    address = request.arg >> 8 & 0x7F
    hertz = request.arg >> 16
    chip = board.i2c.get(address)
    n, want = len(request.payload), request.want
    bits = 9 * (n + want + (1 if n or not want else 0) + (1 if want else 0))
    end_us = board.now_us + board.spec.costs.i2c_us + bits * 1_000_000 // hertz

    def transfer() -> None:
        answer: bytes | None = b""
        acknowledged = chip is not None
        if chip is not None and (n or not want):
            acknowledged = chip.write(request.payload, end_us)
        if chip is not None and acknowledged and want:
            answer = chip.read(want, end_us)
        if not acknowledged or answer is None:
            board.reply(end_us, link.ENODEV, bytes(want))
        else:
            board.reply(end_us, 0, answer.ljust(want, b"\xff")[:want])

    board.then(end_us, transfer)


def _uart_any(board: "VirtualBoard", request: Request) -> None:
    port = board.uart_port(request.arg & 0xFF)
    if request.arg >> 40:
        port.opened((request.arg >> 8) & 0xFFFFFF, board.now_us)
    count = port.waiting(board.now_us)
    next_us = port.next_us(board.now_us)
    board.reply(board.now_us + board.spec.costs.uart_us, count, struct.pack("<q", next_us))


def _uart_read(board: "VirtualBoard", request: Request) -> None:
    """machine.UART.read(n): until n bytes are there or nothing came for `timeout` ms."""
    limit, timeout_ms = struct.unpack("<qq", request.payload)
    port = board.uart_port(request.arg & 0xFF)
    end_us = board.now_us + board.spec.costs.uart_us
    if timeout_ms > 0:
        end_us = max(end_us, port.read_end_us(board.now_us, limit, timeout_ms * 1000))

    def finish() -> None:
        data = port.take(limit, board.now_us)
        board.reply(board.now_us, len(data), data.ljust(request.want, b"\0"))

    board.then(end_us, finish)


def _uart_write(board: "VirtualBoard", request: Request) -> None:
    port = board.uart_port(request.arg & 0xFF)
    end_us = board.now_us + board.spec.costs.uart_us + port.duration_us(len(request.payload))
    port.write(request.payload, end_us)
    board.reply(end_us)


def _adc(board: "VirtualBoard", request: Request) -> None:
    source = board.adc.get(request.arg & 0xFF)
    full_uv = (950_000, 1_250_000, 1_750_000, 3_100_000)[request.arg >> 8 & 3]
    value = min(full_uv, source(board.now_us)) if source else 0
    board.reply(board.now_us + board.spec.costs.adc_us, max(0, value))


def _out(board: "VirtualBoard", request: Request) -> None:
    _chip_selects(board, request)
    board.hold = request.hold
    board.set_outs(request.outs)
    board.reply(board.now_us + board.spec.costs.output_us)


def _irq(board: "VirtualBoard", request: Request) -> None:
    bit = 1 << (request.arg & 0xFF)
    trigger = request.arg >> 8
    board.irq_rising = board.irq_rising | bit if trigger & 1 else board.irq_rising & ~bit
    board.irq_falling = board.irq_falling | bit if trigger & 2 else board.irq_falling & ~bit
    board.reply(board.now_us)


def _rtc_memory(board: "VirtualBoard", request: Request) -> None:
    board.rtc_memory = request.payload


def _rtc_set(board: "VirtualBoard", request: Request) -> None:
    board.rtc_base_us = request.arg
    board.reply(board.now_us)


def _wdt(board: "VirtualBoard", request: Request) -> None:
    board.start_watchdog(request.now_us, request.arg)


def _reset(board: "VirtualBoard", request: Request) -> None:  # noqa: ARG001
    board.restart(link.HARD_RESET)


def _deepsleep(board: "VirtualBoard", request: Request) -> None:
    high, low = struct.unpack("<qq", request.payload)
    board.hold = request.hold
    _chip_selects(board, request)
    board.fall_asleep(request.arg, high, low)


def _lightsleep(board: "VirtualBoard", request: Request) -> None:
    """The node's clock counts what its sleep clock says; the reply carries the difference."""
    _chip_selects(board, request)
    board.wake_high, board.wake_low = struct.unpack("<qq", request.payload)
    asked_us = request.arg
    begun_us = board.now_us
    ppm = board.sleep_clock.light_ppm()
    true_us = asked_us + asked_us * ppm // 1_000_000
    end_us = begun_us + true_us if asked_us >= 0 else link.FOREVER_US

    def wake() -> None:
        woken = (board.levels & board.wake_high) | (board.wake_low & ~board.levels)
        board.wake_high = board.wake_low = 0
        passed_us = board.now_us - begun_us
        if passed_us == true_us:
            gap_us = asked_us - true_us
        else:
            gap_us = passed_us * 1_000_000 // (1_000_000 + ppm) - passed_us
        board.skew_us += gap_us
        late_us = board.sleep_clock.wake_us(board.spec.costs.wake_us)
        board.tell(board.now_us, board.on_light_sleep, begun_us)
        board.reply(board.now_us + late_us, woken, struct.pack("<q", gap_us))

    board.then(end_us, wake, interruptible=True)


def _stdin(board: "VirtualBoard", request: Request) -> None:
    board.terminal.wait(max(request.arg, board.now_us))


def _repl(board: "VirtualBoard", request: Request) -> None:
    """Scripts are over: soft reset, or the prompt (for ever if nobody is there)."""
    if request.arg:
        board.restart(link.SOFT_RESET)
    else:
        board.enter_repl()


def _power_cut(board: "VirtualBoard", request: Request) -> None:  # noqa: ARG001
    board.power_off()


def _started(board: "VirtualBoard", request: Request) -> None:
    board.shim_heap = request.arg
    board.terminal.started()


def _abandon(board: "VirtualBoard", request: Request) -> None:  # noqa: ARG001
    board.terminal.abandon()


HANDLERS: dict[int, Handler] = {
    link.ADVANCE: _advance,
    link.SYNC: _advance,
    link.MARK: _advance,
    link.SLEEP: _sleep,
    link.SPI: _spi,
    link.I2C: _i2c,
    link.UART_ANY: _uart_any,
    link.UART_READ: _uart_read,
    link.UART_WRITE: _uart_write,
    link.ADC: _adc,
    link.OUT: _out,
    link.IRQ: _irq,
    link.RTC_MEMORY: _rtc_memory,
    link.RTC_SET: _rtc_set,
    link.WDT: _wdt,
    link.RESET: _reset,
    link.DEEPSLEEP: _deepsleep,
    link.LIGHTSLEEP: _lightsleep,
    link.STDIN: _stdin,
    link.REPL: _repl,
    link.POWER_CUT: _power_cut,
    link.STARTED: _started,
    link.ABANDON: _abandon,
}
