# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Where LoRa's airtime steps up: bytes up to the next edge are free.

SX1261/2 datasheet 6.1.4: five symbols for every 4 (SF - 2 DE) bits, explicit header, CRC, coding
rate 4/5; DE (low data rate) at SF11 and SF12 of 125 kHz.
"""

OVERHEAD = 13  # MHDR, DevAddr, FCtrl, FCnt, FPort, MIC; FOpts come on top


def free_size(size: int, spreading_factor: int, f_opts: int = 0) -> int:
    """The longest payload that is on the air no longer than one of `size` bytes."""
    step = 4 * (spreading_factor - 2 * (spreading_factor > 10))
    head = 44 - 4 * spreading_factor  # bits: header and CRC, less what the header's block takes
    used = 8 * (OVERHEAD + f_opts + size) + head
    blocks = max(0, -(-used // step))
    return (blocks * step - head) // 8 - OVERHEAD - f_opts
