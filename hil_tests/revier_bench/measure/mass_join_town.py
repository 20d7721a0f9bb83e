# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One town's power comes back: who has joined when, and what it cost."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from unittest import mock

from revier_bench.measure.duty_checker import BANDS, Sent, Spans, excesses_us, limit_us
from revier_bench.measure.mass_join_node import HOUR_US, NaiveNode, Node, Radio
from revier_bench.measure.mass_join_radio import Clock, Network, TownAir
from revier_bench.world.air import Position
from revier_bench.world.chance import stream
from revier_node import cold_wait

JOIN_BAND = 2
RESERVE_US = 1_482_752  # a join request at SF12: what data frames leave free
TOWN_RADIUS_M = 3_000.0
NODE_HEIGHT_M = 1.5
MAST_HEIGHT_M, MAST_GAIN_DBI = 40.0, 8.0
CENTRE_LON, CENTRE_LAT = 7.20, 51.61
MASTS_M = ((0.0, 0.0), (1_800.0, 900.0), (-1_500.0, 1_300.0))  # east and north of the centre
M_PER_DEGREE = 111_320.0
OURS, NO_WAIT, NAIVE = "Revier", "Revier without its random wait", "loop around a join call"


@dataclass(frozen=True, slots=True)
class Town:
    """limited: the gateways keep their own duty cycle."""

    kind: str
    nodes: int
    gateways: int
    limited: bool
    seed: int
    until_us: int = 48 * HOUR_US


@dataclass(frozen=True, slots=True)
class Outcome:
    town: Town
    joined_us: tuple[int, ...]  # in order; who has not joined is missing
    requests: int
    heard: int  # join requests that at least one gateway received
    statuses: dict[str, int]  # of downlinks
    violations: int  # hours of a node above a limit, the hour before the cut being spent
    waited_ms: tuple[int, ...]

    def after_us(self, share: float) -> int | None:
        """When this share of the nodes had joined."""
        needed = math.ceil(share * self.town.nodes)
        return self.joined_us[needed - 1] if needed <= len(self.joined_us) else None


def place(east_m: float, north_m: float, height_m: float, gain_dbi: float = 0.0) -> Position:
    lon = CENTRE_LON + east_m / (M_PER_DEGREE * math.cos(math.radians(CENTRE_LAT)))
    return Position(lon, CENTRE_LAT + north_m / M_PER_DEGREE, height_m, gain_dbi)


def run(town: Town) -> Outcome:
    seed = f"mass-join:{town.seed}"
    clock, air = Clock(), TownAir(seed)
    masts = [place(*at, MAST_HEIGHT_M, MAST_GAIN_DBI) for at in MASTS_M[: town.gateways]]
    network = Network(clock, air, masts, town.limited, seed)
    chance = stream(seed, "places")
    nodes: list[Node | NaiveNode] = []
    kind = NaiveNode if town.kind == NAIVE else Node
    for number in range(town.nodes):
        away_m, angle = TOWN_RADIUS_M * math.sqrt(chance.random()), chance.uniform(0, math.tau)
        at = place(away_m * math.cos(angle), away_m * math.sin(angle), NODE_HEIGHT_M)
        dev_eui = (0x70B3D57ED0000000 + number).to_bytes(8, "big")
        app_key = number.to_bytes(16, "big")
        network.add_device(dev_eui, app_key)
        nodes.append(kind(dev_eui, app_key, Radio(f"node {number}", clock, air, at), clock, seed))
    with _rules(town.kind):
        for node in nodes:
            node.power_on()
        clock.run(town.until_us, lambda: all(node.joined_us is not None for node in nodes))
    return Outcome(
        town,
        tuple(sorted(node.joined_us for node in nodes if node.joined_us is not None)),
        sum(node.tries for node in nodes),
        len(network.join_requests_heard),
        dict(network.statuses),
        sum(violations(node.radio.sent) for node in nodes),
        tuple(node.firmware.waited_ms for node in nodes if isinstance(node, Node)),
    )


@contextlib.contextmanager
def _rules(kind: str) -> Iterator[None]:
    if kind != NO_WAIT:
        yield
        return
    with mock.patch.object(cold_wait, "cold_wait_ms", return_value=0):
        yield


def violations(sent: list[Sent]) -> int:
    """The hour before the cut was spent to the last millisecond, but for the join's reserve."""
    spans: list[list[tuple[int, int]]] = [[] for _ in range(BANDS)]
    for frame in sent:
        spans[frame.band].append((frame.start_us, frame.start_us + frame.airtime_us))
    for band, one in enumerate(spans):
        one.append(((RESERVE_US if band == JOIN_BAND else 0) - limit_us(band), 0))
    return sum(len(excesses_us(Spans.of(one), limit_us(band))) for band, one in enumerate(spans))
