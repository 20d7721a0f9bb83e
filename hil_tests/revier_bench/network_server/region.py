# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""EU868 as ChirpStack is configured by default, with the five extra channels.

RP = RP002-1.0.4, section 2.4; the network's own numbers are those of ChirpStack's
region_eu868.toml.
"""

from dataclasses import dataclass

from chirpstack_api import common, gw

REGION_CONFIG_ID = "eu868"
COMMON_NAME = common.EU868
NET_ID = bytes(3)

RX1_DELAY_S = 1
JOIN_ACCEPT_DELAY_S = 5
RX1_DR_OFFSET = 0
RX2_DR = 0
RX2_FREQUENCY_HZ = 869_525_000
INSTALLATION_MARGIN_DB = 10.0
ADR_DR_MAX = 5
TX_POWER_INDEX_MAX = 7  # RP 2.4.3: 16 dBm EIRP in steps of 2 dB

DEFAULT_CHANNELS_HZ = (868_100_000, 868_300_000, 868_500_000)
EXTRA_CHANNELS_HZ = (867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)
CHANNELS_HZ = DEFAULT_CHANNELS_HZ + EXTRA_CHANNELS_HZ
CHANNEL_DR_MIN = 0
CHANNEL_DR_MAX = 5

REQUIRED_SNR_DB = {6: -5.0, 7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
DOWNLINK_PAYLOAD_BYTES_MAX = (51, 51, 51, 115, 242, 242, 242, 242)  # RP 2.4.6, N, no repeater
FSK_DR = 7


class RegionError(ValueError):
    """Not a data rate or a channel of this network."""


@dataclass(frozen=True, slots=True)
class DataRate:
    spreading_factor: int
    bandwidth_hz: int


LORA_DATA_RATES = (
    *(DataRate(sf, 125_000) for sf in (12, 11, 10, 9, 8, 7)),
    DataRate(7, 250_000),
)


def uplink_dr(tx_info: gw.UplinkTxInfo) -> int:
    kind = tx_info.modulation.WhichOneof("parameters")
    if kind == "lora":
        lora = tx_info.modulation.lora
        wanted = DataRate(lora.spreading_factor, lora.bandwidth)
        if wanted in LORA_DATA_RATES:
            return LORA_DATA_RATES.index(wanted)
    if kind == "fsk" and tx_info.modulation.fsk.datarate == 50_000:
        return FSK_DR
    raise RegionError(f"no EU868 data rate: {tx_info.modulation}")


def uplink_channel(frequency_hz: int, dr: int) -> int:
    if frequency_hz not in CHANNELS_HZ or not CHANNEL_DR_MIN <= dr <= CHANNEL_DR_MAX:
        raise RegionError(f"no channel of this network: {frequency_hz} Hz, DR{dr}")
    return CHANNELS_HZ.index(frequency_hz)


def downlink_modulation(dr: int) -> gw.Modulation:
    if dr == FSK_DR:
        return gw.Modulation(
            fsk=gw.FskModulationInfo(datarate=50_000, frequency_deviation=25_000),
        )
    rate = LORA_DATA_RATES[dr]
    return gw.Modulation(
        lora=gw.LoraModulationInfo(
            bandwidth=rate.bandwidth_hz,
            spreading_factor=rate.spreading_factor,
            code_rate=gw.CR_4_5,
            polarization_inversion=True,
        )
    )


def rx1_dr(dr: int, offset: int) -> int:
    return max(0, dr - offset)  # RP 2.4.7


def downlink_power_dbm(frequency_hz: int) -> int:
    """EIRP: 869.4 to 869.65 MHz allows 500 mW ERP, everything else 25 mW ERP."""
    return 29 if 869_400_000 <= frequency_hz < 869_650_000 else 16


def required_snr_db(dr: int) -> float:
    """The demodulator's limit; 0 for what is not LoRa, as ChirpStack has it."""
    if dr == FSK_DR:
        return 0.0
    return REQUIRED_SNR_DB[LORA_DATA_RATES[dr].spreading_factor]
