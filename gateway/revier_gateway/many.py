# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Frames with several readings, each with its whole sequence and its own time: batch, backfill.

Every reading goes its own way: one that came before is left out, one that cannot be published does
not hold back the others.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from revier_gateway import copies, enrich, feed_messages, identity
from revier_gateway.decode import Reading
from revier_gateway.outcomes import FeedMessage, Ignored, Refused
from revier_gateway.work import Work
from revier_inventory import Inventory


class Made(msgspec.Struct, frozen=True):
    """What comes of one reading: its keys, time and content, and what the feed gets."""

    key: bytes
    low_key: bytes
    t_ms: int
    content: int
    messages: tuple[FeedMessage, ...]


def make(
    readings: Iterable[Reading], inventory: Inventory, root: str, work: Work
) -> tuple[list[Made], list[Refused]]:
    """Reads the work and writes nothing."""
    made: list[Made] = []
    refused: list[Refused] = []
    newest: dict[str, int | None] = {}
    sequences: set[int] = set()
    for reading in readings:
        if reading.seq_low in sequences:  # a record that does not go on
            continue
        sequences.add(reading.seq_low)
        try:
            made.append(_make(reading, inventory, root, work, newest))
        except Ignored:
            continue
        except Refused as end:
            refused.append(end)
    return made, refused


def _make(
    reading: Reading, inventory: Inventory, root: str, work: Work, newest: dict[str, int | None]
) -> Made:
    if reading.measured_ms is None:
        raise Refused("time_unknown", f"{reading.uplink.dev_eui} sequence {reading.seq_low}")
    which = identity.Identity(reading.seq_low, identity.WHOLE)
    measurement = enrich.measure(reading, which, inventory)
    dev_eui = reading.uplink.dev_eui
    reading_id = identity.reading_id(dev_eui, reading.kind, which)
    assert reading.content is not None
    key = copies.no_repetition(reading, which, reading_id, reading.content, work)
    t_ms = measurement.measured_ms
    low = copies.low_key(dev_eui, reading.kind, reading.seq_low, reading.own_bits)
    copies.not_known_by_low_bits(low, t_ms, reading.content, work)
    asset = measurement.asset.asset
    newest_ms = newest[asset] if asset in newest else work.latest_ms(asset)
    messages = feed_messages.messages_of(measurement, reading_id, root, newest_ms)
    newest[asset] = t_ms if newest_ms is None else max(newest_ms, t_ms)
    return Made(key, low, t_ms, reading.content, messages)
