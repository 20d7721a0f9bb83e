# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Each finding about ChirpStack, on facts and against the stand-in."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import msgspec
import pytest
from chirpstack_api import api
from chirpstack_api.common import common_pb2
from provisioning.tests.provision.conftest import Server

from revier_bench.network_server.auth import ADMIN_KEY_ID, encode_token
from revier_bench.network_server.registry import ApiKey
from revier_inventory import Owner
from revier_provision import ChirpStack
from revier_provision.doctor import Checked, ProfileFacts, ServerFacts, TenantFacts, server_checks
from revier_provision.doctor.probe_server import Probe, clock_off_s
from revier_provision.doctor.server import profile_faults

CODEC = "function decodeUplink(input) { return {}; }"
PROFILE = ProfileFacts(
    name="revier-air",
    region="EU868",
    mac_version="LORAWAN_1_0_4",
    supports_otaa=True,
    codec_is_js=True,
    codec=CODEC,
)
TENANT = TenantFacts(
    ags="05562020", name="Herten", tenant_id="t", readable=True, writable=True,
    profiles={"air": PROFILE, "parking": None},
)  # fmt: skip
NUMBERED = {"air": msgspec.structs.replace(PROFILE, name="Revier air")}
SOUND = ServerFacts(
    target="cs:443", tls=True, tenants=(TENANT,), clock_off_s=0.4, numbered=NUMBERED
)


def checks(facts: ServerFacts | None = SOUND, **changes: Any) -> list[Checked]:
    if facts is not None:
        facts = msgspec.structs.replace(facts, **changes)
    return server_checks(facts, CODEC)


def only(state: str, **changes: Any) -> Checked:
    found = [one for one in checks(**changes) if one.state == state]
    assert len(found) == 1, found
    return found[0]


def tenant(**changes: Any) -> tuple[TenantFacts]:
    return (msgspec.structs.replace(TENANT, **changes),)


def test_a_sound_server() -> None:
    results = checks()
    assert {one.state for one in results} == {"ok"}
    assert [one.check for one in results] == [
        "chirpstack", "server-clock", "token", "rights", "profile", "profile", "label-number",
    ]  # fmt: skip


def test_without_a_server_nothing_is_judged() -> None:
    assert [one.state for one in checks(None)] == ["skipped"]


@pytest.mark.parametrize(
    ("failure", "what", "cure"),
    [("unreachable", "does not answer", "--server"), ("tls", "no TLS with", "--tls-roots")],
)
def test_a_server_out_of_reach_ends_the_list(failure: Any, what: str, cure: str) -> None:
    (found,) = checks(failure=failure, details="x", tenants=())
    assert (found.check, found.state) == ("chirpstack", "bad")
    assert what in found.what
    assert cure in found.cure


def test_tokens() -> None:
    found = only("bad", failure="token", details="InvalidToken", tenants=())
    assert "not one of this ChirpStack" in found.what
    assert "refused to answer" in only("bad", failure="other", details="x", tenants=()).what
    assert "a key of its tenant" in only("warn", is_admin=True).cure
    lost = [one for one in checks(tenants=tenant(readable=False)) if one.state == "bad"]
    assert [one.check for one in lost] == ["token", "rights"]


def test_rights() -> None:
    assert "can only read" in only("bad", tenants=tenant(writable=False)).what
    assert "cannot look" in only("bad", tenants=(TENANT, *tenant(tenant_id=None))).what
    two = (*tenant(tenant_id=None, readable=False), TENANT)
    assert not [one for one in checks(is_admin=True, tenants=two) if one.state == "bad"]
    assert "--inventory" in only("skipped", tenants=()).cure


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"region": "US915"}, "region is US915, not EU868"),
        ({"mac_version": "LORAWAN_1_1_0"}, "MAC version is LORAWAN_1_1_0"),
        ({"supports_otaa": False}, "OTAA is off"),
        ({"codec_is_js": False}, "it has no JavaScript codec"),
        ({"codec": CODEC + "// old"}, "its codec is not the one"),
    ],
)
def test_profiles(change: dict[str, Any], fault: str) -> None:
    wrong = msgspec.structs.replace(PROFILE, **change)
    assert len(profile_faults(wrong, CODEC)) == 1
    found = only("bad", tenants=tenant(profiles={"air": wrong}))
    assert f"device profile revier-air of Herten: {fault}" in found.what
    assert found.cure


@pytest.mark.parametrize(
    ("off_s", "state"), [(None, "skipped"), (-4.9, "ok"), (-6.0, "warn"), (61.0, "bad")]
)
def test_clocks(off_s: float | None, state: str) -> None:
    found = next(one for one in checks(clock_off_s=off_s) if one.check == "server-clock")
    assert found.state == state


# Against the stand-in


@pytest.fixture
def server() -> Iterator[Server]:
    from revier_bench.network_server.api import server as stand_in

    running = Server()
    yield running
    stand_in.stop(running.grpc, running.backend)


