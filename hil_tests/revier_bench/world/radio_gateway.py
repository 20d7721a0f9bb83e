# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""An 8-channel radio gateway: listens on the air, speaks ChirpStack's `gw` protobuf.

GW  = chirpstack_api.gw, as ChirpStack Concentratord and MQTT Forwarder fill it
HAL = Semtech lora_gateway/sx1302_hal, jitqueue.c: what may be scheduled, and what is refused

It knows no transport: uplinks go out by a callable, `transmit` takes a `DownlinkFrame` and
gives the `DownlinkTxAck`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from chirpstack_api import gw

from revier_bench.world.air import Emission, Medium, Position
from revier_bench.world.airtime import lora_airtime_us, preamble_us
from revier_bench.world.chance import stream
from revier_bench.world.duty_cycle import DutyCycle, sub_band

CHANNELS_HZ = (868_100_000, 868_300_000, 868_500_000, 867_100_000, 867_300_000, 867_500_000,
               867_700_000, 867_900_000)  # fmt: skip
BANDWIDTH_HZ = 125_000
SPREADING_FACTORS = range(7, 13)
SYNC_WORD_PUBLIC = 0x3444
DEMODULATORS_MAX = 8  # SX1301: frames demodulated at one time
COUNTER_PERIOD = 1 << 32
TX_LEAD_US = 2_500  # HAL: TX_START_DELAY 1500 us + TX_MARGIN_DELAY 1000 us
TX_ADVANCE_US_MAX = 128_000_000  # HAL: TX_MAX_ADVANCE_DELAY
SNR_REPORTED_DB_MAX = 13.5  # the demodulator's estimate saturates
CODE_RATES = {5: gw.CR_4_5, 6: gw.CR_4_6, 7: gw.CR_4_7, 8: gw.CR_4_8}
CODING_OF = {code_rate: coding for coding, code_rate in CODE_RATES.items()}

At = Callable[[int, Callable[[], None]], None]


@dataclass(slots=True)
class Counters:
    """Since the last statistics message."""

    rx: int = 0
    rx_ok: int = 0
    tx_asked: int = 0
    tx_emitted: int = 0


