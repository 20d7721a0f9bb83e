# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One message in, one outcome out, and each of them counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from gateway.tests import support
from gateway.tests.support import AIR, PARKING, START, WASTE, air_payload, uplink
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revier_gateway import decode
from revier_gateway.mqtt.link import Message
from revier_gateway.outcomes import IGNORED_REASONS, QUARANTINE_REASONS, Outcome
from revier_gateway.pipeline import Pipeline
from revier_gateway.store import Store
from revier_gateway.work import Work
from revier_inventory import end_period
from revier_mac.ts003 import PORT, ClockSync
from revier_payload.codec import encode


class Line:
    """The pipeline with its store, fed one event after the other."""

    def __init__(self, pipeline: Pipeline, store: Store) -> None:
        self.pipeline = pipeline
        self.store = store

    def take(self, event: dict[str, Any] | bytes, name: str = "up") -> Outcome:
        payload = event if isinstance(event, bytes) else support.to_bytes(event)
        work = Work(self.store)
        outcome = self.pipeline.handle(Message(support.topic(event=name), payload), work)
        self.store.commit(work)
        return outcome

    def reason(self, event: dict[str, Any] | bytes, name: str = "up") -> str:
        """The reason, after looking that it is counted and, if need be, kept."""
        before = self.store.counters()
        rows = len(self.store.quarantine())
        outcome = self.take(event, name)
        counter = f"{outcome.kind}.{outcome.reason}"
        assert self.store.counters()[counter] == before.get(counter, 0) + 1
        assert len(self.store.quarantine()) == rows + (outcome.kind == "quarantined")
        return outcome.reason

    def message(self, event: dict[str, Any]) -> dict[str, Any]:
        outcome = self.take(event)
        assert outcome.kind == "published", outcome
        decoded: dict[str, Any] = msgspec.json.decode(outcome.messages[0].payload)
        return decoded


@pytest.fixture
def line(pipeline: Pipeline, store: Store) -> Line:
    return Line(pipeline, store)


def test_an_observation_and_its_state(line: Line) -> None:
    line.take(uplink(support.diagnosis_payload(4711), f_port=1, f_cnt=0))
    outcome = line.take(uplink(air_payload(4711), f_cnt=1))
    assert outcome.kind == "published"
    obs, state = outcome.messages
    assert (obs.topic, obs.retain) == ("revier/v1/05562032/airquality/aq-0007/obs", False)
    assert (state.topic, state.retain) == ("revier/v1/05562032/airquality/aq-0007/state", True)
    message = msgspec.json.decode(obs.payload)
    assert message["seq"] == 4711
    assert message["t"] == "2026-05-04T07:00:00.000Z"
    assert message["rx"] == "2026-05-04T07:00:00.200Z"
    assert message["t_src"] == "gateway"
    assert message["loc"] == {"type": "Point", "coordinates": [7.19738, 51.61379]}
    assert message["m"]["pm25"] == {"v": 11.7, "q": 1, "u": "ug/m3"}
    assert message["m"]["voc"] == {"v": None, "q": 9, "u": "1"}
    assert message["prov"]["f_cnt"] == 1
    assert "epoch" not in message["prov"]
    assert line.store.counters()["published.readings"] == 1


def test_out_of_range_is_not_missing_and_neither_is_zero(line: Line) -> None:
    payload = air_payload(1, temperature=9999, pm25=None, pm10=0)
    m = line.message(uplink(payload))["m"]
    assert m["temp"] == {"v": None, "q": 4, "u": "Cel"}
    assert m["pm25"] == {"v": None, "q": 9, "u": "ug/m3"}
    assert (m["pm10"]["v"], m["pm10"]["q"]) == (0.0, 1)


def test_a_sensor_fault_makes_particles_suspect(line: Line) -> None:
    m = line.message(uplink(air_payload(1, status=1)))
    assert m["flags"] == ["sensor_fault"]
    assert (m["m"]["pm25"]["q"], m["m"]["temp"]["q"]) == (3, 1)


