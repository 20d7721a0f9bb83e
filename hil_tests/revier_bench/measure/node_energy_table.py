# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Constants of node-energy, each with its source. Durations are recorded, these are not.

WROOM = ESP32-S3-WROOM-1 datasheet v1.8, tables 6-6 and 6-7; DS = SX1261/2 datasheet rev. 2.1,
tables 3-2, 3-3; LBM = Semtech LoRa Basics Modem, ral_sx126x_bsp.c: measured on SX1262 boards;
GLENN = glenn20/upy-esp32-experiments, OptimisingMicropythonBootTime (PPK2, ESP32-S3);
SENSORS = the datasheets named beside; typical values, 3.3 V, not measured on our boards.
"""

from dataclasses import dataclass

from revier_node.battery import LOW_PERMILLE

# -- the board --

AWAKE_MA = 39.9  # WROOM: one core at 160 MHz, peripherals' clocks off
LIGHT_SLEEP_MA = 0.78  # a module at 3.3 V (ComNets-Bremen/WUSN)
DEEP_SLEEP_UA = 8.0  # WROOM: RTC timer and memory, rounded up
BOOT_MC = 25.9  # GLENN: ROM, bootloader, file system of a stock MicroPython, 406 ms
# Imports and bytecodes of the heaviest wake with an uplink, 356 and 142 ms at AWAKE_MA, as
# revier-bench measure energy counts them; taken for the wakes that send nothing as well
CPU_MC = (0.356 + 0.142) * AWAKE_MA
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
    # ST LIS2MDL: low power at 10 Hz, offset cancellation off, as the driver has it; with it 0.050
    "lis2mdl": 0.025,
    "lis3dh": 0.003,  # ST LIS3DH table 4: low power, 10 Hz
    "vl53l1x": 18.0,  # ST VL53L1X table 4: ranging; taken for all of the time that it is on
}
ALWAYS_ON = ("lis2mdl", "lis3dh")
TOF_STANDBY_UA = 5.0  # ST VL53L1X table 4: XSHUT low, supply on

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

# What a node on batteries must reach, and on which cell: a technician's visit costs more than all
# cells of those years. The end is where the usable charge is gone or the node's own gauge asks for
# a new cell (battery.LOW_PERMILLE), whichever comes first.
DESIGN_YEARS = 10
HOURS_PER_YEAR = 8_766.0


def budget_ua(supply: Supply) -> float:
    """The mean current that a supply carries for DESIGN_YEARS beside its own loss."""
    usable: float = min(supply.usable, 1 - LOW_PERMILLE / 1_000)
    loss_ua = supply.capacity_mah * supply.loss_per_year / HOURS_PER_YEAR * 1_000
    return supply.capacity_mah * usable / (DESIGN_YEARS * HOURS_PER_YEAR) * 1_000 - loss_ua


# A panel in December, 51.6 N, 60 degrees to the south: 0.7 kWh/m2 a day (PVGIS class); 60 % of it
# arrive: shade, dirt, charger, temperature.
SUN_HOURS = 0.7
PANEL_EFFICIENCY = 0.6
