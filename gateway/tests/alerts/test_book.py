# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The automaton of an alert: told once, taken back once, never lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from revier_gateway.alerts import book as books
from revier_gateway.alerts.book import Book, Incident, Silence, told
from revier_gateway.alerts.rules import RULES

RULE = "asset-offline"  # raised after 60 s, taken back at once
SLOW = "battery-low"  # raised at once, taken back after an hour
S = 1000


class Desk:
    def __init__(self) -> None:
        self.book: Book = {}
        self.incidents: list[Incident] = []
        self.said: list[tuple[str, str]] = []
        self.silences: list[Silence] = []

    def at(self, second: int, *names: str, rule: str = RULE, **causes: str) -> Desk:
        found = {rule: dict.fromkeys(names, "10 min")}
        found |= {cause.replace("_", "-"): {"": text} for cause, text in causes.items()}
        self.book, incidents = books.step(self.book, found, second * S)
        self.incidents += incidents
        return self

    def tell(self, second: int, taken: bool = True) -> Desk:
        alerts = books.to_tell(self.book, self.silences, second * S)
        if taken:
            self.said += [(alert.subject, alert.state) for alert in alerts]
            self.book = told(self.book, alerts)
        return self


def test_it_is_told_when_it_has_lasted_and_taken_back_once() -> None:
    desk = Desk().at(0, "a").tell(0).at(59, "a").tell(59)
    assert desk.said == []
    desk.at(60, "a").tell(60).at(70, "a").tell(70).at(500, "a").tell(500)
    assert desk.said == [("a", "raised")]
    desk.at(510).tell(510).at(520).tell(520)
    assert desk.said == [("a", "raised"), ("a", "cleared")]
    assert desk.book == {}
    assert desk.incidents == [
        Incident(RULE, "a", 0, None, "10 min"),
        Incident(RULE, "a", 0, 510 * S, "10 min"),
    ]


def test_a_moment_is_no_alert() -> None:
    desk = Desk().at(0, "a").at(50).at(55, "a").at(110, "a").tell(110)
    assert (desk.said, desk.incidents) == ([], [])


def test_it_is_taken_back_only_when_it_stays_away() -> None:
    desk = Desk().at(0, "b", rule=SLOW).tell(0)
    for second in range(100, 20_000, 3500):
        desk.at(second, rule=SLOW).at(second + 50, "b", rule=SLOW).tell(second + 50)
    assert desk.said == [("b", "raised")]
    desk.at(30_000, rule=SLOW).tell(30_000)
    assert desk.said[-1] == ("b", "cleared")


def test_what_was_not_delivered_is_told_again() -> None:
    desk = Desk().at(0, "a").at(60, "a").tell(60, taken=False).at(70, "a").tell(70)
    assert desk.said == [("a", "raised")]


def test_what_nobody_was_told_of_is_not_taken_back() -> None:
    desk = Desk().at(0, "a").at(60, "a").at(70).tell(70)
    assert (desk.said, desk.book) == ([], {})
    assert desk.incidents[-1].cleared_ms == 70 * S


def test_an_end_while_the_beginning_is_on_its_way_is_told_too() -> None:
    desk = Desk().at(0, "a").at(60, "a")
    alerts = books.to_tell(desk.book, [], 60 * S)
    desk.at(70)
    desk.book = told(desk.book, alerts)
    assert desk.tell(80).said == [("a", "cleared")]


def test_its_cause_holds_it_still() -> None:
    desk = Desk().at(0, "a").at(60, "a").tell(60)
    desk.at(70, source_down="gone").tell(70).at(9000, "a", "b", source_down="gone").tell(9000)
    assert [name for name, _ in desk.said] == ["a", ""]
    assert desk.said == [("a", "raised"), ("", "raised")]


def test_a_silence_holds_the_telling_and_not_the_alert() -> None:
    desk = Desk()
    desk.silences = [Silence(1, RULE, "a", 0, 100 * S, "new roof")]
    desk.at(0, "a", "b").at(60, "a", "b").tell(60)
    assert desk.said == [("b", "raised")]
    assert books.active(desk.book, RULE) == {"a", "b"}
    desk.at(100, "a", "b").tell(100)
    assert desk.said == [("b", "raised"), ("a", "raised")]


def test_a_silence_may_cover_everything() -> None:
    desk = Desk()
    desk.silences = [Silence(1, "*", "*", 0, 100 * S)]
    desk.at(0, "a").at(60, "a").tell(99)
    assert desk.said == []


@given(
    st.lists(
        st.tuples(st.booleans(), st.booleans(), st.booleans(), st.integers(1, 200)), max_size=60
    )
)
def test_raised_and_cleared_alternate_and_nothing_stays_open(
    moments: list[tuple[bool, bool, bool, int]],
) -> None:
    """Whatever comes, goes, is explained, or is not delivered."""
    desk, second = Desk(), 0
    for there, explained, taken, pause_s in moments:
        second += pause_s
        causes = {"source_down": "gone"} if explained else {}
        desk.at(second, *(["a"] if there else []), **causes).tell(second, taken)
    desk.at(second + 1).tell(second + 1).at(second + 500).tell(second + 500)
    said = [state for name, state in desk.said if name == "a"]
    assert said == ["raised", "cleared"] * (len(said) // 2)
    assert all(key[0] != RULE for key in desk.book)
    mine = [one for one in desk.incidents if one.rule == RULE]
    assert len([one for one in mine if one.cleared_ms is None]) * 2 == len(mine)


def test_every_cause_is_a_rule() -> None:
    for rule in RULES.values():
        assert set(rule.explained_by) <= set(RULES)
        assert rule.name not in rule.explained_by
