# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Times without hearing, against a clock that counts milliseconds one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from revier_gateway.watch.deafness import KEPT_MS, PERIODS_MAX, SOURCE, Deafness, length_ms

A, B = "aa", "bb"
SCOPES = (SOURCE, A, B)
CHANGE = st.tuples(st.sampled_from(SCOPES), st.booleans())
END_MS = 40


def played(changes: list[tuple[str, bool]]) -> tuple[Deafness, list[dict[str, bool]]]:
    """One change each millisecond; what was deaf in which one."""
    deafness, truth = Deafness(), []
    now = dict.fromkeys(SCOPES, False)
    for at_ms in range(END_MS):
        if at_ms < len(changes):
            scope, deaf = changes[at_ms]
            now[scope] = deaf
            if deaf:
                deafness.begin(scope, f"{scope} is gone", at_ms)
            else:
                deafness.end(scope, at_ms)
        truth.append(dict(now))
    return deafness, truth


@given(
    st.lists(CHANGE, max_size=END_MS),
    st.sampled_from([(), (A,), (A, B)]),
    st.integers(0, END_MS),
    st.integers(0, END_MS),
)
def test_a_device_is_deaf_with_the_source_or_with_all_of_its_radio_gateways(
    changes: list[tuple[str, bool]], gateways: tuple[str, ...], one: int, other: int
) -> None:
    deafness, truth = played(changes)
    from_ms, until_ms = sorted((one, other))
    expected = [
        at_ms
        for at_ms in range(from_ms, until_ms)
        if truth[at_ms][SOURCE] or (gateways and all(truth[at_ms][gateway] for gateway in gateways))
    ]
    spans = deafness.deaf(gateways, from_ms, until_ms)
    assert [at_ms for start, end in spans for at_ms in range(start, end)] == expected
    assert length_ms(spans) == len(expected)


@given(st.lists(CHANGE, max_size=END_MS), st.integers(0, END_MS))
def test_a_restart_from_its_periods_changes_nothing(
    changes: list[tuple[str, bool]], from_ms: int
) -> None:
    deafness, _ = played(changes)
    again = Deafness(deafness.periods())
    for gateways in ((), (A,), (A, B)):
        assert again.deaf(gateways, from_ms, END_MS) == deafness.deaf(gateways, from_ms, END_MS)
    for scope in SCOPES:
        assert again.cause(scope) == deafness.cause(scope)
        assert again.touches(scope, from_ms) == deafness.touches(scope, from_ms)


def test_the_last_cause_is_the_one_that_ended_last_and_the_source_goes_first() -> None:
    deafness = Deafness()
    deafness.begin(A, "radio", 10)
    deafness.begin(SOURCE, "down", 10)
    deafness.end(SOURCE, 20)
    assert deafness.last_cause((A,), 0, 30) == "radio"
    deafness.end(A, 20)
    assert deafness.last_cause((A,), 0, 30) == "down"
    assert deafness.last_cause((), 20, 30) == ""


def test_it_is_bounded() -> None:
    deafness = Deafness()
    for n in range(PERIODS_MAX + 5):
        deafness.begin(SOURCE, "down", 10 * n)
        deafness.end(SOURCE, 10 * n + 5)
    assert len(deafness.periods()) == PERIODS_MAX
    deafness.begin(A, "radio", 0)
    deafness.forget(KEPT_MS + 10 * PERIODS_MAX + 100)
    assert [period.scope for period in deafness.periods()] == [A]
