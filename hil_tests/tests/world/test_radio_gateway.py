# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import json
from pathlib import Path

import pytest
from chirpstack_api import gw

from revier_bench.world import air as air_module
from revier_bench.world.air import Air, Position
from revier_bench.world.radio_gateway import CHANNELS_HZ, RadioGateway

START_UNIX_US = 1_795_438_400_000_000
ID = "0016c001f10000aa"
RECORDED = json.loads((Path(__file__).parent / "data" / "recorded_gw.json").read_text())["messages"]


class Bench:
    def __init__(self, kernel, make_ear) -> None:
        self.kernel = kernel
        self.air = Air("1")
        self.node = make_ear("node")
        self.air.attach(self.node, Position(7.18, 51.567, 3.0))
        self.up: list[gw.UplinkFrame] = []
        self.gateway = RadioGateway(
            ID,
            Position(7.167, 51.567, 100.0, 6.0),
            self.air,
            kernel.at,
            START_UNIX_US,
            "1",
            lambda _id, frame, _emission: self.up.append(frame),
        )

    def send(self, emission) -> None:
        self.kernel.at(emission.start_us, lambda: self.air.emit(emission))

    def hear(self, emission) -> gw.UplinkFrame:
        self.send(emission)
        self.kernel.run_until(emission.end_us)
        return self.up[-1]


@pytest.fixture
def bench(kernel, make_ear, monkeypatch) -> Bench:
    monkeypatch.setattr(air_module, "SHADOWING_SIGMA_DB", 0.0)
    return Bench(kernel, make_ear)


def downlink(uplink: gw.UplinkFrame, *, rx1_s=1, power_dbm=16, sizes=(30, 30)) -> gw.DownlinkFrame:
    """Two items, as ChirpStack sends them: RX1 and RX2."""
    frame = gw.DownlinkFrame(downlink_id=7, gateway_id=ID)
    plans = ((868_100_000, 7, rx1_s, power_dbm), (869_525_000, 12, rx1_s + 1, 27))
    for (frequency_hz, sf, delay_s, dbm), size in zip(plans, sizes, strict=True):
        item = frame.items.add(phy_payload=bytes(size))
        item.tx_info.frequency = frequency_hz
        item.tx_info.power = dbm
        lora = item.tx_info.modulation.lora
        lora.bandwidth, lora.spreading_factor = 125_000, sf
        lora.code_rate, lora.polarization_inversion = gw.CR_4_5, True
        item.tx_info.timing.delay.delay.FromSeconds(delay_s)
        item.tx_info.context = uplink.rx_info.context
    return frame


def shape(message, prefix="") -> dict[str, str]:
    """Set fields of a message by path, with their types."""
    found: dict[str, str] = {}
    for field, value in message.ListFields():
        path = prefix + field.name
        if field.message_type is None:
            found[path] = str(field.type)
        else:
            values = value if field.is_repeated else [value]
            for one in values:
                found[path] = field.message_type.full_name
                found.update(shape(one, path + "."))
    return found


def recorded(kind: str, cls):
    return [cls.FromString(bytes.fromhex(raw)) for raw in RECORDED[kind]]


def test_uplink_has_the_shape_of_the_recorded_ones(bench, make_emission) -> None:
    ours = shape(bench.hear(make_emission("node", start_us=10)))
    for real in recorded("event/up", gw.UplinkFrame):
        wanted = shape(real)
        assert {path: ours.get(path) for path in wanted} == wanted
        extra = set(ours) - set(wanted)
        assert extra <= {"rx_info.channel", "rx_info.rf_chain"}  # zero and so absent there


