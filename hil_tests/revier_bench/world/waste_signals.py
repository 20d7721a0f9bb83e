# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the sensors of one waste container say in a week, drawn from a seed, with the truth.

Written before the detector that is judged by it. ESTIMATE: an engineering estimate, to be
calibrated in the field. Everything but the shares below is drawn for each container.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

from revier_bench.world.chance import stream

WEEK_S = 7 * 86_400
EMPTY_MM = (800, 2_500)
FULL_MM = 250
# -- one echo of the ultrasonic sensor (ESTIMATE) --
WALL_ECHO_SHARE, WALL_ECHO = 0.08, (0.45, 0.9)
NEAR_ECHO_SHARE, NEAR_ECHO_MM = 0.05, (60.0, 200.0)
NO_ECHO_SHARE = (0.03, 0.3)  # soft waste gives the most
ECHO_NOISE_MM = 10.0
SOUND_PER_K = 0.0018  # speed of sound; the sensor takes it to be that of 20 degrees
BLIND_MM = 30
# -- water on its face: a run of readings whose echoes come from 3 cm --
CONDENSATION_PER_READING, CONDENSATION_READINGS = 0.004, (1, 12)
CONDENSATION_ECHO_SHARE = (0.3, 1.0)
# -- time-of-flight: dark waste gives none, a bag's edge a near one (ESTIMATE) --
TOF_MISSING_SHARE, TOF_NEAR_SHARE, TOF_NOISE = 0.2, 0.03, 0.01
# -- temperature --
AMBIENT_C, SWING_K, SUN_K = (-12.0, 28.0), (2.0, 7.0), (5.0, 25.0)
CLOUD_S, SUN_LAG_S = (600, 7_200), (600.0, 1_800.0)
THERMOMETER_ZERO_K, THERMOMETER_NOISE_K = 10.0, 0.3  # of the accelerometer, 1 K per digit
FIRE_SHARE, FIRE_K_PER_MIN = 0.5, (8.0, 30.0)
NODE_DIES_C = 100.0
# -- deposits and emptying --
DEPOSITS_PER_DAY, DEPOSIT, BAG_SHARE, BAG = (4.0, 30.0), 0.012, 0.06, (0.05, 0.15)
SETTLING_PER_H = 0.003
EMPTYING_TILT_DEG, EMPTYING_S = (60.0, 110.0), (15.0, 30.0)
PARTIAL_SHARE, PARTIAL_REST, REST = 0.05, (0.2, 0.5), (0.0, 0.03)
PUSHES_PER_WEEK = 0.3  # tipped over the edge and put back, nothing emptied


@dataclass(frozen=True, slots=True)
class Tilt:
    """The container lies at an angle for a while; at its end `emptied` of the height is gone."""

    begin_s: float
    end_s: float
    angle_deg: float
    emptied: float


@dataclass(frozen=True, slots=True)
class Echoes:
    """One reading: the truth, up to 11 echoes (None: none), the time-of-flight sensor's word."""

    true_mm: float
    echoes_mm: tuple[int | None, ...]
    tof_mm: int | None


