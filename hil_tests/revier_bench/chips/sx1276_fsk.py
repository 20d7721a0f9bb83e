# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The SX1276's FSK side: registers, FIFO, image calibration. It has no air: nothing goes or comes.

DS = SX1276/77/78/79 datasheet rev. 7, table 41.
"""

from typing import TYPE_CHECKING

from revier_bench.chips import sx1276_tables as ds

if TYPE_CHECKING:
    from revier_bench.chips.sx1276 import Sx1276


class Sx1276Fsk:
    """calibrated_hz: where the image rejection was calibrated last."""

    def __init__(self, chip: "Sx1276") -> None:
        self._chip = chip
        self.defaults()

    def defaults(self) -> None:
        self._registers = dict.fromkeys(ds.PAGE, 0) | ds.FSK
        self._fifo: list[int] = []
        self.calibrated_hz = ds.CALIBRATION_AFTER_RESET_HZ
        self._calibrates_until_us = 0

    @property
    def calibrates(self) -> bool:
        return self._chip.host.now_us < self._calibrates_until_us

    def sleep(self) -> None:
        self._fifo.clear()

    def read_fifo(self) -> int:
        """DS 2.1.9: first in, first out."""
        return self._fifo.pop(0) if self._fifo else 0

    def write_fifo(self, byte: int) -> None:
        if len(self._fifo) == ds.FSK_FIFO:
            self._chip.note("the FSK FIFO overruns (DS 2.1.9)")
        else:
            self._fifo.append(byte)

    def read(self, address: int) -> int:
        """Of the flags those that say that a mode is reached and that the FIFO is empty."""
        if address == ds.IMAGE_CAL and self.calibrates:
            return self._registers[address] | 0x20
        if address == ds.FSK_RSSI and self._chip.mode == ds.RX_CONTINUOUS:
            return round(-2 * self._chip.modem.noise_dbm())
        if address == ds.FSK_IRQ_1:
            return ds.FSK_MODE_READY
        if address == ds.FSK_IRQ_2:
            return 0 if self._fifo else ds.FSK_FIFO_EMPTY
        return self._registers[address]

    def write(self, address: int, value: int) -> None:
        self._registers[address] = value & ~0x60 if address == ds.IMAGE_CAL else value
        if address == ds.IMAGE_CAL and value & 0x40:
            self._calibrate()

    def _calibrate(self) -> None:
        chip = self._chip
        if chip.mode != ds.STANDBY or chip.is_lora:
            chip.note("image calibration outside of FSK standby (DS 2.1.3.8)")
            return
        from_us = max(chip.host.now_us, chip.oscillates_us)
        self._calibrates_until_us = from_us + ds.CALIBRATION_US
        self.calibrated_hz = chip.frequency_hz
