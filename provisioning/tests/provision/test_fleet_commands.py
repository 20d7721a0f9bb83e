# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""plan, status, export and restore-server against the stand-in, by gRPC."""

from __future__ import annotations

import csv
import io
import json
import stat
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrage
import pytest
from provisioning.tests.provision.keys_in import found_in
from typer.testing import CliRunner, Result

from revier_bench.network_server.registry import Tenant
from revier_inventory import RadioGateway, begin_period, put_radio_gateway
from revier_provision import cli, inventory_files
from revier_provision.books import Books
from revier_provision.fleet.asset_rows import template
from revier_provision.ledger.files import LedgerFolder
from revier_provision.ledger.records import key_id
from revier_provision.vault import vault
from revier_provision.vault.vault import Vault

EUIS = ("240ac4fffe112201", "240ac4fffe112202", "240ac4fffe112203")
ASSETS = ("herten-air-01", "herten-bay-07", "herten-glas-03")
KEYS = [bytes([n + 1]) + bytes(range(15)) for n in range(3)]
AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
GATEWAY = "0016c001f1500812"


def run(*arguments: object, code: int = 0, typed: str = "") -> Result:
    result = CliRunner().invoke(cli.app, [str(each) for each in arguments], input=typed)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def known_fleet(tmp_path: Path, folder: Path) -> list[object]:
    """Three nodes of which inventory, ledger and vault know; options that name the three."""
    for dev_eui, asset in zip(EUIS, ASSETS, strict=True):
        inventory_files.change(
            folder,
            lambda now, e=dev_eui, a=asset: begin_period(now, e, a, AT),  # type: ignore[misc]
        )
    roof = RadioGateway(gateway_id=GATEWAY, name="Dach", lon=7.1, lat=51.6, ags="05562020")
    inventory_files.change(folder, lambda now: put_radio_gateway(now, roof))
    vault.create(tmp_path / "vault", tmp_path / "identity", None)
    ledger = LedgerFolder(folder / "ledger", "bench-1", "me")
    books = Books(ledger, Vault(tmp_path / "vault"))
    for dev_eui, key in zip(EUIS, KEYS, strict=True):
        books.reserve(dev_eui, key[::-1])  # an older one
        books.reserve(dev_eui, key)
    own = ["--inventory", folder, "--vault", tmp_path / "vault"]
    return [*own, "--identity-file", tmp_path / "identity"]


# -- plan ----------------------------------------------------------------------------------------


