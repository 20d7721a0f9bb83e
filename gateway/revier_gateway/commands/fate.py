# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What becomes of a downlink: a table of states and events.

    waiting       to be given to ChirpStack, now or at the next attempt
    queued        in ChirpStack's queue, until the device speaks
    sent          a radio gateway took it (txack); the end, where nobody answers
    acknowledged  by the device: its ACK, or its answer where it has one
    failed        with a reason, after all attempts
    expired       nobody heard the device in time

A missing entry of the table says nothing new. CS = ChirpStack v4.20: a confirmed item that is not
acknowledged at the next uplink is dropped (ack, acknowledged false); one that is expired or too
large at the next uplink is dropped (log EXPIRED, DOWNLINK_PAYLOAD_SIZE); one that the radio gateway
refused stays queued (log DOWNLINK_GATEWAY, without the item's id).
Everything here is a function of its arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

State = Literal["waiting", "queued", "sent", "acknowledged", "failed", "expired"]
ENDS = ("acknowledged", "failed", "expired")

ATTEMPTS_MAX = 3
AGAIN_FIRST_MS = 10 * 60_000  # doubled with each attempt
GRACE_MS = 10 * 60_000  # ChirpStack says that an item has expired when the device speaks
# A node answers in the wake that brought the downlink, at low data rates within four wakes.
UPLINKS_MAX = 8

DROPPED = {
    "EXPIRED": "expired",
    "DOWNLINK_PAYLOAD_SIZE": "payload_size",
    "DOWNLINK_CODEC": "codec",
    "F_CNT_DOWN": "f_cnt_down",
}
TRIED_AGAIN = ("vanished", "f_cnt_down", "not_acknowledged", "no_answer")


class Command(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    dev_eui: str
    kind: str
    f_port: int
    data: bytes
    confirmed: bool
    answers: bool
    created_ms: int
    expires_ms: int
    state: State = "waiting"
    reason: str = ""
    item_id: str = ""
    attempts: int = 0
    next_ms: int = 0
    sent_ms: int | None = None
    uplinks: int = 0
    answered: bool = False
    ended_ms: int | None = None
    origin: str = "admin"
    asked: str = ""


class Enqueued(msgspec.Struct, frozen=True):
    """ChirpStack has it, under this id."""

    item_id: str


class Refused(msgspec.Struct, frozen=True):
    """ChirpStack did not take it."""

    reason: str


class Vanished(msgspec.Struct, frozen=True):
    """It is not in ChirpStack's queue any more, and nobody said why: flushed, or a lost event."""


class Sent(msgspec.Struct, frozen=True):
    pass


class Acknowledged(msgspec.Struct, frozen=True):
    by_device: bool


class Dropped(msgspec.Struct, frozen=True):
    code: str  # of ChirpStack's log
    detail: str = ""


class NotTransmitted(msgspec.Struct, frozen=True):
    detail: str


class Answered(msgspec.Struct, frozen=True):
    """The node's own answer; refusal: why it did nothing. is_last: no more of it will come."""

    refusal: str = ""
    is_last: bool = True


class Heard(msgspec.Struct, frozen=True):
    """The device sent a frame."""


class Elapsed(msgspec.Struct, frozen=True):
    pass


Event = (
    Enqueued
    | Refused
    | Vanished
    | Sent
    | Acknowledged
    | Dropped
    | NotTransmitted
    | Answered
    | Heard
    | Elapsed
)
Step = Callable[[Command, Any, int], Command]
_with = msgspec.structs.replace


def advance(command: Command, event: Event, now_ms: int) -> Command:
    step = TABLE.get((command.state, type(event)))
    return command if step is None or is_over(command) else step(command, event, now_ms)


def is_over(command: Command) -> bool:
    return command.ended_ms is not None


def _enqueued(command: Command, event: Enqueued, _now_ms: int) -> Command:
    return _with(command, state="queued", item_id=event.item_id, attempts=command.attempts + 1)


def _refused(command: Command, event: Refused, now_ms: int) -> Command:
    return _again(_with(command, attempts=command.attempts + 1), event.reason, now_ms)


def _vanished(command: Command, _event: Vanished, now_ms: int) -> Command:
    return _again(command, "vanished", now_ms)


def _sent(command: Command, _event: Sent, now_ms: int) -> Command:
    now = _with(command, state="sent", reason="", sent_ms=now_ms, uplinks=0)
    waits = command.confirmed or command.answers
    return now if waits else _with(now, ended_ms=now_ms)


def _acknowledged(command: Command, event: Acknowledged, now_ms: int) -> Command:
    if not event.by_device:
        return _again(command, "not_acknowledged", now_ms)
    if command.answers:  # the frame arrived; what the node makes of it comes by its answer
        return command if command.state == "sent" else _sent(command, Sent(), now_ms)
    return _end(command, "acknowledged", "", now_ms)


def _dropped(command: Command, event: Dropped, now_ms: int) -> Command:
    reason = DROPPED.get(event.code, event.code.lower())
    if reason == "expired":
        return _end(command, "expired", "network server", now_ms)
    if reason in TRIED_AGAIN:
        return _again(command, reason, now_ms)
    return _end(command, "failed", f"{reason} {event.detail}".strip(), now_ms)


def _not_transmitted(command: Command, event: NotTransmitted, _now_ms: int) -> Command:
    return _with(command, reason=f"radio gateway: {event.detail}")


def _answered(command: Command, event: Answered, now_ms: int) -> Command:
    if not command.answers:
        return command
    if event.refusal:
        return _end(command, "failed", event.refusal, now_ms)
    if event.is_last:
        return _end(command, "acknowledged", "", now_ms)
    sent_ms = now_ms if command.sent_ms is None else command.sent_ms
    return _with(command, state="sent", answered=True, uplinks=0, sent_ms=sent_ms)


def _heard(command: Command, _event: Heard, now_ms: int) -> Command:
    now = _with(command, uplinks=command.uplinks + 1)
    if not command.answers or now.uplinks < UPLINKS_MAX:
        return now
    if command.answered:
        return _end(now, "acknowledged", "", now_ms)
    return _again(now, "no_answer", now_ms)


def _elapsed(command: Command, _event: Elapsed, now_ms: int) -> Command:
    """ChirpStack may have lost its queue, or its word may not have come."""
    if now_ms < command.expires_ms + GRACE_MS:
        return command
    if command.state != "sent":
        return _end(command, "expired", command.reason or "not heard in time", now_ms)
    if command.answered:
        return _end(command, "acknowledged", "", now_ms)
    return _end(command, "failed", "no_answer" if command.answers else "timeout", now_ms)


def _again(command: Command, reason: str, now_ms: int) -> Command:
    next_ms = now_ms + AGAIN_FIRST_MS * 2 ** max(0, command.attempts - 1)
    is_worth = reason in TRIED_AGAIN and next_ms < command.expires_ms
    if not is_worth or command.attempts >= ATTEMPTS_MAX:
        return _end(command, "failed", reason, now_ms)
    return _with(command, state="waiting", reason=reason, item_id="", next_ms=next_ms, uplinks=0)


def _end(command: Command, state: State, reason: str, now_ms: int) -> Command:
    return _with(command, state=state, reason=reason, ended_ms=now_ms)


TABLE: dict[tuple[State, type], Step] = {
    ("waiting", Enqueued): _enqueued,
    ("waiting", Refused): _refused,
    ("waiting", Answered): _answered,
    ("waiting", Elapsed): _elapsed,
    ("queued", Vanished): _vanished,
    ("queued", Sent): _sent,
    ("queued", Acknowledged): _acknowledged,
    ("queued", Dropped): _dropped,
    ("queued", NotTransmitted): _not_transmitted,
    ("queued", Answered): _answered,
    ("queued", Elapsed): _elapsed,
    ("sent", Acknowledged): _acknowledged,
    ("sent", Dropped): _dropped,
    ("sent", Answered): _answered,
    ("sent", Heard): _heard,
    ("sent", Elapsed): _elapsed,
}
