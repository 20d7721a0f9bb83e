# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A node goes from the workshop to its pole: station, network server, radio and firmware are real.

The bench plays the installer: it logs in, scans, begins the three uplinks, switches the node on,
sends a photo and signs off. Time is the world's.
"""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hil_tests.scenarios.conftest import Bench, Network, bench, build_dir, network
from PIL import Image
from starlette.testclient import TestClient

from revier_bench.world.boards import environment_of
from revier_bench.world.fleet import DEMO_FLEET
from revier_bench.world.signals import Weather
from revier_bench.world.simulation import Settings, Simulation
from revier_provision import ChirpStack, inventory_files
from revier_provision.ledger.files import verify
from revier_provision.station import app as pages
from revier_provision.station.desk import Desk

__all__ = ["bench", "build_dir", "network"]  # fixtures of the scenarios

HOST = "station.test"
PASSWORD = "korrekt pferd batterie"
OFF_S = 120
MINUTE_S = 60
SETTLE_S = 0.1


def eventually(found: Callable[[], Any], seconds: float = 60.0) -> Any:
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        if value := found():
            return value
        time.sleep(0.02)
    raise AssertionError("it never came")


class Installer:
    """With a phone in a world whose clock he sets."""

    def __init__(self, world: Simulation, desk: Desk) -> None:
        self.world, self.desk = world, desk
        app = pages.build(desk, [HOST])
        self.client = TestClient(app, base_url=f"https://{HOST}", follow_redirects=False)
        self.headers = {"origin": f"https://{HOST}"}
        form = {"user": "ingo", "password": PASSWORD}
        assert self.client.post("/login", data=form, headers=self.headers).status_code == 303
        self.headers["x-revier-csrf"] = self.get("/api/session")["csrf"]

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        answer = self.client.post(path, headers=self.headers, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def trial(self, dev_eui: str, wanted: Callable[[Any], bool], minutes: int) -> Any:
        """The trial as wanted, within so many virtual minutes; a busy machine tells it later."""

        def found() -> Any:
            said = self.get(f"/api/trials/{dev_eui}")
            return said if wanted(said) else None

        for _ in range(minutes):
            self.world.run_for(MINUTE_S)
            time.sleep(SETTLE_S)
            if found():
                break
        return eventually(found)

    def photo(self) -> str:
        out = io.BytesIO()
        Image.new("RGB", (640, 480), (90, 120, 60)).save(out, "JPEG")
        return str(self.post("/api/photos", content=out.getvalue())["photo"])


@pytest.fixture
def make_installer(
    bench: Bench, network: Network, build_dir: Path, tmp_path: Path
) -> Iterator[Callable[[str], tuple[Installer, Any]]]:
    """make_installer(kind): a node of this kind that lived on the workshop's table."""
    opened: list[Any] = []

    def make(kind: str) -> tuple[Installer, Any]:
        node = next(node for node in DEMO_FLEET.nodes if node.kind == kind)
        settings = Settings(
            mqtt=network.mqtt, grpc=network.grpc, api_token=network.token,
            work_dir=tmp_path / "world", inventory_dir=tmp_path / "inventory", seed=bench.seed,
            start=bench.start, fleet=replace(DEMO_FLEET, nodes=(node,)), build_dir=build_dir,
        )  # fmt: skip
        world = Simulation(settings)
        opened.append(world)
        world.provision()
        chirpstack = ChirpStack(network.grpc, network.token)
        opened.append(chirpstack)

        def now() -> datetime:
            return datetime.fromtimestamp((world.start_unix_us + world.now_us) / 1e6, UTC)

        desk = Desk(
            folder=settings.inventory_dir, ledger_folder=settings.inventory_dir / "ledger",
            station="bench", state=tmp_path / "station", registry=chirpstack,
            live=chirpstack.live(), now=now,
        )  # fmt: skip
        opened.append(desk.trials)
        desk.users.add("ingo", PASSWORD, "installer")
        return Installer(world, desk), world.ready[0]

    yield make
    for one in reversed(opened):
        one.close()