@pytest.mark.parametrize(("state", "occupied", "q"), [(2, True, 1), (1, False, 1), (0, None, 9)])
def test_parking(line: Line, state: int, occupied: bool | None, q: int) -> None:
    payload = encode(20, {"seq": 3, "state": state, "confidence": 2, "dwell": 35})
    message = line.message(uplink(payload, f_port=20, dev_eui=PARKING))
    assert message["m"]["occupied"] == {"v": occupied, "q": q}
    assert message["m"]["dwell"]["u"] == "min"


@pytest.mark.parametrize(
    ("distance_mm", "echo", "fill", "q"),
    [
        (2000, 5, 0.0, 1),
        (1199, 5, 0.501, 1),
        (401, 5, 0.999, 1),
        (30, 5, 1.0, 3),
        (1199, 1, 0.501, 3),
    ],
)
def test_waste_level_from_distance(
    line: Line, distance_mm: int, echo: int, fill: float, q: int
) -> None:
    payload = encode(30, {"seq": 3, "distance": distance_mm, "quality": echo, "temperature": 9})
    m = line.message(uplink(payload, f_port=30, dev_eui=WASTE))["m"]
    assert m["fill"]["v"] == pytest.approx(fill, abs=0.002)
    assert (m["fill"]["q"], m["fill"]["raw_u"]) == (q, "mm")


def test_waste_without_echo_has_no_level(line: Line) -> None:
    payload = encode(30, {"seq": 3, "distance": None, "quality": 0, "temperature": 9})
    m = line.message(uplink(payload, f_port=30, dev_eui=WASTE))["m"]
    assert m["fill"] == {"v": None, "q": 9, "u": "1"}


def test_an_emptying_says_how_full_it_was(line: Line) -> None:
    values = {"seq": 3, "distance": 1998, "quality": 5, "temperature": 9, "emptied_from": 1200}
    m = line.message(uplink(encode(31, values), f_port=31, dev_eui=WASTE))["m"]
    assert m["emptied"] == {"v": True, "q": 1}
    assert m["fill_before"]["v"] == pytest.approx(0.5, abs=0.01)
    assert (m["fill_before"]["raw"], m["fill_before"]["raw_u"]) == (1200, "mm")
    assert m["fill"]["v"] == pytest.approx(0, abs=0.002)
    assert "emptied_from" not in m
    later = encode(30, {"seq": 4, "distance": 1998, "quality": 5, "temperature": 9})
    assert not {"emptied", "fill_before"} & set(
        line.message(uplink(later, f_port=30, f_cnt=2, dev_eui=WASTE))["m"]
    )


# -- what is wrong has a name


@pytest.mark.parametrize("port", [0, 10])
def test_a_frame_without_data_is_a_sign_of_life(line: Line, port: int) -> None:
    assert line.reason(uplink(b"", f_port=port)) == "mac_only"
    assert line.store.heard()["device", AIR][1] == 1


def test_a_node_that_asks_the_network_for_the_time_is_no_fault(line: Line) -> None:
    """TS003, port 202: our nodes do, where nobody answers DeviceTimeReq. It is ChirpStack's."""
    request = ClockSync().uplink(1_400_000_000, True)
    assert line.reason(uplink(request, f_port=PORT)) == "clock_request"
    assert line.store.heard()["device", AIR][1] == 1
    assert line.store.quarantine() == []


def test_an_unknown_port(line: Line) -> None:
    assert line.reason(uplink(b"\x01\x02", f_port=2)) == "unknown_f_port"


@pytest.mark.parametrize("length", [1, 5, 10])
def test_a_payload_shorter_than_it_ever_was(line: Line, length: int) -> None:
    assert line.reason(uplink((air_payload(1) * 5)[:length])) == "bad_payload"


def test_a_payload_of_a_later_version_is_taken_and_counted(line: Line) -> None:
    longer = uplink(air_payload(1) + b"\x01\x02")
    assert line.message(longer)["m"] == line.message(uplink(air_payload(2), f_cnt=2))["m"]
    assert line.store.counters()["decoded.other_version"] == 1


def test_invalid_json_is_kept_with_its_bytes(line: Line) -> None:
    assert line.reason(b'{"deviceInfo":') == "bad_json"
    (_, row) = line.store.quarantine()[0]
    assert (row.payload, row.leg) == (b'{"deviceInfo":', "source")


def test_an_unknown_device(line: Line) -> None:
    assert line.reason(uplink(air_payload(1), dev_eui="70b3d57ed00000ff")) == "unknown_device"


