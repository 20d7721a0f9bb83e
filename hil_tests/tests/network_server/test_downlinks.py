# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Class A downlinks: windows, MAC commands, the queue and what gateways answer."""

import base64

import pytest
from chirpstack_api import gw

from revier_bench.network_server import adr, mac_commands
from revier_bench.network_server.adr import AdrParameters
from revier_bench.network_server.queue import QueueItem
from revier_bench.network_server.region import EXTRA_CHANNELS_HZ
from revier_bench.network_server.registry import AdrSample, Session, Tenant

from .rig import PROFILE, Rig
from .simple_device import GATEWAY, OTHER_GATEWAY, SimpleDevice, transmitted

NEAR = 8.5
FAR = -6.0


@pytest.fixture
def rig() -> Rig:
    return Rig()


def session_of(rig: Rig, device: SimpleDevice) -> Session:
    session = rig.server.registry.devices[device.dev_eui.hex()].session
    assert session is not None
    return session


def data(value: bytes) -> str:
    return base64.b64encode(value).decode()


def test_nothing_to_say_is_silence(rig: Rig) -> None:
    device = rig.joined()
    assert rig.hear(device.uplink(b"\x01"), snr=FAR) == []


def test_two_items_for_the_two_windows(rig: Rig) -> None:
    device = rig.joined()
    (down,) = rig.hear(device.uplink(b"\x01", confirmed=True), snr=FAR, sf=9)
    rx1, rx2 = down.items
    assert (rx1.tx_info.frequency, rx2.tx_info.frequency) == (868_100_000, 869_525_000)
    assert (rx1.tx_info.power, rx2.tx_info.power) == (16, 29)
    assert rx1.tx_info.modulation.lora.spreading_factor == 9
    assert rx2.tx_info.modulation.lora.spreading_factor == 12
    assert rx1.tx_info.timing.delay.delay.seconds == 1
    assert rx2.tx_info.timing.delay.delay.seconds == 2
    assert rx1.phy_payload[5] & 0x20, "the ACK"


def test_the_gateway_that_heard_best_answers(rig: Rig) -> None:
    device = rig.joined()
    rows = rig.server.registry.gateways
    frame = device.uplink(b"\x01", confirmed=True)
    (down,) = rig.hear(frame, gateways=(OTHER_GATEWAY, GATEWAY), snr=FAR)
    assert down.gateway_id == GATEWAY, "equally badly heard: the lower id"
    rows[OTHER_GATEWAY].downlink_priority = 100_000
    answered = set()
    for _ in range(5):
        both = (GATEWAY, OTHER_GATEWAY)
        answered |= {d.gateway_id for d in rig.hear(device.uplink(confirmed=True), gateways=both)}
    assert answered == {OTHER_GATEWAY}, "well heard: by priority"


def test_private_gateways_do_not_send_for_others(rig: Rig) -> None:
    device = rig.joined()
    rows = rig.server.registry
    rows.tenants["other"] = Tenant("other", "town", private_gateways_down=True)
    rows.gateways[GATEWAY].tenant_id = "other"
    assert rig.hear(device.uplink(b"\x01", confirmed=True)) == []
    assert rig.kinds() == ["up"]


def test_an_item_too_long_for_rx2_waits_in_rx2(rig: Rig) -> None:
    device = rig.joined()
    rig.command(device, fPort=5, data=data(bytes(100)))
    (down,) = rig.hear(device.uplink(b"\x01"), snr=FAR)
    assert device.open_downlink(down.items[0].phy_payload, 0)[1:] == (5, bytes(100))
    assert device.open_downlink(down.items[1].phy_payload, 0)[1] is None
    assert down.items[1].phy_payload[5] & 0x10, "FPending"


