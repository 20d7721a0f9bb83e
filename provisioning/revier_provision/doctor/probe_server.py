# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What ChirpStack says to an API key. Nothing is made or changed there."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Any

import grpc
import msgspec
from chirpstack_api import api
from chirpstack_api.common import common_pb2

from revier_inventory import Owner
from revier_inventory.model import Kind
from revier_provision.doctor.server import Failure, ProfileFacts, ServerFacts, TenantFacts
from revier_provision.labels.tr005 import VENDOR_ID_NONE, VENDOR_PROFILE_BY_KIND
from revier_provision.links import INTERVAL_S_BY_KIND
from revier_provision.lns.chirpstack import LIST_LIMIT, PROFILE_NAME, ChirpStack
from revier_provision.lns.errors import is_missing

_HTTP_S = 5.0
_DETAILS_MAX = 160
_RX1_DELAY_IMPOSSIBLE_S = 99
_TLS_WORDS = ("SSL", "handshake", "certificate", "CERTIFICATE", "Peer name", "tls")
_TOKEN_WORDS = ("no authorization", "Invalid", "Expired", "Bearer")


class Probe(ChirpStack):
    """ChirpStack with the doctor's questions."""

    def facts(
        self,
        target: str,
        owners: Sequence[Owner],
        tls_roots: bytes | None,
        vendor_id: str = VENDOR_ID_NONE,
    ) -> ServerFacts:
        """`tls_roots`: as given to ChirpStack. Never raises for what the server answers."""
        tls = tls_roots is not None
        base = ServerFacts(target=target, tls=tls, clock_off_s=clock_off_s(target, tls_roots))
        try:
            self._call(self._tenants.List, api.ListTenantsRequest(limit=1))
            is_admin = True
        except grpc.RpcError as error:
            failure = why(error, tls=tls)
            if failure is not None:
                details = (error.details() or error.code().name).replace("\n", " ")
                return _replace(base, failure=failure, details=details[:_DETAILS_MAX])
            is_admin = False
        tenants = tuple(self._tenant(owner, is_admin=is_admin) for owner in owners)
        numbered = self._numbered(int(vendor_id, 16))
        return _replace(base, is_admin=is_admin, tenants=tenants, numbered=numbered)

    def _numbered(self, vendor_id: int) -> dict[Kind, ProfileFacts | None] | None:
        """Profiles by the numbers on labels; None: this ChirpStack or this key cannot ask."""
        found: dict[Kind, ProfileFacts | None] = {}
        for kind, number in VENDOR_PROFILE_BY_KIND.items():
            request = api.GetDeviceProfileByProfileIdRequest(
                vendor_id=vendor_id, vendor_profile_id=number
            )
            try:
                got = self._call(self._profiles.GetByProfileId, request)
            except grpc.RpcError as error:
                if not is_missing(error):
                    return None
                found[kind] = None
            else:
                found[kind] = profile_facts(got.device_profile)
        return found

    def _tenant(self, owner: Owner, *, is_admin: bool) -> TenantFacts:
        tenant_id = self._id_of(owner, is_admin=is_admin)
        facts = TenantFacts(ags=owner.ags, name=owner.name, tenant_id=tenant_id)
        if tenant_id is None:
            return facts
        get = api.GetTenantRequest(id=tenant_id)
        if self._answer(self._tenants.Get, get) is None:
            return facts
        return TenantFacts(
            ags=owner.ags,
            name=owner.name,
            tenant_id=tenant_id,
            readable=True,
            writable=self._may_write(tenant_id),
            profiles={kind: self._profile(tenant_id, kind) for kind in INTERVAL_S_BY_KIND},
        )

    def _id_of(self, owner: Owner, *, is_admin: bool) -> str | None:
        if owner.tenant_ids or not is_admin:
            return next(iter(owner.tenant_ids), None)
        request = api.ListTenantsRequest(limit=LIST_LIMIT, search=owner.name)
        answer = self._answer(self._tenants.List, request)
        named = [item.id for item in answer.result if item.name == owner.name] if answer else []
        return str(named[0]) if len(named) == 1 else None

    def _may_write(self, tenant_id: str) -> bool:
        """Ask for a profile that ChirpStack must refuse for what is in it, after it has looked at
        the rights (storage/device_profile.rs, validate): without a name, with an impossible delay.
        """
        impossible = api.DeviceProfile(tenant_id=tenant_id, rx1_delay=_RX1_DELAY_IMPOSSIBLE_S)
        request = api.CreateDeviceProfileRequest(device_profile=impossible)
        try:
            made = self._call(self._profiles.Create, request)
        except grpc.RpcError as error:
            denied = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
            return error.code() not in denied
        with contextlib.suppress(grpc.RpcError):
            self._call(self._profiles.Delete, api.DeleteDeviceProfileRequest(id=made.id))
        return True

    def _profile(self, tenant_id: str, kind: str) -> ProfileFacts | None:
        name = PROFILE_NAME.format(kind=kind)
        request = api.ListDeviceProfilesRequest(
            limit=LIST_LIMIT, search=name, tenant_id=tenant_id, tenant_only=True
        )
        answer = self._answer(self._profiles.List, request)
        found = [item.id for item in answer.result if item.name == name] if answer else []
        if not found:
            return None
        get = api.GetDeviceProfileRequest(id=found[0])
        got = self._answer(self._profiles.Get, get)
        return None if got is None else profile_facts(got.device_profile)

    def _answer(self, method: Any, request: Any) -> Any | None:
        try:
            return self._call(method, request)
        except grpc.RpcError:
            return None


