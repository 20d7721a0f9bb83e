# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""All services behind one port of 127.0.0.1."""

from concurrent.futures import ThreadPoolExecutor

import grpc
from chirpstack_api import api

from revier_bench.network_server.api.backend import Backend
from revier_bench.network_server.api.devices import DeviceService
from revier_bench.network_server.api.gateways import GatewayService
from revier_bench.network_server.api.internal import InternalService
from revier_bench.network_server.api.owners import ApplicationService, TenantService
from revier_bench.network_server.api.profiles import DeviceProfileService

CALLS_AT_ONCE_MAX = 32  # each open stream keeps one
STOP_GRACE_S = 1.0


def start(backend: Backend, host: str, port: int) -> tuple[grpc.Server, int]:
    """The running server and its port (port 0: any free one). OSError: it is taken."""
    server = grpc.server(
        ThreadPoolExecutor(CALLS_AT_ONCE_MAX, thread_name_prefix="grpc"),
        options=(("grpc.so_reuseport", 0),),
    )
    api.add_TenantServiceServicer_to_server(TenantService(backend), server)
    api.add_ApplicationServiceServicer_to_server(ApplicationService(backend), server)
    api.add_DeviceProfileServiceServicer_to_server(DeviceProfileService(backend), server)
    api.add_DeviceServiceServicer_to_server(DeviceService(backend), server)
    api.add_GatewayServiceServicer_to_server(GatewayService(backend), server)
    api.add_InternalServiceServicer_to_server(InternalService(backend), server)
    try:
        bound = server.add_insecure_port(f"{host}:{port}")
    except RuntimeError as error:
        raise OSError(f"gRPC port {host}:{port} is not free: {error}") from None
    server.start()
    return server, bound


def stop(server: grpc.Server, backend: Backend) -> None:
    backend.is_open = False
    server.stop(STOP_GRACE_S).wait()