def test_when_rx2_without_the_item_was_sent_the_item_stays(rig: Rig) -> None:
    device = rig.joined()
    rig.command(device, fPort=5, data=data(bytes(100)))
    (down,) = rig.hear_only(device.uplink(b"\x01"), snr=FAR)
    rig.answer(transmitted(down, gw.TOO_LATE, gw.OK))
    assert rig.kinds() == ["up"]
    assert len(rig.server.state.queue.of(device.dev_eui.hex())) == 1
    (again,) = rig.hear(device.uplink(b"\x01"), snr=FAR)
    assert device.open_downlink(again.items[0].phy_payload, 1)[1] == 5


def test_too_late_uses_the_counter_again(rig: Rig) -> None:
    device = rig.joined()
    rig.command(device, fPort=5, data=data(b"\x01"))
    (down,) = rig.hear_only(device.uplink(), snr=FAR)
    rig.answer(transmitted(down, gw.TOO_LATE, gw.TX_POWER))
    log = rig.last("log")
    assert (log["code"], log["description"]) == ("DOWNLINK_GATEWAY", "TX_POWER")
    assert log["context"] == {}
    (again,) = rig.hear(device.uplink(), snr=FAR)
    assert device.open_downlink(again.items[0].phy_payload, 0)[1:] == (5, b"\x01")
    assert rig.last("txack")["fCntDown"] == 0
    assert rig.server.state.queue.of(device.dev_eui.hex()) == []


def test_a_second_answer_says_nothing(rig: Rig) -> None:
    device = rig.joined()
    rig.command(device, fPort=5, data=data(b"\x01"))
    (down,) = rig.hear(device.uplink(), snr=FAR)
    count = len(rig.events)
    rig.answer(transmitted(down))
    rig.answer(gw.DownlinkTxAck(downlink_id=1, items=[gw.DownlinkTxAckItem(status=gw.OK)]))
    assert len(rig.events) == count
    assert session_of(rig, device).f_cnt_down == 1


def test_flush_on_activate(rig: Rig) -> None:
    device = rig.joined()
    rig.command(device, fPort=5, data=data(b"\x01"))
    rig.hear(device.join_request())
    assert len(rig.server.state.queue.of(device.dev_eui.hex())) == 1
    rig.server.registry.profiles[PROFILE].flush_queue_on_activate = True
    device.dev_nonce += 1
    rig.hear(device.join_request())
    assert rig.server.state.queue.of(device.dev_eui.hex()) == []


def test_expiry_counts_from_the_servers_clock(rig: Rig) -> None:
    device = rig.joined()
    rig.command(device, fPort=5, data=data(b"\x01"), expiresAt="2026-11-23T12:51:20+00:00")
    rig.command(device, fPort=6, data=data(b"\x02"))
    rig.wait(60.0)
    (down,) = rig.hear(device.uplink(), snr=FAR)
    assert rig.last("log")["code"] == "EXPIRED"
    assert device.open_downlink(down.items[0].phy_payload, 0)[1] == 6


def test_an_item_already_encrypted_goes_as_it_is(rig: Rig) -> None:
    device = rig.joined()
    dev_eui = device.dev_eui.hex()
    session_of(rig, device).f_cnt_down = 3
    queue = rig.server.state.queue
    queue.enqueue(QueueItem("old", dev_eui, 5, b"\x01", is_encrypted=True, f_cnt_down=2))
    queue.enqueue(QueueItem("new", dev_eui, 5, b"\x02", is_encrypted=True, f_cnt_down=7))
    (down,) = rig.hear(device.uplink(), snr=FAR)
    assert rig.last("log")["code"] == "F_CNT_DOWN"
    assert down.items[0].phy_payload[-5] == 2
    device.open_downlink(down.items[0].phy_payload, 7)
    assert session_of(rig, device).f_cnt_down == 8


