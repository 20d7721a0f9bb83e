# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# Generated from schema/: python tools/payload.py
"""What a node takes as its configuration: number, name, kind, unit, lowest, highest,
default, names of the values from the lowest on.
"""

SETTINGS_MAX = 16
SETTINGS = (
    (1, "interval", "", "s", 60, 43200, None, ()),
    (2, "confirmed_every", "", "1", 0, 1000, 0, ()),
    (16, "report", "air", "1", 1, 3, 1, ("each", "change", "batch")),
    (17, "report_min", "air", "s", 0, 43200, 0, ()),
    (18, "report_max", "air", "s", 300, 43200, 3600, ()),
    (19, "dead_band", "air", "ng/m3", 500, 50000, 2000, ()),
    (20, "dead_band_share", "air", "%", 5, 100, 15, ()),
    (32, "occupied_above", "parking", "nT", 4000, 16000, 7200, ()),
    (33, "vacant_below", "parking", "nT", 1500, 16000, 4350, ()),
    (34, "empty_bay", "parking", "1", 0, 65535, 0, ()),
    (48, "empty", "waste", "mm", 300, 4500, 4500, ()),
    (49, "fire_above", "waste", "Cel", 40, 85, 75, ()),
    (50, "fire_rise", "waste", "K/min", 2, 30, 5, ()),
    (51, "tilt_above", "waste", "deg", 20, 90, 30, ()),
    (52, "nearest", "waste", "mm", 40, 1000, 40, ()),
)
ORDERED = (
    (17, 18),
    (33, 32),
    (52, 48),
)
