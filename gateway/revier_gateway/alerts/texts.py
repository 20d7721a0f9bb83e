# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What people read of an alert, in German and English."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from revier_gateway.alerts.book import Alert
from revier_gateway.alerts.rules import RULES

Language = Literal["de", "en"]
LANGUAGES: tuple[Language, ...] = ("de", "en")
LINES_MAX = 20

_TITLES: dict[str, tuple[str, str]] = {
    "source-down": (
        "Keine Verbindung zu ChirpStacks Broker ({detail})",
        "No connection to ChirpStack's broker ({detail})",
    ),
    "source-silent": (
        "Verbunden, aber seit {detail} kein Ereignis von ChirpStack",
        "Connected, but no event from ChirpStack for {detail}",
    ),
    "feed-down": (
        "Keine Verbindung zum Broker des Feeds ({detail})",
        "No connection to the feed's broker ({detail})",
    ),
    "feed-refused": (
        "Der Broker des Feeds hat {detail} Nachrichten abgelehnt",
        "The feed's broker refused {detail} messages",
    ),
    "canary-lost": (
        "Seit {detail} kommt die Prüfnachricht nicht durch den Feed zurück",
        "The canary has not come back through the feed for {detail}",
    ),
    "disk-low": ("Wenig Speicherplatz frei: {detail}", "Little disk space left: {detail}"),
    "disk-full": (
        "Der Speicher nimmt nichts mehr an, frei sind {detail}",
        "The disk takes no more, free are {detail}",
    ),
    "outbox-growing": (
        "{detail} Nachrichten warten auf den Feed, und es werden mehr",
        "{detail} messages wait for the feed, and there are more and more",
    ),
    "quarantine-growing": (
        "{detail} Ereignisse kamen in einer Stunde in Quarantäne",
        "{detail} events went to quarantine within an hour",
    ),
    "radio-gateway-offline": (
        "Funkgateway {subject} hört seit {detail} nichts",
        "Radio gateway {subject} has heard nothing for {detail}",
    ),
    "asset-offline": (
        "{subject} ist ausgefallen (letztes Zeichen vor {detail})",
        "{subject} is offline (last heard {detail} ago)",
    ),
    "battery-low": (
        "Batterie von {subject} schwach: {detail}",
        "Battery of {subject} is low: {detail}",
    ),
    "certificate-expiring": (
        "Zertifikat {subject} läuft ab: noch {detail}",
        "Certificate {subject} expires: {detail} left",
    ),
    "clock-skew": (
        "Die Uhr weicht von der des Netzservers ab: {detail}",
        "The clock differs from the network server's: {detail}",
    ),
    "inventory-wrong": (
        "Das Inventar ist fehlerhaft, das vorige gilt weiter: {detail}",
        "The inventory is wrong, the one before stays: {detail}",
    ),
}
_WORDS: dict[str, tuple[str, str]] = {
    "critical": ("Störung", "Failure"),
    "warning": ("Warnung", "Warning"),
    "over": ("Behoben", "Over"),
    "more": ("und {n} weitere", "and {n} more"),
    "silent": ("unbekannter Zeit", "an unknown time"),
    "cure": ("Was zu tun ist", "What to do"),
}


def title(alert: Alert, language: Language) -> str:
    detail = alert.detail or "?"
    if detail == "-":
        detail = word("silent", language)
    text = _TITLES[alert.rule][LANGUAGES.index(language)]
    return text.format(subject=alert.subject, detail=detail)


def word(key: str, language: Language) -> str:
    return _WORDS[key][LANGUAGES.index(language)]


def lines(alerts: Iterable[Alert], language: Language) -> list[str]:
    """One for each alert, bounded: a mail about a thousand assets is read by nobody."""
    told = []
    for alert in alerts:
        over = alert.state == "cleared"
        head = word("over" if over else RULES[alert.rule].severity, language)
        cure = "" if over else f" [{word('cure', language)}: docs/runbooks/{alert.rule}.md]"
        told.append(f"{head}: {title(alert, language)}{cure}")
    rest = len(told) - LINES_MAX
    return told if rest <= 0 else [*told[:LINES_MAX], word("more", language).format(n=rest)]
