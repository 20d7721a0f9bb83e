# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The border: whatever bytes come, an event of known types or a reason, never anything else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from chirpstack_api import integration
from gateway.tests import support
from hypothesis import given
from hypothesis import strategies as st

from revier_gateway import events
from revier_gateway.events import EVENT_TYPES, LogEvent, UplinkEvent, name_in_topic, parse
from revier_gateway.outcomes import Ignored, Refused

RECORDING = Path(__file__).parent / "data" / "chirpstack_v4_recording"


def up(**changes: Any) -> bytes:
    known = {key: changes.pop(key) for key in ("f_cnt", "dev_eui", "tags") if key in changes}
    return support.to_bytes(support.uplink(support.air_payload(1), **known) | changes)


def refusal(name: str, payload: bytes) -> str:
    with pytest.raises(Refused) as caught:
        parse(name, payload)
    return caught.value.reason


def test_an_uplink_in_json() -> None:
    event = parse("up", up(f_cnt=70_000))
    assert isinstance(event, UplinkEvent)
    assert event.device_info.dev_eui == support.AIR
    assert event.f_cnt == 70_000
    assert event.data == support.air_payload(1)
    assert event.time == support.START
    assert event.rx_info[0].rssi == -97


def test_zero_values_left_out_are_zero() -> None:
    """ChirpStack leaves out zero values in rxInfo (its issue 883), an old one everywhere."""
    event = json.loads(up())
    for key in ("fCnt", "fPort", "dr", "data", "confirmed", "adr", "deduplicationId"):
        del event[key]
    event["rxInfo"] = [{"gatewayId": support.RADIO_GATEWAY, "location": {}}]
    parsed = parse("up", support.to_bytes(event))
    assert isinstance(parsed, UplinkEvent)
    assert (parsed.f_cnt, parsed.f_port, parsed.dr, parsed.data) == (0, 0, 0, b"")
    assert (parsed.rx_info[0].rssi, parsed.rx_info[0].snr) == (0, 0.0)


def test_unknown_fields_are_passed_over() -> None:
    event = json.loads(up())
    event["novelty"] = {"deep": [1, {"er": None}]}
    event["deviceInfo"]["colour"] = "red"
    event["rxInfo"][0]["beam"] = 3
    assert isinstance(parse("up", support.to_bytes(event)), UplinkEvent)


@pytest.mark.parametrize("digits", ["", ".698", ".698935", ".698935572"])
def test_times_with_any_number_of_digits(digits: str) -> None:
    event = parse("up", up(time=f"2026-07-23T07:02:03{digits}+00:00"))
    assert isinstance(event, UplinkEvent)
    assert event.time.replace(microsecond=0) == datetime(2026, 7, 23, 7, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"{", "bad_json"),
        (b'{"deviceInfo":', "bad_json"),
        (up().replace(b"air-01", b"\xff\xfe"), "bad_json"),
        (b"{" + b'"a":{' * 100_000, "oversize"),
        (b'{"x":' * 20_000 + b"1" + b"}" * 20_000, "bad_json"),
        (b"", "bad_protobuf"),
        (b"not json", "bad_protobuf"),
        (b"[1,2]", "bad_protobuf"),
        (b"\x0a\xff\xff", "bad_protobuf"),
        (b"{}", "bad_field"),
        (up(fCnt=-1), "bad_field"),
        (up(fCnt=2**32), "bad_field"),
        (up(fPort=256), "bad_field"),
        (up(data="***"), "bad_field"),
        (up(time="yesterday"), "bad_field"),
        (up(time="2026-05-04T07:00:00"), "bad_field"),
        (up(dev_eui="70B3D57ED0000001"), "bad_field"),
        (up(dev_eui="../../etc"), "bad_field"),
        (up(rxInfo="none"), "bad_field"),
        (up(tags={"ags": 5}), "bad_field"),
    ],
)
def test_what_is_not_an_event_is_refused_with_a_reason(payload: bytes, reason: str) -> None:
    assert refusal("up", payload) == reason


def test_the_size_limit_and_one_past_it() -> None:
    body = up(novelty="")
    room = events.EVENT_BYTES_MAX - len(body)
    assert isinstance(parse("up", up(novelty="x" * room)), UplinkEvent)
    assert refusal("up", up(novelty="x" * (room + 1))) == "oversize"


