# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The MAC's time, and what the node learns of its sleep clock. Here the chip's clock is believed
time; `true_ms` is the world's."""

import time

from runner import run

from revier_mac import actions as mac
from revier_node import clock, news, store

HOUR_MS = 3_600_000
GPS_S = 1_480_000_000


class Sleeper:
    """A node whose deep sleep lasts `ppm` longer than its clock says."""

    def __init__(self, ppm):
        self.ppm = ppm
        self.state = store.State()
        self.state.awake_ms = clock.now_ms()
        self.clock = clock.Clock(self.state)
        self.true_ms = 0

    def sleep(self, ms):
        """Until the chip's clock has gone on by `ms`."""
        self.clock.mark()
        time.sleep_ms(ms)
        self.true_ms += ms * (1_000_000 + self.ppm) // 1_000_000
        self.clock = clock.Clock(self.state)

    def ask(self):
        gps_s, ms = divmod(GPS_S * 1000 + self.true_ms, 1000)
        assert news.set_gps(self.clock, gps_s, ms * 256 // 1000, self.clock.mac_ms())

    def wrong_ms(self):
        unix_s = GPS_S - clock.GPS_LEAP_S + clock.GPS_UNIX_S
        return self.clock.unix_s() * 1000 - (unix_s * 1000 + self.true_ms)


def check_an_hour_of_the_mac_is_never_shorter_than_an_hour():
    for ppm in (-50_000, 0, 50_000):
        node = Sleeper(ppm)
        started_ms = node.clock.mac_ms()
        for _ in range(12):
            node.sleep(HOUR_MS)
        assert node.clock.mac_ms() - started_ms <= node.true_ms + 1, ppm
        assert node.clock.mac_ms() - started_ms >= node.true_ms * 9 // 10, ppm


def check_time_awake_counts_whole():
    node = Sleeper(0)
    started_ms = node.clock.mac_ms()
    time.sleep_ms(HOUR_MS)
    assert node.clock.mac_ms() - started_ms == HOUR_MS
    node.clock.mark()
    assert clock.Clock(node.state).mac_ms() - started_ms == HOUR_MS


def check_a_sleep_for_the_duty_cycle_is_long_enough():
    node = Sleeper(-50_000)
    free_ms = node.clock.mac_ms() + 2_000_000
    node.sleep(node.clock.wake_ms(free_ms) - clock.now_ms())
    assert free_ms <= node.clock.mac_ms() <= free_ms + 2


def check_mac_time_goes_on_when_the_chips_clock_begins_anew():
    node = Sleeper(0)
    node.sleep(HOUR_MS)
    node.ask()
    node.state.awake_ms += 10 * HOUR_MS  # as if it had been so late
    before_ms = node.state.awake_ms - node.state.lag_ms
    node.clock = clock.Clock(node.state)
    assert node.clock.mac_ms() == before_ms
    assert node.clock.unix_s() is None


def check_two_answers_tell_the_drift():
    for ppm in (-48_000, -900, 31_000):
        node = Sleeper(ppm)
        assert node.clock.sync_due()
        node.ask()
        assert not node.clock.sync_due()
        node.sleep(HOUR_MS)
        assert abs(node.wrong_ms()) >= abs(ppm) * 3
        node.ask()
        assert abs(node.clock.ppm() - ppm) <= 60, node.clock.ppm()
        node.sleep(HOUR_MS)
        assert abs(node.wrong_ms()) < 1_500


def check_the_stated_error_covers_the_true_one():
    for ppm in (-50_000, 49_000):
        node = Sleeper(ppm)
        asked = 0
        for _ in range(24 * 6):
            node.sleep(HOUR_MS // 6)
            if node.clock.sync_due():
                node.ask()
                asked += 1
            assert abs(node.wrong_ms()) <= node.clock.error_ms() + 1_000
        assert 3 <= asked <= 6, asked


def check_the_error_limit_asks_before_the_day_is_over():
    node = Sleeper(0)
    node.ask()
    limit_ms = (clock.TIME_ERROR_MAX_MS - clock.SYNC_ERROR_MS) * 20  # at 5 %
    node.sleep(limit_ms - 1_000)
    assert not node.clock.sync_due()
    node.sleep(2_000)
    assert node.clock.sync_due()
    assert node.clock.error_ms() < 1.001 * clock.TIME_ERROR_MAX_MS


def check_a_wild_answer_is_clamped_and_a_short_while_teaches_nothing():
    state = store.State()
    state.unix_offset_ms = 1
    news.learn_drift(state, 1_000_000, news.LEARN_AFTER_MS - 1)
    assert (state.clock_ppm, state.residual_ppm) == (0, 0)
    news.learn_drift(state, 1_000_000, news.LEARN_AFTER_MS)
    assert (state.clock_ppm, state.residual_ppm) == (50_000, news.RESIDUAL_FIRST_PPM)
    news.learn_drift(state, -1_000_000, news.LEARN_AFTER_MS)
    assert (state.clock_ppm, state.residual_ppm) == (-50_000, 50_000)


RX1_AFTER_5_S = mac.Window(1, 5_000_000, 5_000_000, 868_100_000, 7, 125_000, 18)
EMPTY_DOWNLINK_US = 41_216  # 12 bytes at SF7 without a CRC


def learn_nap(state, ppm):
    """A downlink after 5 s of light sleep that takes `ppm` longer; its end was polled."""
    took_us = RX1_AFTER_5_S.delay_us + EMPTY_DOWNLINK_US - 5 * ppm + 400
    news.learn_nap(state, RX1_AFTER_5_S, took_us, 12)


def check_a_downlink_tells_what_light_sleep_errs_by():
    for ppm in (-1_000, -3, 0, 500, 1_000):
        state = store.State()
        assert state.nap_ppm == 0
        learn_nap(state, ppm)
        assert abs(state.nap_ppm - ppm) <= 1, ppm
        assert state.nap_ppm, "learnt, also when it is nothing"
        learn_nap(state, 0)
        assert abs(state.nap_ppm - ppm // 2) <= 1, ppm


def check_an_end_that_no_light_sleep_explains_teaches_nothing():
    state = store.State()
    for ppm in (-1_310, 1_310):
        learn_nap(state, ppm)
        assert state.nap_ppm == 0, ppm


run(globals())