def test_a_plan_is_told_and_then_written(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "assets.csv"
    table.write_bytes(
        "Objekt;Art;AGS;Bezeichnung;Länge;Breite\r\n"
        "herten-air-01;Luft;5562020;Rathaus, Turm;7,1353;51,5961\r\n"
        "herten-air-09;Luft;5562020;Straße;7,2;51,6\r\n".encode("cp1252")
    )
    before = inventory_files.read(folder)
    told = run("plan", table, "--inventory", folder).stdout
    assert "changed   herten-air-01" in told
    assert "name: 'Rathaus' -> 'Rathaus, Turm'" in told
    assert "new       herten-air-09" in told
    assert "gone      herten-air-02" in told
    assert "1 new, 1 changed, 0 unchanged, 3 gone." in told
    assert "Nothing was written" in told
    assert inventory_files.read(folder) == before
    assert "Written." in run("plan", table, "--inventory", folder, "--apply").stdout
    after = inventory_files.read(folder)
    new = after.asset("herten-air-09")
    assert new is not None
    assert new.name == "Straße"
    assert len(after.assets) == len(before.assets) + 1
    again = json.loads(run("plan", table, "--inventory", folder, "--apply", "--json").stdout)
    assert again["counts"] == {"new": 0, "changed": 0, "unchanged": 2, "gone": 3}
    assert again["applied"] is False


def test_faults_of_a_plan_come_all_at_once(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "assets.csv"
    table.write_text("asset;lon\nherten-air-01;x\nherten-air-02;y\n")
    refused = run("plan", table, "--inventory", folder, "--apply", code=1)
    assert "Line 2: lon: 'x'" in refused.stderr
    assert "Line 3: lon: 'y'" in refused.stderr
    assert refused.stderr.count("Next: ") == 2
    as_json = run("plan", table, "--inventory", folder, "--json", code=1)
    assert len(json.loads(as_json.stdout)["error"]) == 2
    assert "Correct the path" in run("plan", tmp_path / "no", "--inventory", folder, code=1).stderr
    assert "--template" in run("plan", table, code=1).stderr


def test_the_template_and_an_export_are_plans(folder: Path, tmp_path: Path) -> None:
    assert run("plan", "--template").stdout.splitlines() == template().splitlines()
    german = run("plan", "--template", "--german").stdout
    assert german.startswith("\ufeffObjekt;Art;AGS;Bezeichnung;Länge;Breite;")
    assert ";Luft;05562020;Rathaus;7,1353;51,5961;" in german
    for more in ([], ["--german"]):
        out = tmp_path / f"out{len(more)}.csv"
        run("export", "--inventory", folder, "--out", out, *more)
        told = json.loads(run("plan", out, "--inventory", folder, "--json").stdout)
        assert told["counts"] == {"new": 0, "changed": 0, "unchanged": 4, "gone": 0}
    toml = run("plan", folder / "assets.toml", "--inventory", folder, "--json").stdout
    assert json.loads(toml)["counts"]["unchanged"] == 4


# -- restore-server, status ----------------------------------------------------------------------


def test_an_empty_server_is_restored(
    server: Any, folder: Path, reach: list[object], known_fleet: list[object]
) -> None:
    registry = server.registry
    done = run("restore-server", *known_fleet, *reach)
    assert "3 devices with 3 keys and 1 radio gateways" in done.stdout
    assert {e: registry.keys[e].nwk_key for e in EUIS} == dict(zip(EUIS, KEYS, strict=True))
    profiles = {registry.profiles[d.device_profile_id].name for d in registry.devices.values()}
    assert profiles == {"revier-air", "revier-parking", "revier-waste"}
    assert registry.devices[EUIS[1]].tags == {"asset": "herten-bay-07", "ags": "05562020"}
    assert set(registry.gateways) == {GATEWAY}
    (owner,) = inventory_files.read(folder).owners
    (application,) = registry.applications.values()
    assert owner.application_ids == (application.id,)
    assert owner.tenant_ids == (application.tenant_id,)
    for device in registry.keys.values():
        device.dev_nonces["00" * 8] = {5}
    again = json.loads(run("restore-server", *known_fleet, *reach, "--json").stdout)
    assert (again["made"], again["devices"], again["keys"]) == (0, 3, 3)
    assert all(device.dev_nonces for device in registry.keys.values()), "a live one is left alone"
    records = LedgerFolder(folder / "ledger", "r", "me").records()
    assert [r.event for r in records][-2:] == ["server-restored"] * 2
    for text in (done.output, *(path.read_text() for path in (folder / "ledger").glob("*.jsonl"))):
        assert not any(found_in(text.encode(), key) for key in KEYS)


def test_a_restore_cut_anywhere_is_finished_by_the_next(
    server: Any,
    folder: Path,
    reach: list[object],
    known_fleet: list[object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = {"left": 0}
    from revier_provision.lns.chirpstack import ChirpStack
    from revier_provision.lns.fleet import FleetChirpStack

    original = ChirpStack._call

    def cut(self: Any, method: Any, request: Any) -> Any:
        if calls["left"] == 0:
            raise KeyboardInterrupt
        calls["left"] -= 1
        return original(self, method, request)

    monkeypatch.setattr(FleetChirpStack, "_call", cut)
    for allowed in range(2, 60, 3):
        calls["left"] = allowed
        result = CliRunner().invoke(
            cli.app, [str(each) for each in ["restore-server", *known_fleet, *reach]]
        )
        if result.exit_code == 0:
            break
    else:
        pytest.fail("it never came to its end")
    assert allowed > 20
    assert len(server.registry.tenants) == len(server.registry.applications) == 1
    assert len(server.registry.profiles) == 3
    assert {e: server.registry.keys[e].nwk_key for e in EUIS} == dict(zip(EUIS, KEYS, strict=True))


def test_what_cannot_be_restored_stops_nothing_else(
    server: Any, folder: Path, reach: list[object], known_fleet: list[object], tmp_path: Path
) -> None:
    (tmp_path / "vault" / f"{EUIS[0]}.{key_id(KEYS[0])}.age").unlink()
    nobodys = RadioGateway(gateway_id="f" * 16, name="Turm", lon=7.1, lat=51.6)
    inventory_files.change(folder, lambda now: put_radio_gateway(now, nobodys))
    done = run("restore-server", *known_fleet, *reach, "--json", code=1)
    told = json.loads(done.stdout)
    assert (told["devices"], told["keys"], told["radio_gateways"]) == (3, 2, 1)
    assert [each["which"] for each in told["unrestored"]] == [EUIS[0], "f" * 16]
    assert all(each["cure"] for each in told["unrestored"])
    verified = run("verify", *known_fleet[:4], *reach, "--json", code=1)
    found = json.loads(verified.stdout)["findings"]
    assert {each["dev_eui"] for each in found if each["what"] == "key"} == {EUIS[0]}


def test_a_key_that_is_there_is_never_overwritten(
    server: Any, reach: list[object], known_fleet: list[object]
) -> None:
    """A live server may be ahead of this copy of the ledger."""
    run("restore-server", *known_fleet, *reach)
    newer = bytes(range(100, 116))
    server.registry.keys[EUIS[0]].nwk_key = newer
    done = run("restore-server", *known_fleet, *reach, code=1)
    assert "was left alone" in done.stdout
    assert server.registry.keys[EUIS[0]].nwk_key == newer


def test_a_server_of_others_is_not_empty(
    server: Any, reach: list[object], known_fleet: list[object], tmp_path: Path
) -> None:
    server.registry.add_tenant(Tenant(id="52f14cd4-c6f1-4fbd-8f87-4025e1d49242", name="ChirpStack"))
    server.registry.add_tenant(Tenant(id="52f14cd4-c6f1-4fbd-8f87-4025e1d49243", name="Farmer"))
    refused = run("restore-server", *known_fleet, *reach, code=1)
    assert "'Farmer'" in refused.stderr
    assert "--not-empty" in refused.stderr
    assert not server.registry.devices
    stranger = tmp_path / "stranger"
    stranger.write_text(str(pyrage.x25519.Identity.generate()))
    stranger.chmod(0o600)
    other = [*known_fleet[:-1], stranger]
    closed = run("restore-server", *other, *reach, "--not-empty", "--json", code=1)
    assert len(json.loads(closed.stdout)["unrestored"]) == 3
    run("restore-server", *known_fleet, *reach, "--not-empty")
    assert len(server.registry.devices) == 3


def test_status_says_how_the_nodes_are(
    server: Any, folder: Path, reach: list[object], known_fleet: list[object]
) -> None:
    before = run("status", "--inventory", folder, *reach, "--json").stdout
    assert [r["state"] for r in json.loads(before)] == ["not registered", "no device"] + [
        "not registered"
    ] * 2
    run("restore-server", *known_fleet, *reach)
    air, bay, glass = (server.registry.devices[e] for e in EUIS)
    air.last_seen_ns = time.time_ns()
    air.margin, air.battery_level = 12, 61.4
    bay.last_seen_ns = time.time_ns() - 4 * 3600 * 10**9
    glass.margin = 3
    rows = json.loads(run("status", "--inventory", folder, *reach, "--json").stdout)
    told = {row["asset"]: (row["state"], row["battery"], row["margin_db"]) for row in rows}
    assert told == {
        "herten-air-01": ("ok", "61 %", 12),
        "herten-air-02": ("no device", None, None),
        "herten-bay-07": ("late", None, None),
        "herten-glas-03": ("never heard", None, 3),
    }
    assert "battery" in run("status", "--inventory", folder, *reach).stdout


# -- export --------------------------------------------------------------------------------------


def test_geojson_is_a_map_of_places(folder: Path) -> None:
    text = run("export", "--inventory", folder, "--format", "geojson", "--out", "-").stdout
    collection = json.loads(text)
    assert collection["type"] == "FeatureCollection"
    bay = next(f for f in collection["features"] if f["id"] == "herten-bay-07")
    assert bay["geometry"] == {"type": "Point", "coordinates": [7.1353, 51.5961]}
    assert bay["properties"]["kind"] == "parking"
    assert "dev_eui" not in text


def test_keys_leave_only_on_purpose(
    folder: Path, known_fleet: list[object], tmp_path: Path
) -> None:
    own = ["export", "--inventory", folder, "--format"]
    bare = run(*own, "chirpstack-csv", "--out", "-").stdout
    assert "nwk_key" not in bare
    assert EUIS[0] in bare
    for arguments, cure in (
        (["tts-csv", "--out", tmp_path / "t"], "--with-keys"),
        (["geojson", "--out", tmp_path / "t", "--with-keys"], "--with-keys out"),
        (["tts-csv", "--out", "-", "--with-keys"], "file's name"),
        (["tts-csv", "--out", tmp_path / "t", "--with-keys"], "--identity-file"),
    ):
        assert cure in run(*own, *arguments, code=1).stderr
    out = tmp_path / "tts.csv"
    with_keys = ["export", *known_fleet, "--with-keys", "--out"]
    done = run(*with_keys, out, "--format", "tts-csv")
    assert "3 rows" in done.stdout
    assert not any(found_in(done.output.encode(), key) for key in KEYS)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    rows = list(csv.DictReader(io.StringIO(out.read_text()), delimiter=";"))
    assert {row["dev_eui"].lower(): row["app_key"] for row in rows} == {
        dev_eui: key.hex().upper() for dev_eui, key in zip(EUIS, KEYS, strict=True)
    }
    assert {(row["lorawan_version"], len(row["join_eui"])) for row in rows} == {("MAC_V1_0_4", 16)}
    assert "exists already" in run(*with_keys, out, "--format", "tts-csv", code=1).stderr
    run(*with_keys, tmp_path / "cs.csv", "--format", "chirpstack-csv")
    assert KEYS[0].hex() in (tmp_path / "cs.csv").read_text()
    records = LedgerFolder(folder / "ledger", "r", "me").records()
    exported = [r for r in records if r.event == "key-exported"]
    assert {(r.dev_eui, r.key_id) for r in exported} == {
        (dev_eui, key_id(key)) for dev_eui, key in zip(EUIS, KEYS, strict=True)
    }
    assert len(exported) == 6


def test_a_key_that_the_vault_lacks_stops_the_export(
    known_fleet: list[object], tmp_path: Path
) -> None:
    (tmp_path / "vault" / f"{EUIS[0]}.{key_id(KEYS[0])}.age").unlink()
    out = tmp_path / "tts.csv"
    arguments = ["export", *known_fleet, "--with-keys", "--out", out, "--format", "tts-csv"]
    refused = run(*arguments, code=1)
    assert EUIS[0] in refused.stderr
    assert "vault fill" in refused.stderr
    assert not out.exists()
