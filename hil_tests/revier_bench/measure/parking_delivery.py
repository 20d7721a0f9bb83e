# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""parking-delivery: arrivals that the network knows of although a vehicle stands above the antenna.

Bays lie at random within 3 km of three radio gateways, on the bench's air (world/air.py): path
loss, shadowing, fading, collisions, and what others in the town send. Vehicles come and go as in
world/parking_bay.py; each takes the same from the link while it stands, so that an arrival is sent
from below it and a departure is not. Node: the firmware's parking kind, link policy and MAC.
Network: the stand-in network server, which answers and adapts data rates as ChirpStack does by
default, behind gateways that keep their own duty cycle. The first day settles data rates and is
not judged.

An arrival is known once a frame has come that tells of it: its event, that event's repetition, a
later event (which tells how long the three states before lasted) or a heartbeat while the vehicle
is there. In time: at most PROMPT_US (two minutes) after the vehicle stood still; this is judged.
At last: at the latest with the next heartbeat, an hour later. The intervals hold bays together:
95 % of the shares that bays drawn anew give, or Wilson's where no arrival was missed.

Beside it, in the same towns: nodes that leave the data rate to the network's ADR and send each
event once, as many devices do; and either half alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from revier_bench.measure.parking_accuracy import wilson
from revier_bench.measure.parking_delivery_node import ADR, ADR_TWICE, ONCE, OURS, Policy
from revier_bench.measure.parking_delivery_town import Outcome, Town, run
from revier_bench.world.chance import stream

BUDGET = 0.99
CAR_DB = 15.0
SWEEP_DB = (10.0, 20.0, 25.0)
SEEDS = range(3)  # towns
BAYS = 40
DAYS = 2.0
RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Share:
    """Of arrivals, with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{100 * self.value:.2f} % ({100 * self.low:.2f}..{100 * self.high:.2f})"


def towns(seeds: range = SEEDS, bays: int = BAYS, days: float = DAYS) -> list[Town]:
    """All seeds where it is judged and for the peer, the first one for what stands beside."""
    judged = [(policy, CAR_DB, seed) for seed in seeds for policy in (OURS, ADR)]
    beside = [(policy, db, seeds[0]) for db in SWEEP_DB for policy in (OURS, ADR)]
    halves = [(policy, CAR_DB, seeds[0]) for policy in (ADR_TWICE, ONCE)]
    return [Town(*which, bays, days) for which in judged + beside + halves]


def measure(seeds: range = SEEDS) -> dict[str, Any]:
    """Some three minutes on two processors."""
    with get_context("spawn").Pool(2) as pool:
        return summary(pool.map(run, towns(seeds), chunksize=1))


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    groups: dict[tuple[Policy, float], list[Outcome]] = {}
    for one in outcomes:
        groups.setdefault((one.town.policy, one.town.car_db), []).append(one)
    own = groups[OURS, CAR_DB]
    in_time = prompt(own)
    violations = sum(one.violations for one in outcomes)
    return {
        "name": "parking-delivery",
        "value": round(100 * in_time.value, 2),
        "unit": f"% of arrivals known within 2 minutes, below a vehicle of {CAR_DB:g} dB",
        "budget": f">= {100 * BUDGET:g}; 0 duty violations",
        "holds": in_time.value >= BUDGET and not violations,
        "n": {
            "seeds": sorted({one.town.seed for one in own}),
            "bays": sum(one.town.bays for one in own),
            "arrivals": sum(one.arrivals for one in own),
            "missed": sum(one.arrivals - one.prompt for one in own),
            "interval_95": [round(100 * in_time.low, 2), round(100 * in_time.high, 2)],
            "known_at_last": round(100 * at_last(own), 2),
            "duty_violations": violations,
        },
        "peer": {
            f"{policy.name}, {db:g} dB": str(prompt(found))
            for (policy, db), found in groups.items()
            if policy != OURS
        },
        "rows": [_row(*group, groups[group]) for group in sorted(groups, key=_order)],
    }


def _order(group: tuple[Policy, float]) -> tuple[float, str]:
    policy, car_db = group
    return car_db, "" if policy == OURS else policy.name


def prompt(found: Sequence[Outcome]) -> Share:
    """Known in time."""
    bays = [bay for one in found for bay in one.by_bay]
    known, arrivals = (sum(column) for column in zip(*bays, strict=True))
    if known == arrivals:
        return Share(1.0, *wilson(known, arrivals))
    return Share(known / arrivals, *_interval(bays))


def at_last(found: Sequence[Outcome]) -> float:
    return sum(one.known for one in found) / sum(one.arrivals for one in found)


def _interval(bays: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Bootstrap: arrivals of one bay share their link, so bays are drawn, not arrivals."""
    chance = stream("parking-delivery", "bootstrap")
    shares = []
    for _ in range(RESAMPLES):
        drawn = chance.choices(bays, k=len(bays))
        shares.append(sum(known for known, _ in drawn) / max(1, sum(of for _, of in drawn)))
    shares.sort()
    return shares[RESAMPLES // 40], shares[-RESAMPLES // 40 - 1]


def _row(policy: Policy, car_db: float, found: Sequence[Outcome]) -> dict[str, Any]:
    frames = [sum(column) for column in zip(*(one.frames for one in found), strict=True)]
    bay_days = sum(one.town.bays * one.town.days for one in found)
    airtime_s = sum(one.airtime_us for one in found) / 1e6
    return {
        "node": policy.name,
        "dB": car_db,
        "arrivals": sum(one.arrivals for one in found),
        "within 2 minutes": str(prompt(found)),
        "at last": f"{100 * at_last(found):.2f} %",
        "frames / bay and day": round(sum(frames) / bay_days),
        "airtime, s": round(airtime_s / bay_days, 1),
        "% of frames at DR0 .. DR5": " ".join(f"{100 * n / sum(frames):.0f}" for n in frames),
    }
