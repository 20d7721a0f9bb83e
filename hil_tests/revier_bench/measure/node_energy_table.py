# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Constants of node-energy, each with its source. Durations are recorded, these are not.

WROOM = ESP32-S3-WROOM-1 datasheet v1.8, tables 6-6 and 6-7; DS = SX1261/2 datasheet rev. 2.1,
tables 3-2, 3-3; LBM = Semtech LoRa Basics Modem, ral_sx126x_bsp.c: measured on SX1262 boards;
GLENN = glenn20/upy-esp32-experiments, OptimisingMicropythonBootTime (PPK2, ESP32-S3);
SENSORS = the datasheets named beside; typical values, 3.3 V, not measured on our boards.
"""

from dataclasses import dataclass

# -- the board --

AWAKE_MA = 39.9  # WROOM: one core at 160 MHz, peripherals' clocks off
LIGHT_SLEEP_MA = 0.78  # a module at 3.3 V (ComNets-Bremen/WUSN)
DEEP_SLEEP_UA = 8.0  # WROOM: RTC timer and memory, rounded up
BOOT_MC = 25.9  # GLENN: ROM, bootloader, file system of a stock MicroPython, 406 ms
# Imports and bytecodes of one wake, 402 and 147 ms at AWAKE_MA, as counted on the virtual board by
# the bytecodes that run and the cost of one on the chip
CPU_MC = (0.402 + 0.147) * AWAKE_MA
CARRIER_UA = 5.0  # regulator (1 uA class) and battery divider of 1 MOhm
TX_MA = 90.8  # LBM: 14 dBm with DC-DC, and the TCXO
RX_MA = 6.1  # DS: 125 kHz, DC-DC, and the TCXO
RADIO_STANDBY_MC = 1.2  # DS: 0.6 mA over the 2 s from the uplink to RX2
RADIO_SLEEP_UA = 0.6
WINDOW_SYMBOLS = 6.2  # of a receive window that stays empty

# -- sensors: mA while their supply is on, as drawn from the battery --

BOOST_EFFICIENCY = 0.85  # 5 V out of 3.2 V, TPS61023 class
BATTERY_V = 3.2
SENSOR_MA = {
    "sps30": 55.0 * 5.0 / BATTERY_V / BOOST_EFFICIENCY,  # Sensirion SPS30: 55 mA at 5 V, measuring
    "bme280": 0.001,  # Bosch BME280: 0.35 mA for 10 ms of a run, else asleep
    "a02yyuw": 8.0,  # DFRobot SEN0311: average
    "lis2mdl": 0.050,  # ST LIS2MDL: low power, 10 Hz; 0.025 without offset cancellation
}
ALWAYS_ON = ("lis2mdl",)

# -- supplies --


@dataclass(frozen=True, slots=True)
class Supply:
    name: str
    capacity_mah: float
    usable: float
    """what is left of it in the cold, at pulses, above the regulator's drop-out"""
    loss_per_year: float


ER34615 = Supply("1 x ER34615 Li-SOCl2", 19_000, 0.85, 0.01)
TWO_ER34615 = Supply("2 x ER34615 Li-SOCl2", 38_000, 0.85, 0.01)
LIFEPO4_6AH = Supply("1 x 32700 LiFePO4", 6_000, 0.9, 0.2)

# A panel in December, 51.6 N, 60 degrees to the south: 0.7 kWh/m2 a day (PVGIS class); 60 % of it
# arrive: shade, dirt, charger, temperature.
SUN_HOURS = 0.7
PANEL_EFFICIENCY = 0.6