def test_uplink_says_what_was_on_the_air(bench, make_emission) -> None:
    emission = make_emission("node", start_us=1234, sf=9, frequency_hz=867_300_000)
    frame = bench.hear(emission)
    assert frame.phy_payload == emission.payload
    assert frame.tx_info.frequency == 867_300_000
    assert frame.tx_info.modulation.lora.spreading_factor == 9
    assert frame.rx_info.channel == CHANNELS_HZ.index(867_300_000)
    assert frame.rx_info.gw_time.ToMicroseconds() == START_UNIX_US + emission.end_us
    assert -130 < frame.rx_info.rssi < -40
    assert frame.rx_info.crc_status == gw.CRC_OK


@pytest.mark.parametrize(
    "change",
    [
        {"frequency_hz": 868_800_000},
        {"iq_inverted": True},
        {"sync_word": 0x1424},
        {"bandwidth_hz": 250_000},
    ],
)
def test_what_is_not_in_tune_is_not_heard(bench, make_emission, change) -> None:
    bench.send(make_emission("node", **change))
    bench.kernel.run_until(10_000_000)
    assert bench.up == []


def test_a_frame_with_a_bad_crc_is_counted_and_not_forwarded(bench, make_emission) -> None:
    weak = make_emission("node")
    noise_dbm = air_module.noise_floor_dbm(125_000)
    lacking_db = -7.75 + noise_dbm - bench.air.rssi_dbm(weak, bench.gateway)
    bench.send(make_emission("node", power_dbm=14.0 + lacking_db))
    bench.kernel.run_until(1_000_000)
    stats = bench.gateway.stats(1_000_000)
    assert bench.up == []
    assert (stats.rx_packets_received, stats.rx_packets_received_ok) == (1, 0)


def test_downlink_goes_out_at_the_counter_plus_delay(bench, make_emission) -> None:
    emission = make_emission("node", start_us=500)
    frame = bench.hear(emission)
    ack = bench.gateway.transmit(downlink(frame), bench.kernel.now_us)
    assert [item.status for item in ack.items] == [gw.OK, gw.IGNORED]
    bench.kernel.run_until(10_000_000)
    (heard,) = bench.node.emissions
    assert heard.start_us == emission.end_us + 1_000_000
    assert heard.iq_inverted
    assert not heard.crc_on
    assert heard.power_dbm == 16 - 6.0  # EIRP less the antenna's gain


def test_ack_has_the_shape_of_the_recorded_one(bench, make_emission) -> None:
    frame = bench.hear(make_emission("node"))
    ack = bench.gateway.transmit(downlink(frame), bench.kernel.now_us)
    (real,) = recorded("event/ack", gw.DownlinkTxAck)
    assert shape(ack) == shape(real)
    assert [i.status for i in ack.items] == [i.status for i in real.items]


def test_recorded_downlinks_are_understood(bench, make_emission) -> None:
    frame = bench.hear(make_emission("node"))
    for real in recorded("command/down", gw.DownlinkFrame):
        for item in real.items:
            item.tx_info.context = frame.rx_info.context
        ack = bench.gateway.transmit(real, bench.kernel.now_us)
        assert gw.OK in [item.status for item in ack.items]


def test_too_late_for_rx1_tries_rx2_and_then_gives_up(bench, make_emission) -> None:
    frame = bench.hear(make_emission("node"))
    ended_us = bench.kernel.now_us
    for after_us, statuses in (
        (1_000_000 - 2_501, [gw.OK, gw.IGNORED]),
        (1_000_000 - 2_499, [gw.TOO_LATE, gw.OK]),
        (2_000_000, [gw.TOO_LATE, gw.TOO_LATE]),
    ):
        bench.gateway._transmissions.clear()
        ack = bench.gateway.transmit(downlink(frame), ended_us + after_us)
        assert [item.status for item in ack.items] == statuses


def test_the_counter_wraps(bench, make_emission) -> None:
    """32 bits of microseconds are 71.6 minutes: a context just before the wrap stays good."""
    wrap_us = (1 << 32) - bench.gateway._counter_offset
    emission = make_emission("node", start_us=wrap_us - 100_000)
    frame = bench.hear(emission)
    ack = bench.gateway.transmit(downlink(frame), bench.kernel.now_us)
    assert ack.items[0].status == gw.OK
    bench.kernel.run_until(wrap_us + 3_000_000)
    assert bench.node.emissions[0].start_us == emission.end_us + 1_000_000


