# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Every word of the station's pages, in German and English: one catalogue."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Language = Literal["de", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("de", "en")
DEFAULT: Final[Language] = "de"
ACCEPT_LENGTH_MAX = 400


class Text(NamedTuple):
    de: str
    en: str


PAGE: Final[dict[str, Text]] = {
    "station": Text("Station", "Station"),
    "language": Text("Sprache", "Language"),
    "needs_script": Text("Diese Seite braucht JavaScript.", "This page needs JavaScript."),
    "logout": Text("Abmelden", "Log out"),
    # login
    "login_title": Text("Anmelden", "Log in"),
    "user": Text("Name", "Name"),
    "password": Text("Passwort", "Password"),
    "login": Text("Anmelden", "Log in"),
    "login_wrong": Text("Name oder Passwort ist falsch.", "Name or password is wrong."),
    "login_wait": Text(
        "Zu viele Versuche. In {minutes} min geht es wieder.",
        "Too many tries. Try again in {minutes} min.",
    ),
    # install
    "install_title": Text("Am Mast", "At the pole"),
    "workshop_title": Text("Werkstatt", "Workshop"),
    "step_label": Text("Knoten", "Node"),
    "step_asset": Text("Messort", "Asset"),
    "step_place": Text("Position", "Position"),
    "step_photo": Text("Foto", "Photo"),
    "step_trial": Text("Drei Meldungen", "Three uplinks"),
    "step_sign": Text("Abschluss", "Sign-off"),
    "scan": Text("Etikett scannen", "Scan the label"),
    "scan_photo": Text("Etikett fotografieren", "Take a photo of the label"),
    "scan_hint": Text(
        "Den QR-Code ruhig ins Bild halten.", "Hold the QR code still in the picture."
    ),
    "stop": Text("Abbrechen", "Stop"),
    "type_eui": Text("oder DevEUI eintippen", "or type the DevEUI"),
    "take": Text("Übernehmen", "Take it"),
    "dev_eui": Text("DevEUI", "DevEUI"),
    "kind_air": Text("Luft", "Air"),
    "kind_parking": Text("Parken", "Parking"),
    "kind_waste": Text("Abfall", "Waste"),
    "unknown_node": Text(
        "Das Verzeichnis kennt diesen Knoten nicht. Er gehört zuerst in die Werkstatt.",
        "The inventory does not know this node. It goes to the workshop first.",
    ),
    "planned_for": Text("vorgesehen für {name}", "planned for {name}"),
    "choose_asset": Text("Messort wählen", "Choose the asset"),
    "nearest_first": Text("Die nächsten zuerst", "The nearest first"),
    "away": Text("{metres} entfernt", "{metres} away"),
    "served": Text("wird bedient von {dev_eui}", "served by {dev_eui}"),
    "takes_place": Text(
        "Dieser Knoten ersetzt den bisherigen", "This node takes the present one's place"
    ),
    "new_asset": Text("Neuen Messort anlegen", "Create a new asset"),
    "asset_name": Text("Bezeichnung", "Name in words"),
    "asset_id": Text("Kennung (a–z, 0–9, -)", "Identifier (a–z, 0–9, -)"),
    "create": Text("Anlegen", "Create"),
    "change": Text("Ändern", "Change"),
    "measure_place": Text("Position messen", "Measure the position"),
    "measuring": Text("Messe …", "Measuring …"),
    "accuracy": Text("auf {metres} genau", "within {metres}"),
    "place_coarse": Text(
        "Nur auf {metres} genau. Unter freien Himmel treten und warten.",
        "Only within {metres}. Step under the open sky and wait.",
    ),
    "place_denied": Text(
        "Das Telefon gibt die Position nicht her. Den Standort für diese Seite erlauben.",
        "The phone does not give its position. Allow location for this page.",
    ),
    "take_photo": Text("Foto aufnehmen", "Take the photo"),
    "photo_hint": Text(
        "Knoten und Umgebung in einem Bild.", "The node and what is around it in one picture."
    ),
    "photo_again": Text("Neues Foto", "Another photo"),
    "vacant_ask": Text("Ist die Bucht jetzt frei?", "Is the bay vacant now?"),
    "vacant_yes": Text("Ja, frei – beginnen", "Yes, vacant – begin"),
    "vacant_why": Text(
        "Der Knoten lernt gleich das Feld der leeren Bucht. Kein Auto, kein Werkzeug darüber.",
        "The node will learn the empty bay's magnetic field. No car and no tools above it.",
    ),
    "empty_ask": Text("Ist der Behälter jetzt leer?", "Is the container empty now?"),
    "empty_yes": Text("Ja, leer – beginnen", "Yes, empty – begin"),
    "empty_why": Text(
        "Der Knoten misst gleich den Abstand zum Boden. Deckel schließen.",
        "The node will measure the distance to the floor. Close the lid.",
    ),
    "begin": Text("Beginnen", "Begin"),
    "begin_again": Text("Neu beginnen", "Begin anew"),
    "press_reset": Text(
        "Jetzt den Knoten einschalten oder RESET drücken, dann zurücktreten.",
        "Now switch the node on or press RESET, then step back.",
    ),
    "may_take": Text(
        "Nach dem Einschalten wartet er bis zu 2 min.",
        "After switching on it waits up to 2 min.",
    ),
    "long_wait": Text(
        "Es dauert lange. RESET noch einmal drücken. Oder weitergehen: Die Station hört weiter zu.",
        "This takes long. Press RESET again. Or go on: the station keeps listening.",
    ),
    "heard": Text("{count} von 3 gehört", "{count} of 3 heard"),
    "colour_green": Text("Gut", "Good"),
    "colour_yellow": Text("Knapp", "Marginal"),
    "colour_red": Text("Nicht versorgt", "Not covered"),
    "colour_none": Text("Warte auf Meldungen", "Waiting for uplinks"),
    "reserve": Text("Reserve", "Reserve"),
    "margin": Text("Abstand zur Schwelle", "Above the floor"),
    "spreading_factor": Text("Spreizfaktor", "Spreading factor"),
    "rssi": Text("Pegel", "Level"),
    "radio_gateways": Text("Funkgateways", "Radio gateways"),
    "lost": Text("Verloren", "Lost"),
    "advice_good": Text("Der Ort ist gut versorgt.", "This place is well covered."),
    "advice_raise_antenna": Text(
        "Antenne höher setzen, senkrecht, weg von Metall.",
        "Put the antenna higher, upright, away from metal.",
    ),
    "advice_other_place": Text(
        "Einige Meter daneben versuchen, mit Sicht zum nächsten Funkgateway.",
        "Try a few metres beside it, in sight of the nearest radio gateway.",
    ),
    "advice_second_gateway": Text(
        "Nur ein Funkgateway hört den Knoten. Fällt es aus, schweigt er: ein zweites planen.",
        "Only one radio gateway hears the node. If it fails the node is silent: plan a second.",
    ),
    "advice_lost_frames": Text(
        "Meldungen gingen verloren. Etwas stört: noch einmal prüfen.",
        "Uplinks were lost. Something interferes: try again.",
    ),
    "advice_slow": Text(
        "Er sendet langsam und verbraucht mehr Batterie.",
        "It sends slowly and uses more battery.",
    ),
    "advice_car_above": Text(
        "Ein Auto darüber nimmt 10 bis 25 dB. Die Reserve reicht dann womöglich nicht.",
        "A car above takes 10 to 25 dB. The reserve may not be enough then.",
    ),
    "baseline": Text("Leere Bucht", "Empty bay"),
    "baseline_none": Text("nicht gelernt", "not learnt"),
    "baseline_waiting": Text("wartet auf die Antwort", "waiting for the answer"),
    "baseline_told": Text("angenommen, der Knoten misst", "accepted, the node is looking"),
    "baseline_learnt": Text("gelernt", "learnt"),
    "baseline_occupied": Text("Bucht nicht frei: neu beginnen", "bay not vacant: begin anew"),
    "baseline_refused": Text("abgelehnt: Firmware zu alt", "refused: firmware too old"),
    "container": Text("Behälter", "Container"),
    "measured": Text("Gemessen", "Measured"),
    "not_measured": Text("noch nichts gemessen", "nothing measured yet"),
    "empty_mm": Text("Abstand leer (mm)", "Distance empty (mm)"),
    "full_mm": Text("Abstand voll (mm)", "Distance full (mm)"),
    "use_measured": Text("Messwert übernehmen", "Use what was measured"),
    "geometry_off": Text(
        "{share} % daneben. Behälter leer, Sensor gerade? Sonst Messwert übernehmen.",
        "{share} % off. Is the container empty, the sensor level? Else use what was measured.",
    ),
    "geometry_fits": Text("Passt zum Behälter.", "Fits the container."),
    "note": Text("Warum bleibt er trotzdem hier?", "Why does it stay here all the same?"),
    "sign_off": Text("Abschließen", "Sign off"),
    "missing": Text("Es fehlt noch: {steps}", "Still missing: {steps}"),
    "signed": Text("Abgeschlossen", "Signed off"),
    "queued": Text("Gemerkt. Wird gesendet, sobald Empfang da ist.", "Kept. It is sent later."),
    "next_node": Text("Nächster Knoten", "Next node"),
    "discard": Text("Verwerfen", "Discard"),
    "discard_sure": Text("Alles zu diesem Knoten verwerfen?", "Discard all about this node?"),
    "online": Text("Verbunden", "Connected"),
    "offline": Text("Kein Empfang – alles bleibt gemerkt", "No reception – everything is kept"),
    "waiting_to_send": Text("noch zu senden: {count}", "to be sent: {count}"),
    "login_again": Text("Neu anmelden, um zu senden", "Log in again to send"),
    "not_sent": Text("Nicht angenommen", "Not accepted"),
    "send_again": Text("Erneut senden", "Send again"),
    "edit_again": Text("Bearbeiten", "Edit"),
    # workshop
    "ports_none": Text("Kein Board steckt.", "No board is plugged in."),
    "make_node": Text("Knoten machen", "Make the node"),
    "make_again": Text("Noch einmal", "Again"),
    "ready": Text("Bereit", "Ready"),
    "working": Text("Läuft", "Working"),
    "made": Text("Fertig", "Done"),
    "failed": Text("Fehlgeschlagen", "Failed"),
    "gone": Text("Abgezogen", "Unplugged"),
    "state_begun": Text("läuft", "running"),
    "state_progress": Text("läuft", "running"),
    "state_done": Text("erledigt", "done"),
    "state_skipped": Text("nicht nötig", "not needed"),
    "state_failed": Text("fehlgeschlagen", "failed"),
    # workshop.step_events.NodeStep, spaces as _
    "node_find_the_board": Text("Board finden", "find the board"),
    "node_flash_MicroPython": Text("MicroPython aufspielen", "flash MicroPython"),
    "node_upload_the_application": Text("Anwendung übertragen", "upload the application"),
    "node_write_identity_and_key": Text(
        "Kennung und Schlüssel schreiben", "write identity and key"
    ),
    "node_test_every_chip": Text("alle Bausteine prüfen", "test every chip"),
    "node_register_in_ChirpStack": Text("in ChirpStack anmelden", "register in ChirpStack"),
    "node_record_in_the_inventory": Text("ins Verzeichnis eintragen", "record in the inventory"),
    "node_prove_join_and_first_reading": Text(
        "Beitritt und ersten Messwert nachweisen", "prove join and first reading"
    ),
    "node_make_the_label": Text("Etikett machen", "make the label"),
    "replace_node": Text("ersetzt den bisherigen Knoten", "takes the present node's place"),
    "asset_auto": Text("automatisch", "automatic"),
}

