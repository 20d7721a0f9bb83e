# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Who is logged in, and how often somebody may try. Time and randomness are arguments."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from revier_provision.station.users import Role

SESSION_S = 12 * 3600.0  # a working day
SESSIONS_MAX = 200
TOKEN_BYTES = 32

TRIES_MAX = 5
TRIES_S = 300.0
TRIERS_MAX = 2000

Entropy = Callable[[int], bytes]


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """`csrf`: what a page of this session adds to each request that changes something."""

    user: str
    role: Role
    csrf: str
    until_s: float


class Sessions:
    """In memory: a station that starts anew asks everybody to log in again."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._by_token: OrderedDict[str, Session] = OrderedDict()

    def begin(self, user: str, role: Role, now_s: float) -> tuple[str, Session]:
        """A cookie's value, and the session that it opens."""
        token, csrf = (self._entropy(TOKEN_BYTES).hex() for _ in range(2))
        session = Session(user=user, role=role, csrf=csrf, until_s=now_s + SESSION_S)
        self._by_token[token] = session
        while len(self._by_token) > SESSIONS_MAX:
            self._by_token.popitem(last=False)
        return token, session

    def get(self, token: str | None, now_s: float) -> Session | None:
        session = self._by_token.get(token or "")
        if session is not None and session.until_s <= now_s:
            self._by_token.pop(token or "", None)
            return None
        return session

    def end(self, token: str | None) -> None:
        self._by_token.pop(token or "", None)


def same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


class Tries:
    """At most TRIES_MAX failed logins in TRIES_S seconds for one name, and for one address."""

    def __init__(self) -> None:
        self._failed: OrderedDict[str, list[float]] = OrderedDict()

    def wait_s(self, who: tuple[str, ...], now_s: float) -> float:
        """How long all of `who` must wait; 0: try."""
        waits = [0.0]
        for one in who:
            recent = [at for at in self._failed.get(one, ()) if at > now_s - TRIES_S]
            if len(recent) >= TRIES_MAX:
                waits.append(recent[-TRIES_MAX] + TRIES_S - now_s)
        return max(waits)

    def failed(self, who: tuple[str, ...], now_s: float) -> None:
        for one in who:
            recent = [at for at in self._failed.pop(one, ()) if at > now_s - TRIES_S]
            self._failed[one] = [*recent, now_s][-TRIES_MAX:]
        while len(self._failed) > TRIERS_MAX:
            self._failed.popitem(last=False)

    def succeeded(self, who: tuple[str, ...]) -> None:
        for one in who:
            self._failed.pop(one, None)
