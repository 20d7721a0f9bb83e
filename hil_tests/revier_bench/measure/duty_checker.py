# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Judges a record of transmissions against the duty cycle, exactly, in every sliding hour.

EN = ETSI EN 300 220-2 V3.2.1 annex B; L2 = LoRaWAN L2 1.0.4. Bands and time on air are the bench's
own (world/duty_cycle.py, world/airtime.py): nothing here comes from the MAC that is judged.

The airtime within [t - 1 h, t] is linear in t between the edges of the frames, so its maxima lie
where a frame ends at t or where one starts at t - 1 h. Both are looked at for each frame.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from revier_bench.world.airtime import lora_airtime_us
from revier_bench.world.duty_cycle import SUB_BANDS_EU868, WINDOW_US

BANDS = len(SUB_BANDS_EU868)


@dataclass(frozen=True, slots=True)
class Sent:
    """One frame as it was on the air, in true time."""

    start_us: int
    frequency_hz: int
    spreading_factor: int
    bandwidth_hz: int
    length: int  # bytes of PHYPayload

    @property
    def airtime_us(self) -> int:
        return lora_airtime_us(self.length, self.spreading_factor, self.bandwidth_hz)

    @property
    def band(self) -> int:
        """Which sub-band holds the whole channel; -1: none, so nothing may be sent there."""
        low_hz = self.frequency_hz - self.bandwidth_hz // 2
        for number, band in enumerate(SUB_BANDS_EU868):
            if band.low_hz <= low_hz and low_hz + self.bandwidth_hz <= band.high_hz:
                return number
        return -1


@dataclass(frozen=True, slots=True)
class Spans:
    """Frames of one sub-band, one after the other: starts, ends and the airtime before each."""

    starts: list[int]
    ends: list[int]
    before: list[int]

    @classmethod
    def of(cls, spans: Sequence[tuple[int, int]]) -> Spans:
        ordered = sorted(spans)
        starts = [start for start, _ in ordered]
        ends = [end for _, end in ordered]
        if any(end > start for end, start in zip(ends, starts[1:], strict=False)):
            raise ValueError("two frames of one device at once")
        lengths = (end - start for start, end in ordered)
        return cls(starts, ends, list(accumulate(lengths, initial=0)))

    def until(self, time_us: int) -> int:
        """Airtime before this time."""
        count = bisect_right(self.starts, time_us)
        over = max(0, self.ends[count - 1] - time_us) if count else 0
        return self.before[count] - over

    def within(self, start_us: int, end_us: int) -> int:
        return self.until(end_us) - self.until(start_us)


def limit_us(band: int) -> int:
    return WINDOW_US * SUB_BANDS_EU868[band].per_mille // 1000


def excesses_us(spans: Spans, limit: int) -> list[int]:
    """How much each hour that begins or ends with a frame is above the limit, where it is."""
    hours = [(end - WINDOW_US, end) for end in spans.ends]
    hours += [(start, start + WINDOW_US) for start in spans.starts]
    used = (spans.within(*hour) for hour in hours)
    return [airtime - limit for airtime in used if airtime > limit]


@dataclass(frozen=True, slots=True)
class Verdict:
    """violations: hours above the limit; forbidden: frames outside of every sub-band."""

    violations: int
    forbidden: int
    worst_excess_us: int
    spans: tuple[Spans, ...]

    @property
    def holds(self) -> bool:
        return not self.violations and not self.forbidden


def judge(sent: Sequence[Sent]) -> Verdict:
    """The frames of one device. ValueError if two of them are on the air at once."""
    spans: list[list[tuple[int, int]]] = [[] for _ in range(BANDS)]
    forbidden = 0
    for frame in sent:
        if frame.band < 0:
            forbidden += 1
        else:
            spans[frame.band].append((frame.start_us, frame.start_us + frame.airtime_us))
    by_band = tuple(Spans.of(one) for one in spans)
    found = [
        excess for band, one in enumerate(by_band) for excess in excesses_us(one, limit_us(band))
    ]
    return Verdict(len(found), forbidden, max(found, default=0), by_band)


def aggregate_violations(sent: Sequence[Sent], max_d_cycles: Sequence[int]) -> int:
    """DutyCycleReq (L2 5.4): after a frame of T under MaxDCycle n, silence until T x 2^n.

    max_d_cycles: n in force at each frame; 0 is no limit.
    """
    count = 0
    for i in range(len(sent) - 1):
        period_us = sent[i].airtime_us << max_d_cycles[i]
        if sent[i + 1].start_us < sent[i].start_us + period_us:
            count += 1
    return count
