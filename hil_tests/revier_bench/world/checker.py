# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Is every reading that a radio gateway heard on the feed, once in effect, and as it was sent?

`check` holds the truth log against what an independent subscriber got. It believes nothing that
the gateway says about itself: a reading is known by its frame, a message by its `id`.

Once in effect: all messages of a reading carry one id (a consumer keyed on the id keeps one), no
two readings share an id, and no id changes its content.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from revier_bench.world.true_readings import TrueReading
from revier_bench.world.truth import TrueUplink

FEED_NAMES = {"temperature": "temp", "humidity": "rh", "quality": "echo", "state": "occupied"}
FEED_NAMES["emptied_from"] = "fill_before"
EXAMPLES_MAX = 5
# Keys of a message that tell of the delivery, not of the reading: a repeat may differ in them
DELIVERY_KEYS = ("late", "rx", "rev")

ReadingKey = tuple[str, ...]


@dataclass(slots=True)
class Report:
    """Lists hold one line for people per finding."""

    readings: int = 0
    messages: int = 0
    repeats: int = 0  # deliveries of an id beyond the first: allowed, a consumer drops them
    missing: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)  # one reading under several ids
    shared_ids: list[str] = field(default_factory=list)  # several readings under one id
    changed: list[str] = field(default_factory=list)  # content is not what was sent
    unexplained: list[str] = field(default_factory=list)  # no heard frame stands behind it

    @property
    def present(self) -> int:
        return self.readings - len(self.missing)

    @property
    def ok(self) -> bool:
        return not any(lines for _, lines in self.findings())

    def findings(self) -> list[tuple[str, list[str]]]:
        return [
            ("missing", self.missing),
            ("duplicated", self.duplicated),
            ("shared ids", self.shared_ids),
            ("changed", self.changed),
            ("unexplained", self.unexplained),
        ]

    def lines(self) -> list[str]:
        """A few lines for people; names the first findings of each kind."""
        text = [f"{self.readings} readings heard, {self.present} on the feed once in effect"]
        for name, found in self.findings():
            if found:
                text.append(f"{len(found)} {name}: {'; '.join(found[:EXAMPLES_MAX])}")
        return text


@dataclass(slots=True)
class _Reading:
    key: ReadingKey
    frames: list[TrueUplink] = field(default_factory=list)
    sent: list[TrueReading] = field(default_factory=list)  # in each of the frames
    ids: dict[str, None] = field(default_factory=dict)

    def __str__(self) -> str:
        first = self.frames[0]
        seq = self.key[2] if self.key[1] == "seq" else "?"
        return f"{first.dev_eui} seq {seq} (f_cnt {first.f_cnt} of session {first.session})"


def check(truth: Iterable[TrueUplink], messages: Iterable[dict[str, Any]]) -> Report:
    """`messages` are the feed's observations as decoded JSON, in any order, repeats included."""
    readings = _readings(truth)
    frames = _frame_index(readings)
    report = Report(readings=len(readings))
    first_of_id: dict[str, dict[str, Any]] = {}
    readings_of_id: dict[str, dict[ReadingKey, _Reading]] = {}
    for message in messages:
        report.messages += 1
        found = _frame_of(message, frames)
        if found is None:
            report.unexplained.append(_name(message))
            continue
        reading, sent = found
        message_id = str(message.get("id"))
        reading.ids[message_id] = None
        readings_of_id.setdefault(message_id, {})[reading.key] = reading
        first = first_of_id.setdefault(message_id, message)
        if first is not message:
            report.repeats += 1
            if _content(first) != _content(message):
                report.changed.append(f"{reading}: two contents under {message_id}")
        report.changed.extend(f"{reading}: {what}" for what in differences(sent, message))
    _judge(report, readings.values(), readings_of_id)
    return report


def _judge(
    report: Report,
    readings: Iterable[_Reading],
    readings_of_id: dict[str, dict[ReadingKey, _Reading]],
) -> None:
    for reading in readings:
        if not reading.ids:
            report.missing.append(str(reading))
        elif len(reading.ids) > 1:
            report.duplicated.append(f"{reading} as {', '.join(reading.ids)}")
    for message_id, sharers in readings_of_id.items():
        if len(sharers) > 1:
            names = " and ".join(str(reading) for reading in sharers.values())
            report.shared_ids.append(f"{message_id}: {names}")