class RadioGateway:
    """A listener of the air. `at(t_us, fn)` is the world's clock."""

    def __init__(
        self,
        gateway_id: str,
        position: Position,
        air: Medium,
        at: At,
        start_unix_us: int,
        seed: str,
        on_uplink: Callable[[str, gw.UplinkFrame, Emission], None],
    ) -> None:
        self.name = gateway_id
        self.position = position
        self.counters = Counters()
        self._air = air
        self._at = at
        self._start_unix_us = start_unix_us
        self._counter_offset = stream(seed, f"counter:{gateway_id}").randrange(COUNTER_PERIOD)
        self._on_uplink = on_uplink
        self._uplink_id = 0
        self._duty_cycle = DutyCycle()
        self._transmissions: list[tuple[int, int]] = []  # start_us, end_us
        self._receiving = 0
        air.attach(self, position)

    # --- uplinks -------------------------------------------------------------------------

    def on_emission(self, emission: Emission) -> None:
        if not self._in_tune(emission) or self._receiving >= DEMODULATORS_MAX:
            return
        if self._air.outcome(emission, self) is None:
            return  # no preamble to lock on: no demodulator is taken
        self._receiving += 1
        self._at(emission.end_us, lambda: self._receive(emission))

    def _in_tune(self, emission: Emission) -> bool:
        return (
            emission.frequency_hz in CHANNELS_HZ
            and emission.bandwidth_hz == BANDWIDTH_HZ
            and emission.spreading_factor in SPREADING_FACTORS
            and emission.sync_word == SYNC_WORD_PUBLIC
            and not emission.iq_inverted
        )

    def _receive(self, emission: Emission) -> None:
        self._receiving -= 1
        if self._transmits_within(emission.start_us, emission.end_us):
            return
        reception = self._air.outcome(emission, self)
        if reception is None:
            return
        self.counters.rx += 1
        if not reception.crc_ok:
            return  # Concentratord's default: frames with a bad CRC are counted, not forwarded
        self.counters.rx_ok += 1
        snr_db = min(reception.snr_db, SNR_REPORTED_DB_MAX)
        frame = self._uplink_frame(emission, round(reception.rssi_dbm), round(snr_db * 4) / 4)
        self._on_uplink(self.name, frame, emission)

    def _uplink_frame(self, emission: Emission, rssi_dbm: int, snr_db: float) -> gw.UplinkFrame:
        self._uplink_id += 1
        frame = gw.UplinkFrame(phy_payload=emission.payload)
        frame.tx_info.frequency = emission.frequency_hz
        lora = frame.tx_info.modulation.lora
        lora.bandwidth = emission.bandwidth_hz
        lora.spreading_factor = emission.spreading_factor
        lora.code_rate = CODE_RATES[emission.coding_rate]
        rx_info = frame.rx_info
        rx_info.gateway_id = self.name
        rx_info.uplink_id = self._uplink_id
        rx_info.gw_time.FromMicroseconds(self._start_unix_us + emission.end_us)
        rx_info.rssi = rssi_dbm
        rx_info.snr = snr_db
        rx_info.channel = CHANNELS_HZ.index(emission.frequency_hz)
        rx_info.rf_chain = 1 if emission.frequency_hz < 868_000_000 else 0
        rx_info.context = self._counter(emission.end_us).to_bytes(4, "big")
        rx_info.crc_status = gw.CRC_OK if emission.crc_on else gw.NO_CRC
        return frame

    def _counter(self, t_us: int) -> int:
        return (self._counter_offset + t_us) % COUNTER_PERIOD

    # --- downlinks -----------------------------------------------------------------------

    def transmit(self, frame: gw.DownlinkFrame, now_us: int) -> gw.DownlinkTxAck:
        """Schedule the first item that can go out; later items are IGNORED, as in GW."""
        self.counters.tx_asked += 1
        ack = gw.DownlinkTxAck(gateway_id=self.name, downlink_id=frame.downlink_id)
        done = False
        for item in frame.items:
            status = gw.IGNORED if done else self._schedule(item, now_us)
            done = done or status == gw.OK
            ack.items.add(status=status)
        return ack

    def _schedule(self, item: gw.DownlinkFrameItem, now_us: int) -> gw.TxAckStatus:
        emission_start_us = self._start_of(item.tx_info, now_us)
        if emission_start_us is None:
            return gw.INTERNAL_ERROR
        if emission_start_us < now_us + TX_LEAD_US:
            return gw.TOO_LATE
        if emission_start_us > now_us + TX_ADVANCE_US_MAX:
            return gw.TOO_EARLY
        band = sub_band(item.tx_info.frequency)
        if band is None:
            return gw.TX_FREQ
        if item.tx_info.power > band.power_dbm_max:
            return gw.TX_POWER
        emission = self._emission(item, emission_start_us)
        if emission is None:
            return gw.INTERNAL_ERROR
        if self._transmits_within(emission.start_us, emission.end_us):
            return gw.COLLISION_PACKET
        if not self._duty_cycle.allows(band, emission.start_us, emission.airtime_us):
            return gw.DUTY_CYCLE_OVERFLOW
        self._duty_cycle.record(band, emission.start_us, emission.airtime_us)
        self._remember(emission, now_us)
        self._at(emission.start_us, lambda: self._emit(emission))
        return gw.OK

    def _start_of(self, tx_info: gw.DownlinkTxInfo, now_us: int) -> int | None:
        """World time of the transmission, None when the timing is not for us (GPS epoch)."""
        which = tx_info.timing.WhichOneof("parameters")
        if which == "immediately":
            return now_us + TX_LEAD_US
        if which != "delay" or len(tx_info.context) != 4:
            return None
        due = int.from_bytes(tx_info.context, "big")
        due += int(tx_info.timing.delay.delay.ToMicroseconds())
        ahead_us = (due - self._counter(now_us)) % COUNTER_PERIOD
        if ahead_us >= COUNTER_PERIOD // 2:
            ahead_us -= COUNTER_PERIOD
        return now_us + ahead_us

    def _emission(self, item: gw.DownlinkFrameItem, start_us: int) -> Emission | None:
        lora = item.tx_info.modulation.lora
        coding = CODING_OF.get(lora.code_rate)
        if item.tx_info.modulation.WhichOneof("parameters") != "lora" or coding is None:
            return None
        crc_on = not lora.polarization_inversion and not lora.no_crc
        symbols = lora.preamble or 8
        return Emission(
            sender=self.name,
            start_us=start_us,
            airtime_us=lora_airtime_us(
                len(item.phy_payload),
                lora.spreading_factor,
                lora.bandwidth,
                coding,
                symbols,
                crc_on,
            ),
            preamble_us=preamble_us(lora.spreading_factor, lora.bandwidth, symbols),
            frequency_hz=item.tx_info.frequency,
            bandwidth_hz=lora.bandwidth,
            spreading_factor=lora.spreading_factor,
            coding_rate=coding,
            power_dbm=item.tx_info.power - self.position.gain_dbi,  # GW: power is EIRP
            iq_inverted=lora.polarization_inversion,
            sync_word=SYNC_WORD_PUBLIC,
            crc_on=crc_on,
            explicit_header=True,
            payload=item.phy_payload,
        )

    def _emit(self, emission: Emission) -> None:
        self.counters.tx_emitted += 1
        self._air.emit(emission)

    def _remember(self, emission: Emission, now_us: int) -> None:
        oldest_us = now_us - TX_ADVANCE_US_MAX
        self._transmissions = [t for t in self._transmissions if t[1] > oldest_us]
        self._transmissions.append((emission.start_us, emission.end_us))

    def _transmits_within(self, start_us: int, end_us: int) -> bool:
        return any(begin < end_us and end > start_us for begin, end in self._transmissions)

    # --- health --------------------------------------------------------------------------

    def stats(self, now_us: int) -> gw.GatewayStats:
        """Counters since the last call."""
        stats = gw.GatewayStats(gateway_id=self.name)
        stats.time.FromMicroseconds(self._start_unix_us + now_us)
        stats.location.latitude = self.position.lat
        stats.location.longitude = self.position.lon
        stats.location.altitude = self.position.height_m
        stats.rx_packets_received = self.counters.rx
        stats.rx_packets_received_ok = self.counters.rx_ok
        stats.tx_packets_received = self.counters.tx_asked
        stats.tx_packets_emitted = self.counters.tx_emitted
        self.counters = Counters()
        return stats

    def conn_state(self, online: bool) -> gw.ConnState:
        state = gw.ConnState.ONLINE if online else gw.ConnState.OFFLINE
        return gw.ConnState(gateway_id=self.name, state=state)
