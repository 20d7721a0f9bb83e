# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From symptoms to what is told: an automaton for each rule and subject.

    state     symptom            no symptom
    (none)    -> pending
    pending   raise_after_s:     -> (none)
              -> raised
    raised                       clear_after_s: -> cleared
    cleared   -> raised

A raised alert is told once, a cleared one is taken back once. What was not delivered, or is
silenced, stays to be told; what came and went in between is never told, and stands in the
incidents. While a rule's cause is there its alerts stand still: neither raised nor taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from revier_gateway.alerts.rules import RULES, Rule, Symptoms

State = Literal["pending", "raised", "cleared"]
Key = tuple[str, str]  # rule, subject

DETAIL_CHARS_MAX = 300
ANY = "*"


class Alert(msgspec.Struct, frozen=True):
    rule: str
    subject: str
    state: State
    since_ms: int  # of the symptom
    last_ms: int  # that it was seen
    detail: str = ""
    told: bool = False  # that it is raised


class Silence(msgspec.Struct, frozen=True):
    """A maintenance window: these alerts are not told between since and until."""

    id: int
    rule: str  # or ANY
    subject: str  # or ANY
    since_ms: int
    until_ms: int
    why: str = ""

    def covers(self, alert: Alert, now_ms: int) -> bool:
        return (
            self.since_ms <= now_ms < self.until_ms
            and self.rule in (ANY, alert.rule)
            and self.subject in (ANY, alert.subject)
        )


class Incident(msgspec.Struct, frozen=True):
    """An alert that was raised, and is over where cleared_ms is known."""

    rule: str
    subject: str
    since_ms: int
    cleared_ms: int | None
    detail: str


Book = dict[Key, Alert]


def step(
    book: Mapping[Key, Alert], found: Mapping[str, Symptoms], now_ms: int
) -> tuple[Book, list[Incident]]:
    """The next book, and the incidents that began or ended. found: symptoms by rule."""
    after: Book = {}
    incidents: list[Incident] = []
    for rule in RULES.values():
        symptoms = found.get(rule.name, {})
        mine = {alert.subject: alert for alert in book.values() if alert.rule == rule.name}
        if any(found.get(cause) for cause in rule.explained_by):
            after.update({(rule.name, name): alert for name, alert in mine.items()})
            continue
        for subject in {**mine, **symptoms}:
            before, detail = mine.get(subject), symptoms.get(subject)
            alert = _next(rule, subject, before, detail, now_ms)
            if alert is not None:
                after[rule.name, subject] = alert
            incidents += _incidents(before, alert, now_ms)
    return after, incidents


def _next(
    rule: Rule, subject: str, before: Alert | None, detail: str | None, now_ms: int
) -> Alert | None:
    if detail is None:
        return _without(rule, before, now_ms)
    detail = detail[:DETAIL_CHARS_MAX]
    if before is None:
        before = Alert(rule.name, subject, "pending", now_ms, now_ms, detail)
    if before.state == "cleared":  # it came back before anybody was told that it was over
        return msgspec.structs.replace(before, state="raised", last_ms=now_ms, detail=detail)
    ripe = now_ms - before.since_ms >= rule.raise_after_s * 1000
    state: State = "raised" if before.state == "raised" or ripe else "pending"
    return msgspec.structs.replace(before, state=state, last_ms=now_ms, detail=detail)


def _without(rule: Rule, before: Alert | None, now_ms: int) -> Alert | None:
    if before is None or before.state == "pending":
        return None
    if before.state == "cleared" or now_ms - before.last_ms < rule.clear_after_s * 1000:
        return before
    return msgspec.structs.replace(before, state="cleared") if before.told else None


def _incidents(before: Alert | None, after: Alert | None, now_ms: int) -> Iterable[Incident]:
    was = before is not None and before.state == "raised"
    is_now = after is not None and after.state == "raised"
    if is_now and not was:
        assert after is not None
        yield Incident(after.rule, after.subject, after.since_ms, None, after.detail)
    elif was and not is_now:
        assert before is not None
        yield Incident(before.rule, before.subject, before.since_ms, now_ms, before.detail)


def to_tell(book: Mapping[Key, Alert], silences: Iterable[Silence], now_ms: int) -> list[Alert]:
    """What somebody is to be told now: raised and untold, cleared and told."""
    quiet = list(silences)
    return [
        alert
        for alert in book.values()
        if (alert.state == "cleared" or (alert.state == "raised" and not alert.told))
        and not any(silence.covers(alert, now_ms) for silence in quiet)
    ]


def told(book: Mapping[Key, Alert], alerts: Iterable[Alert]) -> Book:
    """They were delivered. One that ended meanwhile is to be taken back."""
    after = dict(book)
    for alert in alerts:
        key = (alert.rule, alert.subject)
        now = after.get(key)
        if alert.state == "raised":
            ended = msgspec.structs.replace(alert, state="cleared")
            after[key] = msgspec.structs.replace(now or ended, told=True)
        elif now is not None and now.state == "cleared":
            del after[key]
    return after


def active(book: Mapping[Key, Alert], rule: str) -> frozenset[str]:
    """Subjects for which the rule has raised an alert."""
    return frozenset(
        alert.subject for alert in book.values() if alert.rule == rule and alert.state == "raised"
    )
