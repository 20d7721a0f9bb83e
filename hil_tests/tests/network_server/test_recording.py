# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The stand-in against everything that a real ChirpStack published, field by field.

The recorded radio frames, gateway answers and commands go in at their recorded times. Every event
and every downlink that comes out must be the recorded one: a missing, additional or differently
typed field fails. Frames to devices are compared byte by byte: the DevAddr that ChirpStack drew is
handed in, so keys, counters, encryption and MICs must all be the same.

Compared otherwise: ids that ChirpStack draws must map one to one; times of the server's own clock
must be near; a stack trace of the codec may lack its columns (QuickJS's age); the order of the
copies of a frame is free, as ChirpStack keeps them in a set, and so is the order of its events, as
ChirpStack publishes each in a task of its own.
"""

import json
import re
from collections import defaultdict
from typing import Any

import pytest
from chirpstack_api import gw

from revier_bench.network_server.events import Event
from revier_bench.network_server.times import NS_PER_S

from . import recording
from .replay import Replay

DRAWN_IDS = ("deduplicationId", "deduplication_id", "downlinkId")
CLOCK_TOLERANCE_NS = NS_PER_S
FOLDERS = ("json", "protobuf")


@pytest.fixture(scope="module", params=FOLDERS)
def replay(request: pytest.FixtureRequest) -> Replay:
    return Replay(request.param).run()


def compare(recorded: Any, ours: Any, path: str, ids: dict[Any, Any]) -> None:
    """Raise at the first difference; `ids` collects which drawn id stands for which."""
    assert type(recorded) is type(ours), f"{path}: {recorded!r} became {ours!r}"
    name = path.rsplit(".", 1)[-1]
    if isinstance(recorded, dict):
        assert sorted(recorded) == sorted(ours), f"{path}: other fields"
        recorded, ours = _with_one_time(recorded, ours)
        for key, value in recorded.items():
            compare(value, ours[key], f"{path}.{key}", ids)
    elif isinstance(recorded, list):
        assert len(recorded) == len(ours), f"{path}: {len(recorded)} became {len(ours)}"
        if name == "rxInfo":  # ChirpStack keeps copies in a set
            recorded, ours = _by_gateway(recorded), _by_gateway(ours)
        for i, (a, b) in enumerate(zip(recorded, ours, strict=True)):
            compare(a, b, f"{path}[{i}]", ids)
    elif name in DRAWN_IDS:
        assert ids.setdefault(recorded, ours) == ours, f"{path}: one id became two"
    elif name in ("time", "nsTime"):
        compare_time(recorded, ours, path)
    elif name == "description":
        assert _without_columns(recorded) == _without_columns(ours), path
    else:
        assert recorded == ours, f"{path}: {recorded!r} became {ours!r}"


def _by_gateway(rx_info: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rx_info, key=lambda r: str(r["gatewayId"]))


def _with_one_time(
    recorded: dict[str, Any], ours: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The time of an uplink is that of its first copy, and which one is first is free."""
    copies = recorded.get("rxInfo", ())
    if len(copies) < 2:
        return recorded, ours
    for event in (recorded, ours):
        assert event["time"] == event["rxInfo"][0]["gwTime"]
    return {**recorded, "time": ours["time"]}, ours


def _without_columns(text: str) -> str:
    return re.sub(r"\(main:(\d+):\d+\)", r"(main:\1)", text)


def compare_time(recorded: str, ours: str, path: str) -> None:
    """A gateway's time (6 digits) is the same; the server's own clock (9 digits) is near."""
    assert recorded[-1] == ours[-1] == "Z" or recorded[-6:] == ours[-6:] == "+00:00", path
    if re.search(r"\.\d{6}(Z|\+)", recorded):
        assert recorded == ours, path
    else:
        distance_ns = abs(recording.instant_ns(recorded) - recording.instant_ns(ours))
        assert distance_ns < CLOCK_TOLERANCE_NS, f"{path}: {recorded} became {ours}"


def by_device_and_kind(events: list[tuple[str, str, Any]]) -> dict[tuple[str, str], list[Any]]:
    groups: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for dev_eui, kind, value in events:
        groups[dev_eui, kind].append(value)
    return groups


def our_event(event: Event, *, as_json: bool) -> dict[str, Any]:
    payload = event.payload(as_json=as_json)
    if as_json:
        parsed: dict[str, Any] = json.loads(payload)
        return parsed
    return recording.as_dict(recording.EVENT_TYPES[event.kind].FromString(payload))


def test_every_event_is_the_recorded_one(replay: Replay) -> None:
    as_json = replay.folder == "json"
    recorded = by_device_and_kind(
        [(m.dev_eui, m.kind, m.event(as_json=as_json)) for m in replay.messages if m.is_event]
    )
    ours = by_device_and_kind(
        [(e.dev_eui, e.kind, our_event(e, as_json=as_json)) for e in replay.events]
    )
    assert {k: len(v) for k, v in recorded.items()} == {k: len(v) for k, v in ours.items()}
    ids: dict[Any, Any] = {}
    for key, wanted in recorded.items():
        for number, (a, b) in enumerate(zip(wanted, ours[key], strict=True)):
            compare(a, b, f"{key[0]}/{key[1]}[{number}]", ids)
    assert len(set(ids.values())) == len(ids), "two recorded ids became one"


def test_every_event_goes_to_the_recorded_topic(replay: Replay) -> None:
    recorded = sorted(m.topic for m in replay.messages if m.is_event)
    assert recorded == sorted(e.topic for e in replay.events)


def test_every_downlink_is_the_recorded_one(replay: Replay) -> None:
    recorded = [m for m in replay.messages if m.is_downlink]
    assert [m.topic for m in recorded] == [d.topic for d in replay.downlinks]
    for message, down in zip(recorded, replay.downlinks, strict=True):
        wanted = gw.DownlinkFrame.FromString(message.payload)
        ours = gw.DownlinkFrame()
        ours.CopyFrom(down.frame)
        assert ours.downlink_id != 0
        ours.downlink_id = wanted.downlink_id
        assert ours == wanted, message.file


def test_nothing_is_refused_but_the_wrong_commands(replay: Replay) -> None:
    """Of five commands port 0, bad base64, no JSON and another device are refused, 225 is not."""
    wanted = 4 if replay.folder == "json" else 0
    assert sum(replay.server.refused.values()) == wanted, replay.server.refused


def test_the_recording_says_what_was_silent(replay: Replay) -> None:
    """Frames that ChirpStack met with silence are in the recording: a wrong MIC, a stranger."""
    ups = [m for m in replay.messages if m.topic.startswith("eu868/") and m.kind == "up"]
    answered = {e.message.deduplication_id for e in replay.events if e.kind == "up"}  # type: ignore[attr-defined]
    assert len(answered) < len(ups)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda e: e.pop("fCnt"),
        lambda e: e.update(fCnt="0"),
        lambda e: e.update(extra=None),
        lambda e: e["rxInfo"][0].update(rfChain=0),
        lambda e: e.update(dr=5.0),
        lambda e: e["object"].update(count=3),
        lambda e: e.update(time=e["time"].replace("+00:00", "Z")),
    ],
)
def test_the_comparison_can_fail(spoil: Any) -> None:
    recorded = next(m for m in recording.messages("json") if m.is_event and m.kind == "up")
    spoiled = recorded.event(as_json=True)
    spoil(spoiled)
    compare(recorded.event(as_json=True), recorded.event(as_json=True), "up", {})
    with pytest.raises(AssertionError):
        compare(recorded.event(as_json=True), spoiled, "up", {})
