# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What every node sends about itself. Rules in schema/__init__.py."""

from revier_payload.schema.fields import NODE_FLAGS, Choice, Counter, Flags, Linear, Log, Message


def _count(name: str, meaning: str) -> Log:
    """0 1 2 3 4 6 8 12 16 24 32 48 64 96; more is out of range."""
    return Log(name, 4, "1", meaning, mantissa_bits=1)


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
        Flags(
            "status",
            8,
            "node status",
            NODE_FLAGS + ("seq_leapt", "f_cnt_leapt", "batches", "settings_reverted"),
        ),
    ),
    (
        Linear("config_hash", 16, "1", "hash of the settings in force, see fPort 2"),
        Linear("joins", 8, "1", "join requests since the node was made"),
        Linear("battery_tx", 8, "V", "lowest while sending", 10, 2000, denominator=1000),
        _count("errors_1", "errors of sensor 1: air particles, parking field, waste echo"),
        _count("errors_2", "errors of sensor 2: air climate, parking second, waste time-of-flight"),
        _count("errors_3", "errors of sensor 3: air gas, waste tilt"),
        _count("errors_4", "errors of sensor 4"),
        # The MAC's counts since the last diagnosis that was answered; revier_mac/counts.py
        _count("join_silent", "join requests without an accept"),
        _count("join_replayed", "accepts with the JoinNonce of the one before"),
        _count("not_ours", "frames in a window that are another's"),
        _count("mic_wrong", "our address, wrong MIC"),
        _count("oversized", "downlinks longer than their data rate may carry"),
        _count("downlink_lost", "gaps of FCntDown"),
        _count("unacknowledged", "confirmed uplinks without an ACK after all transmissions"),
        _count("command_unknown", "MAC commands that were not understood"),
        _count("command_refused", "MAC commands that were refused"),
        _count("duty", "uplinks put off by the duty cycle"),
        _count("aborted", "the radio failed"),
        Log(
            "time_error",
            4,
            "s",
            "the node's clock, and a reading's own time, may err by so much",
            mantissa_bits=1,
        ),
    ),
)
