# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# Generated from schema/: python tools/payload.py
"""What a node takes as its configuration: number, kind, lowest, highest."""

SETTINGS_MAX = 16
SETTINGS = (
    (1, "", 60, 43200),
    (2, "", 0, 1000),
    (16, "air", 1, 3),
    (17, "air", 60, 43200),
    (18, "air", 300, 43200),
    (19, "air", 500, 50000),
    (20, "air", 5, 100),
    (32, "parking", 2000, 60000),
    (33, "parking", 1000, 50000),
    (48, "waste", 300, 4500),
    (49, "waste", 40, 120),
    (50, "waste", 2, 30),
    (51, "waste", 10, 90),
)
ORDERED = (
    (17, 18),
    (33, 32),
)
