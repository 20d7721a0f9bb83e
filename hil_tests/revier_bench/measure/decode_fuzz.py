# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""decode-fuzz: 10^6 malformed events and payloads through the gateway's whole pipeline.

Whole events as ChirpStack writes them, as JSON and as protobuf, are damaged: bytes flipped, cut and
repeated; fields taken out, of the wrong type, of extreme value; payloads of noise on every fPort;
topics of nonsense. Nothing may raise, none may end as a defect of the gateway, and each must be
published, ignored or in quarantine: counted by the pipeline and by this measurement alike.
"""

from __future__ import annotations

import base64
import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chirpstack_api import integration
from google.protobuf import json_format

from revier_bench.measure import gateway_town
from revier_gateway.mqtt.link import Message
from revier_gateway.pipeline import Pipeline
from revier_gateway.store import Store
from revier_gateway.work import Work

EVENTS = 1_000_000
BATCH = 1_000
DEVICES = 50
END = datetime(2026, 5, 4, 7, 0, tzinfo=UTC)  # a seed repeats a run exactly
EXTREMES: tuple[Any, ...] = (
    None, True, -1, 0, 2**31, 2**32, 2**64, 1e308, -0.0, "", "x" * 300, "\ud800", [], {}, [[]],
    "9999-12-31T23:59:59.999999+00:00", "0001-01-01T00:00:00Z", "\u0000", "A===",
)  # fmt: skip
TOPICS = ("", "/", "application", "a/event/", "x/event/up/y", "\u20ac/event/up")
PORTS = (0, 1, 2, 3, 10, 11, 12, 13, 14, 15, 16, 20, 30, 202, 223, 255)


def measure(count: int = EVENTS, seed: int = 0) -> dict[str, Any]:
    """About five minutes on one core."""
    chance = random.Random(seed)  # noqa: S311 - a scenario, not a secret
    whole = list(gateway_town.events(DEVICES, 3, END))
    outcomes: Counter[str] = Counter()
    unreadable = 0
    with tempfile.TemporaryDirectory(prefix="revier-fuzz-") as folder:
        store = Store(Path(folder))
        pipeline = Pipeline(gateway_town.inventory(DEVICES), "revier/v1")
        for start in range(0, count, BATCH):
            batch = [_damaged(chance, whole) for _ in range(min(BATCH, count - start))]
            work = Work(store)
            for outcome in pipeline.handle_batch(batch, work):
                outcomes[f"{outcome.kind}.{outcome.reason}".rstrip(".")] += 1
            store.commit(work)
            unreadable += sum(not _is_json(message.payload) for message in batch)
        counted = store.counters()
        store.close()
    return _result(count, outcomes, counted, unreadable)


def _result(
    count: int, outcomes: Counter[str], counted: dict[str, int], unreadable: int
) -> dict[str, Any]:
    by_name = sum(value for name, value in counted.items() if name.startswith("events."))
    defects = outcomes["quarantined.internal_error"]
    missing = count - min(by_name, sum(outcomes.values()))
    return {
        "name": "decode-fuzz",
        "value": defects + missing,
        "unit": f"of {count} events crashed or unaccounted for",
        "budget": "0",
        "holds": defects == 0 and missing == 0,
        "n": {"events": count, "defects": defects, "missing": missing},
        "peer": {"not JSON, by json.loads": unreadable},
        "rows": [{"outcome": name, "events": n} for name, n in sorted(outcomes.items())],
    }


def _is_json(payload: bytes) -> bool:
    try:
        json.loads(payload)
    except (ValueError, RecursionError):
        return False
    return True


def _damaged(chance: random.Random, whole: list[tuple[str, bytes]]) -> Message:
    topic, payload = chance.choice(whole)
    how: Callable[[random.Random, bytes], bytes] = chance.choice(_WAYS)
    if chance.random() < 0.05:
        topic = chance.choice(
            ("", "/", "application", "a/event/", "x/event/up/y", "\u20ac/event/up")
        )
    elif chance.random() < 0.1:
        names = ("join", "ack", "txack", "log", "status", "location", "integration", "UP")
        topic = topic.removesuffix("up") + chance.choice(names)
    return Message(topic, how(chance, payload), chance.randrange(1, 65_536))


def _noise(chance: random.Random, _payload: bytes) -> bytes:
    return chance.randbytes(chance.randrange(0, 60))


def _bytes_changed(chance: random.Random, payload: bytes) -> bytes:
    data = bytearray(payload)
    for _ in range(chance.randrange(1, 5)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def _cut(chance: random.Random, payload: bytes) -> bytes:
    start = chance.randrange(len(payload))
    return payload[: chance.randrange(start, len(payload) + 1)]


def _doubled(chance: random.Random, payload: bytes) -> bytes:
    at = chance.randrange(len(payload))
    return payload[:at] + payload[chance.randrange(at + 1) :]


def _other_payload(chance: random.Random, payload: bytes) -> bytes:
    event = json.loads(payload)
    event["fPort"] = chance.choice(PORTS)
    event["data"] = base64.b64encode(chance.randbytes(chance.randrange(0, 52))).decode()
    event["fCnt"] = chance.randrange(1 << 32)
    return json.dumps(event).encode()


def _field_changed(chance: random.Random, payload: bytes) -> bytes:
    event = json.loads(payload)
    place: Any = event
    while True:
        key = (
            chance.choice(list(place)) if isinstance(place, dict) else chance.randrange(len(place))
        )
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or chance.random() < 0.3:
            break
        place = inner
    if chance.random() < 0.3:
        del place[key]
    else:
        place[key] = chance.choice(EXTREMES)
    return json.dumps(event).encode("utf-8", "surrogatepass")


def _protobuf(chance: random.Random, payload: bytes) -> bytes:
    event = json_format.Parse(payload, integration.UplinkEvent(), ignore_unknown_fields=True)
    data: bytes = event.SerializeToString()
    return _bytes_changed(chance, data) if chance.random() < 0.8 else _cut(chance, data)


def _nested(chance: random.Random, _payload: bytes) -> bytes:
    depth = chance.choice((10, 1_000, 100_000))
    return b'{"deviceInfo":' * depth if chance.random() < 0.5 else b"[" * depth


_WAYS = (
    _noise, _bytes_changed, _cut, _doubled, _other_payload, _other_payload, _field_changed,
    _field_changed, _protobuf, _nested,
)  # fmt: skip
