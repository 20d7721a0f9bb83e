# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A queue of things to happen at given microseconds; equal times in a fixed order."""

from collections.abc import Callable
from heapq import heappop, heappush

NEVER_US = 1 << 62


def _nothing() -> None:
    """What a cancelled timer does."""


class Timer:
    """One thing to happen; cancel() takes it back."""

    __slots__ = ("run", "t_us")

    def __init__(self, t_us: int, run: Callable[[], object]) -> None:
        self.t_us = t_us
        self.run = run

    def cancel(self) -> None:
        self.run = _nothing


class Timeline:
    """Ordered by time, then by source, then by the order in which the source gave them.

    next_us   time of the first one, NEVER_US if there is none
    """

    __slots__ = ("_heap", "_sequence", "next_us")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, Timer]] = []
        self._sequence: dict[int, int] = {}
        self.next_us = NEVER_US

    def add(self, t_us: int, run: Callable[[], object], source: int = -1) -> Timer:
        timer = Timer(t_us, run)
        number = self._sequence.get(source, 0)
        self._sequence[source] = number + 1
        heappush(self._heap, (t_us, source, number, timer))
        self.next_us = self._heap[0][0]
        return timer

    def pop(self) -> Timer:
        timer = heappop(self._heap)[3]
        self.next_us = self._heap[0][0] if self._heap else NEVER_US
        return timer

    def __len__(self) -> int:
        return len(self._heap)
