# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The checker must bite: every way to break the feed is done here, and reported."""

import copy
import uuid
from datetime import UTC, datetime

import pytest

from revier_bench.world.checker import check
from revier_bench.world.truth import TrueUplink
from revier_payload import air_batch, backfill
from revier_payload.codec import decode, encode

DEV_EUI = "025245fffe560001"
START_US = 1_795_438_400_000_000


def air_frame(seq: int, f_cnt: int, session: int = 0, **values) -> TrueUplink:
    content = {"pm25": 36 + seq, "temperature": 216, "humidity": None, "pressure": 10130, **values}
    payload = encode(10, {"seq": seq, **content})
    end_us = START_US + session * 10**12 + f_cnt * 300_000_000
    return TrueUplink(end_us, DEV_EUI, "01acdc7b", session, f_cnt, False, 10, payload, ["gw1"], seq)


def message_of(frame: TrueUplink) -> dict:
    """What a right gateway publishes, written by hand from the protocol's description."""
    values = decode(10, frame.payload).values

    def physical(name: str, denominator: int):
        return None if values[name] is None else values[name] / denominator

    measured = {
        "pm1": {"v": None, "u": "ug/m3", "q": 9},
        "pm25": {"v": physical("pm25", 10), "u": "ug/m3", "q": 1},
        "pm4": {"v": None, "u": "ug/m3", "q": 9},
        "pm10": {"v": None, "u": "ug/m3", "q": 9},
        "temp": {"v": physical("temperature", 10), "u": "Cel", "q": 1},
        "rh": {"v": physical("humidity", 1), "u": "%", "q": 9},
        "pressure": {"v": physical("pressure", 10), "u": "hPa", "q": 1},
        "voc": {"v": None, "u": "1", "q": 9},
        "nox": {"v": None, "u": "1", "q": 9},
        "battery": {"v": None, "u": "V", "q": 9},
    }
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{frame.dev_eui}/air/0/{frame.seq}")),
        "seq": frame.seq,
        "t": datetime.fromtimestamp(frame.end_unix_us / 1e6, UTC).isoformat(),
        "rx": "2026-11-23T12:00:00.000Z",
        "m": measured,
        "prov": {"dev_eui": frame.dev_eui, "f_cnt": frame.f_cnt, "f_port": 10},
    }


@pytest.fixture
def truth() -> list[TrueUplink]:
    return [air_frame(seq, seq + 1) for seq in range(20)]


@pytest.fixture
def feed(truth) -> list[dict]:
    return [message_of(frame) for frame in truth]


def only(report, name: str) -> list[str]:
    """This finding and no other."""
    findings = dict(report.findings())
    found = findings.pop(name)
    assert not any(findings.values()), findings
    assert found
    assert not report.ok
    return found


def test_a_right_feed_is_right(truth, feed) -> None:
    report = check(truth, feed)
    assert report.ok, report.lines()
    assert (report.readings, report.present, report.messages) == (20, 20, 20)


def test_order_does_not_matter(truth, feed) -> None:
    assert check(truth, feed[::-1]).ok


def test_a_lost_reading_is_reported(truth, feed) -> None:
    del feed[7]
    (line,) = only(check(truth, feed), "missing")
    assert "seq 7" in line
    assert check(truth, feed).present == 19


def test_an_empty_feed_is_all_missing(truth) -> None:
    assert len(only(check(truth, []), "missing")) == 20


def test_a_doubled_reading_under_a_second_id_is_reported(truth, feed) -> None:
    second = copy.deepcopy(feed[3])
    second["id"] = str(uuid.uuid4())
    (line,) = only(check(truth, [*feed, second]), "duplicated")
    assert "seq 3" in line


