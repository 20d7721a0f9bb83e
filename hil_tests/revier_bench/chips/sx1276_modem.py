# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The SX1276's LoRa modem: what its registers mean when it sends or listens.

DS = SX1276/77/78/79 datasheet rev. 7, ER = its errata note. The air is in lora_modem.py.
"""

from random import Random
from typing import TYPE_CHECKING

from revier_bench.chips import sx1276_tables as ds
from revier_bench.chips.lora_modem import LoraModem
from revier_bench.world.air import Emission, Medium
from revier_bench.world.airtime import LDRO_SYMBOL_US

if TYPE_CHECKING:
    from revier_bench.chips.sx1276 import Sx1276

_UNWIRED_DBM = -40.0  # what leaves by an antenna that hangs on the other output


class Sx1276Modem(LoraModem):
    def __init__(self, chip: "Sx1276", air: Medium, chance: Random) -> None:
        self._chip = chip
        super().__init__(chip, air, chance)

    def defaults(self) -> None:
        super().defaults()
        self._last = None
        self._impaired = False
        self.headers = self.packets = 0
        self.header_rate = self.header_crc = 0

    # -- settings --

    def _read_settings(self, transmit: bool) -> bool:
        """The registers as they are now; False if they are no LoRa configuration."""
        lora, now = self._chip.lora, self.set
        one, two = lora[ds.MODEM_CONFIG_1], lora[ds.MODEM_CONFIG_2]
        if (
            one >> 4 >= len(ds.BANDWIDTH_HZ)
            or not 1 <= one >> 1 & 7 <= 4
            or not 6 <= two >> 4 <= 12
        ):
            return False
        now.bandwidth_hz = ds.BANDWIDTH_HZ[one >> 4]
        now.coding_rate = 4 + (one >> 1 & 7)
        now.explicit = not one & 1
        now.spreading_factor = two >> 4
        now.crc_on = bool(two & 4)
        now.preamble_symbols = lora[ds.PREAMBLE] << 8 | lora[ds.PREAMBLE + 1]
        now.slow = bool(lora[ds.MODEM_CONFIG_3] & 8)
        limit = ds.MAX_PAYLOAD_LENGTH if now.explicit and not transmit else ds.PAYLOAD_LENGTH
        now.length = lora[limit]
        now.iq_inverted = not lora[ds.INVERT_IQ] & 1 if transmit else bool(lora[ds.INVERT_IQ] & 64)
        self._check(transmit)
        return True

    def _check(self, transmit: bool) -> None:
        """What the datasheet and its errata want of both, then of a reception."""
        chip, lora, now = self._chip, self._chip.lora, self.set
        self._impaired = False
        if lora[ds.INVERT_IQ_2] != (0x19 if now.iq_inverted else 0x1D):
            self._suffer("RegInvertIQ2 does not go with RegInvertIQ (DS table 41)")
        if lora[ds.HOP_PERIOD]:
            self._note("frequency hopping is not modelled: it stays on one channel")
        if (now.symbol_us > LDRO_SYMBOL_US) != now.slow:
            chip.host.note_misuse("sx1276: LowDataRateOptimize does not fit (DS 4.1.1.6)")
        if transmit:
            return
        six = now.spreading_factor == 6
        if lora[ds.DETECT_OPTIMIZE] & 7 != (5 if six else 3) or lora[ds.DETECT_THRESHOLD] != (
            0x0C if six else 0x0A
        ):
            self._suffer("detection registers do not fit the spreading factor (DS 4.1.1.2)")
        if abs(chip.frequency_hz - chip.fsk.calibrated_hz) > 100_000_000:
            chip.host.note_misuse("sx1276: RX far from the image calibration's band (DS 2.1.3.8)")
        self._check_bandwidth()

    def _check_bandwidth(self) -> None:
        """ER 2.1 costs sensitivity, ER 2.3 lets in what is not there: no frame is lost by them."""
        lora, bandwidth = self._chip.lora, self.set.bandwidth_hz
        automatic = bool(lora[ds.DETECT_OPTIMIZE] & 0x80)
        cure = (lora[ds.IF_FREQ_2], lora[ds.IF_FREQ_1])
        if bandwidth == 500_000:
            high = self._chip.frequency_hz >= 862_000_000
            if (lora[ds.HIGH_BW_1], lora[ds.HIGH_BW_2]) != (0x02, 0x64 if high else 0x7F):
                self._note("500 kHz without the cure of ER 2.1")
            if not automatic:
                self._note("500 kHz without automatic detection (ER 2.3)")
        else:
            if automatic or cure != (ds.IF_FREQ_2_CURE[bandwidth], 0):
                self._note("RX without the cure of ER 2.3")
            if lora[ds.HIGH_BW_1] != 0x03:
                self._note("ER 2.1's value for 500 kHz at another bandwidth")

    def _suffer(self, why: str) -> None:
        self._impaired = True
        self._note(why)

    def _note(self, text: str) -> None:
        self._chip.host.note_misuse(f"sx1276: {text}")

    # -- transmit --

    def transmit(self, switch_us: int) -> bool:
        chip = self._chip
        if not self._read_settings(transmit=True) or not self.set.length:
            chip.host.note_misuse("sx1276: TX with registers that are no LoRa frame")
            return False
        ramp_us = ds.RAMP_US[chip.common[ds.PA_RAMP] & 15]
        start_us = chip.host.now_us + switch_us + ds.TX_WAKE_US + ramp_us * 5 // 4
        base = chip.lora[ds.FIFO_TX_BASE]
        payload = bytes(chip.fifo[(base + i) & 0xFF] for i in range(self.set.length))
        emission = self.emission(start_us, self._power_dbm(), payload)
        self.emit(emission)
        self._later(emission.end_us, lambda: self._finish(ds.TX_DONE_IRQ))
        return True

    def _power_dbm(self) -> float:
        """DS 3.4.2 to 3.4.4."""
        common, note = self._chip.common, self._chip.host.note_misuse
        config = common[ds.PA_CONFIG]
        below = 15 - (config & 15)
        if not config & 0x80:
            if self._chip.wiring.pa_boost:
                note("sx1276: RFO is chosen, but the antenna hangs on PA_BOOST")
                return _UNWIRED_DBM
            return 10.8 + 0.6 * (config >> 4 & 7) - below
        if not self._chip.wiring.pa_boost:
            note("sx1276: PA_BOOST is chosen, but the antenna hangs on RFO")
            return _UNWIRED_DBM
        high = common[ds.PA_DAC] & 7 == 7
        power = 20.0 - below if high else 17.0 - below
        if power > 17 and ds.over_current_ma(common[ds.OCP]) < 120:
            note("sx1276: the current limit is below what +20 dBm draw (DS 3.4.4)")
            return 17.0
        return power

    def _finish(self, irq: int) -> None:
        """Back to standby, then the interrupt."""
        self.stop()
        self._chip.fall_back()
        self._chip.raise_irq(irq)

    # -- receive --

    def receive(self, switch_us: int, continuous: bool) -> bool:
        chip = self._chip
        if not self._read_settings(transmit=False):
            chip.host.note_misuse("sx1276: RX with registers that are no LoRa configuration")
            return False
        symbols = (chip.lora[ds.MODEM_CONFIG_2] & 3) << 8 | chip.lora[ds.SYMB_TIMEOUT]
        if symbols < ds.SYMBOLS_MIN and not continuous:
            chip.host.note_misuse(f"sx1276: symbol timeout {symbols} below 4 (DS 4.1.5)")
            symbols = ds.SYMBOLS_MIN
        chip.rx_byte = chip.lora[ds.FIFO_RX_BASE]
        self.headers = self.packets = 0
        self.listen(chip.host.now_us + switch_us + ds.RX_WAKE_US, symbols, continuous)
        return True

    def sync_word(self) -> int:
        """0x34 is 0x3444 in the SX1262's two registers: one nibble in each, 4 behind it."""
        word = self._chip.lora[ds.SYNC_WORD]
        return (word & 0xF0) << 8 | (word & 0x0F) << 4 | 0x0404

    def impaired(self) -> bool:
        return self._impaired

    def no_preamble(self) -> None:
        self._finish(ds.RX_TIMEOUT_IRQ)

    def header_found(self) -> None:
        emission = self._locked
        assert emission is not None
        self.headers += 1
        self.header_rate = emission.coding_rate - 4
        self.header_crc = ds.HEADER_HAS_CRC if emission.crc_on else 0
        self._chip.raise_irq(ds.VALID_HEADER_IRQ)

    def header_lost(self) -> None:
        """The datasheet has no interrupt for it. Worst case: it listens on, without a limit."""

    def frame(self, payload: bytes, emission: Emission, crc_wrong: bool) -> None:  # noqa: ARG002
        chip = self._chip
        self.packets += 1
        chip.rx_current, chip.rx_length = chip.rx_byte, len(payload)
        for byte in payload:
            chip.fifo[chip.rx_byte] = byte
            chip.rx_byte = (chip.rx_byte + 1) & 0xFF
        irq = ds.RX_DONE_IRQ | (ds.CRC_ERROR_IRQ if crc_wrong else 0)
        if self._continuous:
            chip.raise_irq(irq)
        else:
            self._finish(irq)

    def detect_activity(self, switch_us: int) -> bool:
        """DS 4.1.6: about two symbols of listening."""
        if not self._read_settings(transmit=False):
            return False
        host = self._chip.host
        host.expose(True)
        end_us = host.now_us + switch_us + ds.RX_WAKE_US + round(2 * self.set.symbol_us)
        self._later(end_us, lambda: self._activity(end_us))
        return True

    def _activity(self, t_us: int) -> None:
        self._finish(ds.CAD_DONE_IRQ | (ds.CAD_DETECTED_IRQ if self.heard(t_us) else 0))

    # -- status --

    def status(self) -> int:
        """RegModemStat: last header's rate; clear 16, valid 8, RX 4, synchronised 2, signal 1."""
        rate = self.header_rate << 5
        if self._rx_from_us is None:
            return rate | 0x10
        return rate | 0x04 | (0x03 if self._locked is not None else 0)

    def packet_snr(self) -> int:
        return 0 if self._last is None else max(-128, min(127, round(4 * self._last.snr_db))) & 0xFF

    def packet_rssi(self) -> int:
        """DS 5.5.5, the other way round."""
        if self._last is None:
            return 0
        value = self._last.rssi_dbm - self._rssi_from_dbm()
        value = value * 15 / 16 if self._last.snr_db >= 0 else value - self._last.snr_db
        return max(0, min(255, round(value)))

    def noise_byte(self) -> int:
        return round(self.noise_dbm() - self._rssi_from_dbm())

    def _rssi_from_dbm(self) -> int:
        """DS 5.5.5: high and low frequency port."""
        return -157 if self._chip.frequency_hz >= ds.LOW_FREQUENCY_HZ else -164
