# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The gRPC API gives the answers, codes and texts that the real one gave."""

import json
import re
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from chirpstack_api import api, common
from google.protobuf import text_format

from revier_bench.network_server.chance import SeededChance
from revier_bench.network_server.core import NetworkServer
from revier_bench.network_server.registry import Registry

from .conftest import Api, answer
from .recording import DATA
from .replay import DEVICE, Replay

RECORDED = json.loads((DATA / "grpc_answers.json").read_text())
UNKNOWN = "70b3d57ed00000ff"
NO_ID = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def provisioned(serve: Callable[[NetworkServer], Api]) -> Api:
    """One tenant, application, profile, device with keys and gateway, all made by the API."""
    server = serve(NetworkServer(Registry(), SeededChance("grpc")))
    admin = server.bearer
    tenant = api.Tenant(name="Kreis", can_have_gateways=True)
    tenant_id = server.tenants.Create(api.CreateTenantRequest(tenant=tenant), metadata=admin).id
    application = api.Application(name="district", tenant_id=tenant_id)
    request = api.CreateApplicationRequest(application=application)
    application_id = server.applications.Create(request, metadata=admin).id
    profile = api.DeviceProfile(
        name="air",
        tenant_id=tenant_id,
        region=common.EU868,
        mac_version=common.LORAWAN_1_0_4,
        supports_otaa=True,
        uplink_interval=600,
    )
    made = server.profiles.Create(
        api.CreateDeviceProfileRequest(device_profile=profile), metadata=admin
    )
    server.devices.Create(device_request(application_id, made.id, DEVICE), metadata=admin)
    server.devices.CreateKeys(keys_request("01" * 16), metadata=admin)
    server.gateways.Create(gateway_request(tenant_id), metadata=admin)
    return server


def device_request(application_id: str, profile_id: str, dev_eui: str, name: str = "") -> Any:
    device = api.Device(
        dev_eui=dev_eui,
        name=name or "herten-air-01",
        application_id=application_id,
        device_profile_id=profile_id,
    )
    return api.CreateDeviceRequest(device=device)


def keys_request(nwk_key: str) -> Any:
    keys = api.DeviceKeys(dev_eui=DEVICE, nwk_key=nwk_key)
    return api.CreateDeviceKeysRequest(device_keys=keys)


def gateway_request(tenant_id: str) -> Any:
    gateway = api.Gateway(
        gateway_id="0016c001f10000aa",
        name="tower",
        tenant_id=tenant_id,
        location=common.Location(latitude=51.6, longitude=7.1),
    )
    return api.CreateGatewayRequest(gateway=gateway)


def ids(server: Api) -> tuple[str, str, str]:
    rows = server.backend.registry
    return next(iter(rows.tenants)), next(iter(rows.applications)), next(iter(rows.profiles))


def calls(server: Api) -> dict[str, Callable[[], Any]]:
    """The recorded calls that go wrong, under their names in the recording."""
    tenant_id, application_id, profile_id = ids(server)
    admin, devices = server.bearer, server.devices

    def get(dev_eui: str) -> Any:
        return devices.Get(api.GetDeviceRequest(dev_eui=dev_eui), metadata=admin)

    get_device = api.GetDeviceRequest(dev_eui=DEVICE)
    twice = device_request(application_id, profile_id, DEVICE)
    no_profile = device_request(application_id, NO_ID, UNKNOWN)
    update = api.UpdateDeviceKeysRequest(device_keys=api.DeviceKeys(dev_eui=DEVICE, nwk_key="0102"))
    metrics = api.GetDeviceLinkMetricsRequest(dev_eui=DEVICE)
    no_name = api.CreateDeviceRequest(
        device=api.Device(
            dev_eui="70b3d57ed0000009", application_id=application_id, device_profile_id=profile_id
        )
    )
    flush = api.FlushDevNoncesRequest(dev_eui=DEVICE)
    activation = api.GetDeviceActivationRequest(dev_eui=DEVICE)
    wrong = [("authorization", "Bearer wrong")]
    return {
        "duplicate device create": lambda: devices.Create(twice, metadata=admin),
        "duplicate keys create": lambda: devices.CreateKeys(
            keys_request("02" * 16), metadata=admin
        ),
        "get missing device": lambda: get(UNKNOWN),
        "get upper-case eui": lambda: get(DEVICE.upper()),
        "get malformed eui": lambda: get("123"),
        "no token": lambda: devices.Get(get_device),
        "bad token": lambda: devices.Get(get_device, metadata=wrong),
        "short key": lambda: devices.UpdateKeys(update, metadata=admin),
        "flush dev nonces": lambda: devices.FlushDevNonces(flush, metadata=admin),
        "activation before join": lambda: devices.GetActivation(activation, metadata=admin),
        "create unknown profile": lambda: devices.Create(no_profile, metadata=admin),
        "missing name": lambda: devices.Create(no_name, metadata=admin),
        "duplicate gateway": lambda: server.gateways.Create(
            gateway_request(tenant_id), metadata=admin
        ),
        "link metrics": lambda: devices.GetLinkMetrics(metrics, metadata=admin),
    }


