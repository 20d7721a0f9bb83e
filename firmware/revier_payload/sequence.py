# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The node's reading sequence: one 32-bit counter for all of its readings.

A message carries its low bits (schema.seq_bits), diagnosis the whole of it. It may skip, never
repeat: the node writes a lease to non-volatile storage and after a power loss goes on from there.
The receiver widens the low bits; how it does that is its own business.
"""

from revier_payload.schema import seq_bits

SEQ_BITS = 32
SEQ_MAX = 0xFFFFFFFF

__all__ = ("SEQ_BITS", "SEQ_MAX", "candidates", "seq_bits")


def candidates(low: int, bits: int, first: int) -> "tuple[int, int]":
    """Smallest sequence >= first with these low bits, and the distance to the next such one."""
    span = 1 << bits
    return first + ((low - first) & (span - 1)), span
