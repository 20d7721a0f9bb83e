# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the technician types in the service window, and what the node does at its next start."""

import json

import machine
import waste_node as world
from runner import raises, run

from revier_node import cable, settings
from revier_payload.configuration import hash_of

said = []


def new_node():
    world.new_node()
    del said[:]
    cable.say = settings.say = lambda *words: said.append(words)


def pairs(event):
    """Of each line of this event: its keys and values."""
    return [
        {words[i]: words[i + 1] for i in range(1, len(words), 2)}
        for words in said
        if words[0] == event
    ]


def node_json():
    with open("/node.json") as file:
        return json.load(file)


def check_show_lists_the_settings_of_the_kind():
    new_node()
    cable.set(fire_above=60)
    del said[:]
    cable.show()
    rows = {row["name"]: (row["value"], row["by"]) for row in pairs("setting")}
    assert rows == {
        "interval": (600, "made"),
        "confirmed_every": (0, "made"),
        "empty": (4500, "made"),
        "fire_above": (60, "set"),
        "fire_rise": (5, "made"),
        "tilt_above": (30, "made"),
        "nearest": (40, "made"),
    }
    (whole,) = pairs("settings")
    assert whole == {
        "kind": "waste", "hash": hash_of(b"\x31\0\x3c"), "trial": 1, "reverted": "none"
    }  # fmt: skip
    assert cable.hash() == whole["hash"]


def check_what_is_set_is_in_force_after_the_reset():
    new_node()
    cable.set(interval=900, fire_rise=7)
    assert pairs("settings") == [
        {"result": 1, "hash": hash_of(b"\x01\x03\x84\x32\0\x07"), "setting": 0}
    ]
    assert 600_000 < world.wake(machine.PWRON_RESET) <= 900_000
    cable.reset("fire_rise")
    assert node_json()["settings"] == [[1, 900]]
    cable.reset()
    assert node_json()["settings"] == []
    assert world.wake(machine.HARD_RESET) <= 600_000


def check_the_checks_are_those_of_a_downlink():
    new_node()
    cable.set(empty=1000)
    for wanted, result, number in (
        ({"interval": 59}, 6, 1),
        ({"interval": 900, "report": "batch"}, 5, 16),
        ({"nearest": 1000, "empty": 999}, 8, 52),
        ({"empty": 4501}, 6, 48),
    ):
        del said[:]
        cable.set(**wanted)
        (line,) = pairs("settings")
        assert (line["result"], line["setting"]) == (result, number), wanted
        assert node_json()["settings"] == [[48, 1000]]
    for wanted in ({"no_such": 900}, {"interval": "900"}, {"interval": -1}, {"interval": 70_000}):
        raises(ValueError, lambda: cable.set(**wanted))  # noqa: B023
    raises(ValueError, cable.reset, "no_such")
    assert node_json()["settings"] == [[48, 1000]]


def check_a_choice_has_a_name():
    new_node()
    world.small_world.write_file("/node.json", '{"kind": "air", "board": "heltec_v3"}')
    cable.set(report="batch")
    assert node_json()["settings"] == [[16, 3]]
    cable.set(report=1)
    assert node_json()["settings"] == [[16, 1]]
    del said[:]
    cable.show()
    rows = {row["name"]: row["value"] for row in pairs("setting")}
    assert rows["report"] == "each"
    assert rows["interval"] == "by_kind"


run(globals())