def test_the_same_message_again_is_allowed(truth, feed) -> None:
    again = copy.deepcopy(feed[3])
    again["late"], again["rx"] = True, "2026-11-23T12:00:09.000Z"
    report = check(truth, [*feed, again])
    assert report.ok
    assert report.repeats == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("pm25", 99.0), ("temp", 21.7), ("rh", 0.0), ("pm1", 0.0), ("pressure", None)],
)
def test_a_changed_value_is_reported(truth, feed, name, value) -> None:
    feed[5]["m"][name]["v"] = value
    (line,) = only(check(truth, feed), "changed")
    assert "seq 5" in line


def test_a_value_left_out_is_reported(truth, feed) -> None:
    del feed[5]["m"]["temp"]
    assert "no temperature" in only(check(truth, feed), "changed")[0]


def test_a_corrected_value_is_judged_by_its_raw_value(truth, feed) -> None:
    shown = feed[5]["m"]["pm25"]
    shown["raw"], shown["v"] = shown["v"], 1.0
    assert check(truth, feed).ok
    shown["raw"] = 2.0
    only(check(truth, feed), "changed")


def test_two_contents_under_one_id_are_reported(truth, feed) -> None:
    again = copy.deepcopy(feed[3])
    again["loc"] = {"type": "Point", "coordinates": [0, 0]}
    only(check(truth, [*feed, again]), "changed")


def test_a_wrong_sequence_is_reported(truth, feed) -> None:
    feed[5]["seq"] = 5 + 512
    assert "seq is 517" in only(check(truth, feed), "changed")[0]


def test_in_an_opened_epoch_the_sequence_is_free(truth, feed) -> None:
    feed[5]["seq"], feed[5]["prov"]["epoch"] = 77, "01acdc7b-6-1795438400"
    assert check(truth, feed).ok


def test_two_readings_under_one_id_are_reported(truth, feed) -> None:
    feed[8]["id"] = feed[9]["id"]
    report = check(truth, feed)
    assert len(report.shared_ids) == 1
    assert not report.ok


def test_a_message_without_a_heard_frame_is_reported(truth, feed) -> None:
    invented = copy.deepcopy(feed[0])
    invented["id"], invented["prov"]["f_cnt"] = str(uuid.uuid4()), 4000
    only(check(truth, [*feed, invented]), "unexplained")


def test_nonsense_on_the_feed_does_not_stop_the_checker(truth, feed) -> None:
    assert len(check(truth, [*feed, {}, {"prov": None, "t": "?"}]).unexplained) == 2


def test_a_reading_sent_again_in_a_later_frame_is_one_reading(truth, feed) -> None:
    resent = air_frame(19, 25)
    report = check([*truth, resent], feed)
    assert report.ok
    assert report.readings == 20
    second = message_of(resent)
    second["id"] = str(uuid.uuid4())
    only(check([*truth, resent], [*feed, second]), "duplicated")


def test_the_same_frame_counter_in_two_sessions_is_told_apart(truth, feed) -> None:
    later = air_frame(20, 1, session=1)
    assert check([*truth, later], [*feed, message_of(later)]).ok
    (line,) = only(check([*truth, later], feed), "missing")
    assert "session 1" in line


def test_without_the_console_each_frame_is_its_own_reading(truth, feed) -> None:
    for frame in truth:
        frame.seq = None
    assert check(truth, feed).ok
    del feed[2]
    only(check(truth, feed), "missing")


def test_parking_and_waste_are_compared_in_the_feeds_terms() -> None:
    parked = TrueUplink(
        START_US, DEV_EUI, "01acdc7b", 0, 1, False, 20,
        encode(20, {"seq": 3, "state": 2, "confidence": 2, "dwell": 12}), ["gw1"], 3,
    )  # fmt: skip
    shown = {
        "id": "a", "seq": 3, "t": datetime.fromtimestamp(START_US / 1e6, UTC).isoformat(),
        "m": {"occupied": {"v": True, "q": 1}, "confidence": {"v": "high", "q": 1},
              "dwell": {"v": 12, "u": "min", "q": 1}},
        "prov": {"dev_eui": DEV_EUI, "f_cnt": 1, "f_port": 20},
    }  # fmt: skip
    assert check([parked], [shown]).ok
    shown["m"]["occupied"]["v"] = False
    only(check([parked], [shown]), "changed")
    shown["m"]["occupied"]["v"] = 1
    only(check([parked], [shown]), "changed")


