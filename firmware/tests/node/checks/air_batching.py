# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""When an air node's block goes out, with which readings, and what becomes of a refused one."""

import time

from runner import run

from revier_node import kinds, notes, store
from revier_node.kinds import air, air_batch, air_hour

F_PORT = air.F_PORT
INTERVAL_MS = 300_000


class Clock:
    @staticmethod
    def unix_s():
        return 1_800_000_000


class Numbers:
    def __init__(self):
        self.seq = 500
        self.state = self

    def next_seq(self):
        self.seq += 1
        return self.seq - 1


class Node:
    clock = Clock

    def __init__(self):
        self.store, self.state, self.logged = Numbers(), store.State(), []

    def remember(self, seq, f_port, data):
        assert (f_port, len(data)) == (F_PORT, 11)
        self.logged.append(seq)


class Wake:
    interval_ms = INTERVAL_MS

    kept = None
    wiring = {}

    def __init__(self, node):
        self.node = node
        self.started_ms = time.time_ns() // 1_000_000

    @staticmethod
    def battery_mv():
        return 3_600


def node(known=True):
    for name in ("hour", "batches"):
        notes.save(name, None)
    if known:
        notes.save("batches", kinds.BATCHES)
    return Node()


def reading(one, later_ms=0):
    """The next one is taken: (fPort, first sequence, how many readings) of each message, those of
    the wakes before and after it that only send among them."""
    time.sleep_ms(INTERVAL_MS + later_ms)
    one.state.boots += 1
    values = {"battery": 3_600, "status": 0, "pm25": 120}
    messages = air_batch.due(Wake(one))
    wake = Wake(one)
    messages += air_batch.report(wake, F_PORT, values, {})
    if wake.kept is not None:  # the next wake comes at once
        messages += air_batch.due(Wake(one))
    one.messages = messages
    return [(m[0], m[1]["seq"], len(m[1].get("samples", "a"))) for m in messages]


def check_a_full_hour_is_one_message_and_each_reading_is_logged():
    one = node()
    for _ in range(11):
        assert reading(one) == []
    assert reading(one) == [(11, 500, 12)]
    air_hour.told(one.messages[0], "sent")
    for _ in range(11):
        assert reading(one) == []
    assert reading(one) == [(11, 512, 12)]
    assert one.messages[0][1]["before"][0] == 12
    assert one.logged == list(range(500, 524))


def check_what_is_refused_goes_out_later_and_grows():
    one = node()
    for _ in range(11):
        reading(one)
    for outcome, found in (("", 12), ("deferred", 13), ("aborted", 14)):
        assert reading(one) == [(11, 500, found)]
        air_hour.told(one.messages[0], outcome)
    assert reading(one) == [(11, 500, 14)]  # as long as it may be: the next one has begun
    air_hour.told(one.messages[0], "sent")
    for _ in range(10):
        assert reading(one) == []
    assert reading(one) == [(11, 514, 12)]
    assert one.logged == list(range(500, 526))


def check_an_uneven_distance_begins_a_block():
    one = node()
    for _ in range(4):
        reading(one)
    reading(one, 100_000)
    assert reading(one, 160_000) == [(11, 500, 5)]
    assert len(notes.load()["hour"]["codes"]) == air_batch.READING_CHARS


def check_a_skipped_number_begins_a_block():
    one = node()
    reading(one)
    one.store.seq += 1
    assert reading(one) == [(11, 500, 1)]


def check_numbers_that_went_back_are_sent_once():
    one = node()
    for _ in range(3):
        reading(one)
    one.store.seq -= 1
    assert reading(one) == []
    assert notes.load()["hour"]["seq"] == 502


def check_until_the_network_knows_of_batches_each_reading_goes_alone():
    one = node(known=False)
    due = 0
    for n in range(49):
        assert reading(one) == [(F_PORT, 500 + n, 1)]
        due += one.state.flags & store.FLAG_DIAGNOSIS_DUE
        one.state.flags = 0
    assert due == 2 * store.FLAG_DIAGNOSIS_DUE
    assert one.logged == list(range(500, 549))
    notes.save("batches", kinds.BATCHES)
    assert reading(one) == []


def check_the_fullest_notes_fit():
    one = node()
    notes.save("time", dict.fromkeys(("token", "asked", "offset", "period", "due"), 1 << 31))
    notes.save("owed", {"ranges": [[1 << 32, 254]] * 8})
    one.store.seq = (1 << 32) - 40
    try:
        for _ in range(12):
            reading(one)
        air_hour.told(one.messages[0], "sent")  # whose means come on top
        for _ in range(14):
            reading(one)
        assert len(notes.load()["hour"]["codes"]) == 14 * air_batch.READING_CHARS
    finally:
        notes.save("time", None)
        notes.save("owed", None)


run(globals())