def test_a_device_before_its_first_day(line: Line) -> None:
    event = uplink(air_payload(1), at=START - timedelta(days=31))
    assert line.reason(event) == "unknown_device"


def test_another_town_s_ags_in_the_tag(line: Line) -> None:
    event = uplink(air_payload(1), tags={"ags": support.OTHER_AGS})
    assert line.reason(event) == "foreign_ags"


def test_another_tenant_with_this_town_s_ags(line: Line) -> None:
    assert line.reason(uplink(air_payload(1), tenant=support.OTHER_TENANT)) == "foreign_ags"


def test_an_ags_that_nobody_owns(line: Line) -> None:
    assert line.reason(uplink(air_payload(1), tags={"ags": "00000000"})) == "unknown_ags"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tags": {"ags": support.OTHER_AGS}}, "foreign_ags"),
        ({"tags": {"ags": "00000000"}}, "unknown_ags"),
        ({"tags": {"ags": support.AGS, "asset": "ps-r12-03"}}, "asset_taken"),
        ({"tags": {"asset": "a/b"}}, "invalid_asset"),
        ({"tenant": support.OTHER_TENANT}, "foreign_ags"),
        ({"at": START - timedelta(days=31), "dev_addr": "00000001"}, "unknown_device"),
    ],
)
def test_a_device_that_was_right_before_is_looked_at_again(
    line: Line, changes: dict[str, Any], reason: str
) -> None:
    tagged = {"ags": support.AGS, "asset": "aq-0007"}
    assert line.take(uplink(air_payload(1), tags=tagged)).kind == "published"
    assert line.take(uplink(air_payload(2), f_cnt=2)).kind == "published"
    assert line.reason(uplink(air_payload(3), f_cnt=3, **changes)) == reason
    assert line.take(uplink(air_payload(3), f_cnt=4)).kind == "published"


def test_an_inventory_read_anew_holds_at_once(line: Line) -> None:
    assert line.take(uplink(air_payload(1))).kind == "published"
    now = line.pipeline.inventory
    line.pipeline.inventory = end_period(now, AIR, START + timedelta(minutes=1))
    later = START + timedelta(minutes=1)
    still = uplink(air_payload(2), f_cnt=2, at=later - timedelta(milliseconds=1))
    assert line.take(still).kind == "published"
    assert line.reason(uplink(air_payload(3), f_cnt=3, at=later)) == "unknown_device"
    line.pipeline.inventory = now
    assert line.take(uplink(air_payload(3), f_cnt=4, at=later)).kind == "published"


@pytest.mark.parametrize("asset", ["a+b/#", "", "UPPER", "x" * 49, "a/b", "-a", "a\n"])
def test_an_asset_tag_that_is_no_name(line: Line, asset: str) -> None:
    event = uplink(air_payload(1), tags={"ags": support.AGS, "asset": asset})
    assert line.reason(event) == "invalid_asset"


def test_an_air_reading_for_a_parking_bay(line: Line) -> None:
    assert line.reason(uplink(air_payload(1), dev_eui=PARKING)) == "wrong_kind"


def test_an_encrypted_payload(line: Line) -> None:
    assert line.reason(uplink(b"\x01") | {"joinServerContext": {}}) == "encrypted"


def test_an_unknown_event_is_counted_and_not_fatal(line: Line) -> None:
    assert line.reason(b"\xff", "integration") == "unknown_event"


@pytest.mark.parametrize("name", ["join", "ack", "txack", "log", "status", "location"])
def test_events_not_yet_used_are_known_and_counted(line: Line, name: str) -> None:
    event = {"deviceInfo": {"devEui": AIR}, "time": "2026-05-04T07:00:00+00:00"}
    assert line.reason(event, name) == name
    assert line.store.counters()[f"events.{name}"] == 1


