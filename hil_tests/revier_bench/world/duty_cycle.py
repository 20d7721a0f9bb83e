# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The transmit time that a radio gateway may still use, per sub-band, over a sliding hour.

EN = ETSI EN 300 220-2 V3.2.1, annex B; the bands as both Semtech stacks have them.
"""

from collections import deque
from dataclasses import dataclass

WINDOW_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class SubBand:
    """Frequencies from `low_hz` up to below `high_hz`; `power_dbm_max` is EIRP (ERP + 2.15)."""

    low_hz: int
    high_hz: int
    per_mille: int
    power_dbm_max: int


SUB_BANDS_EU868 = (
    SubBand(863_000_000, 865_000_000, 1, 16),
    SubBand(865_000_000, 868_000_000, 10, 16),
    SubBand(868_000_000, 868_600_000, 10, 16),
    SubBand(868_700_000, 869_200_000, 1, 16),
    SubBand(869_400_000, 869_650_000, 100, 29),
    SubBand(869_700_000, 870_000_000, 10, 16),
)


def sub_band(frequency_hz: int) -> SubBand | None:
    for band in SUB_BANDS_EU868:
        if band.low_hz <= frequency_hz < band.high_hz:
            return band
    return None


class DutyCycle:
    """Sent time per sub-band; transmissions must be recorded in the order of their start."""

    def __init__(self) -> None:
        self._sent: dict[SubBand, deque[tuple[int, int]]] = {b: deque() for b in SUB_BANDS_EU868}

    def allows(self, band: SubBand, start_us: int, airtime_us: int) -> bool:
        return self.used_us(band, start_us) + airtime_us <= self.limit_us(band)

    def record(self, band: SubBand, start_us: int, airtime_us: int) -> None:
        self._sent[band].append((start_us, airtime_us))

    def used_us(self, band: SubBand, now_us: int) -> int:
        sent = self._sent[band]
        while sent and sent[0][0] + sent[0][1] <= now_us - WINDOW_US:
            sent.popleft()
        return sum(airtime_us for _, airtime_us in sent)

    @staticmethod
    def limit_us(band: SubBand) -> int:
        return WINDOW_US * band.per_mille // 1000
