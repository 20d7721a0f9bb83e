# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Time on air of one LoRa frame, in integer microseconds.

DS = Semtech SX1261/2 datasheet rev. 2.1, section 6.1.4 "LoRa Time-on-Air".
"""

LDRO_SYMBOL_US = 16_000  # DS 6.1.1.4: low data rate optimisation for symbols longer than 16 ms


def symbol_us(spreading_factor: int, bandwidth_hz: int) -> float:
    """Length of one chirp symbol."""
    return (1 << spreading_factor) * 1_000_000 / bandwidth_hz


def low_data_rate_optimised(spreading_factor: int, bandwidth_hz: int) -> bool:
    """What every LoRaWAN radio does: SF11 and SF12 at 125 kHz, SF12 at 250 kHz."""
    return symbol_us(spreading_factor, bandwidth_hz) > LDRO_SYMBOL_US


def lora_airtime_us(
    payload_len: int,
    sf: int,
    bw_hz: int = 125_000,
    cr: int = 5,
    preamble_symbols: int = 8,
    crc: bool = True,
    explicit: bool = True,
    ldro: bool | None = None,
) -> int:
    """Airtime of `payload_len` bytes of PHY payload; `cr` 5..8 stands for 4/5..4/8.

    `ldro=None` switches low data rate optimisation as LoRaWAN does.
    """
    if not (5 <= sf <= 12 and 5 <= cr <= 8 and 0 <= payload_len <= 255 and bw_hz > 0):
        raise ValueError(f"no LoRa frame: sf={sf} cr={cr} payload_len={payload_len} bw_hz={bw_hz}")
    if ldro is None:
        ldro = low_data_rate_optimised(sf, bw_hz)
    bits = 8 * payload_len + 16 * crc - 4 * sf + 20 * explicit
    if sf >= 7:
        bits += 8
    bits_per_block = 4 * (sf - 2 if ldro else sf)
    payload_symbols = 8 + -(-max(bits, 0) // bits_per_block) * cr
    sync_quarters = 17 if sf >= 7 else 25  # DS: 4.25 symbols, 6.25 for SF5 and SF6
    quarters = 4 * (preamble_symbols + payload_symbols) + sync_quarters
    return round(quarters * (1 << sf) * 250_000 / bw_hz)


def preamble_us(sf: int, bw_hz: int = 125_000, preamble_symbols: int = 8) -> int:
    """Preamble with its sync word part: what a receiver sees before the header."""
    quarters = 4 * preamble_symbols + (17 if sf >= 7 else 25)
    return round(quarters * (1 << sf) * 250_000 / bw_hz)
