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
        "Tage: grün ab 99 %, gelb ab 90 %, rot darunter, grau unbekannt",
        "Days: green from 99 %, yellow from 90 %, red below, grey unknown",
    ),
    "notes": (
        "Verfügbarkeit: Anteil der Zeit, in der die Messstelle sich so oft meldete wie erwartet; "
        "Zeiten, in denen das Netz oder das Gateway selbst nicht hören konnte, zählen nicht. "
        "Vollständigkeit: angekommene Messwerte von denen, die der Knoten gezählt hat, auch "
        "nachgelieferte; ein Stromausfall des Knotens kann Nummern überspringen. Batterie: "
        "niedrigste Spannung des letzten Tages, und nach dem bisherigen Verlauf die Wochen bis "
        "{low}; Lithium-Thionylchlorid-Zellen fallen erst in den letzten Wochen ab. Tage in UTC.",
        "Availability: share of the time in which the asset reported as often as expected; times "
        "in which the network or the gateway itself could not hear do not count. Completeness: "
        "readings that came, also late ones, of those that the node numbered; a power cut of the "
        "node may skip numbers. Battery: lowest voltage of the last day and, by the course so "
        "far, the weeks until {low}; lithium thionyl chloride cells fall in their last weeks "
        "only. Days in UTC.",
    ),
}


class ReportWords:
    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._index = LANGUAGES.index(language)
        self._numbers = Words(language)

    def __getitem__(self, key: str) -> str:
        return _WORDS[key][self._index]

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
