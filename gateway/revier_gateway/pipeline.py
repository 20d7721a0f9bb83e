# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The line: one raw message in, one outcome out. Read it from top to bottom.

Each step takes one type and returns the next; a step that cannot go on raises Ignored or Refused.
Nothing is entered into the work before the last step, so no event leaves half of itself behind.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Protocol

import structlog

from revier_gateway import (
    copies,
    decode,
    enrich,
    events,
    feed_messages,
    identity,
    many,
    uplink,
    usual_frame,
    usual_way,
)
from revier_gateway.events import Event, LogEvent, UplinkEvent
from revier_gateway.mqtt.link import Message
from revier_gateway.outcomes import FeedMessage, Ignored, Outcome, Refused
from revier_gateway.uplink import Uplink
from revier_gateway.values import device_id, instant_of_ms, unix_ms
from revier_gateway.work import QuarantineRow, Work
from revier_inventory import Inventory

log = structlog.get_logger("revier.gateway.pipeline")


class Listener(Protocol):
    """Who else wants to know what was heard: frames, and events that are none."""

    def listen(self, what: Uplink | Event, now_ms: int, work: Work) -> None:
        """Writes to the work."""
        ...

    def let_pass(self, up: Uplink, work: Work) -> bool:
        """A usual frame: false where this one is to be told all the same."""
        ...


def now_utc() -> datetime:
    return datetime.now(UTC)


class Pipeline:
    def __init__(
        self,
        inventory: Inventory,
        feed_root: str,
        clock: Callable[[], datetime] = now_utc,
        listeners: Sequence[Listener] = (),
        name_of: Callable[[str], str] = events.name_in_topic,
    ) -> None:
        """name_of: an event's name, from its topic."""
        self.inventory = inventory
        self.feed_root = feed_root
        self.clock = clock
        self.listen_to(listeners)
        self.name_of = name_of

    def listen_to(self, listeners: Sequence[Listener]) -> None:
        self._listeners = [one.listen for one in listeners]
        self._let_pass = [one.let_pass for one in listeners]

    def handle_batch(self, batch: Iterable[Message], work: Work) -> list[Outcome]:
        now_ms = unix_ms(self.clock())
        return [self._handle(raw, now_ms, work) for raw in batch]

    def handle(self, raw: Message, work: Work, received_at: datetime | None = None) -> Outcome:
        """received_at: of a message that waited in quarantine."""
        return self._handle(raw, unix_ms(received_at or self.clock()), work)

    def _handle(self, raw: Message, now_ms: int, work: Work) -> Outcome:
        """Take one message the whole way, and account for it in the work."""
        name = self.name_of(raw.topic)
        try:
            event = events.parse(name, raw.payload)
            outcome = self._follow(name, event, now_ms, work)
        except Ignored as end:
            outcome = Outcome("ignored", name, end.reason, end.detail)
        except Refused as end:
            outcome = Outcome("quarantined", name, end.reason, end.detail)
        except sqlite3.Error:
            raise  # the disk's fault, not the event's
        except Exception as error:
            log.exception("a defect in the pipeline", topic=raw.topic)
            outcome = Outcome("quarantined", name, "internal_error", repr(error)[:300])
        _account(outcome, raw, now_ms, work)
        return outcome

    def _follow(self, name: str, event: Event, now_ms: int, work: Work) -> Outcome:
        if not isinstance(event, UplinkEvent):
            self._tell(event, now_ms, work)
            raise Ignored(name, _detail_of(event))
        up = uplink.uplink_of(event, now_ms)
        work.note_delay(now_ms - up.received_ms)
        usual = usual_way.follow(up, work, self.inventory, self.feed_root, self._let_pass)
        if usual:
            work.hear(up.dev_eui, up.gateways, up.heard_ms)
            _publish(usual, work)
            return Outcome("published", name, messages=usual)
        return self._follow_any(name, up, now_ms, work)

    def _follow_any(self, name: str, up: Uplink, now_ms: int, work: Work) -> Outcome:
        content = zlib.crc32(up.data, up.f_port)
        frame = identity.Frame(up.dev_addr, up.f_cnt, up.heard_ms, content)
        state = work.device_state(up.dev_eui)
        follows = identity.follows(state, frame)
        if not follows:
            copies.no_copy(up, frame, state, work)
        work.hear(up.dev_eui, up.gateways, up.heard_ms)  # even where it says nothing
        self._tell(up, now_ms, work)
        payload = decode.read(up)
        if payload.other_version:
            work.counters["decoded.other_version"] += 1
        if len(payload.readings) != 1 or payload.readings[0].seq_bits == decode.WHOLE_BITS:
            return self._follow_whole(name, payload, frame, state, up, work)
        (reading,) = payload.readings
        which, after = identity.identify(state, frame, reading.seq_low, reading.seq_bits)
        measurement = enrich.measure(reading, which, self.inventory)
        reading_id = identity.reading_id(up.dev_eui, reading.kind, which)
        keys: list[bytes] = []
        usual = follows and identity.is_new(state, which)
        if not usual:
            keys = copies.keys_of(reading, which, reading_id, frame, state, work)
        newest_ms = work.latest_ms(measurement.asset.asset)
        messages = feed_messages.messages_of(measurement, reading_id, self.feed_root, newest_ms)
        _enter(work, up, frame, after, keys, messages)
        if usual:
            numbers = device_id(up.dev_eui), int(up.dev_addr, 16)
            work.enter_usual(up.dev_eui, usual_frame.pack(*numbers, up, content, which.seq))
        return Outcome("published", name, messages=messages)

    def _tell(self, what: Uplink | Event, now_ms: int, work: Work) -> None:
        for listen in self._listeners:
            listen(what, now_ms, work)

    def _follow_whole(
        self,
        name: str,
        payload: decode.Payload,
        frame: identity.Frame,
        state: identity.DeviceState,
        up: Uplink,
        work: Work,
    ) -> Outcome:
        """A frame in which nothing is to be widened: a diagnosis, an answer, a batch, a backfill.

        If one of its readings cannot be published the others are, and the event goes to
        quarantine; when it is replayed those are left out.
        """
        if payload.next_seq is not None:
            state = identity.learn(state, frame, payload.next_seq, payload.per_frame)
        elif payload.anchors and payload.readings:
            first_seq = payload.readings[0].seq_low
            state = identity.learn_batch(state, frame, first_seq, len(payload.readings))
        elif payload.readings:
            newest_seq = max(reading.seq_low for reading in payload.readings)
            state = identity.learn_backfill(state, newest_seq)
        made, refused = many.make(payload.readings, self.inventory, self.feed_root, work)
        messages = tuple([message for one in made for message in one.messages])
        _enter(work, up, frame, state, [] if refused else [copies.frame_key(up)], messages)
        for one in made:
            work.seen[one.key] = (frame.heard_ms, one.content)
            work.seen[one.low_key] = (one.t_ms, one.content)
        if refused:
            _count_published(messages, len(made), work)
            raise refused[0]
        if made:
            return Outcome("published", name, messages=messages, readings=len(made))
        if payload.readings:
            raise Ignored("duplicate_reading", f"all {len(payload.readings)} of the frame")
        if payload.next_seq is None:
            raise Ignored("answer", payload.note)
        raise Ignored("diagnosis", f"the next reading is {payload.next_seq}")


