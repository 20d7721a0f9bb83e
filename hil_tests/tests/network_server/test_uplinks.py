# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What becomes of frames: good ones, strangers', forged, repeated and old ones."""

import dataclasses

import pytest
from chirpstack_api import gw

from revier_bench.network_server.codec import CodecError, encode_downlink
from revier_bench.network_server.core import GatewayUp
from revier_bench.network_server.registry import CODEC_JS, Application, DeviceProfile, Tenant
from revier_bench.payload.runtimes import CODEC_FILE as CODEC
from revier_payload.downlinks import backfill_request, configuration

from .rig import APPLICATION, PROFILE, TENANT, Rig
from .simple_device import GATEWAY, OTHER_GATEWAY, SimpleDevice, heard


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_tags_are_merged_application_then_profile_then_device(rig: Rig) -> None:
    device = rig.joined(tags={"asset": "air-1", "from": "device"})
    rig.hear(device.uplink(b"\x01"))
    assert rig.last("up")["deviceInfo"]["tags"] == {
        "ags": "05562032",
        "kind": "air",
        "asset": "air-1",
        "from": "device",
    }
    rig.server.registry.devices[device.dev_eui.hex()].tags.pop("from")
    rig.hear(device.uplink(b"\x01"))
    assert rig.last("up")["deviceInfo"]["tags"]["from"] == "profile"


def test_copies_within_the_window_are_one_uplink(rig: Rig) -> None:
    device = rig.joined()
    rig.hear(device.uplink(b"\x01"), gateways=(GATEWAY, OTHER_GATEWAY))
    assert rig.kinds() == ["up"]
    assert [r["gatewayId"] for r in rig.last("up")["rxInfo"]] == [GATEWAY, OTHER_GATEWAY]


def test_a_copy_after_the_window_is_a_retransmission(rig: Rig) -> None:
    device = rig.joined()
    frame = device.uplink(b"\x01")
    rig.hear(frame)
    assert rig.hear(frame, gateways=(OTHER_GATEWAY,)) == []
    assert rig.kinds() == ["up", "log"]
    log = rig.last("log")
    assert (log["code"], log["level"]) == ("UPLINK_F_CNT_RETRANSMISSION", "WARNING")
    assert log["context"]["f_cnt_up"] == "0"


def test_an_older_frame_replayed_is_a_counter_reset(rig: Rig) -> None:
    device = rig.joined()
    old = device.uplink(b"\x01")
    rig.hear(old)
    rig.hear(device.uplink(b"\x02"))
    rig.hear(device.uplink(b"\x03"))
    rig.events.clear()
    assert rig.hear(old) == []
    assert rig.kinds() == ["log"]
    assert rig.last("log")["code"] == "UPLINK_F_CNT_RESET"


def test_skip_f_cnt_check_lets_repeats_through(rig: Rig) -> None:
    device = rig.joined(skip_f_cnt_check=True)
    frame = device.uplink(b"\x01")
    rig.hear(frame)
    rig.hear(frame)
    assert rig.kinds() == ["up", "up"]


def test_wrong_mic_is_silence(rig: Rig) -> None:
    device = rig.joined()
    frame = device.uplink(b"\x01")
    spoiled = frame[:-1] + bytes([frame[-1] ^ 1])
    assert rig.hear(spoiled) == []
    assert rig.events == []
    rig.hear(frame)
    assert rig.kinds() == ["up"], "the counter was not touched"


def test_unknown_address_is_silence(rig: Rig) -> None:
    device = rig.joined()
    stranger = dataclasses.replace(device, dev_addr=b"\x01\x02\x03\x04")
    assert rig.hear(stranger.uplink(b"\x01")) == []
    assert rig.events == []


def test_a_disabled_device_is_silence(rig: Rig) -> None:
    device = rig.joined()
    rig.server.registry.devices[device.dev_eui.hex()].is_disabled = True
    assert rig.hear(device.uplink(b"\x01")) == []
    assert rig.events == []


def test_the_counter_has_32_bits(rig: Rig) -> None:
    device = rig.joined()
    row = rig.server.registry.devices[device.dev_eui.hex()]
    row.f_cnt_up = 0xFFFF
    rig.hear(device.uplink(b"\x01", f_cnt=0xFFFF))
    rig.hear(device.uplink(b"\x01", f_cnt=0x1_0000))
    rig.hear(device.uplink(b"\x01", f_cnt=0x1_0003))
    assert rig.last("up")["fCnt"] == 0x1_0003
    assert row.f_cnt_up == 0x1_0004
    rig.hear(device.uplink(b"\x01", f_cnt=0x1_0003))
    assert rig.last("log")["code"] == "UPLINK_F_CNT_RETRANSMISSION"


