# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision station: the pages for the workshop and for the pole."""

# ruff: noqa: PLR0913, PLR0917 - a command has as many parameters as options

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from revier_inventory.message import _
from revier_provision.cli.books import LedgerOption, StationOption
from revier_provision.cli.language import ask_secret
from revier_provision.cli.options import PLAIN, InventoryOption, JsonOption
from revier_provision.cli.output import Output
from revier_provision.cli.server import GIVE_SERVER, RootsOption, ServerOption, TokenOption
from revier_provision.cli.site import SiteOption, site_with
from revier_provision.errors import OrderError
from revier_provision.ledger.files import machine_name
from revier_provision.station import certificates
from revier_provision.station.maker import WorkshopMaker
from revier_provision.station.users import Role, Users
from revier_provision.workshop.opened import open_bench
from revier_provision.workshop.serial_table import SerialTable
from revier_provision.workshop.site_file import Site

if TYPE_CHECKING:
    from revier_provision.station.desk import Desk

TLS_NAME = "tls"
LOOPBACK = ("localhost", "127.0.0.1")
PORT = 8443

app = typer.Typer(help="Pages for the workshop and for the pole.", **PLAIN)  # type: ignore[arg-type]
user_app = typer.Typer(help="Who may log in at the station.", **PLAIN)  # type: ignore[arg-type]
app.add_typer(user_app, name="user")

StateOption = Annotated[
    Path,
    typer.Option(
        "--state",
        envvar="REVIER_STATION_STATE",
        help="Folder of the station's own: users, TLS keys, trials. Not the inventory's.",
    ),
]
HostOption = Annotated[
    list[str] | None,
    typer.Option("--host", help="Name or address under which phones reach it; repeat it."),
]


@app.command()
def init(state: StateOption, host: HostOption = None, as_json: JsonOption = False) -> None:
    """Make the station's folder, its authority and its certificate. Safe to run again."""
    out = Output(as_json=as_json)
    with out.errors():
        hosts = _hosts(host)
        certificates.ensure(state / TLS_NAME, hosts, datetime.now(UTC))
        state.chmod(0o700)
        authority = state / TLS_NAME / certificates.CA_CERTIFICATE
        result = {"authority": str(authority), "hosts": hosts}
        sentence = _(
            "The station answers to {hosts}.\n"
            "Next: add users with revier-provision station user add, start it with\n"
            "revier-provision station serve, and install {authority} on the phones.",
            hosts=", ".join(hosts),
            authority=authority,
        )
        out.result(result, sentence)


@user_app.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="a-z, 0-9 and . _ -")],
    role: Annotated[str, typer.Option(help="technician or installer.")],
    state: StateOption,
    as_json: JsonOption = False,
) -> None:
    """Add a user, or give one another password and role. Asks for the password."""
    out = Output(as_json=as_json)
    with out.errors():
        if role not in get_args(Role):
            raise OrderError("There is no role {role!r}", "Give technician or installer", role=role)
        password = ask_secret(_("Password"), twice=True)
        Users(state / "users.json").add(name, password, cast(Role, role))
        out.result(
            {"user": name, "role": role}, _("{name} may log in as {role}.", name=name, role=role)
        )


@user_app.command("remove")
def user_remove(
    name: Annotated[str, typer.Argument()], state: StateOption, as_json: JsonOption = False
) -> None:
    """Remove a user; who is logged in is out at once."""
    out = Output(as_json=as_json)
    with out.errors():
        Users(state / "users.json").remove(name)
        out.result({"user": name}, _("{name} is removed.", name=name))


@user_app.command("list")
def user_list(state: StateOption, as_json: JsonOption = False) -> None:
    """Names and roles."""
    out = Output(as_json=as_json)
    with out.errors():
        users = Users(state / "users.json").all()
        rows = [{"user": name, "role": user.role} for name, user in sorted(users.items())]
        out.table(rows, [_("user"), _("role")])


@app.command()
def serve(
    state: StateOption,
    inventory: InventoryOption = None,
    site: SiteOption = None,
    server: ServerOption = None,
    token_file: TokenOption = None,
    tls_roots: RootsOption = None,
    ledger: LedgerOption = None,
    station: StationOption = None,
    host: HostOption = None,
    listen: Annotated[str, typer.Option(help="Address to listen at.")] = "0.0.0.0",  # noqa: S104
    port: Annotated[int, typer.Option(help="TCP port.")] = PORT,
    certificate: Annotated[
        Path | None, typer.Option(help="Own certificate with its chain (PEM).")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="The key that belongs to it (PEM).")] = None,
) -> None:
    """Serve the pages over TLS until Ctrl-C. ChirpStack's token stays on this host.

    With a site file technicians have the workshop's page, which makes nodes of the boards that are
    plugged in here.
    """
    from revier_provision.station import app as pages
    from revier_provision.station.server import configuration
    from revier_provision.station.server import serve as run

    out = Output(as_json=False)
    with out.errors():
        options = {
            "inventory": inventory, "server": server, "token_file": token_file,
            "tls_roots": tls_roots, "ledger": ledger, "station": station,
        }  # fmt: skip
        known = site_with(site, options)
        if known.server is None:
            raise OrderError("The station needs ChirpStack to hear the nodes", GIVE_SERVER)
        hosts = _hosts(host)
        chain, private = _certificate(state, hosts, certificate, key)
        if not Users(state / "users.json").all():
            cure = "Run: revier-provision station user add NAME --role installer"
            raise OrderError("Nobody may log in yet", cure)
        with _desk(known, state) as desk:
            config = configuration(pages.build(desk, hosts), listen, port, chain, private)
            out.result(
                {},
                _(
                    "The station is at https://{host}:{port}/ (Ctrl-C ends it).",
                    host=hosts[0],
                    port=port,
                ),
            )
            run(config)


@contextmanager
def _desk(site: Site, state: Path) -> Iterator[Desk]:
    """What the pages work with; boards are made only where there is a site file."""
    from revier_provision.station.desk import Desk

    with open_bench(site, SerialTable(site)) as bench:
        chirpstack = bench.network_server
        assert chirpstack is not None
        desk = Desk(
            folder=site.inventory,
            ledger_folder=site.ledger,
            station=site.station or machine_name(),
            state=state,
            registry=chirpstack,
            live=chirpstack.live(),
            maker=WorkshopMaker(bench) if site.path is not None else None,
            authority_pem=certificates.authority_pem(state / TLS_NAME),
        )
        desk.inventory()
        yield desk
        desk.trials.close()


def _hosts(given: list[str] | None) -> list[str]:
    """What was given first, then what always holds."""
    wanted = [host.strip().lower() for host in given or [machine_name()]]
    return list(dict.fromkeys([*wanted, *LOOPBACK]))


def _certificate(
    state: Path, hosts: list[str], certificate: Path | None, key: Path | None
) -> tuple[Path, Path]:
    if (certificate is None) != (key is None):
        raise OrderError("--certificate and --key go together", "Give both, or neither")
    if certificate is not None and key is not None:
        return certificate, key
    return certificates.ensure(state / TLS_NAME, hosts, datetime.now(UTC))
