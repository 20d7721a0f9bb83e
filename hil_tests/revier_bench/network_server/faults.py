# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a real ChirpStack does to its events when things go wrong, switched on at will.

The control topic `revier-bench/fault` and the option `--fault` take a JSON object:

* `{"qos": 0}`: events at QoS 0, ChirpStack's default (null: as started);
* `{"reorder": 0.3}`: that share of events is overtaken by later ones, as ChirpStack publishes each
  event in a task of its own;
* `{"late_copy": 0.1}`: that share of `up` events comes a second time under a new
  `deduplicationId`, as from a late copy or from a second ChirpStack on one broker;
* `{"lose_events": true}`: events are published to nobody, as while its broker is away; they stay in
  the log that `InternalService.StreamDeviceEvents` gives out.

Keys that are not named keep their value; `{"heal": true}` ends all and lets out what was held back.
"""

import random
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from revier_bench.network_server.chance import Chance
from revier_bench.network_server.events import Event

HELD_EVENTS_MAX = 1000


class FaultError(ValueError):
    """The control message is not one of these."""


class FaultRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    qos: int | msgspec.UnsetType | None = msgspec.UNSET
    reorder: float | msgspec.UnsetType = msgspec.UNSET
    late_copy: float | msgspec.UnsetType = msgspec.UNSET
    lose_events: bool | msgspec.UnsetType = msgspec.UNSET
    heal: bool = False


@dataclass(frozen=True, slots=True)
class Faults:
    qos: int | None = None
    reorder: float = 0.0
    late_copy: float = 0.0
    lose_events: bool = False


def parse(payload: bytes, now: Faults) -> Faults:
    try:
        asked = msgspec.json.decode(payload, type=FaultRequest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FaultError(f"fault: {error}") from None
    if asked.qos not in (msgspec.UNSET, None, 0, 1):
        raise FaultError("fault: qos is 0, 1 or null")
    names = ("qos", "reorder", "late_copy", "lose_events")
    given: dict[str, Any] = {n: getattr(asked, n) for n in names}
    changes = {n: v for n, v in given.items() if v is not msgspec.UNSET}
    return replace(Faults() if asked.heal else now, **changes)


@dataclass(slots=True)
class EventFaults:
    """Stands between the core's events and MQTT."""

    chance: Chance
    random: random.Random
    faults: Faults = field(default_factory=Faults)
    lost: int = 0
    _held: list[Event] = field(default_factory=list)

    def set(self, faults: Faults) -> None:
        self.faults = faults

    def through(self, events: list[Event]) -> list[Event]:
        """What goes out now, in this order."""
        if self.faults.lose_events:
            self.lost += len(events)
            return []
        now: list[Event] = []
        held: list[Event] = []
        for event in events:
            overtaken = self.random.random() < self.faults.reorder
            (held if overtaken else now).append(event)
            if event.kind == "up" and self.random.random() < self.faults.late_copy:
                held.append(self._late_copy(event))
        now += self._held
        self._held = held[:HELD_EVENTS_MAX]
        return now + held[HELD_EVENTS_MAX:]

    def release(self) -> list[Event]:
        """All that is held back; for healing and for the end."""
        held, self._held = self._held, []
        return held

    def _late_copy(self, event: Event) -> Event:
        message: Any = type(event.message)()
        message.CopyFrom(event.message)
        message.deduplication_id = self.chance.uuid("late_copy")
        del message.rx_info[:-1]
        return replace(event, message=message)
