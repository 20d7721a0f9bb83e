# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# Generated from schema/: python tools/payload.py
"""Packed by a node: fPort 3."""

from revier_payload.pack import Packer

CONFIGURATION_ANSWER = Packer(
    3,
    6,
    (
        ("request_hash", 16, -4, 1, 0, 65535),
        ("config_hash", 16, -1, 1, 0, 65533),
        ("result", 8, -2, 1, 0, 8),
        ("setting", 8, -1, 1, 0, 253),
    ),
)
