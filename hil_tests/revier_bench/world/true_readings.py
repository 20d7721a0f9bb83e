# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The readings in a frame: one, the block of a batch, or records out of the node's memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from revier_payload.codec import decode
from revier_payload.decoded import Decoded
from revier_payload.schema import MESSAGES
from revier_payload.schema.air import CHANNELS
from revier_payload.schema.fields import Field

BACKFILL, BATCH = 5, 11
READING_PORTS = (BACKFILL, 10, BATCH, 12, 20, 21, 30, 31)


@dataclass(frozen=True, slots=True)
class TrueReading:
    """`seq` is the whole sequence, None where only low bits are known."""

    seq: int | None
    values: Mapping[str, int | None]
    fields: tuple[Field, ...]


def readings_of(f_port: int | None, payload: bytes, seq: int | None = None) -> list[TrueReading]:
    """`seq`: of a reading that is sent alone, as the console told it; the others name it whole."""
    if f_port not in READING_PORTS:
        return []
    if f_port not in (BACKFILL, BATCH):
        return [_alone(seq, decode(f_port, payload))]
    decoded = decode(f_port, payload)
    if f_port == BACKFILL:
        return [_alone(row.values["seq"], row) for row in decoded.rows if row.time is not None]
    samples = [row for row in decoded.rows if row.name == "sample"]
    return [_sample(row, decoded, row is samples[-1]) for row in samples]


def _alone(seq: int | None, decoded: Decoded) -> TrueReading:
    message = MESSAGES[decoded.f_port]
    extras = [field for field in message.extras if decoded.values[field.name] is not None]
    return TrueReading(seq, decoded.values, (*message.fields, *extras))


def _sample(row: Decoded, batch: Decoded, is_last: bool) -> TrueReading:
    """What the block has no channel for is not there; the battery is the last one's."""
    values: dict[str, int | None] = {
        name: value for name, value in row.values.items() if value is not None
    }
    fields = [field for field in CHANNELS if field.name in values]
    if is_last:
        values["battery"] = batch.values["battery"]
        fields += [field for field in MESSAGES[BATCH].fields if field.name == "battery"]
    return TrueReading(row.values["seq"], values, tuple(fields))
