# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The embedded MQTT 5 broker of demo and tests: rumqttd from the `iotcore` wheel, in a child.

For demo and tests only: it has no ACL, and nothing of it survives a restart. Production wants
Mosquitto 2.0.21 or newer.
"""

import contextlib
import random
import socket
from pathlib import Path

from iotcore import Broker

PAYLOAD_BYTES_MAX = 256 * 1024
QUEUED_PUBLISHES_MAX = 1000
_PORTS = range(20_000, 32_000)
_TRIES = 100
SEGMENT_BYTES = 256 * 1024 * 1024

CONFIG = """
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 2000
max_segment_size = {segment}
max_segment_count = 10

[v5.1]
name = "v5"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 0
    [v5.1.connections]
    connection_timeout_ms = 60000
    max_payload_size = {payload}
    max_inflight_count = {inflight}
    dynamic_filters = true
"""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on just now, and none of those that the system
    gives to outgoing connections: one of these would have it before it is used."""
    for port in random.SystemRandom().sample(_PORTS, _TRIES):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"of {_TRIES} ports from {_PORTS.start} on none is free: end other programs")


def start_broker(work_dir: Path, port: int) -> Broker:
    """Start the broker on 127.0.0.1:port; its configuration is written to work_dir.

    Raises OSError when the port is taken, RuntimeError when the broker does not come up.
    """
    work_dir.mkdir(parents=True, exist_ok=True)
    config = work_dir / "broker.toml"
    config.write_text(
        CONFIG.format(
            port=port,
            payload=PAYLOAD_BYTES_MAX,
            inflight=QUEUED_PUBLISHES_MAX,
            segment=SEGMENT_BYTES,
        )
    )
    return Broker(config_path=str(config)).start()
