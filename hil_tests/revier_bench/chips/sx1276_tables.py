# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Numbers of the SX1276/77/78/79 datasheet (DS = rev. 7) and errata note (ER) for the model."""

# DS table 41: addresses. 0x0D to 0x3F exist twice, for FSK and for LoRa
FIFO = 0x00
OP_MODE = 0x01
FRF = 0x06
PA_CONFIG = 0x09
PA_RAMP = 0x0A
OCP = 0x0B
FIFO_ADDR_PTR = 0x0D
FIFO_TX_BASE = 0x0E
FIFO_RX_BASE = 0x0F
FIFO_RX_CURRENT = 0x10
IRQ_FLAGS_MASK = 0x11
IRQ_FLAGS = 0x12
RX_NB_BYTES = 0x13
HEADER_COUNT = 0x14
PACKET_COUNT = 0x16
MODEM_STAT = 0x18
PKT_SNR = 0x19
PKT_RSSI = 0x1A
RSSI = 0x1B
HOP_CHANNEL = 0x1C
MODEM_CONFIG_1 = 0x1D
MODEM_CONFIG_2 = 0x1E
SYMB_TIMEOUT = 0x1F
PREAMBLE = 0x20
PAYLOAD_LENGTH = 0x22
HOP_PERIOD = 0x24
MAX_PAYLOAD_LENGTH = 0x23
FIFO_RX_BYTE = 0x25
MODEM_CONFIG_3 = 0x26
RSSI_WIDEBAND = 0x2C
IF_FREQ_2 = 0x2F
IF_FREQ_1 = 0x30
DETECT_OPTIMIZE = 0x31
INVERT_IQ = 0x33
HIGH_BW_1 = 0x36
DETECT_THRESHOLD = 0x37
SYNC_WORD = 0x39
HIGH_BW_2 = 0x3A
INVERT_IQ_2 = 0x3B
DIO_MAPPING_1 = 0x40
VERSION = 0x42
TCXO = 0x4B
PA_DAC = 0x4D
IMAGE_CAL = 0x3B  # FSK
FSK_RSSI = 0x11
FSK_IRQ_1 = 0x3E
FSK_IRQ_2 = 0x3F
FSK_MODE_READY = 0x80
FSK_FIFO_EMPTY = 0x40
FSK_FIFO = 64  # DS 2.1.9: bytes
PAGE = range(0x0D, 0x40)
LAST = 0x70
WRITE = 0x80

READ_ONLY = {
    FIFO_RX_CURRENT, RX_NB_BYTES, 0x14, 0x15, 0x16, 0x17, MODEM_STAT, PKT_SNR, PKT_RSSI, RSSI,
    HOP_CHANNEL, FIFO_RX_BYTE, 0x28, 0x29, 0x2A, RSSI_WIDEBAND, VERSION,
}  # fmt: skip
FIXED_ON_AIR = {
    0x06, 0x07, 0x08, MODEM_CONFIG_1, MODEM_CONFIG_2, SYMB_TIMEOUT, 0x20, 0x21, PAYLOAD_LENGTH,
    MAX_PAYLOAD_LENGTH, MODEM_CONFIG_3, INVERT_IQ, SYNC_WORD, INVERT_IQ_2,
}  # fmt: skip
"""Configuration that must not change while it sends or receives"""

