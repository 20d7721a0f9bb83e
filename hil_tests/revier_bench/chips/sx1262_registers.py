# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Registers of the SX1262: addresses and what a reset leaves.

DS = SX1261/2 datasheet rev. 2.1, table 12-1. SD = Semtech's sx126x_driver, sx126x_regs.h, for what
the table leaves out.
"""

RETENTION = 0x029F
"""DS 9.6: a number, then so many addresses of two bytes: registers that warm sleep keeps too"""
RETENTION_MAX = 4  # SD
VERSION = 0x0320
RX_PAYLOAD_LENGTH = 0x06BB  # SD
SYMBOL_TIMEOUT = 0x0706
IQ_POLARITY = 0x0736
SYNC_WORD = 0x0740
HEADER_CODING_RATE = 0x0749  # SD: bits 6 to 4, of the last header
HEADER_CRC = 0x076B  # SD: bit 4, of the last header; the frequency error begins there too
RX_POINTER = 0x0803  # SD
RANDOM = range(0x0819, 0x081D)
FREQUENCY = 0x088B  # field note: RadioLib finds SetRfFrequency's four bytes here
TX_MODULATION = 0x0889
RX_GAIN = 0x08AC
TX_CLAMP = 0x08D8
OCP = 0x08E7
OCP_SX1262 = 0x38  # DS table 5-2: 140 mA in steps of 2.5; SetPaConfig writes it as well
RTC_CONTROL = 0x0902

LOST_IN_WARM_SLEEP = (RX_GAIN, TX_MODULATION, IQ_POLARITY)
"""DS 9.6 names the first; SD's sx126x_init_retention_list() puts all three on the list"""

AFTER_RESET = {
    SYMBOL_TIMEOUT: 0x00,
    IQ_POLARITY: 0x0D,
    SYNC_WORD: 0x14,  # private network
    SYNC_WORD + 1: 0x24,
    TX_MODULATION: 0x01,
    RX_GAIN: 0x94,
    TX_CLAMP: 0xC8,
    OCP: OCP_SX1262,
    RTC_CONTROL: 0x00,
    0x0911: 0x05,  # XTA trim
    0x0912: 0x05,  # XTB trim
    0x0944: 0x00,  # event mask
    # GFSK
    0x06B8: 0x01,  # whitening seed
    0x06B9: 0x00,
    0x06BC: 0x1D,  # CRC seed
    0x06BD: 0x0F,
    0x06BE: 0x10,  # CRC polynomial
    0x06BF: 0x21,
    0x06CD: 0x00,  # node address
    0x06CE: 0x00,  # broadcast address
    # Field note: an SX1262 calls itself so, RadioLib's SX1262.h looks for the first six letters
    **dict(enumerate(b"SX1261 V2D 2D02\0", VERSION)),
}
