# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Command line of the stand-in network server."""

import argparse
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from revier_bench.network_server.auth import secret_of_seed
from revier_bench.network_server.certificates import Authority
from revier_bench.network_server.faults import FaultError, Faults, parse
from revier_bench.network_server.logs import HISTORY_PER_DEVICE


@dataclass(frozen=True, slots=True)
class Options:
    mqtt_host: str = "127.0.0.1"
    mqtt_port: int = 1883
    grpc_host: str = "127.0.0.1"
    grpc_port: int = 0
    virtual_clock: bool = False
    seed: str = "0"
    qos: int = 1
    as_json: bool = True
    api_secret: str = ""
    api_token_file: Path | None = None
    event_history: int = HISTORY_PER_DEVICE
    with_parent: bool = False
    gateway_authority: Authority | None = None
    faults: Faults = field(default_factory=Faults)


def read(arguments: list[str] | None = None) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m revier_bench.network_server",
        description="A stand-in network server that speaks ChirpStack v4's MQTT and gRPC.",
    )
    parser.add_argument("--mqtt", default="127.0.0.1:1883", metavar="HOST:PORT")
    parser.add_argument("--grpc", type=int, default=8080, metavar="PORT", help="0: any free port")
    parser.add_argument("--grpc-host", default="127.0.0.1", metavar="HOST")
    parser.add_argument("--clock", choices=("virtual", "wall"), default="wall")
    parser.add_argument("--seed", help="repeats a run; without it ids are random")
    parser.add_argument("--qos", type=int, choices=(0, 1), default=0, help="of events (0)")
    parser.add_argument("--json", action="store_true", default=True, help="events in JSON")
    parser.add_argument("--protobuf", action="store_false", dest="json", help="in protobuf")
    parser.add_argument("--api-secret", help="signs the tokens; by default derived from the seed")
    parser.add_argument("--api-token-file", type=Path, help="write the admin's token there")
    parser.add_argument("--event-history", type=int, default=HISTORY_PER_DEVICE, metavar="N")
    parser.add_argument(
        "--with-parent", action="store_true", help="end when the process that started it is gone"
    )
    parser.add_argument("--gateway-ca-cert", type=Path, help="[gateway] ca_cert of ChirpStack")
    parser.add_argument("--gateway-ca-key", type=Path, help="[gateway] ca_key of ChirpStack")
    parser.add_argument("--fault", default="{}", metavar="JSON", help="see faults.py")
    given = parser.parse_args(arguments)
    host, colon, port = given.mqtt.rpartition(":")
    if not colon or not port.isdigit():
        parser.error(f"--mqtt {given.mqtt}: write HOST:PORT")
    try:
        faults = parse(given.fault.encode(), Faults())
    except FaultError as error:
        parser.error(str(error))
    authority = None
    if given.gateway_ca_cert and given.gateway_ca_key:
        authority = Authority(given.gateway_ca_cert, given.gateway_ca_key)
    seed = given.seed if given.seed is not None else secrets.token_hex(16)
    return Options(
        mqtt_host=host,
        mqtt_port=int(port),
        grpc_host=given.grpc_host,
        grpc_port=given.grpc,
        virtual_clock=given.clock == "virtual",
        seed=seed,
        qos=given.qos,
        as_json=given.json,
        api_secret=given.api_secret or secret_of_seed(seed),
        api_token_file=given.api_token_file,
        event_history=given.event_history,
        with_parent=given.with_parent,
        gateway_authority=authority,
        faults=faults,
    )