def owner(*tenant_ids: str, name: str = "Herten") -> Owner:
    return Owner(ags="05562020", name=name, tenant_ids=tenant_ids)


def key(server: Server, name: str, **rights: Any) -> str:
    server.registry.api_keys[name] = ApiKey(name, name, **rights)
    return encode_token("secret", name, "key")


def ask(server: Server, token: str, *owners: Owner) -> ServerFacts:
    with Probe(server.target, token) as probe:
        return probe.facts(server.target, owners, None)


@pytest.fixture
def tenant_id(server: Server) -> str:
    with ChirpStack(server.target, server.token, codec_js=CODEC) as chirpstack:
        made = chirpstack.create_application(owner())
        chirpstack.ensure_device_profile(made.tenant_id, "air", 900)
        return made.tenant_id


def snapshot(server: Server) -> tuple[list[str], list[str], list[str]]:
    registry = server.registry
    return list(registry.tenants), list(registry.profiles), list(registry.applications)


def test_what_an_admins_key_sees(server: Server, tenant_id: str) -> None:
    before = snapshot(server)
    facts = ask(server, server.token, owner(tenant_id), owner(), owner(name="Marl"))
    assert facts.failure is None
    assert facts.is_admin
    by_id, by_name, missing = facts.tenants
    assert by_id.tenant_id == by_name.tenant_id == tenant_id
    assert by_id.readable
    assert by_id.writable
    assert by_id.profiles == {"air": PROFILE, "parking": None, "waste": None}
    assert missing.tenant_id is None
    assert snapshot(server) == before, "a doctor changes nothing"
    assert [one.state for one in server_checks(facts, CODEC) if one.state == "bad"] == []


def test_what_a_tenants_key_sees(server: Server, tenant_id: str) -> None:
    token = key(server, "own", tenant_id=tenant_id)
    facts = ask(server, token, owner(tenant_id))
    assert (facts.failure, facts.is_admin) == (None, False)
    assert facts.tenants[0].readable
    assert facts.tenants[0].writable
    other = ask(server, key(server, "other", tenant_id="0" * 32), owner(tenant_id))
    assert not other.tenants[0].readable


def test_a_key_that_can_only_read_is_found_without_writing(server: Server, tenant_id: str) -> None:
    before = snapshot(server)
    token = key(server, "reader", tenant_id=tenant_id, is_read_only=True)
    facts = ask(server, token, owner(tenant_id))
    assert facts.tenants[0].readable
    assert not facts.tenants[0].writable
    assert snapshot(server) == before


def test_wrong_keys_are_told_apart(server: Server, tenant_id: str) -> None:
    assert ask(server, "nonsense").failure == "token"
    assert ask(server, encode_token("another server", ADMIN_KEY_ID, "key")).failure == "token"
    deleted = ask(server, encode_token("secret", "deleted", "key"), owner(tenant_id))
    assert deleted.failure is None
    assert [one.check for one in server_checks(deleted, CODEC) if one.state == "bad"] == [
        "token", "rights",
    ]  # fmt: skip


def test_a_server_that_is_not_there(server: Server) -> None:
    from revier_bench.network_server.api import server as stand_in

    stand_in.stop(server.grpc, server.backend)
    assert ask(server, server.token).failure == "unreachable"


def test_tls_to_a_server_without_it(server: Server) -> None:
    with Probe(server.target, server.token, tls_roots=b"") as probe:
        facts = probe.facts(server.target, (), b"")
    assert facts.failure == "tls", facts


def test_a_profile_that_someone_changed(server: Server, tenant_id: str) -> None:
    profile = next(iter(server.registry.profiles.values()))
    raw: Any = profile.raw
    raw.region = common_pb2.US915
    raw.payload_codec_runtime = api.CodecRuntime.NONE
    facts = ask(server, server.token, owner(tenant_id)).tenants[0].profiles["air"]
    assert facts is not None
    assert profile_faults(facts, CODEC) == [
        "region is US915, not EU868", "it has no JavaScript codec",
    ]  # fmt: skip


class Dated(http.server.BaseHTTPRequestHandler):
    """A web page whose clock is a minute and a half ahead."""

    def do_HEAD(self) -> None:
        self.send_response_only(200)
        self.send_header("Date", formatdate(time.time() + 90, usegmt=True))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


def test_the_clock_is_read_from_the_web_page(server: Server) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Dated) as page:
        threading.Thread(target=page.serve_forever, daemon=True).start()
        off_s = clock_off_s(f"127.0.0.1:{page.server_address[1]}", None)
        page.shutdown()
    assert off_s is not None
    assert 60 < off_s < 95
    assert clock_off_s(server.target, None) is None, "gRPC only"
    assert clock_off_s("127.0.0.1:1", None) is None
    assert clock_off_s("nonsense", None) is None