class TestMacCommands:
    def test_link_adr_is_repeated_until_answered(self, rig: Rig) -> None:
        device = rig.joined()
        for f_cnt in range(3):
            (down,) = rig.hear(device.uplink(), snr=NEAR)
            f_opts, _, _ = device.open_downlink(down.items[0].phy_payload, f_cnt)
            assert f_opts == bytes.fromhex("0352ff0001")
        rig.hear(device.uplink(f_opts=bytes.fromhex("0307")), snr=NEAR)
        session = session_of(rig, device)
        assert (session.tx_power_index, session.dr, session.nb_trans) == (2, 5, 1)

    def test_a_refused_power_is_not_asked_again_above(self, rig: Rig) -> None:
        device = rig.joined()
        rig.hear(device.uplink(), snr=NEAR)
        rig.hear(device.uplink(f_opts=bytes.fromhex("0303")), snr=NEAR)
        session = session_of(rig, device)
        assert session.tx_power_index == 0
        assert session.tx_power_index_max == 1
        (down,) = rig.hear(device.uplink(), snr=NEAR)
        assert device.open_downlink(down.items[0].phy_payload, 2)[0] == bytes.fromhex("0351ff0001")

    def test_after_two_refusals_it_gives_up(self, rig: Rig) -> None:
        device = rig.joined()
        rig.hear(device.uplink(), snr=NEAR)
        for _ in range(2):
            rig.hear(device.uplink(f_opts=bytes.fromhex("0300")), snr=NEAR)
        assert rig.hear(device.uplink(f_opts=bytes.fromhex("0300")), snr=NEAR) == []

    def test_new_channels_after_adr_ack_req(self, rig: Rig) -> None:
        """On port 0, three at a time, and no LinkADRReq beside them."""
        device = rig.joined()
        (down,) = rig.hear(device.uplink(control=0xC0), snr=NEAR)
        f_opts, port, commands = device.open_downlink(down.items[0].phy_payload, 0)
        assert (f_opts, port, len(commands)) == (b"", 0, 18)
        assert [commands[i : i + 2].hex() for i in (0, 6, 12)] == ["0703", "0704", "0705"]
        rig.hear(device.uplink(f_opts=bytes.fromhex("070307030703")), snr=NEAR)
        (down,) = rig.hear(device.uplink(), snr=NEAR)
        assert sorted(session_of(rig, device).extra_channels) == [3, 4, 5]
        commands = device.open_downlink(down.items[0].phy_payload, 2)[0]
        assert [commands[i : i + 2].hex() for i in (0, 6)] == ["0706", "0707"]
        rig.hear(device.uplink(f_opts=bytes.fromhex("07030703")), snr=NEAR)
        session = session_of(rig, device)
        assert [hz for hz, _, _ in session.extra_channels.values()] == list(EXTRA_CHANNELS_HZ)
        assert session.enabled_channels == list(range(8))

    def test_new_channel_answers_of_another_number_are_ignored(self, rig: Rig) -> None:
        device = rig.joined()
        rig.hear(device.uplink(control=0xC0), snr=NEAR)
        rig.hear(device.uplink(f_opts=bytes.fromhex("0703")), snr=NEAR)
        assert session_of(rig, device).extra_channels == {}

    def test_rx_timing_is_set_and_its_answer_is_answered(self, rig: Rig) -> None:
        rig.server.registry.profiles[PROFILE].rx1_delay_s = 5
        device = rig.joined()
        (down,) = rig.hear(device.uplink(), snr=FAR)
        assert device.open_downlink(down.items[0].phy_payload, 0)[0] == b"\x08\x05"
        before_ns = rig.now_ns
        down_after = rig.hear(device.uplink(f_opts=b"\x08"), snr=FAR)
        rig.wait(10.0)
        assert not down_after, "a longer delay gives the application longer to answer"
        assert rig.now_ns > before_ns
        assert len(rig.downlinks) == 3, "the sticky answer is confirmed by an empty downlink"
        assert rig.downlinks[-1].items[0].tx_info.timing.delay.delay.seconds == 5

    def test_rx_params_are_set_back(self, rig: Rig) -> None:
        device = rig.joined()
        session_of(rig, device).rx2_dr = 3
        (down,) = rig.hear(device.uplink(), snr=FAR)
        wanted = bytes.fromhex("0500") + (8_695_250).to_bytes(3, "little")
        assert device.open_downlink(down.items[0].phy_payload, 0)[0] == wanted
        (down,) = rig.hear(device.uplink(f_opts=b"\x05\x07"), snr=FAR)
        assert session_of(rig, device).rx2_dr == 0
        assert device.open_downlink(down.items[0].phy_payload, 1)[0] == b""

    def test_device_status_once_a_day(self, rig: Rig) -> None:
        rig.server.registry.profiles[PROFILE].device_status_req_interval = 1
        device = rig.joined()
        (down,) = rig.hear(device.uplink(), snr=FAR)
        assert device.open_downlink(down.items[0].phy_payload, 0)[0] == b"\x06"
        assert rig.hear(device.uplink(f_opts=b"\x06\xfe\x3f"), snr=FAR) == []
        status = rig.last("status")
        assert (status["margin"], status["batteryLevel"]) == (-1, 100.0)
        assert status["externalPowerSource"] is False
        rig.wait(86_400.0)
        assert len(rig.hear(device.uplink(), snr=FAR)) == 1

    def test_a_command_cut_short_spoils_its_set(self, rig: Rig) -> None:
        device = rig.joined()
        assert rig.hear(device.uplink(f_opts=b"\x02\x03"), snr=FAR) == []
        assert len(rig.hear(device.uplink(f_opts=b"\x02\xff\x03"), snr=FAR)) == 1

    def test_unreadable_commands_on_port_0_become_data(self, rig: Rig) -> None:
        device = rig.joined()
        rig.hear(device.uplink(b"\x03", 0), snr=FAR)
        assert rig.last("up")["data"] == data(b"\x03")
        rig.hear(device.uplink(b"\x02", 0), snr=FAR)
        assert rig.last("up")["data"] == ""

    def test_channel_mask(self) -> None:
        session = Session(bytes(4), None, enabled_channels=list(range(8)))  # type: ignore[arg-type]
        assert mac_commands.channel_mask_wanted(session) is None
        session.enabled_channels = [0, 1, 2]
        assert mac_commands.channel_mask_wanted(session) is None, "extra ones are not assumed"
        session.enabled_channels = [0, 3]
        assert mac_commands.channel_mask_wanted(session) == [0, 1, 2, 3]


