# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The SX1262's modem: its commands, receiving, detecting, and what it reports of it.

DS = SX1261/2 datasheet rev. 2.1. What LoRa does on the air is in lora_modem.py, sending is in
sx1262_transmitter.py.
"""

from random import Random
from typing import TYPE_CHECKING

from revier_bench.chips import sx1262_registers as reg
from revier_bench.chips import sx1262_tables as ds
from revier_bench.chips.sx1262_transmitter import Sx1262Transmitter
from revier_bench.chips.timeline import Timer
from revier_bench.world.air import Emission, Medium

if TYPE_CHECKING:
    from revier_bench.chips.sx1262_core import Sx1262Core


class Sx1262Modem(Sx1262Transmitter):
    def __init__(self, chip: "Sx1262Core", air: Medium, chance: Random) -> None:
        self._timeout: Timer | None = None
        self._duty: tuple[int, int] | None = None
        self._counts = [0, 0, 0]
        super().__init__(chip, air, chance)

    def defaults(self) -> None:
        super().defaults()
        self._counts = [0, 0, 0]

    def forget_parameters(self) -> None:
        self.parameters.forget()

    # -- commands --

    def command(self, opcode: int, args: bytes) -> None:
        number = int.from_bytes(args, "big")
        if opcode == ds.SET_TX:
            self.transmit(number)
        elif opcode == ds.SET_RX:
            self._receive(number)
        elif opcode == ds.SET_RX_DUTY_CYCLE:
            self._receive_now_and_then(number >> 24, number & 0xFFFFFF)
        elif opcode == ds.SET_CAD:
            self._detect_activity()
        elif opcode in (ds.SET_TX_CONTINUOUS_WAVE, ds.SET_TX_INFINITE_PREAMBLE):
            self._test_signal(opcode)
        elif opcode == ds.RESET_STATS:
            self._counts = [0, 0, 0]
            self._chip.done(0)
        else:
            self._set(opcode, args)

    def _set(self, opcode: int, args: bytes) -> None:
        chip = self._chip
        why = self.parameters.set(opcode, args, chip.packet_type or 0)
        if why is not None:
            chip.refuse(why)
        elif opcode == ds.SET_SYMBOL_TIMEOUT:
            chip.registers[reg.SYMBOL_TIMEOUT] = 0
        elif opcode == ds.SET_PA_CONFIG:
            chip.registers[reg.OCP] = reg.OCP_SX1262  # DS 13.1.14
        chip.done(0)

    # -- receive --

    def _receive(self, timeout: int) -> None:
        if not self._ready(transmit=False):
            return
        switch_us = self._chip.switch(ds.RX)
        if switch_us is not None:
            self._listen(self._chip.host.now_us + switch_us, timeout)

    def _listen(self, from_us: int, timeout: int) -> None:
        continuous = timeout == ds.CONTINUOUS
        if timeout and not continuous:
            self.stop_clock()
            end_us = from_us + int(timeout * ds.TIMER_STEP_US)
            self._timeout = self._later(end_us, self._time_out)
        if self._is_lora():
            self.listen(from_us, self._symbols(), continuous)

    def _symbols(self) -> int:
        """DS 13.4.9: the register (mantissa, exponent) if it was written after the command."""
        code = self._chip.registers.get(reg.SYMBOL_TIMEOUT, 0)
        limit = self.parameters.symbol_limit
        return (code >> 3) << (2 * (code & 7) + 1) if code else limit

    def _receive_now_and_then(self, rx_steps: int, sleep_steps: int) -> None:
        """SetRxDutyCycle, DS 13.1.7."""
        if not self._ready(transmit=False):
            return
        switch_us = self._chip.switch(ds.RX)
        if switch_us is not None:
            self._duty = int(rx_steps * ds.TIMER_STEP_US), int(sleep_steps * ds.TIMER_STEP_US)
            self._open_window(self._chip.host.now_us + switch_us)

    def _open_window(self, from_us: int) -> None:
        assert self._duty is not None
        self._timeout = self._later(from_us + self._duty[0], self._doze)
        if self._is_lora():
            self.listen(from_us, 0, continuous=False)

    def _doze(self) -> None:
        duty = self._duty
        assert duty is not None
        self.stop()
        self._duty = duty
        self._chip.doze()
        self._later(self._chip.host.now_us + duty[1], self._wake_up)

    def _wake_up(self) -> None:
        """The chip's own clock, not NSS."""
        chip, duty = self._chip, self._duty
        chip.wake(chip.host.now_us)
        switch_us = chip.switch(ds.RX)
        if switch_us is not None:
            self._duty = duty
            chip.done(ds.WAKE_WARM_US + switch_us)
            self._open_window(chip.host.busy_until_us)

    def no_preamble(self) -> None:
        self._time_out()

    def preamble_found(self) -> None:
        self._chip.raise_irq(ds.PREAMBLE_IRQ)
        if self._duty is not None:  # DS 13.1.7: 2 * rxPeriod + sleepPeriod from here
            self._stop_timeout()
            end_us = self._chip.host.now_us + 2 * self._duty[0] + self._duty[1]
            self._timeout = self._later(end_us, self._doze)
        elif self.parameters.stop_on_preamble:
            self._stop_timeout()

    def header_comes(self) -> None:
        """DS 15.3: without a header the clock behind the timeout runs on, past RX_DONE."""
        chip = self._chip
        if self._duty is None and self._timeout is not None and not self.set.explicit:
            self._clock = chip.host.at(self._timeout.t_us, self._clock_runs_out)
        self._stop_timeout()

    def _clock_runs_out(self) -> None:
        self._clock = None
        self._chip.raise_irq(ds.TIMEOUT_IRQ)

    def header_found(self) -> None:
        emission, registers = self._locked, self._chip.registers
        assert emission is not None
        registers[reg.HEADER_CODING_RATE] = emission.coding_rate - 4 << 4
        registers[reg.HEADER_CRC] = emission.crc_on << 4
        self._chip.raise_irq(ds.HEADER_VALID_IRQ)

    def header_lost(self) -> None:
        self._chip.raise_irq(ds.HEADER_ERROR_IRQ)
        self._counts[2] += 1
        if not self._continuous:
            self._end(ds.RC, ds.HEADER_ERROR_IRQ, ds.TAKEN)

    def frame(self, payload: bytes, emission: Emission, crc_wrong: bool) -> None:  # noqa: ARG002
        chip = self._chip
        self._counts[0] += 1
        chip.rx_length, chip.rx_start = len(payload), chip.rx_base
        for i, byte in enumerate(payload):
            chip.buffer[(chip.rx_base + i) & 0xFF] = byte
        chip.registers[reg.RX_PAYLOAD_LENGTH] = len(payload)
        chip.registers[reg.RX_POINTER] = (chip.rx_base + len(payload)) & 0xFF
        irq = ds.RX_DONE_IRQ
        if crc_wrong:
            irq |= ds.CRC_ERROR_IRQ
            self._counts[1] += 1
        if self._continuous:
            chip.command_status = ds.DATA_AVAILABLE
            chip.raise_irq(irq)
        else:
            self._finish(irq, ds.DATA_AVAILABLE)

    def _stop_timeout(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None

    def stop(self) -> None:
        super().stop()
        self._timeout = None
        self._duty = None

    # -- activity, status --

    def _detect_activity(self) -> None:
        """SetCad, DS 13.1.8."""
        chip = self._chip
        if not self._is_lora():
            chip.refuse("SetCad is for LoRa (DS 13.1.8)")
            return
        if not self._ready(transmit=False):
            return
        switch_us = chip.switch(ds.RX)
        if switch_us is None:
            return
        chip.host.expose(True)
        listens_us = round(self.parameters.cad_symbols * self.set.symbol_us)
        end_us = chip.host.now_us + switch_us + listens_us
        self._later(end_us, lambda: self._activity(end_us))

    def _activity(self, t_us: int) -> None:
        if not self.heard(t_us):
            self._end(ds.RC, ds.CAD_DONE_IRQ, ds.TAKEN)
            return
        irq = ds.CAD_DONE_IRQ | ds.CAD_DETECTED_IRQ
        if not self.parameters.cad_receives:
            self._end(ds.RC, irq, ds.TAKEN)
            return
        self.stop()
        self._chip.raise_irq(irq)
        self._listen(t_us, self.parameters.cad_timeout)

    def packet_status(self) -> bytes:
        """DS 13.5.3: RSSI of the packet in -dBm/2, SNR in dB/4, RSSI of the signal."""
        if self._last is None:
            return bytes(3)
        rssi = max(0, min(255, round(-2 * self._last.rssi_dbm)))
        snr_quarters = max(-128, min(127, round(4 * self._last.snr_db)))
        signal = rssi if snr_quarters >= 0 else min(255, rssi - round(snr_quarters / 2))
        return bytes((rssi, snr_quarters & 0xFF, signal))

    def noise_byte(self) -> int:
        return round(-2 * self.noise_dbm())

    def statistics(self) -> bytes:
        """DS 13.5.5: received, with a wrong CRC, with a wrong header."""
        return b"".join((n & 0xFFFF).to_bytes(2, "big") for n in self._counts)
