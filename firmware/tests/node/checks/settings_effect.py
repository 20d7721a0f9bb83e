# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Each setting does what the table says, and nothing without it."""

import machine
import parking_decides as ground
from air_and_waste import BOARD, Echoes
from runner import run

from revier_node import bin_motion, bin_watch, echoes, kinds, notes
from revier_node.kinds import air, air_batch, air_change, parking, waste
from revier_node.sensors.a02yyuw import RANGE_MAX_MM
from revier_payload.air import AIR
from revier_payload.settings import SETTINGS

BY_NAME = {row[1]: row for row in SETTINGS}


def settings(**values):
    return {BY_NAME[name][0]: values[name] for name in values}


def check_the_table_says_what_the_node_does_without_settings():
    made = {name: BY_NAME[name][6] for name in BY_NAME}
    assert made == {
        "interval": None,
        "confirmed_every": 0,
        "report": kinds.REPORT_EACH,
        "report_min": air_change.MIN_S,
        "report_max": air_change.MAX_S,
        "dead_band": air_change.BANDS[0][0] * 100,
        "dead_band_share": air_change.BANDS[0][1],
        "occupied_above": parking.ON_DIGITS * parking.DIGIT_NT,
        "vacant_below": parking.OFF_DIGITS * parking.DIGIT_NT,
        "empty_bay": 0,
        "empty": RANGE_MAX_MM,
        "nearest": echoes.BLIND_MM,
        "fire_above": bin_watch.FIRE_C,
        "fire_rise": bin_watch.FIRE_K_PER_MIN,
        "tilt_above": bin_watch.TILT_DEG,
    }
    assert BY_NAME["report"][7] == ("each", "change", "batch")
    assert BY_NAME["occupied_above"][5] < parking.PLAIN_DIGITS * parking.DIGIT_NT
    assert BY_NAME["occupied_above"][4] >= parking.WAKE_DIGITS * parking.DIGIT_NT


# -- waste --


def level(distances, **values):
    machine.uarts[1] = Echoes([1000, 1000, 1000] + list(distances))  # heard during power-up
    wake = kinds.Wake(BOARD, "waste", 1_800_000, 0, False, b"")
    wake.settings = settings(**values)
    ((_, found),) = waste.sense(wake)
    return found["distance"], found["quality"]


def check_echoes_beyond_the_bottom_are_not_of_the_container():
    split = [800] * 4 + [1500] * 7
    assert level(split)[0] == 1500
    assert level(split, empty=1500)[0] == 1500
    assert level(split, empty=1499)[0] == 800


def check_echoes_of_the_frame_are_not_of_the_container():
    split = [200] * 7 + [800] * 4
    assert level(split) == (200, 5)
    assert level(split, nearest=199)[0] == 200
    assert level(split, nearest=200)[0] == 800


def fires(temperatures, **values):
    bin_ = bin_watch.Bin(b"", 0, settings(**values))
    for n, temperature_c in enumerate(temperatures):
        bin_.feel_heat(120 * (n + 1), temperature_c)
    return bool(bin_.alarm & bin_watch.FIRE)


def check_alarm_limits():
    assert not fires([55, 60])
    assert not fires([55, 60], fire_above=61)
    assert fires([55, 60], fire_above=60)
    assert fires([20, 30])
    assert fires([20, 40], fire_rise=10)
    assert not fires([20, 39], fire_rise=10)
    for limit, tilted in ((40, False), (39, True)):
        bin_ = bin_watch.Bin(b"", 0, settings(tilt_above=limit))
        bin_.feel_tilt(100, 40)
        assert bool(bin_.tilted_s) == tilted, limit


def check_a_shorter_interval_does_not_wait_for_the_longer_one():
    wiring = dict(BOARD["kinds"]["waste"], lis3dh={"addr": 0x18, "int": 7})
    board = dict(BOARD, kinds={"waste": wiring})
    feel = bin_motion.feel
    bin_motion.feel = lambda wake, watched, now_s: (20, 0)

    def wake(at_s, interval_s, memory, config):
        machine.uarts[1] = Echoes([1000] * 3 + [800] * 7)
        made = kinds.Wake(board, "waste", interval_s * 1000, at_s * 1000, False, memory)
        made.config = config
        return len(waste.sense(made)), made.memory, waste.next_wake_ms(made) // 1000

    try:
        read, memory, _ = wake(1_000, 43_200, b"", {})
        assert read == 1
        read, memory, _ = wake(1_120, 43_200, memory, {})
        assert read == 0
        read, memory, _ = wake(1_240, 60, memory, {"before": []})
        assert read == 1
        read, memory, next_s = wake(1_299, 60, memory, {})
        assert (read, next_s) == (0, 1_300)
    finally:
        bin_motion.feel = feel


# -- parking --


def bay(**values):
    """An empty bay and its node; its wakes have these settings."""
    place = ground.Bay()
    make = kinds.Wake

    class Wake(make):
        def __init__(self, *arguments):
            make.__init__(self, *arguments)
            self.settings = settings(**values)

    def wake(*arguments, **more):
        kinds.Wake = Wake
        try:
            return ground.Bay.wake(place, *arguments, **more)
        finally:
            kinds.Wake = make

    wake()
    return wake


