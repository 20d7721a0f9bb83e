# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A node's whole life by command, each with the site file alone: from a table of assets to its end.

Boot loader, MicroPython, MAC, cable and gRPC are real; then every trace is searched for the keys.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from provisioning.tests.provision.keys_in import found_in, pdf_streams
from typer.testing import CliRunner

from revier_bench import updates
from revier_bench.cli import app as bench_app
from revier_bench.virtual_board import Nvs
from revier_bench.workbench import BenchBoard
from revier_bench.workshop.near_gateway import NearGateway
from revier_inventory import Inventory, Owner
from revier_provision import inventory_files
from revier_provision.chip import esptool
from revier_provision.cli import app
from revier_provision.update import firmware_bundle

from .conftest import PACE

if TYPE_CHECKING:
    from .conftest import Desk

pytestmark = pytest.mark.pty

ASSET = "herten-air-07"
TABLE = f"Objekt;Art;AGS;Bezeichnung;Länge;Breite\n{ASSET};Luft;05562020;Rathaus;7,13;51,59\n"
SECOND_MAC = bytes.fromhex("025245560002")
WORDS = "four random words here"
NEW = (0, 2, 0)
EVENTS = [
    "provisioned", "updated", "provisioned", "rekeyed", "replaced", "retired", "server-restored",
]  # fmt: skip


@dataclass
class Technician:
    """Types commands in the desk's folder."""

    desk: Desk
    said: str = ""
    given: list[list[str]] = field(default_factory=list)  # to the children that it starts
    keys: list[bytes] = field(default_factory=list)

    def types(self, *words: object, given: str = "", code: int = 0) -> str:
        done = CliRunner().invoke(app, [str(word) for word in words], input=given)
        self.said += done.output
        assert done.exit_code == code, (words, done.output, done.exception)
        return done.stdout

    def asks(self, *words: object, given: str = "", code: int = 0) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(
            self.types(*words, "--json", given=given, code=code).splitlines()[-1]
        )
        return answer

    def learn_key(self, dev_eui: str) -> bytes:
        key: bytes = self.desk.network.registry.keys[dev_eui].nwk_key
        self.keys.append(key)
        return key

    def files(self) -> dict[str, bytes]:
        found = {}
        for path in self.desk.folder.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                found[path.name] = data + (pdf_streams(data) if path.suffix == ".pdf" else b"")
        return found