def test_a_frame_that_no_known_gateway_heard_is_silence(rig: Rig) -> None:
    device = rig.joined()
    rig.hear(device.uplink(b"\x01"), gateways=("0016c001f10000ff",))
    assert rig.events == []
    assert rig.server.refused["no known gateway"] == 1
    rig.hear(device.uplink(b"\x01"), gateways=("0016c001f10000ff", GATEWAY))
    assert len(rig.last("up")["rxInfo"]) == 1


def test_a_private_gateway_of_another_tenant_hears_nothing_for_us(rig: Rig) -> None:
    rows = rig.server.registry
    rows.tenants["other"] = Tenant("other", "town", private_gateways_up=True)
    rows.gateways[OTHER_GATEWAY].tenant_id = "other"
    device = rig.joined()
    frame = device.uplink(b"\x01")
    rig.hear(frame, gateways=(OTHER_GATEWAY,))
    assert rig.events == []
    rig.hear(frame, gateways=(OTHER_GATEWAY, GATEWAY))
    assert [r["gatewayId"] for r in rig.last("up")["rxInfo"]] == [GATEWAY]


@pytest.mark.parametrize(("frequency", "sf"), [(868_000_000, 7), (868_100_000, 5)])
def test_a_frame_off_the_networks_channels_is_counted(rig: Rig, frequency: int, sf: int) -> None:
    device = rig.joined()
    assert rig.hear(device.uplink(b"\x01"), frequency=frequency, sf=sf) == []
    assert rig.server.refused["RegionError"] == 1


def test_a_message_without_radio_information_is_counted(rig: Rig) -> None:
    frame = gw.UplinkFrame(phy_payload=b"\x40")
    assert rig.server.handle(GatewayUp(frame.SerializeToString()), rig.now_ns) == []
    assert rig.server.handle(GatewayUp(b"\xff\xff"), rig.now_ns) == []
    assert sum(rig.server.refused.values()) == 2


def test_time_comes_from_the_gateway_unless_it_is_far_off(rig: Rig) -> None:
    device = rig.joined()
    for offset_s, is_taken in ((-29, True), (29, True), (31, False), (-31, False)):
        gateway_ns = rig.now_ns + offset_s * 1_000_000_000
        frame = heard(device.uplink(b"\x01"), gateway_ns, uplink_id=99)
        rig.server.handle(GatewayUp(frame.SerializeToString()), rig.now_ns)
        rig.wait(1.0)
        up = rig.last("up")
        assert (up["time"] == up["rxInfo"][0]["gwTime"]) is is_taken


def test_a_codec_gives_the_object_or_a_log(rig: Rig) -> None:
    device = rig.joined()
    profile = rig.server.registry.profiles[PROFILE]
    profile.codec_runtime = CODEC_JS
    profile.codec_script = "var decodeUplink = i => ({data: {n: i.bytes[0], p: i.fPort}})"
    rig.hear(device.uplink(b"\x07", 12))
    text = rig.events[-1].payload(as_json=True).decode()
    assert '"object":{"n":7.0,"p":12.0}' in text or '"object":{"p":12.0,"n":7.0}' in text
    profile.codec_script = "function decodeUplink(i) { for (;;) {} }"
    rig.hear(device.uplink(b"\x07"))
    assert rig.last("log")["code"] == "UPLINK_CODEC"
    assert "object" not in rig.last("up")
    profile.codec_script = "function decodeUplink(i) { return {errors: ['a', 'b']}; }"
    rig.hear(device.uplink(b"\x07"))
    assert rig.last("log")["description"] == "decodeUplink returned errors: a, b"
    profile.codec_script = "function decodeUplink(i) { return 1 }"
    rig.hear(device.uplink(b"\x07"))
    assert rig.kinds().count("log") == 3


