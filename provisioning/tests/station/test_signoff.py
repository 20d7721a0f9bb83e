# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a sign-off demands and what then stands in inventory, ledger and network server."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from provisioning.tests.station.conftest import (
    AIR,
    BAY,
    GLASS,
    START,
    WORKSHOP,
    Clock,
    FakeNetwork,
    Node,
    eventually,
    jpeg,
)

from revier_inventory import DevicePeriod, begin_period
from revier_provision import inventory_files
from revier_provision.ledger import names as ledger_names
from revier_provision.ledger.files import verify
from revier_provision.ledger.records import Installed
from revier_provision.station import photos
from revier_provision.station.desk import Desk
from revier_provision.station.refused import RefusedError
from revier_provision.station.signoff import NewAsset, Place, Signed, SignOff, distance_m, sign_off

PLACE = Place(lon=7.13571, lat=51.59583, accuracy_m=6.5)
KINDS = {AIR: "air", BAY: "parking", GLASS: "waste"}
ASSETS = {AIR: "herten-air-01", BAY: "herten-bay-07", GLASS: "herten-glas-03"}


class Pole:
    """An installer with a node; `trial` is what the station heard."""

    def __init__(self, desk: Desk, network: FakeNetwork, clock: Clock) -> None:
        self.desk, self.network, self.clock = desk, network, clock
        self.photo = photos.store(desk.photos, jpeg())

    def heard(self, dev_eui: str, snr_db: float = 9.0, uplinks: int = 3) -> Node:
        kind: Any = KINDS[dev_eui]
        node = Node(self.network, dev_eui, self.clock.now)
        node.snr_db = snr_db
        self.desk.trials.begin(dev_eui, kind, self.clock.now(), vacant=kind == "parking")
        for _ in range(uplinks - 1):
            node.send(1, bytes(12))
        node.answers(kind)
        self._until(dev_eui, uplinks)
        return node

    def _until(self, dev_eui: str, count: int) -> None:
        def look() -> bool:
            trial = self.desk.trials.get(dev_eui)
            return trial is not None and len(trial.heard) >= count

        eventually(look)

    def learnt(self, node: Node) -> None:
        before = len(self.desk.trials.get(node.dev_eui).heard)  # type: ignore[union-attr]
        node.heartbeat()
        self._until(node.dev_eui, before + 1)

    def level(self, node: Node, mm: int) -> None:
        before = len(self.desk.trials.get(node.dev_eui).heard)  # type: ignore[union-attr]
        node.level(mm)
        self._until(node.dev_eui, before + 1)

    def wanted(self, dev_eui: str, **more: Any) -> SignOff:
        fields: dict[str, Any] = {
            "id": str(uuid.uuid4()), "dev_eui": dev_eui, "place": PLACE, "photo": self.photo,
            "asset": ASSETS[dev_eui],
        }  # fmt: skip
        return SignOff(**(fields | more))

    def sign(self, wanted: SignOff) -> Signed:
        desk = self.desk
        with desk.books("ingo") as ledger:
            trial = desk.trials.get(wanted.dev_eui)
            return sign_off(wanted, trial, desk.folder, desk.photos, ledger, desk.registry)

    def refused(self, wanted: SignOff) -> str:
        before = inventory_files.read(self.desk.folder)
        with pytest.raises(RefusedError) as error:
            self.sign(wanted)
        assert inventory_files.read(self.desk.folder) == before
        return error.value.key


@pytest.fixture
def pole(desk: Desk, network: FakeNetwork, clock: Clock) -> Pole:
    return Pole(desk, network, clock)


def periods(pole: Pole, dev_eui: str) -> list[DevicePeriod]:
    return list(inventory_files.read(pole.desk.folder).periods_of_device(dev_eui))


