# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Readings that are asked for again: in RTC memory, in flash, partly gone, at any power cut."""

import os
import struct

import flash_cuts
import machine
import waste_node as world
from asking_network import Network
from runner import run
from small_world import Chip, remove_file

from revier_node import app, reading_log, reading_search, store
from revier_payload.codec import decode, encode

FLUSH = app.RECENT_MAX


class Remembering:
    def __init__(self, state, clock):
        self.state, self.clock, self.wake = state, clock, Full


class Full:
    @staticmethod
    def sinks():
        return False


class Known:
    @staticmethod
    def unix_s():
        return 1_800_000_000


class Unknown:
    @staticmethod
    def unix_s():
        return None


def clear():
    try:
        for name in os.listdir("/log"):
            remove_file("/log/" + name)
    except OSError:
        pass


def new_node():
    world.new_node()
    clear()
    network = Network()
    machine.spi_chip[0] = Chip(network)
    return network


def empty_state():
    clear()
    return store.State()


def request(*ranges):
    return 4, b"".join([struct.pack(">IB", first, count - 1) for first, count in ranges])


def again(network):
    """All rows that came on fPort 5."""
    rows = []
    for _, port, data in network.frames:
        if port == 5:
            rows += decode(5, data).rows
    for row in rows:
        assert row.values["seq"] & 0x7F == row.data[0] >> 1
    return rows


def logged(first, count, state):
    return [one[0] for one in reading_search.find(state, first, count, 999)]


def remember(state, seqs, clock=Known):
    for seq in seqs:
        app.Node.remember(
            Remembering(state, clock),
            seq,
            30,
            encode(30, {"seq": seq & 0x7F, "distance": seq % 2000}),
        )


def check_readings_come_again_in_their_own_bytes():
    network = new_node()
    world.wake(machine.PWRON_RESET)
    for _ in range(FLUSH + 3):
        world.wake()
    assert os.listdir("/log") == ["00000000"]
    assert len(store.Store().state.recent) == 4 * app.RECORD_SIZE
    sent = {decode(30, d).values["seq"]: d for _, port, d in network.frames if port == 30}
    network.script.append(request((2, 12)))
    while network.script:  # not in the answer to a question for the time
        world.wake()
    for _ in range(3):  # a frame ends where the clock was set
        world.wake()
    rows = again(network)
    assert [row.values["seq"] for row in rows] == list(range(2, 14))
    for row in rows:
        assert row.data == sent[row.values["seq"]]
        assert row.time > 1_790_000_000
    assert 560 <= rows[6].time - rows[5].time <= 640  # the sleep clock errs
    count = len(network.frames)
    world.wake()
    assert [port for _, port, _ in network.frames[count:]] == [30]  # once


def check_long_ranges_take_several_wakes():
    network = new_node()
    world.wake(machine.PWRON_RESET)
    memory = store.Store()
    remember(memory.state, range(1, 120))
    memory.state.seq = 120
    memory.save()
    network.script.append(request((10, 60), (500, 9), (100, 200)))
    for _ in range(12):
        world.wake()
    seqs = [row.values["seq"] for row in again(network)]
    assert seqs[:80] == list(range(10, 70)) + list(range(100, 120))
    assert len(seqs) == len(set(seqs))
    frames = [data for _, port, data in network.frames if port == 5]
    assert 3 <= len(frames) <= 6
    assert max([len(data) for data in frames]) <= 242
    assert not store.Store().state.flags & store.FLAG_APP_TIME


def check_low_data_rates_leave_the_duty_to_new_readings():
    from revier_mac.session import Session

    network = new_node()
    world.wake(machine.PWRON_RESET)
    for _ in range(4):
        world.wake()
    network.script.append(request((0, 4)))
    memory = store.Store()
    session = Session.unpack(memory.state.session)
    session.dr = 2
    memory.state.session = session.pack()
    memory.state.boots = 8
    memory.save()
    frames = []
    for _ in range(4):
        world.wake()
        frames.append(len(again(network)))
    assert frames == [0, 0, 0, 4]  # boots 9 to 12


def check_a_power_loss_takes_the_newest_only():
    network = new_node()
    world.wake(machine.PWRON_RESET)
    for _ in range(FLUSH + 3):
        world.wake()
    world.power_loss()
    assert logged(0, 99, store.Store().state) == list(range(FLUSH))
    assert network.joins == 1


def check_a_battery_that_sinks_takes_nothing_with_it():
    new_node()
    world.wake(machine.PWRON_RESET)
    for _ in range(3):
        world.wake()
    machine.adc_uv[0] = 765_306 * 2_900 // 3_748  # as waste_node.py has it, but 2.9 V
    try:
        for _ in range(3):
            world.wake()
    finally:
        machine.adc_uv[0] = 765_306
    assert store.Store().state.recent == b""
    world.power_loss()
    assert logged(0, 99, store.Store().state) == list(range(7))


