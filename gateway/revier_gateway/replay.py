# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Recorded events through the very pipeline of the service, with every one accounted for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from revier_gateway.outcomes import Outcome
from revier_gateway.pipeline import Pipeline
from revier_gateway.recordings import read
from revier_gateway.store import Store
from revier_gateway.work import Work

Row = tuple[str, str, str, str]  # file, what became of it, reason, detail


@dataclass(slots=True)
class Report:
    rows: list[Row] = field(default_factory=list)
    messages: list[tuple[str, bytes]] = field(default_factory=list)  # topic, payload

    @property
    def by_kind(self) -> Counter[str]:
        return Counter(kind for _, kind, _, _ in self.rows)

    @property
    def by_reason(self) -> Counter[tuple[str, str]]:
        return Counter((kind, reason) for _, kind, reason, _ in self.rows)

    @property
    def defects(self) -> int:
        return sum(reason == "internal_error" for _, _, reason, _ in self.rows)

    def to_json(self) -> dict[str, Any]:
        return {
            "events": len(self.rows),
            **{kind: self.by_kind[kind] for kind in ("published", "ignored", "quarantined")},
            "reasons": {f"{kind}.{why}": n for (kind, why), n in sorted(self.by_reason.items())},
            "feed_messages": len(self.messages),
            "defects": self.defects,
        }


def replay(path: Path, pipeline: Pipeline, store: Store) -> Report:
    """Each event in its own transaction, in the recording's order. Raises RecordingError."""
    report = Report()
    for recorded in read(path):
        if recorded.message is None:
            report.rows.append((recorded.name, "ignored", "not_an_event", recorded.why_not))
            continue
        work = Work(store)
        outcome = pipeline.handle(recorded.message, work)
        store.commit(work)
        report.rows.append((recorded.name, *_told(outcome)))
        report.messages += [(message.topic, message.payload) for message in outcome.messages]
    return report


def _told(outcome: Outcome) -> tuple[str, str, str]:
    if outcome.kind == "published":
        topics = ", ".join(message.topic for message in outcome.messages)
        return "published", outcome.event, topics
    return outcome.kind, outcome.reason, outcome.detail
