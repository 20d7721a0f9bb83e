# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# ruff: noqa: N802 the methods are named by the API
"""GatewayService."""

from typing import Any

from chirpstack_api import api

from revier_bench.network_server.api.backend import (
    Backend,
    answering,
    eui,
    given,
    id_of,
    named,
    page,
    require,
)
from revier_bench.network_server.auth import Identity
from revier_bench.network_server.certificates import issue
from revier_bench.network_server.registry import Gateway, get
from revier_bench.network_server.times import NS_PER_S, timestamp

DOWNLINK_PRIORITY_DEFAULT = 10


class GatewayService(api.GatewayServiceServicer):  # type: ignore[misc]
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @answering
    def Create(self, request: Any, identity: Identity) -> None:
        asked = given(request, "gateway")
        tenant_id = id_of(asked.tenant_id)
        require(identity, write=True, tenant_id=tenant_id)
        now_ns = self.backend.now_ns()
        gateway = Gateway(eui(asked.gateway_id), tenant_id, created_ns=now_ns)
        _fill(gateway, asked, now_ns)
        self.backend.registry.add_gateway(gateway)

    def _own(self, text: str, identity: Identity, *, write: bool) -> Gateway:
        gateway_id = eui(text)
        gateways = self.backend.registry.gateways
        known = gateways.get(gateway_id)
        require(identity, write=write, tenant_id=known.tenant_id if known else None)
        return get(gateways, gateway_id)

    @answering
    def Get(self, request: Any, identity: Identity) -> Any:
        gateway = self._own(request.gateway_id, identity, write=False)
        answer = api.GetGatewayResponse(
            gateway=api.Gateway(
                gateway_id=gateway.gateway_id,
                name=gateway.name,
                description=gateway.description,
                location=gateway.location,
                tenant_id=gateway.tenant_id,
                tags=gateway.tags,
                metadata=gateway.metadata,
                stats_interval=gateway.stats_interval_s,
                downlink_priority=gateway.downlink_priority,
            ),
            created_at=timestamp(gateway.created_ns),
            updated_at=timestamp(gateway.updated_ns),
        )
        if gateway.last_seen_ns is not None:
            answer.last_seen_at.CopyFrom(timestamp(gateway.last_seen_ns))
        return answer

    @answering
    def Update(self, request: Any, identity: Identity) -> None:
        asked = given(request, "gateway")
        gateway = self._own(asked.gateway_id, identity, write=True)
        _fill(gateway, asked, self.backend.now_ns())

    @answering
    def Delete(self, request: Any, identity: Identity) -> None:
        gateway = self._own(request.gateway_id, identity, write=True)
        del self.backend.registry.gateways[gateway.gateway_id]

    @answering
    def List(self, request: Any, identity: Identity) -> Any:
        tenant_id = id_of(request.tenant_id) if request.tenant_id else None
        require(identity, write=False, tenant_id=tenant_id)
        wanted = request.search.lower()
        rows = [
            g
            for g in self.backend.registry.gateways.values()
            if tenant_id in (None, g.tenant_id) and wanted in f"{g.name} {g.gateway_id}".lower()
        ]
        rows.sort(key=lambda g: g.name)
        items = [self._list_item(g) for g in page(rows, request)]
        return api.ListGatewaysResponse(total_count=len(rows), result=items)

    @answering
    def GenerateClientCertificate(self, request: Any, identity: Identity) -> Any:
        gateway_id = eui(request.gateway_id)
        known = self.backend.registry.gateways.get(gateway_id)
        require(identity, write=True, tenant_id=known.tenant_id if known else None)
        now_ns = self.backend.now_ns()
        made = issue(self.backend.gateway_authority, gateway_id, now_ns)
        get(self.backend.registry.gateways, gateway_id)  # where the certificate is kept
        return api.GenerateGatewayClientCertificateResponse(
            tls_cert=made.cert_pem,
            tls_key=made.key_pem,
            ca_cert=made.ca_pem,
            expires_at=timestamp(made.ends_ns),
        )

    def _list_item(self, gateway: Gateway) -> Any:
        item = api.GatewayListItem(
            tenant_id=gateway.tenant_id,
            gateway_id=gateway.gateway_id,
            name=gateway.name,
            description=gateway.description,
            location=gateway.location,
            properties=gateway.metadata,
            created_at=timestamp(gateway.created_ns),
            updated_at=timestamp(gateway.updated_ns),
            state=_state(gateway, self.backend.now_ns()),
            downlink_priority=gateway.downlink_priority,
        )
        if gateway.last_seen_ns is not None:
            item.last_seen_at.CopyFrom(timestamp(gateway.last_seen_ns))
        return item


def _state(gateway: Gateway, now_ns: int) -> Any:
    if gateway.last_seen_ns is None:
        return api.NEVER_SEEN
    silent_ns = now_ns - gateway.last_seen_ns
    return api.OFFLINE if silent_ns > 2 * gateway.stats_interval_s * NS_PER_S else api.ONLINE


def _fill(gateway: Gateway, asked: Any, now_ns: int) -> None:
    gateway.name = named(asked.name)
    gateway.description = asked.description
    gateway.location.CopyFrom(asked.location)
    gateway.tags = dict(asked.tags)
    gateway.stats_interval_s = asked.stats_interval
    gateway.downlink_priority = asked.downlink_priority or DOWNLINK_PRIORITY_DEFAULT
    gateway.updated_ns = now_ns