def test_a_node_is_where_it_was_planned(pole: Pole) -> None:
    pole.heard(AIR)
    pole.clock.forward(600)
    wanted = pole.wanted(AIR)
    signed = pole.sign(wanted)
    assert (signed.asset, signed.by, signed.again) == ("herten-air-01", "ingo", False)
    asset = inventory_files.read(pole.desk.folder).asset("herten-air-01")
    assert asset is not None
    assert (asset.lon, asset.lat) == (7.13571, 51.59583)
    period = DevicePeriod(dev_eui=AIR, asset="herten-air-01", since=START)
    assert periods(pole, AIR) == [period], "what it measured in the workshop is of no asset"
    (record,) = verify(pole.desk.ledger_folder)["werkbank"].records
    who = ledger_names.by_code(pole.desk.ledger_folder)[record.by]
    assert (record.event, who, record.dev_eui) == ("installed", "ingo", AIR)
    assert record.installed == Installed(
        id=wanted.id, begun_at=START, lon=7.13571, lat=51.59583, accuracy_m=6.5,
        photo_sha256=pole.photo, verdict="green", uplinks=3, lost=0, reserve_db=29.0,
        spreading_factor=7, gateways=2,
    )  # fmt: skip


def test_sent_twice_it_stands_once(pole: Pole) -> None:
    pole.heard(AIR)
    wanted = pole.wanted(AIR)
    first = pole.sign(wanted)
    assert pole.sign(wanted) == msgspec.structs.replace(first, again=True)
    assert len(verify(pole.desk.ledger_folder)["werkbank"].records) == 1
    assert pole.refused(msgspec.structs.replace(wanted, dev_eui=BAY)) == "id_used"


