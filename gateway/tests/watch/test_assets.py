# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Online, late, offline, unknown: by silence that could have been heard, whatever happens to us."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from gateway.tests import support
from hypothesis import given, settings
from hypothesis import strategies as st

from revier_gateway.watch.assets import AssetWatch, Memory, Speaker
from revier_gateway.watch.deafness import SOURCE
from revier_gateway.watch.habit import Habit
from revier_gateway.watch.standing import Standing
from revier_gateway.work import AllHeard
from revier_inventory import Asset, DevicePeriod, Inventory, Owner

PROFILE_S = {"air": 300.0, "parking": 3600.0, "waste": 1800.0}
MINUTE_MS = 60_000
ROOF, TOWER = "0016c001f10000aa", "0016c001f10000bb"
NAMES = tuple(f"aq-{n:02}" for n in range(12))
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
FIRST_MS = 1_780_000_000_000


def dev_eui(name: str) -> str:
    return f"70b3d57ed00000{name[-2:]}"


def inventory(names: tuple[str, ...] = NAMES) -> Inventory:
    return Inventory(
        owners=(Owner(ags=support.AGS, name="Recklinghausen"),),
        assets=tuple(
            Asset(asset=name, kind="air", ags=support.AGS, name=name, lon=7.2, lat=51.6)
            for name in names
        ),
        periods=tuple(
            DevicePeriod(dev_eui=dev_eui(name), asset=name, since=SINCE) for name in names
        ),
    )


class World:
    """Air nodes that speak every five minutes; the first half is heard by the roof alone, the
    second half by roof and tower."""

    def __init__(self, memory: Memory | None = None, now_ms: int = FIRST_MS) -> None:
        self.now_ms = now_ms
        self.memory = memory or Memory()
        self.watch = AssetWatch(inventory(), PROFILE_S, self.memory, now_ms)
        self.silent: set[str] = set()  # devices that have died
        self.down: set[str] = set()  # radio gateways that have
        self.source = False

    def set_source(self, online: bool) -> None:
        self.source = online
        self.watch.source(online, self.now_ms)

    def minutes(self, minutes: int) -> None:
        for _ in range(minutes):
            self.now_ms += MINUTE_MS
            if self.source:
                self._frames()
            self.watch.look(self.now_ms)

    def _frames(self) -> None:
        minute = self.now_ms // MINUTE_MS
        for index, name in enumerate(NAMES):
            paths = (ROOF,) if index < 6 else (ROOF, TOWER)
            paths = tuple(path for path in paths if path not in self.down)
            if name in self.silent or (minute + index) % 5 or not paths:
                continue
            radio_gateways = dict.fromkeys(paths, (self.now_ms, 1))
            devices = {dev_eui(name): (self.now_ms, 1)}
            heard = AllHeard(devices, radio_gateways, {dev_eui(name): paths})
            self.watch.take(heard, self.now_ms)

    def states(self) -> dict[str, Standing]:
        return {name: self.watch.standing(name, self.now_ms) for name in NAMES}

    def restarted(self, after_minutes: int = 0) -> World:
        """Killed, and started again: only the memory is left."""
        memory = Memory(
            devices={
                name: Speaker(one.last_ms, one.habit and Habit(bytes(one.habit)), one.path)
                for name, one in self.memory.devices.items()
            },
            radio_gateways=dict(self.memory.radio_gateways),
            periods=self.watch.deafness.periods(),
            first_ms=self.watch.first_ms,
            alive_ms=self.now_ms,
        )
        again = World(memory, self.now_ms + after_minutes * MINUTE_MS)
        again.silent, again.down = self.silent, self.down
        return again


def running(minutes: int = 60) -> World:
    world = World()
    world.set_source(True)
    world.minutes(minutes)
    return world


def only(states: dict[str, Standing]) -> Standing:
    assert len(set(states.values())) == 1, states
    return next(iter(states.values()))


def test_everybody_is_online() -> None:
    assert only(running().states()) == Standing("online")


def test_before_the_first_frame_it_is_unknown() -> None:
    assert only(World().states()) == Standing("unknown", "never_heard")


def test_what_was_never_heard_is_offline_in_the_end() -> None:
    world = World()
    world.set_source(True)
    world.now_ms += 73 * 60 * MINUTE_MS
    assert only(world.states()) == Standing("offline", "never_heard")


def test_an_asset_without_a_device_is_unknown() -> None:
    world = running()
    assert world.watch.standing("nobody", world.now_ms) == Standing("unknown", "no_device")


