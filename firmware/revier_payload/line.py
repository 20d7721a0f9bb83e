# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A decoded message as one line of text: for a log, and to hold the runtimes against each other."""

from revier_payload.decoded import Decoded
from revier_payload.schema.fields import VALID


def line_of(decoded: Decoded) -> str:
    """Whole numbers in the fields' resolutions, names in alphabetical order."""
    text = str(decoded.f_port) + " " + decoded.name + _fields(decoded)
    for row in decoded.rows:
        text += " (" + row.name + " t=" + str(row.time) + _fields(row) + ")"
    for error in decoded.errors:
        text += " error: " + error
    for warning in decoded.warnings:
        text += " warning: " + warning
    return text


def _fields(decoded: Decoded) -> str:
    parts = [""]
    for name in sorted(decoded.values):
        state = decoded.states[name]
        parts.append(name + "=" + (str(decoded.values[name]) if state == VALID else state))
    return " ".join(parts)