def batch_frame(first_seq: int, count: int, f_cnt: int) -> TrueUplink:
    readings = [
        encode(10, {"seq": 0, "pm25": 100 + n, "temperature": 200 + 4 * n}) for n in range(count)
    ]
    samples = [air_batch.codes_of(10, reading) for reading in readings]
    head = {"seq": first_seq, "time": START_US // 1_000_000, "interval": 300, "battery": 3600}
    payload = air_batch.encode({**head, "status": 0}, samples, 45)
    end_us = START_US + f_cnt * 3_600_000_000
    return TrueUplink(end_us, DEV_EUI, "01acdc7b", 0, f_cnt, False, 11, payload, ["gw1"], first_seq)


def messages_of_batch(frame: TrueUplink) -> list[dict]:
    """By hand from the sent readings: the battery is the last one's."""
    messages = []
    rows = [row.values for row in decode(11, frame.payload).rows if row.name == "sample"]
    for n, row in enumerate(rows):
        measured = {
            "pm25": {"v": row["pm25"] / 10, "u": "ug/m3", "q": 1},
            "temp": {"v": row["temperature"] / 10, "u": "Cel", "q": 1},
        }
        if n == len(rows) - 1:
            measured["battery"] = {"v": 3.6, "u": "V", "q": 1}
        messages.append({
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{DEV_EUI}/air/0/{row['seq']}")),
            "seq": row["seq"],
            "t": datetime.fromtimestamp(START_US / 1e6 + 300 * n, UTC).isoformat(),
            "m": measured,
            "prov": {"dev_eui": DEV_EUI, "f_cnt": frame.f_cnt, "f_port": 11},
        })  # fmt: skip
    return messages


def test_each_reading_of_a_batch_is_accounted_for() -> None:
    frames = [batch_frame(100, 12, 1), batch_frame(112, 12, 2)]
    messages = [message for frame in frames for message in messages_of_batch(frame)]
    report = check(frames, messages)
    assert report.ok, report.lines()
    assert report.readings == report.present == 24


def test_one_reading_of_a_batch_that_is_lost_doubled_or_changed_is_reported() -> None:
    frame = batch_frame(100, 12, 1)
    messages = messages_of_batch(frame)
    (line,) = only(check([frame], messages[:5] + messages[6:]), "missing")
    assert "seq 105" in line
    second = {**messages[5], "id": str(uuid.uuid4())}
    (line,) = only(check([frame], [*messages, second]), "duplicated")
    assert "seq 105" in line
    shared = [*messages[:5], {**messages[5], "id": messages[4]["id"]}, *messages[6:]]
    assert dict(check([frame], shared).findings())["shared ids"]
    changed = copy.deepcopy(messages)
    changed[5]["m"]["pm25"]["v"] = 99.0
    (line,) = only(check([frame], changed), "changed")
    assert "seq 105" in line


def test_a_reading_that_comes_again_as_a_backfill_is_the_same_reading() -> None:
    alone = air_frame(7, 1)
    record = (7, alone.end_unix_us // 1_000_000, 10, alone.payload)
    payload, _ = backfill.encode([record], 51)
    again = TrueUplink(
        alone.end_unix_us + 10**9, DEV_EUI, "01acdc7b", 0, 2, False, 5, payload, ["gw1"], 9
    )
    report = check([alone, again], [message_of(alone)])
    assert report.ok, report.lines()
    assert report.readings == 1
    lost = {**message_of(alone), "prov": {"dev_eui": DEV_EUI, "f_cnt": 2, "f_port": 5}}
    assert check([again], [lost]).ok, "the frame in which it went alone was not heard"