class WasteSignals:
    """One container, one week; times in seconds from its start."""

    def __init__(self, seed: int) -> None:
        self._seed = f"waste-signals:{seed}"
        draw = stream(self._seed, "container")
        self.empty_mm = draw.randint(*EMPTY_MM)
        self.span_mm = self.empty_mm - FULL_MM
        self._no_echo = draw.uniform(*NO_ECHO_SHARE)
        self._ambient_c = draw.uniform(*AMBIENT_C)
        self._swing_k = draw.uniform(*SWING_K)
        self._sun_k = draw.uniform(*SUN_K)
        self._lag_s = draw.uniform(*SUN_LAG_S)
        self._zero_k = draw.uniform(-THERMOMETER_ZERO_K, THERMOMETER_ZERO_K)
        self.fire_s = draw.uniform(0.5, 1.0) * WEEK_S if draw.random() < FIRE_SHARE else math.inf
        self._fire_k_per_s = draw.uniform(*FIRE_K_PER_MIN) / 60
        self.tilts = self._draw_tilts()
        self._times_s, self._fills = self._live()
        self._skies = self._draw_skies()
        self._sky_times_s = [sky[0] for sky in self._skies]
        self._wet_readings, self._wet_share = 0, 0.0
        self._draw = stream(self._seed, "readings")

    @property
    def died_s(self) -> float:
        """When the fire has killed the node; infinite without one."""
        if self.fire_s == math.inf:
            return math.inf
        return self.fire_s + (NODE_DIES_C - self._calm_c(self.fire_s)) / self._fire_k_per_s

    # -- the truth --

    def fill(self, t_s: float) -> float:
        index = bisect_right(self._times_s, t_s) - 1
        return self._fills[index] * math.exp(-SETTLING_PER_H * (t_s - self._times_s[index]) / 3_600)

    def true_mm(self, t_s: float) -> float:
        return self.empty_mm - self.fill(t_s) * self.span_mm

    def temperature_c(self, t_s: float) -> float:
        return self._calm_c(t_s) + max(0.0, t_s - self.fire_s) * self._fire_k_per_s

    # -- what the sensors say; in the order of time --

    def thermometer_c(self, t_s: float) -> int:
        noise_k = self._draw.gauss(0.0, THERMOMETER_NOISE_K)
        return round(self.temperature_c(t_s) + self._zero_k + noise_k)

    def reading(self, t_s: float, echoes: int = 11) -> Echoes:
        draw, true_mm = self._draw, self.true_mm(t_s)
        if not self._wet_readings and draw.random() < CONDENSATION_PER_READING:
            self._wet_readings = draw.randint(*CONDENSATION_READINGS)
            self._wet_share = draw.uniform(*CONDENSATION_ECHO_SHARE)
        wet_share = self._wet_share if self._wet_readings else 0.0
        self._wet_readings = max(0, self._wet_readings - 1)
        stretch = 1 + SOUND_PER_K * (self.temperature_c(t_s) - 20.0)
        return Echoes(
            true_mm,
            tuple(self._echo(true_mm, stretch, wet_share) for _ in range(echoes)),
            self._tof(true_mm),
        )

    def _echo(self, true_mm: float, stretch: float, wet_share: float) -> int | None:
        draw = self._draw
        if draw.random() < wet_share:
            return BLIND_MM
        kind = draw.random() - self._no_echo
        if kind < 0:
            return None
        if kind < WALL_ECHO_SHARE:
            true_mm *= draw.uniform(*WALL_ECHO)
        elif kind < WALL_ECHO_SHARE + NEAR_ECHO_SHARE:
            true_mm -= draw.uniform(*NEAR_ECHO_MM)
        return max(BLIND_MM, round((true_mm + draw.gauss(0.0, ECHO_NOISE_MM)) / stretch))

    def _tof(self, true_mm: float) -> int | None:
        kind = self._draw.random() - TOF_MISSING_SHARE
        if kind < 0:
            return None
        if kind < TOF_NEAR_SHARE:
            true_mm -= self._draw.uniform(*NEAR_ECHO_MM)
        return max(1, round(true_mm * self._draw.gauss(1.0, TOF_NOISE)))

    # -- drawn once --

    def _draw_tilts(self) -> list[Tilt]:
        draw = stream(self._seed, "tilts")
        rest = draw.uniform(*PARTIAL_REST) if draw.random() < PARTIAL_SHARE else draw.uniform(*REST)
        events = [(draw.uniform(0.1, 0.95) * WEEK_S, rest)]
        if draw.random() < PUSHES_PER_WEEK:
            events.append((draw.uniform(0.0, 1.0) * WEEK_S, 1.0))
        return [
            Tilt(
                begin_s,
                begin_s + draw.uniform(*EMPTYING_S),
                draw.uniform(*EMPTYING_TILT_DEG),
                1.0 - left,
            )
            for begin_s, left in sorted(events)
        ]

    def _live(self) -> tuple[list[float], list[float]]:
        draw = stream(self._seed, "deposits")
        per_s = draw.uniform(*DEPOSITS_PER_DAY) / 86_400
        times_s, fills = [0.0], [draw.uniform(0.0, 0.8)]
        tilts, t_s = list(self.tilts), 0.0
        while t_s < WEEK_S:
            t_s += draw.expovariate(per_s)
            while tilts and tilts[0].end_s <= t_s:
                tilt = tilts.pop(0)
                self._set(times_s, fills, tilt.end_s, 0.0, 1.0 - tilt.emptied)
            bag = draw.random() < BAG_SHARE
            volume = draw.uniform(*BAG) if bag else draw.gammavariate(2.0, DEPOSIT / 2)
            self._set(times_s, fills, t_s, volume, 1.0)
        return times_s, fills

    @staticmethod
    def _set(
        times_s: list[float], fills: list[float], t_s: float, more: float, kept: float
    ) -> None:
        now = fills[-1] * math.exp(-SETTLING_PER_H * (t_s - times_s[-1]) / 3_600)
        times_s.append(t_s)
        fills.append(min(1.0, now * kept + more))

    def _draw_skies(self) -> list[tuple[float, float, float]]:
        """(from when, share of the sun then, share that it tends to)."""
        draw = stream(self._seed, "sky")
        skies = [(0.0, 0.0, 0.0)]
        while skies[-1][0] < WEEK_S:
            begin_s, _, _ = skies[-1]
            end_s = begin_s + draw.uniform(*CLOUD_S)
            hour = end_s / 3_600 % 24
            skies.append(
                (end_s, self._share(skies[-1], end_s), float(9 < hour < 18) * draw.random())
            )
        return skies

    def _share(self, sky: tuple[float, float, float], t_s: float) -> float:
        begin_s, share, towards = sky
        return towards + (share - towards) * math.exp(-(t_s - begin_s) / self._lag_s)

    def _calm_c(self, t_s: float) -> float:
        sky = self._skies[bisect_right(self._sky_times_s, t_s) - 1]
        day = math.sin((t_s / 3_600 - 9) * math.pi / 12)
        return self._ambient_c + self._swing_k * day + self._sun_k * self._share(sky, t_s)