CALL_NAMES = sorted(
    {*RECORDED}
    - {"get keys", "api key", "enqueue bytes", "queue", "activation after join"}
    - {"device after uplinks"}
)


@pytest.mark.parametrize("name", CALL_NAMES)
def test_code_and_details_are_the_recorded_ones(provisioned: Api, name: str) -> None:
    recorded = RECORDED[name]
    wanted = ("OK", "") if "ok" in recorded else (recorded["code"], recorded["details"])
    assert answer(calls(provisioned)[name]) == wanted


def test_keys_come_back_as_recorded(provisioned: Api) -> None:
    request = api.GetDeviceKeysRequest(dev_eui=DEVICE)
    got = provisioned.devices.GetKeys(request, metadata=provisioned.bearer)
    wanted = text_format.Parse(RECORDED["get keys"]["ok"], api.GetDeviceKeysResponse())
    assert got.device_keys == wanted.device_keys
    assert got.HasField("created_at")
    assert got.HasField("updated_at")


def test_an_item_enqueued_gets_an_id(provisioned: Api) -> None:
    item = api.DeviceQueueItem(dev_eui=DEVICE, f_port=200, data=b"\x0f")
    request = api.EnqueueDeviceQueueItemRequest(queue_item=item)
    got = provisioned.devices.Enqueue(request, metadata=provisioned.bearer)
    shape = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert re.fullmatch(shape, RECORDED["enqueue bytes"]["ok"])
    assert re.fullmatch(shape, got.id)
    bad = api.EnqueueDeviceQueueItemRequest(queue_item=api.DeviceQueueItem(dev_eui=DEVICE))
    assert answer(lambda: provisioned.devices.Enqueue(bad, metadata=provisioned.bearer)) == (
        "INVALID_ARGUMENT",
        "Validation error: FPort must be between 1 - 255",
    )


class TestAfterTheRecordedRun:
    """What the API answered about device 1 during and after its uplinks."""

    def test_queue(self, serve: Callable[[NetworkServer], Api]) -> None:
        replay = Replay("json").run(until="119_eu868_gateway_0016c001f10000aa_command_down.pb")
        server = serve(replay.server)
        request = api.GetDeviceQueueItemsRequest(dev_eui=DEVICE)
        got = server.devices.GetQueue(request, metadata=server.bearer)
        wanted = text_format.Parse(RECORDED["queue"]["ok"], api.GetDeviceQueueItemsResponse())
        assert got == wanted

    def test_activation(self, serve: Callable[[NetworkServer], Api]) -> None:
        server = serve(Replay("json").run().server)
        request = api.GetDeviceActivationRequest(dev_eui=DEVICE)
        got = server.devices.GetActivation(request, metadata=server.bearer)
        cut_text = RECORDED["activation after join"]["ok"]
        assert str(got).startswith(cut_text), "session keys included"
        assert got.device_activation.f_cnt_up == 1

    def test_device(self, serve: Callable[[NetworkServer], Api]) -> None:
        server = serve(Replay("json").run().server)
        request = api.GetDeviceRequest(dev_eui=DEVICE)
        got = server.devices.Get(request, metadata=server.bearer)
        wanted = text_format.Parse(RECORDED["device after uplinks"]["ok"], api.GetDeviceResponse())
        assert abs(got.last_seen_at.seconds - wanted.last_seen_at.seconds) <= 1
        for message in (got, wanted):
            for stamp in ("created_at", "updated_at", "last_seen_at"):
                message.ClearField(stamp)
        assert got == wanted


def test_a_gateways_certificate_needs_an_authority_of_the_server(provisioned: Api) -> None:
    """certificate.rs: the outermost of the error's chain; the id is checked first."""
    server = provisioned

    def generate(gateway_id: str, metadata: Any) -> tuple[str, str]:
        request = api.GenerateGatewayClientCertificateRequest(gateway_id=gateway_id)
        call = server.gateways.GenerateClientCertificate
        return answer(lambda: call(request, metadata=metadata))

    assert generate("0016c001f10000aa", server.bearer) == ("INTERNAL", "Get CA cert")
    assert generate("0016c", server.bearer) == ("INTERNAL", "Odd number of digits")
    assert generate("0016c001f10000aa", []) == ("UNAUTHENTICATED", "no authorization provided")


