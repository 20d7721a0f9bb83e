# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# Generated from schema/: python tools/payload.py
"""Packed by a node: fPort 11."""

from revier_payload.pack import Packer

AIR_BATCH = Packer(
    11,
    12,
    (
        ("seq", 32, -4, 1, 0, 4294967295),
        ("time", 22, -1, 1, 0, 4194301),
        ("samples", 4, -1, 1, 1, 14),
        ("interval", 6, -1, 30, 30, 1860),
        ("level", 6, -1, 1, 0, 61),
        ("battery", 4, -1, 125, 2600, 4225),
        ("status", 5, -3, 1, 0, 31),
        ("channels", 10, -3, 1, 0, 1023),
        ("gaps", 1, -3, 1, 0, 1),
    ),
)
