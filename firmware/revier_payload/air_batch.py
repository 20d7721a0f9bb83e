# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The encoder of an air batch, for the node. The format: docs/protocol/payload.md, fPort 11.

Samples are tuples of ten codes in the order of the schema's CHANNELS; codes_of() takes them out of
a reading that was packed for fPort 10 or 12. The block is coded at the finest level that fits; what
then is free of airtime takes the means of the block before. Integers only.
"""

from revier_payload.air_batch_head import AIR_BATCH

HEAD_BITS = 90
BITS = (8, 8, 8, 8, 9, 7, 9, 7, 6, 9)
PARTICLES = 4  # the first channels are particle sizes: each may be told by the one before it
CO2 = 9
GIVES_WAY = (2, 0, 3, 1, 9, 8, 7, 5, 4, 6)  # the first channel of these loses precision first
LEVEL_MEANS = 61  # every channel is one value: the mean of its codes
FLAT = 7  # instead of a Rice parameter: no sample differs from what is expected
UNARY_MAX = 12  # so many ones are followed by the residual in ESCAPE_BITS instead
ESCAPE_BITS = 10
MEAN_SHIFT = 2
SAMPLES_MAX = 14
SIZE_MIN = 18  # one channel's mean with gaps in every sample


class Bits:
    """Bits into bytes; without a buffer it counts."""

    def __init__(self, data: "bytearray | None", at: int) -> None:
        self.data = data
        self.at = at

    def put(self, value: int, bits: int) -> None:
        at = self.at
        self.at = at + bits
        data = self.data
        while data is not None and bits:
            room = 8 - (at & 7)
            n = min(room, bits)
            bits -= n
            data[at >> 3] |= (value >> bits & ((1 << n) - 1)) << (room - n)
            at += n


def codes_of(f_port: int, data: bytes) -> "tuple[int, ...]":
    """The channels' codes of a reading packed for fPort 10 (air) or 12 (air_co2)."""
    packed = int.from_bytes(data[:11], "big")
    at = 79
    codes = []
    for bits in BITS[:7]:
        at -= bits
        codes.append(packed >> at & ((1 << bits) - 1))
    last = packed >> 9 & 8191
    if f_port == 10:
        return tuple(codes + [last >> 6, last & 63, 511])
    co2 = 511 if last == 8191 else min(510, (last + 5) // 10)
    return tuple(codes + [127, 63, co2])


def means(samples: "list[tuple[int, ...]]") -> "tuple[int, list[int]]":
    """(number of samples, mean code of each channel): what the next block may repeat."""
    found = []
    for c in range(len(BITS)):
        top = (1 << BITS[c]) - 3
        valid = [sample[c] for sample in samples if sample[c] <= top]
        found.append((sum(valid) + len(valid) // 2) // len(valid) if valid else top + 2)
    return len(samples), found


def encode(
    values: "dict[str, int | None]",
    samples: "list[tuple[int, ...]]",
    size_max: int,
    free_size: "object" = None,
    before: "tuple[int, list[int]] | None" = None,
) -> bytes:
    """At most size_max bytes (>= SIZE_MIN), whatever the samples are.

    values: seq of the first sample, time (Unix seconds or None), interval, battery, status. The
    samples have consecutive sequences. free_size(n): how many bytes cost no more airtime than n
    (edges.free_size with the spreading factor). before: means() of the block that ends where this
    one begins.
    """
    assert 0 < len(samples) <= SAMPLES_MAX
    assert size_max >= SIZE_MIN
    channels = [
        c for c in range(len(BITS)) if any(sample[c] != (1 << BITS[c]) - 1 for sample in samples)
    ]
    level, bits = _level(samples, channels, size_max * 8)
    for c in GIVES_WAY:
        if bits > size_max * 8:
            channels = [other for other in channels if other != c]
            bits = _size(samples, channels, level)
    size = (bits + 7) // 8
    mean_bits = 4 + sum([BITS[c] - MEAN_SHIFT for c in channels])
    with_means = size + (mean_bits + 7) // 8
    free = min(size_max, free_size(size)) if callable(free_size) else size
    repeat = before is not None and with_means <= free and len(channels) > 0
    data = bytearray(with_means if repeat else size)
    data[: (HEAD_BITS + 7) // 8] = _head(values, samples, channels, level)
    _block(Bits(data, HEAD_BITS), samples, channels, level)
    if repeat and before is not None:
        means_bits = Bits(data, size * 8)
        means_bits.put(before[0], 4)
        for c in channels:
            means_bits.put(_coarse_mean(before[1][c], BITS[c]), BITS[c] - MEAN_SHIFT)
    return bytes(data)


def _coarse_mean(code: int, bits: int) -> int:
    top: int = (1 << (bits - MEAN_SHIFT)) - 1
    return top if code > (1 << bits) - 3 else min(top - 1, (code + 2) >> MEAN_SHIFT)


def _head(
    values: "dict[str, int | None]",
    samples: "list[tuple[int, ...]]",
    channels: "list[int]",
    level: int,
) -> bytes:
    head = dict(values)
    time_s = head.get("time")
    if time_s is not None:
        # two codes of the field are no times: in those seconds of 48 days it errs by two
        head["time"] = min(time_s & 0x3FFFFF, 0x3FFFFD)
    head["samples"] = len(samples)
    head["level"] = level
    head["channels"] = sum([1 << c for c in channels])
    head["gaps"] = int(_gaps(samples, channels))
    return AIR_BATCH.encode(head)


def _gaps(samples: "list[tuple[int, ...]]", channels: "list[int]") -> bool:
    return any(sample[c] > (1 << BITS[c]) - 3 for c in channels for sample in samples)


def _level(
    samples: "list[tuple[int, ...]]", channels: "list[int]", bits_max: int
) -> "tuple[int, int]":
    """The finest level that fits and its size in bits; LEVEL_MEANS where none does."""
    fits, low = LEVEL_MEANS, -1
    bits = bits_max + 1
    while fits - low > 1:
        level = (fits + low) // 2 if low >= 0 else 0
        size = _size(samples, channels, level)
        if size <= bits_max:
            fits, bits = level, size
        else:
            low = level
    if bits > bits_max:
        bits = _size(samples, channels, fits)
    return fits, bits


def _size(samples: "list[tuple[int, ...]]", channels: "list[int]", level: int) -> int:
    bits = Bits(None, HEAD_BITS)
    _block(bits, samples, channels, level)
    return bits.at


def shifts(channels: "list[int]", level: int) -> "list[int]":
    """How many low bits each channel of a block has lost."""
    if level == LEVEL_MEANS or not channels:
        return [0] * len(channels)
    order = [c for c in GIVES_WAY if c in channels]
    each, more = level // len(order), level % len(order)
    return [min(each + (order.index(c) < more), BITS[c] - 2) for c in channels]


def _block(
    bits: "Bits", samples: "list[tuple[int, ...]]", channels: "list[int]", level: int
) -> None:
    gaps = _gaps(samples, channels)
    before: "list[int] | None" = None
    for c, shift in zip(channels, shifts(channels, level)):  # noqa: B905
        column = _column(bits, [sample[c] for sample in samples], c, shift, gaps)
        if level == LEVEL_MEANS and column:
            column = [(sum(column) + len(column) // 2) // len(column)] * len(column)
        whole = len(column) == len(samples)
        told = before if c - 1 in channels and 0 < c < PARTICLES and whole else None
        if told is not None:
            told = [code >> shift for code in told]
        if column:
            _put_column(bits, column, BITS[c] - shift, told)
        before = [code << shift for code in column] if whole else None


def _column(bits: "Bits", codes: "list[int]", c: int, shift: int, gaps: bool) -> "list[int]":
    """The valid codes, coarsened; writes which samples have none, and why."""
    top = (1 << BITS[c]) - 3
    if gaps:
        whole = all(code <= top for code in codes)
        bits.put(whole, 1)
        for code in codes:
            if whole:
                break
            if code <= top:
                bits.put(1, 1)
            else:
                bits.put(0 if code == top + 2 else 1, 2)
    half = 1 << shift >> 1
    last = (1 << (BITS[c] - shift)) - 1
    return [min(last, (code + half) >> shift) for code in codes if code <= top]


def _put_column(bits: "Bits", column: "list[int]", width: int, told: "list[int] | None") -> None:
    own = _residuals(column)
    k, cost = _rice(own[1:])
    if told is not None:
        theirs = _residuals([code - other for code, other in zip(column, told)])  # noqa: B905
        k_told, cost_told = _rice(theirs)
        better = cost_told < cost + width
        bits.put(better, 1)
        if better:
            bits.put(k_told, 3)
            _put_rice(bits, theirs, k_told)
            return
    bits.put(k, 3)
    bits.put(column[0], width)
    _put_rice(bits, own[1:], k)


def _residuals(values: "list[int]") -> "list[int]":
    """Each less the one before it (the first as it is), signs folded: 0 -1 1 -2 2 as 0 1 2 3 4."""
    found = []
    last = 0
    for value in values:
        step = value - last
        found.append(2 * step if step >= 0 else -2 * step - 1)
        last = value
    return found


def _rice(residuals: "list[int]") -> "tuple[int, int]":
    """The best parameter and what it costs in bits."""
    if not any(residuals):
        return FLAT, 0
    best, best_cost = 0, 1 << 20
    for k in range(FLAT):
        cost = 0
        for residual in residuals:
            ones = residual >> k
            cost += ones + 1 + k if ones < UNARY_MAX else UNARY_MAX + ESCAPE_BITS
        if cost < best_cost:
            best, best_cost = k, cost
    return best, best_cost


def _put_rice(bits: "Bits", residuals: "list[int]", k: int) -> None:
    for residual in residuals:
        ones = residual >> k
        if k == FLAT:
            break
        if ones >= UNARY_MAX:
            bits.put((1 << UNARY_MAX) - 1, UNARY_MAX)
            bits.put(residual, ESCAPE_BITS)
        else:
            bits.put((2 << ones) - 2, ones + 1)
            bits.put(residual, k)