def _readings(truth: Iterable[TrueUplink]) -> dict[ReadingKey, _Reading]:
    """Frames by reading: a reading sent again in a later frame stays one reading."""
    readings: dict[ReadingKey, _Reading] = {}
    for frame in truth:
        for sent in frame.readings:
            if sent.seq is not None:
                key: ReadingKey = (frame.dev_eui, "seq", str(sent.seq))
            else:  # the console did not say: frame and reading are taken for one
                key = (frame.dev_eui, "frame", str(frame.session), str(frame.f_cnt))
            reading = readings.setdefault(key, _Reading(key))
            reading.frames.append(frame)
            reading.sent.append(sent)
    return readings


_Sent = tuple[_Reading, TrueUplink, TrueReading]
_FrameIndex = dict[tuple[str, int, int | None], list[_Sent]]


def _frame_index(readings: dict[ReadingKey, _Reading]) -> _FrameIndex:
    index: _FrameIndex = {}
    for reading in readings.values():
        for frame, sent in zip(reading.frames, reading.sent, strict=True):
            key = (frame.dev_eui, frame.f_cnt, frame.f_port)
            index.setdefault(key, []).append((reading, frame, sent))
    return index


def _frame_of(message: dict[str, Any], frames: _FrameIndex) -> tuple[_Reading, TrueReading] | None:
    """The heard reading behind a message: of several in a frame by its sequence, of several
    sessions the one nearest in time."""
    provenance = message.get("prov") or {}
    key = (provenance.get("dev_eui"), provenance.get("f_cnt"), provenance.get("f_port"))
    candidates = frames.get(key)  # type: ignore[arg-type]
    if not candidates:
        return None
    try:
        t_us = round(datetime.fromisoformat(str(message["t"])).timestamp() * 1_000_000)
    except (KeyError, ValueError):
        return None
    if len(candidates[0][1].readings) > 1:
        seq = message.get("seq")
        candidates = [one for one in candidates if one[2].seq == seq] or candidates
    reading, _, sent = min(candidates, key=lambda one: abs(one[1].end_unix_us - t_us))
    return reading, sent


def differences(sent: TrueReading, message: dict[str, Any]) -> list[str]:
    """How the message's values differ from the payload that was sent."""
    found: list[str] = []
    measured = message.get("m") or {}
    for schema_field in sent.fields:
        name = schema_field.name
        if name == "seq" or schema_field.kind == "flags":
            continue
        value = sent.values.get(name)
        shown = measured.get(FEED_NAMES.get(name, name))
        if not isinstance(shown, dict):
            found.append(f"no {name}")
            continue
        expected = _expected(name, value, schema_field)
        given = shown.get("raw", shown.get("v")) if name != "distance" else shown.get("v")
        if given != expected or isinstance(given, bool) != isinstance(expected, bool):
            found.append(f"{name} is {given!r}, sent was {expected!r}")
    whole = (message.get("prov") or {}).get("epoch", "0") == "0"
    if whole and sent.seq is not None and message.get("seq") != sent.seq:
        found.append(f"seq is {message.get('seq')!r}, sent was {sent.seq}")
    return found


def _expected(name: str, value: int | None, schema_field: Any) -> Any:
    if value is None:
        return None
    if name == "state":
        return schema_field.choices[value - 1] == "occupied"
    choices = getattr(schema_field, "choices", None)
    if choices:
        return choices[value - 1]
    return value if schema_field.denominator == 1 else value / schema_field.denominator


def _content(message: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in message.items() if key not in DELIVERY_KEYS}


def _name(message: dict[str, Any]) -> str:
    provenance = message.get("prov") or {}
    who = f"{provenance.get('dev_eui')} f_cnt {provenance.get('f_cnt')}"
    return f"{message.get('id')} ({who} at {message.get('t')})"
