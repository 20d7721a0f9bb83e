# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The last events and frames of each device, for the streams of `InternalService`."""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from chirpstack_api import api
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from revier_bench.network_server.events import Event
from revier_bench.network_server.pbjson import to_json
from revier_bench.network_server.state import FrameLog
from revier_bench.network_server.times import NS_PER_MS, timestamp

HISTORY_PER_DEVICE = 10  # ChirpStack's default; MAXLEN ~ 10 keeps at least these
POLL_S = 0.25


Build = Callable[[], api.LogItem]


@dataclass(frozen=True, slots=True)
class _Line:
    serial: int
    id: str
    build: Build


@dataclass(slots=True)
class LogHub:
    """`follow` blocks in the caller's thread; everything else may be called from any."""

    history: int = HISTORY_PER_DEVICE
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _lines: dict[tuple[str, str], deque[_Line]] = field(default_factory=dict)
    _serial: int = 0

    def add_event(self, event: Event, now_ns: int) -> None:
        self._add("event", event.dev_eui, lambda: _event_item(event), now_ns)

    def add_frame(self, frame: FrameLog, now_ns: int) -> None:
        self._add("frame", frame.dev_eui, lambda: _frame_item(frame), now_ns)

    def _add(self, kind: str, dev_eui: str, build: Build, now_ns: int) -> None:
        """Lines are built when somebody reads them: hardly any is ever read."""
        with self._changed:
            self._serial += 1
            line = _Line(self._serial, f"{now_ns // NS_PER_MS}-{self._serial}", build)
            self._lines.setdefault((kind, dev_eui), deque(maxlen=self.history)).append(line)
            self._changed.notify_all()

    def follow(self, kind: str, dev_eui: str, wanted: Callable[[], bool]) -> Iterator[api.LogItem]:
        """What is kept, then what comes, until `wanted` says no more."""
        seen = 0
        while wanted():
            with self._changed:
                kept = self._lines.get((kind, dev_eui), ())
                lines = [line for line in kept if line.serial > seen]
                if not lines:
                    self._changed.wait(POLL_S)
                    continue
            for line in lines:
                seen = line.serial
                item = line.build()
                item.id = line.id
                yield item


def _event_item(event: Event) -> api.LogItem:
    return api.LogItem(
        time=event.message.time,  # type: ignore[attr-defined]
        description=event.kind,
        body=to_json(event.message).decode(),
        properties=_properties(event),
    )


def _frame_item(frame: FrameLog) -> api.LogItem:
    return api.LogItem(
        time=timestamp(frame.time_ns),
        description=frame.description,
        body=json.dumps(frame.body()),
        properties=frame.properties,
    )


def _properties(event: Event) -> dict[str, str]:
    message = event.message
    if event.kind == "up":
        data = getattr(message, "data", b"")
        return {
            "DR": _text(message, "dr"),
            "FPort": _text(message, "f_port"),
            "FCnt": _text(message, "f_cnt"),
            "Data": data.hex(),
        }
    if event.kind == "join":
        return {"DevAddr": _text(message, "dev_addr")}
    if event.kind == "status":
        return {
            "Margin": _text(message, "margin"),
            "Battery level": f"{getattr(message, 'battery_level', 0.0):.0f}%",
            "Battery level unavailable": _text(message, "battery_level_unavailable").lower(),
            "External power source": _text(message, "external_power_source").lower(),
        }
    if event.kind == "log":
        named = MessageToDict(message, always_print_fields_with_no_presence=True)
        return {"Level": named["level"], "Code": named["code"]}
    return {}


def _text(message: Message, name: str) -> str:
    return str(getattr(message, name))
