# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Every word of the station's pages, by the keys that pages and scripts know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from revier_inventory.message import Message, template
from revier_provision.translation import (
    LANGUAGES,
    TAGS_CHARS_MAX,
    Language,
    first_known,
    say,
    template_in,
)

DEFAULT: Final[Language] = "de"

PAGE: Final[dict[str, str]] = {
    "station": template("Station"),
    "language": template("Language"),
    "needs_script": template("This page needs JavaScript."),
    "logout": template("Log out"),
    # login
    "login_title": template("Log in"),
    "user": template("Name"),
    "password": template("Password"),
    "login": template("Log in"),
    "login_wrong": template("Name or password is wrong."),
    "login_wait": template("Too many tries. Try again in {minutes} min."),
    # install
    "install_title": template("At the pole"),
    "workshop_title": template("Workshop"),
    "step_label": template("Node"),
    "step_asset": template("Asset"),
    "step_place": template("Position"),
    "step_photo": template("Photo"),
    "step_trial": template("Three uplinks"),
    "step_sign": template("Sign-off"),
    "scan": template("Scan the label"),
    "scan_photo": template("Take a photo of the label"),
    "scan_hint": template("Hold the QR code still in the picture."),
    "stop": template("Stop"),
    "type_eui": template("or type the DevEUI"),
    "take": template("Take it"),
    "dev_eui": template("DevEUI"),
    "kind_air": template("Air"),
    "kind_parking": template("Parking"),
    "kind_waste": template("Waste"),
    "unknown_node": template(
        "The inventory does not know this node. It goes to the workshop first."
    ),
    "planned_for": template("planned for {name}"),
    "choose_asset": template("Choose the asset"),
    "nearest_first": template("The nearest first"),
    "away": template("{metres} away"),
    "served": template("served by {dev_eui}"),
    "takes_place": template("This node takes the present one's place"),
    "new_asset": template("Create a new asset"),
    "asset_name": template("Name in words"),
    "asset_id": template("Identifier (a–z, 0–9, -)"),
    "create": template("Create"),
    "change": template("Change"),
    "measure_place": template("Measure the position"),
    "measuring": template("Measuring …"),
    "accuracy": template("within {metres}"),
    "place_coarse": template("Only within {metres}. Step under the open sky and wait."),
    "place_denied": template("The phone does not give its position. Allow location for this page."),
    "take_photo": template("Take the photo"),
    "photo_hint": template("The node and what is around it in one picture."),
    "photo_again": template("Another photo"),
    "vacant_ask": template("Is the bay vacant now?"),
    "vacant_yes": template("Yes, vacant – begin"),
    "vacant_why": template(
        "The node will learn the empty bay's magnetic field. No car and no tools above it."
    ),
    "empty_ask": template("Is the container empty now?"),
    "empty_yes": template("Yes, empty – begin"),
    "empty_why": template("The node will measure the distance to the floor. Close the lid."),
    "begin": template("Begin"),
    "begin_again": template("Begin anew"),
    "press_reset": template("Now switch the node on or press RESET, then step back."),
    "may_take": template("After switching on it waits up to 2 min."),
    "long_wait": template(
        "This takes long. Press RESET again. Or go on: the station keeps listening."
    ),
    "heard": template("{count} of 3 heard"),
    "colour_green": template("Good"),
    "colour_yellow": template("Marginal"),
    "colour_red": template("Not covered"),
    "colour_none": template("Waiting for uplinks"),
    "reserve": template("Reserve"),
    "margin": template("Above the floor"),
    "spreading_factor": template("Spreading factor"),
    "rssi": template("Level"),
    "radio_gateways": template("Radio gateways"),
    "lost": template("Lost"),
    "advice_good": template("This place is well covered."),
    "advice_raise_antenna": template("Put the antenna higher, upright, away from metal."),
    "advice_other_place": template(
        "Try a few metres beside it, in sight of the nearest radio gateway."
    ),
    "advice_second_gateway": template(
        "Only one radio gateway hears the node. If it fails the node is silent: plan a second."
    ),
    "advice_lost_frames": template("Uplinks were lost. Something interferes: try again."),
    "advice_slow": template("It sends slowly and uses more battery."),
    "advice_car_above": template(
        "A car above takes 10 to 25 dB. The reserve may not be enough then."
    ),
    "baseline": template("Empty bay"),
    "baseline_none": template("not learnt"),
    "baseline_waiting": template("waiting for the answer"),
    "baseline_told": template("accepted, the node is looking"),
    "baseline_learnt": template("learnt"),
    "baseline_occupied": template("bay not vacant: begin anew"),
    "baseline_refused": template("refused: firmware too old"),
    "container": template("Container"),
    "measured": template("Measured"),
    "not_measured": template("nothing measured yet"),
    "empty_mm": template("Distance empty (mm)"),
    "full_mm": template("Distance full (mm)"),
    "use_measured": template("Use what was measured"),
    "geometry_off": template(
        "{share} % off. Is the container empty, the sensor level? Else use what was measured."
    ),
    "geometry_fits": template("Fits the container."),
    "note": template("Why does it stay here all the same?"),
    "sign_off": template("Sign off"),
    "missing": template("Still missing: {steps}"),
    "signed": template("Signed off"),
    "queued": template("Kept. It is sent later."),
    "next_node": template("Next node"),
    "discard": template("Discard"),
    "discard_sure": template("Discard all about this node?"),
    "online": template("Connected"),
    "offline": template("No reception – everything is kept"),
    "waiting_to_send": template("to be sent: {count}"),
    "login_again": template("Log in again to send"),
    "not_sent": template("Not accepted"),
    "send_again": template("Send again"),
    "edit_again": template("Edit"),
    # workshop
    "ports_none": template("No board is plugged in."),
    "make_node": template("Make the node"),
    "make_again": template("Again"),
    "ready": template("Ready"),
    "working": template("Working"),
    "made": template("Done"),
    "failed": template("Failed"),
    "gone": template("Unplugged"),
    "state_begun": template("running"),
    "state_progress": template("running"),
    "state_done": template("done"),
    "state_skipped": template("not needed"),
    "state_failed": template("failed"),
    "replace_node": template("takes the present node's place"),
    "asset_auto": template("automatic"),
}

