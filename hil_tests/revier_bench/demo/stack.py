# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The processes behind a demo: broker, network server, gateway; all on 127.0.0.1."""

import secrets
import socket
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from iotcore import Broker

from revier_bench.broker import free_port, start_broker
from revier_bench.demo.options import DemoOptions
from revier_bench.demo.processes import Child

LOOPBACK = "127.0.0.1"
PAGE_PORT_WISHED = 8080
UP_S_MAX = 30.0
GATEWAY_ID = "demo"

GATEWAY_TOML = """\
[gateway]
id = "{id}"
data_dir = "gateway"

[source]
host = "{source_host}"
port = {source_port}
client_id = "{source_client_id}"
session_expiry_s = 600

[feed]
host = "127.0.0.1"
port = {feed_port}
client_id = "revier-demo-feed"

[inventory]
dir = "inventory"

[console]
host = "127.0.0.1"
port = {page_port}
"""


def _page_port() -> int:
    """The port that people expect, or another when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, PAGE_PORT_WISHED))
        except OSError:
            return free_port()
    return PAGE_PORT_WISHED


def _accepts(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=0.5):
            return True
    except OSError:
        return False


class Stack:
    """Started once, part by part; `stop` ends every process whatever has happened."""

    def __init__(self, work_dir: Path, options: DemoOptions) -> None:
        self.work_dir = work_dir
        self.inventory_dir = work_dir / "inventory"
        self.token_file = options.token_file or work_dir / "token"
        self.feed = (LOOPBACK, free_port())
        self.mqtt = options.mqtt or self.feed
        self.grpc = options.grpc or (LOOPBACK, free_port())
        self.page_port = _page_port()
        self.page_url = f"http://{LOOPBACK}:{self.page_port}/"
        # Of this run alone: a broker that stays would hand over what an earlier run left behind.
        self.source_client_id = f"revier-demo-{secrets.token_hex(4)}"
        self.gateway_kills = 0
        self._lock = threading.Lock()
        self._broker: Broker | None = None
        self._network_server = self._network_server_child(options)
        config = work_dir / "gateway.toml"
        self._gateway = Child(
            "gateway",
            [str(Path(sys.executable).parent / "revier-gateway"), "run", "--config", str(config)],
            work_dir,
        )

    def _network_server_child(self, options: DemoOptions) -> Child | None:
        if options.external:
            return None
        host, port = self.mqtt
        argv = [
            sys.executable, "-m", "revier_bench.network_server",
            "--mqtt", f"{host}:{port}", "--grpc", str(self.grpc[1]),
            "--clock", "virtual", "--seed", options.seed, "--qos", "1", "--json",
            "--api-token-file", str(self.token_file), "--with-parent",
        ]  # fmt: skip
        return Child("network-server", argv, self.work_dir)

    def start_network_side(self) -> None:
        """Broker and network server; ChildError when one does not come up."""
        self._broker = start_broker(self.work_dir, self.feed[1])
        if self._network_server is not None:
            self._network_server.start()
            self._network_server.wait_until(
                lambda: _accepts(*self.grpc) and self.token_file.exists(), UP_S_MAX
            )

    def start_gateway(self, bridges: Callable[[], bool]) -> None:
        """The gateway, as an operator starts it: by its command and a configuration file.

        Returns when its page answers and it says that both links stand: what ChirpStack publishes
        before a first subscription exists is nobody's.
        """
        text = GATEWAY_TOML.format(
            id=GATEWAY_ID,
            source_host=self.mqtt[0],
            source_port=self.mqtt[1],
            source_client_id=self.source_client_id,
            feed_port=self.feed[1],
            page_port=self.page_port,
        )
        (self.work_dir / "gateway.toml").write_text(text)
        self._gateway.start()
        self._gateway.wait_until(lambda: bridges() and self.gateway_is_ready(), UP_S_MAX)

    def gateway_is_ready(self) -> bool:
        """Store, source and feed are there."""
        try:
            with urllib.request.urlopen(f"{self.page_url}readyz", timeout=2) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def kill_gateway(self) -> None:
        """SIGKILL and start again, as a supervisor would."""
        with self._lock:
            self._gateway.kill()
            self.gateway_kills += 1
            self._gateway.start()

    def watch(self) -> str | None:
        """A sentence when a process is gone that should run; None when all is well."""
        for child in (self._network_server, self._gateway):
            with self._lock:
                if child is not None and child.starts and not child.running:
                    return f"{child.name} has ended:\n{child.log_tail()}"
        if self._broker is not None and not self._broker.is_running:
            return "the broker has ended"
        return None

    def stop(self) -> None:
        """End all, in the order in which nothing is lost; safe to call twice."""
        with self._lock:
            self._gateway.stop()
        if self._network_server is not None:
            self._network_server.stop()
        if self._broker is not None:
            self._broker.stop()
            self._broker = None
