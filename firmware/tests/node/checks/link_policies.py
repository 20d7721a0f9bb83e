# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The device-managed data rate: tables of cases, and a car that comes and goes."""

from runner import run

from revier_mac import airtime
from revier_mac.session import Session
from revier_node import link_policy as policy
from revier_node import store
from revier_node.kinds import air, parking, waste

BUSIEST = 49  # 24 events, each twice, and a heartbeat
FRAME_SIZE = 19  # an event with its history and a MAC command
# data rate, margin, reserve -> highest data rate allowed
ALLOWED = (
    (0, 25, 25, 0),
    (0, 27, 25, 0),
    (0, 28, 25, 1),
    (0, 30, 25, 2),
    (2, 24, 25, 1),
    (5, 25, 25, 5),
    (5, 60, 25, 5),
    (5, 24, 25, 4),
    (5, 10, 25, -1),
    (0, 38, 25, 5),
)
# data rate, good so far, margin, floor -> data rate, good
ANSWERED = (
    (3, 0, 40, 0, 3, 1),
    (3, policy.UP_AFTER - 1, 40, 0, 4, 0),
    (3, policy.UP_AFTER - 1, 25, 0, 3, 0),  # enough, not more: stays and counts anew
    (3, 3, 20, 0, 1, 0),  # down at once, as far as the reserve wants
    (3, 3, 0, 0, 0, 0),
    (3, 3, 0, 2, 2, 0),  # never below the floor
    (5, 3, 90, 0, 5, 0),
)
# data rate, silent times, floor -> data rate
SILENT = ((5, 1, 0, 3), (3, 2, 0, 0), (5, 1, 4, 4), (5, 2, 2, 2), (0, 1, 0, 0), (1, 9, 1, 1))


def check_each_kind_has_made_its_choice():
    assert air.LINK is None
    assert waste.LINK is None
    reserve_db, floor_dr = parking.LINK
    assert reserve_db >= 25  # a car takes 10 to 25 dB
    assert parking.SHADOW_DB <= 10
    assert frames_an_hour(floor_dr, 8) > 1.5 * BUSIEST
    assert frames_an_hour(floor_dr, 3) >= BUSIEST - 4  # two events wait
    assert frames_an_hour(floor_dr - 1, 3) < 0.6 * BUSIEST


def frames_an_hour(dr, channels):
    """That the MAC's ledger passes, beside what a join needs. 3: default; 8: ChirpStack's."""
    session = Session()
    for i in range(channels - 3):
        session.add_channel(3 + i, 8671000 + 2000 * i, airtime.DEFAULT_DR_RANGE)
    airtime_us = airtime.airtime_us(FRAME_SIZE, *airtime.DATA_RATES[dr])
    frames = 0
    while True:
        free, _ = airtime.free_channels(session, session.mask, dr, FRAME_SIZE, 0)
        if not free:
            return frames
        airtime.book(session, session.channels[free[0]], airtime_us, 0)
        frames += 1


def check_reserve_bounds_the_data_rate():
    for dr, margin, reserve, most in ALLOWED:
        assert policy.allowed(dr, margin, reserve) == most, (dr, margin)


def check_answers_and_silence():
    for dr, good, margin, floor, *expected in ANSWERED:
        got = policy.answered(dr, good, margin, 25, floor)
        assert list(got) == expected, (dr, good, margin, got)
    for dr, times, floor, expected in SILENT:
        assert policy.silent(dr, times, floor) == expected, (dr, times)


class Device:
    def __init__(self, dr):
        self.session = Session()
        self.session.joined = True
        self.session.dr = dr
        self.checks = 0

    def request_link_check(self):
        self.checks += 1


def exchange(device, state, margin_at_sf12, kept=None):
    """One wake with one uplink; True if it was asked. The network answers what it can hear."""
    link = policy.Managed(25, 0)
    checks = device.checks
    link.before(device, state)
    margin = margin_at_sf12 - (5 * device.session.dr + 1) // 2
    if device.checks > checks and margin >= 0:
        link.margin_db = margin
    state.session = device.session.pack()  # the MAC's own, when the windows are over
    link.after(device, state, False)
    device.session = Session.unpack(state.session)  # after the deep sleep
    return device.checks > checks


def check_a_car_comes_and_goes():
    state = store.State()
    device = Device(5)
    exchange(device, state, 36)
    assert device.session.dr == 4  # 36 - 10 >= 25
    for _ in range(200):
        exchange(device, state, 36)
        assert 36 - 2.5 * device.session.dr >= 25
    assert device.session.dr == 4
    wakes = 0
    while device.session.dr > 0:
        exchange(device, state, 1)  # 35 dB gone: more than the reserve
        wakes += 1
    assert wakes <= policy.CHECK_EVERY + 2, wakes
    exchange(device, state, 1)
    assert state.link_silent == 0  # it is heard again
    wakes = 0
    while device.session.dr < 4:
        exchange(device, state, 36)
        wakes += 1
    assert wakes > 3 * policy.UP_AFTER * policy.CHECK_EVERY


def check_link_checks_are_few():
    state = store.State()
    device = Device(0)
    asked = sum(exchange(device, state, 20) for _ in range(160))
    assert asked == 10


def check_an_unacknowledged_frame_goes_down_at_once():
    state = store.State()
    state.link_uplinks = 1
    device = Device(5)
    link = policy.Managed(25, 0)
    link.before(device, state)
    assert not device.checks
    link.after(device, state, True)
    assert device.session.dr == 3


def check_data_rates_that_no_channel_has_are_left_out():
    device = Device(0)
    device.session.dr_ranges = [0x53] * 3 + [0] * 13
    policy.Managed(25, 0).before(device, store.State())
    assert device.session.dr == 3


run(globals())
