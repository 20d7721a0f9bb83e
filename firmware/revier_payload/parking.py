# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# Generated from schema/: python tools/payload.py
"""Packed by a node: fPort 20 and 21."""

from revier_payload.pack import Packer

PARKING_EVENT = Packer(
    20,
    2,
    (
        ("seq", 4, -4, 1, 0, 15),
        ("state", 2, -2, 1, 0, 2),
        ("confidence", 2, -2, 1, 0, 2),
        ("dwell", 8, 5, 1, 0, 3904),
        ("dwell_2", 8, 5, 1, 0, 3904),
        ("dwell_3", 8, 5, 1, 0, 3904),
    ),
)
PARKING_HEARTBEAT = Packer(
    21,
    2,
    (
        ("seq", 4, -4, 1, 0, 15),
        ("state", 2, -2, 1, 0, 2),
        ("confidence", 2, -2, 1, 0, 2),
        ("battery", 4, -1, 125, 2600, 4225),
        ("status", 4, -3, 1, 0, 15),
        ("lasting", 8, 5, 1, 0, 3904),
    ),
)
