# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The report's words, in German and English."""

from __future__ import annotations

from datetime import date

from revier_gateway.alerts.texts import LANGUAGES, Language
from revier_gateway.console.texts import Words

NOT_KNOWN = "-"

_MONTHS = (
    (
        *("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September"),
        *("Oktober", "November", "Dezember"),
    ),
    (
        *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
        *("October", "November", "December"),
    ),
)
_WORDS: dict[str, tuple[str, str]] = {
    "title": ("Betriebsbericht", "Operations report"),
    "availability": ("Verfügbarkeit", "Availability"),
    "completeness": ("Vollständigkeit", "Completeness"),
    "readings": ("Messwerte", "Readings"),
    "incidents": ("Störungen", "Incidents"),
    "assets": ("Messstellen", "Assets"),
    "asset": ("Messstelle", "Asset"),
    "days": ("Tage", "Days"),
    "battery": ("Batterie", "Battery"),
    "air": ("Luft", "Air"),
    "parking": ("Parken", "Parking"),
    "waste": ("Abfall", "Waste"),
    "low": ("schwach", "low"),
    "until": ("bis", "to"),
    "lasting": ("dauert an", "continues"),
    "no_incidents": ("Keine Störung in diesem Monat.", "No incident in this month."),
    "more_incidents": ("und {n} weitere: siehe CSV", "and {n} more: see the CSV"),
    "no_assets": ("Keine Messstelle im Inventar.", "No asset in the inventory."),
    "page": ("Seite {n} von {{nb}}", "Page {n} of {{nb}}"),
    "made": ("Revier {gateway}, erstellt {at} UTC", "Revier {gateway}, made {at} UTC"),
    "weeks": ("{n} Wo.", "{n} wk"),
    "legend": (
        "Tage: Höhe ist die Verfügbarkeit; grün ab 99 %, gelb ab 90 %, rot darunter, "
        "grau unbekannt",
        "Days: the height is the availability; green from 99 %, yellow from 90 %, red below, "
        "grey unknown",
    ),
    "notes": (
        "Verfügbarkeit: Anteil der Zeit, in der die Messstelle sich so oft meldete wie erwartet; "
        "Zeiten, in denen das Netz oder das Gateway selbst nicht hören konnte, zählen nicht. "
        "Vollständigkeit: angekommene Messwerte von denen, die der Knoten gezählt hat, auch "
        "nachgelieferte; ein Stromausfall des Knotens kann Nummern überspringen. Batterie: "
        "niedrigste Spannung des letzten Tages, und nach dem bisherigen Verlauf die Wochen bis "
        "{low}; Lithium-Thionylchlorid-Zellen fallen erst in den letzten Wochen ab. "
        "Tage und Zeiten in UTC.",
        "Availability: share of the time in which the asset reported as often as expected; times "
        "in which the network or the gateway itself could not hear do not count. Completeness: "
        "readings that came, also late ones, of those that the node numbered; a power cut of the "
        "node may skip numbers. Battery: lowest voltage of the last day and, by the course so "
        "far, the weeks until {low}; lithium thionyl chloride cells fall in their last weeks "
        "only. Days and times in UTC.",
    ),
}

# What was wrong, as those read it who do not run the gateway; the CSV has the rule and its detail.
_INCIDENTS: dict[str, tuple[str, str]] = {
    "source-down": ("Keine Verbindung zum Netzserver", "No connection to the network server"),
    "source-silent": (
        "Vom Netzserver kam nichts, obwohl verbunden",
        "Nothing came from the network server, though connected",
    ),
    "feed-down": (
        "Keine Verbindung zur Datenplattform; Messwerte wurden nachgeliefert",
        "No connection to the data platform; readings were delivered later",
    ),
    "feed-refused": (
        "Die Datenplattform lehnte Nachrichten ab",
        "The data platform refused messages",
    ),
    "canary-lost": (
        "Die Prüfnachricht kam nicht durch den Datenstrom zurück",
        "The test message did not come back through the feed",
    ),
    "disk-low": ("Wenig Speicherplatz auf dem Gateway", "Little disk space on the gateway"),
    "disk-full": (
        "Der Speicher des Gateways nahm nichts an",
        "The gateway's disk took nothing",
    ),
    "outbox-growing": (
        "Die Datenplattform nahm weniger an, als kam",
        "The data platform took less than came",
    ),
    "quarantine-growing": (
        "Viele Ereignisse konnten nicht veröffentlicht werden",
        "Many events could not be published",
    ),
    "radio-gateway-offline": (
        "Funkgateway {subject} hörte nichts",
        "Radio gateway {subject} heard nothing",
    ),
    "asset-offline": ("Ausgefallen: {subject}", "Offline: {subject}"),
    "battery-low": ("Batterie schwach: {subject}", "Battery low: {subject}"),
    "certificate-expiring": (
        "Zertifikat läuft bald ab: {subject}",
        "Certificate about to expire: {subject}",
    ),
    "clock-skew": (
        "Die Uhr des Gateways wich von der des Netzservers ab",
        "The gateway's clock differed from the network server's",
    ),
    "inventory-wrong": (
        "Das Inventar war fehlerhaft, das vorige galt weiter",
        "The inventory was wrong, the one before stayed in use",
    ),
}


class ReportWords:
    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._index = LANGUAGES.index(language)
        self._numbers = Words(language)

    def __getitem__(self, key: str) -> str:
        return _WORDS[key][self._index]

    def incident(self, rule: str, subject: str, name: str) -> str:
        """name: of the asset that is the subject; empty where it is none."""
        known = f"{name} ({subject})" if name else subject
        return _INCIDENTS[rule][self._index].format(subject=known)

    def month(self, first: date) -> str:
        return f"{_MONTHS[self._index][first.month - 1]} {first.year}"

    def number(self, value: float, decimals: int = 0) -> str:
        return self._numbers.number(value, decimals)

    def share(self, value: float | None) -> str:
        """One decimal, and never 100 for what is not whole."""
        if value is None:
            return NOT_KNOWN
        shown = min(99.9, 100 * value) if value < 1 else 100.0
        return f"{self.number(shown, 1)} %"

    def day(self, at: date) -> str:
        return at.strftime("%d.%m.%Y" if self.language == "de" else "%Y-%m-%d")
