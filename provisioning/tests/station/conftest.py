# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A station with an inventory of Herten, a network server in memory, and users who log in."""

from __future__ import annotations

import io
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from provisioning.tests.station.hands import Hands
from provisioning.tests.station.running import Running, phone
from starlette.testclient import TestClient

from revier_bench.workshop.paper_air import PaperAir
from revier_bench.workshop.paper_board import Sent
from revier_bench.workshop.paper_table import PaperShop
from revier_inventory import Inventory, begin_period
from revier_payload.configuration import APPLIED, answer, apply, pack
from revier_payload.configuration_answer import CONFIGURATION_ANSWER
from revier_payload.parking import PARKING_HEARTBEAT
from revier_payload.waste import WASTE
from revier_provision import Device, inventory_files
from revier_provision.errors import NetworkServerError
from revier_provision.lns.live import Heard
from revier_provision.station import app as pages
from revier_provision.station.desk import Desk

HOST = "station.test"
URL = f"https://{HOST}"
START = datetime(2026, 5, 4, 9, tzinfo=UTC)
WORKSHOP = datetime(2026, 5, 1, 8, tzinfo=UTC)
AIR, BAY, GLASS = "240ac4fffe000001", "240ac4fffe000002", "240ac4fffe000003"
GATEWAYS = ("0016c001f1500812", "0016c001f1500813")
PASSWORD = "korrekt pferd batterie"


class FakeNetwork:
    """LiveNetwork and Registry in memory; `hear` is what a node sends."""

    def __init__(self) -> None:
        self.devices: dict[str, Device] = {}
        self.enqueued: list[tuple[str, int, bytes]] = []
        self.down = ""  # the network server's trouble
        self._ears: list[tuple[str, queue.Queue[Heard | None]]] = []
        self.history: dict[str, list[Heard]] = {}

    @contextmanager
    def uplinks(self, dev_eui: str, seconds: float) -> Iterator[Iterator[Heard]]:
        if self.down:
            raise NetworkServerError(self.down, "Wait")
        ear: queue.Queue[Heard | None] = queue.Queue()
        for one in self.history.get(dev_eui, []):
            ear.put(one)
        self._ears.append((dev_eui, ear))
        yield iter(ear.get, None)

    def hear(self, dev_eui: str, one: Heard) -> None:
        self.history.setdefault(dev_eui, []).append(one)
        for of, ear in self._ears:
            if of == dev_eui:
                ear.put(one)

    def close(self) -> None:
        for _, ear in self._ears:
            ear.put(None)

    def enqueue(self, dev_eui: str, f_port: int, data: bytes, expires_at: datetime) -> None:
        if self.down:
            raise NetworkServerError(self.down, "Wait")
        self.expires_at = expires_at
        self.enqueued.append((dev_eui, f_port, data))

    def device(self, dev_eui: str) -> Device | None:
        return self.devices.get(dev_eui)

    def put_device(self, device: Device) -> None:
        self.devices[device.dev_eui] = device


class Node:
    """What a node at the pole sends, uplink after uplink."""

    def __init__(self, network: FakeNetwork, dev_eui: str, now: Callable[[], datetime]) -> None:
        self.network, self.dev_eui, self.now = network, dev_eui, now
        self.f_cnt = 0
        self.snr_db = 5.0
        self.gateways = GATEWAYS

    def send(self, f_port: int, data: bytes) -> Heard:
        one = Heard(
            at=self.now(), dev_addr="00558158", f_cnt=self.f_cnt, f_port=f_port, data=data,
            spreading_factor=7, rssi_dbm=-97, snr_db=self.snr_db, gateways=self.gateways,
        )  # fmt: skip
        self.f_cnt += 1
        self.network.hear(self.dev_eui, one)
        return one

    def answers(self, kind: str = "air") -> None:
        """The configuration that waits for it, as the firmware answers it."""
        downlink = [data for dev_eui, _, data in self.network.enqueued if dev_eui == self.dev_eui][
            -1
        ]
        result, setting, wanted = apply(pack({}), downlink, kind)
        assert result == APPLIED
        said = CONFIGURATION_ANSWER.encode(answer(downlink, result, setting, wanted))
        self.send(CONFIGURATION_ANSWER.f_port, said)

    def three(self, kind: str = "air") -> None:
        self.send(1, bytes(12))
        self.send(10, bytes(11))
        self.answers(kind)

    def heartbeat(self, state: int = 1, status: int = 0) -> None:
        values = {"seq": 1, "state": state, "confidence": 2, "battery": 3600, "status": status}
        self.send(21, PARKING_HEARTBEAT.encode(values))

    def level(self, distance_mm: int) -> None:
        values = {"seq": 1, "distance": distance_mm, "temperature": 12, "tilt": 0, "quality": 5}
        self.send(30, WASTE.encode(values | {"battery": 3600, "flags": 0}))


