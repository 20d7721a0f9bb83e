# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the page needs from the gateway: the read model, seen from its reader.

`revier_gateway.view` satisfies these protocols; the tests bring a view of their own.
All times are text, RFC 3339 UTC with `Z`, as in the feed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol


class Asset(Protocol):
    """One asset of the inventory and the newest observation of it.

    latest: a feed message of kind `obs` (docs/protocol/feed.md), None before the first one.
    status: `online`, `late`, `offline`, `unknown`, `retired`, or empty before anything is known.
    cause: why it is unknown, e.g. `source_down`, `radio_gateway_offline:0016c001f1500812`.
    last_seen: when a frame of its device last arrived, None before the first one.
    """

    @property
    def asset(self) -> str: ...
    @property
    def ags(self) -> str: ...
    @property
    def domain(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def lon(self) -> float | None: ...
    @property
    def lat(self) -> float | None: ...
    @property
    def latest(self) -> Mapping[str, Any] | None: ...
    @property
    def status(self) -> str | None: ...
    @property
    def cause(self) -> str: ...
    @property
    def last_seen(self) -> str | None: ...


class RadioGateway(Protocol):
    """One radio gateway, with the number of frames that it heard."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def lon(self) -> float | None: ...
    @property
    def lat(self) -> float | None: ...
    @property
    def last_seen(self) -> str | None: ...
    @property
    def frames(self) -> int: ...


class View(Protocol):
    """The gateway's bounded read model.

    A view may also have `links() -> Mapping[str, str]`: the state of `source` and `feed`, each
    `online` or `offline`. Without it the page says that the state is not known.
    """

    def assets(self) -> Sequence[Asset]: ...
    def radio_gateways(self) -> Sequence[RadioGateway]: ...
    def history(self, asset: str) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """(t, m) of the newest observations, oldest first; `m` as in the feed message."""
        ...

    def counters(self) -> Mapping[str, int]: ...
    def recent(self) -> Sequence[Mapping[str, Any]]:
        """The last feed messages, oldest first."""
        ...

    def listen(self) -> asyncio.Queue[dict[str, Any]]: ...
    def unlisten(self, queue: asyncio.Queue[dict[str, Any]]) -> None: ...


def _utc_now() -> datetime:
    return datetime.now(UTC)


LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")


def hosts_for(host: str, names: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The Host headers to accept for a page bound to `host`, known under `names` besides.

    No foreign web site can then read it through a name of its own (DNS rebinding). Loopback names
    are always right. Bound to every address ("0.0.0.0", "::") it answers to any name unless names
    are given; bound to one address, to that.
    """
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return (*LOOPBACK_HOSTS, *names) if names else ("*",)
    own = f"[{host}]" if ":" in host else host
    return tuple(dict.fromkeys((*LOOPBACK_HOSTS, own, *names)))


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """What the operator sets, and the clock. `allowed_hosts` are names in the Host header."""

    gateway_id: str = "revier"
    allowed_hosts: tuple[str, ...] = LOOPBACK_HOSTS
    now: Callable[[], datetime] = field(default=_utc_now)