def to_the_pole(installer: Installer, vacant_at_once: bool = False) -> datetime:
    """Switched on in the workshop, switched off, carried away; now it stands at its place."""
    world = installer.world
    (board,) = world.boards.values()
    world.run_for(20 * MINUTE_S)
    board.power_off()
    world.run_for(OFF_S)
    if vacant_at_once:
        (ready,), seed, start_us = world.ready, world.settings.seed, world.start_unix_us
        environment: Any = environment_of(ready.node, seed, Weather(seed, start_us), start_us)
        while environment.occupied(world.now_us) or not _stays_vacant(environment, world.now_us):
            world.run_for(MINUTE_S)
    return installer.desk.now()


def _stays_vacant(environment: Any, now_us: int) -> bool:
    change_us = environment.next_change_us(now_us)
    return change_us is None or change_us - now_us > 12 * MINUTE_S * 1_000_000


def test_an_air_node_is_proven_at_its_pole_and_signed_off(
    make_installer: Callable[[str], tuple[Installer, Any]],
) -> None:
    installer, ready = make_installer("air")
    begun_at = to_the_pole(installer)
    label = installer.post("/api/label", json={"text": ready.dev_eui})
    assert label["asset"]["asset"] == ready.node.asset
    begin = {"dev_eui": ready.dev_eui, "begun_at": begun_at.isoformat()}
    assert installer.post("/api/trials", json=begin)["uplinks"] == 0
    (board,) = installer.world.boards.values()
    board.power_on()
    said = installer.trial(ready.dev_eui, lambda said: said["colour"] is not None, 70)
    assert said["uplinks"] >= 3

    place = {"lon": ready.node.lon, "lat": ready.node.lat, "accuracy_m": 4.0}
    signed = installer.post(
        "/api/installations",
        json={
            "id": str(uuid.uuid4()), "dev_eui": ready.dev_eui, "asset": ready.node.asset,
            "place": place, "photo": installer.photo(), "note": "the bench stands here",
        },
    )  # fmt: skip
    assert signed["by"] == "ingo"
    folder = installer.desk.folder
    (period,) = inventory_files.read(folder).periods_of_device(ready.dev_eui)
    assert period.since == begun_at.replace(microsecond=0)
    (record,) = verify(folder / "ledger")["bench"].records
    assert record.event == "installed"
    assert record.installed.verdict == said["colour"]  # type: ignore[union-attr]
    assert board.misuse == []


def test_a_parking_node_learns_its_empty_bay(
    make_installer: Callable[[str], tuple[Installer, Any]],
) -> None:
    installer, ready = make_installer("parking")
    begun_at = to_the_pole(installer, vacant_at_once=True)
    begin = {"dev_eui": ready.dev_eui, "begun_at": begun_at.isoformat(), "vacant": True}
    installer.post("/api/trials", json=begin)
    (board,) = installer.world.boards.values()
    board.power_on()
    said = installer.trial(ready.dev_eui, lambda said: said["baseline"] == "learnt", 10)
    assert said["colour"] is not None
    assert installer.desk.now() - begun_at <= timedelta(minutes=10)
    assert board.misuse == []


def test_a_waste_node_measures_its_container(
    make_installer: Callable[[str], tuple[Installer, Any]],
) -> None:
    installer, ready = make_installer("waste")
    begun_at = to_the_pole(installer)
    begin = {"dev_eui": ready.dev_eui, "begun_at": begun_at.isoformat()}
    installer.post("/api/trials", json=begin)
    (board,) = installer.world.boards.values()
    board.power_on()
    said = installer.trial(ready.dev_eui, lambda said: said["colour"] is not None, 70)
    assert said["distance_mm"] is not None
    assert 100 < said["distance_mm"] < 3000