def test_cut_before_the_ledger_the_same_sign_off_completes_it(
    pole: Pole, monkeypatch: pytest.MonkeyPatch
) -> None:
    pole.heard(AIR)
    wanted = pole.wanted(AIR)
    with monkeypatch.context() as cut, pole.desk.books("ingo") as ledger:
        cut.setattr(ledger, "append", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        trial = pole.desk.trials.get(AIR)
        with pytest.raises(KeyboardInterrupt):
            sign_off(wanted, trial, pole.desk.folder, pole.desk.photos, ledger, pole.network)
    half = inventory_files.read(pole.desk.folder)
    pole.sign(wanted)
    assert inventory_files.read(pole.desk.folder) == half
    assert len(verify(pole.desk.ledger_folder)["werkbank"].records) == 1


def test_a_second_visit_keeps_the_beginning(pole: Pole) -> None:
    pole.heard(AIR)
    pole.sign(pole.wanted(AIR))
    pole.clock.forward(86_400)
    pole.heard(AIR)
    pole.sign(pole.wanted(AIR))
    assert [period.since for period in periods(pole, AIR)] == [START]


def test_another_asset_moves_node_and_tags(pole: Pole) -> None:
    pole.heard(AIR)
    pole.sign(pole.wanted(AIR, asset="herten-air-02"))
    moved = periods(pole, AIR)
    assert [(p.asset, p.since, p.until) for p in moved] == [
        ("herten-air-01", WORKSHOP, START),
        ("herten-air-02", START, None),
    ]
    device = pole.network.devices[AIR]
    assert (device.name, device.tags["asset"]) == ("herten-air-02", "herten-air-02")


def test_a_new_asset_is_of_the_nodes_kind_and_owner(pole: Pole) -> None:
    pole.heard(AIR)
    new = NewAsset(asset="herten-air-77", name="Am Markt")
    pole.sign(pole.wanted(AIR, asset="", new=new))
    asset = inventory_files.read(pole.desk.folder).asset("herten-air-77")
    assert asset is not None
    assert (asset.kind, asset.ags, asset.name, asset.lon) == (
        "air",
        "05562020",
        "Am Markt",
        7.13571,
    )
    taken = NewAsset(asset="herten-air-02", name="Am Markt")
    assert pole.refused(pole.wanted(AIR, asset="", new=taken)) == "asset_there"
    wrong = NewAsset(asset="Am Markt", name="Am Markt")
    assert pole.refused(pole.wanted(AIR, asset="", new=wrong)) == "asset_form"


def test_a_node_takes_anothers_place_when_told(pole: Pole) -> None:
    other = "240ac4fffe00ffff"
    inventory_files.change(
        pole.desk.folder, lambda now: begin_period(now, other, "herten-air-02", WORKSHOP)
    )
    pole.heard(AIR)
    wanted = pole.wanted(AIR, asset="herten-air-02")
    assert pole.refused(wanted) == "served"
    assert pole.network.devices[AIR].name == "herten-air-01"
    pole.sign(msgspec.structs.replace(wanted, replace=True))
    assert periods(pole, other)[0].until == START


def test_a_bay_needs_its_baseline(pole: Pole) -> None:
    node = pole.heard(BAY)
    assert pole.refused(pole.wanted(BAY)) == "not_learnt"
    pole.learnt(node)
    pole.sign(pole.wanted(BAY))
    (record,) = verify(pole.desk.ledger_folder)["werkbank"].records
    assert isinstance(record.installed, Installed)
    assert record.installed.baseline == "learnt"


def test_a_container_gets_its_measured_depth(pole: Pole) -> None:
    node = pole.heard(GLASS)
    wanted = pole.wanted(GLASS, empty_mm=1431, full_mm=240)
    assert pole.refused(wanted) == "not_measured"
    pole.level(node, 1431)
    pole.sign(wanted)
    asset = inventory_files.read(pole.desk.folder).asset("herten-glas-03")
    assert asset is not None
    assert (asset.empty_mm, asset.full_mm) == (1431, 240)


def test_a_red_place_needs_a_reason(pole: Pole) -> None:
    pole.heard(AIR, snr_db=-15.0)
    assert pole.refused(pole.wanted(AIR)) == "red"
    pole.sign(pole.wanted(AIR, note="Radio gateway comes next week"))
    (record,) = verify(pole.desk.ledger_folder)["werkbank"].records
    assert record.note == "Radio gateway comes next week"


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("accuracy", lambda w: {"place": msgspec.structs.replace(w.place, accuracy_m=50.1)}),
        (
            "accuracy",
            lambda w: {"place": msgspec.structs.replace(w.place, accuracy_m=float("nan"))},
        ),
        ("form", lambda w: {"place": msgspec.structs.replace(w.place, lat=91.0)}),
        ("form", lambda w: {"place": msgspec.structs.replace(w.place, lon=float("inf"))}),
        ("photo_missing", lambda w: {"photo": "0" * 64}),
        ("photo_missing", lambda w: {"photo": "../../etc/passwd"}),
        ("no_asset", lambda w: {"asset": ""}),
        ("no_asset", lambda w: {"new": NewAsset(asset="a", name="b")}),
        ("unknown_asset", lambda w: {"asset": "nowhere"}),
        ("other_kind", lambda w: {"asset": "herten-bay-07"}),
        ("unknown_node", lambda w: {"dev_eui": "0" * 16}),
        ("not_readable", lambda w: {"dev_eui": "../x"}),
        ("not_readable", lambda w: {"id": "1"}),
        ("form", lambda w: {"empty_mm": 5}),
        ("form", lambda w: {"empty_mm": 10_001, "full_mm": 1}),
        ("form", lambda w: {"note": "x\ny"}),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    pole: Pole, key: str, change: Callable[[SignOff], dict[str, Any]]
) -> None:
    pole.heard(AIR)
    wanted = pole.wanted(AIR)
    assert pole.refused(msgspec.structs.replace(wanted, **change(wanted))) == key


def test_too_few_uplinks_no_trial_and_an_unknown_device(pole: Pole) -> None:
    assert pole.refused(pole.wanted(AIR)) == "no_trial"
    pole.heard(AIR, uplinks=2)
    assert pole.refused(pole.wanted(AIR)) == "too_few"
    pole.clock.forward(1)
    pole.heard(AIR)
    del pole.network.devices[AIR]
    assert pole.refused(pole.wanted(AIR)) == "not_registered"


def test_the_distance_on_the_sphere() -> None:
    assert distance_m((7.0, 51.0), (7.0, 52.0)) == pytest.approx(111_195, rel=1e-3)
    assert distance_m((7.0, 51.0), (7.0, 51.0)) == 0
