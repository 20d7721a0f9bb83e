# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision install: an installation for those who have a terminal at the pole."""

# ruff: noqa: PLR0913, PLR0917 - a command has as many parameters as options

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from revier_inventory.message import Message, _, joined, n_
from revier_inventory.model import Kind
from revier_provision import inventory_files
from revier_provision.cli.books import ByOption, LedgerOption, StationOption, open_ledger
from revier_provision.cli.options import FolderOption, JsonOption
from revier_provision.cli.output import Output
from revier_provision.cli.server import GIVE_SERVER, RootsOption, ServerOption, TokenOption
from revier_provision.cli.station import StateOption
from revier_provision.errors import OrderError, cannot_read
from revier_provision.lns.chirpstack import ChirpStack
from revier_provision.lns.reach import connected
from revier_provision.station import photos, scan
from revier_provision.station.desk import PHOTOS
from revier_provision.station.refused import RefusedError
from revier_provision.station.signoff import Place, Signed, SignOff, serves, sign_off
from revier_provision.station.texts import PAGE
from revier_provision.station.trials import Trial, Trials

LOOK_S = 1.0
WAIT_S = 600.0
COLOURS = {"green": _("green"), "yellow": _("yellow"), "red": _("red")}


def install(
    label: Annotated[str, typer.Option(help="Text of the label's QR code, or the DevEUI.")],
    lon: Annotated[float, typer.Option(help="Longitude, WGS 84.")],
    lat: Annotated[float, typer.Option(help="Latitude, WGS 84.")],
    accuracy_m: Annotated[float, typer.Option(help="How good the position is, metres.")],
    photo: Annotated[Path, typer.Option(help="Photo of the node at its place.")],
    inventory: FolderOption,
    state: StateOption,
    server: ServerOption = None,
    token_file: TokenOption = None,
    tls_roots: RootsOption = None,
    asset: Annotated[
        str | None, typer.Option(help="What it measures; left out: as planned.")
    ] = None,
    vacant: Annotated[bool, typer.Option("--vacant", help="Parking: the bay is vacant now.")] = (
        False
    ),
    empty_mm: Annotated[int | None, typer.Option(help="Waste: distance to the floor.")] = None,
    full_mm: Annotated[int | None, typer.Option(help="Waste: distance when full.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the asset over from another node.")
    ] = False,
    note: Annotated[str, typer.Option(help="Why a red place is signed off.")] = "",
    wait_s: Annotated[float, typer.Option(help="How long to wait for the uplinks.")] = WAIT_S,
    ledger: LedgerOption = None,
    station: StationOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove a node at its final place and sign it off: three uplinks, position, photo."""
    out = Output(as_json=as_json)
    with out.errors():
        if server is None:
            raise OrderError("Nothing can be heard without ChirpStack", GIVE_SERVER)
        dev_eui = scan.label_from(label).dev_eui
        planned = serves(inventory_files.read(inventory), dev_eui)
        if planned is None:
            raise RefusedError("unknown_node", dev_eui=dev_eui)
        wanted = SignOff(
            id=str(uuid.uuid4()),
            dev_eui=dev_eui,
            place=Place(lon=lon, lat=lat, accuracy_m=accuracy_m),
            photo=photos.store(inventory / PHOTOS, _bytes(photo)),
            asset=asset or planned.asset,
            empty_mm=empty_mm,
            full_mm=full_mm,
            replace=replace,
            note=note,
        )
        books = open_ledger(inventory, ledger, station, by)
        with connected(server, token_file, tls_roots, None) as chirpstack:
            assert chirpstack is not None
            trial = _heard(out, chirpstack, state, wanted, planned.kind, wait_s, vacant=vacant)
            signed = sign_off(wanted, trial, inventory, inventory / PHOTOS, books, chirpstack)
        out.result({"signed": signed, "verdict": trial.verdict()}, _sentence(signed, trial))


def _heard(
    out: Output,
    chirpstack: ChirpStack,
    state: Path,
    wanted: SignOff,
    kind: Kind,
    wait_s: float,
    *,
    vacant: bool,
) -> Trial:
    """The trial once it is complete, or when the time is over."""
    trials = Trials(state / "trials", chirpstack.live(), lambda: datetime.now(UTC))
    try:
        trial = trials.begin(wanted.dev_eui, kind, datetime.now(UTC), vacant=vacant)
        out.progress(_("switch the node on or press its reset button now"))
        told = 0
        end_s = time.monotonic() + wait_s
        while time.monotonic() < end_s and not _complete(trial):
            time.sleep(LOOK_S)
            trial = trials.get(wanted.dev_eui) or trial
            if len(trial.heard) > told:
                told = len(trial.heard)
                out.progress(n_("{count} uplink heard", "{count} uplinks heard", told))
        return trial
    finally:
        trials.close()


def _complete(trial: Trial) -> bool:
    if trial.verdict().colour is None:
        return False
    if trial.kind == "parking" and trial.vacant:
        return trial.baseline() in ("learnt", "occupied", "refused")
    return trial.kind != "waste" or trial.distance_mm() is not None


def _sentence(signed: Signed, trial: Trial) -> Message:
    verdict = trial.verdict()
    found = _(
        "Node {dev_eui} serves {asset}: {colour}, reserve {reserve_db:.1f} dB at SF{sf}.",
        dev_eui=signed.dev_eui,
        asset=signed.asset,
        colour=COLOURS[verdict.colour or "red"],
        reserve_db=verdict.reserve_db,
        sf=verdict.spreading_factor,
    )
    advice = (Message(PAGE[f"advice_{one}"], {}) for one in verdict.advice)
    return joined(" ", [found, *advice])


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise cannot_read(path, error, _("Correct --photo")) from None
