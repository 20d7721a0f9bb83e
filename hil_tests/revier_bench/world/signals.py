# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the sensors of one node would feel: the environments by kind of node.

AirEnvironment      pm_ug_m3, temperature_c, humidity_pct, pressure_pa, co2_ppm, voc_index,
                    nox_index
ParkingEnvironment  field_ut, next_change_us, occupied, temperature_c, ground_loss_db
WasteEnvironment    distance_mm, fill_fraction, temperature_c, acceleration_mg, next_motion_us
all                 battery_mv

Every method takes the world's microseconds.
"""

from revier_bench.world.air_quality import AirEnvironment
from revier_bench.world.environment import DAY_US, Environment
from revier_bench.world.parking_bay import ParkingEnvironment
from revier_bench.world.waste_container import WasteEnvironment
from revier_bench.world.weather import Weather

__all__ = [
    "DAY_US",
    "AirEnvironment",
    "Environment",
    "ParkingEnvironment",
    "WasteEnvironment",
    "Weather",
]