def events(wake, field):
    """Of a change of the field, and of a second look."""
    found = wake(field, by_pin=True, after_ms=600_000) + wake(after_ms=45_000)
    return [values["state"] for port, values in found if port == parking.F_PORT_EVENT]


def check_thresholds_of_the_field():
    smaller = (ground.EARTH[0] + 30, ground.EARTH[1], ground.EARTH[2])  # 4.5 uT
    larger = (ground.EARTH[0] + 60, ground.EARTH[1], ground.EARTH[2])  # 9 uT
    assert events(bay(), smaller) == []
    assert events(bay(), larger) == [parking.OCCUPIED]
    assert events(bay(occupied_above=4400, vacant_below=3000), smaller) == [parking.OCCUPIED]
    assert events(bay(occupied_above=9000), larger) == []


def check_the_distance_at_which_a_bay_is_empty():
    """A car that goes by and by: only the distance from the empty bay's field says so."""
    for limit_nt, left in ((4350, [parking.VACANT]), (3600, [])):
        wake = bay(vacant_below=limit_nt)
        assert events(wake, ground.CAR) == [parking.OCCUPIED]
        found = []
        for share in (80, 60, 40, 20, 15):  # 4.1 uT are left
            field = [e + (c - e) * share // 100 for e, c in zip(ground.EARTH, ground.CAR)]  # noqa: B905
            found += events(wake, tuple(field))
        assert found == left, limit_nt


# -- air --


class Node:
    """Of revier_node.app.Node, what a batch asks for."""

    def __init__(self):
        self.store = self.clock = self.state = self
        self.seq = 40

    def next_seq(self):
        self.seq += 1
        return self.seq - 1

    def unix_s(self):
        return 1_800_000_000

    def remember(self, seq, f_port, data):
        assert (seq, f_port, len(data)) == (self.seq - 1, 10, 11)


def air_wake(memory=b"", at_s=1_000, interval_s=300, node=None, **values):
    wake = kinds.Wake(BOARD, "air", interval_s * 1000, at_s * 1000, False, memory)
    wake.settings = settings(**values)
    wake.node = node
    return wake


def changed(pm25, pm10, after_s, **values):
    """Is this news after 10.0 and 20.0 ug/m3?"""
    first = air_wake()
    air_change.report(first, 10, {"pm25": 100, "pm10": 200, "status": 0}, {})
    wake = air_wake(first.memory, 1_000 + after_s, **values)
    return len(air_change.report(wake, 10, {"pm25": pm25, "pm10": pm10, "status": 0}, {})) == 1


def check_report_on_change():
    assert not changed(120, 200, 300)
    assert changed(121, 200, 300)
    assert not changed(121, 200, 300, dead_band=2_100)
    assert changed(111, 200, 300, dead_band=1_000, dead_band_share=10)
    assert not changed(111, 200, 300, dead_band=1_000, dead_band_share=11)
    assert changed(100, 231, 300)
    assert not changed(100, 231, 300, dead_band_share=16)
    assert not changed(500, 200, 600, report_min=900)
    assert changed(500, 200, 900, report_min=900)
    assert not changed(100, 200, 3_000)
    assert changed(100, 200, 3_600)
    assert changed(100, 200, 600, report_max=600)


def block_of(messages):
    return [(m[1]["seq"], m[1]["interval"], len(m[1]["samples"])) for m in messages]


def report(node, interval_s):
    """The blocks of the wakes that send alone, before a reading and after it."""
    machine.lightsleep(interval_s * 1000)
    blocks = air_batch.due(air_wake(interval_s=interval_s, node=node))
    wake = air_wake(interval_s=interval_s, node=node)
    values = {"pm25": 100, "battery": 3700, "status": 0}
    assert air_batch.report(wake, 10, values, {}) == []
    if wake.kept is not None:
        blocks += air_batch.due(air_wake(interval_s=interval_s, node=node))
    return block_of(blocks)


def check_another_interval_ends_the_block():
    machine.rtc[0] = b""
    air.MESSAGES[10] = AIR
    notes.save("batches", kinds.BATCHES)  # the network knows
    node = Node()
    assert [report(node, 300) for _ in range(3)] == [[]] * 3
    assert report(node, 900) == [(40, 300, 3)]
    assert [report(node, 900) for _ in range(2)] == [[]] * 2
    assert report(node, 900) == [(43, 900, 4)]


def check_what_was_held_goes_out_when_readings_go_alone():
    machine.rtc[0] = b""
    air.MESSAGES[10] = AIR
    notes.save("batches", kinds.BATCHES)  # the network knows
    node = Node()
    wake = air_wake(node=node)
    assert air_batch.rest(wake) == []
    assert [report(node, 300) for _ in range(3)] == [[]] * 3
    assert block_of(air_batch.rest(wake)) == [(40, 300, 3)]
    assert wake.kept == wake.started_ms  # the reading follows at once
    assert air_batch.rest(wake) == []


run(globals())