# What is refused: problem and next step. {values} are those of Refused.
REFUSED: Final[dict[str, tuple[Text, Text]]] = {
    "not_logged_in": (
        Text("Niemand ist angemeldet", "Nobody is logged in"),
        Text("Melden Sie sich an", "Log in"),
    ),
    "not_allowed": (
        Text("Dafür reicht Ihre Rolle nicht", "Your role does not allow this"),
        Text("Fragen Sie die Werkstatt", "Ask the workshop"),
    ),
    "foreign_page": (
        Text("Die Anfrage kam nicht von dieser Seite", "The request is not of this page"),
        Text("Laden Sie die Seite neu", "Load the page anew"),
    ),
    "too_large": (
        Text("Das ist zu groß", "That is too large"),
        Text("Machen Sie ein anderes Foto", "Take another photo"),
    ),
    "not_readable": (
        Text("Die Anfrage ist unleserlich", "The request cannot be read"),
        Text("Laden Sie die Seite neu", "Load the page anew"),
    ),
    "no_label": (
        Text("Das ist kein Etikett eines Knotens", "This is no node's label"),
        Text(
            "Etikett des Knotens scannen oder die 16 Zeichen der DevEUI eintippen",
            "Scan the node's own label, or type the 16 digits of its DevEUI",
        ),
    ),
    "no_code": (
        Text("Auf dem Foto ist kein QR-Code lesbar", "The photo shows no readable QR code"),
        Text(
            "Näher herangehen, Glanz vermeiden, oder DevEUI eintippen",
            "Go nearer, avoid glare, or type the DevEUI",
        ),
    ),
    "no_photo": (
        Text("Das ist kein Foto (JPEG, PNG, WebP)", "This is no photo (JPEG, PNG, WebP)"),
        Text("Machen Sie ein anderes", "Take another"),
    ),
    "photos_full": (
        Text("Der Ordner der Fotos ist voll", "The folder of photos is full"),
        Text("Sagen Sie es der Werkstatt", "Tell the workshop"),
    ),
    "unknown_node": (
        Text("Das Verzeichnis kennt keinen Knoten {dev_eui}", "There is no node {dev_eui}"),
        Text("Zuerst in die Werkstatt damit", "It goes to the workshop first"),
    ),
    "unknown_asset": (
        Text("Es gibt keinen Messort {asset}", "There is no asset {asset}"),
        Text("Wählen Sie ihn aus der Liste", "Choose it from the list"),
    ),
    "asset_there": (
        Text("Den Messort {asset} gibt es schon", "There is an asset {asset} already"),
        Text("Wählen Sie eine andere Kennung", "Choose another identifier"),
    ),
    "asset_form": (
        Text("Die Kennung {asset} geht nicht", "The identifier {asset} is not of the right form"),
        Text("Höchstens 48 Zeichen aus a–z, 0–9 und -", "At most 48 of a–z, 0–9 and -"),
    ),
    "other_kind": (
        Text("Knoten und Messort messen Verschiedenes", "Node and asset are of two kinds"),
        Text("Anderen Messort oder anderen Knoten nehmen", "Take another asset, or another node"),
    ),
    "other_owner": (
        Text("Der Knoten gehört einer anderen Gemeinde", "The node belongs to another owner"),
        Text("In der Werkstatt umschreiben", "Provision it anew in the workshop"),
    ),
    "served": (
        Text("{asset} wird von {dev_eui} bedient", "{asset} is served by {dev_eui}"),
        Text("„Ersetzt den bisherigen“ ankreuzen", "Say that this node takes its place"),
    ),
    "no_asset": (
        Text("Kein Messort gewählt", "No asset is chosen"),
        Text("Einen wählen oder anlegen", "Choose one, or create one"),
    ),
    "form": (
        Text("Ein Wert passt nicht: {field}", "A value does not fit: {field}"),
        Text("Korrigieren Sie ihn", "Correct it"),
    ),
    "accuracy": (
        Text("Die Position ist nur auf {metres} m genau", "The position is within {metres} m only"),
        Text("Unter freiem Himmel warten, bis 50 m", "Wait under the open sky, down to 50 m"),
    ),
    "photo_missing": (
        Text("Das Foto ist noch nicht hier", "The photo is not here yet"),
        Text("Noch einmal senden", "Send again"),
    ),
    "clock": (
        Text("Die Uhr des Telefons geht falsch", "The phone's clock is not the station's"),
        Text("Uhr stellen und neu beginnen", "Set the clock and begin anew"),
    ),
    "vacant_late": (
        Text("„Frei“ ist über 10 Minuten her", "The bay was called vacant over 10 minutes ago"),
        Text("Nachsehen und neu beginnen", "Look again and begin anew"),
    ),
    "trials": (
        Text("Zu viele Prüfungen zugleich", "Too many trials at a time"),
        Text("Etwas warten und neu beginnen", "Wait a little and begin anew"),
    ),
    "no_trial": (
        Text("Vom Knoten wurde hier nichts gehört", "Nothing was heard of this node here"),
        Text("Die drei Meldungen beginnen", "Begin the three uplinks"),
    ),
    "too_few": (
        Text("Erst {count} Meldungen gehört", "Only {count} uplinks were heard"),
        Text(
            "RESET drücken und warten, oder später senden",
            "Press RESET and wait, or send later: the station keeps listening",
        ),
    ),
    "red": (
        Text("Der Ort ist nicht versorgt", "This place is not covered"),
        Text(
            "Dem Rat folgen, oder begründen, warum er bleibt",
            "Follow the advice, or write why the node stays",
        ),
    ),
    "not_learnt": (
        Text("Die leere Bucht ist nicht gelernt", "The empty bay is not learnt"),
        Text("Bei freier Bucht neu beginnen", "Begin anew with the bay vacant"),
    ),
    "not_measured": (
        Text("Der leere Behälter ist nicht gemessen", "The empty container was not measured"),
        Text("Behälter leeren und neu beginnen", "Empty it and begin anew"),
    ),
    "not_registered": (
        Text("Der Netzwerkserver kennt {dev_eui} nicht", "The network server has no {dev_eui}"),
        Text("In der Werkstatt anmelden: register", "In the workshop: register"),
    ),
    "id_used": (
        Text("Diese Nummer gehört zu einem anderen Abschluss", "This id is of another sign-off"),
        Text("Laden Sie die Seite neu", "Load the page anew"),
    ),
    "network_server": (
        Text("Der Netzwerkserver antwortet nicht: {why}", "The network server: {why}"),
        Text("Die Station versucht es weiter", "The station tries on"),
    ),
    "books": (
        Text("Das Verzeichnis lässt es nicht zu: {why}", "The books refuse it: {why}"),
        Text("{cure}", "{cure}"),
    ),
    "busy_port": (
        Text("An {port} wird schon gearbeitet", "{port} is being worked on"),
        Text("Warten Sie, bis es fertig ist", "Wait until it is done"),
    ),
    "no_port": (
        Text("An {port} steckt nichts", "Nothing is plugged in at {port}"),
        Text("Stecken Sie das Board an", "Plug the board in"),
    ),
}


class Words:
    """The catalogue in one language; an unknown key is a bug and raises KeyError."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._index = LANGUAGES.index(language)

    def __getitem__(self, key: str) -> str:
        return PAGE[key][self._index]

    def say(self, key: str, **values: object) -> str:
        return self[key].format(**values)

    def refusal(self, key: str, **values: object) -> dict[str, str]:
        problem, cure = REFUSED[key]
        return {
            "key": key,
            "problem": problem[self._index].format(**values),
            "cure": cure[self._index].format(**values),
        }

    def all(self) -> dict[str, str]:
        return {key: text[self._index] for key, text in PAGE.items()}


def language_of(query: str | None, cookie: str | None, accept: str) -> Language:
    """?lang= wins, then what was chosen before, then the first known in Accept-Language."""
    for known in LANGUAGES:
        if query == known:
            return known
    for known in LANGUAGES:
        if query is None and cookie == known:
            return known
    for part in accept[:ACCEPT_LENGTH_MAX].split(","):
        tag = part.partition(";")[0].strip().lower().split("-")[0]
        for known in LANGUAGES:
            if tag == known:
                return known
    return DEFAULT
