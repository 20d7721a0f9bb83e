# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# Generated from schema/: python tools/payload.py
"""Packed by a node: fPort 31."""

from revier_payload.pack import Packer

WASTE_EMPTIED = Packer(
    31,
    6,
    (
        ("seq", 7, -4, 1, 0, 127),
        ("distance", 11, -1, 3, 0, 6135),
        ("temperature", 7, -1, 1, -40, 85),
        ("tilt", 5, -1, 10, 0, 180),
        ("quality", 3, -1, 1, 0, 5),
        ("battery", 4, -1, 125, 2600, 4225),
        ("flags", 3, -3, 1, 0, 7),
        ("emptied_from", 8, -1, 25, 0, 6325),
    ),
)
