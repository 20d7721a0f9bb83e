# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A figure some time ago."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Ago(Generic[T]):
    """Remembers what was noted within a span, and the last value before it."""

    def __init__(self, span_s: float) -> None:
        self._span_ms = span_s * 1000
        self._noted: deque[tuple[int, T]] = deque()

    def note(self, value: T, now_ms: int) -> None:
        self._noted.append((now_ms, value))
        while len(self._noted) > 1 and self._noted[1][0] <= now_ms - self._span_ms:
            self._noted.popleft()

    @property
    def oldest(self) -> T:
        """The value at the span's beginning, or the first one since the start."""
        return self._noted[0][1]

    def values(self) -> list[T]:
        return [value for _, value in self._noted]
