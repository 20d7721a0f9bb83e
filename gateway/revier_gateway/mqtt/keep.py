# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Keep a link: connect, use, and when it is lost wait and begin again; the log follows the outage.

One warning when it is lost, silence while it stays lost for the same cause, one line when it is
back.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import structlog

from revier_gateway.mqtt.link import Connect, Link, LinkLost, LinkRefused, LinkSettings

BACKOFF_FIRST_S = 0.2
BACKOFF_MAX_S = 30.0
STEADY_AFTER_S = 5.0  # a link that lived this long begins again with the first back-off

log = structlog.get_logger("revier.gateway.link")


@dataclass(slots=True)
class Backoff:
    """Doubles up to a limit; jitter keeps a hundred gateways from knocking in step."""

    rng: random.Random = field(default_factory=random.Random)
    failures: int = 0

    def next_s(self) -> float:
        ceiling_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(self.failures, 16))
        self.failures += 1
        return float(ceiling_s * self.rng.uniform(0.5, 1.0))

    def reset(self) -> None:
        self.failures = 0


Ready = Callable[[], None]
Use = Callable[[Link, Ready], Coroutine[Any, Any, None]]


@dataclass(slots=True)
class _Outage:
    """What the log says of a link: its first loss, then nothing but a new refusal, because that
    needs somebody's hand, then its return."""

    name: str
    on_state: Callable[[bool], None]
    on_loss: Callable[[str], None]
    since_s: float | None = None
    refusal: str = ""

    def up(self) -> None:
        now_s = asyncio.get_running_loop().time()
        self.on_state(True)
        if self.since_s is None:
            log.info("link is up", link=self.name)
        else:
            log.info("link is back", link=self.name, outage_s=round(now_s - self.since_s, 1))
        self.since_s, self.refusal = None, ""

    def down(self, error: LinkLost) -> None:
        self.on_loss(str(error))
        self.on_state(False)
        refusal = str(error) if isinstance(error, LinkRefused) else self.refusal
        say = log.warning if self.since_s is None or refusal != self.refusal else log.debug
        self.refusal = refusal
        say("link is lost", link=self.name, reason=str(error))
        if self.since_s is None:
            self.since_s = asyncio.get_running_loop().time()


async def keep(
    name: str,
    settings: Callable[[], LinkSettings],
    use: Use,
    connect: Connect,
    on_state: Callable[[bool], None],
    backoff: Backoff | None = None,
    on_loss: Callable[[str], None] = lambda _reason: None,
) -> None:
    """Run `use` on one link after the other, for ever; it calls `ready` when the link does its
    work (connected but not subscribed is not up). What is not LinkLost escapes."""
    backoff = backoff or Backoff()
    outage = _Outage(name, on_state, on_loss)
    loop = asyncio.get_running_loop()
    while True:
        started_s = loop.time()
        try:
            link = await connect(settings())
            try:
                await use(link, outage.up)
            finally:
                await link.close()
        except LinkLost as error:
            outage.down(error)
        if loop.time() - started_s > STEADY_AFTER_S:
            backoff.reset()
        await asyncio.sleep(backoff.next_s())


async def together(**works: Coroutine[Any, Any, None]) -> None:
    """Run the parts of one use side by side until the first is lost; raises its LinkLost, bare."""
    lost: LinkLost | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for name, work in works.items():
                group.create_task(work, name=f"revier.gateway.{name}")
    except* LinkLost as errors:
        lost = next(error for error in errors.exceptions if isinstance(error, LinkLost))
    if lost is not None:
        raise lost
