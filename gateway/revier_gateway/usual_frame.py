# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The usual frame as it is kept: 41 bytes.

It counts on in the session that its device was heard in last, and carries the next reading of a
sequence that is known whole. Then these eight numbers say all that it changes, and all by which a
copy of it, or of its reading, is known again.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from revier_gateway.uplink import Uplink

_RECORD = struct.Struct("<qIIqqIIB")
SIZE = _RECORD.size

Like = tuple[int, int, int]  # address, counter and check sum: by these a copy is known


class UsualFrame(NamedTuple):
    device: int  # values.device_id
    dev_addr: int
    f_cnt: int
    heard_ms: int
    counted_ms: int  # by the clock that frames are counted by (Uplink.counted_ms)
    content: int  # check sum
    seq: int
    f_port: int


def pack(device: int, address: int, up: Uplink, content: int, seq: int) -> bytes:
    """device: values.device_id; address: the uplink's, as a number."""
    times = up.heard_ms, up.counted_ms
    return _RECORD.pack(device, address, up.f_cnt, *times, content, seq, up.f_port)


def packed(one: UsualFrame) -> bytes:
    return _RECORD.pack(*one)


def unpack(records: bytes | bytearray) -> Iterator[UsualFrame]:
    return map(UsualFrame._make, _RECORD.iter_unpack(records))


def count(records: bytes | bytearray) -> int:
    return len(records) // SIZE


def newest_ms(records: bytes | bytearray) -> int:
    """When the newest of them was heard; there is one."""
    return max([one.heard_ms for one in unpack(records)])


def found(frames: Iterable[UsualFrame], like: Like) -> int | None:
    """When that very frame was heard last, in ms; None: it is not among them."""
    some = [one.heard_ms for one in frames if (one.dev_addr, one.f_cnt, one.content) == like]
    return max(some, default=None)