@pytest.fixture
def technician(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Technician:
    monkeypatch.chdir(desk.folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(desk.folder.parent / "state"))
    monkeypatch.setenv("REVIER_BY", "Änne")
    made, run = Technician(desk), esptool.run

    def heard(arguments: Sequence[str], *more: Any) -> esptool.Ran:
        made.given.append(list(arguments))
        return run(arguments, *more)

    monkeypatch.setattr(esptool, "run", heard)
    return made


@pytest.fixture
def second(desk: Desk, tmp_path: Path) -> Iterator[BenchBoard]:
    gateway = NearGateway(desk.network)
    board = BenchBoard(
        tmp_path / "second", mac=SECOND_MAC, air=gateway, build_dir=tmp_path / "build", kind="air"
    )
    board.pace = PACE
    gateway.join(board.virtual.kernel, board.virtual.radio)
    with board:
        yield board


@pytest.mark.timeout(1800)  # a minute on a free machine
def test_from_a_table_of_assets_to_a_retired_board(
    technician: Technician, second: BenchBoard
) -> None:
    desk = technician.desk
    _release(technician)
    _plan(technician)
    first = _made_updated_rekeyed(technician, "--port", desk.board.url)
    second_eui = _replaced(technician, first, ("--port", desk.board.url), ("--port", second.url))
    _restore(technician, second_eui)
    technician.types("export", "--format", "csv", "--out", "all.csv")
    technician.types("export", "--format", "geojson", "--out", "assets.geojson")
    technician.types("ledger", "verify", "inventory/ledger")
    rows = json.loads(technician.types("ledger", "show", "inventory/ledger", "--json"))
    assert [row["event"] for row in rows if row["event"] != "key-reserved"] == EVENTS
    _no_key(technician, [*desk.board.lines, *second.lines])


def _made_updated_rekeyed(technician: Technician, *port: str) -> str:
    """From an empty chip; its DevEUI."""
    desk, types, asks = technician.desk, technician.types, technician.asks
    made = asks("node", *port, "--virtual", "--yes")
    dev_eui: str = made["record"]["dev_eui"]
    key = technician.learn_key(dev_eui)
    assert made["record"]["asset"] == ASSET
    assert made["proof"]["f_port"] == 10
    assert asks("verify", *port, "--virtual")["findings"] == []
    types("label", "--asset", ASSET, "--format", "zpl", "--out", "again.zpl")
    (label,) = (desk.folder / "labels").glob("*.zpl")
    assert label.read_bytes() == (desk.folder / "again.zpl").read_bytes()

    updated = asks("update", *port, "--firmware", "new.zip", "--wait-s", "300")
    assert updated["outcome"] == "committed", updated
    assert asks("verify", *port, "--virtual")["findings"] == []
    again = asks("node", *port, "--virtual")  # the site's bundle is older now
    (kept,) = [step for step in again["steps"] if step["step"] == "upload the application"]
    assert kept["state"] == "skipped"
    assert asks("verify", *port, "--virtual")["findings"] == []

    assert asks("rekey", *port, "--virtual")["rekeyed"]
    assert technician.learn_key(dev_eui) != key
    assert asks("verify", *port, "--virtual")["findings"] == []
    return dev_eui


def _replaced(
    technician: Technician, first: str, old: tuple[str, str], new: tuple[str, str]
) -> str:
    """By a second board; the first is retired. The second's DevEUI."""
    desk, types, asks = technician.desk, technician.types, technician.asks
    replaced = asks("replace", *new, "--asset", ASSET, "--virtual")  # its chip is empty
    assert replaced["proof"]["f_port"] == 10
    dev_eui: str = replaced["record"]["dev_eui"]
    technician.learn_key(dev_eui)
    assert (replaced["old_dev_eui"], replaced["old_kept"]) == (first, True)
    assert asks("retire", *old, "--dev-eui", first, "--virtual", "--yes")["wiped"]
    assert first not in desk.network.registry.devices
    assert Nvs(desk.board.flash.image).get("lorawan", "app_key") is None
    assert asks("verify", *new, "--virtual")["findings"] == []
    (row,) = [row for row in json.loads(types("status", "--json")) if row["asset"] == ASSET]
    assert row["dev_eui"] == dev_eui
    return dev_eui


def _release(technician: Technician) -> None:
    """The release's key, and its firmware signed: the one that the site file names, and a newer."""
    folder = technician.desk.folder
    given = f"{WORDS}\n{WORDS}\n"
    technician.types("firmware", "keygen", "release.key", given=given)
    site = folder / "revier-site.toml"
    text = site.read_text().replace(
        "[[firmware.runtime]]", 'trust = ["release.key.pub"]\n[[firmware.runtime]]'
    )
    text = text.replace('vault = "vault"', 'vault = "vault"\nidentity_file = "identity"')
    site.write_text(text)
    built = CliRunner().invoke(bench_app, ["firmware", "--out", "revier-firmware.zip"])
    assert built.exit_code == 0, built.output
    old = firmware_bundle.load(folder / "revier-firmware.zip")
    new = firmware_bundle.Firmware(
        version="0.2.0", slot_files=updates.application(NEW), root_files=old.root_files
    )
    (folder / "new.zip").write_bytes(firmware_bundle.packed(new))
    for name in ("revier-firmware.zip", "new.zip"):
        technician.types("firmware", "sign", name, "--key", "release.key", given=f"{WORDS}\n")
        technician.types("firmware", "show", name, "--public", "release.key.pub")


def _plan(technician: Technician) -> None:
    folder = technician.desk.folder / "inventory"
    inventory_files.write(folder, Inventory(owners=(Owner(ags="05562020", name="Herten"),)))
    (technician.desk.folder / "assets.csv").write_text(TABLE)
    technician.types("inventory", "init", "inventory")
    technician.types("plan", "assets.csv", "--apply")
    technician.types("inventory", "check", "inventory")


def _restore(technician: Technician, dev_eui: str) -> None:
    """ChirpStack is set up anew; the device is there again, with the key that the board has."""
    registry = technician.desk.network.registry
    key = registry.keys[dev_eui].nwk_key
    del registry.devices[dev_eui], registry.keys[dev_eui]
    technician.types("restore-server", "--not-empty")
    assert registry.keys[dev_eui].nwk_key == key


def _no_key(technician: Technician, console: list[str]) -> None:
    places = technician.files()
    places["terminal"] = technician.said.encode()
    assert technician.given
    places["arguments"] = repr((technician.given, dict(os.environ))).encode()
    places["the boards' console"] = json.dumps(console).encode()
    assert {".jsonl", ".zpl", ".age", ".toml", ".csv"} <= {Path(name).suffix for name in places}
    for key in technician.keys:
        assert {name: f for name, data in places.items() if (f := found_in(data, key))} == {}