def test_an_unknown_event_is_ignored_by_name() -> None:
    with pytest.raises(Ignored) as caught:
        parse("integration", b"anything")
    assert (caught.value.reason, caught.value.detail) == ("unknown_event", "integration")


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("application/a/device/b/event/up", "up"),
        ("kreis/chirpstack/event/b/txack", "b"),
        ("events/up", "up"),
        ("event", "event"),
        ("event/join", "join"),
        ("", ""),
    ],
)
def test_the_name_is_what_follows_event(topic: str, name: str) -> None:
    assert name_in_topic(topic) == name


def test_json_and_protobuf_of_the_same_event_are_equal() -> None:
    message = integration.UplinkEvent(
        deduplication_id="d", dev_addr="00558158", dr=5, f_cnt=9, f_port=10, data=b"abc"
    )
    message.time.FromJsonString("2026-05-04T07:00:00.123456789Z")
    message.device_info.dev_eui = support.AIR
    message.device_info.tags["ags"] = support.AGS
    message.rx_info.add(gateway_id=support.RADIO_GATEWAY, rssi=-60, snr=8.5)
    from_protobuf = parse("up", message.SerializeToString())
    as_json = {
        "deduplicationId": "d",
        "time": "2026-05-04T07:00:00.123456+00:00",
        "deviceInfo": {"devEui": support.AIR, "tags": {"ags": support.AGS}},
        "devAddr": "00558158",
        "dr": 5,
        "fCnt": 9,
        "fPort": 10,
        "data": "YWJj",
        "rxInfo": [{"gatewayId": support.RADIO_GATEWAY, "rssi": -60, "snr": 8.5}],
    }
    assert from_protobuf == parse("up", support.to_bytes(as_json))


@pytest.mark.parametrize("folder", ["json", "protobuf"])
def test_every_recorded_event_is_understood(folder: str) -> None:
    index = json.loads((RECORDING / folder / "index.json").read_text())
    entries = [entry for entry in index if "/event/" in entry["topic"]]
    assert len(entries) == {"json": 47, "protobuf": 27}[folder]
    for entry in entries:
        name = name_in_topic(entry["topic"])
        event = parse(name, (RECORDING / folder / entry["file"]).read_bytes())
        assert type(event) is EVENT_TYPES[name]
        assert event.device_info.dev_eui.startswith("70b3d57ed000000")
        assert event.time is not None


def test_recorded_logs_keep_code_and_context() -> None:
    codes = {}
    for folder, suffix in (("json", "json"), ("protobuf", "pb")):
        paths = sorted((RECORDING / folder).glob(f"*_log.{suffix}"))
        parsed = [parse("log", path.read_bytes()) for path in paths]
        codes[folder] = {event.code for event in parsed if isinstance(event, LogEvent)}
    assert "UPLINK_F_CNT_RETRANSMISSION" in codes["json"] & codes["protobuf"]


NAMES = st.sampled_from(sorted(EVENT_TYPES))


@given(NAMES, st.binary(max_size=400))
def test_any_bytes_give_an_event_or_a_reason(name: str, payload: bytes) -> None:
    try:
        parse(name, payload)
    except (Refused, Ignored) as end:
        assert end.reason  # noqa: PT017 - it must not be another exception


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    NAMES,
    st.dictionaries(
        st.sampled_from(
            ["deviceInfo", "time", "fCnt", "fPort", "data", "rxInfo", "devAddr", "context"]
        ),
        json_values,
    ),
)
def test_any_json_gives_an_event_or_a_reason(name: str, fields: dict[str, Any]) -> None:
    event = json.loads(up()) | fields
    try:
        parse(name, support.to_bytes(event))
    except (Refused, Ignored) as end:
        assert end.reason  # noqa: PT017


@given(NAMES, st.data())
def test_a_truncated_or_damaged_protobuf_gives_an_event_or_a_reason(
    name: str, data: st.DataObject
) -> None:
    paths = sorted((RECORDING / "protobuf").glob("*_up.pb"))
    whole = data.draw(st.sampled_from(paths)).read_bytes()
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    position = data.draw(st.integers(0, max(0, len(cut) - 1)))
    damaged = cut[:position] + data.draw(st.binary(max_size=3)) + cut[position:]
    try:
        parse(name, damaged)
    except (Refused, Ignored) as end:
        assert end.reason  # noqa: PT017
