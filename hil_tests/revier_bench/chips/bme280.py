# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Bosch BME280 on I2C: registers, forced and normal mode, measurement time, calibration.

DS = BME280 datasheet: 5.4 registers, 4.2.3 and appendix A compensation (double precision).
The calibration is that of a real chip, recorded in periph/devices bmxx80/bmx280_test.go
(TestI2CSenseBME280_success). Faults by name: "silent", "nack" (the next transfer, once), "stuck"
(a measurement never ends), "copying" (start-up never ends), "frozen" (the values never change).
"""

import struct
from collections.abc import Callable
from random import Random

from revier_bench.chips.base import ChipHost
from revier_bench.chips.environments import ClimateEnvironment

CALIBRATION_88 = bytes.fromhex("106e6c6632005d95b8d5d00b771e9dfff9ffac260ad8bd10004b")
CALIBRATION_E1 = bytes.fromhex("6e01001305001e")
START_UP_US = 2_000  # DS table 1
_OVERSAMPLING = (0, 1, 2, 4, 8, 16, 16, 16)
_SKIPPED = bytes.fromhex("8000008000008000")
_STANDBY_US = (500, 62_500, 125_000, 250_000, 500_000, 1_000_000, 10_000, 20_000)


class Compensation:
    """DS appendix A, and its inverse by bisection."""

    def __init__(self) -> None:
        self._tp = struct.unpack("<HhhHhhhhhhhh", CALIBRATION_88[:24])
        h2, h3, e4, e5, e6, h6 = struct.unpack("<hBbBbb", CALIBRATION_E1)
        self._h = (CALIBRATION_88[25], h2, h3, e4 * 16 + (e5 & 15), e6 * 16 + (e5 >> 4), h6)

    def t_fine(self, raw: float) -> float:
        t1, t2, t3 = self._tp[:3]
        return float((raw / 16384 - t1 / 1024) * t2 + (raw / 131072 - t1 / 8192) ** 2 * t3)

    def pressure_pa(self, t_fine: float, raw: float) -> float:
        p1, p2, p3, p4, p5, p6, p7, p8, p9 = self._tp[3:]
        v1 = t_fine / 2 - 64000
        v2 = v1 * v1 * p6 / 32768 + v1 * p5 * 2
        v2 = v2 / 4 + p4 * 65536
        v1 = (p3 * v1 * v1 / 524288 + p2 * v1) / 524288
        v1 = (1 + v1 / 32768) * p1
        p = (1048576 - raw - v2 / 4096) * 6250 / v1
        return float(p + (p9 * p * p / 2147483648 + p * p8 / 32768 + p7) / 16)

    def humidity_pct(self, t_fine: float, raw: float) -> float:
        h1, h2, h3, h4, h5, h6 = self._h
        v = t_fine - 76800
        v = (raw - (h4 * 64 + h5 / 16384 * v)) * (
            h2 / 65536 * (1 + h6 / 67108864 * v * (1 + h3 / 67108864 * v))
        )
        return float(v * (1 - h1 * v / 524288))

    def raw(self, temperature_c: float, pressure_pa: float, humidity_pct: float) -> bytes:
        """Registers 0xF7..0xFE that say these values."""
        t = _inverse(lambda raw: self.t_fine(raw) / 5120, temperature_c, 20, rising=True)
        fine = self.t_fine(t)
        p = _inverse(lambda raw: self.pressure_pa(fine, raw), pressure_pa, 20, rising=False)
        h = _inverse(lambda raw: self.humidity_pct(fine, raw), humidity_pct, 16, rising=True)
        return (p << 4).to_bytes(3, "big") + (t << 4).to_bytes(3, "big") + h.to_bytes(2, "big")


def _inverse(function: Callable[[int], float], value: float, bits: int, rising: bool) -> int:
    low, high = 0, (1 << bits) - 1
    while low < high:
        middle = (low + high) // 2
        if (function(middle) < value) == rising:
            low = middle + 1
        else:
            high = middle
    return low


class Bme280:
    def __init__(self, host: ChipHost, environment: ClimateEnvironment, chance: Random) -> None:
        self.host = host
        self.faults: set[str] = set()
        self._environment = environment
        self._chance = chance
        self._compensation = Compensation()
        self._on = False
        self._pointer = 0
        self._reset(0)

    def power(self, on: bool, t_us: int) -> None:
        self._on = on
        self._reset(t_us)

    def _reset(self, t_us: int) -> None:
        self._ready_us = t_us + START_UP_US
        self._ctrl_hum = self._active_hum = self._ctrl_meas = self._config = 0
        self._measured_us: int | None = None
        self._data = _SKIPPED

    # -- I2C --

    def write(self, data: bytes, t_us: int) -> bool:
        if not self._answers():
            return False
        if data:
            self._pointer = data[0]
        for i in range(1, len(data), 2):  # DS 6.2.1: pairs of register and value
            register = data[0] if i == 1 else data[i - 1]
            self._set(register, data[i], t_us)
        return True

    def read(self, n: int, t_us: int) -> bytes | None:
        if not self._answers():
            return None
        self._finish(t_us)
        return bytes(self._get(self._pointer + i, t_us) for i in range(n))

    def _answers(self) -> bool:
        refused = "nack" in self.faults
        self.faults.discard("nack")
        return self._on and not refused and "silent" not in self.faults

    def _set(self, register: int, value: int, t_us: int) -> None:
        if t_us < self._ready_us:
            self.host.note_misuse("bme280: write before the start-up time is over (DS table 1)")
        elif register == 0xE0:
            if value == 0xB6:
                self._reset(t_us)
        elif register == 0xF2:
            self._ctrl_hum = value & 7
        elif register == 0xF4:
            self._finish(t_us)
            self._ctrl_meas = value
            self._active_hum = self._ctrl_hum  # DS 5.4.3: takes effect now
            if value & 3:
                self._measured_us = t_us + self._duration_us()
        elif register == 0xF5:
            self._config = value
        else:
            self.host.note_misuse(f"bme280: write to register 0x{register:02X}")

    def _get(self, register: int, t_us: int) -> int:
        if 0x88 <= register < 0x88 + 26:
            return CALIBRATION_88[register - 0x88]
        if 0xE1 <= register < 0xE1 + 7:
            return CALIBRATION_E1[register - 0xE1]
        if 0xF7 <= register <= 0xFE:
            return self._data[register - 0xF7]
        measuring = self._measured_us is not None and self._ctrl_meas & 3 == 1
        simple = {
            0xD0: 0x60,
            0xF2: self._ctrl_hum,
            0xF3: (8 if measuring else 0) | (1 if self._copying(t_us) else 0),
            0xF4: self._ctrl_meas,
            0xF5: self._config,
        }
        return simple.get(register, 0)

    def _copying(self, t_us: int) -> bool:
        return t_us < self._ready_us or "copying" in self.faults

    # -- measuring --

    def _duration_us(self) -> int:
        """DS 9.1, maximum."""
        total_us = 1_250
        t, p = _OVERSAMPLING[self._ctrl_meas >> 5], _OVERSAMPLING[self._ctrl_meas >> 2 & 7]
        h = _OVERSAMPLING[self._active_hum]
        total_us += 2_300 * t
        total_us += 2_300 * p + 575 if p else 0
        total_us += 2_300 * h + 575 if h else 0
        return total_us

    def _finish(self, t_us: int) -> None:
        """The measurement that is due by now."""
        end_us = self._measured_us
        if end_us is None or t_us < end_us or "stuck" in self.faults:
            return
        if self._ctrl_meas & 3 == 3:
            period_us = self._duration_us() + _STANDBY_US[self._config >> 5]
            end_us += (t_us - end_us) // period_us * period_us
            self._measured_us = end_us + period_us
        else:
            self._measured_us = None
            self._ctrl_meas &= ~3
        self._data = self._measure(end_us)

    def _measure(self, t_us: int) -> bytes:
        if "frozen" in self.faults and self._data != _SKIPPED:
            return self._data
        env, noise = self._environment, self._chance.gauss
        data = self._compensation.raw(
            env.temperature_c(t_us) + noise(0.0, 0.01),
            env.pressure_pa(t_us) + noise(0.0, 1.5),
            min(100.0, max(0.0, env.humidity_pct(t_us) + noise(0.0, 0.05))),
        )
        if not self._ctrl_meas >> 2 & 7:
            data = _SKIPPED[:3] + data[3:]
        if not self._ctrl_meas >> 5:
            data = data[:3] + _SKIPPED[3:6] + data[6:]
        return data if self._active_hum else data[:6] + _SKIPPED[6:]
