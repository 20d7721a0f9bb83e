# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Whatever comes over the air or over MQTT, the core neither raises nor says what is not so."""

import json

from chirpstack_api import gw
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revier_bench.network_server.core import (
    DownCommand,
    GatewayAck,
    GatewayStats,
    GatewayUp,
)

from .rig import APPLICATION, Rig

FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
BYTES = st.binary(max_size=300)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner),
    max_leaves=10,
)


@FUZZ
@given(st.lists(BYTES, max_size=4))
def test_any_bytes_as_phy_payload(payloads: list[bytes]) -> None:
    rig = Rig()
    device = rig.joined()
    for payload in payloads:
        rig.hear(payload)
    assert rig.events == []
    rig.hear(device.uplink(b"\x01"))
    assert rig.kinds() == ["up"], "and the network still works"


@FUZZ
@given(BYTES, BYTES, st.integers(0, 255), st.booleans(), st.integers(0, 255))
def test_any_content_of_a_valid_frame(
    data: bytes, f_opts: bytes, port: int, confirmed: bool, control: int
) -> None:
    rig = Rig()
    device = rig.joined()
    frame = device.uplink(
        data[:200], port, f_opts=f_opts[:15], confirmed=confirmed, control=control & 0xF0
    )
    rig.hear(frame)
    assert rig.kinds().count("up") == 1
    rig.hear(device.uplink(b"\x01"))
    assert rig.kinds().count("up") == 2
    for event in rig.events:
        json.loads(event.payload(as_json=True))


@FUZZ
@given(BYTES)
def test_any_bytes_on_any_topic(payload: bytes) -> None:
    rig = Rig()
    dev_eui = rig.joined().dev_eui.hex()
    for step in (
        GatewayUp(payload),
        GatewayAck(payload),
        GatewayStats(payload),
        DownCommand(APPLICATION, dev_eui, payload),
        DownCommand(APPLICATION, dev_eui, payload, as_json=False),
    ):
        assert rig.server.handle(step, rig.now_ns) == []
    rig.wait(1.0)
    assert rig.events == []


@FUZZ
@given(st.dictionaries(st.sampled_from(["id", "fPort", "data", "object", "confirmed"]), JSON))
def test_any_json_command(fields: dict[str, object]) -> None:
    rig = Rig()
    device = rig.joined()
    rig.command(device, **fields)
    rig.hear(device.uplink(b"\x01"))
    assert rig.kinds()[0] == "up"


@FUZZ
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.floats(width=32),
    st.text(max_size=20),
    st.integers(-(10**11), 10**11),
)
def test_any_radio_information(
    frequency: int, sf: int, bandwidth: int, snr: float, gateway_id: str, seconds: int
) -> None:
    rig = Rig()
    device = rig.joined()
    frame = gw.UplinkFrame(phy_payload=device.uplink(b"\x01", confirmed=True))
    frame.tx_info.frequency = frequency
    frame.tx_info.modulation.lora.spreading_factor = sf
    frame.tx_info.modulation.lora.bandwidth = bandwidth
    frame.rx_info.gateway_id = gateway_id
    frame.rx_info.snr = snr
    frame.rx_info.gw_time.seconds = seconds
    frame.rx_info.time_since_gps_epoch.seconds = seconds
    for known in (False, True):
        if known:
            frame.tx_info.frequency = 868_100_000
            frame.tx_info.modulation.lora.spreading_factor = 7
            frame.tx_info.modulation.lora.bandwidth = 125_000
            frame.rx_info.gateway_id = "0016c001f10000aa"
        rig.server.handle(GatewayUp(frame.SerializeToString()), rig.now_ns)
        rig.wait(1.0)
    for event in rig.events:
        json.loads(event.payload(as_json=True))