class TestAdr:
    NOW = AdrParameters(0, 0, 1)

    def history(self, snr_db: float, count: int, step: int = 1, power: int = 0) -> list[AdrSample]:
        return [AdrSample(i * step, snr_db, power, 1) for i in range(count)]

    @pytest.mark.parametrize(
        ("snr_db", "wanted"),
        [
            (-18.0, (0, 0)),
            (-7.1, (0, 0)),
            (-7.0, (1, 0)),
            (5.0, (5, 0)),
            (8.0, (5, 1)),
            (60.0, (5, 7)),
        ],
    )
    def test_steps_of_3_db_first_rate_then_power(
        self, snr_db: float, wanted: tuple[int, int]
    ) -> None:
        got = adr.wanted_parameters(self.NOW, self.history(snr_db, 1), -20.0, 7)
        assert (got.dr, got.tx_power_index) == wanted

    def test_power_rises_only_on_a_full_history(self) -> None:
        now = AdrParameters(5, 3, 1)
        few = self.history(-9.0, 19, power=3)
        assert adr.wanted_parameters(now, few, -7.5, 7).tx_power_index == 3
        full = self.history(-9.0, 20, power=3)
        assert adr.wanted_parameters(now, full, -7.5, 7).tx_power_index == 0

    @pytest.mark.parametrize(("step", "nb_trans"), [(1, 1), (2, 3)])
    def test_loss_raises_repetitions(self, step: int, nb_trans: int) -> None:
        got = adr.wanted_parameters(self.NOW, self.history(-10.0, 20, step), -20.0, 7)
        assert got.nb_trans == nb_trans
