# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a parking node sees while it may not send goes out later: once, and in order."""

import time

import esp32
import machine
from parking_node import CAR, EARTH, new_node, power_loss, wake
from runner import run

from revier_node import cold_wait, notes, store, waiting
from revier_node.kinds.parking import F_PORT_EVENT, F_PORT_HEARTBEAT, OCCUPIED, VACANT
from revier_payload.codec import decode

INT_PIN = 7
WAIT_MS = 100_000


def cut_power():
    """The cold start's wake: a wait of WAIT_MS, whatever chance says."""
    drawn, cold_wait.cold_wait_ms = cold_wait.cold_wait_ms, lambda starts, rnd: WAIT_MS
    power_loss()
    try:
        assert WAIT_MS - 2_000 < wake(machine.PWRON_RESET) <= WAIT_MS
    finally:
        cold_wait.cold_wait_ms = drawn


def pin_wake(after_ms, field):
    """The field changes before the sleep has ended: what the node slept then."""
    slept_ms = machine.slept[0]
    time.now_us -= (slept_ms - after_ms) * 1000
    machine.devices[0x1E].field = field
    return wake(reason=machine.EXT1_WAKE)


def events(network, first=0):
    """Events, and those that came late with their own time: what each says."""
    found = []
    for _, port, data in network.frames[first:]:
        if port == F_PORT_EVENT:
            found.append(decode(port, data))
        elif port == 5:
            found += decode(port, data).rows
    return found


def states(network, first=0):
    return [event.values["state"] for event in events(network, first)]


def check_the_interrupt_is_armed_during_the_wait():
    new_node()
    wake(machine.PWRON_RESET)
    cut_power()
    assert [pin.number for pin in esp32.wake_pins[0]] == [INT_PIN]


def check_an_event_of_the_wait_goes_out_after_it():
    network = new_node()
    wake(machine.PWRON_RESET)
    sent = len(network.frames)
    cut_power()
    left_ms = pin_wake(20_000, CAR)
    assert abs(left_ms - (WAIT_MS - 20_000)) < 12_000, left_ms  # it sleeps on, no new wait
    assert len(network.frames) == sent
    wake()
    assert [port for _, port, _ in network.frames[sent : sent + 2]] == [1, F_PORT_EVENT]
    assert states(network) == [OCCUPIED]
    assert_repeated_once(network)


def assert_repeated_once(network):
    """After a wake that sent what waited, and that no downlink followed.

    The hour of a cold start may have no room for the repetition: then it waits in its turn, and
    goes out as the late event that it is by then.
    """
    seq = events(network)[-1].values["seq"]
    sent = len(network.frames)
    assert machine.slept[0] < 91_000  # not until the heartbeat
    for _ in range(5):
        wake()
    low_bits = [event.values["seq"] & 15 for event in events(network, sent)]
    assert low_bits.count(seq & 15) == 1


