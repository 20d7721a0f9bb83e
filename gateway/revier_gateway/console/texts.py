# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The page's words in German and English, and which of the two a browser asks for."""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["de", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("de", "en")
DEFAULT: Final[Language] = "de"
ACCEPT_LENGTH_MAX = 400

# key: (German, English)
_WORDS: dict[str, tuple[str, str]] = {
    "title": ("Sensornetz Kreis Recklinghausen", "Recklinghausen district sensor network"),
    "skip": ("Zum Inhalt", "Skip to content"),
    "language": ("Sprache", "Language"),
    "status": ("Zustand", "Status"),
    "figures": ("Kennzahlen", "Key figures"),
    "map": ("Karte", "Map"),
    "map_label": (
        "Karte der Knoten und Funkgateways; dieselben Angaben stehen in den Listen darunter",
        "Map of nodes and radio gateways; the lists below hold the same information",
    ),
    "map_note": (
        "Gemeindegebiete schematisch, keine amtlichen Grenzen",
        "Municipal areas schematic, no official boundaries",
    ),
    "map_needs_script": (
        "Karte und Verlauf brauchen JavaScript. Die Messwerte stehen in den Listen.",
        "Map and chart need JavaScript. The readings are in the lists.",
    ),
    "legend": ("Legende", "Legend"),
    "history": ("Verlauf", "History"),
    "quantity": ("Messgröße", "Quantity"),
    "all_air": ("Feinstaub, alle Luftknoten", "Fine dust, all air nodes"),
    "show_all_air": ("Alle Luftknoten", "All air nodes"),
    "no_history": ("Noch keine Messwerte", "No readings yet"),
    "nodes": ("Knoten", "Nodes"),
    "air": ("Luftqualität", "Air quality"),
    "parking": ("Parken", "Parking"),
    "waste": ("Abfall", "Waste"),
    "other": ("Weitere", "Other"),
    "radio_gateway": ("Funkgateway", "Radio gateway"),
    "radio_gateways": ("Funkgateways", "Radio gateways"),
    "frames": ("Telegramme", "frames"),
    "messages": ("Nachrichten im Feed", "Messages on the feed"),
    "no_messages": ("Noch keine Nachricht", "No message yet"),
    "no_nodes": (
        "Noch kein Knoten im Inventar. Sobald einer eingetragen ist, erscheint er hier.",
        "No node in the inventory yet. As soon as one is entered, it appears here.",
    ),
    "no_radio_gateways": ("Noch kein Funkgateway gehört", "No radio gateway heard yet"),
    "never": ("noch nie", "never"),
    "now": ("gerade eben", "just now"),
    "late": ("nachgeliefert", "delivered late"),
    "gateway": ("Gateway", "Gateway"),
    "source": ("Quelle", "Source"),
    "feed": ("Feed", "Feed"),
    "page": ("Anzeige", "Page"),
    "link_online": ("verbunden", "connected"),
    "link_offline": ("getrennt", "disconnected"),
    "link_unknown": ("unbekannt", "unknown"),
    "live": ("live", "live"),
    "connecting": ("verbindet", "connecting"),
    "interrupted": ("unterbrochen", "interrupted"),
    "lost": (
        "Verbindung unterbrochen – Stand {time}. Wird von selbst wiederhergestellt.",
        "Connection interrupted – as of {time}. It will be restored by itself.",
    ),
    "node_online": ("erreichbar", "online"),
    "node_late": ("verspätet", "late"),
    "node_offline": ("ausgefallen", "offline"),
    "node_retired": ("außer Betrieb", "retired"),
    "node_unknown": ("unbekannt", "unknown"),
    "node_unknown_never_heard": ("noch nie gehört", "never heard"),
    "node_offline_never_heard": ("nie gehört", "never heard"),
    "node_unknown_no_device": ("ohne Gerät", "no device"),
    "node_unknown_source_down": ("unbekannt: Quelle getrennt", "unknown: source disconnected"),
    "node_unknown_source_silent": ("unbekannt: Quelle stumm", "unknown: source silent"),
    "node_unknown_gateway_stopped": (
        "unbekannt: das Gateway stand",
        "unknown: the gateway was stopped",
    ),
    "node_unknown_radio_gateway_offline": (
        "unbekannt: Funkgateway {name} stumm",
        "unknown: radio gateway {name} silent",
    ),
    "nodes_online": ("Knoten erreichbar", "nodes online"),
    "radio_gateways_seen": ("Funkgateways gehört", "radio gateways heard"),
    "all_counters": ("Alle Zähler", "All counters"),
    "vacant": ("frei", "vacant"),
    "occupied": ("belegt", "occupied"),
    "of_occupied": ("Stellplatz", "Space"),
    "yes": ("ja", "yes"),
    "no": ("nein", "no"),
    "suspect": ("fraglich", "suspect"),
    "fail": ("außer Bereich", "out of range"),
    "about": (
        "Revier – offenes LoRaWAN-Sensornetz für Kommunen, EUPL-1.2. Karte mit Leaflet "
        "(BSD-2-Clause). Diese Seite lädt nichts aus dem Internet.",
        "Revier – an open LoRaWAN sensor network for municipalities, EUPL-1.2. Map by Leaflet "
        "(BSD-2-Clause). This page loads nothing from the internet.",
    ),
    "missing_note": ("– = kein gültiger Messwert", "– = no valid reading"),
    # quantities
    "of_pm1": ("PM1", "PM1"),
    "of_pm25": ("PM2,5", "PM2.5"),
    "of_pm4": ("PM4", "PM4"),
    "of_pm10": ("PM10", "PM10"),
    "of_no2": ("NO₂", "NO₂"),
    "of_temp": ("Temperatur", "Temperature"),
    "of_rh": ("Luftfeuchte", "Humidity"),
    "of_pressure": ("Luftdruck", "Pressure"),
    "of_voc": ("VOC-Index", "VOC index"),
    "of_nox": ("NOx-Index", "NOx index"),
    "of_fill": ("Füllstand", "Fill level"),
    "of_fill_before": ("Füllstand bei Leerung", "Fill level before emptying"),
    "of_emptied": ("Geleert", "Emptied"),
    "of_distance": ("Abstand", "Distance"),
    "of_tilt": ("Neigung", "Tilt"),
    "of_battery": ("Batterie", "Battery"),
    "of_confidence": ("Sicherheit", "Confidence"),
    "of_dwell": ("Vorherige Dauer", "Previous stay"),
    "of_dwell_2": ("Dauer davor", "Stay before that"),
    "of_dwell_3": ("Dauer noch davor", "Stay before those"),
    "of_lasting": ("Dauer bisher", "Lasting"),
    "of_co2": ("CO₂", "CO₂"),
    "of_fire": ("Brand", "Fire"),
    "of_tamper": ("Sabotage", "Tamper"),
    "of_tilt_angle": ("Neigungswinkel", "Angle of tilt"),
    "of_echo": ("Echogüte", "Echo quality"),
    "is_high": ("hoch", "high"),
    "is_low": ("gering", "low"),
    # groups of the gateway's counters
    "events": ("Ereignisse empfangen", "events received"),
    "published": ("Messwerte veröffentlicht", "readings published"),
    "outbox": ("warten auf den Feed", "waiting for the feed"),
    "quarantined": ("in Quarantäne", "in quarantine"),
}


