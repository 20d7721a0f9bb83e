# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import os
import struct
import sys
import time

import esp32
import machine
import small_world
from runner import raises, run
from waste_node import HOST, MAIN, copy, main_wake, new_node, power_loss, wake

from revier_mac.session import Session
from revier_node import app, radio, store
from revier_node.kinds import waste
from revier_payload.codec import decode


def check_first_wake_joins_diagnoses_reads_and_sleeps():
    network = new_node()
    started_us = time.now_us
    slept_ms = wake(machine.PWRON_RESET)
    assert network.joins == 1
    assert [port for _, port, _ in network.frames] == [1, 30]
    assert [f_cnt for f_cnt, _, _ in network.frames] == [0, 1]
    diagnosis = decode(1, network.frames[0][2]).values
    assert diagnosis["seq"] == 0
    assert diagnosis["reset_cause"] == machine.PWRON_RESET
    assert diagnosis["battery"] == 3748
    reading = decode(30, network.frames[1][2]).values
    assert reading["seq"] == 0
    assert reading["distance"] == 1953
    assert abs((time.now_us - started_us) // 1000 - 600_000) < 1500
    assert slept_ms < 600_000
    assert machine.spi_chip[0].asleep
    assert esp32.wake_pins[0] == ()


def check_later_wakes_only_read():
    network = new_node()
    wake(machine.PWRON_RESET)
    for n in range(2, 6):
        wake()
        f_cnt, port, data = network.frames[-1]
        assert (f_cnt, port, len(network.frames)) == (n, 30, n + 1)
        assert decode(30, data).values["seq"] == n - 1
    assert network.joins == 1


def check_diagnosis_is_repeated_until_the_network_has_answered():
    network = new_node()
    network.time_answers = False
    wake(machine.PWRON_RESET)
    wake()
    network.time_answers = True
    wake()
    wake()
    assert [port for _, port, _ in network.frames] == [1, 30, 1, 30, 1, 30, 30]
    network = new_node()
    network.time_answers = False
    wake(machine.PWRON_RESET)
    for _ in range(5):
        wake()
    assert [port for _, port, _ in network.frames].count(1) == 3


def check_time_comes_from_the_network():
    network = new_node()
    wake(machine.PWRON_RESET)
    from revier_node.clock import GPS_LEAP_S, GPS_UNIX_S, Clock

    clock = Clock(store.Store().state)
    slept_s = 600
    unix_s = network.gps_s - GPS_LEAP_S + GPS_UNIX_S
    assert unix_s <= clock.unix_s() <= unix_s + slept_s
    assert not clock.sync_due()


def check_power_loss_goes_on_without_join_and_without_repeats():
    network = new_node()
    wake(machine.PWRON_RESET)
    wake()
    power_loss()
    wake(machine.PWRON_RESET)
    wake()  # after the cold start's wait
    assert network.joins == 1
    (f_cnt, port, data), (_, _, reading) = network.frames[-2:]
    assert port == 1  # the leap is told first
    assert f_cnt >= store.LEASE_STEP
    values = decode(1, data).values
    assert values["seq"] == store.LEASE_STEP
    assert values["status"] & 0x30 == 0x30
    assert decode(30, reading).values["seq"] == store.LEASE_STEP & 0x7F


def forget(adr_ack_cnt):
    """As after so many uplinks at the lowest data rate without an answer."""
    memory = store.Store()
    memory.state.unanswered = app.UNANSWERED_MAX
    session = Session.unpack(memory.state.session)
    session.dr, session.adr_ack_cnt = 0, adr_ack_cnt
    memory.state.session = session.pack()
    memory.save()


def check_no_reading_before_there_is_airtime_for_it():
    """SF12 every minute: the duty cycle lets about every second frame pass."""
    network = new_node()
    small_world.write_file(
        "/node.json", '{"kind": "waste", "board": "heltec_v3", "interval_s": 60}'
    )
    watches, waste.WATCHES = waste.WATCHES, ""
    try:
        wake(machine.PWRON_RESET)
        started_us = time.now_us
        for n in range(60):
            s = store.Store()
            session = Session.unpack(s.state.session)
            session.dr = 0
            s.state.session = session.pack()
            s.save()
            wake()
            assert len(network.frames) == n + 3
            assert store.Store().state.seq == n + 2
        assert time.now_us - started_us > 90 * 60_000_000
    finally:
        waste.WATCHES = watches


def check_a_reading_that_is_refused_takes_a_counter_along():
    network = new_node()
    wake(machine.PWRON_RESET)
    link = radio.Link.send
    radio.Link.send = lambda link, f_port, data, seq, confirmed=False: ""
    try:
        wake()
        wake()
    finally:
        radio.Link.send = link
    wake()
    f_cnt, _, data = network.frames[-1]
    assert (f_cnt, decode(30, data).values["seq"], len(network.frames)) == (4, 3, 3)


def check_rejoin_when_the_network_has_forgotten_us():
    network = new_node()
    wake(machine.PWRON_RESET)
    network.time_answers = False
    forget(96)
    wake()
    assert network.joins == 1  # at most once a day
    time.sleep_ms(app.REJOIN_EVERY_MS)
    network.join_answers = False
    forget(95)
    wake()
    assert len(network.nonces) == 1  # ADR has still something to give back
    forget(96)
    wake()
    assert len(network.nonces) == 2
    forget(96)
    wake()
    assert len(network.nonces) == 2  # a try that failed counts for its day too
    assert store.Store().state.unanswered >= app.UNANSWERED_MAX  # and is repeated the next
    time.sleep_ms(app.REJOIN_EVERY_MS)
    assert network.frames[-1][0] >= 5  # nobody answered: the old session goes on
    forget(96)
    network.join_answers = True
    wake()
    assert network.joins == 2
    assert [(f_cnt, port) for f_cnt, port, _ in network.frames[-2:]] == [(0, 1), (1, 30)]
    power_loss()
    wake(machine.PWRON_RESET)
    wake()  # with the new keys, which NVS has
    assert network.joins == 2
    assert network.frames[-1][1] == 30


def check_power_cut_anywhere_never_repeats_a_nonce_or_counter():
    """The network of this check refuses both; the cuts come between two SPI commands."""
    network = new_node()
    chip = machine.spi_chip[0]
    left = [0]
    inner = chip.write_readinto

    class PowerCutError(BaseException):
        pass

    def cut(out, into):
        if left[0] == 0:
            raise PowerCutError
        left[0] -= 1
        inner(out, into)

    chip.write_readinto = cut
    for commands in range(1, 200, 7):
        try:
            left[0] = 1000
            if not store.Store().resumed:
                wake(machine.PWRON_RESET)  # the cold start's wait
            left[0] = commands
            wake(machine.PWRON_RESET)
        except PowerCutError:
            pass
        except AssertionError as error:
            raise AssertionError("%d commands: %s" % (commands, error))
        if commands % 3:
            power_loss()
    left[0] = 100_000
    network.frames.clear()
    wake(machine.PWRON_RESET)
    wake()
    assert network.frames


def check_nobody_answers_the_join():
    network = new_node()
    network.join_answers = False
    slept = [wake(machine.PWRON_RESET)] + [wake() for _ in range(4)]
    assert len(network.nonces) == 5
    assert network.nonces == list(range(5))
    assert min(slept) >= store.LEASE_STEP  # a real pause, from the MAC's own back-off
    assert not network.frames
    network.join_answers = True
    wake()
    assert network.joins == 1
    assert [port for _, port, _ in network.frames] == [1, 30]


def check_counters_are_said_after_a_reset_and_before_each_join():
    from revier_node import seldom

    said, say = [], seldom.say
    seldom.say = lambda event, *pairs: said.append((event, pairs))
    try:
        network = new_node()
        network.join_answers = False
        wake(machine.PWRON_RESET)
        assert [event for event, _ in said] == ["selftest", "counts", "join"]
        for tries in (1, 2):
            said.clear()
            wake()
            assert [event for event, _ in said] == ["counts", "join"]
            pairs = said[0][1]
            values = {pairs[i]: pairs[i + 1] for i in range(0, len(pairs), 2)}
            assert values["margin"] == "unknown"
            assert values["join_silent"] == tries
            assert len(values) == 12  # the margin and each counter of revier_mac/counts.py
        network.join_answers = True
        wake()
        said.clear()
        wake()
        assert said == []  # a usual wake
        wake(machine.WDT_RESET)
        values = dict([said[1][1][i : i + 2] for i in range(0, len(said[1][1]), 2)])
        assert values["join_silent"] == 0  # the answered diagnosis has told them
    finally:
        seldom.say = say


def check_unprovisioned_says_so_and_sleeps_ever_longer():
    new_node(provisioned=False)
    assert raises(app.UnprovisionedError, app.run).args == ("no keys",)
    slept = [main_wake(machine.PWRON_RESET)] + [main_wake() for _ in range(11)]
    assert slept[:4] == [60_000, 120_000, 240_000, 480_000]
    assert slept[-1] == 21_600_000
    assert machine.rtc[0][3] == 2


def check_dead_radio_ends_in_sleep_and_heals():
    network = new_node()
    chip = machine.spi_chip[0]
    chip.errors = 0x20
    assert main_wake(machine.PWRON_RESET) == 60_000
    assert main_wake() == 120_000
    chip.errors = 0
    main_wake()
    assert decode(1, network.frames[0][2]).values["error"] == 3
    assert machine.rtc[0][:4] == bytes(4)
    chip.errors = 0x20
    assert main_wake(machine.WDT_RESET) == 60_000  # counts from one again


def check_radio_that_never_ends_a_transmission():
    network = new_node()
    wake(machine.PWRON_RESET)
    chip = machine.spi_chip[0]
    chip.deaf = True
    before_us = time.now_us
    assert main_wake() == 60_000
    assert time.now_us - before_us < 70_000_000
    assert machine.rtc[0][3] == 3
    chip.deaf = False
    main_wake()
    assert [f_cnt for f_cnt, _, _ in network.frames] == [0, 1, 2, 3]
    assert [port for _, port, _ in network.frames] == [1, 30, 30, 30]


def check_broken_files_end_in_sleep():
    new_node()
    small_world.write_file("/node.json", "{")
    assert main_wake() == 60_000
    small_world.write_file("/node.json", '{"kind": "waste", "board": "nowhere"}')
    assert main_wake() == 120_000
    assert machine.rtc[0][3] == 4
    small_world.write_file("/node.json", '{"kind": "../x", "board": "heltec_v3"}')
    assert main_wake() == 240_000


def check_application_that_cannot_be_imported_ends_in_sleep():
    new_node()
    package = sys.modules["revier_node"]
    kept = package.app
    del package.app
    del sys.modules["revier_node.app"]
    from revier_node import failure

    where, package.__path__ = package.__path__, "/nowhere"
    try:
        assert main_wake() == 60_000
        assert machine.rtc[0][3] == 5
        del package.failure
        del sys.modules["revier_node.failure"]
        assert main_wake() == 3_600_000, "main.py alone, with nothing of the application left"
    finally:
        package.__path__ = where
        package.app = sys.modules["revier_node.app"] = kept
        package.failure = sys.modules["revier_node.failure"] = failure


def check_service_keeps_main_away():
    new_node()
    exec(MAIN, {"__name__": "__main__", "service": True})  # returns: the REPL is the technician's
    assert machine.rtc[0] == b""


def check_every_board_description_loads():
    from revier_node import board

    for name in os.listdir(HOST + "/image/boards"):
        if name.endswith(".json"):
            copy(name)
            found = board.load(name[:-5])
            assert found["name"] == name[:-5]
            assert set(found["kinds"]) == set(app.KINDS)
    raises(board.BoardError, board.load, "nowhere")


assert struct
run(globals())
