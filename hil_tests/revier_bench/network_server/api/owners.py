# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# ruff: noqa: N802 the methods are named by the API
"""TenantService and ApplicationService."""

from typing import Any

from chirpstack_api import api

from revier_bench.network_server.api.backend import (
    Backend,
    answering,
    given,
    id_of,
    named,
    page,
    require,
)
from revier_bench.network_server.auth import Identity
from revier_bench.network_server.registry import Application, Tenant, get
from revier_bench.network_server.times import timestamp


class TenantService(api.TenantServiceServicer):  # type: ignore[misc]
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @answering
    def Create(self, request: Any, identity: Identity) -> Any:
        require(identity, write=True)
        asked = given(request, "tenant")
        now_ns = self.backend.now_ns()
        tenant = Tenant(id=self.backend.uuid("tenant"), name="", created_ns=now_ns)
        _fill_tenant(tenant, asked, now_ns)
        self.backend.registry.add_tenant(tenant)
        return api.CreateTenantResponse(id=tenant.id)

    @answering
    def Get(self, request: Any, identity: Identity) -> Any:
        tenant_id = id_of(request.id)
        require(identity, write=False, tenant_id=tenant_id)
        tenant = get(self.backend.registry.tenants, tenant_id)
        return api.GetTenantResponse(
            tenant=api.Tenant(
                id=tenant.id,
                name=tenant.name,
                description=tenant.description,
                can_have_gateways=tenant.can_have_gateways,
                max_gateway_count=tenant.max_gateway_count,
                max_device_count=tenant.max_device_count,
                private_gateways_up=tenant.private_gateways_up,
                private_gateways_down=tenant.private_gateways_down,
                tags=tenant.tags,
            ),
            created_at=timestamp(tenant.created_ns),
            updated_at=timestamp(tenant.updated_ns),
        )

    @answering
    def Update(self, request: Any, identity: Identity) -> None:
        asked = given(request, "tenant")
        tenant_id = id_of(asked.id)
        require(identity, write=True)
        tenant = get(self.backend.registry.tenants, tenant_id)
        _fill_tenant(tenant, asked, self.backend.now_ns())

    @answering
    def Delete(self, request: Any, identity: Identity) -> None:
        tenant_id = id_of(request.id)
        require(identity, write=True)
        for dev_eui in self.backend.registry.remove_tenant(tenant_id):
            self.backend.server.state.queue.flush(dev_eui)

    @answering
    def List(self, request: Any, identity: Identity) -> Any:
        require(identity, write=False)
        tenants = self.backend.registry.tenants.values()
        rows = sorted((t for t in tenants if _found(request, t.name)), key=lambda t: t.name)
        items = [
            api.TenantListItem(
                id=t.id,
                name=t.name,
                created_at=timestamp(t.created_ns),
                updated_at=timestamp(t.updated_ns),
                can_have_gateways=t.can_have_gateways,
                private_gateways_up=t.private_gateways_up,
                private_gateways_down=t.private_gateways_down,
                max_gateway_count=t.max_gateway_count,
                max_device_count=t.max_device_count,
            )
            for t in page(rows, request)
        ]
        return api.ListTenantsResponse(total_count=len(rows), result=items)


def _fill_tenant(tenant: Tenant, asked: Any, now_ns: int) -> None:
    tenant.name = named(asked.name)
    tenant.description = asked.description
    tenant.can_have_gateways = asked.can_have_gateways
    tenant.max_gateway_count = asked.max_gateway_count
    tenant.max_device_count = asked.max_device_count
    tenant.private_gateways_up = asked.private_gateways_up
    tenant.private_gateways_down = asked.private_gateways_down
    tenant.tags = dict(asked.tags)
    tenant.updated_ns = now_ns


def _found(request: Any, *names: str) -> bool:
    wanted = request.search.lower()
    return any(wanted in name.lower() for name in names)


class ApplicationService(api.ApplicationServiceServicer):  # type: ignore[misc]
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @answering
    def Create(self, request: Any, identity: Identity) -> Any:
        asked = given(request, "application")
        tenant_id = id_of(asked.tenant_id)
        require(identity, write=True, tenant_id=tenant_id)
        now_ns = self.backend.now_ns()
        application = Application(
            id=self.backend.uuid("application"),
            tenant_id=tenant_id,
            name=named(asked.name),
            description=asked.description,
            tags=dict(asked.tags),
            created_ns=now_ns,
            updated_ns=now_ns,
        )
        self.backend.registry.add_application(application)
        return api.CreateApplicationResponse(id=application.id)

    def _own(self, text: str, identity: Identity, *, write: bool) -> Application:
        application_id = id_of(text)
        applications = self.backend.registry.applications
        known = applications.get(application_id)
        require(identity, write=write, tenant_id=known.tenant_id if known else None)
        return get(applications, application_id)

    @answering
    def Get(self, request: Any, identity: Identity) -> Any:
        application = self._own(request.id, identity, write=False)
        return api.GetApplicationResponse(
            application=api.Application(
                id=application.id,
                tenant_id=application.tenant_id,
                name=application.name,
                description=application.description,
                tags=application.tags,
            ),
            created_at=timestamp(application.created_ns),
            updated_at=timestamp(application.updated_ns),
        )

    @answering
    def Update(self, request: Any, identity: Identity) -> None:
        asked = given(request, "application")
        application = self._own(asked.id, identity, write=True)
        application.name = named(asked.name)
        application.description = asked.description
        application.tags = dict(asked.tags)
        application.updated_ns = self.backend.now_ns()

    @answering
    def Delete(self, request: Any, identity: Identity) -> None:
        application = self._own(request.id, identity, write=True)
        for dev_eui in self.backend.registry.remove_application(application.id):
            self.backend.server.state.queue.flush(dev_eui)

    @answering
    def List(self, request: Any, identity: Identity) -> Any:
        tenant_id = id_of(request.tenant_id)
        require(identity, write=False, tenant_id=tenant_id)
        rows = [a for a in self.backend.registry.applications.values() if a.tenant_id == tenant_id]
        rows = sorted((a for a in rows if _found(request, a.name)), key=lambda a: a.name)
        items = [
            api.ApplicationListItem(
                id=a.id,
                name=a.name,
                description=a.description,
                created_at=timestamp(a.created_ns),
                updated_at=timestamp(a.updated_ns),
            )
            for a in page(rows, request)
        ]
        return api.ListApplicationsResponse(total_count=len(rows), result=items)
