# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Readings out of the node's memory, asked for on fPort 4 and sent on fPort 5.

A reading goes out in the very bytes in which it was or would have been sent alone, behind its whole
sequence and its own time: who heard it before can tell that it is the same.
"""

PORT = 5
HEAD = 10
BETWEEN = 3  # sequence and seconds since the record before
STEP_MAX = 255
AFTER_MAX = 0xFFFD
UNKNOWN_AFTER = 0xFFFF
UNKNOWN_TIME = 0xFFFFFFFF
RANGES_MAX = 8


def ranges(downlink: bytes) -> "list[tuple[int, int]]":
    """[(first sequence, how many)] of a request; what is not whole or empty is left out."""
    found = []
    for at in range(0, min(len(downlink), 5 * RANGES_MAX) - 4, 5):
        count = downlink[at + 4] + 1
        if count <= 254:
            found.append((int.from_bytes(downlink[at : at + 4], "big"), count))
    return found


def encode(
    records: "list[tuple[int, int | None, int, bytes]]", size_max: int
) -> "tuple[bytes, int]":
    """(payload, how many of the records are in it).

    records: (seq, time in Unix seconds or None, f_port, payload), by seq. A frame ends where fPort
    or length change, where the time begins or ceases to be known, or where the distance is too
    great for its field.
    """
    seq, time_s, f_port, payload = records[0]
    size = len(payload)
    assert HEAD + size <= size_max
    data = bytearray(seq.to_bytes(4, "big"))
    data.extend((UNKNOWN_TIME if time_s is None else time_s).to_bytes(4, "big"))
    data.extend(bytes((f_port, size - 1)))
    data.extend(payload)
    count = 1
    for next_seq, next_s, port, more in records[1:]:
        if (port, len(more), next_s is None) != (f_port, size, time_s is None):
            break
        after = UNKNOWN_AFTER
        if next_s is not None and time_s is not None:
            after = next_s - time_s
        fits = 0 <= after <= AFTER_MAX or next_s is None
        if not fits or not 0 < next_seq - seq <= STEP_MAX:
            break
        if len(data) + BETWEEN + size > size_max:
            break
        data.extend(bytes((next_seq - seq, after >> 8, after & 0xFF)))
        data.extend(more)
        seq, time_s = next_seq, next_s
        count += 1
    return bytes(data), count
