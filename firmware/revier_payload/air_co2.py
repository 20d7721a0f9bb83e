# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# Generated from schema/: python tools/payload.py
"""Packed by a node: fPort 12."""

from revier_payload.pack import Packer

AIR_CO2 = Packer(
    12,
    11,
    (
        ("seq", 9, -4, 1, 0, 511),
        ("pm1", 8, 5, 3, 0, 11712),
        ("pm25", 8, 5, 3, 0, 11712),
        ("pm4", 8, 5, 3, 0, 11712),
        ("pm10", 8, 5, 3, 0, 11712),
        ("temperature", 9, -1, 2, -300, 718),
        ("humidity", 7, -1, 1, 0, 100),
        ("pressure", 9, -1, 5, 8500, 11045),
        ("co2", 13, -1, 1, 0, 8189),
        ("battery", 4, -1, 125, 2600, 4225),
        ("status", 5, -3, 1, 0, 31),
    ),
)
