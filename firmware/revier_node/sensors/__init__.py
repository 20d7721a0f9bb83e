# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Sensor drivers. Each read returns (state, value, reason), made by the three functions below.

A driver never blocks past its named limit, checks what the chip lets it check, and tells a value
that is not there (missing: no echo, not measured yet) from a part that does not work (fault).
"""

VALID = "valid"
MISSING = "missing"
FAULT = "fault"


def valid(value: object) -> tuple:
    return (VALID, value, "")


def missing(reason: str) -> tuple:
    return (MISSING, None, reason)


def fault(reason: str) -> tuple:
    return (FAULT, None, reason)
