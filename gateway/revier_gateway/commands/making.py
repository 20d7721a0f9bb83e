# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A new command."""

from __future__ import annotations

import uuid

from revier_gateway.commands.fate import Command

EXPIRES_S = 48 * 3600  # a node of the slowest kind speaks every twelve hours
F_PORTS = {"configure": 2, "backfill": 4}


def new_command(
    dev_eui: str,
    kind: str,
    data: bytes,
    now_ms: int,
    *,
    origin: str,
    asked: str = "",
    confirmed: bool = False,
    expires_s: int = EXPIRES_S,
) -> Command:
    """Without fPort where the node has no message of this kind."""
    return Command(
        id=str(uuid.uuid4()),
        dev_eui=dev_eui,
        kind=kind,
        f_port=F_PORTS.get(kind, 0),
        data=data,
        confirmed=confirmed,
        answers=kind in F_PORTS,
        created_ms=now_ms,
        expires_ms=now_ms + expires_s * 1000,
        origin=origin,
        asked=asked,
    )


def item_id_of(command: Command) -> str:
    """Where we name the queue's item: the same at each try of one attempt, so that ChirpStack takes
    it once."""
    return str(uuid.uuid5(uuid.UUID(command.id), str(command.attempts)))
