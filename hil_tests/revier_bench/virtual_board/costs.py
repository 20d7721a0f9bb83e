# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What calls of the firmware cost in time, as one table.

MicroPython on an ESP32-S3 at 160 MHz needs 20 to 40 us for a call of machine.SPI or machine.Pin.
The usual costs of the bench are smaller for clocks and pins, which a busy wait calls thousands of
times; measurements of timing use CHIP, and CHIP scaled.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Costs:
    """Microseconds beside what the bus itself takes."""

    clock_or_pin_us: int = 5  # ticks_us(), reading a pin
    output_us: int = 2
    spi_us: int = 25
    i2c_us: int = 60
    uart_us: int = 20
    adc_us: int = 90

    def times(self, factor: int) -> "Costs":
        return Costs(
            self.clock_or_pin_us * factor,
            self.output_us * factor,
            self.spi_us * factor,
            self.i2c_us * factor,
            self.uart_us * factor,
            self.adc_us * factor,
        )


USUAL = Costs()
CHIP = Costs(clock_or_pin_us=25, output_us=25, spi_us=40, i2c_us=80, uart_us=40, adc_us=90)
