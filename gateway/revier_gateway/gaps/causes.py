# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Why is a frame missing? From what is known, strongest word first."""

from __future__ import annotations

from typing import Literal

import msgspec

Cause = Literal["radio", "node", "gateway", "network_server", "unknown"]
OTHERS_LOST_MIN = 2  # devices that lost frames at the same time, in a silence of all


class Evidence(msgspec.Struct, frozen=True):
    """in_log: True: ChirpStack's event log reaches back to before the gap, and has it not."""

    leapt: bool = False  # the node says that its counter leapt: such frames never were
    at_start: bool = False  # of a session: after a join, a reset, a restart
    in_log: bool = False
    served: bool = False  # ChirpStack says that it had one of the frames
    source_was_down: bool = False  # the gateway was not subscribed meanwhile
    others_heard: bool = False  # another device was heard meanwhile
    others_lost: int = 0  # other devices that miss frames of the same time


def cause_of(known: Evidence) -> Cause:
    if known.leapt:
        return "node"
    if known.in_log and not known.served:
        return "node" if known.at_start else "radio"
    if known.source_was_down:
        return "gateway"
    if known.served:
        return "network_server"
    if known.at_start:
        return "node"
    if known.others_heard:
        return "radio"
    return "network_server" if known.others_lost >= OTHERS_LOST_MIN else "unknown"
