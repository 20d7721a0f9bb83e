# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Hours of air for batches: twelve readings of an SPS30 and its climate sensor, seeded.

PM2.5 is a log-normal level with two AR(1) parts, time constants 3.3 h (45 % of the variance) and
60 h, as fitted to London Marylebone 2004 (sd of the log 0.51); one hour in ten has a fire nearby
(+200 ug/m3, rise 10 min). Sensor noise 3 % + 0.3 ug/m3; the SPS30 derives PM4 and PM10 from what it
sees below (Sensirion's sensor specification statement), so they follow PM2.5 closely.
"""

from __future__ import annotations

import math
from random import Random

from revier_payload.schema.air import CHANNELS

SAMPLES = 12
INTERVAL_S = 300
HEAD: dict[str, int | None] = {
    "seq": 1000,
    "time": 1_790_000_000,
    "interval": INTERVAL_S,
    "battery": 3700,
    "status": 0,
}


def hour(rng: Random) -> list[dict[str, int | None]]:
    """Twelve readings, in the fields' resolutions; eight channels have values."""
    fast, slow = math.exp(-INTERVAL_S / (3.3 * 3600)), math.exp(-INTERVAL_S / (60 * 3600))
    level, fire = math.exp(rng.gauss(2.3, 0.7)), rng.random() < 0.1
    one, two = rng.gauss(0, 0.342), rng.gauss(0, 0.378)
    climate = [rng.uniform(-5, 30), rng.uniform(30, 95), rng.uniform(990, 1030)]
    voc, trend = rng.uniform(60, 200), rng.gauss(0, 0.05)
    readings: list[dict[str, int | None]] = []
    for n in range(SAMPLES):
        one = fast * one + math.sqrt(1 - fast * fast) * rng.gauss(0, 0.342)
        two = slow * two + math.sqrt(1 - slow * slow) * rng.gauss(0, 0.378)
        true = level * math.exp(one + two)
        if fire and n > 4:
            true += 200 * (1 - math.exp(-(n - 4) * INTERVAL_S / 600))
        seen = max(0.0, true * (1 + rng.gauss(0, 0.03)) + rng.gauss(0, 0.3))
        climate[0] += trend + rng.gauss(0, 0.08)
        climate[1] = min(100.0, climate[1] + rng.gauss(0, 0.6) - 2 * trend)
        climate[2] += rng.gauss(0, 0.05)
        voc = max(0.0, voc + rng.gauss(0, 5))
        particles = [seen * (ratio + rng.gauss(0, 0.01)) for ratio in (0.94, 1.0, 1.06, 1.1)]
        numbers = [10 * p for p in particles] + [10 * climate[0], climate[1], 10 * climate[2], voc]
        names = [field.name for field in CHANNELS]
        readings.append({name: round(number) for name, number in zip(names, numbers, strict=False)})
    return readings


def codes(readings: list[dict[str, int | None]]) -> list[tuple[int, ...]]:
    return [
        tuple(field.encode(reading.get(field.name))[0] for field in CHANNELS)
        for reading in readings
    ]