# DS table 41, after reset
COMMON = {
    OP_MODE: 0x09, 0x06: 0x6C, 0x07: 0x80, 0x08: 0x00, PA_CONFIG: 0x4F, PA_RAMP: 0x09, OCP: 0x2B,
    0x0C: 0x20, DIO_MAPPING_1: 0x00, 0x41: 0x00, VERSION: 0x12, 0x44: 0x2D, TCXO: 0x09,
    PA_DAC: 0x84, 0x5B: 0x00, 0x61: 0x13, 0x62: 0x0E, 0x63: 0x5B, 0x64: 0xDB, 0x70: 0xD0,
}  # fmt: skip
FSK = {0x0D: 0x08, 0x0E: 0x02, 0x0F: 0x0A, 0x10: 0xFF, 0x12: 0x15, 0x13: 0x0B, IMAGE_CAL: 0x02}
LORA = {
    FIFO_TX_BASE: 0x80, FIFO_RX_BASE: 0x00, MODEM_CONFIG_1: 0x72, MODEM_CONFIG_2: 0x70,
    SYMB_TIMEOUT: 0x64, 0x20: 0x00, 0x21: 0x08, PAYLOAD_LENGTH: 0x01, MAX_PAYLOAD_LENGTH: 0xFF,
    IF_FREQ_2: 0x20, IF_FREQ_1: 0x00, DETECT_OPTIMIZE: 0xC3,
    # the datasheet says 0x26; the silicon has bit 0 set, which is a normal TX (Semtech's drivers)
    INVERT_IQ: 0x27, HIGH_BW_1: 0x03, DETECT_THRESHOLD: 0x0A, SYNC_WORD: 0x12, HIGH_BW_2: 0x65,
    INVERT_IQ_2: 0x1D,
}  # fmt: skip

# DS table 41, RegOpMode
LONG_RANGE, SHARED_PAGE = 0x80, 0x40
SLEEP, STANDBY, FS_TX, TX, FS_RX, RX_CONTINUOUS, RX_SINGLE, CAD = range(8)
ON_AIR = (TX, RX_CONTINUOUS, RX_SINGLE, CAD)

# DS table 41, RegIrqFlags
RX_TIMEOUT_IRQ = 0x80
RX_DONE_IRQ = 0x40
CRC_ERROR_IRQ = 0x20
VALID_HEADER_IRQ = 0x10
TX_DONE_IRQ = 0x08
CAD_DONE_IRQ = 0x04
CAD_DETECTED_IRQ = 0x01
DIO0 = (RX_DONE_IRQ, TX_DONE_IRQ, CAD_DONE_IRQ, 0)  # DS table 18
DIO1 = (RX_TIMEOUT_IRQ, 0, CAD_DETECTED_IRQ, 0)

HEADER_HAS_CRC = 0x40  # DS table 41, RegHopChannel: CrcOnPayload
LOW_FREQUENCY_HZ = 779_000_000  # DS table 32: below it bands 2 and 3, whose RSSI begins at -164 dBm

SYMBOLS_MIN = 4  # DS 4.1.5: RegSymbTimeout 4 to 1023
BANDWIDTH_HZ = (
    7_800, 10_400, 15_600, 20_800, 31_250, 41_700, 62_500, 125_000, 250_000, 500_000,
)  # fmt: skip
RAMP_US = (3_400, 2_000, 1_000, 500, 250, 125, 100, 62, 50, 40, 31, 25, 20, 15, 12, 10)
IF_FREQ_2_CURE = {7_800: 0x48, 10_400: 0x44, 15_600: 0x44, 20_800: 0x44, 31_250: 0x44,
                  41_700: 0x44, 62_500: 0x40, 125_000: 0x40, 250_000: 0x40}  # fmt: skip
"""ER 2.3; below 62.5 kHz the carrier is set off by one bandwidth as well"""

POWER_ON_US = 10_000  # DS 7.2.1
RESET_US = 5_000  # DS 7.2.2
RESET_MIN_US = 100
OSCILLATOR_US = 250  # DS table 7, TS_OSC
PLL_US = 60  # TS_FS
RX_WAKE_US = 71  # DS 2.1.5.2, TS_RE at 125 kHz
TX_WAKE_US = 5  # DS 2.1.5.1, TS_TR: and 1.25 ramps
CALIBRATION_US = 10_000  # DS 2.1.3.8
CALIBRATION_AFTER_RESET_HZ = 434_000_000


def over_current_ma(ocp: int) -> float:
    """DS 3.4.4: what RegOcp lets the amplifier draw."""
    if not ocp & 0x20:
        return 1_000.0
    trim = ocp & 0x1F
    return 45 + 5 * trim if trim <= 15 else min(240, -30 + 10 * trim)
