# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A parking node's looks at the bay: what wakes it, what it samples, when it says that it changed.

The magnetometer compares 10 times a second each axis with its offset registers. While nothing
moves that is asked for every 5 minutes, in which the road's warmth adds 0.05 uT at most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from revier_bench.world.chance import stream
from revier_bench.world.parking_signals import NOISE_UT, ParkingSignals, Vector
from revier_node.kinds.parking import SAMPLES, SECOND_LOOK_MS, SOON_MS, middle, rest

Field = tuple[int, int, int]

UT_PER_DIGIT = 0.15
SAMPLE_S = 0.1
SAMPLES_MAX = 50
BOOT_S = 1.0  # measurement `energy`: boot and imports
SEND_S = 3.0  # with both receive windows
HEARTBEAT_S = 3_600.0
WATCH_FAST_S = 0.1
WATCH_SLOW_S = 0.5
WATCH_STILL_S = 300.0
NOISE_MOST_UT = 6 * NOISE_UT


class Decides(Protocol):
    state: int
    doubt: int

    def calibrate(self, field: Field, warm: int) -> None: ...
    def look(self, field: Field, warm: int, by_pin: bool, soon: bool) -> bool: ...
    def wake_digits(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Change:
    at_s: float
    state: int


class Bay:
    """One detector above one seed's field."""

    def __init__(self, signals: ParkingSignals, detector: Decides) -> None:
        self._signals = signals
        self._detector = detector
        self._noise = stream(f"parking-looks:{signals.seed}", "noise")
        self.changes: list[Change] = []
        self.wakes = 0  # by the interrupt
        self.vain = 0  # looks without an event, beside the hourly ones
        self._looked_s = -math.inf

    def run(self, from_s: float = 0.0) -> list[Change]:
        """Begins, at midnight on an empty bay, ends with the signals."""
        offset = middle([self._sample(from_s + n * SAMPLE_S) for n in range(SAMPLES)])
        self._detector.calibrate(offset, self._warm(from_s))
        heartbeat_s = second_s = from_s + HEARTBEAT_S
        watch = _Watch(self._signals)
        t = from_s + 1.0
        while t < self._signals.end_s:
            due = t >= min(heartbeat_s, second_s)
            by_pin = not due and self._interrupted(t, offset)
            if due or by_pin:
                timed = t >= heartbeat_s
                told = len(self.changes)
                t, offset = self._look(t, by_pin)
                if timed:
                    heartbeat_s = t + HEARTBEAT_S
                else:
                    self.vain += told == len(self.changes)
                second_s = t + SECOND_LOOK_MS / 1_000 if self._detector.doubt else heartbeat_s
            step_s = watch.step_s(t)
            t += max(SAMPLE_S, min(step_s, min(heartbeat_s, second_s) - t))
        return self.changes

    def _look(self, t: float, by_pin: bool) -> tuple[float, Field]:
        self.wakes += by_pin
        t += BOOT_S
        samples = []
        for _ in range(SAMPLES_MAX):
            samples.append(self._sample(t))
            t += SAMPLE_S
            if rest(samples):
                break
        field = middle(samples)
        soon = t - self._looked_s < SOON_MS / 1_000
        changed = self._detector.look(field, self._warm(t), by_pin, soon)
        self._looked_s = t
        if changed:
            self.changes.append(Change(t, self._detector.state))
            t += SEND_S
        return t, field

    def _interrupted(self, t: float, offset: Field) -> bool:
        threshold = self._detector.wake_digits()
        if not threshold:
            return False
        near_ut = threshold * UT_PER_DIGIT - NOISE_MOST_UT
        x, y, z = self._signals.field_ut(t)
        if (
            abs(x - offset[0] * UT_PER_DIGIT) < near_ut
            and abs(y - offset[1] * UT_PER_DIGIT) < near_ut
            and abs(z - offset[2] * UT_PER_DIGIT) < near_ut
        ):
            return False  # whatever the noise
        field = self._digits((x, y, z))
        return any(abs(field[i] - offset[i]) > threshold for i in range(3))

    def _sample(self, t: float) -> Field:
        return self._digits(self._signals.field_ut(t))

    def _digits(self, field_ut: Vector) -> Field:
        gauss = self._noise.gauss
        x, y, z = field_ut
        return (
            round((x + gauss(0.0, NOISE_UT)) / UT_PER_DIGIT),
            round((y + gauss(0.0, NOISE_UT)) / UT_PER_DIGIT),
            round((z + gauss(0.0, NOISE_UT)) / UT_PER_DIGIT),
        )

    def _warm(self, t: float) -> int:
        """Eighths of a K, as the chip measures itself."""
        return round(8 * self._signals.temperature_c(t))


class _Watch:
    """How soon the field is worth another comparison."""

    def __init__(self, signals: ParkingSignals) -> None:
        self._moving = signals.moving()
        self._next = 0
        self._fast_s = self._slow_s = 0.0

    def step_s(self, t: float) -> float:
        while self._next < len(self._moving) and self._moving[self._next][0] <= t:
            _, end_s, fast = self._moving[self._next]
            self._slow_s = max(self._slow_s, end_s + WATCH_SLOW_S)
            if fast:
                self._fast_s = max(self._fast_s, end_s)
            self._next += 1
        if t < self._fast_s:
            return WATCH_FAST_S
        if t < self._slow_s:
            return WATCH_SLOW_S
        if self._next < len(self._moving):
            return min(WATCH_STILL_S, self._moving[self._next][0] - t)
        return WATCH_STILL_S
