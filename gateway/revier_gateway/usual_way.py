# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The way of a usual frame (usual_frame.py): the pipeline's steps without those that only others
need. Where anything is not as expected nothing was entered, and the frame goes the whole way.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

from revier_gateway import decode, enrich, feed_messages, identity, known, usual_frame
from revier_gateway.outcomes import FeedMessage, Refused
from revier_gateway.uplink import Uplink
from revier_gateway.work import Work
from revier_inventory import Inventory

LetPass = Callable[[Uplink, Work], bool]  # of a listener


def follow(
    up: Uplink,
    work: Work,
    inventory: Inventory,
    feed_root: str,
    listeners: Sequence[LetPass],
) -> tuple[FeedMessage, ...]:
    """Empty: it is not a usual frame."""
    dev_eui = up.dev_eui
    run = work.run_of(dev_eui)
    if run is None or not known.is_next(run.expected, up):
        return ()
    for let_pass in listeners:
        if not let_pass(up, work):
            return ()
    reading = decode.alone(up)
    if reading is None:
        return ()
    wanted = run.expected
    seq = known.next_seq(wanted, reading.seq_low, reading.seq_bits)
    if seq is None:
        return ()
    which = identity.Identity(seq, identity.WHOLE)
    try:
        measurement = enrich.measure(reading, which, inventory)
    except Refused:
        return ()
    reading_id = identity.reading_id(dev_eui, reading.kind, which)
    newest_ms = work.latest_ms(measurement.asset.asset)
    messages = feed_messages.messages_of(measurement, reading_id, feed_root, newest_ms)
    content = zlib.crc32(up.data, up.f_port)
    run.records += usual_frame.pack(wanted.head.device, wanted.head.address, up, content, seq)
    run.expected = known.after(wanted, up.counted_ms, seq)
    return messages
