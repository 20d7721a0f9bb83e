# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The SX1262's LoRa modem on the air: one transmission or one reception at a time.

DS = SX1261/2 datasheet rev. 2.1. Time on air follows from modulation and packet parameters.
"""

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from revier_bench.chips import sx1262_tables as ds
from revier_bench.chips.timeline import Timer
from revier_bench.world.air import Emission, Medium, Reception
from revier_bench.world.airtime import lora_airtime_us, preamble_us, symbol_us

if TYPE_CHECKING:
    from revier_bench.chips.sx1262 import Sx1262

LOCK_SYMBOLS = 5  # of a preamble until it is detected
HEADER_SYMBOLS = 8  # DS 6.1.4
POLARITY_LOSS_BYTES = 32  # DS 15.4: "longer packets"; this limit and share are our choice
POLARITY_LOSS_SHARE = 0.3
_NOISE_DBM = -117


@dataclass(slots=True)
class Modulation:
    """DS 13.4.5 to 13.4.6; what SetModulationParams and SetPacketParams hold."""

    spreading_factor: int = 7
    bandwidth_hz: int = 125_000
    coding_rate: int = 5
    slow: bool = False
    preamble_symbols: int = 12
    explicit: bool = True
    length: int = 255
    crc_on: bool = True
    iq_inverted: bool = False

    @property
    def symbol_us(self) -> float:
        return symbol_us(self.spreading_factor, self.bandwidth_hz)


class LoraModem:
    def __init__(self, chip: "Sx1262", air: Medium, chance: Random) -> None:
        self._chip = chip
        self._air = air
        self._chance = chance
        self._timers: list[Timer] = []
        self._timeout: Timer | None = None
        self._locked: Emission | None = None
        self._rx_from_us: int | None = None
        self._continuous = False
        self._last: Reception | None = None
        self._counts = [0, 0, 0]
        self.transmissions = self.windows = 0  # SetTx and SetRx that were obeyed
        self.defaults()

    def defaults(self) -> None:
        self.set = Modulation()
        self._stop_on_preamble = False
        self._symbol_limit = 0
        self._power_dbm = 0
        self._pa = (4, 7)
        self._ramp_us = 10
        self._configured = 0

    def stop(self) -> None:
        """Whatever is under way ends here."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._timeout = None
        self._locked = None
        self._rx_from_us = None
        self._chip.host.expose(False)

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
        if self._polarity_wrong():
            chip.host.note_misuse(f"sx1262: {name} without the IQ polarity cure of DS 15.4")
        return True

    def _polarity_wrong(self) -> bool:
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
        emission = self._emission(chip.host.now_us + switch_us + self._ramp_us)
        self.transmissions += 1
        chip.host.post(emission.start_us, lambda: self._air.emit(emission))
        limit_us = int(timeout * ds.TIMER_STEP_US)
        if timeout and limit_us < switch_us + self._ramp_us + emission.airtime_us:
            self._later(chip.host.now_us + limit_us, lambda: self._finish(ds.TIMEOUT_IRQ))
        else:
            self._later(emission.end_us, lambda: self._finish(ds.TX_DONE_IRQ, ds.TX_DONE))

    def _emission(self, start_us: int) -> Emission:
        chip, now = self._chip, self.set
        payload = bytes(chip.buffer[(chip.tx_base + i) & 0xFF] for i in range(now.length))
        sf, bandwidth = now.spreading_factor, now.bandwidth_hz
        airtime_us = lora_airtime_us(
            now.length,
            sf,
            bandwidth,
            now.coding_rate,
            now.preamble_symbols,
            crc=now.crc_on,
            explicit=now.explicit,
            ldro=now.slow,
        )
        return Emission(
            sender=chip.name,
            start_us=start_us,
            airtime_us=airtime_us,
            preamble_us=preamble_us(sf, bandwidth, now.preamble_symbols),
            frequency_hz=chip.frequency_hz,
            bandwidth_hz=bandwidth,
            spreading_factor=sf,
            coding_rate=now.coding_rate,
            power_dbm=float(self._power_dbm + ds.PA_OFFSET_DB[self._pa]),
            iq_inverted=now.iq_inverted,
            sync_word=self._sync_word(),
            crc_on=now.crc_on,
            explicit_header=now.explicit,
            payload=payload,
        )

    def _sync_word(self) -> int:
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
        self.windows += 1
        self._rx_from_us = from_us
        self._continuous = timeout == ds.CONTINUOUS
        chip.host.expose(True)
        if timeout and not self._continuous:
            end_us = from_us + int(timeout * ds.TIMER_STEP_US)
            self._timeout = self._later(end_us, lambda: self._finish(ds.TIMEOUT_IRQ, ds.TIMED_OUT))
        symbols = self._symbols()
        if symbols and not self._continuous:
            end_us = from_us + round(symbols * self.set.symbol_us)
            self._later(end_us, self._no_preamble)
        chip.host.post(from_us, lambda: self._already_on_air(from_us))

    def _symbols(self) -> int:
        """DS 13.4.9: the register (mantissa, exponent) if it was written after the command."""
        code = self._chip.registers.get(ds.SYMBOL_TIMEOUT, 0)
        return (code >> 3) << (2 * (code & 7) + 1) if code else self._symbol_limit

    def _no_preamble(self) -> None:
        if self._locked is None:
            self._finish(ds.TIMEOUT_IRQ, ds.TIMED_OUT)

    def _later(self, t_us: int, run: object) -> Timer:
        timer = self._chip.host.at(t_us, run)  # type: ignore[arg-type]
        self._timers.append(timer)
        return timer

    def _already_on_air(self, from_us: int) -> None:
        if self._rx_from_us == from_us:
            for emission in self._air.ongoing(self._chip, from_us):
                self._consider(emission)

    def on_emission(self, emission: Emission) -> None:
        from_us = self._rx_from_us
        if from_us is not None and emission.start_us >= from_us:
            self._consider(emission)

    def _matches(self, emission: Emission) -> bool:
        now = self.set
        return (
            abs(emission.frequency_hz - self._chip.frequency_hz) * 4 <= now.bandwidth_hz
            and emission.bandwidth_hz == now.bandwidth_hz
            and emission.spreading_factor == now.spreading_factor
            and emission.iq_inverted == now.iq_inverted
            and emission.sync_word == self._sync_word()
            and emission.explicit_header == now.explicit
        )

    def _consider(self, emission: Emission) -> None:
        """A preamble can be found while LOCK_SYMBOLS of it are still to come."""
        from_us = self._rx_from_us
        if from_us is None or self._locked is not None or not self._matches(emission):
            return
        symbol = self.set.symbol_us
        upchirps_end_us = emission.start_us + emission.preamble_us - round(4.25 * symbol)
        found_us = max(emission.start_us, from_us) + round(LOCK_SYMBOLS * symbol)
        if found_us <= upchirps_end_us:
            self._later(found_us, lambda: self._lock(emission))

    def _lock(self, emission: Emission) -> None:
        if self._locked is not None or self._air.outcome(emission, self._chip) is None:
            return
        self._locked = emission
        self._chip.raise_irq(ds.PREAMBLE_IRQ)
        if self._stop_on_preamble:
            self._stop_timeout()
        header_us = emission.start_us + emission.preamble_us
        if self.set.explicit:
            header_us += round(HEADER_SYMBOLS * self.set.symbol_us)
        self._later(min(header_us, emission.end_us), self._header)

    def _stop_timeout(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None

    def _header(self) -> None:
        emission = self._locked
        assert emission is not None
        self._stop_timeout()
        too_long = len(emission.payload) > self.set.length
        if self.set.explicit and (too_long or self._air.outcome(emission, self._chip) is None):
            self._chip.raise_irq(ds.HEADER_ERROR_IRQ)
            self._counts[2] += 1
            self._locked = None
            if not self._continuous:
                self._finish(ds.HEADER_ERROR_IRQ)
            return
        if self.set.explicit:
            self._chip.raise_irq(ds.HEADER_VALID_IRQ)
        self._later(emission.end_us, self._end_of_frame)

    def _end_of_frame(self) -> None:
        emission = self._locked
        assert emission is not None
        chip = self._chip
        reception = self._air.outcome(emission, chip)
        payload = emission.payload
        spoilt = reception is None or not reception.crc_ok or self._polarity_spoils(payload)
        if spoilt:
            payload = bytes(b ^ self._chance.randrange(256) for b in payload)
        self._last = reception or Reception(emission, float(_NOISE_DBM), -10.0, crc_ok=False)
        self._counts[0] += 1
        chip.rx_length, chip.rx_start = len(payload), chip.rx_base
        for i, byte in enumerate(payload):
            chip.buffer[(chip.rx_base + i) & 0xFF] = byte
        irq = ds.RX_DONE_IRQ
        if spoilt and emission.crc_on:
            irq |= ds.CRC_ERROR_IRQ
            self._counts[1] += 1
        if self._continuous:
            self._locked = None
            chip.command_status = ds.DATA_AVAILABLE
            chip.raise_irq(irq)
        else:
            self._finish(irq, ds.DATA_AVAILABLE)

    def _polarity_spoils(self, payload: bytes) -> bool:
        if not self._polarity_wrong() or len(payload) < POLARITY_LOSS_BYTES:
            return False
        return self._chance.random() < POLARITY_LOSS_SHARE

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
        heard = any(self._matches(e) for e in self._air.ongoing(self._chip, t_us))
        self._finish(ds.CAD_DONE_IRQ | (ds.CAD_DETECTED_IRQ if heard else 0))

    def packet_status(self) -> bytes:
        """DS 13.5.3: RSSI of the packet in -dBm/2, SNR in dB/4, RSSI of the signal."""
        if self._last is None:
            return bytes(3)
        rssi = max(0, min(255, round(-2 * self._last.rssi_dbm)))
        snr_quarters = max(-128, min(127, round(4 * self._last.snr_db)))
        signal = rssi if snr_quarters >= 0 else min(255, rssi - round(snr_quarters / 2))
        return bytes((rssi, snr_quarters & 0xFF, signal))

    def noise_byte(self) -> int:
        return -2 * _NOISE_DBM + self._chance.randrange(-4, 5)

    def statistics(self) -> bytes:
        return b"".join(n.to_bytes(2, "big") for n in self._counts)
