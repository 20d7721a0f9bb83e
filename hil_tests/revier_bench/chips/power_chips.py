# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""X-Powers AXP192 and AXP2101 of the LilyGO T-Beam: outputs that feed other chips, battery ADC.

X = lewisxhe/XPowersLib, AXP192Constants.h and AXP2101Constants.h. Faults by name: "silent",
"wrong id", "stuck" (outputs do not change).
"""

from collections.abc import Callable

from revier_bench.chips.base import ChipHost
from revier_bench.chips.environments import BatteryEnvironment
from revier_bench.chips.register_chip import RegisterChip

_ADC_US = 40_000  # 25 Hz


class PowerChip(RegisterChip):
    """`on_radio(on, t_us)` hears when the radio's supply comes and goes."""

    chip_id = 0
    switch = radio_bit = kept_bits = volts = volts_mask = volts_3v3 = adc = adc_bit = data = 0
    outputs_at_start = 0

    def __init__(self, host: ChipHost, environment: BatteryEnvironment) -> None:
        super().__init__(host)
        self._environment = environment
        self.on_radio: Callable[[bool, int], None] | None = None
        self._fed = False
        self._registers: dict[int, int] = {}

    def reset(self, t_us: int) -> None:
        self._registers = {self.switch: self.outputs_at_start, self.volts: 0, self.adc: 0}
        self._adc_us = t_us
        self._feed(t_us)

    def poke(self, register: int, value: int, t_us: int) -> None:
        if register not in self._registers:
            self.misuse(f"write to register 0x{register:02X}")
            return
        if register == self.switch:
            if "stuck" in self.faults:
                return
            if self.kept_bits & ~value:
                self.misuse("the processor's own supply switched off")
            if value & self.radio_bit and not self._at_3v3():
                self.misuse("the radio switched on at another voltage than 3.3 V")
        if register == self.adc:
            self._adc_us = t_us
        self._registers[register] = value
        self._feed(t_us)

    def _at_3v3(self) -> bool:
        return self._registers[self.volts] & self.volts_mask == self.volts_3v3

    def _feed(self, t_us: int) -> None:
        fed = self.on and bool(self._registers[self.switch] & self.radio_bit)
        if fed != self._fed:
            self._fed = fed
            if self.on_radio is not None:
                self.on_radio(fed, t_us)

    def peek(self, register: int, n: int, t_us: int) -> bytes:
        return bytes(self._get(register + i, t_us) for i in range(n))

    def _get(self, register: int, t_us: int) -> int:
        if register == 0x03:
            return 0x41 if "wrong id" in self.faults else self.chip_id
        if register in (self.data, self.data + 1):
            if not self._registers[self.adc] & self.adc_bit or t_us < self._adc_us + _ADC_US:
                return 0
            return self._battery(t_us)[register - self.data]
        return self._registers.get(register, 0)

    def _battery(self, t_us: int) -> bytes:
        raise NotImplementedError


class Axp192(PowerChip):
    name = "axp192"
    chip_id = 0x03
    switch, radio_bit, kept_bits = 0x12, 0x04, 0x02
    volts, volts_mask, volts_3v3 = 0x28, 0xF0, 0xF0
    adc, adc_bit, data = 0x82, 0x80, 0x78
    outputs_at_start = 0x0B  # DCDC1, DCDC3, LDO3: as the T-Beam's is programmed

    def _battery(self, t_us: int) -> bytes:
        digits = round(self._environment.battery_mv(t_us) / 1.1)
        return bytes((digits >> 4 & 0xFF, digits & 0x0F))


class Axp2101(PowerChip):
    name = "axp2101"
    chip_id = 0x4A
    switch, radio_bit, kept_bits = 0x90, 0x02, 0x00
    volts, volts_mask, volts_3v3 = 0x93, 0x1F, 0x1C
    adc, adc_bit, data = 0x30, 0x01, 0x34
    outputs_at_start = 0x04

    def _battery(self, t_us: int) -> bytes:
        millivolts = self._environment.battery_mv(t_us)
        return bytes((millivolts >> 8 & 0x1F, millivolts & 0xFF))