class Words:
    """`words["key"]` in one language; an unknown key is a bug here and raises."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._index = LANGUAGES.index(language)

    def __getitem__(self, key: str) -> str:
        return _WORDS[key][self._index]

    def get(self, key: str, default: str) -> str:
        return _WORDS[key][self._index] if key in _WORDS else default

    def number(self, value: float, decimals: int) -> str:
        """1234.5 as `1.234,5` or `1,234.5`; a rounded zero loses its sign."""
        text = f"{value:,.{decimals}f}"
        if float(text.replace(",", "")) == 0:
            text = text.lstrip("-")
        if self.language == "de":
            text = text.translate(str.maketrans(",.", ".,"))
        return text.replace("-", "−")


def language_of(query: str | None, accept: str) -> Language:
    """?lang= wins, then the highest weight in Accept-Language, then German."""
    for known in LANGUAGES:
        if query == known:
            return known
    best: tuple[float, Language] = (0.0, DEFAULT)
    for part in accept[:ACCEPT_LENGTH_MAX].split(","):
        tag, _, parameter = part.strip().partition(";")
        weight = _weight(parameter)
        for known in LANGUAGES:
            if tag.lower().split("-")[0] == known and weight > best[0]:
                best = (weight, known)
    return best[1]


def _weight(parameter: str) -> float:
    name, _, number = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(number), 0.0), 1.0)
    except ValueError:
        return 0.0
