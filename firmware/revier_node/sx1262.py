# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""SX1262 LoRa transceiver: what a class A end device needs of it, split into prepare and launch.

DS = Semtech SX1261/2 datasheet rev. 2.1. DS 13 commands, DS 12.1 registers, DS 15 errata.

Everything that takes time is done by prepare_tx() or prepare_rx(), which leave the chip in
STDBY_XOSC with its oscillator running; launch() is then one four-byte command, so the caller
decides the microsecond. From launch() on nothing here allocates heap: poll_irq(), read_frame(),
standby() and the two status values use buffers made at construction.
"""

import time

from micropython import const

from revier_node.radio_bus import RadioError, symbol_us

MYPY = False
if MYPY:
    from machine import Pin

    from revier_node.radio_bus import SpiBus


# DS table 11-1 to 11-5: opcodes
_SET_SLEEP = const(0x84)
_SET_STANDBY = const(0x80)
_SET_TX = const(0x83)
_SET_RX = const(0x82)
_SET_REGULATOR_MODE = const(0x96)
_CALIBRATE = const(0x89)
_CALIBRATE_IMAGE = const(0x98)
_SET_PA_CONFIG = const(0x95)
_WRITE_REGISTER = const(0x0D)
_READ_REGISTER = const(0x1D)
_WRITE_BUFFER = const(0x0E)
_READ_BUFFER = const(0x1E)
_SET_DIO_IRQ = const(0x08)
_GET_IRQ = const(0x12)
_CLEAR_IRQ = const(0x02)
_SET_BUFFER_BASE = const(0x8F)
_SET_DIO2_RF_SWITCH = const(0x9D)
_SET_DIO3_TCXO = const(0x97)
_SET_RF_FREQUENCY = const(0x86)
_SET_PACKET_TYPE = const(0x8A)
_SET_TX_PARAMS = const(0x8E)
_SET_MODULATION = const(0x8B)
_SET_PACKET_PARAMS = const(0x8C)
_SET_SYMBOL_TIMEOUT = const(0xA0)
_GET_RX_BUFFER_STATUS = const(0x13)
_GET_PACKET_STATUS = const(0x14)
_GET_ERRORS = const(0x17)
_CLEAR_ERRORS = const(0x07)

# DS table 12-1 and chapter 15: registers
_REG_SYMBOL_TIMEOUT = const(0x0706)
_REG_IQ_POLARITY = const(0x0736)
_REG_SYNC_WORD = const(0x0740)
_REG_TX_MODULATION = const(0x0889)
_REG_TX_CLAMP = const(0x08D8)

# DS table 13-29: interrupts (names in radio_bus.py)
_IRQ_ALL = const(0x0277)
_IRQ_ON_DIO1 = const(0x0223)  # what ends a transmission or a reception

SYNC_WORD_PUBLIC = const(0x3444)  # DS 12.1: LoRaWAN networks
PREAMBLE_SYMBOLS = const(8)  # RP002-1.0.4 section 2.3: every EU868 LoRa data rate
SYMBOLS_MAX = const(248)  # DS 13.4.9
POWER_MAX_DBM = const(22)  # DS table 13-21, SX1262
POWER_MIN_DBM = const(-9)  # DS 13.4.4

_RESET_US = const(200)  # DS 8.1: NRESET low for at least 100 us
_SLEEP_US = const(600)  # DS 13.1.1: the chip takes no command for 500 us after SetSleep
_HEADER_SYMBOLS = const(32)  # preamble 8 + 4.25, header 8, rounded up: SetRx's limit after lock
_TX_MARGIN_TICKS = const(32_000)  # 0.5 s in DS 13.1.4's steps of 15.625 us
_CHUNK = const(64)  # ReadBuffer reads this much at a time into a buffer made beforehand
_RAMP_200_US = const(0x04)  # DS table 13-41

_TCXO_MV = (1600, 1700, 1800, 2200, 2400, 2700, 3000, 3300)  # DS table 13-35
_BANDWIDTH = {125_000: 4, 250_000: 5, 500_000: 6}  # DS table 13-48


def frequency_steps(frequency_hz: int) -> int:
    """DS 13.4.1: f * 2^25 / 32 MHz = f * 16384 / 15625, rounded, in 31-bit integers."""
    return frequency_hz // 15_625 * 16_384 + (frequency_hz % 15_625 * 16_384 + 7_812) // 15_625


def symbol_timeout_code(symbols: int) -> int:
    """mantissa << 3 | exponent for at least `symbols` symbols: what register 0x0706 takes.

    DS 13.4.9: the chip counts mantissa * 2^(2 * exponent + 1) symbols, mantissa below 32. The
    command takes the product; Semtech's sx126x_driver writes the pair to 0x0706 as well.
    """
    mantissa = (min(symbols, SYMBOLS_MAX) + 1) >> 1
    exponent = 0
    while mantissa > 31:
        mantissa = (mantissa + 3) >> 2
        exponent += 1
    return mantissa << 3 | exponent


class Sx1262:
    TX_START_US = 105 + 200  # DS table 8-2 STDBY_XOSC to TX, and the PA's ramp
    RX_START_US = 62  # DS table 8-2 STDBY_XOSC to RX

    def __init__(
        self,
        bus: "SpiBus",
        reset: "Pin",
        tcxo_mv: int = 0,
        tcxo_start_us: int = 0,
        dio2_rf_switch: bool = True,
        dcdc: bool = True,
    ) -> None:
        self._bus = bus
        self._reset = reset
        self._tcxo = _TCXO_MV.index(tcxo_mv) if tcxo_mv else -1
        self._tcxo_ticks = tcxo_start_us * 64 // 1000
        self._dio2_rf_switch = dio2_rf_switch
        self._dcdc = dcdc
        self._buf = bytearray(12)
        view = memoryview(self._buf)
        self._view = [view[:n] for n in range(13)]
        self._launch = bytearray(4)
        self._chunk = bytearray(3 + _CHUNK)
        self._refused = RadioError("command refused")
        self._no_oscillator = RadioError("no oscillator")
        self._tx_modulation = 0
        self._iq_polarity = 0
        self._packet = -1  # the packet parameters that the chip has
        self.rssi_dbm = 0
        self.snr_db = 0

    # -- life of the chip --

    def begin(self) -> None:
        """Reset and set up everything that does not change (DS 14.2, 14.3). Raises RadioError.

        What the reset leaves as wanted is not sent again: STDBY_RC, the fallback to it after TX
        and RX (DS table 13-23; LoRaMac-node relies on it too), the RX timer that a header stops
        (DS 13.1.6).
        """
        self._reset.init(self._reset.OUT, value=0)
        time.sleep_us(_RESET_US)
        self._reset(1)
        self._bus.wait_ready()
        if self._tcxo >= 0:
            self._set_tcxo()
        self._command(2, _SET_REGULATOR_MODE, 1 if self._dcdc else 0)
        self._command(2, _SET_DIO2_RF_SWITCH, 1 if self._dio2_rf_switch else 0)
        self._command(3, _CALIBRATE_IMAGE, 0xD7, 0xDB)  # DS table 9-2: 863 to 870 MHz
        self._command(2, _SET_PACKET_TYPE, 1)
        self._command(3, _SET_BUFFER_BASE, 0, 0)
        self._command(
            5,
            _WRITE_REGISTER,
            _REG_SYNC_WORD >> 8,
            _REG_SYNC_WORD & 0xFF,
            SYNC_WORD_PUBLIC >> 8,
            SYNC_WORD_PUBLIC & 0xFF,
        )
        # DS 15.2: better resistance of the PA to antenna mismatch
        self._write_register(_REG_TX_CLAMP, self._read_register(_REG_TX_CLAMP) | 0x1E)
        self._tx_modulation = self._read_register(_REG_TX_MODULATION)
        self._iq_polarity = self._read_register(_REG_IQ_POLARITY)
        self._packet = -1
        self._set_irq()
        self._check_errors()

    def _set_tcxo(self) -> None:
        """DS 13.3.6: the oscillator hangs on DIO3, so it starts now and calibration repeats."""
        ticks = self._tcxo_ticks
        self._command(5, _SET_DIO3_TCXO, self._tcxo, ticks >> 16, ticks >> 8 & 0xFF, ticks & 0xFF)
        self._command(3, _CLEAR_ERRORS, 0, 0)  # XOSC_START_ERR is set at power-on with a TCXO
        self._command(2, _CALIBRATE, 0x7F)

    def _set_irq(self) -> None:
        """DS 13.3.1: what is noted, what raises DIO1; nothing on DIO2 and DIO3."""
        buf = self._buf
        buf[7] = buf[8] = 0
        self._command(9, _SET_DIO_IRQ, _IRQ_ALL >> 8, _IRQ_ALL & 0xFF, _IRQ_ON_DIO1 >> 8,
                      _IRQ_ON_DIO1 & 0xFF)  # fmt: skip

    def _check_errors(self) -> None:
        """DS table 13-85: a failed calibration, oscillator or PLL."""
        buf = self._buf
        buf[0] = _GET_ERRORS
        buf[1] = buf[2] = buf[3] = 0
        self._transfer(4)
        errors = buf[2] << 8 | buf[3]
        if errors:
            raise RadioError("device errors %#x" % errors)

    def standby(self) -> None:
        """STDBY_RC; ends a transmission or a reception."""
        self._command(2, _SET_STANDBY, 0)

    def sleep(self) -> None:
        """DS 13.1.1, cold start: 160 nA, all registers lost. begin() wakes it."""
        self._command(2, _SET_SLEEP, 0)
        time.sleep_us(_SLEEP_US)

    # -- prepare, launch --

    def prepare_tx(
        self,
        frequency_hz: int,
        spreading_factor: int,
        bandwidth_hz: int,
        power_dbm: int,
        payload: bytes,
        airtime_us: int,
        iq_inverted: bool = False,
    ) -> None:
        """Uplink: CRC on, explicit header, 4/5. power_dbm at the pin. May allocate."""
        self._command(2, _SET_STANDBY, 1)
        self._set_frequency(frequency_hz)
        self._command(5, _SET_PA_CONFIG, 4, 7, 0, 1)  # DS table 13-21: +22 dBm part
        power_dbm = max(POWER_MIN_DBM, min(POWER_MAX_DBM, power_dbm))
        self._command(3, _SET_TX_PARAMS, power_dbm & 0xFF, _RAMP_200_US)
        self._set_modulation(spreading_factor, bandwidth_hz)
        # DS 15.1: bit 2 cleared for LoRa at 500 kHz only
        wanted = self._tx_modulation & ~0x04 | (0 if bandwidth_hz == 500_000 else 0x04)
        if wanted != self._tx_modulation:
            self._write_register(_REG_TX_MODULATION, wanted)
            self._tx_modulation = wanted
        self._set_packet(len(payload), 1, iq_inverted)
        self._bus.transaction(bytearray((_WRITE_BUFFER, 0)) + payload)
        self._set_launch(_SET_TX, airtime_us // 1000 * 64 + _TX_MARGIN_TICKS)
        self._clear_irq()

    def prepare_rx(
        self, frequency_hz: int, spreading_factor: int, bandwidth_hz: int, symbols: int
    ) -> None:
        """Downlink: inverted IQ, no CRC, explicit header; preamble search for `symbols` symbols.

        The symbol counter ends an empty window; SetRx's own timer is the limit for a preamble
        without a header: with StopTimerOnPreamble off it runs until the header (DS 13.1.6).
        DS 15.3 (the timer runs on after RX) concerns implicit headers, which class A never uses.
        """
        self._command(2, _SET_STANDBY, 1)
        self._set_frequency(frequency_hz)
        self._set_modulation(spreading_factor, bandwidth_hz)
        self._set_packet(255, 0, True)
        code = symbol_timeout_code(symbols)
        self._command(2, _SET_SYMBOL_TIMEOUT, (code >> 3) << (2 * (code & 7) + 1))
        self._write_register(_REG_SYMBOL_TIMEOUT, code)
        limit_us = (symbols + _HEADER_SYMBOLS) * symbol_us(spreading_factor, bandwidth_hz)
        self._set_launch(_SET_RX, limit_us * 8 // 125)
        self._clear_irq()

    def launch(self) -> int:
        """SetTx or SetRx as prepared. Returns ticks_us() at the end of the command."""
        self._bus.transaction(self._launch)
        end_us: int = time.ticks_us()
        return end_us

    def _set_launch(self, opcode: int, ticks: int) -> None:
        launch = self._launch
        launch[0] = opcode
        launch[1] = ticks >> 16 & 0xFF
        launch[2] = ticks >> 8 & 0xFF
        launch[3] = ticks & 0xFF

    # -- after the launch: no heap --

    def poll_irq(self) -> int:
        """The interrupt flags (IRQ_...), not cleared."""
        buf = self._buf
        buf[0] = _GET_IRQ
        buf[1] = buf[2] = buf[3] = 0
        self._transfer(4)
        return buf[2] << 8 | buf[3]

    def read_frame(self, into: bytearray) -> int:
        """Copy the received frame into `into`; its length, or 0 if it does not fit.

        Sets rssi_dbm and snr_db (DS 13.5.3: -value/2 dBm, value/4 dB).
        """
        buf = self._buf
        buf[0] = _GET_PACKET_STATUS
        buf[1] = buf[2] = buf[3] = buf[4] = 0
        self._transfer(5)
        self.rssi_dbm = -(buf[2] >> 1)
        self.snr_db = ((buf[3] ^ 0x80) - 0x80 + 2) >> 2
        buf[0] = _GET_RX_BUFFER_STATUS
        buf[1] = buf[2] = buf[3] = 0
        self._transfer(4)
        length = buf[2]
        start = buf[3]
        if length > len(into):
            return 0
        at = 0
        while at < length:
            self._read_chunk(start + at, into, at, length)
            at += _CHUNK
        return length

    def _read_chunk(self, start: int, into: bytearray, at: int, length: int) -> None:
        chunk = self._chunk
        chunk[0] = _READ_BUFFER
        chunk[1] = start & 0xFF
        self._bus.transaction(chunk)
        end = min(at + _CHUNK, length)
        i = 3
        while at < end:
            into[at] = chunk[i]
            at += 1
            i += 1

    # -- commands --

    def _set_frequency(self, frequency_hz: int) -> None:
        steps = frequency_steps(frequency_hz)
        self._command(
            5, _SET_RF_FREQUENCY, steps >> 24, steps >> 16 & 0xFF, steps >> 8 & 0xFF, steps & 0xFF
        )

    def _set_modulation(self, spreading_factor: int, bandwidth_hz: int) -> None:
        """4/5; low data rate optimisation for symbols of 16 ms and more (DS 6.1.1.4)."""
        slow = 1 if symbol_us(spreading_factor, bandwidth_hz) >= 16_000 else 0
        self._command(5, _SET_MODULATION, spreading_factor, _BANDWIDTH[bandwidth_hz], 1, slow)

    def _set_packet(self, length: int, crc_on: int, iq_inverted: bool) -> None:
        """Packet parameters (DS table 13-66) and DS 15.4: bit 2 of 0x0736 is set for normal IQ and
        cleared for inverted IQ (as Semtech's driver has it; others have it the wrong way round).

        The second window has the parameters of the first one.
        """
        packet = length | crc_on << 8 | iq_inverted << 9
        if packet == self._packet:
            return
        self._packet = packet
        self._command(
            7, _SET_PACKET_PARAMS, 0, PREAMBLE_SYMBOLS, 0, length, crc_on, 1 if iq_inverted else 0
        )
        wanted = self._iq_polarity & ~0x04 | (0 if iq_inverted else 0x04)
        if wanted != self._iq_polarity:
            self._write_register(_REG_IQ_POLARITY, wanted)
            self._iq_polarity = wanted

    def _command(
        self,
        length: int,
        opcode: int,
        a: int = 0,
        b: int = 0,
        c: int = 0,
        d: int = 0,
        e: int = 0,
        f: int = 0,
    ) -> None:
        """Positional arguments, because a variable number of them would take heap."""
        buf = self._buf
        buf[0] = opcode
        buf[1] = a
        buf[2] = b
        buf[3] = c
        buf[4] = d
        buf[5] = e
        buf[6] = f
        self._transfer(length)

    def _transfer(self, length: int) -> None:
        """Exchange the first `length` bytes; the second one that comes back is the status."""
        self._bus.transaction(self._view[length])
        status = self._buf[1] >> 1 & 0x07
        if 4 <= status <= 5:  # DS table 13-76: refused or failed, the command before
            raise self._refused

    def _clear_irq(self) -> None:
        """Last step of a preparation. Its status tells of the command before, and of the mode."""
        self._command(3, _CLEAR_IRQ, 0x03, 0xFF)
        if self._buf[1] >> 4 & 0x07 != 3:  # DS table 13-76: 3 = STDBY_XOSC
            raise self._no_oscillator

    def _write_register(self, address: int, value: int) -> None:
        self._command(4, _WRITE_REGISTER, address >> 8, address & 0xFF, value)

    def _read_register(self, address: int) -> int:
        self._command(5, _READ_REGISTER, address >> 8, address & 0xFF, 0, 0)
        return self._buf[4]
