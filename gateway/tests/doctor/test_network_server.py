# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The inventory against what ChirpStack has, and its history, asked over gRPC of the stand-in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import grpc
import pytest
from chirpstack_api import api, common, integration
from gateway.tests import support
from gateway.tests.support import START

from revier_bench.network_server.api import server as stand_in
from revier_bench.network_server.api.backend import Backend
from revier_bench.network_server.auth import ADMIN_KEY_ID, admin_token
from revier_bench.network_server.chance import SeededChance
from revier_bench.network_server.core import NetworkServer
from revier_bench.network_server.events import Event
from revier_bench.network_server.logs import LogHub
from revier_bench.network_server.registry import ApiKey, Registry
from revier_gateway.config import Config, load
from revier_gateway.doctor import network_server
from revier_gateway.doctor.files import HISTORY_MIN
from revier_gateway.doctor.findings import Checked
from revier_gateway.doctor.network_server import Kept
from revier_inventory import Inventory

CODEC = (resources.files("revier_payload") / "codec.js").read_text("utf-8")


class Site:
    """ChirpStack with all that the tests' inventory serves, rightly tagged."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        registry = Registry()
        registry.api_keys[ADMIN_KEY_ID] = ApiKey(ADMIN_KEY_ID, "test", is_admin=True)
        self.backend = Backend(
            NetworkServer(registry, SeededChance("doctor")), "secret", time.time_ns
        )
        self._grpc, port = stand_in.start(self.backend, "127.0.0.1", 0)
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self._metadata = [("authorization", f"Bearer {admin_token('secret')}")]
        monkeypatch.setenv("DOCTOR_TOKEN", admin_token("secret"))
        path = support.gateway_toml(folder, 1, 1)
        more = f'[chirpstack]\nhost = "127.0.0.1"\nport = {port}\ntoken_env = "DOCTOR_TOKEN"\n'
        path.write_text(f"{path.read_text()}{more}quiet_s = 1.0\n")
        self.config: Config = load(path)
        self._make()

    def _make(self) -> None:
        tenants = api.TenantServiceStub(self._channel)
        tenant = api.Tenant(name="Kreis", can_have_gateways=True)
        self.tenant = self.call(tenants.Create, api.CreateTenantRequest(tenant=tenant)).id
        self.application = self.add_application("Recklinghausen")
        self.profile = self.add_profile("Revier", CODEC)
        plain = support.inventory()
        owners = tuple(
            type(owner)(
                ags=owner.ags,
                name=owner.name,
                tenant_ids=(self.tenant,),
                application_ids=(self.application,),
            )
            for owner in plain.owners
        )
        self.inventory = Inventory(
            owners=owners,
            assets=plain.assets,
            periods=plain.periods,
            radio_gateways=plain.radio_gateways,
        )
        for period in self.serving():
            asset = plain.asset(period.asset)
            assert asset is not None
            self.add_device(period.dev_eui, {"asset": asset.asset, "ags": asset.ags})

    def serving(self) -> list[Any]:
        return [p for p in self.inventory.periods if p.until is None or p.until > START]

    def call(self, method: Any, request: Any) -> Any:
        return method(request, metadata=self._metadata)

    def add_application(self, name: str) -> str:
        stub = api.ApplicationServiceStub(self._channel)
        application = api.Application(name=name, tenant_id=self.tenant)
        request = api.CreateApplicationRequest(application=application)
        return str(self.call(stub.Create, request).id)

    def add_profile(self, name: str, codec: str) -> str:
        stub = api.DeviceProfileServiceStub(self._channel)
        profile = api.DeviceProfile(
            name=name,
            tenant_id=self.tenant,
            region=common.EU868,
            mac_version=common.LORAWAN_1_0_4,
            supports_otaa=True,
            payload_codec_runtime=api.CodecRuntime.JS if codec else api.CodecRuntime.NONE,
            payload_codec_script=codec,
        )
        request = api.CreateDeviceProfileRequest(device_profile=profile)
        return str(self.call(stub.Create, request).id)

    def add_device(self, dev_eui: str, tags: dict[str, str], application: str = "") -> None:
        stub = api.DeviceServiceStub(self._channel)
        device = api.Device(
            dev_eui=dev_eui,
            name=dev_eui,
            application_id=application or self.application,
            device_profile_id=self.profile,
            tags=tags,
        )
        self.call(stub.Create, api.CreateDeviceRequest(device=device))

    def hear(self, dev_eui: str, names: list[str], history: int) -> None:
        """Events of the device, in a log of so many."""
        self.backend.logs = LogHub(history)
        for name in names:
            self.backend.logs.add_event(_event(name, dev_eui), time.time_ns())
        self.backend.registry.devices[dev_eui].last_seen_ns = time.time_ns()

    def look(self) -> dict[str, list[Checked]]:
        found: dict[str, list[Checked]] = {}
        for one in asyncio.run(network_server.look(self.config, self.inventory, START)):
            found.setdefault(one.check, []).append(one)
        return found

    def wrong(self) -> dict[str, list[str]]:
        return {
            check: [one.what for one in results]
            for check, results in self.look().items()
            if results[0].state == "wrong"
        }

    def close(self) -> None:
        self._channel.close()
        stand_in.stop(self._grpc, self.backend)


def _event(name: str, dev_eui: str) -> Event:
    kinds = {"up": integration.UplinkEvent, "join": integration.JoinEvent}
    message = kinds[name](device_info=integration.DeviceInfo(dev_eui=dev_eui))
    message.time.GetCurrentTime()
    return Event(name, "application", dev_eui, message)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    made = Site(tmp_path, monkeypatch)
    yield made
    made.close()


def test_where_all_is_there_nothing_is_wrong(site: Site) -> None:
    results = site.look()
    states = {check: one[0].state for check, one in results.items()}
    assert states == {
        "chirpstack-devices": "ok",
        "chirpstack-unknown": "ok",
        "chirpstack-tags": "ok",
        "chirpstack-codec": "ok",
        "chirpstack-history": "skipped",  # nothing was ever heard
    }


def test_a_device_that_chirpstack_has_not_and_one_that_the_inventory_has_not(site: Site) -> None:
    dev_eui = site.serving()[0].dev_eui
    stub = api.DeviceServiceStub(site._channel)
    site.call(stub.Delete, api.DeleteDeviceRequest(dev_eui=dev_eui))
    site.add_device("70b3d57ed000beef", {})
    wrong = site.wrong()
    assert wrong.keys() == {"chirpstack-devices", "chirpstack-unknown"}
    assert f"{dev_eui}, which serves" in wrong["chirpstack-devices"][0]
    assert "70b3d57ed000beef" in wrong["chirpstack-unknown"][0]


def test_wrong_tags_are_named_with_what_they_should_be(site: Site) -> None:
    first, second = site.serving()[:2]
    site.backend.registry.devices[first.dev_eui].tags = {"asset": "other", "ags": support.AGS}
    site.backend.registry.devices[second.dev_eui].tags = {"asset": second.asset}
    assert site.wrong() == {
        "chirpstack-tags": [
            f"chirpstack: {eui}: the tag {rest}"
            for eui, rest in sorted(
                [
                    (first.dev_eui, f"asset is other, not {first.asset}"),
                    (second.dev_eui, f"ags is not set, not {support.AGS}"),
                ]
            )
        ]
    }


def test_a_tag_of_the_application_is_its_devices(site: Site) -> None:
    for device in site.backend.registry.devices.values():
        if device.tags.get("ags") == support.AGS:
            del device.tags["ags"]
    site.backend.registry.applications[site.application].tags = {"ags": support.AGS}
    assert site.wrong() == {}


def test_a_device_in_an_application_of_nobody_who_owns_its_asset(site: Site) -> None:
    other = site.add_application("Herten")
    owners = [o for o in site.inventory.owners if o.ags != support.AGS]
    mine = next(o for o in site.inventory.owners if o.ags == support.AGS)
    elsewhere = type(mine)(
        ags="05562004", name="x", tenant_ids=(site.tenant,), application_ids=(other,)
    )
    site.inventory = Inventory(
        owners=(mine, *owners, elsewhere),
        assets=site.inventory.assets,
        periods=site.inventory.periods,
        radio_gateways=site.inventory.radio_gateways,
    )
    dev_eui = site.serving()[0].dev_eui
    site.backend.registry.devices[dev_eui].application_id = other
    (what,) = site.wrong()["chirpstack-devices"]
    assert dev_eui in what
    assert other in what


@pytest.mark.parametrize(("codec", "said"), [("", "no codec"), ("function x() {}", "another")])
def test_a_profile_without_this_version_s_codec(codec: str, said: str, site: Site) -> None:
    dev_eui = site.serving()[0].dev_eui
    profile = site.add_profile("Strange", codec)
    site.backend.registry.devices[dev_eui].device_profile_id = profile
    (what,) = site.wrong()["chirpstack-codec"]
    assert "profile Strange" in what
    assert said in what


@pytest.mark.parametrize(("history", "state"), [(10, "wrong"), (300, "ok")])
def test_the_history_is_measured(history: int, state: str, site: Site) -> None:
    """ChirpStack's default and what the shipped chirpstack.toml says."""
    site.hear(site.serving()[0].dev_eui, ["join", *["up"] * (HISTORY_MIN + 20)], history)
    (found,) = site.look()["chirpstack-history"]
    assert found.state == state, found
    if state == "wrong":
        assert "10 events ago" in found.what
        assert "per_device_event_log_max_history" in found.cure


@pytest.mark.parametrize(
    ("kept", "state"),
    [
        ([], "skipped"),
        ([Kept("a", 40, from_join=True)], "skipped"),  # all of a short life
        ([Kept("a", 3, from_join=False)], "skipped"),  # forgotten while it was silent
        ([Kept("a", 0, from_join=False)], "wrong"),
        ([Kept("a", 10, from_join=False), Kept("b", 40, from_join=True)], "wrong"),
        ([Kept("a", 10, from_join=False), Kept("b", HISTORY_MIN, from_join=False)], "ok"),
        ([Kept("a", HISTORY_MIN - 1, from_join=False)], "wrong"),
    ],
)
def test_what_a_log_proves(kept: list[Kept], state: str) -> None:
    assert network_server.history(kept).state == state


def test_a_wrong_api_key_has_its_cure(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCTOR_TOKEN", "nonsense")
    (what,) = site.wrong()["chirpstack"]
    assert "API key is wrong" in what
    monkeypatch.delenv("DOCTOR_TOKEN")
    (what,) = site.wrong()["chirpstack"]
    assert "DOCTOR_TOKEN is not set" in what
