# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A town's bays for some days: which arrival the network knew when."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest import mock

from chirpstack_api import gw

from revier_bench.measure.duty_checker import BANDS, Spans, excesses_us, limit_us
from revier_bench.measure.mass_join_firmware import clock as node_clock
from revier_bench.measure.mass_join_node import Radio
from revier_bench.measure.mass_join_radio import START_UNIX_US, Clock, Network, TownAir
from revier_bench.measure.mass_join_town import (
    MAST_GAIN_DBI,
    MAST_HEIGHT_M,
    MASTS_M,
    TOWN_RADIUS_M,
    place,
)
from revier_bench.measure.parking_delivery_node import Change, Node, Policy
from revier_bench.network_server.events import Event
from revier_bench.world.air import Air, Emission, Position
from revier_bench.world.airtime import lora_airtime_us, preamble_us
from revier_bench.world.chance import stream
from revier_bench.world.parking_bay import ParkingEnvironment, Stay
from revier_bench.world.radio_gateway import CHANNELS_HZ, SYNC_WORD_PUBLIC
from revier_bench.world.weather import Weather
from revier_mac import actions as act
from revier_node import parking_change
from revier_node.kinds import parking

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
SETTLE_US = DAY_US  # until data rates are what they stay
PROMPT_US = 120_000_000
HEARTBEAT_US = HOUR_US + PROMPT_US  # no heartbeat comes later than this
BAY_HEIGHT_M = 1.0  # the path loss model begins there; ground_loss_db adds the ground's
POWER_ON_SPREAD_US = HOUR_US
# ESTIMATE: what others send in the town, as a gateway above it hears it
OTHERS = 20
OTHERS_FRAMES_PER_S = 0.15
OTHERS_SHARE = {7: 0.5, 8: 0.15, 9: 0.12, 10: 0.1, 11: 0.06, 12: 0.07}
OTHERS_BYTES = 25
OTHERS_DBM = 14.0
PROPRIETARY = 0xE0  # MHDR: a network server has nothing to say to it


@dataclass(frozen=True, slots=True)
class Town:
    policy: Policy
    car_db: float
    seed: int
    bays: int
    days: float


@dataclass(slots=True)
class Outcome:
    """Of arrivals after SETTLE_US. `frames` per data rate; `airtime_us` and `hours` of all bays."""

    town: Town
    arrivals: int = 0
    prompt: int = 0  # known within PROMPT_US
    known: int = 0  # by the next heartbeat at the latest
    by_bay: list[tuple[int, int]] = field(default_factory=list)  # (prompt, arrivals) of each
    frames: list[int] = field(default_factory=lambda: [0] * 6)
    airtime_us: int = 0
    violations: int = 0


class Bay(ParkingEnvironment):
    """Each vehicle takes the same."""

    def __init__(self, seed: str, name: str, weather: Weather, car_db: float) -> None:
        super().__init__(seed, name, weather, START_UNIX_US)
        self._car_db = car_db

    def _new_stay(self, arrive_us: int) -> Stay:
        return replace(super()._new_stay(arrive_us), loss_db=self._car_db)


class Other:
    """A station that only sends."""

    def __init__(self, name: str, clock: Clock, air: Air, at: Position, chance: Random) -> None:
        self.name = name
        self._clock, self._air, self._chance = clock, air, chance
        air.attach(self, at)

    def on_emission(self, emission: Emission) -> None:
        pass

    def pause(self) -> None:
        pause_s = self._chance.expovariate(OTHERS_FRAMES_PER_S / OTHERS)
        self._clock.at(self._clock.now_us + round(pause_s * 1e6), self._send)

    def _send(self) -> None:
        chance = self._chance
        sf = chance.choices(list(OTHERS_SHARE), list(OTHERS_SHARE.values()))[0]
        payload = bytes((PROPRIETARY,)) + chance.randbytes(OTHERS_BYTES - 1)
        self._air.emit(
            Emission(
                self.name, self._clock.now_us, lora_airtime_us(OTHERS_BYTES, sf), preamble_us(sf),
                chance.choice(CHANNELS_HZ), 125_000, sf, 5, OTHERS_DBM, False, SYNC_WORD_PUBLIC,
                True, True, payload,
            )
        )  # fmt: skip
        self.pause()


class Street(Network):
    """Its gateways forward no proprietary frame."""

    def _heard(self, gateway: str, frame: gw.UplinkFrame, emission: Emission) -> None:
        if emission.payload[0] != PROPRIETARY:
            super()._heard(gateway, frame, emission)