def test_a_defect_of_ours_is_visible_and_does_not_stall(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(decode, "read", lambda _: 1 / 0)
        assert line.reason(uplink(air_payload(1))) == "internal_error"
    assert line.take(uplink(air_payload(1))).kind == "published"


# -- once, and only once


def test_a_redelivered_event(line: Line) -> None:
    assert line.take(uplink(air_payload(1))).kind == "published"
    assert line.reason(uplink(air_payload(1))) == "duplicate_frame"


def test_a_late_copy_under_a_new_deduplication_id(line: Line) -> None:
    line.take(uplink(air_payload(1)))
    copy = uplink(air_payload(1), at=START + timedelta(minutes=2))
    copy["deduplicationId"] = "e3b0c442-98fc-4c14-9afb-f4c8996fb924"
    assert line.reason(copy) == "duplicate_frame"


def test_the_same_reading_in_another_frame(line: Line) -> None:
    line.take(uplink(air_payload(1), f_cnt=1))
    again = uplink(air_payload(1), f_cnt=2, at=START + timedelta(minutes=5))
    assert line.reason(again) == "duplicate_reading"


def test_a_quarantined_event_that_comes_again_is_one_row(line: Line) -> None:
    bad = uplink(b"\x01", f_port=99)
    line.take(bad)
    line.take(bad)
    assert len(line.store.quarantine()) == 1


def test_duplicates_inside_one_batch(pipeline: Pipeline, store: Store) -> None:
    raw = Message(support.topic(), support.to_bytes(uplink(air_payload(1))))
    work = Work(store)
    kinds = [outcome.reason for outcome in pipeline.handle_batch([raw, raw, raw], work)]
    store.commit(work)
    assert kinds == ["", "duplicate_frame", "duplicate_frame"]
    assert store.outbox_rows() == 2


def test_a_late_reading_is_marked_and_never_overwrites_the_state(line: Line) -> None:
    line.take(uplink(air_payload(2), f_cnt=2, at=START + timedelta(minutes=10)))
    outcome = line.take(uplink(air_payload(1), f_cnt=1, at=START))
    assert [message.kind for message in outcome.messages] == ["obs"]
    assert msgspec.json.decode(outcome.messages[0].payload)["late"] is True


def test_a_radio_gateway_with_a_wrong_clock_is_overruled_and_marked(line: Line) -> None:
    wrong = uplink(air_payload(1))
    wrong["time"] = "2042-01-01T00:00:00+00:00"
    message = line.message(wrong)
    assert message["t"] == message["rx"] == "2026-05-04T07:00:00.200Z"
    assert (message["t_src"], message["prov"]["t_clamped"]) == ("network", True)


def test_ids_do_not_depend_on_restart_or_batching(
    pipeline: Pipeline, store: Store, tmp_path: Any
) -> None:
    events = [uplink(support.diagnosis_payload(500), f_port=1, f_cnt=0)] + [
        uplink(air_payload(499 + n), f_cnt=n, at=START + timedelta(minutes=n)) for n in range(1, 30)
    ]
    raws = [Message(support.topic(), support.to_bytes(event)) for event in events]
    work = Work(store)
    pipeline.handle_batch(raws, work)
    store.commit(work)
    whole = [row.payload for row in store.outbox_after(0, 1000)]
    pieces = []
    for raw in raws:
        again = Store(tmp_path / "other")
        work = Work(again)
        pipeline.handle(raw, work)
        again.commit(work)
        pieces = [row.payload for row in again.outbox_after(0, 1000)]
        again.close()
    assert pieces == whole
    assert len(whole) == 58


def test_every_reason_is_explained() -> None:
    assert all(IGNORED_REASONS.values())
    assert all(QUARANTINE_REASONS.values())
    assert not set(IGNORED_REASONS) & set(QUARANTINE_REASONS)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.integers(0, 255),
    st.binary(max_size=60),
    st.sampled_from([AIR, PARKING, WASTE, "70b3d57ed00000ff"]),
    st.integers(0, 2**32 - 1),
    st.datetimes(),
)
def test_any_payload_is_accounted_for(
    pipeline: Pipeline, store: Store, port: int, data: bytes, dev_eui: str, f_cnt: int, at: Any
) -> None:
    line = Line(pipeline, store)
    before = sum(n for name, n in store.counters().items() if name.startswith("events."))
    event = uplink(data, f_port=port, f_cnt=f_cnt, dev_eui=dev_eui)
    event["time"] = at.isoformat() + "+00:00"
    outcome = line.take(event)
    assert outcome.reason != "internal_error"
    after = sum(n for name, n in store.counters().items() if name.startswith("events."))
    assert after == before + 1
