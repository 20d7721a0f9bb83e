# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The SX1262's LoRa modem: its commands, what they need, what it reports.

DS = SX1261/2 datasheet rev. 2.1. What happens on the air is in lora_modem.py.
"""

from random import Random
from typing import TYPE_CHECKING

from revier_bench.chips import sx1262_tables as ds
from revier_bench.chips.lora_modem import LoraModem
from revier_bench.chips.timeline import Timer
from revier_bench.world.air import Emission, Medium

if TYPE_CHECKING:
    from revier_bench.chips.sx1262 import Sx1262


class Sx1262Modem(LoraModem):
    def __init__(self, chip: "Sx1262", air: Medium, chance: Random) -> None:
        self._chip = chip
        self._timeout: Timer | None = None
        self._counts = [0, 0, 0]
        super().__init__(chip, air, chance)

    def defaults(self) -> None:
        super().defaults()
        self._stop_on_preamble = False
        self._symbol_limit = 0
        self._power_dbm = 0
        self._pa = (4, 7)
        self._ramp_us = 10
        self._configured = 0

    # -- commands --

    def command(self, opcode: int, args: bytes) -> None:
        if opcode == ds.SET_TX:
            self._transmit(int.from_bytes(args, "big"))
        elif opcode == ds.SET_RX:
            self._receive(int.from_bytes(args, "big"))
        elif opcode == ds.SET_CAD:
            self._detect_activity()
        else:
            self._parameters(opcode, args)
            self._chip._done(0)

    def _parameters(self, opcode: int, args: bytes) -> None:
        if opcode == ds.SET_MODULATION:
            self._set_modulation(args)
        elif opcode == ds.SET_PACKET_PARAMS:
            self._set_packet(args)
        elif opcode == ds.STOP_TIMER_ON_PREAMBLE:
            self._stop_on_preamble = bool(args[0])
        elif opcode == ds.SET_SYMBOL_TIMEOUT:
            self._symbol_limit = args[0]
            self._chip.registers.pop(ds.SYMBOL_TIMEOUT, None)
        elif opcode == ds.SET_TX_PARAMS:
            self._set_tx_params(args)
        elif opcode == ds.SET_PA_CONFIG:
            if (args[0], args[1]) not in ds.PA_OFFSET_DB or args[2:4] != b"\x00\x01":
                self._chip.refuse(f"PA configuration {args.hex()} is not one of DS table 13-21")
                return
            self._pa = (args[0], args[1])
            self._configured |= 1

    def _set_modulation(self, args: bytes) -> None:
        sf, bandwidth, rate, slow = args
        if not 5 <= sf <= 12 or bandwidth not in ds.BANDWIDTH_HZ or not 1 <= rate <= 4:
            self._chip.refuse(f"modulation parameters {args.hex()} (DS 13.4.5)")
            return
        now = self.set
        now.spreading_factor, now.bandwidth_hz = sf, ds.BANDWIDTH_HZ[bandwidth]
        now.coding_rate, now.slow = rate + 4, bool(slow)
        self._configured |= 2

    def _set_packet(self, args: bytes) -> None:
        now = self.set
        now.preamble_symbols = args[0] << 8 | args[1]
        now.explicit, now.length = args[2] == 0, args[3]
        now.crc_on, now.iq_inverted = bool(args[4]), bool(args[5])
        self._configured |= 4

    def _set_tx_params(self, args: bytes) -> None:
        power_dbm = (args[0] ^ 0x80) - 0x80
        if not -9 <= power_dbm <= 22 or args[1] >= len(ds.RAMP_US):
            self._chip.refuse(f"TX parameters {args.hex()} (DS 13.4.4)")
            return
        self._power_dbm, self._ramp_us = power_dbm, ds.RAMP_US[args[1]]
        self._configured |= 8

    def _ready(self, transmit: bool) -> bool:
        """DS 14.2, 14.3: what must have been set before; False if the chip would not work."""
        chip, need = self._chip, 15 if transmit else 6
        name = "SetTx" if transmit else "SetRx"
        if self._configured & need != need or not chip.frequency_hz:
            chip.refuse(f"{name} before its parameters are set (DS 14)")
            return False
        if not chip.calibrated:
            chip.errors |= ds.PLL_LOCK_ERROR
            chip.refuse(f"{name} without calibration after the TCXO's setup (DS 13.3.6)")
            return False
        low, high = chip.image_band
        if not low <= chip.frequency_hz <= high:
            chip.host.note_misuse(f"sx1262: {name} outside of the calibrated image band (DS 9.2.1)")
        if self.impaired():
            chip.host.note_misuse(f"sx1262: {name} without the IQ polarity cure of DS 15.4")
        return True

    def impaired(self) -> bool:
        """DS 15.4: the polarity bit does not fit."""
        bit = bool(self._chip.registers.get(ds.IQ_POLARITY, 0) & 0x04)
        return bit == self.set.iq_inverted

    # -- transmit --

    def _transmit(self, timeout: int) -> None:
        if not self._ready(transmit=True):
            return
        chip = self._chip
        switch_us = chip.switch(ds.TX)
        if switch_us is None:
            return
        begun_us = chip.host.now_us + switch_us + self._ramp_us
        payload = bytes(chip.buffer[(chip.tx_base + i) & 0xFF] for i in range(self.set.length))
        power_dbm = float(self._power_dbm + ds.PA_OFFSET_DB[self._pa])
        emission = self.emission(begun_us, power_dbm, payload)
        self.emit(emission)
        limit_us = int(timeout * ds.TIMER_STEP_US)
        if timeout and limit_us < switch_us + self._ramp_us + emission.airtime_us:
            self._later(chip.host.now_us + limit_us, lambda: self._finish(ds.TIMEOUT_IRQ))
        else:
            self._later(emission.end_us, lambda: self._finish(ds.TX_DONE_IRQ, ds.TX_DONE))

    def sync_word(self) -> int:
        registers = self._chip.registers
        return registers.get(ds.SYNC_WORD, 0) << 8 | registers.get(ds.SYNC_WORD + 1, 0)

    def _finish(self, irq: int, status: int = 0) -> None:
        """TX or RX is over: fallback mode, then the interrupt."""
        chip = self._chip
        self.stop()
        chip.mode = chip.fallback
        chip.command_status = status
        chip.raise_irq(irq)

    # -- receive --

    def _receive(self, timeout: int) -> None:
        if not self._ready(transmit=False):
            return
        chip = self._chip
        switch_us = chip.switch(ds.RX)
        if switch_us is None:
            return
        from_us = chip.host.now_us + switch_us
        continuous = timeout == ds.CONTINUOUS
        if timeout and not continuous:
            end_us = from_us + int(timeout * ds.TIMER_STEP_US)
            self._timeout = self._later(end_us, lambda: self._finish(ds.TIMEOUT_IRQ, ds.TIMED_OUT))
        self.listen(from_us, self._symbols(), continuous)

    def _symbols(self) -> int:
        """DS 13.4.9: the register (mantissa, exponent) if it was written after the command."""
        code = self._chip.registers.get(ds.SYMBOL_TIMEOUT, 0)
        return (code >> 3) << (2 * (code & 7) + 1) if code else self._symbol_limit

    def no_preamble(self) -> None:
        self._finish(ds.TIMEOUT_IRQ, ds.TIMED_OUT)

    def preamble_found(self) -> None:
        self._chip.raise_irq(ds.PREAMBLE_IRQ)
        if self._stop_on_preamble:
            self._stop_timeout()

    def header_comes(self) -> None:
        self._stop_timeout()

    def header_found(self) -> None:
        self._chip.raise_irq(ds.HEADER_VALID_IRQ)

    def header_lost(self) -> None:
        self._chip.raise_irq(ds.HEADER_ERROR_IRQ)
        self._counts[2] += 1
        if not self._continuous:
            self._finish(ds.HEADER_ERROR_IRQ)

    def frame(self, payload: bytes, emission: Emission, crc_wrong: bool) -> None:  # noqa: ARG002
        chip = self._chip
        self._counts[0] += 1
        chip.rx_length, chip.rx_start = len(payload), chip.rx_base
        for i, byte in enumerate(payload):
            chip.buffer[(chip.rx_base + i) & 0xFF] = byte
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

    # -- activity, status --

    def _detect_activity(self) -> None:
        """SetCad: two symbols of listening (DS 13.1.7, parameters not modelled)."""
        chip = self._chip
        if chip.switch(ds.RX) is None:
            return
        chip.host.expose(True)
        end_us = chip.host.now_us + round(2 * self.set.symbol_us)
        self._later(end_us, lambda: self._activity(end_us))

    def _activity(self, t_us: int) -> None:
        self._finish(ds.CAD_DONE_IRQ | (ds.CAD_DETECTED_IRQ if self.heard(t_us) else 0))

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
        return b"".join(n.to_bytes(2, "big") for n in self._counts)
