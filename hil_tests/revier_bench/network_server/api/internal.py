# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# ruff: noqa: N802 the methods are named by the API
"""InternalService: login, API keys, versions, and the live logs of a device."""

from collections.abc import Iterator
from typing import Any

import grpc
from chirpstack_api import api

from revier_bench.network_server.api.backend import (
    ApiError,
    Backend,
    answering,
    caller,
    eui,
    given,
    id_of,
    require,
)
from revier_bench.network_server.auth import (
    ADMIN_PASSWORD,
    ADMIN_USER,
    ADMIN_USER_ID,
    Identity,
    encode_token,
)
from revier_bench.network_server.region import COMMON_NAME, REGION_CONFIG_ID
from revier_bench.network_server.registry import ApiKey

VERSION = "4.20.0-test.1"  # of the ChirpStack whose recording judges this stand-in


class InternalService(api.InternalServiceServicer):  # type: ignore[misc]
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @answering
    def Login(self, request: Any, _identity: Identity) -> Any:
        if (request.email, request.password) != (ADMIN_USER, ADMIN_PASSWORD):
            raise ApiError(grpc.StatusCode.UNAUTHENTICATED, "Invalid username or password")
        return api.LoginResponse(jwt=encode_token(self.backend.secret, ADMIN_USER_ID, "user"))

    @answering
    def CreateApiKey(self, request: Any, identity: Identity) -> Any:
        asked = given(request, "api_key")
        tenant_id = id_of(asked.tenant_id) if asked.tenant_id else ""
        if asked.is_admin and tenant_id:
            details = "tenant_id can not be set with is_admin set to true"
            raise ApiError(grpc.StatusCode.INVALID_ARGUMENT, details)
        if not asked.is_admin and not tenant_id:
            details = "either is_admin or tenant_id must be set"
            raise ApiError(grpc.StatusCode.INVALID_ARGUMENT, details)
        _require_user(identity)
        key = ApiKey(
            id=self.backend.uuid("api_key"),
            name=asked.name,
            is_admin=asked.is_admin,
            tenant_id=tenant_id,
            is_read_only=asked.is_read_only,
        )
        self.backend.registry.api_keys[key.id] = key
        token = encode_token(self.backend.secret, key.id, "key")
        return api.CreateApiKeyResponse(id=key.id, token=token)

    @answering
    def GetVersion(self, _request: Any, identity: Identity) -> Any:
        _require_user(identity)
        return api.GetVersionResponse(version=VERSION)

    @answering
    def ListRegions(self, _request: Any, identity: Identity) -> Any:
        _require_user(identity)
        region = api.RegionListItem(id=REGION_CONFIG_ID, region=COMMON_NAME, description="EU868")
        return api.ListRegionsResponse(regions=[region])

    def StreamDeviceEvents(
        self, request: Any, context: grpc.ServicerContext
    ) -> Iterator[api.LogItem]:
        return self._stream("event", request, context)

    def StreamDeviceFrames(
        self, request: Any, context: grpc.ServicerContext
    ) -> Iterator[api.LogItem]:
        return self._stream("frame", request, context)

    def _stream(
        self, kind: str, request: Any, context: grpc.ServicerContext
    ) -> Iterator[api.LogItem]:
        try:
            with self.backend.lock:
                dev_eui = self._check_stream(request, context)
        except ApiError as error:
            context.abort(error.code, error.details)
        context.send_initial_metadata(())
        yield from self.backend.logs.follow(
            kind, dev_eui, lambda: bool(context.is_active()) and self.backend.is_open
        )

    def _check_stream(self, request: Any, context: grpc.ServicerContext) -> str:
        identity = caller(self.backend, context)
        dev_eui = eui(request.dev_eui)
        registry = self.backend.registry
        device = registry.devices.get(dev_eui)
        tenant_id = registry.applications[device.application_id].tenant_id if device else None
        require(identity, write=False, tenant_id=tenant_id)
        return dev_eui


def _require_user(identity: Identity) -> None:
    """ChirpStack gives these to a user who logged in, not to API keys."""
    require(identity, write=False, tenant_id=identity.key.tenant_id if identity.key else None)
    if not identity.user_id:
        raise ApiError(grpc.StatusCode.UNAUTHENTICATED, "")
