# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Settings by downlink and by cable: all or nothing, answered, taken back if the node dies."""

import json
import time

import machine
import waste_node as world
from asking_network import Network
from runner import raises, run
from small_world import Chip, write_file

from revier_mac.airtime import airtime_us
from revier_mac.session import Session
from revier_node import app, settings, store
from revier_node.kinds import waste
from revier_payload.codec import decode
from revier_payload.configuration import hash_of

INTERVAL_900 = b"\x01\x01\x03\x84"
REVERTED = 128  # of a diagnosis's status


class Hang(BaseException):
    """Until the watchdog."""


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


def diagnoses(network):
    return [decode(1, data).values for _, port, data in network.frames if port == 1]


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
    assert diagnoses(network)[-1]["config_hash"] == hash_of(INTERVAL_900[1:])
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
    assert node_json()["reverted"] == hash_of(INTERVAL_900[1:])
    _, port, data = network.frames[-2]
    assert port == 1  # the network is told
    values = decode(1, data).values
    assert values["config_hash"] == hash_of(b"")
    assert values["status"] & REVERTED
    network.script.append((2, INTERVAL_900))
    world.wake()
    assert "reverted" not in node_json()
    world.wake()
    diagnosis = diagnoses(network)[-1]
    assert not diagnosis["status"] & REVERTED
    assert diagnosis["config_hash"] == hash_of(INTERVAL_900[1:])


def check_a_hang_after_a_change_is_taken_back():
    """The watchdog's reset leaves no failure that anybody counted."""
    network = new_node()
    network.script.append((2, INTERVAL_900))
    world.wake()
    sense = waste.sense
    starts = []

    def hangs(wake):
        starts.append(wake.settings)
        if wake.settings:
            raise Hang
        return sense(wake)

    waste.sense = hangs
    try:
        cause = machine.DEEPSLEEP_RESET
        for _ in range(settings.STARTS_MAX):
            machine.cause[0] = cause
            raises(Hang, app.run)
            cause = machine.WDT_RESET
        assert world.wake(machine.WDT_RESET) < 600_000
    finally:
        waste.sense = sense
    assert starts == [{1: 900}] * settings.STARTS_MAX + [{}]
    assert diagnoses(network)[-1]["status"] & REVERTED


def check_a_good_wake_ends_the_trial_whatever_comes_later():
    network = new_node()
    network.script.append((2, INTERVAL_900))
    world.wake()
    world.wake()  # well, with the new ones
    assert diagnoses(network)[-1]["config_hash"] == hash_of(INTERVAL_900[1:])
    world.wake()
    for _ in range(settings.STARTS_MAX + 1):
        world.power_loss()
        world.wake(machine.PWRON_RESET)
    assert node_json()["settings"] == [[1, 900]]
    assert "reverted" not in node_json()


def check_another_change_during_a_trial_goes_back_to_what_was_good():
    network = new_node()
    network.script += [(2, INTERVAL_900), (2, b"\x01\x01\x04\xb0")]
    world.wake()
    world.wake()
    assert node_json()["settings"] == [[1, 1200]]
    assert node_json()["before"] == []


def check_every_nth_uplink_is_confirmed():
    network = new_node()
    network.script.append((2, b"\x01\x02\0\x03"))
    world.wake()
    heard = []
    hear = network.hear

    def listen(frame):
        heard.append((frame[6] | frame[7] << 8, frame[0] == 0x80))
        return hear(frame)

    network.hear = listen
    for _ in range(7):
        world.wake()
    assert {confirmed for f_cnt, confirmed in heard if f_cnt % 3} == {False}
    assert {confirmed for f_cnt, confirmed in heard if not f_cnt % 3} == {True}
    assert len({f_cnt for f_cnt, _ in heard if not f_cnt % 3}) >= 2


def check_a_node_that_browns_out_after_a_change_takes_it_back():
    network = new_node()
    network.script.append((2, INTERVAL_900))
    world.wake()
    for n in range(settings.STARTS_MAX + 1):
        assert "before" in node_json(), n
        world.power_loss()
        world.wake(machine.PWRON_RESET)  # only the wait; then it dies again
    assert node_json()["settings"] == []


class Timed(Chip):
    """Notes when each frame began, and how long it was: (ms, us)."""

    def __init__(self, network):
        Chip.__init__(self, network)
        self.sent = []

    def _transmit(self):
        length_us = airtime_us(self.length, self.modulation[0], 125_000)
        self.sent.append((time.now_us // 1000, length_us))
        Chip._transmit(self)


def check_the_shortest_interval_is_within_the_duty_cycle():
    """Each minute, each uplink confirmed, SF12: 1 % of every hour, ETSI EN 300 220-2 band 47."""
    network = new_node()
    machine.spi_chip[0] = chip = Timed(network)
    network.script.append((2, b"\x01\x01\0\x3c\x02\0\x01"))
    world.wake()
    memory = store.Store()
    session = Session.unpack(memory.state.session)
    session.dr = 0
    memory.save_session(session.pack(), session.f_cnt_up, False)
    for _ in range(150):
        world.wake()
    hour_ms = 3_600_000
    assert chip.sent[-1][0] - chip.sent[0][0] > 2 * hour_ms
    used_us = [
        sum([us for at_ms, us in chip.sent if 0 <= at_ms - begin_ms < hour_ms])
        for begin_ms, _ in chip.sent
    ]
    assert max(used_us) <= 36_000_000
    assert max(used_us) > 25_000_000, "the limit was tried"


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
