# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The judge of the duty cycle sees what it must, and the measurement can fail."""

from dataclasses import replace
from random import Random

import pytest

from revier_bench.measure import duty
from revier_bench.measure.duty_checker import Sent, Spans, aggregate_violations, excesses_us, judge
from revier_bench.measure.duty_node import Node, Plan
from revier_bench.measure.duty_peers import ExactLedger

S = 1_000_000
HOUR = 3_600 * S


def full_hour(frequency_hz: int, limit_us: int, step_us: int) -> list[Sent]:
    """As many SF9 frames as fit into one hour's limit, from 0 on."""
    frame = Sent(0, frequency_hz, 9, 125_000, 64)
    return [replace(frame, start_us=i * step_us) for i in range(limit_us // frame.airtime_us)]


@pytest.mark.parametrize(
    ("frequency_hz", "limit_us"),
    [
        (864_000_000, 3_600_000),
        (867_100_000, 36_000_000),
        (868_300_000, 36_000_000),
        (869_000_000, 3_600_000),
        (869_525_000, 360_000_000),
        (869_850_000, 36_000_000),
    ],
)
def test_one_frame_too_many_in_an_hour(frequency_hz, limit_us):
    sent = full_hour(frequency_hz, limit_us, 2 * S)
    assert judge(sent).holds
    airtime_us = sent[0].airtime_us
    last_start_us = HOUR - airtime_us + (sent[0].airtime_us * (len(sent) + 1) - limit_us)
    legal = replace(sent[0], start_us=last_start_us)
    assert judge([*sent, legal]).holds  # by then just enough of the first frame is an hour old
    verdict = judge([*sent, replace(legal, start_us=last_start_us - 1)])
    assert verdict.violations
    assert verdict.worst_excess_us == 1


def test_exactly_at_the_limit():
    at_limit = Spans.of([(0, 20 * S), (1800 * S, 1816 * S), (HOUR, HOUR + 20 * S)])
    assert not excesses_us(at_limit, 36 * S)
    above = Spans.of([(0, 20 * S), (1800 * S, 1816 * S), (HOUR - 1, HOUR + 20 * S - 1)])
    assert max(excesses_us(above, 36 * S)) == 1


def test_an_hour_that_no_frame_ends():
    """The fullest hour begins within no bucket: it begins with the second frame."""
    spans = Spans.of([(0, S), (100 * S, 130 * S), (HOUR + 90 * S, HOUR + 110 * S)])
    assert max(excesses_us(spans, 36 * S)) == 4 * S


@pytest.mark.parametrize("seed", range(20))
def test_the_worst_hour_is_the_worst_of_all(seed):
    """Against a search over every hour that begins or ends at any edge of any frame."""
    chance = Random(seed)
    spans, now_s = [], 0
    for _ in range(60):
        now_s += chance.randint(1, 400)
        spans.append((now_s * S, (now_s + chance.randint(1, 60)) * S))
        now_s += 60
    edges = [edge + shift for span in spans for edge in span for shift in (0, -HOUR)]
    worst_us = max(
        sum(max(0, min(end, at + HOUR) - max(start, at)) for start, end in spans) for at in edges
    )
    assert max(excesses_us(Spans.of(spans), worst_us - 1)) == 1
    assert not excesses_us(Spans.of(spans), worst_us)


def test_outside_of_every_band_and_over_an_edge():
    for frequency_hz in (868_650_000, 868_580_000, 869_300_000, 870_000_000, 862_900_000):
        assert judge([Sent(0, frequency_hz, 7, 125_000, 20)]).forbidden == 1
    assert judge([Sent(0, 869_800_000, 7, 125_000, 20)]).holds
    assert judge([Sent(0, 869_800_000, 7, 250_000, 20)]).forbidden == 1


def test_two_frames_at_once_are_no_record():
    frame = Sent(0, 868_100_000, 12, 125_000, 20)
    with pytest.raises(ValueError, match="at once"):
        judge([frame, replace(frame, start_us=1000)])


def test_aggregated_duty_cycle():
    frame = Sent(0, 868_100_000, 7, 125_000, 20)
    due_us = frame.airtime_us << 4
    assert aggregate_violations([frame, replace(frame, start_us=due_us)], [4, 4]) == 0
    assert aggregate_violations([frame, replace(frame, start_us=due_us - 1)], [4, 4]) == 1


def test_small_run_has_no_violation_and_its_result_can_fail():
    plans = [*duty.plans(5_000, 5), duty.mix_plans(1_000)[-1]]
    outcomes = [one for plan in plans for one in duty.judged(plan)]
    result = duty.summary(outcomes)
    families = {plan.family for plan in plans}
    mix = "3 channels, DR5, 242 B"
    assert families == {mix, duty.EXACT, duty.ERRING, duty.LIMITED, duty.REPEATING, duty.COLD}
    assert result["n"]["uplinks"] >= 5_000
    for row in result["rows"]:
        assert row["violations"] == 0 or row["node"] not in families, row
    assert sum("violations, worst" in peer for peer in result["peer"].values()) == 4
    ideal = [replace(one, aggregate_violations=0, used_us=full(one)) for one in outcomes]
    assert duty.summary(ideal)["holds"]
    assert not duty.summary([replace(ideal[0], violations=1), *ideal[1:]])["holds"]
    assert not duty.summary([replace(ideal[0], forbidden=1), *ideal[1:]])["holds"]
    assert not duty.summary([replace(ideal[0], offered=2.9), *ideal[1:]])["holds"]
    for family in (duty.EXACT, duty.ERRING, duty.COLD, mix):
        idle = [replace(one, used_us=(0,) * 6) if one.family == family else one for one in ideal]
        assert not duty.summary(idle)["holds"], family


def full(one: duty.Outcome) -> tuple[int, ...]:
    """What a node would have used that fills every sub-band."""
    hours = one.saturated_us / HOUR
    return tuple(int(hours * duty.checker.limit_us(band)) for band in range(6))


def test_what_is_permitted_after_a_cold_start_is_one_join():
    ledger = ExactLedger([10 * S])
    ledger.sent(2, 0, 30 * S)
    assert ledger.allows(2, 9 * S, 6 * S)
    assert not ledger.allows(2, 9 * S, 6 * S + 1)
    assert ledger.allows(2, 11 * S, ledger.RESERVE_US)
    assert not ledger.allows(2, 11 * S, ledger.RESERVE_US + 1)
    assert not ledger.allows(5, 11 * S, 1)
    assert not ledger.allows(5, HOUR + 10 * S - 2, 1)
    assert ledger.allows(5, HOUR + 10 * S, 36 * S)


def test_a_sleep_clock_that_nobody_allows_for_is_seen():
    life = Node(Plan("", 3, 4_000, sleep_error_ppm=-50_000)).run()
    assert judge(life.sent).violations
