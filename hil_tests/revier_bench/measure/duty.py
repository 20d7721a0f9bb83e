# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""duty: 10^6 uplinks of the shipped MAC under some 4.6 times the load that the law allows.

Every node has channels in all six EU868 sub-bands, wakes from deep sleep for each attempt (session
unpacked, packed again), and sends at data rates drawn from DR0..DR6. duty_checker.py judges true
time: no sliding hour of any sub-band may be above its limit (hours that begin or end with a frame
are counted), and after DutyCycleReq each frame is followed by its silence.

Used airtime is the mean over all hours after the first, for each sub-band, of the nodes whose clock
is exact and that have no DutyCycleReq; it must be at least 90 % of the limit, less the longest
frame that was offered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from random import Random
from typing import Any

from revier_bench.measure import duty_checker as checker
from revier_bench.measure.duty_node import (
    HOUR_US,
    LIMIT_3_CHANNELS_US,
    LIMITS_US_PER_HOUR,
    Life,
    Node,
    Plan,
    airtime_us,
)
from revier_bench.measure.duty_peers import PEERS, ExactLedger, Peer
from revier_bench.world.airtime import lora_airtime_us
from revier_bench.world.duty_cycle import SUB_BANDS_EU868
from revier_mac.airtime import DATA_RATES, JOIN_BAND, PAYLOAD_MAX

UPLINKS = 1_000_000
NODES = 40
UPLINKS_OF_MIX = 10_000
# An empty frame, a reading of the node's, the largest payload
MIXES = tuple((dr, size) for dr in range(6) for size in (0, 10, PAYLOAD_MAX[dr]))
SHARE_MIN = 0.9
OFFERED_MIN = 3.0
COUNTED = 0.95  # the node's rule for deep sleep, whose clock errs by up to 5 %
LONGEST_US = lora_airtime_us(13 + 51, 12)
EXACT = "exact clock"
ERRING = "sleep clock -5..+5 %"
LIMITED = "DutyCycleReq on and off"
REPEATING = "NbTrans 3"
COLD = "cold starts"
MIX = "3 channels, "
UNRULED = "sleep -5 %, counted whole"  # what the 95 % rule is for; not our node


@dataclass(frozen=True, slots=True)
class Outcome:
    """One node's, or one peer's, judged."""

    family: str
    uplinks: int
    hours: float
    offered: float  # multiples of all limits together
    violations: int
    forbidden: int
    aggregate_violations: int
    worst_excess_us: int
    used_us: tuple[int, ...]  # per sub-band, after the first hour
    saturated_us: int  # after the first hour
    refused: int
    cold_starts: int
    permitted_us: tuple[int, ...]  # per sub-band, what an exact ledger would have used; or the law
    longest_us: int  # the longest frame that was offered


