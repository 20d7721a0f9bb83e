# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What calls of the firmware cost in time and what comes between them, as one table.

MicroPython on an ESP32-S3 at 160 MHz needs 20 to 40 us for a call of machine.SPI or machine.Pin.
The usual costs of the bench are smaller for clocks and pins, which a busy wait calls thousands of
times; measurements of timing use CHIP, and CHIP scaled. Bytecode takes no time here: the cost of a
call stands for the bytecode around it as well.

What interrupts a program on the chip, and what of it is here:

- A soft interrupt (Pin.irq without hard=True, micropython.schedule) runs between two bytecodes or
  within a sleep, after `soft_irq_us`; only where a handler is registered, as in the port.
- A collection takes `collect_us` for a heap of 64 to 200 KB. It comes whenever the interpreter
  really collects and, since the chip's heap is more fragmented than ours, after every
  `collect_every_bytes` of new heap; never while the heap is locked.
- `stray_us` of each call: FreeRTOS' tick and other interrupts of this core (some us each), and
  what of the interpreter's code is not in the flash cache (1 to 2 us a line).
- Not here: Wi-Fi and Bluetooth are off; the flash is written to, with the cache off, by the
  firmware alone, and nothing is written between SetTx and the end of RX2.
"""

from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Costs:
    """Microseconds beside what the bus itself takes; pairs are (least, most)."""

    clock_or_pin_us: int = 5  # ticks_us(), reading a pin
    output_us: int = 2
    select_us: int = 1  # writing a chip select, feeding the watchdog
    sleep_us: int = 0  # sleep_us() and its like, beside the sleep
    spi_us: int = 25
    i2c_us: int = 60
    uart_us: int = 20
    adc_us: int = 90
    stray_us: int = 0  # 0 to this beside every call
    wake_us: int = 0  # 0 to this: the end of a light sleep
    soft_irq_us: tuple[int, int] = (0, 0)  # most are short: the fourth power of a uniform chance
    collect_us: tuple[int, int] = (0, 0)
    collect_every_bytes: int = 0  # 0: collections take no time

    def times(self, factor: int) -> "Costs":
        """Every time, also those of interruptions, times `factor`."""
        scaled: dict[str, Any] = {}
        for name in (one.name for one in fields(self) if one.name.endswith("_us")):
            value = getattr(self, name)
            pair = isinstance(value, tuple)
            scaled[name] = tuple(us * factor for us in value) if pair else value * factor
        return replace(self, **scaled)


USUAL = Costs()
CHIP = Costs(
    clock_or_pin_us=25,
    output_us=25,
    select_us=25,
    sleep_us=25,
    spi_us=40,
    i2c_us=80,
    uart_us=40,
    adc_us=90,
    stray_us=20,
    wake_us=1_000,
    soft_irq_us=(100, 10_000),
    collect_us=(5_000, 50_000),
    collect_every_bytes=4_096,
)
