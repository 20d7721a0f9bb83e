# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A diagnosis with all that it has room for."""

import machine
import waste_node as world
from runner import run

from revier_node import VERSION_MAJOR, VERSION_MINOR, VERSION_PATCH, store
from revier_node.kinds import waste
from revier_payload.codec import decode
from revier_payload.configuration import hash_of


def diagnoses(network):
    return [data for _, port, data in network.frames if port == 1]


def check_everything_is_told():
    network = world.new_node()
    network.join_answers = False
    world.wake(machine.PWRON_RESET)
    world.wake()
    network.join_answers = True
    world.wake()
    (data,) = diagnoses(network)
    assert len(data) == 24
    values = decode(1, data).values
    version = [VERSION_MAJOR, VERSION_MINOR, VERSION_PATCH]
    assert [values["fw_" + part] for part in ("major", "minor", "patch")] == version
    assert values["battery"] == 3748
    assert values["joins"] == 3
    assert values["join_silent"] == 2
    assert values["config_hash"] == hash_of(b"")
    assert values["battery_tx"] == 3750  # of the join request, in steps of 10 mV
    for name in ("errors_1", "errors_2", "join_replayed", "mic_wrong", "duty", "aborted"):
        assert values[name] == 0, name


def check_counts_begin_again_when_the_network_has_them():
    network = world.new_node()
    network.join_answers = network.time_answers = False
    world.wake(machine.PWRON_RESET)
    network.join_answers = True
    world.wake()
    network.time_answers = True
    world.wake()
    told = [decode(1, data).values["join_silent"] for data in diagnoses(network)]
    assert told == [1, 1]  # the first had no answer
    assert store.Store().state.counts == bytes(16)


def check_the_clocks_error_is_told():
    network = world.new_node()
    world.wake(machine.PWRON_RESET)
    world.wake()
    world.wake()
    stored = store.Store()
    known = stored.state.unix_offset_ms
    stored.state.flags |= store.FLAG_DIAGNOSIS_DUE
    stored.save()
    world.wake()
    told = [decode(1, data) for data in diagnoses(network)]
    assert told[0].states["time_error"] == "missing"  # it had not been told the time yet
    assert known
    assert 0 <= told[-1].values["time_error"] <= 96


def check_sensor_errors_are_counted_by_sensor():
    network = world.new_node()
    sense, test = waste.sense, waste.self_test

    def faulty(wake):
        wake.failed("lis3dh")
        wake.failed("lis3dh")
        return sense(wake)

    waste.self_test = lambda _: [("a02yyuw", "ok"), ("vl53l1x", "nack")]
    waste.sense = faulty
    try:
        world.wake(machine.PWRON_RESET)
        world.wake()
    finally:
        waste.sense, waste.self_test = sense, test
    assert store.Store().state.counts[11:15] == bytes((0, 0, 2, 0))
    values = decode(1, diagnoses(network)[0]).values
    assert values["errors_2"] == 1


def check_many_are_as_many_as_the_field_holds():
    network = world.new_node()
    memory = store.Store()
    memory.state.counts = bytes((255, 97, 96, 95)) + bytes(12)
    memory.save()
    world.wake()
    values = decode(1, diagnoses(network)[0]).values
    names = ("join_silent", "join_replayed", "not_ours", "mic_wrong")
    assert [values[name] for name in names] == [96] * 4


def check_without_room_the_extras_stay_away():
    from revier_mac.device import Device

    network = world.new_node()
    room, Device.payload_max = Device.payload_max, lambda _: 23
    try:
        world.wake(machine.PWRON_RESET)
    finally:
        Device.payload_max = room
    assert len(diagnoses(network)[0]) == 12
    assert decode(1, diagnoses(network)[0]).values["battery"] == 3748


run(globals())
