# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the install page asks and tells, in JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from revier_inventory import Asset, Inventory
from revier_inventory.model import EUI
from revier_provision.labels.tr005 import Identification
from revier_provision.station import photos, scan
from revier_provision.station.desk import Desk
from revier_provision.station.guard import answer, body_of, guarded, read_json
from revier_provision.station.refused import RefusedError
from revier_provision.station.sessions import Session
from revier_provision.station.signoff import SignOff, serves, sign_off
from revier_provision.station.texts import Words
from revier_provision.station.trials import Trial

TEXT_CHARS_MAX = 200


class Typed(msgspec.Struct, forbid_unknown_fields=True):
    text: str


class Begin(msgspec.Struct, forbid_unknown_fields=True):
    """`vacant`: the installer said that the bay is empty."""

    dev_eui: str
    begun_at: datetime
    vacant: bool = False


def routes(desk: Desk) -> list[BaseRoute]:
    api = _Api(desk)
    return [
        Route("/api/session", guarded(desk, api.session)),
        Route("/api/assets", guarded(desk, api.assets)),
        Route("/api/label", guarded(desk, api.label), methods=["POST"]),
        Route("/api/label/photo", guarded(desk, api.label_photo), methods=["POST"]),
        Route("/api/trials", guarded(desk, api.begin), methods=["POST"]),
        Route("/api/trials/{dev_eui}", guarded(desk, api.trial)),
        Route("/api/photos", guarded(desk, api.put_photo), methods=["POST"]),
        Route("/api/photos/{name}", guarded(desk, api.photo)),
        Route("/api/installations", guarded(desk, api.sign), methods=["POST"]),
    ]


class _Api:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def session(self, _request: Request, session: Session, _words: Words) -> Response:
        return answer(
            {"user": session.user, "csrf": session.csrf, "now": self.desk.now().isoformat()}
        )

    async def assets(self, _request: Request, _session: Session, _words: Words) -> Response:
        inventory = await run_in_threadpool(self.desk.inventory)
        serving = {p.asset: p.dev_eui for p in inventory.periods if p.until is None}
        return answer([_asset(asset, serving) for asset in inventory.assets])

    async def label(self, request: Request, _session: Session, _words: Words) -> Response:
        typed = await read_json(request, Typed)
        found = scan.label_from(typed.text[:TEXT_CHARS_MAX])
        return answer(await run_in_threadpool(self._node, found))

    async def label_photo(self, request: Request, _session: Session, _words: Words) -> Response:
        data = await body_of(request, photos.BYTES_MAX)
        found = await run_in_threadpool(scan.label_in, data)
        return answer(await run_in_threadpool(self._node, found))

    async def begin(self, request: Request, _session: Session, words: Words) -> Response:
        wanted = await read_json(request, Begin)
        if not EUI.match(wanted.dev_eui) or wanted.begun_at.tzinfo is None:
            raise RefusedError("not_readable")
        inventory = await run_in_threadpool(self.desk.inventory)
        asset = serves(inventory, wanted.dev_eui)
        if asset is None:
            raise RefusedError("unknown_node", dev_eui=wanted.dev_eui)

        def begin() -> Trial:
            return self.desk.trials.begin(
                wanted.dev_eui, asset.kind, wanted.begun_at, vacant=wanted.vacant
            )

        return answer(trial_state(await run_in_threadpool(begin), words))

    async def trial(self, request: Request, _session: Session, words: Words) -> Response:
        dev_eui = request.path_params["dev_eui"]
        trial = None
        if EUI.match(dev_eui):
            trial = await run_in_threadpool(self.desk.trials.look, dev_eui)
        if trial is None:
            raise RefusedError("no_trial")
        return answer(trial_state(trial, words))

    async def put_photo(self, request: Request, _session: Session, _words: Words) -> Response:
        data = await body_of(request, photos.BYTES_MAX)
        name = await run_in_threadpool(photos.store, self.desk.photos, data)
        return answer({"photo": name})

    async def photo(self, request: Request, _session: Session, _words: Words) -> Response:
        name = request.path_params["name"]
        data = await run_in_threadpool(photos.load, self.desk.photos, name)
        if data is None:
            return answer({}, 404)
        return Response(data, media_type="image/jpeg")

    async def sign(self, request: Request, session: Session, _words: Words) -> Response:
        wanted = await read_json(request, SignOff)
        desk = self.desk
        trial = None
        if EUI.match(wanted.dev_eui):
            trial = await run_in_threadpool(desk.trials.get, wanted.dev_eui)

        def sign() -> Any:
            with desk.books(session.user) as ledger:
                return sign_off(wanted, trial, desk.folder, desk.photos, ledger, desk.registry)

        return answer(await run_in_threadpool(sign))

    def _node(self, found: Identification) -> dict[str, Any]:
        inventory = self.desk.inventory()
        asset = serves(inventory, found.dev_eui)
        return {
            "dev_eui": found.dev_eui,
            "kind": asset.kind if asset else found.kind,
            "known": asset is not None,
            "asset": _asset(asset, _serving(inventory)) if asset else None,
        }


def trial_state(trial: Trial, words: Words) -> dict[str, Any]:
    """A trial for the page: numbers, and the advice in words."""
    verdict = trial.verdict()
    said: dict[str, Any] = msgspec.to_builtins(verdict)
    said |= {
        "dev_eui": trial.dev_eui,
        "kind": trial.kind,
        "begun_at": trial.begun_at.isoformat(),
        "vacant": trial.vacant,
        "colour_words": words[f"colour_{verdict.colour or 'none'}"],
        "advice_words": [words[f"advice_{one}"] for one in verdict.advice],
        "baseline": trial.baseline(),
        "baseline_words": words[f"baseline_{trial.baseline()}"],
        "distance_mm": trial.distance_mm(),
        "trouble": words.refusal("network_server", why=trial.trouble) if trial.trouble else None,
    }
    return said


def _serving(inventory: Inventory) -> dict[str, str]:
    return {period.asset: period.dev_eui for period in inventory.periods if period.until is None}


def _asset(asset: Asset, serving: dict[str, str]) -> dict[str, Any]:
    return {
        "asset": asset.asset,
        "name": asset.name,
        "kind": asset.kind,
        "ags": asset.ags,
        "lon": asset.lon,
        "lat": asset.lat,
        "empty_mm": asset.empty_mm,
        "full_mm": asset.full_mm,
        "dev_eui": serving.get(asset.asset),
    }