def check_an_event_that_waited_long_says_when_it_was():
    network = new_node()
    wake(machine.PWRON_RESET)
    from revier_node import radio, reading_search

    sent, network_s = radio.Link.send, store.Store().state.unix_offset_ms
    assert network_s, "the node knows the time"

    def refuse(link, f_port, data, seq, confirmed=False):
        link.retry_ms = link.device.next_tx_ms(link._clock.mac_ms()) + 400_000
        return ""

    radio.Link.send = refuse
    try:
        pin_wake(1_000_000, CAR)
        event_ms = store.Store().state.awake_ms
        wake()
    finally:
        radio.Link.send = sent
    assert store.Store().state.flags & store.FLAG_HELD  # also as the late one that it is by now
    first = len(network.frames)
    wake()
    (event,) = events(network, first)
    assert network.frames[first][1] == 5
    assert event.values["state"] == OCCUPIED
    assert abs(event.time - (event_ms + network_s) // 1000) <= 30
    assert store.Store().state.awake_ms - event_ms > 700_000
    logged = reading_search.find(store.Store().state, event.values["seq"], 1, 9)
    assert [one[3] for one in logged] == [event.data]
    wake()
    assert len(events(network, first)) == 1


def check_a_car_that_came_and_left_during_the_wait_is_two_events():
    network = new_node()
    wake(machine.PWRON_RESET)
    sent = len(network.frames)
    cut_power()
    pin_wake(20_000, CAR)
    pin_wake(20_000, EARTH)
    wake()
    wake()
    assert states(network)[:2] == [OCCUPIED, VACANT]
    later = {(port, bytes(data)) for _, port, data in network.frames[sent:] if port != 1}
    seqs = [decode(port, data).values["seq"] for port, data in later]
    assert len(set(seqs)) == len(seqs)


def check_a_car_that_came_without_power_is_seen_before_the_wait():
    network = new_node()
    wake(machine.PWRON_RESET)
    machine.devices[0x1E].field = CAR
    cut_power()
    machine.devices[0x1E].field = EARTH
    wake()
    wake()  # the hour of the cold start has room for one of them
    assert states(network)[:2] == [OCCUPIED, VACANT]


def check_an_event_waits_for_the_join():
    network = new_node()
    network.join_answers = False
    wake(machine.PWRON_RESET)
    assert [pin.number for pin in esp32.wake_pins[0]] == [INT_PIN]
    pin_wake(5_000, CAR)
    network.join_answers = True
    for _ in range(3):
        wake()
    assert network.joins == 1
    assert states(network)[0] == OCCUPIED


def check_an_event_that_the_duty_cycle_stops_keeps_its_sequence():
    network = new_node()
    wake(machine.PWRON_RESET)
    from revier_node import radio

    sent, refused = radio.Link.send, []

    def send(link, f_port, data, seq, confirmed=False):
        if f_port != F_PORT_EVENT or refused:
            return sent(link, f_port, data, seq, confirmed)
        refused.append(seq)
        link.retry_ms = link.device.next_tx_ms(link._clock.mac_ms()) + 50_000
        return ""

    radio.Link.send = send
    try:
        slept_ms = pin_wake(1_000_000, CAR)
        assert states(network) == []
        assert 50_000 <= slept_ms < 60_000  # not until the next heartbeat
        wake()
    finally:
        radio.Link.send = sent
    later = [(port, data) for _, port, data in network.frames[2:]]
    assert [port for port, _ in later] == [F_PORT_EVENT, F_PORT_HEARTBEAT]
    assert decode(*later[1]).values["seq"] == refused[0] + 1  # nothing overtakes, none is skipped
    event = later[:1]
    assert decode(*event[0]).values["seq"] == refused[0]
    assert len(event) == 1


def check_the_fullest_notes_fit_and_the_newest_messages_stay():
    new_node()
    wake(machine.PWRON_RESET)

    told = []

    class Kind:
        HELD = (255,)

        @staticmethod
        def released(wake, messages):
            told.append((wake, messages))

    class Clock:
        @staticmethod
        def unix_s():
            return None

    class Node:
        state = store.Store().state
        kind = Kind
        wake = "of the node"
        clock = Clock
        _link = None

    big = [
        [255, {"seq": 0xFFFFFFFF - i, "state": OCCUPIED, "confidence": VACANT, "dwell": 1 << 30}]
        for i in range(9)
    ]
    notes.save("wait", (1 << 52, 5))
    notes.save("time", [1 << 31] * 6)
    for message in big:
        waiting.keep(Node, [message])
    assert waiting.release(Node) == [tuple(message) for message in big[-waiting.HELD_MAX :]]
    assert waiting.release(Node) == []
    assert told == [("of the node", [tuple(message) for message in big[-waiting.HELD_MAX :]])]
    assert notes.load()["wait"] == [1 << 52, 5]
    store.Store().save()
    assert notes.load()["wait"] == [1 << 52, 5]
    assert len(machine.rtc[0]) <= 2048


def check_torn_notes_are_no_notes():
    new_node()
    wake(machine.PWRON_RESET)
    old = machine.rtc[0]
    before = notes.load()
    notes.save("wait", (1, 2))
    after = notes.load()
    assert after == dict(before, wait=[1, 2])
    new = machine.rtc[0]
    old += bytes(len(new) - len(old))
    for at in range(len(old)):
        machine.rtc[0] = new[:at] + old[at:]
        assert notes.load() in ({}, before, after), at
    assert store.Store().resumed


run(globals())
