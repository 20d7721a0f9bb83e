# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a device's events and its console prove; the events are as ChirpStack v4.20 published."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from revier_provision.links import DeviceEvent
from revier_provision.lns.events import parsed
from revier_provision.workshop.proof import Missing, Proof, how_far, judge

AT = datetime(2026, 11, 23, 12, 51, 14, tzinfo=UTC)
UP = {
    "devAddr": "00558158",
    "dr": 5,
    "fCnt": 1,
    "fPort": 10,
    "data": "CSmh",
    "object": {"message": "air", "seq": 4.0, "pm25": 8.4, "temperature": 23.5, "voc": None},
    "rxInfo": [
        {"gatewayId": "0016c001f10000bb", "rssi": -97, "snr": -3.25},
        {"gatewayId": "0016c001f10000aa", "rssi": -60, "snr": 8.5},
    ],
    "txInfo": {"frequency": 868100000, "modulation": {"lora": {"spreadingFactor": 7}}},
}


def event(kind: str, at: datetime | None = AT, **body: Any) -> DeviceEvent:
    return DeviceEvent(kind=kind, at=at, body=body)


def log(code: str, description: str, **context: str) -> DeviceEvent:
    return event("log", level="ERROR", code=code, description=description, context=context)


JOIN = event("join", devAddr="00558158")
DIAGNOSIS = event("up", **{**UP, "fPort": 1, "object": {"message": "diagnosis"}})
READING = event("up", **UP)


def test_join_and_reading_are_a_proof() -> None:
    status = event("status", margin=10)
    proof = judge([JOIN, DIAGNOSIS, READING, status])
    assert isinstance(proof, Proof)
    assert (proof.dev_addr, proof.f_port, proof.f_cnt) == ("00558158", 10, 1)
    radio = proof.radio
    assert (radio.rssi_dbm, radio.snr_db, radio.data_rate, radio.gateways) == (-60, 8.5, 5, 2)
    assert (radio.margin_db, radio.downlink_margin_db) == (16.0, 10)
    assert proof.sentence() == (
        "RSSI -60 dBm, SNR 8.5 dB, DR5, margin 16.0 dB (downlink 10 dB); pm25 8.4 µg/m³, "
        "temperature 23.5 °C"
    )


def test_what_came_before_the_key_proves_nothing() -> None:
    assert isinstance(judge([JOIN, READING], not_before=AT), Proof)
    later = AT.replace(minute=52)
    assert isinstance(judge([JOIN, READING], not_before=later), Missing)


def test_a_diagnosis_or_an_undecoded_uplink_is_no_reading() -> None:
    found = judge([JOIN, DIAGNOSIS])
    assert isinstance(found, Missing)
    assert "no reading came yet" in found.problem
    found = judge([JOIN, event("up", **{**UP, "object": {}})])
    assert isinstance(found, Missing)
    assert "has no codec" in found.problem
    assert found.final


@pytest.mark.parametrize(
    ("events", "console", "words", "final"),
    [
        ([log("UPLINK_MIC", "MIC of join-request is invalid")], [], "has another key", True),
        (
            [log("OTAA", "DevNonce has already been used", dev_nonce="7")],
            [],
            "DevNonce 7 has already",
            False,
        ),
        ([log("OTAA", "no such device")], [], r"refuses the join \(no such device\)", False),
        ([log("UPLINK_CODEC", "JS error: x\n at y")], [], r"codec .* failed \(JS error", True),
        ([JOIN, log("DOWNLINK_GATEWAY", "TOO_LATE")], [], r"did not send .*\(TOO_LATE\)", False),
        ([JOIN], [], "the node missed the answer", False),
        ([], ["revier join try=2 dev_nonce=9"], "no gateway of this ChirpStack has heard", False),
        ([], ["revier joined dev_addr=00558158"], "shows no event of it", False),
        ([], ["revier cold starts=2 wait_ms=61000"], "still waits before it sends", False),
        ([], ["revier error code=RadioError what=no_oscillator"], "radio fails .no osc", True),
        ([], ["revier error code=join reason=duty"], "share of airtime is spent", False),
        ([], ["revier error code=join reason=nonces_spent"], "no DevNonce left", True),
        ([], ["revier error code=BoardError what=x"], "does not start", True),
        ([], ["revier error code=OSError what=19"], "reports an error .OSError 19", False),
        ([], ["noise", "revier", "\xff"], "Neither ChirpStack nor the cable", False),
    ],
)
def test_why_nothing_is_proven(
    events: list[DeviceEvent], console: list[str], words: str, final: bool
) -> None:
    found = judge(events, console)
    assert isinstance(found, Missing)
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(found.problem)
    assert found.final == final
    assert found.cure


def test_whoever_waits_is_told_how_far_it_is() -> None:
    assert how_far([], []) == "waiting for the join"
    assert "(61 s)" in how_far([], ["revier cold starts=0 wait_ms=61999"])
    assert how_far([], ["revier join try=2 dev_nonce=1"]) == "join request 2 left the node"
    assert how_far([JOIN], []) == "joined; waiting for the first reading"
    assert how_far([JOIN, DIAGNOSIS], []).startswith("joined and heard")


def test_the_stream_is_read_as_chirpstack_writes_it() -> None:
    found = parsed("up", '{"time": "2026-11-23T12:51:18.469227813+00:00", "fPort": 2}')
    assert found is not None
    assert found.at == datetime(2026, 11, 23, 12, 51, 18, 469227, tzinfo=UTC)
    short = parsed("up", '{"time": "2026-11-23T12:51:15+00:00"}')
    assert short is not None
    assert short.at == AT.replace(second=15)
    assert parsed("up", "[]") is None
    assert parsed("up", "{") is None
    odd = parsed("up", '{"time": "yesterday"}')
    assert odd is not None
    assert odd.at is None
