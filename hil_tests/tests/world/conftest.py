# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import heapq
from collections.abc import Callable
from dataclasses import replace

import pytest

from revier_bench.world.air import Emission
from revier_bench.world.airtime import lora_airtime_us, preamble_us


class FakeKernel:
    """Events in time order, first come first served at equal times."""

    def __init__(self) -> None:
        self.now_us = 0
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, t_us: int, fn: Callable[[], None]) -> None:
        assert t_us >= self.now_us, "the past cannot be changed"
        self._count += 1
        heapq.heappush(self._events, (t_us, self._count, fn))

    def run_until(self, t_us: int) -> None:
        while self._events and self._events[0][0] <= t_us:
            self.now_us, _, fn = heapq.heappop(self._events)
            fn()
        self.now_us = t_us


class Ear:
    """A radio that only listens."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.emissions: list[Emission] = []

    def on_emission(self, emission: Emission) -> None:
        self.emissions.append(emission)


@pytest.fixture
def kernel() -> FakeKernel:
    return FakeKernel()


@pytest.fixture
def make_ear() -> type[Ear]:
    return Ear


@pytest.fixture
def make_emission() -> Callable[..., Emission]:
    def make(sender: str, start_us: int = 0, sf: int = 7, **changes: object) -> Emission:
        payload = changes.pop("payload", bytes(20))
        assert isinstance(payload, bytes)
        emission = Emission(
            sender=sender,
            start_us=start_us,
            airtime_us=lora_airtime_us(len(payload), sf),
            preamble_us=preamble_us(sf),
            frequency_hz=868_100_000,
            bandwidth_hz=125_000,
            spreading_factor=sf,
            coding_rate=5,
            power_dbm=14.0,
            iq_inverted=False,
            sync_word=0x3444,
            crc_on=True,
            explicit_header=True,
            payload=payload,
        )
        return replace(emission, **changes)  # type: ignore[arg-type]

    return make
