# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Semtech SX1276 (RFM95 and the like) at its SPI pins: registers, FIFO, modes, interrupts.

DS = SX1276/77/78/79 datasheet rev. 7. LoRa's air is in sx1276_modem.py, FSK in sx1276_fsk.py. There
is no BUSY: what comes too early is lost and noted. What the datasheet forbids is noted through
ChipHost.note_misuse().
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from revier_bench.chips import sx1276_tables as ds
from revier_bench.chips.base import ChipHost
from revier_bench.chips.sx1276_fsk import Sx1276Fsk
from revier_bench.chips.sx1276_modem import Sx1276Modem
from revier_bench.chips.timeline import NEVER_US
from revier_bench.world.air import Emission, Medium


@dataclass(frozen=True, slots=True)
class Sx1276Wiring:
    """tcxo: an oscillator on XTA instead of a crystal. pa_boost: the antenna's output."""

    dio0: int
    dio1: int
    tcxo: bool = False
    pa_boost: bool = True


class Sx1276:
    """An SpiDevice and a Listener."""

    def __init__(self, host: ChipHost, wiring: Sx1276Wiring, air: Medium, chance: Random) -> None:
        self.host = host
        self.name = host.name
        self.wiring = wiring
        self.modem = Sx1276Modem(self, air, chance)
        self.fsk = Sx1276Fsk(self)
        self.powered = False
        self._reset_fell_us: int | None = None
        self._address: int | None = None
        self._deaf = False
        self._defaults()

    def _defaults(self) -> None:
        """DS table 41: what power-on and reset leave."""
        self.common = dict.fromkeys(range(ds.LAST + 1), 0) | ds.COMMON
        self.lora = dict.fromkeys(ds.PAGE, 0) | ds.LORA
        self.fifo = bytearray(256)
        self.irq = 0
        self.rx_current = self.rx_length = self.rx_byte = 0
        self._usable_us = self.oscillates_us = 0
        self.fsk.defaults()
        self.modem.defaults()

    @property
    def mode(self) -> int:
        return self.common[ds.OP_MODE] & 7

    @property
    def is_lora(self) -> bool:
        return bool(self.common[ds.OP_MODE] & ds.LONG_RANGE)

    @property
    def frequency_hz(self) -> int:
        """DS 4.1.4: steps of 32 MHz / 2^19."""
        frf = self.common[6] << 16 | self.common[7] << 8 | self.common[8]
        return round(frf * 32_000_000 / (1 << 19))

    # -- supply, reset --

    def power(self, on: bool, t_us: int) -> None:
        self.powered = on
        self.modem.stop()
        if on:
            self._start(t_us + ds.POWER_ON_US)

    def reset_pin(self, level: bool, t_us: int) -> None:
        """NRESET, active low."""
        if not level:
            self._reset_fell_us = t_us
            self.modem.stop()
            return
        fell_us, self._reset_fell_us = self._reset_fell_us, None
        if fell_us is not None and t_us - fell_us < ds.RESET_MIN_US:
            self.note(f"NRESET low for {t_us - fell_us} us only (DS 7.2.2)")
        if self.powered:
            self._start(t_us + ds.RESET_US)

    def _start(self, usable_us: int) -> None:
        self._defaults()
        self._usable_us = self.oscillates_us = usable_us
        self._address = None
        self._set_dios()

    def note(self, text: str) -> None:
        self.host.note_misuse(f"sx1276: {text}")

    # -- SPI --

    def select(self, t_us: int) -> None:
        self._address = None
        self._deaf = False
        if not self.powered or self._reset_fell_us is not None:
            self._deaf = True
            self.note("SPI while it has no supply or is held in reset")
        elif t_us < self._usable_us:
            self._deaf = True
            self.note("SPI before it has started (DS 7.2)")

    def deselect(self, t_us: int) -> None:  # noqa: ARG002
        self._address = None

    def transfer(self, mosi: bytes, t_us: int) -> bytes:  # noqa: ARG002
        """DS 4.3: address, then bytes; the address goes up, that of the FIFO does not."""
        if self._deaf:
            return bytes(len(mosi))
        answer = bytearray(len(mosi))
        for i, byte in enumerate(mosi):
            if self._address is None:
                self._address = byte
                continue
            address = self._address & 0x7F
            if address == ds.FIFO:
                answer[i] = self._access_fifo(byte)
            elif address > ds.LAST:
                self.note(f"register 0x{address:02X} does not exist")
            elif self._address & ds.WRITE:
                self._write(address, byte)
            else:
                answer[i] = self._read(address)
            if address != ds.FIFO:
                self._address += 1
        return bytes(answer)

    def _access_fifo(self, byte: int) -> int:
        assert self._address is not None
        if self.mode == ds.SLEEP:
            self.note("the FIFO cannot be had in sleep (DS 4.1.2.3)")
            return 0
        if not self.is_lora:
            if not self._address & ds.WRITE:
                return self.fsk.read_fifo()
            self.fsk.write_fifo(byte)
            return 0
        at = self.lora[ds.FIFO_ADDR_PTR]
        self.lora[ds.FIFO_ADDR_PTR] = (at + 1) & 0xFF
        if not self._address & ds.WRITE:
            return self.fifo[at]
        if self.mode == ds.TX:
            self.note("the FIFO is written during TX")
        self.fifo[at] = byte
        return 0

    def _shows_lora(self, address: int) -> bool:
        return self.is_lora and not (
            self.common[ds.OP_MODE] & ds.SHARED_PAGE and address in ds.PAGE
        )

    def _read(self, address: int) -> int:
        if address not in ds.PAGE:
            return self.common[address]
        if not self._shows_lora(address):
            return self.fsk.read(address)
        states: dict[int, Callable[[], int]] = {
            ds.FIFO_RX_CURRENT: lambda: self.rx_current,
            ds.IRQ_FLAGS: lambda: self.irq,
            ds.RX_NB_BYTES: lambda: self.rx_length,
            ds.HEADER_COUNT + 1: lambda: self.modem.headers & 0xFF,
            ds.PACKET_COUNT + 1: lambda: self.modem.packets & 0xFF,
            ds.MODEM_STAT: self.modem.status,
            ds.HOP_CHANNEL: lambda: self.modem.header_crc,
            ds.PKT_SNR: self.modem.packet_snr,
            ds.PKT_RSSI: self.modem.packet_rssi,
            ds.RSSI: self.modem.noise_byte,
            ds.RSSI_WIDEBAND: self.modem.noise_byte,
            ds.FIFO_RX_BYTE: lambda: self.rx_byte,
        }
        live = states.get(address)
        return live() if live is not None else self.lora[address]

    def _write(self, address: int, value: int) -> None:
        if address == ds.OP_MODE:
            self._set_mode(value)
        elif address not in ds.PAGE:
            if address in ds.FIXED_ON_AIR and value != self.common[address]:
                self._check_quiet(address)
            if address not in ds.READ_ONLY:
                self.common[address] = value
            if address == ds.DIO_MAPPING_1:
                self._set_dios()
        elif not self._shows_lora(address):
            self.fsk.write(address, value)
        elif address == ds.IRQ_FLAGS:
            self.irq &= ~value
            self._set_dios()
        elif address not in ds.READ_ONLY:
            if address in ds.FIXED_ON_AIR and value != self.lora[address]:
                self._check_quiet(address)
            self.lora[address] = value

    def _check_quiet(self, address: int) -> None:
        if self.is_lora and self.mode in ds.ON_AIR:
            self.note(f"register 0x{address:02X} is changed while it sends or receives")

    # -- modes --

    def _set_mode(self, value: int) -> None:
        """DS 4.1.2, table 16."""
        old, now_us = self.common[ds.OP_MODE], self.host.now_us
        # Field note: one write of 0x80 in FSK standby enters sleep and LoRa (arduino-LoRa relies on
        # it, RadioHead reads it back), although DS table 41 wants two
        if (value ^ old) & ds.LONG_RANGE and ds.SLEEP not in (old & 7, value & 7):
            self.note("LoRa can be switched on or off in sleep only (DS table 41)")
            value ^= ds.LONG_RANGE
        if self.fsk.calibrates and value != old:
            self.note("the mode is changed during the image calibration")
        mode = value & 7
        if old & 7 in ds.ON_AIR and mode != old & 7:
            self.modem.stop()
        if mode == ds.SLEEP:
            self.fifo = bytearray(256)
            self.fsk.sleep()
            self.oscillates_us = NEVER_US
        elif old & 7 == ds.SLEEP:
            self.oscillates_us = now_us + ds.OSCILLATOR_US
        self.common[ds.OP_MODE] = value
        if mode in ds.ON_AIR and (mode != old & 7 or mode == ds.RX_SINGLE):
            self._go_on_air(mode, old & 7)

    def _go_on_air(self, mode: int, before: int) -> None:
        if not self.is_lora:
            self.note("FSK reaches nobody and hears nothing: LoRa only")
            return
        if self.wiring.tcxo and not self.common[ds.TCXO] & 0x10:
            self.note("the TCXO's input is not switched on (DS table 41, RegTcxo)")
            self.fall_back()
            return
        self.modem.stop()
        locked = before == (ds.FS_TX if mode == ds.TX else ds.FS_RX)
        switch_us = max(0, self.oscillates_us - self.host.now_us) + (0 if locked else ds.PLL_US)
        if mode == ds.TX:
            done = self.modem.transmit(switch_us)
        elif mode == ds.CAD:
            done = self.modem.detect_activity(switch_us)
        else:
            done = self.modem.receive(switch_us, mode == ds.RX_CONTINUOUS)
        if not done:
            self.fall_back()

    def fall_back(self) -> None:
        """DS 4.1.2: to standby when TX, RXSINGLE or CAD are over."""
        self.common[ds.OP_MODE] = self.common[ds.OP_MODE] & 0xF8 | ds.STANDBY

    # -- interrupts --

    def raise_irq(self, bits: int) -> None:
        """DS table 41: a one in the mask keeps a flag away."""
        self.irq |= bits & ~self.lora[ds.IRQ_FLAGS_MASK]
        self._set_dios()

    def _set_dios(self) -> None:
        mapping = self.common[ds.DIO_MAPPING_1]
        self.host.drive(self.wiring.dio0, bool(self.irq & ds.DIO0[mapping >> 6]))
        self.host.drive(self.wiring.dio1, bool(self.irq & ds.DIO1[mapping >> 4 & 3]))

    # -- the air (world.air.Listener) --

    def on_emission(self, emission: Emission) -> None:
        self.modem.on_emission(emission)
