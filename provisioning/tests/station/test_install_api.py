# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One installation through the pages' interface, and what it says when something does not fit."""

from __future__ import annotations

import io
import uuid
from typing import Any

import segno
from provisioning.tests.station.conftest import (
    AIR,
    START,
    Browser,
    Clock,
    FakeNetwork,
    Node,
    eventually,
    jpeg,
)

from revier_provision.labels.tr005 import identification
from revier_provision.ledger import names as ledger_names
from revier_provision.ledger.files import verify
from revier_provision.station.desk import Desk

LABEL = identification(AIR, "0" * 16, "air")


def colour(installer: Browser) -> str | None:
    said: str | None = installer.get(f"/api/trials/{AIR}").json()["colour"]
    return said


def test_from_the_label_to_the_ledger(
    installer: Browser, desk: Desk, network: FakeNetwork, clock: Clock
) -> None:
    node = installer.post("/api/label", json={"text": LABEL}).json()
    assert (node["dev_eui"], node["kind"], node["known"]) == (AIR, "air", True)
    assert node["asset"]["asset"] == "herten-air-01"
    names = [one["asset"] for one in installer.get("/api/assets").json()]
    assert names == ["herten-air-01", "herten-air-02", "herten-bay-07", "herten-glas-03"]

    begin = {"dev_eui": AIR, "begun_at": START.isoformat()}
    began = installer.post("/api/trials?lang=en", json=begin).json()
    assert (began["colour"], began["colour_words"]) == (None, "Waiting for uplinks")
    Node(network, AIR, clock.now).three()
    eventually(lambda: colour(installer) == "green")
    said = installer.get(f"/api/trials/{AIR}?lang=de").json()
    assert said["advice_words"] == ["Der Ort ist gut versorgt."]

    photo = installer.post("/api/photos", content=jpeg()).json()["photo"]
    assert installer.get(f"/api/photos/{photo}").headers["content-type"] == "image/jpeg"
    wanted = {
        "id": str(uuid.uuid4()), "dev_eui": AIR, "asset": "herten-air-01", "photo": photo,
        "place": {"lon": 7.1, "lat": 51.6, "accuracy_m": 5.0},
    }  # fmt: skip
    answers = [installer.post("/api/installations", json=wanted) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200]
    assert [one.json()["again"] for one in answers] == [False, True]
    (record,) = verify(desk.ledger_folder)["werkbank"].records
    who = ledger_names.by_code(desk.ledger_folder)[record.by]
    assert (record.event, who) == ("installed", "ingo")


def test_the_label_in_a_photo(installer: Browser) -> None:
    out = io.BytesIO()
    segno.make(LABEL, error="m").save(out, kind="png", scale=6)
    answer = installer.post("/api/label/photo", content=out.getvalue())
    assert answer.json()["dev_eui"] == AIR
    answer = installer.post("/api/label/photo?lang=de", content=jpeg())
    assert (answer.status_code, answer.json()["key"]) == (409, "no_code")
    assert "QR-Code" in answer.json()["problem"]


def test_refusals_come_in_words(installer: Browser, network: FakeNetwork) -> None:
    def refusal(path: str, body: Any) -> tuple[int, str]:
        answer = installer.post(f"{path}?lang=en", json=body)
        return answer.status_code, answer.json()["key"]

    assert refusal("/api/label", {"text": "hello"}) == (409, "no_label")
    assert refusal("/api/label", {"more": 1}) == (409, "not_readable")
    assert installer.get(f"/api/trials/{AIR}").json()["key"] == "no_trial"
    begin = {"dev_eui": AIR, "begun_at": START.isoformat()}
    assert refusal("/api/trials", begin | {"dev_eui": "f" * 16}) == (409, "unknown_node")
    assert refusal("/api/trials", begin | {"begun_at": "2026-05-04T09:00:00"}) == (
        409,
        "not_readable",
    )
    network.down = "it does not answer"
    assert refusal("/api/trials", begin) == (502, "network_server")
    unknown = installer.post("/api/label", json={"text": "f" * 16}).json()
    assert (unknown["known"], unknown["asset"]) == (False, None)


def test_broken_books_are_said_and_not_hidden(installer: Browser, desk: Desk) -> None:
    (desk.folder / "assets.toml").write_text("[[asset]]\n")
    answer = installer.get("/api/assets")
    assert (answer.status_code, answer.json()["key"]) == (409, "books")
    assert "assets.toml" in answer.json()["problem"]
