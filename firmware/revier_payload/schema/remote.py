# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is asked of a node over the air, and what it answers. Rules in schema/__init__.py."""

from revier_payload.schema.fields import Choice, Counter, Linear, Message


class Setting:
    """One value of a node's configuration: a whole number in `unit`, bounded at both ends.

    bounds: low, high, default. default: what the node does without it; None where that is not the
    same for all kinds. choices: names of the values from `low` on, where it is no quantity.
    """

    def __init__(
        self,
        number: int,
        name: str,
        kind: str,
        unit: str,
        bounds: "tuple[int, int, int | None]",
        meaning: str,
        choices: "tuple[str, ...]" = (),
    ) -> None:
        low, high, default = bounds
        assert 0 < number < 254  # what `setting` of the answer can say
        assert 0 <= low < high <= 0xFFFF
        assert default is None or low <= default <= high
        assert len(choices) in (0, high - low + 1)
        self.number = number
        self.name = name
        self.kind = kind  # of node; "" for every node
        self.unit = unit
        self.low = low
        self.high = high
        self.default = default
        self.meaning = meaning
        self.choices = choices


# Numbers are never used again for another meaning.
SETTINGS = (
    Setting(1, "interval", "", "s", (60, 43200, None), "between two readings, or heartbeats"),
    Setting(2, "confirmed_every", "", "1", (0, 1000, 0), "every n-th uplink is confirmed, 0 none"),
    Setting(
        16, "report", "air", "1", (1, 3, 1), "each reading, on change, as a batch",
        ("each", "change", "batch"),
    ),
    Setting(17, "report_min", "air", "s", (0, 43200, 0), "on change: not more often"),
    Setting(18, "report_max", "air", "s", (300, 43200, 3600), "on change: not less often"),
    Setting(
        19, "dead_band", "air", "ng/m3", (500, 50000, 2000),
        "on change: a step of PM2.5 that is news, of PM10 half as much again; the larger of this",
    ),
    Setting(20, "dead_band_share", "air", "%", (5, 100, 15), "and of this share of what was sent"),
    Setting(
        32, "occupied_above", "parking", "nT", (4000, 16000, 7200),
        "change of the field at once that may be a vehicle; 16.5 uT from the empty bay it is one",
    ),
    Setting(
        33, "vacant_below", "parking", "nT", (1500, 16000, 4350),
        "distance from the empty bay's field at which the bay is empty",
    ),
    Setting(
        34, "empty_bay", "parking", "1", (0, 65535, 0),
        "another number than before: the bay is empty now, learn its field",
    ),
    Setting(48, "empty", "waste", "mm", (300, 4500, 4500), "longest echo that is of the container"),
    Setting(49, "fire_above", "waste", "Cel", (40, 85, 75), "alarm at this temperature"),
    Setting(50, "fire_rise", "waste", "K/min", (2, 30, 5), "alarm at this rise"),
    Setting(51, "tilt_above", "waste", "deg", (20, 90, 30), "alarm above this angle"),
    Setting(
        52, "nearest", "waste", "mm", (40, 1000, 40),
        "echoes up to this are of the lid's frame, or of water on the sensor",
    ),
)  # fmt: skip
# Pairs of which the first must not exceed the second; what is not set is as the node was made.
ORDERED = ((17, 18), (33, 32), (52, 48))
SETTINGS_MAX = 16  # in one downlink: 49 B, which every data rate carries

CONFIGURATION = Message(
    2,
    "configuration",
    "",
    "Settings to take over, all or none",
    (Choice("mode", 8, "what becomes of the other settings", ("keep", "default")),),
    body="settings",
)

RESULTS = (
    "applied",
    "refused_length",
    "refused_mode",
    "refused_unknown",
    "refused_kind",
    "refused_range",
    "refused_twice",
    "refused_order",
)
CONFIGURATION_ANSWER = Message(
    3,
    "configuration_answer",
    "",
    "What became of a configuration",
    (
        Counter("request_hash", 16, "hash of the bytes of the downlink that is answered"),
        Linear("config_hash", 16, "1", "hash of the settings in force now"),
        Choice("result", 8, "applied, or why nothing was changed", RESULTS),
        Linear("setting", 8, "1", "number of the setting that was refused, 0 none"),
    ),
)

RANGES_MAX = 8
BACKFILL_REQUEST = Message(
    4,
    "backfill_request",
    "",
    "Which readings to send again; repeated for each range",
    (
        Counter("first", 32, "whole reading sequence of the first"),
        Linear("count", 8, "1", "how many", minimum=1),
    ),
    body="ranges",
)

BACKFILL = Message(
    5,
    "backfill",
    "",
    "Readings from the node's memory, each as it was or would have been sent",
    (
        Counter("seq", 32, "whole reading sequence of the first"),
        Linear("time", 32, "s", "when the first was measured, Unix time"),
        Linear("port", 8, "1", "fPort of the readings"),
        Linear("size", 8, "B", "bytes of each reading", minimum=1),
    ),
    body="records",
)
