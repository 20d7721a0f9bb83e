# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The battery gauge counts exactly, keeps its count, and is corrected only at the ends."""

from runner import raises, run

from revier_node import battery
from revier_node.battery import LI_SOCL2, LIFEPO4, Gauge

YEAR_S = 31_557_600


def check_the_count_is_exact_over_every_split():
    for current_ua, total_ms in ((20, 86_400_000), (120_000, 2_466), (47, 999), (90_001, 30_007)):
        gauge = Gauge(LIFEPO4, 6_000)
        for _ in range(1000):
            gauge.took(current_ua, total_ms)
        got_uas = gauge.used_mah * battery.UAS_PER_MAH + gauge._rest_uas
        exact_uas = current_ua * total_ms
        assert abs(got_uas - exact_uas) <= 1000 // 2, (current_ua, total_ms)


def check_a_year_of_a_parking_node():
    gauge = Gauge(LI_SOCL2, 19_000)
    for _ in range(365):  # a day: 48 wakes of 1.2 s, 48 uplinks at SF10, two windows each
        gauge.did(battery.CPU, 48 * 1_200)
        gauge.did(battery.TX, 48 * 371)
        gauge.did(battery.RX, 48 * 60)
        gauge.did(battery.SLEEP, 86_400_000)
        gauge.aged(86_400)
        gauge = Gauge(LI_SOCL2, 19_000, gauge.pack())
    by_hand_uas = 365 * (40_000 * 57.6 + 92_000 * 17.808 + 7_000 * 2.88 + 14 * 86_400 + 21 * 86_400)
    assert abs(gauge.used_mah - by_hand_uas / 3_600_000) <= 1.5


def check_six_bytes_keep_everything():
    gauge = Gauge(LIFEPO4, 6_000)
    gauge.took(123_456, 7_890_123)
    for _ in range(2):
        gauge.measured(2_950, 2_800)
    packed = gauge.pack()
    assert len(packed) == battery.SIZE == 6
    again = Gauge(LIFEPO4, 6_000, packed)
    assert again.pack() == packed
    again.measured(2_950, 2_800)  # the third in a row, after the power was away
    assert again.low
    assert again.left_permille() == battery.NEARLY_EMPTY_PERMILLE


def check_torn_or_foreign_bytes_begin_anew():
    for wrong in (b"", b"12345", b"\xff" * 6, b"\x00\x00\xff\xff\xff\xff", bytes(7)):
        gauge = Gauge(LIFEPO4, 6_000, wrong)
        assert (gauge.used_mah, gauge.low, gauge.anchored) == (0, False, False), wrong


def check_the_count_ends_at_the_capacity():
    gauge = Gauge(LI_SOCL2, 100)
    gauge.took(100_000, 86_400_000)
    assert gauge.left_permille() == 0
    assert Gauge(LI_SOCL2, 100, gauge.pack()).used_mah == 100


def check_full_anchors_lifepo4_only():
    for chemistry, used_mah in ((LIFEPO4, 0), (LI_SOCL2, 1_000)):
        gauge = Gauge(chemistry, 6_000)
        gauge.took(1_000_000, 3_600_000)
        gauge.measured(3_400, None)  # at the limit: not yet
        assert gauge.used_mah == 1_000
        gauge.measured(3_401, None)
        assert gauge.used_mah == used_mah, chemistry


def check_nearly_empty_needs_three_readings_at_rest():
    gauge = Gauge(LIFEPO4, 6_000)
    for mv in (2_999, 2_999, 3_000, 2_999, 2_999):
        gauge.measured(mv, None)
        assert gauge.left_permille() == 1000
    assert gauge.measured(2_999, None)
    assert gauge.left_permille() == 50
    gauge.took(1_000_000, 3_600_000)
    for _ in range(3):
        gauge.measured(2_900, None)
    assert gauge.left_permille() == 0  # an emptier count is not lifted


def check_the_flat_middle_moves_nothing():
    gauge = Gauge(LIFEPO4, 6_000)
    gauge.took(1_000_000, 10_800_000)
    for mv in range(3_000, 3_401, 25):
        gauge.measured(mv, mv - 50)
        assert gauge.used_mah == 3_000


def check_low_has_hysteresis_in_voltage_and_count():
    gauge = Gauge(LI_SOCL2, 19_000)
    for mv in (2_899, 2_899, 2_900, 2_899, 2_899):  # 2,900 breaks the run
        gauge.measured(None, mv)
        assert not gauge.low
    assert gauge.measured(None, 2_899)
    for mv in (3_100, 3_101, 3_101, 3_100, 3_101, 3_101):
        assert gauge.measured(None, mv), mv
    assert not gauge.measured(None, 3_101)


def check_soon_empty_by_count_only_when_the_count_began_full():
    gauge = Gauge(LI_SOCL2, 10_000)
    gauge.took(1_000_000, 9_100 * 3_600)
    assert not gauge.replace_soon()
    gauge.new_cell()
    gauge.took(1_000_000, 9_000 * 3_600)
    assert not gauge.replace_soon()
    gauge.took(1_000_000, 11 * 3_600)
    assert gauge.replace_soon()


def check_resistance_charging_prepulse():
    assert battery.resistance_mohm(3_600, 3_300, 120_000) == 2_500
    assert battery.resistance_mohm(3_300, 3_300, 120_000) is None
    assert battery.resistance_mohm(3_600, 3_300, 0) is None
    assert not battery.may_charge(None, True)
    assert [battery.may_charge(t, True) for t in (-1, 0)] == [False, True]
    assert [battery.may_charge(t, False) for t in (199, 200)] == [False, True]
    assert battery.needs_prepulse(LI_SOCL2, 7 * 86_400)
    assert not battery.needs_prepulse(LI_SOCL2, 7 * 86_400 - 1)
    assert not battery.needs_prepulse(LIFEPO4, 90 * 86_400)


def check_unknown_cells_are_refused():
    for arguments in (("nimh", 1_000), (LIFEPO4, 0), (LIFEPO4, 65_536)):
        raises(ValueError, Gauge, *arguments)


run(globals())
