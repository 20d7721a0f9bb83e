# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""ST VL53L1X on I2C: boot, settings, timed ranging, the 17 bytes of a result.

DS = VL53L1X datasheet (DS12385) 3.3; UM = UM2510; P = Pololu vl53l1x-arduino (status codes, gain).
Faults by name: "silent", "wrong id", "no boot", "frozen" (no new range), "sigma", "wrapped",
"hardware".
"""

from random import Random

from revier_bench.chips.base import ChipHost
from revier_bench.chips.environments import EchoEnvironment
from revier_bench.chips.register_chip import RegisterChip

MODEL_ID = 0xEACC
OSC_CALIBRATE = 0x2A5
_BOOT_US = 1_200  # DS 3.3
_FIRST_US = 10_000  # calibrations before the first range
_NOISE_MM = 3.0
_RANGE_MM = (40, 4_000)
# UM: the budget in ms of register 0x5E for long distance
_BUDGET_US = {0x0060: 33_000, 0x00AD: 50_000, 0x01CC: 100_000, 0x02D9: 200_000, 0x048F: 500_000}
_CONFIGURED = set(range(0x2D, 0x82))
_VALID, _NO_TARGET, _BELOW = 9, 4, 13
_FAULT_STATUS = {"sigma": 6, "wrapped": 7, "hardware": 2}


class Vl53l1x(RegisterChip):
    name = "vl53l1x"
    address_bytes = 2

    def __init__(self, host: ChipHost, environment: EchoEnvironment, chance: Random) -> None:
        super().__init__(host)
        self._environment = environment
        self._chance = chance
        self.reset(0)

    def reset(self, t_us: int) -> None:
        self.ready_us = t_us + _BOOT_US
        self._registers: dict[int, int] = {}
        self._in_reset = False
        self._next_us: int | None = None
        self._stream = 0
        self._waiting = False
        self._result = bytes(17)

    def write(self, data: bytes, t_us: int) -> bool:
        if self._in_reset and data[:2] != b"\0\0":
            return False
        return super().write(data, t_us)

    def poke(self, register: int, value: int, t_us: int) -> None:
        self._settle(t_us)
        if register == 0x0000:
            if value & 1 and self._in_reset:
                self.reset(t_us)
            elif not value & 1:
                self._in_reset = True
                self._next_us = None
            return
        self._registers[register] = value
        if register == 0x0086 and value & 1:
            self._waiting = False
        elif register == 0x0087:
            self._mode(value, t_us)

    def _mode(self, value: int, t_us: int) -> None:
        if value not in (0x40, 0x10, 0x80, 0x00):
            self.misuse(f"unknown mode 0x{value:02X}")
        if not value & 0x50:
            self._next_us = None
            return
        lacking = _CONFIGURED - self._registers.keys()
        if lacking:
            self.misuse(f"ranging without settings from 0x{min(lacking):04X} on")
            return
        if self._period_us < self._budget_us:
            self.misuse("the period between ranges is shorter than their budget (UM 2.5.3)")
        self._stream = 0
        self._next_us = t_us + _FIRST_US + self._budget_us

    def _word(self, register: int) -> int:
        return self._registers.get(register, 0) << 8 | self._registers.get(register + 1, 0)

    @property
    def _budget_us(self) -> int:
        return _BUDGET_US.get(self._word(0x5E), 100_000)

    @property
    def _period_us(self) -> int:
        ticks = self._word(0x6C) << 16 | self._word(0x6E)
        return ticks * 1_000_000 // (OSC_CALIBRATE * 1_075)

    def _settle(self, t_us: int) -> None:
        """Ranges up to now; one that was not fetched is overwritten."""
        while self._next_us is not None and self._next_us <= t_us and "frozen" not in self.faults:
            self._range(self._next_us)
            self._next_us += max(self._period_us, self._budget_us)

    def _range(self, t_us: int) -> None:
        distance_mm = self._environment.distance_mm(t_us)
        status, raw = _VALID, 0
        if distance_mm is None or distance_mm > _RANGE_MM[1]:
            status = _NO_TARGET
        elif distance_mm < _RANGE_MM[0]:
            status = _BELOW
        for fault, code in _FAULT_STATUS.items():
            if fault in self.faults:
                status = code
        if distance_mm is not None:
            seen_mm = max(0.0, distance_mm + self._chance.gauss(0.0, _NOISE_MM))
            raw = min(0xFFFF, round(seen_mm * 2048 / 2011))
        body = bytearray(17)
        body[0], body[2] = status, self._stream
        body[13:15] = raw.to_bytes(2, "big")
        self._result = bytes(body)
        self._stream = 128 if self._stream == 255 else self._stream + 1
        self._waiting = True

    def peek(self, register: int, n: int, t_us: int) -> bytes:
        self._settle(t_us)
        if register == 0x0089 and not self._waiting:
            self.misuse("a result read before it was ready")
        return bytes(self._get(register + i) for i in range(n))

    def _get(self, register: int) -> int:
        if 0x0089 <= register <= 0x0099:
            return self._result[register - 0x0089]
        if register == 0x0031:
            active_low = self._registers.get(0x30, 0x11) >> 4 & 1
            return 0x02 | (1 if self._waiting != bool(active_low) else 0)
        if register == 0x00E5:
            return 0 if "no boot" in self.faults else 1
        if register in (0x00DE, 0x00DF):
            return OSC_CALIBRATE.to_bytes(2, "big")[register - 0x00DE]
        if register in (0x010F, 0x0110):
            model = 0xEBAA if "wrong id" in self.faults else MODEL_ID
            return model.to_bytes(2, "big")[register - 0x010F]
        return self._registers.get(register, 0)
