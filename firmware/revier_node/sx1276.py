# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""SX1276 LoRa transceiver (RFM95 and the like, on PA_BOOST): the SX1262 driver's methods.

DS = Semtech SX1276/77/78/79 datasheet rev. 7. ER = SX1276/77/78 errata note rev. 1.

There is no BUSY, no header error and no timer of its own: an empty window ends after its symbols,
a preamble without a header ends when the caller says so. From launch() on nothing takes heap.
"""

import time

from micropython import const

from revier_node.radio_bus import (
    IRQ_CRC_ERROR,
    IRQ_RX_DONE,
    IRQ_TIMEOUT,
    IRQ_TX_DONE,
    RadioError,
    symbol_us,
)

MYPY = False
if MYPY:
    from machine import Pin

    from revier_node.radio_bus import SpiBus


# DS table 41: registers
_FIFO = const(0x00)
_OP_MODE = const(0x01)
_FRF = const(0x06)
_PA_CONFIG = const(0x09)
_OCP = const(0x0B)
_FIFO_ADDR_PTR = const(0x0D)
_FIFO_RX_CURRENT = const(0x10)
_IRQ_FLAGS = const(0x12)
_RX_NB_BYTES = const(0x13)
_PKT_SNR = const(0x19)
_PKT_RSSI = const(0x1A)
_MODEM_CONFIG_1 = const(0x1D)
_MODEM_CONFIG_2 = const(0x1E)
_SYMB_TIMEOUT = const(0x1F)
_PAYLOAD_LENGTH = const(0x22)
_MODEM_CONFIG_3 = const(0x26)
_IF_FREQ_2 = const(0x2F)
_IF_FREQ_1 = const(0x30)
_DETECT_OPTIMIZE = const(0x31)
_INVERT_IQ = const(0x33)
_HIGH_BW_1 = const(0x36)
_HIGH_BW_2 = const(0x3A)
_INVERT_IQ_2 = const(0x3B)
_IMAGE_CAL = const(0x3B)  # the same address while in FSK mode (DS table 41)
_VERSION = const(0x42)
_TCXO = const(0x4B)
_PA_DAC = const(0x4D)
_WRITE = const(0x80)  # DS 4.3

# DS table 41, RegOpMode; bit 3 clear: the high frequency port
_FSK_SLEEP = const(0x00)
_FSK_STANDBY = const(0x01)
_SLEEP = const(0x80)
_STANDBY = const(0x81)
_TX = const(0x83)
_RX_SINGLE = const(0x86)

# Address and value of what never changes
_SETUP = (
    b"\x0c\x23"  # RegLna: highest gain, boost on the high frequency port (DS table 41)
    b"\x0e\x00\x0f\x00"  # FIFO: the whole of it for TX, and for RX
    b"\x11\x00"  # every interrupt is noted
    b"\x20\x00\x21\x08"  # preamble 8: RP002-1.0.4 section 2.3, every EU868 LoRa data rate
    b"\x23\xff"  # RegMaxPayloadLength
    b"\x24\x00"  # no hopping
    b"\x37\x0a"  # RegDetectionThreshold for SF7 to SF12
    b"\x39\x34"  # sync word of LoRaWAN networks
)

SYMBOLS_MIN = const(4)  # DS 4.1.5 and table 41, RegSymbTimeout: 10 bits
SYMBOLS_MAX = const(1023)
POWER_MAX_DBM = const(20)  # DS table 33: PA_BOOST; above 17 with RegPaDac
POWER_MIN_DBM = const(2)
_CHIP_VERSION = const(0x12)
_RESET_US = const(200)  # DS 7.2.2: low for 100 us, then 5 ms
_RESET_MS = const(6)
_OSCILLATOR_US = const(300)  # DS table 7, TS_OSC 250 us
_CALIBRATION_LIMIT_MS = const(20)  # DS 2.1.3.8: about 10 ms
_CALIBRATION_HZ = const(868_300_000)
_CHUNK = const(64)
_BANDWIDTH = {125_000: 0x72, 250_000: 0x82, 500_000: 0x92}  # RegModemConfig1: explicit, 4/5


class Sx1276:
    TX_START_US = 60 + 55  # DS table 7 TS_FS; DS 2.1.5.1 TS_TR = 5 us + 1.25 ramps of 40 us
    RX_START_US = 60 + 71  # DS table 7 TS_FS; DS 2.1.5.2 TS_RE at 125 kHz

    def __init__(self, bus: "SpiBus", reset: "Pin", tcxo: bool = False) -> None:
        self._bus = bus
        self._reset = reset
        self._tcxo = tcxo
        self._buf = bytearray(2)
        self._launch = bytearray((_OP_MODE | _WRITE, _STANDBY))
        self._chunk = bytearray(1 + _CHUNK)
        self._no_standby = RadioError("no standby")
        self._asleep = False
        self._bandwidth_hz = 0  # whose errata registers the chip has
        self.rssi_dbm = 0
        self.snr_db = 0

    # -- life of the chip --

    def begin(self) -> None:
        """Reset, image calibration, LoRa, and what does not change. Raises RadioError."""
        self._reset.init(self._reset.OUT, value=0)
        time.sleep_us(_RESET_US)
        self._reset(1)
        time.sleep_ms(_RESET_MS)
        version = self._read(_VERSION)
        if version != _CHIP_VERSION:
            raise RadioError("chip version %#x" % version)
        self._write(_OP_MODE, _FSK_SLEEP)
        if self._tcxo:
            self._write(_TCXO, 0x19)  # DS table 41: bit 4, TcxoInputOn
        self._calibrate()
        self._write(_OP_MODE, _FSK_SLEEP)  # DS 4.1.2: FSK to LoRa in sleep only
        self._write(_OP_MODE, _SLEEP)
        for i in range(0, len(_SETUP), 2):
            self._write(_SETUP[i], _SETUP[i + 1])
        self._bandwidth_hz = 0
        self._wake()
        self._check_standby()

    def _calibrate(self) -> None:
        """DS 2.1.3.8: in FSK standby, on the band's own frequency; reset does it at 434 MHz."""
        self._write(_OP_MODE, _FSK_STANDBY)
        time.sleep_us(_OSCILLATOR_US)
        self._set_frequency(_CALIBRATION_HZ)
        self._write(_IMAGE_CAL, 0x42)  # start; no automatic one (DS table 41)
        left = _CALIBRATION_LIMIT_MS
        while self._read(_IMAGE_CAL) & 0x20:
            if not left:
                raise RadioError("no calibration")
            left -= 1
            time.sleep_ms(1)

    def standby(self) -> None:
        """Ends a transmission or a reception."""
        self._write(_OP_MODE, _STANDBY)

    def sleep(self) -> None:
        """DS table 16: the registers stay in any sleep (200 nA), the FIFO does not."""
        self._write(_OP_MODE, _SLEEP)
        self._asleep = True

    def _wake(self) -> None:
        """From sleep to standby."""
        self.standby()
        time.sleep_us(_OSCILLATOR_US)
        self._asleep = False

    # -- prepare, launch --

    def prepare_tx(
        self,
        frequency_hz: int,
        spreading_factor: int,
        bandwidth_hz: int,
        power_dbm: int,
        payload: bytes,
        airtime_us: int,  # noqa: ARG002
        iq_inverted: bool = False,
    ) -> None:
        """Uplink: CRC on, explicit header, 4/5. power_dbm at the pin. May allocate."""
        self._prepare(frequency_hz, spreading_factor, bandwidth_hz, 0x04, 0)
        self._set_power(max(POWER_MIN_DBM, min(POWER_MAX_DBM, power_dbm)))
        # DS table 41 has bit 0 the wrong way round: 1 is normal (Semtech's drivers write so)
        self._set_iq(0x26 if iq_inverted else 0x27, 0x19 if iq_inverted else 0x1D)
        self._write(_PAYLOAD_LENGTH, len(payload))
        self._write(_FIFO_ADDR_PTR, 0)
        self._bus.transaction(bytearray((_FIFO | _WRITE,)) + payload)
        self._launch[1] = _TX
        self._check_standby()

    def prepare_rx(
        self, frequency_hz: int, spreading_factor: int, bandwidth_hz: int, symbols: int
    ) -> None:
        """Downlink: inverted IQ, no CRC, explicit header; preamble search for `symbols` symbols."""
        symbols = max(SYMBOLS_MIN, min(SYMBOLS_MAX, symbols))
        self._prepare(frequency_hz, spreading_factor, bandwidth_hz, symbols >> 8, symbols & 0xFF)
        self._set_iq(0x67, 0x19)  # RX bit 6 inverts, TX bit 0 is normal
        self._launch[1] = _RX_SINGLE
        self._check_standby()

    def launch(self) -> int:
        """TX or RXSINGLE as prepared. Returns ticks_us() at the end of the command."""
        self._bus.transaction(self._launch)
        self._launch[0] = _OP_MODE | _WRITE  # overwritten by what the chip answered
        end_us: int = time.ticks_us()
        return end_us

    def _prepare(self, hz: int, sf: int, bandwidth_hz: int, config: int, timeout: int) -> None:
        """Standby and everything common. `config`: low bits of RegModemConfig2."""
        if self._asleep:
            self._wake()
        else:
            self.standby()
        self._set_frequency(hz)
        self._write(_MODEM_CONFIG_1, _BANDWIDTH[bandwidth_hz])
        self._write(_MODEM_CONFIG_2, sf << 4 | config)
        self._write(_SYMB_TIMEOUT, timeout)
        # DS 4.1.1.6: low data rate optimisation for symbols of 16 ms and more; AGC on
        self._write(_MODEM_CONFIG_3, 0x0C if symbol_us(sf, bandwidth_hz) >= 16_000 else 0x04)
        if bandwidth_hz != self._bandwidth_hz:
            self._bandwidth_hz = bandwidth_hz
            self._set_errata(bandwidth_hz)
        self._write(_IRQ_FLAGS, 0xFF)

    def _set_errata(self, bandwidth_hz: int) -> None:
        if bandwidth_hz == 500_000:
            self._write(_DETECT_OPTIMIZE, 0xC3)  # ER 2.3: automatic at 500 kHz only
            self._write(_HIGH_BW_1, 0x02)  # ER 2.1: sensitivity, 862 to 1020 MHz
            self._write(_HIGH_BW_2, 0x64)
            return
        # ER 2.3: spurious reception. From 62.5 to 250 kHz no offset of the frequency goes with it
        self._write(_DETECT_OPTIMIZE, 0x43)
        self._write(_IF_FREQ_2, 0x40)
        self._write(_IF_FREQ_1, 0x00)
        self._write(_HIGH_BW_1, 0x03)  # ER 2.1: 0x3A follows by itself

    def _set_power(self, power_dbm: int) -> None:
        """DS 3.4.2, 3.4.3: 17 - (15 - OutputPower) dBm, or 20 - ... with RegPaDac."""
        high = power_dbm > 17
        self._write(_OCP, 0x31 if high else 0x2B)  # DS 3.4.4: 140 mA, 100 mA
        self._write(_PA_DAC, 0x87 if high else 0x84)
        self._write(_PA_CONFIG, 0xF0 | power_dbm - (5 if high else 2))

    def _set_iq(self, first: int, second: int) -> None:
        self._write(_INVERT_IQ, first)
        self._write(_INVERT_IQ_2, second)

    def _set_frequency(self, frequency_hz: int) -> None:
        """DS 4.1.4: f * 2^19 / 32 MHz, rounded, in 31-bit integers."""
        steps = frequency_hz // 15_625 * 256 + (frequency_hz % 15_625 * 256 + 7_812) // 15_625
        self._write(_FRF, steps >> 16)
        self._write(_FRF + 1, steps >> 8 & 0xFF)
        self._write(_FRF + 2, steps & 0xFF)

    # -- after the launch: no heap --

    def poll_irq(self) -> int:
        """The interrupt flags (radio_bus.IRQ_...), not cleared."""
        flags = self._read(_IRQ_FLAGS)  # DS table 41
        irq = flags & 0x10  # IRQ_HEADER_VALID has this very bit
        if flags & 0x08:
            irq |= IRQ_TX_DONE
        if flags & 0x20:
            irq |= IRQ_CRC_ERROR
        if flags & 0x40:
            irq |= IRQ_RX_DONE
        if flags & 0x80:
            irq |= IRQ_TIMEOUT
        return irq

    def read_frame(self, into: bytearray) -> int:
        """Copy the received frame into `into`; its length, or 0 if it does not fit.

        Sets rssi_dbm and snr_db (DS 5.5.5, high frequency port: -157 dBm + value).
        """
        snr = (self._read(_PKT_SNR) ^ 0x80) - 0x80
        rssi = self._read(_PKT_RSSI)
        self.snr_db = (snr + 2) >> 2
        self.rssi_dbm = (rssi * 16 // 15 if snr >= 0 else rssi + (snr >> 2)) - 157
        length = self._read(_RX_NB_BYTES)
        if length > len(into):
            return 0
        self._write(_FIFO_ADDR_PTR, self._read(_FIFO_RX_CURRENT))
        chunk = self._chunk
        at = 0
        while at < length:
            chunk[0] = _FIFO
            self._bus.transaction(chunk)
            i = 1
            while at < length and i <= _CHUNK:
                into[at] = chunk[i]
                at += 1
                i += 1
        return length

    # -- registers --

    def _check_standby(self) -> None:
        """The last step of a preparation: is there a chip that does what it is told?"""
        if self._read(_OP_MODE) != _STANDBY:
            raise self._no_standby

    def _write(self, address: int, value: int) -> None:
        buf = self._buf
        buf[0] = address | _WRITE
        buf[1] = value
        self._bus.transaction(buf)

    def _read(self, address: int) -> int:
        buf = self._buf
        buf[0] = address
        buf[1] = 0
        self._bus.transaction(buf)
        return buf[1]