def profile_facts(profile: Any) -> ProfileFacts:
    """From the API's message."""
    return ProfileFacts(
        name=profile.name,
        region=common_pb2.Region.Name(profile.region),
        mac_version=common_pb2.MacVersion.Name(profile.mac_version),
        supports_otaa=profile.supports_otaa,
        codec_is_js=profile.payload_codec_runtime == api.CodecRuntime.JS,
        codec=profile.payload_codec_script,
    )


def why(error: grpc.RpcError, *, tls: bool) -> Failure | None:
    """None: the key is valid, but not for all tenants."""
    details = error.details() or ""
    match error.code():
        case grpc.StatusCode.UNAUTHENTICATED if any(word in details for word in _TOKEN_WORDS):
            return "token"
        case grpc.StatusCode.UNAUTHENTICATED | grpc.StatusCode.PERMISSION_DENIED:
            return None
        case grpc.StatusCode.UNAVAILABLE if tls and any(word in details for word in _TLS_WORDS):
            return "tls"
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.DEADLINE_EXCEEDED:
            return "unreachable"
    return "other"


def clock_off_s(target: str, tls_roots: bytes | None) -> float | None:
    """ChirpStack's clock minus ours, by the Date of its web page; None: it did not say."""
    host, _, port = target.rpartition(":")
    try:
        connection = _connection(host.strip("[]"), int(port), tls_roots)
        with contextlib.closing(connection):
            connection.request("HEAD", "/")
            date = connection.getresponse().getheader("Date")
        return parsedate_to_datetime(date).timestamp() - time.time() if date else None
    except (OSError, ValueError, TypeError, http.client.HTTPException):
        return None


def _connection(host: str, port: int, tls_roots: bytes | None) -> http.client.HTTPConnection:
    if tls_roots is None:
        return http.client.HTTPConnection(host, port, timeout=_HTTP_S)
    context = ssl.create_default_context(cadata=tls_roots.decode("ascii") if tls_roots else None)
    return http.client.HTTPSConnection(host, port, timeout=_HTTP_S, context=context)


def _replace(facts: ServerFacts, **changes: Any) -> ServerFacts:
    return msgspec.structs.replace(facts, **changes)
