# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Structured logs on standard error: one line for people on a terminal, JSON otherwise."""

from __future__ import annotations

import io
import logging
import sys
from typing import Any, TextIO, cast

import structlog


class _Stderr(io.TextIOBase):
    """Whatever sys.stderr is when something is said; test runners exchange it."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


_threshold = logging.INFO


def set_level(level: str) -> None:
    """Also while loggers are in use."""
    global _threshold  # noqa: PLW0603 - the process has one log
    _threshold = logging.getLevelNamesMapping()[level]


def _drop_lower(
    _logger: object, method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    name = "ERROR" if method == "exception" else method.upper()
    if logging.getLevelNamesMapping()[name] < _threshold:
        raise structlog.DropEvent
    return event


class Trouble:
    """A trouble that stays, in the log: one warning, then nothing, then that it is over."""

    def __init__(self, log: Any, began: str, over: str) -> None:
        self._log = log
        self._began = began
        self._over = over
        self._is_there = False

    def there(self, why: str) -> None:
        say = self._log.debug if self._is_there else self._log.warning
        say(self._began, why=why)
        self._is_there = True

    def over(self) -> None:
        if self._is_there:
            self._log.info(self._over)
        self._is_there = False


def configure(level: str = "INFO", json: bool | None = None) -> None:
    set_level(level)
    as_json = not sys.stderr.isatty() if json is None else json
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    processors: list[structlog.typing.Processor] = [
        _drop_lower,
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if as_json:
        processors.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Stderr())),
        cache_logger_on_first_use=True,
    )
