# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""JSON by ChirpStack's rules where the recording has no case for them."""

import json
import struct
from typing import Any

import pytest
from chirpstack_api import gw, integration
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from revier_bench.network_server.pbjson import rfc3339, shortest_float32, to_json, to_value


def test_integration_writes_defaults_and_gw_leaves_them_out() -> None:
    rx = gw.UplinkRxInfo(gateway_id="aa", snr=0.0, rssi=0)
    event = integration.UplinkEvent(rx_info=[rx], device_info=integration.DeviceInfo())
    value = to_value(event)
    assert value["rxInfo"] == [{"gatewayId": "aa"}]
    assert (value["fCnt"], value["data"], value["adr"]) == (0, "", False)
    assert value["deviceInfo"]["tags"] == {}
    assert value["deviceInfo"]["deviceClassEnabled"] == "CLASS_A"
    for absent in ("time", "object", "txInfo", "relayRxInfo", "joinServerContext"):
        assert absent not in value


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (0, ""),
        (500_000_000, ".500"),
        (1_000, ".000001"),
        (1, ".000000001"),
        (3_069_893, ".003069893"),
    ],
)
def test_fractions_have_0_3_6_or_9_digits(nanos: int, text: str) -> None:
    assert rfc3339(1_795_438_272 * 10**9 + nanos) == f"2026-11-23T12:51:12{text}+00:00"
    rx = gw.UplinkRxInfo(time_since_gps_epoch=Duration(seconds=1468825341, nanos=nanos))
    assert to_value(rx) == {"timeSinceGpsEpoch": f"1468825341{text}s"}


def test_what_has_no_json_number_is_null() -> None:
    rx = gw.UplinkRxInfo(snr=float("nan"))
    assert json.loads(to_json(rx)) == {"snr": None}


def test_unknown_enum_values_stay_numbers() -> None:
    assert to_value(integration.LogEvent(code=99))["code"] == 99


def test_numbers_of_an_object_are_doubles() -> None:
    event = integration.UplinkEvent()
    event.object.update({"a": 42, "b": [1, None, {"c": 0}], "d": True, "e": "x"})
    assert b'"a":42.0' in to_json(event)
    assert to_value(event)["object"] == {
        "a": 42.0,
        "b": [1.0, None, {"c": 0.0}],
        "d": True,
        "e": "x",
    }


def test_map_keys_are_text() -> None:
    stats = gw.GatewayStats(rx_packets_per_frequency={868100000: 30}, time=Timestamp(seconds=0))
    value: Any = to_value(stats)
    assert value == {
        "rxPacketsPerFrequency": {"868100000": 30},
        "time": "1970-01-01T00:00:00+00:00",
    }


def test_battery_level_prints_as_float32() -> None:
    assert b'"batteryLevel":94.48819' in to_json(
        integration.StatusEvent(battery_level=240 / 254 * 100)
    )


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_the_shortest_float32_is_the_same_float32(value: float) -> None:
    short = shortest_float32(value)
    assert short is not None
    assert struct.pack("<f", short) == struct.pack("<f", value)
    assert len(f"{short:g}") <= len(repr(value)) + 4