class Clock:
    def __init__(self) -> None:
        self.at = START
        self.s = 1000.0

    def now(self) -> datetime:
        return self.at

    def clock_s(self) -> float:
        return self.s

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.s += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def network() -> Iterator[FakeNetwork]:
    made = FakeNetwork()
    for dev_eui, asset in (
        (AIR, "herten-air-01"),
        (BAY, "herten-bay-07"),
        (GLASS, "herten-glas-03"),
    ):
        made.devices[dev_eui] = Device(
            dev_eui=dev_eui, join_eui="0" * 16, name=asset, application_id="a",
            device_profile_id="p", tags={"asset": asset, "ags": "05562020"},
        )  # fmt: skip
    yield made
    made.close()


@pytest.fixture
def provisioned(herten: Inventory) -> Inventory:
    """Herten after a day in the workshop: a node for each kind."""
    inventory = begin_period(herten, AIR, "herten-air-01", WORKSHOP)
    inventory = begin_period(inventory, BAY, "herten-bay-07", WORKSHOP)
    return begin_period(inventory, GLASS, "herten-glas-03", WORKSHOP)


@pytest.fixture
def desk(
    tmp_path: Path, provisioned: Inventory, network: FakeNetwork, clock: Clock
) -> Iterator[Desk]:
    folder = tmp_path / "inventory"
    inventory_files.write(folder, provisioned)
    made = Desk(
        folder=folder, ledger_folder=folder / "ledger", station="werkbank",
        state=tmp_path / "state",
        registry=network, live=network, now=clock.now, clock_s=clock.clock_s,
    )  # fmt: skip
    yield made
    made.trials.close()
    network.close()


@pytest.fixture(scope="session")
def hashed() -> dict[str, str]:
    """Argon2 is slow on purpose: once for all tests."""
    from revier_provision.station.users import HASHER

    return {"password": HASHER.hash(PASSWORD)}


class Browser:
    """A client that knows how to log in, and sends what a page of ours sends."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.client = TestClient(pages.build(desk, [HOST]), base_url=URL, follow_redirects=False)
        self.csrf = ""

    def login(self, user: str, password: str = PASSWORD, origin: str = URL) -> Any:
        answer = self.client.post(
            "/login", data={"user": user, "password": password}, headers={"origin": origin}
        )
        if answer.status_code == 303:
            self.csrf = self.get("/api/session").json()["csrf"]
        return answer

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, **options)

    def post(self, path: str, **options: Any) -> Any:
        headers = {"origin": URL, "x-revier-csrf": self.csrf} | options.pop("headers", {})
        return self.client.post(path, headers=headers, **options)


@pytest.fixture
def browser(desk: Desk, hashed: dict[str, str]) -> Browser:
    """Users tina (technician) and ingo (installer); nobody is logged in."""
    from revier_provision.station.users import User

    users = {
        "tina": User(role="technician", hash=hashed["password"]),
        "ingo": User(role="installer", hash=hashed["password"]),
    }
    desk.users._write(users)
    return Browser(desk)


@pytest.fixture
def installer(browser: Browser) -> Browser:
    assert browser.login("ingo").status_code == 303
    return browser


def jpeg(width: int = 320, height: int = 200, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.effect_mandelbrot((width, height), (-2, -1, 1, 1), 50).convert("RGB").save(
        out, "JPEG", **options
    )
    return out.getvalue()


def eventually(found: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What `found` gives once it is true: other threads need their time."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        if value := found():
            return value
        time.sleep(0.01)
    raise AssertionError("it never came")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[PaperShop]:
    """A workshop with two boards on paper."""
    air = PaperAir()
    macs = [bytes.fromhex("240ac4000001"), bytes.fromhex("240ac4000002")]
    yield PaperShop(tmp_path / "shop", air, macs, Sent(), "shop")
    air.close()


@pytest.fixture
def station(desk: Desk, browser: Browser, clock: Clock, tmp_path: Path) -> Iterator[Running]:
    """With its users, at the time of now: a browser's clock cannot be set."""
    clock.at = datetime.now(UTC)
    running = Running(desk, tmp_path / "tls")
    yield running
    running.stop()


@pytest.fixture
def chrome(station: Running) -> Iterator[Any]:
    with phone(station.spki) as one:
        yield one


@pytest.fixture
def hands(chrome: Any, station: Running) -> Hands:
    return Hands(chrome, station, PASSWORD)
