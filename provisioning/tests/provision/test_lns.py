# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""ChirpStack's client against the stand-in network server, and against scripted errors.

The errors are those that ChirpStack v4.20 was recorded to give (data/README.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from chirpstack_api import api

from revier_bench.network_server.auth import encode_token
from revier_bench.network_server.registry import ApiKey
from revier_inventory import Owner, RadioGateway
from revier_provision import (
    Application,
    ChirpStack,
    Device,
    NetworkServerError,
    inventory_files,
    provision_node,
)
from revier_provision.lns.chirpstack import is_loopback

DEV_EUI = "240ac4fffe112233"
HERTEN = Owner(ags="05562020", name="Herten")
KEY = bytes(range(16))
ANSWERS_FILE = Path(__file__).parents[1] / "data" / "chirpstack_v4_grpc_answers.json"
ANSWERS: dict[str, dict[str, str]] = json.loads(ANSWERS_FILE.read_text("utf-8"))
ERRORS = {what: answer for what, answer in ANSWERS.items() if "code" in answer}


@pytest.fixture
def chirpstack(server: Any) -> Iterator[ChirpStack]:
    with ChirpStack(server.target, server.token, codec_js="function decodeUplink(i) {}") as client:
        yield client


def registered(chirpstack: ChirpStack) -> Device:
    application = chirpstack.create_application(HERTEN)
    device = Device(
        dev_eui=DEV_EUI,
        join_eui="0" * 16,
        name="herten-air-01",
        application_id=application.application_id,
        device_profile_id=chirpstack.ensure_device_profile(application.tenant_id, "air", 900),
        tags={"asset": "herten-air-01", "ags": "05562020"},
    )
    chirpstack.put_device(device)
    return device


def test_an_application_is_found_by_name_and_then_by_id(chirpstack: ChirpStack) -> None:
    assert chirpstack.find_application(HERTEN) is None
    made = chirpstack.create_application(HERTEN)
    assert chirpstack.find_application(HERTEN) == made
    renamed = Owner(
        ags="05562020",
        name="Stadt Herten",
        tenant_ids=(made.tenant_id,),
        application_ids=(made.application_id,),
    )
    assert chirpstack.find_application(renamed) == made
    assert chirpstack.application_name(made.application_id) == "revier"


def test_an_application_cut_off_in_the_making_is_completed(chirpstack: ChirpStack) -> None:
    made = chirpstack.create_application(HERTEN)
    chirpstack._call(
        chirpstack._applications.Delete, api.DeleteApplicationRequest(id=made.application_id)
    )
    assert chirpstack.find_application(HERTEN) is None
    again = chirpstack.create_application(HERTEN)
    assert again.tenant_id == made.tenant_id


def test_ids_that_are_gone_are_not_silently_made_anew(chirpstack: ChirpStack) -> None:
    chirpstack.create_application(HERTEN)
    gone = Owner(
        ags="05562020", name="Herten", tenant_ids=("52f14cd4-c6f1-4fbd-8f87-4025e1d49242",)
    )
    with pytest.raises(NetworkServerError, match=r"none of the tenants.*restore-server"):
        chirpstack.find_application(gone)


def test_two_tenants_of_one_name_are_a_question_for_people(
    chirpstack: ChirpStack, server: Any
) -> None:
    for _ in range(2):
        tenant = api.Tenant(name="Herten")
        chirpstack._call(chirpstack._tenants.Create, api.CreateTenantRequest(tenant=tenant))
    with pytest.raises(NetworkServerError, match="has 2 tenants 'Herten'"):
        chirpstack.find_application(HERTEN)


def test_a_device_profile_is_made_once_and_corrected(chirpstack: ChirpStack) -> None:
    tenant_id = chirpstack.create_application(HERTEN).tenant_id
    first = chirpstack.ensure_device_profile(tenant_id, "air", 900)
    assert chirpstack.ensure_device_profile(tenant_id, "air", 900) == first
    assert chirpstack.ensure_device_profile(tenant_id, "waste", 900) != first

    def profile() -> Any:
        request = api.GetDeviceProfileRequest(id=first)
        return chirpstack._call(chirpstack._profiles.Get, request).device_profile

    assert profile().name == "revier-air"
    assert profile().supports_otaa
    assert profile().payload_codec_runtime == api.CodecRuntime.JS
    assert profile().payload_codec_script.startswith("function decodeUplink")
    wrong = profile()
    wrong.payload_codec_script = "old"
    wrong.flush_queue_on_activate = True
    request = api.UpdateDeviceProfileRequest(device_profile=wrong)
    chirpstack._call(chirpstack._profiles.Update, request)
    assert chirpstack.ensure_device_profile(tenant_id, "air", 3600) == first
    assert profile().payload_codec_script.startswith("function decodeUplink")
    assert profile().uplink_interval == 3600
    assert profile().flush_queue_on_activate, "settings that are not ours stay"


def test_a_device_is_registered_and_brought_up_to_date(chirpstack: ChirpStack) -> None:
    assert chirpstack.device(DEV_EUI) is None
    assert chirpstack.last_seen(DEV_EUI) is None
    device = registered(chirpstack)
    assert chirpstack.device(DEV_EUI) == device
    chirpstack.put_device(device)
    assert chirpstack.device(DEV_EUI) == device
    assert chirpstack.last_seen(DEV_EUI) is None


def test_the_app_key_is_kept_where_lorawan_1_0_has_it(chirpstack: ChirpStack, server: Any) -> None:
    registered(chirpstack)
    assert chirpstack.app_key(DEV_EUI) is None
    chirpstack.set_app_key(DEV_EUI, KEY)
    keys = server.registry.keys[DEV_EUI]
    assert (keys.nwk_key, keys.app_key) == (KEY, bytes(16))
    keys.dev_nonces[bytes(8)] = {7}
    chirpstack.set_app_key(DEV_EUI, KEY[::-1])
    assert chirpstack.app_key(DEV_EUI) == KEY[::-1]
    chirpstack.flush_dev_nonces(DEV_EUI)
    assert not server.registry.keys[DEV_EUI].dev_nonces


def test_a_radio_gateway_is_registered_and_moved(chirpstack: ChirpStack) -> None:
    tenant_id = chirpstack.create_application(HERTEN).tenant_id
    for lat in (51.6, 51.7):
        gateway = RadioGateway(gateway_id="0016c001f1500812", name="Dach", lon=7.1, lat=lat)
        chirpstack.put_radio_gateway(tenant_id, gateway)
        request = api.GetGatewayRequest(gateway_id=gateway.gateway_id)
        kept = chirpstack._call(chirpstack._gateways.Get, request).gateway
        assert (kept.name, kept.location.latitude, kept.tenant_id) == ("Dach", lat, tenant_id)
    marl = chirpstack.create_application(Owner(ags="05562024", name="Marl"))
    with pytest.raises(NetworkServerError, match=f"belongs to tenant {tenant_id}"):
        chirpstack.put_radio_gateway(marl.tenant_id, gateway)


@pytest.mark.parametrize(
    ("token", "expected"), [("nonsense", "not one of this ChirpStack"), ("", "API")]
)
def test_a_wrong_token_is_said_in_words(server: Any, token: str, expected: str) -> None:
    with ChirpStack(server.target, token) as client:
        with pytest.raises(NetworkServerError, match=expected) as caught:
            client.find_application(HERTEN)
        assert "Make an API key" in caught.value.cure


def test_nobody_there_is_said_in_words() -> None:
    with ChirpStack("127.0.0.1:1", "token") as client:
        with pytest.raises(NetworkServerError, match="does not answer") as caught:
            client.device(DEV_EUI)
        assert "--server" in caught.value.cure


@pytest.mark.parametrize(
    ("target", "loopback"),
    [
        ("127.0.0.1:8080", True),
        ("localhost:8080", True),
        ("[::1]:8080", True),
        ("10.0.0.7:8080", False),
        ("chirpstack.example.org:8080", False),
        ("localhost.example.org:8080", False),
        ("127.0.0.1.example.org:8080", False),
    ],
)
def test_keys_leave_this_host_only_encrypted(target: str, loopback: bool) -> None:
    assert is_loopback(target) == loopback
    if loopback:
        ChirpStack(target, "token").close()
    else:
        with pytest.raises(NetworkServerError, match="unencrypted"):
            ChirpStack(target, "token")
        ChirpStack(target, "token", tls_roots=b"").close()


class Refusing(grpc.GenericRpcHandler):  # type: ignore[misc]
    """A server that answers every call with one error."""

    def __init__(self, code: str, details: str) -> None:
        self.code = grpc.StatusCode[code]
        self.details = details

    def service(self, handler_call_details: Any) -> Any:
        def refuse(request: bytes, context: grpc.ServicerContext) -> None:
            context.abort(self.code, self.details)

        return grpc.unary_unary_rpc_method_handler(refuse)


@contextmanager
def refusing(code: str, details: str) -> Iterator[ChirpStack]:
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((Refusing(code, details),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with ChirpStack(f"127.0.0.1:{port}", "token") as client:
            yield client
    finally:
        server.stop(0).wait()


CALLS: dict[str, Callable[[ChirpStack], object]] = {
    "find": lambda client: client.find_application(HERTEN),
    "create": lambda client: client.create_application(HERTEN),
    "profile": lambda client: client.ensure_device_profile("t", "air", 900),
    "device": lambda client: client.device(DEV_EUI),
    "put": lambda client: client.put_device(
        Device(
            dev_eui=DEV_EUI,
            join_eui="0" * 16,
            name="n",
            application_id="a",
            device_profile_id="p",
            tags={},
        )
    ),
    "key": lambda client: client.set_app_key(DEV_EUI, KEY),
    "flush": lambda client: client.flush_dev_nonces(DEV_EUI),
    "gateway": lambda client: client.put_radio_gateway(
        "t", RadioGateway(gateway_id="0016c001f1500812", name="D", lon=7.1, lat=51.6)
    ),
}


@pytest.mark.parametrize("what", sorted(ERRORS))
def test_every_recorded_error_is_a_sentence_with_a_next_step(what: str) -> None:
    code, details = ERRORS[what]["code"], ERRORS[what]["details"]
    errors = []
    with refusing(code, details) as client:
        for call in CALLS.values():
            try:
                call(client)
            except NetworkServerError as error:
                errors.append(error)
    # Nothing there is an answer, not an error, for the one call that only asks.
    assert len(errors) == len(CALLS) - (code == "NOT_FOUND")
    for error in errors:
        assert error.problem.startswith("ChirpStack could not ")
        assert error.cure
        assert KEY.hex() not in str(error)
        if what != "link metrics":  # a call that provisioning never makes
            assert "Look into ChirpStack's log" not in error.cure
            assert code != "INTERNAL" or details not in str(error), "that is no sentence"


def test_the_recording_has_all_the_errors_that_matter() -> None:
    assert len(ERRORS) >= 9
    assert {"INTERNAL", "NOT_FOUND", "UNAUTHENTICATED"} == {e["code"] for e in ERRORS.values()}


@pytest.mark.parametrize(
    ("code", "details", "expected"),
    [
        ("INTERNAL", 'duplicate key value violates unique constraint "device_pkey"', "registered"),
        ("INTERNAL", "update violates foreign key constraint", "gone"),
        ("DEADLINE_EXCEEDED", "", "in time"),
        ("UNIMPLEMENTED", "no such method", "Update ChirpStack"),
        ("PERMISSION_DENIED", "no", "no right"),
        ("RESOURCE_EXHAUSTED", "too much", "RESOURCE_EXHAUSTED: too much"),
    ],
)
def test_other_errors_are_sentences_too(code: str, details: str, expected: str) -> None:
    with (
        refusing(code, details) as client,
        pytest.raises(NetworkServerError, match=expected) as caught,
    ):
        client.flush_dev_nonces(DEV_EUI)
    assert caught.value.cure


def test_a_tenants_token_is_enough_when_the_inventory_has_the_ids(
    chirpstack: ChirpStack, server: Any
) -> None:
    """To such a key a device that is not there looks like one that it may not see."""
    made = chirpstack.create_application(HERTEN)
    server.registry.api_keys["town"] = ApiKey("town", "town", tenant_id=made.tenant_id)
    token = encode_token("secret", "town", "key")
    owner = Owner(
        ags="05562020",
        name="Herten",
        tenant_ids=(made.tenant_id,),
        application_ids=(made.application_id,),
    )
    with ChirpStack(server.target, token) as town:
        assert town.find_application(owner) == made
        assert town.device(DEV_EUI) is None
        device = registered_in(town, made)
        assert town.device(DEV_EUI) == device
        town.set_app_key(DEV_EUI, KEY)
        marl = Owner(ags="05562024", name="Marl")
        with pytest.raises(NetworkServerError, match="no right"):
            town.find_application(marl)


def registered_in(client: ChirpStack, application: Application) -> Device:
    device = Device(
        dev_eui=DEV_EUI,
        join_eui="0" * 16,
        name="herten-air-01",
        application_id=application.application_id,
        device_profile_id=client.ensure_device_profile(application.tenant_id, "air", 900),
        tags={},
    )
    client.put_device(device)
    return device


def test_a_device_of_another_tenant_is_named_when_it_is_created(
    chirpstack: ChirpStack, server: Any
) -> None:
    registered(chirpstack)
    with (
        refusing("INTERNAL", "UNIQUE constraint failed: device.dev_eui") as client,
        pytest.raises(NetworkServerError, match="registered already") as caught,
    ):
        client._do("register the device", client._devices.Create, api.CreateDeviceRequest())
    assert "Look for it in ChirpStack" in caught.value.cure


def test_the_whole_way_with_a_real_wire(workshop: Any, server: Any) -> None:
    with ChirpStack(server.target, server.token) as client:
        records = [
            provision_node(
                workshop.order, workshop.board, client, workshop.folder, workshop.entropy
            )
            for _ in range(2)
        ]
    assert records[0].rekeyed
    assert records[1].steps == ()
    assert server.registry.keys[DEV_EUI].nwk_key == workshop.board.key
    assert server.registry.devices[DEV_EUI].tags == {"asset": "herten-air-01", "ags": "05562020"}
    inventory = inventory_files.read(workshop.folder)
    application_id = server.registry.devices[DEV_EUI].application_id
    tenant_id = server.registry.applications[application_id].tenant_id
    assert inventory.may_write(tenant_id, application_id, "05562020")


@pytest.mark.parametrize(
    ("device", "words"),
    [
        ({"dev_eui": "240ac4fffe11223"}, "dev_eui is malformed: '240ac4fffe11223' is not 16 hex"),
        ({"join_eui": "00"}, "join_eui is malformed: '00' is not 16 hex digits"),
        ({"application_id": "7"}, "application_id is malformed: '7' is no UUID"),
    ],
)
def test_a_malformed_field_is_named(server: Any, device: dict[str, str], words: str) -> None:
    whole = {
        "dev_eui": "240ac4fffe112233",
        "join_eui": "0" * 16,
        "application_id": "2d38308d-7c27-4fa2-adff-5f80a2056210",
        "device_profile_id": "2d38308d-7c27-4fa2-adff-5f80a2056210",
        "name": "a",
    }
    with ChirpStack(server.target, server.token) as chirpstack:
        request = api.CreateDeviceRequest(device=api.Device(**whole | device))
        with pytest.raises(NetworkServerError, match=words):
            chirpstack._do("register the device", chirpstack._devices.Create, request)


def test_a_malformed_key_is_named_and_not_shown(server: Any) -> None:
    keys = api.DeviceKeys(dev_eui="240ac4fffe112233", nwk_key="ab" * 15)
    with ChirpStack(server.target, server.token) as chirpstack:
        request = api.CreateDeviceKeysRequest(device_keys=keys)
        with pytest.raises(NetworkServerError, match="nwk_key is malformed: it is not 32") as told:
            chirpstack._do("set the device's key", chirpstack._devices.CreateKeys, request)
    assert "abab" not in str(told.value)