def test_our_own_codec_gives_physical_values(rig: Rig) -> None:
    device = rig.joined()
    profile = rig.server.registry.profiles[PROFILE]
    profile.codec_runtime = CODEC_JS
    profile.codec_script = CODEC.read_text(encoding="utf-8")
    rig.hear(device.uplink(bytes.fromhex("5e06147fff9f5bd1bfff21"), 10))
    found = rig.last("up")["object"]
    assert (found["message"], found["pm25"], found["pm4"]) == ("air", 12.0, None)
    assert found["missing"] == ["pm4", "pm10", "voc", "nox"]
    rig.hear(device.uplink(b"", 0))
    assert rig.last("up")["object"] == {}
    assert "log" not in rig.kinds()
    rig.hear(device.uplink(b"\x01", 10))
    assert rig.last("log")["description"] == (
        "decodeUplink returned errors: too short to tell what it is: 1 B"
    )


def test_our_own_codec_encodes_commands() -> None:
    profile = DeviceProfile("p", "t", "air", codec_runtime=CODEC_JS)
    profile.codec_script = CODEC.read_text(encoding="utf-8")
    assert encode_downlink(profile, 1, {"settings": {"interval": 600}}, {}) == (
        2,
        configuration({"interval": 600}),
    )
    ranges = [{"first": 1000, "count": 12}]
    assert encode_downlink(profile, 1, {"ranges": ranges}, {}) == (
        4,
        backfill_request([(1000, 12)]),
    )
    with pytest.raises(CodecError, match="interval must be 60 to 43200"):
        encode_downlink(profile, 1, {"settings": {"interval": 1}}, {})


def test_two_devices_may_share_an_address(rig: Rig) -> None:
    one, two = rig.joined(1), rig.joined(2)
    rows = rig.server.registry.devices
    session = rows[two.dev_eui.hex()].session
    assert session is not None
    two.dev_addr = session.dev_addr = one.dev_addr
    rig.hear(two.uplink(b"\x01"))
    assert rig.last("up")["deviceInfo"]["devEui"] == two.dev_eui.hex()


def test_a_device_of_another_application_publishes_under_that(rig: Rig) -> None:
    rows = rig.server.registry
    rows.applications["second"] = Application("second", TENANT, "second")
    device = rig.joined()
    rows.devices[device.dev_eui.hex()].application_id = "second"
    rig.hear(device.uplink(b"\x01"))
    assert rig.events[-1].topic.startswith("application/second/")
    assert APPLICATION != "second"


class TestJoin:
    def test_join_nonce_starts_at_0_and_counts(self, rig: Rig) -> None:
        device = rig.add_device()
        for wanted in range(3):
            down = rig.hear(device.join_request())
            accept = device.take_join_accept(down[0].items[0].phy_payload)
            assert accept.join_nonce == wanted
            assert len(accept.cf_list_hz) == 5
        assert rig.kinds() == ["join"] * 3

    def test_a_dev_nonce_is_refused_for_ever_after(self, rig: Rig) -> None:
        device = rig.add_device()
        rig.hear(device.join_request())
        rig.events.clear()
        assert rig.hear(device.join_request()) == []
        assert rig.last("log")["context"]["dev_nonce"] == "0"
        rig.server.registry.keys[device.dev_eui.hex()].dev_nonces.clear()
        assert rig.hear(device.join_request()) != []

    def test_wrong_key(self, rig: Rig) -> None:
        device = rig.add_device()
        device.app_key = bytes(16)
        assert rig.hear(device.join_request()) == []
        assert rig.last("log")["code"] == "UPLINK_MIC"

    def test_unknown_device_is_silence(self, rig: Rig) -> None:
        stranger = SimpleDevice(bytes(8), bytes(16))
        assert rig.hear(stranger.join_request()) == []
        assert rig.events == []

    def test_a_device_without_keys_is_silence(self, rig: Rig) -> None:
        device = rig.add_device()
        del rig.server.registry.keys[device.dev_eui.hex()]
        assert rig.hear(device.join_request()) == []
        assert rig.events == []

    def test_an_old_session_ends_with_the_join(self, rig: Rig) -> None:
        device = rig.joined()
        old = dataclasses.replace(device)
        rig.hear(device.uplink(b"\x01"))
        down = rig.hear(device.join_request())
        device.take_join_accept(down[0].items[0].phy_payload)
        rig.events.clear()
        rig.hear(old.uplink(b"\x01", f_cnt=5))
        assert rig.events == []
        rig.hear(device.uplink(b"\x01"))
        assert rig.last("up")["fCnt"] == 0
