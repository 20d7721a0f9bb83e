# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# Generated from schema/: python tools/payload.py
"""Packed by a node: fPort 1."""

from revier_payload.pack import Packer

DIAGNOSIS = Packer(
    1,
    12,
    (
        ("seq", 32, -4, 1, 0, 4294967295),
        ("reset_cause", 4, -2, 1, 0, 6),
        ("battery", 12, -1, 1, 0, 4093),
        ("fw_major", 4, -1, 1, 0, 13),
        ("fw_minor", 6, -1, 1, 0, 61),
        ("fw_patch", 6, -1, 1, 0, 61),
        ("boots", 16, -1, 1, 0, 65533),
        ("error", 8, -1, 1, 0, 253),
        ("status", 8, -3, 1, 0, 255),
        ("config_hash", 16, -1, 1, 0, 65533),
        ("joins", 8, -1, 1, 0, 253),
        ("battery_tx", 8, -1, 10, 2000, 4530),
        ("errors_1", 4, 1, 1, 0, 96),
        ("errors_2", 4, 1, 1, 0, 96),
        ("errors_3", 4, 1, 1, 0, 96),
        ("errors_4", 4, 1, 1, 0, 96),
        ("join_silent", 4, 1, 1, 0, 96),
        ("join_replayed", 4, 1, 1, 0, 96),
        ("not_ours", 4, 1, 1, 0, 96),
        ("mic_wrong", 4, 1, 1, 0, 96),
        ("oversized", 4, 1, 1, 0, 96),
        ("downlink_lost", 4, 1, 1, 0, 96),
        ("unacknowledged", 4, 1, 1, 0, 96),
        ("command_unknown", 4, 1, 1, 0, 96),
        ("command_refused", 4, 1, 1, 0, 96),
        ("duty", 4, 1, 1, 0, 96),
        ("aborted", 4, 1, 1, 0, 96),
        ("time_error", 4, 1, 1, 0, 96),
    ),
)
