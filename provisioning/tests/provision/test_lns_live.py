# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Uplinks as ChirpStack tells them: recorded bodies, and the bench's stand-in behind gRPC."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from chirpstack_api import api
from hypothesis import given
from hypothesis import strategies as st

from revier_inventory import Owner
from revier_provision import ChirpStack, Device, NetworkServerError
from revier_provision.lns.live import heard_from

RECORDED = Path(__file__).parents[3] / "hil_tests/tests/network_server/data/chirpstack_v4_recording"
DEV_EUI = "240ac4fffe112233"
LATER = datetime(2099, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "path", sorted((RECORDED / "json").glob("*_up.json")), ids=lambda p: p.stem
)
def test_every_recorded_uplink_is_read(path: Path) -> None:
    body = path.read_bytes()
    said = json.loads(body)
    heard = heard_from(body)
    assert heard is not None
    best = max(said["rxInfo"], key=lambda rx: rx.get("snr", 0.0))
    assert (heard.f_cnt, heard.f_port) == (said.get("fCnt", 0), said.get("fPort", 0))
    assert (heard.snr_db, heard.rssi_dbm) == (best.get("snr", 0.0), best.get("rssi", 0))
    assert len(heard.gateways) == len({rx["gatewayId"] for rx in said["rxInfo"]})
    assert heard.at.isoformat()[:19] == said["time"][:19]


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_anything_else_is_none(body: bytes) -> None:
    assert heard_from(body) is None


def test_a_body_that_lacks_what_a_judge_needs_is_none() -> None:
    body = json.loads((RECORDED / "json" / "010_up.json").read_bytes())
    assert heard_from(json.dumps(body).encode()) is not None
    for lacking in ("rxInfo", "txInfo", "time"):
        rest = {key: value for key, value in body.items() if key != lacking}
        assert heard_from(json.dumps(rest).encode()) is None
    assert heard_from(json.dumps(body | {"data": "!"}).encode()) is None


@pytest.fixture
def registered(server: Any) -> Any:
    with ChirpStack(server.target, server.token) as client:
        application = client.create_application(Owner(ags="05562020", name="Herten"))
        profile = client.ensure_device_profile(application.tenant_id, "air", 900)
        client.put_device(
            Device(
                dev_eui=DEV_EUI, join_eui="0" * 16, name="herten-air-01", tags={},
                application_id=application.application_id, device_profile_id=profile,
            )
        )  # fmt: skip
        yield client


def test_a_downlink_waits_once(registered: ChirpStack) -> None:
    live = registered.live()
    for data in (b"\x01", b"\x01", b"\x01\x22\x00\x05"):
        live.enqueue(DEV_EUI, 2, data, LATER)
    request = api.GetDeviceQueueItemsRequest(dev_eui=DEV_EUI)
    waiting = registered._call(registered._devices.GetQueue, request).result
    assert [item.data for item in waiting] == [b"\x01", b"\x01\x22\x00\x05"]


def test_a_stream_ends_with_its_time_and_a_wrong_token_is_said(
    registered: ChirpStack, server: Any
) -> None:
    with registered.live().uplinks(DEV_EUI, 0.3) as uplinks:
        assert list(uplinks) == []
    with (
        ChirpStack("127.0.0.1:1", "token") as nobody,
        pytest.raises(NetworkServerError, match="does not answer"),
        nobody.live().uplinks(DEV_EUI, 5.0),
    ):
        pass
    with ChirpStack(server.target, "no token") as stranger:
        with (
            pytest.raises(NetworkServerError, match="token"),
            stranger.live().uplinks(DEV_EUI, 5.0) as uplinks,
        ):
            list(uplinks)
        with pytest.raises(NetworkServerError):
            stranger.live().enqueue(DEV_EUI, 2, b"\x01", LATER)