def _enter(
    work: Work,
    up: Uplink,
    frame: identity.Frame,
    state: identity.DeviceState,
    keys: list[bytes],
    messages: tuple[FeedMessage, ...] = (),
) -> None:
    work.set_device_state(up.dev_eui, state)
    for key in keys:
        work.seen[key] = (frame.heard_ms, frame.content)
    _publish(messages, work)


def _publish(messages: tuple[FeedMessage, ...], work: Work) -> None:
    work.outbox += messages
    for message in messages:
        if message.kind == "obs":
            work.history.append((message.asset, message.t_ms, message.payload))
        elif message.kind == "state":
            work.latest[message.asset] = message.t_ms


def _account(outcome: Outcome, raw: Message, now_ms: int, work: Work) -> None:
    """Every event is counted once by its name and once by what became of it."""
    work.counters[_EVENTS.get(outcome.event, "events.unknown")] += 1
    if outcome.kind == "published":
        _count_published(outcome.messages, outcome.readings, work)
        return
    work.counters[f"{outcome.kind}.{outcome.reason}"] += 1
    if outcome.kind == "quarantined":
        at = instant_of_ms(now_ms)
        work.quarantine.append(
            QuarantineRow(at, "source", outcome.reason, outcome.detail, raw.topic, raw.payload)
        )


_EVENTS = {name: f"events.{name}" for name in events.EVENT_TYPES}
_FEED = {kind: f"feed.{kind}" for kind in ("obs", "state", enrich.ALARM)}


def _count_published(messages: Iterable[FeedMessage], readings: int, work: Work) -> None:
    counters = work.counters
    counters["published.readings"] += readings
    for message in messages:
        counters[_FEED[message.kind]] += 1


def _detail_of(event: Event) -> str:
    detail = event.device_info.dev_eui
    return f"{detail} {event.code}" if isinstance(event, LogEvent) else detail