def check_a_reset_puts_all_into_flash():
    new_node()
    world.wake(machine.PWRON_RESET)
    for _ in range(3):
        world.wake()
    world.wake(machine.HARD_RESET)  # it measures as well
    world.power_loss()
    assert logged(0, 99, store.Store().state) == list(range(4))


def check_the_log_wraps_round_and_says_what_is_left():
    state = empty_state()
    kept = reading_log.FILE_CHUNKS, reading_log.FILES_MAX
    reading_log.FILE_CHUNKS, reading_log.FILES_MAX = 2, 3
    try:
        remember(state, range(100, 300))
    finally:
        reading_log.FILE_CHUNKS, reading_log.FILES_MAX = kept
    assert len(os.listdir("/log")) == 3
    left = logged(0, 1000, state)
    assert left == list(range(left[0], 300))
    assert 48 <= len(left) <= 72 + FLUSH
    assert logged(left[0] - 50, 55, state) == list(range(left[0], left[0] + 5))  # partly gone
    assert logged(0, left[0], state) == []
    assert logged(300, 5, state) == []


def check_gaps_and_an_unknown_time_are_kept():
    state = empty_state()
    remember(state, range(5), Unknown)
    seqs = list(range(128, 140)) + list(range(0x80000000, 0x80000010))
    remember(state, seqs)
    assert logged(0, 0xFFFFFFFF, state) == list(range(5)) + seqs
    times = [one[1] for one in reading_search.find(state, 0, 200, 999)]
    assert times == [None] * 5 + [1_800_000_000] * 12


def check_a_chunk_is_whole_in_its_block():
    assert app.RECENT_MAX * app.RECORD_SIZE + 4 == reading_log.CHUNK_SIZE
    assert 4096 % reading_log.CHUNK_SIZE == 0


def check_a_batch_is_not_one_reading():
    state = empty_state()
    node = Remembering(state, Known)
    app.Node.remember(node, 1, 11, bytes(12))
    assert state.recent == b""
    app.Node.remember(node, 1, 10, bytes(11))
    assert len(state.recent) == app.RECORD_SIZE


def check_a_reset_before_the_state_is_saved_leaves_no_reading_twice():
    state = empty_state()
    remember(state, range(FLUSH - 1))
    before = state.recent
    remember(state, [FLUSH - 1])
    state.recent = before
    remember(state, [FLUSH - 1])
    assert logged(0, 99, state) == list(range(FLUSH))


def cut_after(written, torn_before):
    """The power goes at so many bytes of the second append. True if it did not."""
    state = empty_state()
    remember(state, range(FLUSH))
    if torn_before:
        with open("/log/00000000", "ab") as file:
            file.write(b"torn")
    reading_log.open, reading_log.os = flash_cuts.File, flash_cuts.Os
    flash_cuts.left[0] = written
    try:
        whole = flash_cuts.tried(lambda: remember(state, range(FLUSH, 2 * FLUSH)))
    finally:
        del reading_log.open
        reading_log.os = os
    state.recent = b""
    found = logged(0, 99, state)
    assert len(found) == FLUSH + FLUSH * (written // reading_log.CHUNK_SIZE), (written, found)
    assert found == list(range(len(found)))
    remember(state, range(50, 50 + FLUSH))
    assert logged(50, 99, state) == list(range(50, 50 + FLUSH)), written
    return whole


def check_a_cut_at_every_byte_keeps_what_was_there():
    for torn_before in (False, True):
        for written in range(reading_log.CHUNK_SIZE):
            assert not cut_after(written, torn_before)
        assert cut_after(reading_log.CHUNK_SIZE, torn_before)


def check_a_changed_byte_loses_its_chunk_only():
    state = empty_state()
    remember(state, range(3 * FLUSH))
    with open("/log/00000000", "rb") as file:
        data = bytearray(file.read())
    data[reading_log.CHUNK_SIZE + 12] ^= 1
    with open("/log/00000000", "wb") as file:
        file.write(data)
    left = [seq for seq in range(3 * FLUSH) if seq // FLUSH != 1]
    assert logged(0, 99, state) == left


def check_a_full_flash_stops_no_wake():
    def full(*_):
        raise OSError(28)

    new_node()
    world.wake(machine.PWRON_RESET)
    reading_log.open = full
    try:
        for _ in range(FLUSH):
            world.wake()
    finally:
        del reading_log.open
    assert len(store.Store().state.recent) == app.RECORD_SIZE


run(globals())
