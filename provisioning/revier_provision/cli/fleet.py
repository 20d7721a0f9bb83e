# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision plan, status and verify: the whole fleet at once."""

# ruff: noqa: PLR0913, PLR0917 - a command has as many parameters as options

from __future__ import annotations

import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from revier_inventory.message import Message, _, joined, n_
from revier_provision import identity, inventory_files
from revier_provision.board.repl_board import ReplBoard, open_board
from revier_provision.books import Books
from revier_provision.cli.books import (
    ByOption,
    LedgerOption,
    StationOption,
    VaultOption,
    open_books,
)
from revier_provision.cli.options import (
    FolderOption,
    InventoryOption,
    JsonOption,
    OptionalPort,
    VirtualOption,
    WindowOption,
)
from revier_provision.cli.output import EXIT_REFUSED, Output
from revier_provision.cli.server import RootsOption, ServerOption, TokenOption
from revier_provision.errors import OrderError, cannot_read
from revier_provision.fleet import asset_plan, asset_rows, comparison, server_view
from revier_provision.fleet.health import State, expected_interval_s, health
from revier_provision.fleet.lifecycle import dev_eui_of_board
from revier_provision.ledger.records import key_id
from revier_provision.lns.fleet import FleetChirpStack
from revier_provision.lns.reach import connected
from revier_provision.vault.vault import Vault

STATUS_COLUMNS = [_("asset"), _("kind"), _("ags"), _("name"), _("dev_eui"), _("since")]
SERVER_COLUMNS = [_("state"), _("last_seen"), _("battery"), _("margin_db")]
STATES: dict[State, Message] = {
    "ok": _("ok"),
    "late": _("late"),
    "never heard": _("never heard"),
    "battery low": _("battery low"),
    "not registered": _("not registered"),
    "no device": _("no device"),
}
CHANGES: dict[asset_plan.What, Message] = {
    "new": _("new"),
    "changed": _("changed"),
    "unchanged": _("unchanged"),
    "gone": _("gone"),
}

GermanOption = Annotated[
    bool, typer.Option("--german", help="CSV with German headers, kinds and decimal comma.")
]


def plan(
    file: Annotated[Path | None, typer.Argument(help="CSV or TOML of assets.")] = None,
    inventory: InventoryOption = None,
    apply: Annotated[bool, typer.Option("--apply", help="Write it into the inventory.")] = False,
    template: Annotated[
        bool, typer.Option("--template", help="Print a CSV to begin with, and end.")
    ] = False,
    german: GermanOption = False,
    as_json: JsonOption = False,
) -> None:
    """What a table of assets would change in the inventory; with --apply, change it."""
    out = Output(as_json=as_json)
    if template:
        sys.stdout.write(asset_rows.template(german=german))
        return
    with out.errors():
        if file is None or inventory is None:
            cure = "Give FILE and --inventory, or see its form with --template"
            raise OrderError("There is nothing to plan", cure)
        is_toml = file.suffix.lower() == ".toml"
        rows = asset_rows.read(_bytes(file), is_toml=is_toml)
        made = asset_plan.make_plan(inventory_files.read(inventory), rows)
        if apply and not made.changes_nothing:
            # Made anew under the lock: the inventory may have changed since.
            inventory_files.change(inventory, lambda now: asset_plan.make_plan(now, rows).after)
        _tell_plan(out, made, applied=apply)


def _tell_plan(out: Output, made: asset_plan.AssetPlan, *, applied: bool) -> None:
    groups: tuple[asset_plan.What, ...] = ("new", "changed", "unchanged", "gone")
    counts = {what: made.count(what) for what in groups}
    lines = []
    for each in made.differences:
        if each.what == "unchanged":
            continue
        lines.append(_("{what:9} {asset}", what=CHANGES[each.what], asset=each.asset))
        lines += [joined("", [" " * 10, change.words]) for change in each.changes]
    words = (_("{count} {what}", count=n, what=CHANGES[what]) for what, n in counts.items())
    lines.append(joined("", [joined(", ", words), "."]))
    if counts["gone"]:
        lines.append(_("What is gone from the table stays in the inventory: nothing is removed."))
    if applied:
        nothing = made.changes_nothing
        lines.append(_("Nothing had to be written.") if nothing else _("Written."))
    elif not made.changes_nothing:
        lines.append(_("Nothing was written. Next: the same with --apply."))
    data = {
        "counts": counts,
        "applied": applied and not made.changes_nothing,
        "differences": made.differences,
    }
    out.result(data, joined("\n", lines))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise cannot_read(path, error, _("Correct the path")) from None


def _shown(value: object) -> object:
    """Times on a screen: to the minute, UTC."""
    return f"{value:%Y-%m-%d %H:%MZ}" if isinstance(value, datetime) else value