@pytest.mark.parametrize(
    ("silent_minutes", "state"), [(12, "online"), (14, "late"), (29, "late"), (36, "offline")]
)
def test_one_silent_asset_by_its_own_interval(silent_minutes: int, state: str) -> None:
    world = running()
    world.silent = {NAMES[0]}
    last_ms = world.watch.last_ms(NAMES[0])
    assert last_ms is not None
    world.minutes(silent_minutes - (world.now_ms - last_ms) // MINUTE_MS)
    states = world.states()
    assert states.pop(NAMES[0]) == Standing(state)  # type: ignore[arg-type]
    assert only(states) == Standing("online")


def test_a_node_that_speaks_once_an_hour_is_known_by_its_habit() -> None:
    world = World()
    world.set_source(True)
    for _ in range(5):
        world.now_ms += 60 * MINUTE_MS
        device = dev_eui(NAMES[0])
        heard = AllHeard({device: (world.now_ms, 1)}, {}, {device: (ROOF,)})
        world.watch.take(heard, world.now_ms)
    world.now_ms += 70 * MINUTE_MS
    assert world.watch.standing(NAMES[0], world.now_ms).state == "online"
    world.now_ms += 200 * MINUTE_MS
    assert world.watch.standing(NAMES[0], world.now_ms).state == "offline"


def test_a_source_that_is_down_makes_nobody_late() -> None:
    world = running()
    world.set_source(False)
    world.minutes(8)
    assert only(world.states()) == Standing("online")
    world.minutes(24 * 60)
    assert only(world.states()) == Standing("unknown", "source_down")
    world.set_source(True)
    assert only(world.states()).state == "unknown"
    world.minutes(5)
    assert only(world.states()) == Standing("online")


def test_a_silent_source_is_found_and_makes_nobody_offline() -> None:
    world = running()
    world.down = {ROOF, TOWER}  # nothing comes any more; the connection stands
    world.minutes(10)
    assert world.watch.deafness.cause(SOURCE) == "source_silent"
    world.minutes(600)
    assert only(world.states()) == Standing("unknown", "source_silent")
    assert world.watch.source_silent_s(world.now_ms) == pytest.approx(610 * 60, abs=60)
    assert world.watch.silent_radio_gateways(world.now_ms) == {}
    world.down = set()
    world.minutes(5)
    assert only(world.states()) == Standing("online")
    assert world.watch.source_silent_s(world.now_ms) is None


def test_a_dead_radio_gateway_is_one_cause_and_not_six_dead_assets() -> None:
    world = running()
    world.down = {ROOF}
    world.minutes(60)
    states = world.states()
    assert {states[name] for name in NAMES[:6]} == {
        Standing("unknown", f"radio_gateway_offline:{ROOF}")
    }
    assert {states[name] for name in NAMES[6:]} == {Standing("online")}
    assert list(world.watch.silent_radio_gateways(world.now_ms)) == [ROOF]
    world.down = set()
    world.minutes(5)
    assert only(world.states()) == Standing("online")
    assert world.watch.silent_radio_gateways(world.now_ms) == {}


def test_a_mast_that_was_taken_down_is_missed_until_others_hear_its_nodes() -> None:
    world = running()
    world.down = {ROOF}
    world.minutes(60)
    assert list(world.watch.silent_radio_gateways(world.now_ms)) == [ROOF]
    for name in NAMES[:6]:  # a new mast hears them
        devices, paths = {dev_eui(name): (world.now_ms, 1)}, {dev_eui(name): (TOWER,)}
        world.watch.take(AllHeard(devices, {}, paths), world.now_ms)
    world.minutes(1)
    assert world.watch.silent_radio_gateways(world.now_ms) == {}


def test_who_was_offline_before_an_outage_stays_so() -> None:
    world = running()
    world.silent = {NAMES[0]}
    world.minutes(45)
    world.set_source(False)
    world.minutes(300)
    assert world.states()[NAMES[0]] == Standing("offline")
    assert world.states()[NAMES[1]] == Standing("unknown", "source_down")


def test_after_an_outage_the_silence_counts_on_where_it_stood() -> None:
    world = running()
    world.silent = {NAMES[0]}
    world.minutes(20)
    world.set_source(False)
    world.minutes(300)
    world.set_source(True)
    world.minutes(5)
    assert world.states()[NAMES[0]].state == "late"
    world.minutes(15)
    assert world.states()[NAMES[0]] == Standing("offline")


@settings(max_examples=25)
@given(
    dead=st.sets(st.sampled_from(NAMES)),
    before=st.integers(0, 90),
    outage=st.integers(0, 20),
    stopped=st.integers(0, 10_000),
)
def test_a_restart_makes_nobody_worse_and_nobody_better(
    dead: set[str], before: int, outage: int, stopped: int
) -> None:
    world = running(30)
    world.silent = dead
    world.minutes(before)
    if outage:
        world.set_source(False)
        world.minutes(outage)
    states = world.states()
    again = world.restarted(stopped).states()
    for name in NAMES:
        if again[name] != states[name]:  # it should have spoken meanwhile: nobody can know
            assert again[name] == Standing("unknown", "gateway_stopped")
            assert states[name].state != "offline"


def test_after_a_restart_the_living_are_back_and_the_dead_are_not() -> None:
    world = running()
    world.silent = {NAMES[0]}
    world.minutes(45)
    again = world.restarted(600)
    again.set_source(True)
    again.minutes(5)
    states = again.states()
    assert states.pop(NAMES[0]) == Standing("offline")
    assert only(states) == Standing("online")


def test_a_step_over_an_outage_is_no_habit() -> None:
    world = running()
    limits = world.watch.limits(NAMES[0])
    for _ in range(20):
        world.set_source(False)
        world.minutes(120)
        world.set_source(True)
        world.minutes(4)
    world.minutes(10)
    assert world.watch.limits(NAMES[0]) == limits
