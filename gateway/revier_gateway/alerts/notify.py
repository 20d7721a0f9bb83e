# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Mail, webhook, MQTT and a hundred other ways, by Apprise; in a thread, because it blocks."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from revier_gateway.alerts import texts
from revier_gateway.alerts.book import Alert
from revier_gateway.config import Alerts, ConfigError

if TYPE_CHECKING:
    import apprise

log = structlog.get_logger("revier.gateway.alerts")


class Notifier:
    """Raises ConfigError where an address is none that Apprise knows."""

    def __init__(self, settings: Alerts, gateway_id: str) -> None:
        self._settings = settings
        self._gateway_id = gateway_id
        self._complained = False
        self._ways: apprise.Apprise | None = None
        for number, address in enumerate(addresses(settings), 1):
            self._ways = self._ways or _no_ways()
            if not self._ways.add(address):
                raise ConfigError(  # the address itself may hold a password
                    f"[alerts]: address {number} is none that Apprise knows. "
                    "Write e.g. mailtos://user:password@mail.example.org or json://host/path."
                )

    async def tell(self, alerts: Sequence[Alert]) -> bool:
        """True when every way took it; without a way the log is the way."""
        lines = texts.lines(alerts, self._settings.language)
        for alert in alerts:
            say = log.info if alert.state == "cleared" else log.warning
            say("alert", rule=alert.rule, subject=alert.subject, state=alert.state,
                detail=alert.detail)  # fmt: skip
        if self._ways is None:
            return True
        taken = await asyncio.to_thread(self._notify, self._ways, lines, alerts)
        if not taken and not self._complained:
            log.error("an alert was not delivered: it is tried again", ways=len(self._ways))
        self._complained = not taken
        return taken

    def _notify(self, ways: apprise.Apprise, lines: list[str], alerts: Sequence[Alert]) -> bool:
        over = all(alert.state == "cleared" for alert in alerts)
        title = f"Revier {self._gateway_id}: {lines[0].split(' [')[0]}"
        kind = "success" if over else "warning"
        return bool(ways.notify(title=title, body="\n".join(lines), notify_type=kind))


def _no_ways() -> apprise.Apprise:
    """Half a second and 30 MB: only where there is somebody to tell."""
    import apprise

    return apprise.Apprise()


def addresses(settings: Alerts) -> list[str]:
    """From the configuration, and from the environment where to_env names a variable."""
    found = list(settings.to)
    if settings.to_env:
        text = os.environ.get(settings.to_env)
        if text is None:
            raise ConfigError(
                f"environment variable {settings.to_env} is not set; [alerts] to_env asks for it"
            )
        found += text.split()
    return found