def status(
    inventory: FolderOption,
    server: ServerOption = None,
    token_file: TokenOption = None,
    tls_roots: RootsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every asset with the device that serves it; with --server also how the node is."""
    out = Output(as_json=as_json)
    with out.errors():
        known = inventory_files.read(inventory)
        serving = {p.asset: p for p in known.periods if p.until is None}
        rows: list[dict[str, object]] = []
        now = datetime.now(UTC)
        with connected(server, token_file, tls_roots, None) as network_server:
            view = None if network_server is None else server_view.look(known, network_server)
        for asset in known.assets:
            period = serving.get(asset.asset)
            row: dict[str, object] = {str(key): getattr(asset, key) for key in STATUS_COLUMNS[:4]}
            row["dev_eui"] = period.dev_eui if period else None
            row["since"] = period.since if period else None
            if view is not None:
                device = view.devices.get(period.dev_eui) if period else None
                of_profile_s = view.interval_s.get((asset.ags, asset.kind))
                interval_s = expected_interval_s(asset.kind, of_profile_s)
                one = health(period.dev_eui if period else None, device, interval_s, now)
                row |= {str(key): getattr(one, key) for key in SERVER_COLUMNS}
                row["state"] = STATES[one.state]
            rows.append(row)
        if not as_json:
            rows = [{name: _shown(value) for name, value in row.items()} for row in rows]
        columns = [*STATUS_COLUMNS, *SERVER_COLUMNS] if view is not None else STATUS_COLUMNS
        out.table(rows, columns)


def verify(
    inventory: FolderOption,
    port: OptionalPort = None,
    server: ServerOption = None,
    token_file: TokenOption = None,
    tls_roots: RootsOption = None,
    ledger: LedgerOption = None,
    station: StationOption = None,
    by: ByOption = None,
    vault: VaultOption = None,
    virtual: VirtualOption = False,
    window_s: WindowOption = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Compare inventory, ledger, vault, ChirpStack and (with --port) the board.

    Ends with 1 when two of them do not agree.
    """
    out = Output(as_json=as_json)
    with out.errors():
        books = open_books(inventory, ledger, station, by, vault)
        with connected(server, token_file, tls_roots, None) as network_server:
            if port is None:
                sources = _sources(out, inventory, books, network_server, vault)
            else:
                out.knock(port)
                with open_board(port, window_s) as board:
                    seen = _look_at_board(board, books, network_server, virtual=virtual)
                own = seen.dev_eui_expected
                sources = _sources(out, inventory, books, network_server, vault, only=own)
                sources = msgspec.structs.replace(sources, board=seen)
        findings = comparison.compare(sources)
        compared = [_("inventory"), _("ledger"), *([_("vault")] if vault else [])]
        compared += [*([_("ChirpStack")] if server else []), *([_("board")] if port else [])]
        out.result({"compared": compared, "findings": findings}, _compared(compared, findings))
        if findings:
            raise typer.Exit(EXIT_REFUSED)


def _compared(compared: list[Message], findings: list[comparison.Finding]) -> Message:
    lines = []
    for found in findings:
        lines.append(joined(": ", [found.dev_eui, found.what, joined("", [found.problem, "."])]))
        lines.append(joined("", ["  ", _("Next: {cure}.", cure=found.cure)]))
    count = n_("{count} finding", "{count} findings", len(findings))
    result = count if findings else _("they agree")
    lines.append(_("Compared {what}: {result}.", what=joined(", ", compared), result=result))
    return joined("\n", lines)


def _sources(
    out: Output,
    folder: Path,
    books: Books,
    network_server: FleetChirpStack | None,
    vault: Path | None,
    only: str | None = None,
) -> comparison.Sources:
    """`only`: with what costs a call a device, of this one alone."""
    inventory = inventory_files.read(folder)
    devices = interval_s = None
    applications: dict[str, str] = {}
    if network_server is not None:
        out.progress(_("read what ChirpStack has"))
        view = server_view.look(inventory, network_server)
        devices = server_view.look_closer(view, network_server, only)
        interval_s = view.interval_s
        applications = {ags: each.application_id for ags, each in view.applications.items()}
    held = None
    if vault is not None:
        store = Vault(vault)
        euis = {period.dev_eui for period in inventory.periods}
        held = {dev_eui: frozenset(store.key_ids(dev_eui)) for dev_eui in euis}
    return comparison.Sources(
        inventory=inventory,
        records=books.ledger.records(),
        server=devices,
        interval_s=interval_s or {},
        applications=applications,
        vault=held,
    )


def _look_at_board(
    board: ReplBoard, books: Books, network_server: FleetChirpStack | None, *, virtual: bool
) -> comparison.BoardView:
    dev_eui = dev_eui_of_board(board, books, local_mac_ok=virtual)
    state = board.state()
    node_json = state.node_json or {}
    kind, interval_s = node_json.get("kind"), node_json.get("interval_s")
    app_key = network_server.app_key(dev_eui) if network_server is not None else None
    holds = None
    if app_key is not None:
        challenge = secrets.token_bytes(identity.CHALLENGE_BYTES)
        if board.app_key_digest(challenge) == identity.app_key_digest(challenge, app_key):
            holds = key_id(app_key)
    return comparison.BoardView(
        dev_eui_expected=dev_eui,
        dev_eui=state.dev_eui,
        join_eui=state.join_eui,
        kind=kind if isinstance(kind, str) else None,
        interval_s=interval_s if isinstance(interval_s, int) else None,
        key_id=holds,
        firmware_sha256=board.firmware_sha256(),
    )
