# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What every node sends about itself. Rules in schema.py."""

from revier_payload.fields import NODE_FLAGS, Choice, Counter, Flags, Linear, Message

DIAGNOSIS = Message(
    1,
    "diagnosis",
    "",
    "State of the node, first uplink after every join",
    (
        Counter("seq", 32, "the whole reading sequence: the next reading will carry it"),
        Choice(
            "reset_cause",
            4,
            "why the node started",
            ("power_on", "hard_reset", "watchdog", "deep_sleep", "soft_reset", "brown_out"),
        ),
        Linear("battery", 12, "V", "battery voltage", denominator=1000),
        Linear("fw_major", 4, "1", "firmware version"),
        Linear("fw_minor", 6, "1", "firmware version"),
        Linear("fw_patch", 6, "1", "firmware version"),
        Linear("boots", 16, "1", "starts since the battery was connected"),
        Linear("error", 8, "1", "code of the last error, 0 none"),
        Flags("status", 8, "node status", NODE_FLAGS + ("seq_leapt", "f_cnt_leapt")),
    ),
)
