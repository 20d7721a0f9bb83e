# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Other stacks' receive windows, modelled from their public sources; none of their code runs.

A callback in MicroPython, as drivers of micropython-lib's kind have it: DIO1 raises a soft
interrupt which notes ticks_ms(); a fixed time after that the receiver is set up, each command a
bytearray of its own, and listens continuously. Runs on the virtual board, with the same costs.

LoRaMac-node 4.7 on an STM32 with a crystal: an interrupt in hardware, an RTC of 1,024 ticks a
second which the timers start from and end on, offsets in whole milliseconds, RADIO_WAKEUP_TIME of
3 ms taken off and the chip's real set-up put on. Drawn, since no such board is here.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from revier_bench import image
from revier_bench.chips.environments import Still
from revier_bench.chips.lora_modem import LoraModem
from revier_bench.virtual_board import BoardSpec, Kernel, build_board, new_image
from revier_bench.virtual_board.costs import CHIP
from revier_bench.world.air import NullAir
from revier_mac.airtime import DATA_RATES, symbol_us

FRAMES = 200
_TICK_US = 1_000_000 / 1_024
_LMN_WAKE_US = 3_000  # RADIO_WAKEUP_TIME, radio/sx126x/sx126x.h
_LMN_SET_UP_US = (500, 1_000)  # a dozen commands at 8 MHz and STDBY_RC to RX with a crystal
_LMN_PROCESS_US = (20, 200)  # from the interrupt to LoRaMacProcess()

CALLBACK = """
import machine, time
spi = machine.SPI(1, baudrate=8_000_000)
cs = machine.Pin(8, machine.Pin.OUT, value=1)
busy = machine.Pin(13, machine.Pin.IN)
dio1 = machine.Pin(14, machine.Pin.IN)
reset = machine.Pin(12, machine.Pin.OUT, value=1)
last_ms = None

def command(*data):
    buf = bytearray(data)
    while busy(): pass
    cs(0)
    spi.write_readinto(buf, buf)
    cs(1)
    return buf

def isr(pin):
    global last_ms
    last_ms = time.ticks_ms()

def configure(iq):
    command(0x80, 0)
    command(0x86, 0x36, 0x41, 0x99, 0x9A)
    command(0x8B, 7, 4, 1, 0)
    command(0x8C, 0, 8, 0, 255 if iq else 12, 1 - iq, iq)
    command(0x0D, 0x07, 0x36, 0x09 if iq else 0x0D)
    command(0x08, 0x02, 0x77, 0x02, 0x77, 0, 0, 0, 0)
    command(0x02, 0x03, 0xFF)

command(0x80, 0)
command(0x97, 2, 0, 1, 0x40)
command(0x07, 0, 0)
command(0x89, 0x7F)
command(0x98, 0xD7, 0xDB)
command(0x8A, 1)
command(0x0D, 0x07, 0x40, 0x34, 0x44)
command(0x95, 4, 7, 0, 1)
command(0x8E, 14, 4)
dio1.irq(isr, machine.Pin.IRQ_RISING)
while True:
    configure(0)
    command(0x0E, 0, *bytes(12))
    last_ms = None
    command(0x83, 0, 0, 0)
    while last_ms is None: time.sleep_ms(1)
    time.sleep_ms(time.ticks_diff(time.ticks_add(last_ms, 1_000), time.ticks_ms()))
    configure(1)
    command(0x82, 0xFF, 0xFF, 0xFF)
    time.sleep_ms(50)
"""


def widths_us() -> dict[str, int]:
    """Width of RX1 at SF7 for an error of 2 ms, by each stack's public formula."""
    sf7_us = symbol_us(*DATA_RATES[5])
    lora_mac_node = max(-(-((2 * 6 - 8) * sf7_us + 2 * 2_000) // sf7_us), 6) * sf7_us
    return {
        "loramac_node_sf7_us": lora_mac_node,
        "lora_basics_modem_sf7_us": max(6 * sf7_us + 2 * 2_000, 16_000),
        "radiolib_sf7_us": 25_856 + 10_000,  # airtime of an empty frame + 10 ms
    }


def rows() -> list[dict[str, Any]]:
    return [
        _row("callback in MicroPython (model), costs x 1", callback_errors_us(1)),
        _row("callback in MicroPython (model), costs x 3", callback_errors_us(3)),
        _row("LoRaMac-node on an STM32 (model)", loramac_node_errors_us()),
    ]


def _row(name: str, errors_us: list[int]) -> dict[str, Any]:
    sizes = sorted(abs(us) for us in errors_us)
    return {
        "setting": name,
        "window": "RX1",
        "windows": len(sizes),
        "p50_us": round(statistics.median(sizes)),
        "p99_us": sizes[len(sizes) * 99 // 100],
        "max_us": sizes[-1],
        "late_p50_us": round(statistics.median(errors_us)),
    }


class _Openings:
    """The receiver's start after each frame's end, less one second."""

    def __init__(self, modem: LoraModem) -> None:
        self.errors_us: list[int] = []
        self._end_us = 0
        self._emit, self._listen = modem.emit, modem.listen
        modem.emit = self._emitted  # type: ignore[method-assign]
        modem.listen = self._listened  # type: ignore[method-assign]

    def _emitted(self, emission: Any) -> None:
        self._end_us = emission.end_us
        self._emit(emission)

    def _listened(self, from_us: int, symbols: int, continuous: bool) -> None:
        self.errors_us.append(from_us - self._end_us - 1_000_000)
        self._listen(from_us, symbols, continuous)


def callback_errors_us(factor: int, frames: int = FRAMES) -> list[int]:
    """The program above on the virtual board."""
    with tempfile.TemporaryDirectory(prefix="revier-rx-window-") as name:
        folder = Path(name)
        flash = folder / "flash.img"
        new_image(flash)
        image.write_files(flash, {"/main.py": CALLBACK.encode()}, folder / "build")
        with Kernel(build_dir=folder / "build") as kernel:
            spec = BoardSpec(
                name="callback", mac=bytes(6), flash_image=flash, work_dir=folder,
                costs=CHIP.times(factor), ticks_near_wrap=False,
            )  # fmt: skip
            board = build_board(kernel, spec, NullAir(), Still())
            openings = _Openings(board.radio.modem)
            board.power_on()
            while len(openings.errors_us) < frames:
                kernel.run_until(kernel.now_us + 10_000_000)
                assert not board.misuse, board.misuse
            return openings.errors_us[:frames]


def loramac_node_errors_us(frames: int = FRAMES) -> list[int]:
    chance = Random("loramac-node")  # noqa: S311 - repeatable by design
    errors_us = []
    for _ in range(frames):
        end_us = chance.uniform(0, 1e6)
        process_us = end_us + chance.uniform(*_LMN_PROCESS_US)
        noted_ms = int(end_us // _TICK_US * _TICK_US / 1_000)  # TxDoneParams.CurTime
        now_tick = process_us // _TICK_US
        offset_ms = int(now_tick * _TICK_US / 1_000) - noted_ms
        ticks = round((1_000 - _LMN_WAKE_US / 1_000 - offset_ms) * 1_000 / _TICK_US)
        set_up_us = chance.uniform(*_LMN_SET_UP_US)
        opened_us = (now_tick + ticks) * _TICK_US + set_up_us
        errors_us.append(round(opened_us - end_us - 1_000_000))
    return errors_us