def test_what_cannot_be_sent_is_refused_by_name(bench, make_emission) -> None:
    frame = bench.hear(make_emission("node"))
    wrong_frequency = downlink(frame)
    wrong_frequency.items[0].tx_info.frequency = 868_650_000
    too_strong = downlink(frame, power_dbm=20)
    early = downlink(frame, rx1_s=200)
    no_context = downlink(frame)
    no_context.items[0].tx_info.context = b""
    for asked, status in (
        (wrong_frequency, gw.TX_FREQ),
        (too_strong, gw.TX_POWER),
        (early, gw.TOO_EARLY),
        (no_context, gw.INTERNAL_ERROR),
    ):
        assert bench.gateway.transmit(asked, bench.kernel.now_us).items[0].status == status


def test_two_downlinks_at_one_time_collide(bench, make_emission) -> None:
    frame = bench.hear(make_emission("node"))
    bench.gateway.transmit(downlink(frame), bench.kernel.now_us)
    second = bench.gateway.transmit(downlink(frame), bench.kernel.now_us)
    assert [item.status for item in second.items] == [gw.COLLISION_PACKET, gw.OK]


def test_while_it_sends_it_hears_nothing(bench, make_emission) -> None:
    frame = bench.hear(make_emission("node"))
    bench.gateway.transmit(downlink(frame), bench.kernel.now_us)
    during_us = bench.kernel.now_us + 1_010_000
    bench.send(make_emission("node", start_us=during_us, frequency_hz=867_100_000))
    bench.send(make_emission("node", start_us=during_us + 500_000, frequency_hz=867_100_000))
    bench.kernel.run_until(during_us + 5_000_000)
    assert len(bench.up) == 2


def test_the_duty_cycle_of_the_sub_band_is_kept(bench, make_emission) -> None:
    """1 % of an hour at SF12 is soon used up; after an hour there is room again."""
    sent_us = 0
    refused = False
    for n in range(40):
        emission = make_emission("node", start_us=n * 30_000_000)
        frame = bench.hear(emission)
        asked = downlink(frame, sizes=(51, 51))
        del asked.items[1]
        asked.items[0].tx_info.modulation.lora.spreading_factor = 12
        ack = bench.gateway.transmit(asked, bench.kernel.now_us)
        if ack.items[0].status == gw.DUTY_CYCLE_OVERFLOW:
            refused = True
            break
        bench.kernel.run_until(bench.kernel.now_us + 5_000_000)
        sent_us += bench.node.emissions[-1].airtime_us
    assert refused
    assert 36_000_000 - 3_000_000 < sent_us <= 36_000_000
    later = make_emission("node", start_us=bench.kernel.now_us + 3_700_000_000)
    frame = bench.hear(later)
    assert bench.gateway.transmit(downlink(frame), bench.kernel.now_us).items[0].status == gw.OK


def test_statistics_and_state_have_the_recorded_shape(bench, make_emission) -> None:
    frame = bench.hear(make_emission("node"))
    bench.gateway.transmit(downlink(frame), bench.kernel.now_us)
    bench.kernel.run_until(5_000_000)
    (real,) = recorded("event/stats", gw.GatewayStats)
    ours = shape(bench.gateway.stats(5_000_001))
    assert {path: ours.get(path) for path in shape(real)} == shape(real)
    assert bench.gateway.stats(6_000_000).rx_packets_received == 0
    online, offline = recorded("state/conn", gw.ConnState)
    assert shape(bench.gateway.conn_state(True)) == shape(online)
    assert shape(bench.gateway.conn_state(False)) == shape(offline)
