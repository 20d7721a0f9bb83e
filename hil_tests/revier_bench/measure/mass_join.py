# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""mass-join: 1,000 nodes get their power back at the same instant and have lost their sessions.

Each node is the shipped MAC under the firmware's own cold start and join (mass_join_firmware.py),
with its hour's airtime spent before the cut and a sleep clock that errs by up to 5 %; after its
join it sends the diagnosis, which asks the network for the time, at most three times.

The air is the bench's (world/air.py): path loss, collisions, capture, spreading factors that are
not quite orthogonal. A gateway has eight demodulators and one transmitter, hears nothing while it
sends, and answers what the stand-in network server (ChirpStack's rules: RX1, else RX2 at SF12)
hands it. A join accept takes 72 ms in RX1 at SF7 and 1.8 s in RX2; so it is the gateways' transmit
time that decides. Both are shown: gateways that keep their own duty cycle (1 % in RX1, 10 % in
RX2: ChirpStack is told DUTY_CYCLE_OVERFLOW), and gateways that do not look at it; ChirpStack itself
does not. Only the first is judged.

Beside it, on the same air: the same firmware without its random wait, and a loop around a join
call, as in many examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing import get_context
from statistics import median
from typing import Any

from revier_bench.measure.mass_join_town import NAIVE, NO_WAIT, OURS, Outcome, Town, run

NODES = 1_000
SEEDS = 3
HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
PEER_UNTIL_US = 5 * MINUTE_US  # its thousand frames every six seconds are slow to compute
# All nodes have joined after so long, with this many gateways that keep their duty cycle
BUDGET_US = {1: 5 * HOUR_US, 3: 3 * HOUR_US}


def towns(nodes: int = NODES, seeds: int = SEEDS) -> list[Town]:
    ours = [
        Town(OURS, nodes, gateways, limited, seed)
        for limited in (True, False)
        for gateways in BUDGET_US
        for seed in range(seeds if limited else 1)
    ]
    return [
        Town(NAIVE, nodes, 3, True, 0, PEER_UNTIL_US),
        Town(NO_WAIT, nodes, 3, True, 0),
        *ours,
    ]


def measure() -> dict[str, Any]:
    """Some five minutes on two processors."""
    with get_context("spawn").Pool(2) as pool:
        return summary(pool.map(run, towns(), chunksize=1))


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    groups: dict[tuple[str, int, bool], list[Outcome]] = {}
    for one in outcomes:
        groups.setdefault((one.town.kind, one.town.gateways, one.town.limited), []).append(one)
    ours = [one for one in outcomes if one.town.kind == OURS]
    judged = [one for one in ours if one.town.limited]
    late = [one for one in judged if not _in_time(one)]
    violations = sum(one.violations for one in ours)
    worst_us = [one.after_us(1.0) for one in judged]
    return {
        "name": "mass-join",
        "value": None if None in worst_us else _minutes(max(us for us in worst_us if us)),
        "unit": "minutes until the last node has joined, worst seed",
        "budget": "all of 1,000 in 3 h with three gateways, 5 h with one; 0 duty violations",
        "holds": not late and not violations,
        "n": {
            "nodes": judged[0].town.nodes,
            "seeds": len({one.town.seed for one in judged}),
            "node_duty_violations": violations,
            "minutes_until_last": {
                f"{gateways} gateways, their duty {'kept' if limited else 'ignored'}": [
                    _minutes(one.after_us(1.0)) for one in found
                ]
                for (kind, gateways, limited), found in groups.items()
                if kind == OURS
            },
        },
        "peer": {
            kind: f"{len(one.joined_us)} of {one.town.nodes} joined after "
            f"{_minutes(PEER_UNTIL_US)} min, ours {_joined_by(one, ours)}"
            for (kind, _, _), (one, *_) in groups.items()
            if kind == NAIVE
        }
        | {
            kind: f"half after {_minutes(one.after_us(0.5))} min, all {_minutes(one.after_us(1.0))}"
            for (kind, _, _), (one, *_) in groups.items()
            if kind == NO_WAIT
        },
        "rows": [_row(*group, found) for group, found in groups.items()],
    }


def _in_time(one: Outcome) -> bool:
    all_us = one.after_us(1.0)
    return all_us is not None and all_us <= BUDGET_US[one.town.gateways]


def _joined_by(peer: Outcome, ours: Sequence[Outcome]) -> int:
    """How many of ours had joined when the peer's run ended, on the same air."""
    same = next(
        one
        for one in ours
        if (one.town.gateways, one.town.limited, one.town.seed)
        == (peer.town.gateways, peer.town.limited, peer.town.seed)
    )
    return sum(us <= peer.town.until_us for us in same.joined_us)


def _minutes(us: int | None) -> float | None:
    return None if us is None else round(us / MINUTE_US, 1)


def _row(kind: str, gateways: int, limited: bool, found: Sequence[Outcome]) -> dict[str, Any]:
    """Minutes are the median of the seeds (`all`: the worst); counts are means."""

    def mean(name: str) -> int:
        return round(sum(one.statuses.get(name, 0) for one in found) / len(found))

    def after(share: float) -> float | None:
        times = [one.after_us(share) for one in found]
        known = [us for us in times if us is not None]
        return _minutes(round(median(known))) if len(known) == len(times) else None

    worst = [one.after_us(1.0) for one in found]
    last = None if None in worst else _minutes(max(us for us in worst if us))
    times = [*map(after, (0.5, 0.9, 0.99)), last]
    requests = sum(one.requests for one in found)
    return {
        "node": kind,
        "gateways": gateways,
        "their duty": "kept" if limited else "ignored",
        "joined": min(len(one.joined_us) for one in found),
        "50, 90, 99 %, all": " ".join(str(minutes or "-") for minutes in times),
        "requests": round(requests / len(found)),
        "% lost": round(100 * (1 - sum(one.heard for one in found) / requests)),
        "refused: busy, duty": f"{mean('COLLISION_PACKET')} {mean('DUTY_CYCLE_OVERFLOW')}",
        "violations": sum(one.violations for one in found),
    }
