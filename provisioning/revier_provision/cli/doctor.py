# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from revier_inventory import Owner
from revier_inventory.message import Message, _, joined
from revier_provision import inventory_files
from revier_provision.cli.options import JsonOption
from revier_provision.cli.output import EXIT_REFUSED, Output
from revier_provision.cli.server import CodecOption, RootsOption, ServerOption, TokenOption
from revier_provision.doctor import Checked, ServerFacts, machine_checks, server_checks, worst
from revier_provision.doctor.probe_machine import machine_facts
from revier_provision.doctor.probe_server import Probe
from revier_provision.errors import ProvisionError
from revier_provision.labels.tr005 import VENDOR_ID_NONE, vendor_number
from revier_provision.lns.reach import payload_codec, reach

STATES = {"ok": _("ok"), "skipped": _("skipped"), "warn": _("warn"), "bad": _("bad")}
InventoryOrNoneOption = Annotated[
    Path | None,
    typer.Option("--inventory", envvar="REVIER_INVENTORY", help="For the owners' tenants."),
]


def doctor(
    inventory: InventoryOrNoneOption = None,
    server: ServerOption = None,
    token_file: TokenOption = None,
    tls_roots: RootsOption = None,
    codec: CodecOption = None,
    vendor_id: Annotated[
        str, typer.Option(help="4 hex digits from the LoRa Alliance, as on the labels.")
    ] = VENDOR_ID_NONE,
    as_json: JsonOption = False,
) -> None:
    """Look at this machine and at ChirpStack, and say what to do. Changes nothing.

    Exit code 1 if anything is bad; warnings leave it 0.
    """
    out = Output(as_json=as_json)
    with out.errors():
        vendor_id = vendor_number(vendor_id)
        owners = inventory_files.read(inventory).owners if inventory is not None else ()
        out.progress(_("look at this machine"))
        results = machine_checks(machine_facts())
        if server is not None:
            out.progress(_("ask {server}", server=server))
        try:
            facts, codec_js = _server_facts(server, token_file, tls_roots, codec, owners, vendor_id)
            results += server_checks(facts, codec_js, vendor_id)
        except ProvisionError as error:
            results.append(Checked("chirpstack", "bad", error.problem, error.cure))
        out.result({"worst": worst(results), "checks": results}, _text(results))
    if worst(results) == "bad":
        raise typer.Exit(EXIT_REFUSED)


def _server_facts(
    server: str | None,
    token_file: Path | None,
    tls_roots: Path | None,
    codec: Path | None,
    owners: tuple[Owner, ...],
    vendor_id: str,
) -> tuple[ServerFacts | None, str]:
    if server is None:
        return None, payload_codec()
    way = reach(server, token_file, tls_roots, codec)
    with Probe(way.target, way.token, tls_roots=way.tls_roots, codec_js=way.codec_js) as probe:
        return probe.facts(way.target, owners, way.tls_roots, vendor_id), way.codec_js


def _text(results: list[Checked]) -> Message:
    lines = []
    for one in results:
        lines.append(_("{state:7} {what}", state=STATES[one.state], what=one.what))
        if one.cure:
            lines.append(joined("", [" " * 8, _("Next: {cure}.", cure=one.cure)]))
    return joined("\n", lines)