# What is refused: problem and next step. {values} are those of Refused.
REFUSED: Final[dict[str, tuple[str, str]]] = {
    "not_logged_in": (
        template("Nobody is logged in"),
        template("Log in"),
    ),
    "not_allowed": (
        template("Your role does not allow this"),
        template("Ask the workshop"),
    ),
    "foreign_page": (
        template("The request is not of this page"),
        template("Load the page anew"),
    ),
    "too_large": (
        template("That is too large"),
        template("Take another photo"),
    ),
    "not_readable": (
        template("The request cannot be read"),
        template("Load the page anew"),
    ),
    "no_label": (
        template("This is no node's label"),
        template("Scan the node's own label, or type the 16 digits of its DevEUI"),
    ),
    "no_code": (
        template("The photo shows no readable QR code"),
        template("Go nearer, avoid glare, or type the DevEUI"),
    ),
    "no_photo": (
        template("This is no photo (JPEG, PNG, WebP)"),
        template("Take another"),
    ),
    "photos_full": (
        template("The folder of photos is full"),
        template("Tell the workshop"),
    ),
    "unknown_node": (
        template("There is no node {dev_eui}"),
        template("It goes to the workshop first"),
    ),
    "unknown_asset": (
        template("There is no asset {asset}"),
        template("Choose it from the list"),
    ),
    "asset_there": (
        template("There is an asset {asset} already"),
        template("Choose another identifier"),
    ),
    "asset_form": (
        template("The identifier {asset} is not of the right form"),
        template("At most 48 of a–z, 0–9 and -"),
    ),
    "other_kind": (
        template("Node and asset are of two kinds"),
        template("Take another asset, or another node"),
    ),
    "other_owner": (
        template("The node belongs to another owner"),
        template("Provision it anew in the workshop"),
    ),
    "served": (
        template("{asset} is served by {dev_eui}"),
        template("Say that this node takes its place"),
    ),
    "no_asset": (
        template("No asset is chosen"),
        template("Choose one, or create one"),
    ),
    "form": (
        template("A value does not fit: {field}"),
        template("Correct it"),
    ),
    "accuracy": (
        template("The position is within {metres} m only"),
        template("Wait under the open sky, down to 50 m"),
    ),
    "photo_missing": (
        template("The photo is not here yet"),
        template("Send again"),
    ),
    "clock": (
        template("The phone's clock is not the station's"),
        template("Set the clock and begin anew"),
    ),
    "vacant_late": (
        template("The bay was called vacant over 10 minutes ago"),
        template("Look again and begin anew"),
    ),
    "trials": (
        template("Too many trials at a time"),
        template("Wait a little and begin anew"),
    ),
    "no_trial": (
        template("Nothing was heard of this node here"),
        template("Begin the three uplinks"),
    ),
    "too_few": (
        template("Only {count} uplinks were heard"),
        template("Press RESET and wait, or send later: the station keeps listening"),
    ),
    "red": (
        template("This place is not covered"),
        template("Follow the advice, or write why the node stays"),
    ),
    "not_learnt": (
        template("The empty bay is not learnt"),
        template("Begin anew with the bay vacant"),
    ),
    "not_measured": (
        template("The empty container was not measured"),
        template("Empty it and begin anew"),
    ),
    "not_registered": (
        template("The network server has no {dev_eui}"),
        template("In the workshop: register"),
    ),
    "id_used": (
        template("This id is of another sign-off"),
        template("Load the page anew"),
    ),
    "network_server": (
        template("The network server: {why}"),
        template("The station tries on"),
    ),
    "books": (
        template("The books refuse it: {why}"),
        template("{cure}"),
    ),
    "busy_port": (
        template("{port} is being worked on"),
        template("Wait until it is done"),
    ),
    "no_port": (
        template("Nothing is plugged in at {port}"),
        template("Plug the board in"),
    ),
}


class Words:
    """The page's words in one language; an unknown key is a bug and raises KeyError."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __getitem__(self, key: str) -> str:
        return template_in(PAGE[key], self.language)

    def say(self, key: str, **values: object) -> str:
        return say(Message(PAGE[key], values), self.language)

    def refusal(self, key: str, **values: object) -> dict[str, str]:
        problem, cure = refused(key, values)
        return {
            "key": key,
            "problem": say(problem, self.language),
            "cure": say(cure, self.language),
        }

    def all(self) -> dict[str, str]:
        return {key: self[key] for key in PAGE}


def refused(key: str, values: Mapping[str, object]) -> tuple[Message, Message]:
    """Problem and cure of a refusal."""
    problem, cure = REFUSED[key]
    return Message(problem, values), Message(cure, values)


def language_of(query: str | None, cookie: str | None, accept: str) -> Language:
    """?lang= wins, then what was chosen before, then the first known in Accept-Language."""
    chosen = cookie if query is None else query
    for known in LANGUAGES:
        if chosen == known:
            return known
    tags = (part.partition(";")[0] for part in accept[:TAGS_CHARS_MAX].split(","))
    return first_known(tags) or DEFAULT
