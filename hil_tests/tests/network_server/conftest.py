# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from chirpstack_api import api

from revier_bench.broker import free_port, start_broker
from revier_bench.network_server.api import server as grpc_server
from revier_bench.network_server.api.backend import Backend
from revier_bench.network_server.auth import ADMIN_KEY_ID, admin_token
from revier_bench.network_server.core import NetworkServer
from revier_bench.network_server.registry import ApiKey


@dataclass(slots=True)
class Api:
    """The gRPC services of one backend as a caller sees them."""

    backend: Backend
    channel: grpc.Channel
    token: str

    def __getattr__(self, name: str) -> Any:
        """`api.devices` is the stub of DeviceService, and so on."""
        services = {
            "tenants": api.TenantServiceStub,
            "applications": api.ApplicationServiceStub,
            "profiles": api.DeviceProfileServiceStub,
            "devices": api.DeviceServiceStub,
            "gateways": api.GatewayServiceStub,
            "internal": api.InternalServiceStub,
        }
        return services[name](self.channel)

    @property
    def bearer(self) -> list[tuple[str, str]]:
        return [("authorization", f"Bearer {self.token}")]


def answer(call: Callable[[], Any]) -> tuple[str, str]:
    """Code and details of a call that fails, OK and nothing of one that does not."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code().name, error.details()  # type: ignore[attr-defined]
    return "OK", ""


@pytest.fixture
def serve() -> Iterator[Callable[[NetworkServer], Api]]:
    """A function that puts the gRPC API in front of a core."""
    running: list[tuple[grpc.Server, Backend, grpc.Channel]] = []

    def start(server: NetworkServer) -> Api:
        server.registry.api_keys[ADMIN_KEY_ID] = ApiKey(ADMIN_KEY_ID, "bench", is_admin=True)
        backend = Backend(server, "secret", time.time_ns)
        grpc_, port = grpc_server.start(backend, "127.0.0.1", 0)
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        running.append((grpc_, backend, channel))
        return Api(backend, channel, admin_token("secret"))

    yield start
    for grpc_, backend, channel in running:
        channel.close()
        grpc_server.stop(grpc_, backend)


@pytest.fixture(scope="session")
def broker_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port = free_port()
    folder: Path = tmp_path_factory.mktemp("broker")
    broker = start_broker(folder, port)
    yield port
    broker.stop()
    assert not [t for t in threading.enumerate() if t.name == "network-server"]