def changes(bay: Bay, until_us: int) -> list[Change]:
    """When the detector sees them."""
    found = []
    for stay in bay.stays(until_us):
        found.append(Change(stay.still_us, parking.OCCUPIED))
        found.append(Change(stay.gone_us, parking.VACANT))
    return found


class _Known:
    """When the network first knew of each bay's changes."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.known_us: dict[str, dict[int, int]] = {}
        self._now_us = 0

    def hear(self, clock: Clock, event: Event) -> None:
        if event.kind != "up":
            return
        message: Any = event.message
        known_us = self.known_us.setdefault(event.dev_eui, {})
        for number in self.nodes[event.dev_eui].told[message.f_cnt]:
            known_us.setdefault(number, clock.now_us)


def run(town: Town) -> Outcome:
    seed = f"parking-delivery:{town.seed}"
    clock, air, known = Clock(), TownAir(seed), _Known()
    masts = [place(*at, MAST_HEIGHT_M, MAST_GAIN_DBI) for at in MASTS_M]
    network = Street(clock, air, masts, True, seed)
    network.on_event = lambda event: known.hear(clock, event)
    until_us = round(town.days * DAY_US) + HEARTBEAT_US
    places, weather = stream(seed, "places"), Weather(seed, START_UNIX_US)
    found: dict[str, list[Change]] = {}
    for number in range(town.bays):
        dev_eui, app_key = number.to_bytes(8, "big"), number.to_bytes(16, "big")
        name = dev_eui.hex()
        network.add_device(dev_eui, app_key)
        bay = Bay(seed, name, weather, town.car_db)
        radio = Radio(name, clock, air, _somewhere(places), bay.ground_loss_db)
        found[name] = changes(bay, until_us)
        identity = act.Identity(dev_eui, bytes(8), app_key, 0)
        chance = stream(seed, f"node:{name}")
        known.nodes[name] = Node(town.policy, identity, radio, clock, found[name], chance)
    for number in range(OTHERS):
        chance = stream(seed, f"other:{number}")
        Other(f"other {number}", clock, air, _somewhere(places), chance).pause()
    with _chip(clock, stream(seed, "urandom")):
        for node in known.nodes.values():
            node.power_on(places.randrange(POWER_ON_SPREAD_US))
        clock.run(until_us, lambda: False)
    outcome = Outcome(town)
    for name, node in known.nodes.items():
        _score(outcome, node, found[name], known.known_us.get(name, {}))
    return outcome


def _somewhere(places: Random) -> Position:
    away_m, angle = TOWN_RADIUS_M * math.sqrt(places.random()), places.uniform(0, math.tau)
    return place(away_m * math.cos(angle), away_m * math.sin(angle), BAY_HEIGHT_M)


@contextlib.contextmanager
def _chip(clock: Clock, chance: Random) -> Iterator[None]:
    """What the firmware asks of its chip."""
    with (
        mock.patch.object(node_clock, "now_ms", partial(Node.chip_ms, clock)),
        mock.patch.object(parking, "_sensor", lambda wake: wake.node.sensor),
        mock.patch.object(parking_change, "os", SimpleNamespace(urandom=chance.randbytes)),
    ):
        yield


def _score(outcome: Outcome, node: Node, found: list[Change], known_us: dict[int, int]) -> None:
    end_us = round(outcome.town.days * DAY_US)
    prompt = arrivals = 0
    for number, change in enumerate(found):
        if change.state != parking.OCCUPIED or not SETTLE_US <= change.at_us < end_us:
            continue
        after_us = known_us.get(number, math.inf) - change.at_us
        arrivals += 1
        prompt += after_us <= PROMPT_US
        outcome.known += after_us <= HEARTBEAT_US
    outcome.arrivals += arrivals
    outcome.prompt += prompt
    outcome.by_bay.append((prompt, arrivals))
    outcome.frames = [a + b for a, b in zip(outcome.frames, node.data_rates, strict=True)]
    outcome.airtime_us += sum(frame.airtime_us for frame in node.radio.sent)
    spans: list[list[tuple[int, int]]] = [[] for _ in range(BANDS)]
    for frame in node.radio.sent:
        spans[frame.band].append((frame.start_us, frame.start_us + frame.airtime_us))
    outcome.violations += sum(
        len(excesses_us(Spans.of(one), limit_us(band))) for band, one in enumerate(spans)
    )
