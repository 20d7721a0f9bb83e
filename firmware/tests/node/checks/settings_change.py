# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Settings by downlink and by cable: all or nothing, answered, taken back if the node dies."""

import json

import machine
import waste_node as world
from asking_network import Network
from runner import run
from small_world import Chip, write_file

from revier_node import settings
from revier_node.kinds import waste
from revier_payload.codec import decode
from revier_payload.configuration import hash_of

INTERVAL_900 = b"\x01\x01\x03\x84"


def new_node():
    """After its first wake."""
    world.new_node()
    network = Network()
    machine.spi_chip[0] = Chip(network)
    world.wake(machine.PWRON_RESET)
    return network


def node_json():
    with open("/node.json") as file:
        return json.load(file)


def answers(network):
    return [decode(3, data).values for _, port, data in network.frames if port == 3]


def check_an_interval_is_applied_answered_and_kept():
    network = new_node()
    network.script.append((2, INTERVAL_900))
    assert world.wake() < 600_000
    assert answers(network) == [
        {
            "request_hash": hash_of(INTERVAL_900),
            "config_hash": hash_of(INTERVAL_900[1:]),
            "result": 1,
            "setting": 0,
        }
    ]
    assert 600_000 < world.wake() <= 900_000
    assert node_json()["before"] == []  # on trial
    assert 600_000 < world.wake() <= 900_000
    assert node_json() == {
        "kind": "waste", "board": "heltec_v3", "interval_s": 600, "settings": [[1, 900]]
    }  # fmt: skip
    world.power_loss()
    world.wake(machine.PWRON_RESET)
    world.wake()
    diagnosis = [decode(1, data).values for _, port, data in network.frames if port == 1][-1]
    assert diagnosis["config_hash"] == hash_of(INTERVAL_900[1:])
    network.script.append((2, b"\x02"))
    world.wake()
    assert answers(network)[-1]["config_hash"] == hash_of(b"")
    assert world.wake() < 600_000
    assert len(answers(network)) == 2


def check_one_bad_setting_refuses_all():
    network = new_node()
    bad = INTERVAL_900 + b"\x10\0\x01"  # `report` is an air node's
    network.script.append((2, bad))
    world.wake()
    (answer,) = answers(network)
    assert (answer["result"], answer["setting"]) == (5, 16)
    assert answer["request_hash"] == hash_of(bad)
    assert "settings" not in node_json()
    assert world.wake() < 600_000


def check_a_node_that_dies_of_a_change_takes_it_back():
    network = new_node()
    network.script.append((2, INTERVAL_900))
    world.wake()
    sense = waste.sense
    starts = []

    def dies(wake):
        starts.append(wake.settings)
        if wake.settings:
            raise OSError(5)
        return sense(wake)

    waste.sense = dies
    try:
        for _ in range(settings.STARTS_MAX):
            world.main_wake()
        assert starts == [{1: 900}] * settings.STARTS_MAX
        assert world.main_wake() < 600_000
        assert starts[-1] == {}
    finally:
        waste.sense = sense
    assert "before" not in node_json()
    assert node_json()["settings"] == []
    _, port, data = network.frames[-2]
    assert port == 1  # the network is told
    assert decode(1, data).values["config_hash"] == hash_of(b"")


def check_a_node_that_browns_out_after_a_change_takes_it_back():
    network = new_node()
    network.script.append((2, INTERVAL_900))
    world.wake()
    for n in range(settings.STARTS_MAX + 1):
        assert "before" in node_json(), n
        world.power_loss()
        world.wake(machine.PWRON_RESET)  # only the wait; then it dies again
    assert node_json()["settings"] == []


def check_settings_by_cable_are_bounded():
    for given in ([[1, 5]], [[16, 1]], "x", [[1]], [[1, "900"]], [[300, 1]]):
        world.new_node()
        write_file("/node.json", json.dumps({"kind": "waste", "board": "heltec_v3",
                                             "interval_s": 600, "settings": given}))  # fmt: skip
        assert world.wake(machine.PWRON_RESET) <= 600_000
        assert "settings" not in node_json(), given
    write_file("/node.json", json.dumps({"kind": "waste", "board": "heltec_v3",
                                         "settings": [[1, 900]], "before": []}))  # fmt: skip
    assert 600_000 < world.wake(machine.HARD_RESET) <= 900_000
    world.wake()
    assert "before" not in node_json()
    assert node_json()["settings"] == [[1, 900]]


run(globals())
