# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the chips sense; world/ has environments that live, `Still` is one that stands still."""

from dataclasses import dataclass
from typing import Protocol


class BatteryEnvironment(Protocol):
    def battery_mv(self, t_us: int) -> int: ...


class ClimateEnvironment(Protocol):
    def temperature_c(self, t_us: int) -> float: ...
    def humidity_pct(self, t_us: int) -> float: ...
    def pressure_pa(self, t_us: int) -> float: ...


class ParticleEnvironment(Protocol):
    def pm_ug_m3(self, t_us: int) -> tuple[float, float, float, float]: ...


class GasEnvironment(Protocol):
    def co2_ppm(self, t_us: int) -> float: ...
    def voc_index(self, t_us: int) -> float: ...
    def nox_index(self, t_us: int) -> float: ...


class AirEnvironment(ClimateEnvironment, ParticleEnvironment, GasEnvironment, Protocol):
    """All that a multi-sensor feels."""


class FieldEnvironment(Protocol):
    def field_ut(self, t_us: int) -> tuple[float, float, float]: ...
    def next_change_us(self, t_us: int) -> int | None: ...
    def temperature_c(self, t_us: int) -> float: ...


class EchoEnvironment(Protocol):
    def distance_mm(self, t_us: int) -> int | None: ...


class MotionEnvironment(Protocol):
    def acceleration_mg(self, t_us: int) -> tuple[float, float, float]: ...
    def next_motion_us(self, t_us: int) -> int | None: ...
    def temperature_c(self, t_us: int) -> float: ...


@dataclass(slots=True)
class Still:
    """Every environment in one, constant until a test changes it. `changes_us`: field changes;
    `motions_us`: likewise of the acceleration."""

    pm: tuple[float, float, float, float] = (8.0, 12.0, 14.0, 15.0)
    temperature: float = 21.5
    humidity: float = 55.0
    pressure: float = 101_325.0
    co2: float = 620.0
    voc: float = 105.0
    nox: float = 2.0
    field: tuple[float, float, float] = (19.2, 1.0, 45.4)
    distance: int | None = 1_200
    battery: int = 3_700
    changes_us: tuple[tuple[int, tuple[float, float, float]], ...] = ()
    acceleration: tuple[float, float, float] = (0.0, 0.0, 1_000.0)
    motions_us: tuple[tuple[int, tuple[float, float, float]], ...] = ()

    def pm_ug_m3(self, t_us: int) -> tuple[float, float, float, float]:  # noqa: ARG002
        return self.pm

    def temperature_c(self, t_us: int) -> float:  # noqa: ARG002
        return self.temperature

    def humidity_pct(self, t_us: int) -> float:  # noqa: ARG002
        return self.humidity

    def pressure_pa(self, t_us: int) -> float:  # noqa: ARG002
        return self.pressure

    def co2_ppm(self, t_us: int) -> float:  # noqa: ARG002
        return self.co2

    def voc_index(self, t_us: int) -> float:  # noqa: ARG002
        return self.voc

    def nox_index(self, t_us: int) -> float:  # noqa: ARG002
        return self.nox

    def field_ut(self, t_us: int) -> tuple[float, float, float]:
        field = self.field
        for change_us, value in self.changes_us:
            if change_us <= t_us:
                field = value
        return field

    def next_change_us(self, t_us: int) -> int | None:
        return next((at_us for at_us, _ in self.changes_us if at_us > t_us), None)

    def distance_mm(self, t_us: int) -> int | None:  # noqa: ARG002
        return self.distance

    def battery_mv(self, t_us: int) -> int:  # noqa: ARG002
        return self.battery

    def acceleration_mg(self, t_us: int) -> tuple[float, float, float]:
        acceleration = self.acceleration
        for motion_us, value in self.motions_us:
            if motion_us <= t_us:
                acceleration = value
        return acceleration

    def next_motion_us(self, t_us: int) -> int | None:
        return next((at_us for at_us, _ in self.motions_us if at_us > t_us), None)


@dataclass(slots=True)
class Burning(Still):
    """A fire that begins at `fire_us` and heats by `kelvin_per_min`, up to 70 K."""

    fire_us: int = 1 << 60
    kelvin_per_min: float = 10.0

    def temperature_c(self, t_us: int) -> float:
        minutes = max(0, t_us - self.fire_us) / 60e6
        return self.temperature + min(70.0, minutes * self.kelvin_per_min)