def test_login_makes_api_keys_that_are_bound_to_their_tenant(provisioned: Api) -> None:
    server = provisioned
    tenant_id, _, _ = ids(server)
    wrong = api.LoginRequest(email="admin", password="wrong")
    assert answer(lambda: server.internal.Login(wrong)) == (
        "UNAUTHENTICATED",
        "Invalid username or password",
    )
    jwt = server.internal.Login(api.LoginRequest(email="admin", password="admin")).jwt
    user = [("authorization", f"Bearer {jwt}")]
    assert server.internal.GetVersion(empty(), metadata=user).version.startswith("4.")
    assert answer(lambda: server.internal.GetVersion(empty(), metadata=server.bearer)) == (
        "UNAUTHENTICATED",
        "",
    )
    made = server.internal.CreateApiKey(
        api.CreateApiKeyRequest(api_key=api.ApiKey(name="town", tenant_id=tenant_id)),
        metadata=user,
    )
    assert isinstance(made.token, str)
    town = [("authorization", f"Bearer {made.token}")]
    get = api.GetDeviceRequest(dev_eui=DEVICE)
    assert server.devices.Get(get, metadata=town).device.dev_eui == DEVICE
    other = server.tenants.Create(
        api.CreateTenantRequest(tenant=api.Tenant(name="other")), metadata=user
    )
    foreign = api.GetTenantRequest(id=other.id)
    assert answer(lambda: server.tenants.Get(foreign, metadata=town)) == ("UNAUTHENTICATED", "")
    forged = [("authorization", f"Bearer {made.token[:-4]}AAAA")]
    assert answer(lambda: server.devices.Get(get, metadata=forged)) == (
        "UNAUTHENTICATED",
        "InvalidSignature",
    )


def empty() -> Any:
    from google.protobuf.empty_pb2 import Empty

    return Empty()


def test_update_and_list(provisioned: Api) -> None:
    server, admin = provisioned, provisioned.bearer
    tenant_id, application_id, profile_id = ids(server)
    profile = server.profiles.Get(
        api.GetDeviceProfileRequest(id=profile_id), metadata=admin
    ).device_profile
    assert profile.uplink_interval == 600
    profile.tags["kind"] = "air"
    server.profiles.Update(api.UpdateDeviceProfileRequest(device_profile=profile), metadata=admin)
    device = server.devices.Get(api.GetDeviceRequest(dev_eui=DEVICE), metadata=admin).device
    device.tags["asset"] = "air-1"
    server.devices.Update(api.UpdateDeviceRequest(device=device), metadata=admin)
    assert server.backend.registry.context(DEVICE).tags() == {"kind": "air", "asset": "air-1"}
    listed = server.devices.List(
        api.ListDevicesRequest(application_id=application_id, limit=10), metadata=admin
    )
    assert [(d.dev_eui, d.name) for d in listed.result] == [(DEVICE, "herten-air-01")]
    counted = server.devices.List(
        api.ListDevicesRequest(application_id=application_id), metadata=admin
    )
    assert (counted.total_count, len(counted.result)) == (1, 0)
    gateways = server.gateways.List(
        api.ListGatewaysRequest(tenant_id=tenant_id, limit=5), metadata=admin
    )
    assert [g.state for g in gateways.result] == [api.NEVER_SEEN]


def test_delete(provisioned: Api) -> None:
    server, admin = provisioned, provisioned.bearer
    tenant_id, _, profile_id = ids(server)
    in_use = api.DeleteDeviceProfileRequest(id=profile_id)
    assert answer(lambda: server.profiles.Delete(in_use, metadata=admin)) == (
        "INTERNAL",
        "FOREIGN KEY constraint failed",
    )
    server.devices.Delete(api.DeleteDeviceRequest(dev_eui=DEVICE), metadata=admin)
    server.profiles.Delete(in_use, metadata=admin)
    server.tenants.Delete(api.DeleteTenantRequest(id=tenant_id), metadata=admin)
    rows = server.backend.registry
    left = (rows.tenants, rows.applications, rows.profiles, rows.devices, rows.keys, rows.gateways)
    assert left == ({}, {}, {}, {}, {}, {})


def test_a_method_that_the_stand_in_lacks_says_so(provisioned: Api) -> None:
    request = api.GetDeviceMetricsRequest(dev_eui=DEVICE)
    code, _ = answer(lambda: provisioned.devices.GetMetrics(request, metadata=provisioned.bearer))
    assert code == grpc.StatusCode.UNIMPLEMENTED.name
