# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# Generated from schema/: python tools/payload.py
"""Packed by a node: fPort 6."""

from revier_payload.pack import Packer

ALARM = Packer(
    6,
    4,
    (
        ("seq", 8, -4, 1, 0, 255),
        ("alarm", 4, -3, 1, 0, 15),
        ("temperature", 8, -1, 1, -40, 213),
        ("tilt_angle", 5, -1, 10, 0, 180),
        ("battery", 4, -1, 125, 2600, 4225),
    ),
)
