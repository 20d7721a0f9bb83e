# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The SX1262 sends: what it needs for that, what leaves, how it ends.

DS = SX1261/2 datasheet rev. 2.1. Packets of other types than LoRa take their time and reach nobody.
"""

from random import Random
from typing import TYPE_CHECKING

from revier_bench.chips import sx1262_registers as reg
from revier_bench.chips import sx1262_tables as ds
from revier_bench.chips.lora_modem import LoraModem
from revier_bench.chips.sx1262_parameters import FOR_RX, FOR_TX, Sx1262Parameters
from revier_bench.chips.timeline import Timer
from revier_bench.world.air import Medium

if TYPE_CHECKING:
    from revier_bench.chips.sx1262_core import Sx1262Core


class Sx1262Transmitter(LoraModem):
    """What sx1262_modem.py adds reception to."""

    def __init__(self, chip: "Sx1262Core", air: Medium, chance: Random) -> None:
        self._chip = chip
        self._clock: Timer | None = None
        super().__init__(chip, air, chance)

    def defaults(self) -> None:
        super().defaults()
        self.parameters = Sx1262Parameters(self.set)
        self._last = None
        self.stop_clock()

    def stop_clock(self) -> None:
        """The cure of DS 15.3, or another timeout that starts."""
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _ready(self, transmit: bool) -> bool:
        """DS 14.2, 14.3: what must have been set before; False if the chip would not work."""
        chip, need = self._chip, FOR_TX if transmit else FOR_RX
        name = "SetTx" if transmit else "SetRx"
        if self.parameters.configured & need != need or not chip.frequency_hz:
            chip.refuse(f"{name} before its parameters are set (DS 14)")
            return False
        if not chip.calibrated:  # PLL and ADC as they came: field reports say it works, badly
            chip.note(f"{name} without calibration after the TCXO's setup (DS 13.3.6)")
        low, high = chip.image_band
        if not low <= chip.frequency_hz <= high:
            chip.note(f"{name} outside of the calibrated image band (DS 9.2.1)")
        if not self._is_lora():
            chip.note(f"{name} with packet type {chip.packet_type}: nothing on the air but LoRa")
        elif self._polarity_wrong():
            chip.note(f"{name} without the IQ polarity cure of DS 15.4")
        return True

    def _is_lora(self) -> bool:
        return self._chip.packet_type == ds.LORA

    def _polarity_wrong(self) -> bool:
        """DS 15.4."""
        bit = bool(self._chip.registers.get(reg.IQ_POLARITY, 0) & 0x04)
        return bit == self.set.iq_inverted

    def impaired(self) -> bool:
        return self._polarity_wrong() or not self._chip.calibrated

    # -- transmit --

    def transmit(self, timeout: int) -> None:
        if not self._ready(transmit=True):
            return
        chip = self._chip
        switch_us = chip.switch(ds.TX)
        if switch_us is None:
            return
        on_us = switch_us + self.parameters.ramp_us
        airtime_us = self._send(chip.host.now_us + on_us)
        limit_us = int(timeout * ds.TIMER_STEP_US)
        if timeout:
            self.stop_clock()
        if timeout and limit_us < on_us + airtime_us:
            self._later(chip.host.now_us + limit_us, self._time_out)
        else:
            end_us = chip.host.now_us + on_us + airtime_us
            self._later(end_us, lambda: self._finish(ds.TX_DONE_IRQ, ds.TX_DONE))

    def _send(self, start_us: int) -> int:
        """How long it takes."""
        chip = self._chip
        if not self._is_lora():
            return round(self.parameters.bits * 1e6 / self.parameters.bit_rate)
        payload = bytes(chip.buffer[(chip.tx_base + i) & 0xFF] for i in range(self.set.length))
        emission = self.emission(start_us, self.parameters.output_dbm(), payload)
        self.emit(emission)
        return emission.airtime_us

    def _test_signal(self, opcode: int) -> None:
        """DS 13.1.9, 13.1.10: until the next mode."""
        if not self.parameters.configured & FOR_TX or not self._chip.frequency_hz:
            self._chip.refuse(f"command 0x{opcode:02X} before its parameters are set (DS 14)")
        elif self._chip.switch(ds.TX) is not None:
            self._chip.note("a carrier or an endless preamble reaches nobody in this air")

    def sync_word(self) -> int:
        registers = self._chip.registers
        return registers.get(reg.SYNC_WORD, 0) << 8 | registers.get(reg.SYNC_WORD + 1, 0)

    def _finish(self, irq: int, status: int = ds.TAKEN) -> None:
        """A packet is through: fallback mode (DS 13.1.15), then the interrupt."""
        self._end(self._chip.fallback, irq, status)

    def _time_out(self) -> None:
        """DS 13.1.4, 13.1.5: STDBY_RC, whatever the fallback mode."""
        self._end(ds.RC, ds.TIMEOUT_IRQ, ds.TIMED_OUT)

    def _end(self, mode: int, irq: int, status: int) -> None:
        chip = self._chip
        self.stop()
        chip.mode = mode
        chip.command_status = status
        chip.raise_irq(irq)