def plans(uplinks: int = UPLINKS, nodes: int = NODES) -> list[Plan]:
    each = -(-uplinks // nodes)
    result = []
    for seed in range(nodes):
        error_ppm = (-50_000, 50_000, -20_000, 0, 35_000)[seed // 5 % 5]
        erring: dict[str, Any] = {
            "sleep_error_ppm": error_ppm,
            "counted": COUNTED,
            "awake_error_ppm": 20 if seed % 2 else -20,
        }
        result.append(
            (
                Plan(EXACT, seed, each),
                Plan(ERRING, seed, each, **erring),
                Plan(LIMITED, seed, each, limits_all=True, **erring),
                Plan(REPEATING, seed, each, repeats=3, **erring),
                Plan(COLD, seed, each, cold=True, **erring),
            )[seed % 5]
        )
    return result


def mix_plans(uplinks: int = UPLINKS_OF_MIX) -> list[Plan]:
    """A node that has never been told more than the three default channels: they share 1 %."""
    return [
        Plan(f"{MIX}DR{mix[0]}, {mix[1]} B", NODES + number, uplinks, mix=mix)
        for number, mix in enumerate(MIXES)
    ]


def judged(plan: Plan) -> list[Outcome]:
    """The node's life, and with an exact clock the peers' lives under the same attempts."""
    life = Node(plan).run()
    outcomes = [outcome(plan.family, life, plan)]
    if plan.family == EXACT:
        outcomes += [peer_outcome(peer(), life, plan.seed) for peer in PEERS]
    return outcomes


def outcome(family: str, life: Life, plan: Plan | None = None) -> Outcome:
    verdict = checker.judge(life.sent)
    own = life.own_us / life.end_us if life.own_us else 1.0
    limits_us = LIMIT_3_CHANNELS_US if plan and plan.mix else LIMITS_US_PER_HOUR
    return Outcome(
        family,
        len(life.sent),
        life.end_us / HOUR_US,
        life.offered_us / (life.end_us / HOUR_US * limits_us),
        verdict.violations,
        verdict.forbidden,
        checker.aggregate_violations(life.sent, life.max_d_cycles),
        verdict.worst_excess_us,
        tuple(spans.within(HOUR_US, life.end_us) for spans in verdict.spans),
        life.end_us - HOUR_US,
        life.refused,
        len(life.cold_starts_us),
        tuple(round(own * us) for us in permitted_us(life)),
        airtime_us(*plan.mix) if plan and plan.mix else LONGEST_US,
    )


def permitted_us(life: Life) -> list[int]:
    """Of each sub-band, after the first hour. Where the ledger was lost, part of it is not the
    law's but the loss's: then it is what an exact ledger uses that is lost at the same times."""
    hours = (life.end_us - HOUR_US) / HOUR_US
    if not life.cold_starts_us:
        return [round(hours * checker.limit_us(band)) for band in range(checker.BANDS)]
    exact = peer_life(ExactLedger(life.cold_starts_us), life, 0)
    verdict = checker.judge(exact.sent)
    return [spans.within(HOUR_US, life.end_us) for spans in verdict.spans]


def peer_outcome(peer: Peer, life: Life, seed: int) -> Outcome:
    return outcome(peer.name, peer_life(peer, life, seed))


def peer_life(peer: Peer, life: Life, seed: int) -> Life:
    """The same attempts for a stack that chooses a free sub-band and a channel in it."""
    chance = Random(seed)  # noqa: S311
    theirs = Life(offered_us=life.offered_us, end_us=life.end_us)
    busy_until_us = 0
    for now_us, dr, size in life.attempts:
        on_air_us = airtime_us(dr, size)
        free = [band for band in range(checker.BANDS) if peer.allows(band, now_us, on_air_us)]
        if now_us < busy_until_us or not free:
            theirs.refused += 1
            continue
        band = chance.choice(free)
        peer.sent(band, now_us, on_air_us)
        middle = SUB_BANDS_EU868[band]
        hz = (middle.low_hz + middle.high_hz) // 2
        theirs.sent.append(checker.Sent(now_us, hz, *DATA_RATES[dr], 13 + size))
        theirs.max_d_cycles.append(0)
        busy_until_us = now_us + on_air_us + 2_200_000
    return theirs


def shares(outcomes: Sequence[Outcome]) -> list[float]:
    """Used share of what each sub-band permits."""
    return [
        sum(one.used_us[band] for one in outcomes) / sum(one.permitted_us[band] for one in outcomes)
        for band in range(checker.BANDS)
    ]


def enough(outcomes: Sequence[Outcome]) -> bool:
    """At least 90 % of the permitted airtime, less one frame an hour, in every sub-band in use."""
    frames_us = sum(one.longest_us * one.saturated_us / HOUR_US for one in outcomes)
    bands = [JOIN_BAND] if outcomes[0].family.startswith(MIX) else range(checker.BANDS)
    return all(
        share * permitted >= SHARE_MIN * permitted - frames_us
        for band, share in enumerate(shares(outcomes))
        if band in bands and (permitted := sum(one.permitted_us[band] for one in outcomes))
    )


def _row(family: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """`% used` in the order of the sub-bands: 863, 865, 868, 868.7, 869.4, 869.7 MHz."""
    return {
        "node": family,
        "uplinks": sum(one.uplinks for one in outcomes),
        "hours": round(sum(one.hours for one in outcomes)),
        "violations": sum(one.violations + one.forbidden for one in outcomes),
        "worst_s": round(max(one.worst_excess_us for one in outcomes) / 1e6, 2),
        "% used": " ".join(f"{100 * share:.1f}" for share in shares(outcomes)),
    }


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The measurement's result from the outcomes of all nodes and peers."""
    families: dict[str, list[Outcome]] = {}
    for one in outcomes:
        families.setdefault(one.family, []).append(one)
    others = {UNRULED} | {peer.name for peer in PEERS}
    ours = [one for one in outcomes if one.family not in others]
    rows = [_row(family, found) for family, found in families.items()]
    violations = sum(one.violations + one.forbidden for one in ours)
    aggregate = sum(one.aggregate_violations for one in ours)
    used = shares(families[EXACT])
    mixes = {name: shares(found)[JOIN_BAND] for name, found in families.items() if MIX in name}
    judged_for_use = [families[name] for name in (EXACT, ERRING, COLD, *mixes)]
    loaded = all(one.offered >= OFFERED_MIN for one in ours)
    return {
        "name": "duty",
        "value": violations + aggregate,
        "unit": "violations",
        "budget": "0, and >= 90 % of what each sub-band permits, less one frame, used",
        "holds": not violations and not aggregate and loaded and all(map(enough, judged_for_use)),
        "n": {
            "uplinks": sum(one.uplinks for one in ours),
            "hours": round(sum(one.hours for one in ours)),
            "offered_lowest": round(min(one.offered for one in ours), 2),
            "refused": sum(one.refused for one in ours),
            "cold_starts": sum(one.cold_starts for one in ours),
            "used_share_lowest": round(min(used), 4),
            "used_share_by_band": [round(share, 4) for share in used],
            "used_share_by_mix": {name: round(share, 4) for name, share in mixes.items()},
            "longest_frame_ms": round(LONGEST_US / 1000),
            "aggregate_violations": aggregate,
        },
        "peer": {
            name: f"{row['violations']} violations, worst +{row['worst_s']} s"
            for row in rows
            if (name := row["node"]) in others
        },
        "rows": rows,
    }


def run(all_plans: Sequence[Plan], processes: int = 2) -> dict[str, Any]:
    with get_context("spawn").Pool(processes) as pool:
        found = pool.map(judged, all_plans, chunksize=1)
    return summary([one for outcomes in found for one in outcomes])


def measure() -> dict[str, Any]:
    """Five to ten minutes on two processors."""
    unruled = Plan(UNRULED, NODES, UPLINKS // NODES, sleep_error_ppm=-50_000)
    return run([*plans(), *mix_plans(), unruled])
