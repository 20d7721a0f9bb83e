# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""`python -m revier_bench.world`: the world as a process of its own.

Stdout carries one JSON object per line: {"event": "progress" | "status" | "finished", ...}.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from revier_bench.world.backhaul import void
from revier_bench.world.fleet import DEMO_FLEET
from revier_bench.world.mqtt_wall import WallError
from revier_bench.world.simulation import Settings, Simulation
from revier_bench.world.truth import to_json
from revier_bench.world.workshop import WorkshopError
from revier_provision import ProvisionError

STATUS_EVERY_S = 0.5
DEFAULT_START = datetime(2026, 5, 4, tzinfo=UTC)


def say(event: str, **content: Any) -> None:
    print(json.dumps({"event": event, **content}), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """0: the run came to its end; 1: it could not; 2: wrong arguments."""
    given = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="revier-world-") as temporary:
        work_dir = given.work_dir or Path(temporary)
        settings = _settings(given, work_dir)
        on_line = None if given.console is None else _writer(given.console)
        with Simulation(settings, lambda text: say("progress", text=text), on_line) as world:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: world.stop())
            try:
                return _run(world, given)
            except (WallError, WorkshopError, ProvisionError) as error:
                sys.stderr.write(f"{error}\n")
                return 1


def _run(world: Simulation, given: argparse.Namespace) -> int:
    began_s = time.monotonic()
    world.provision()
    ready_s = time.monotonic()
    say("progress", text=f"provisioned in {ready_s - began_s:.1f} s", wall_s=ready_s - began_s)
    ended = threading.Event()
    reporter = threading.Thread(target=_report, args=(world, ended), daemon=True)
    reporter.start()
    try:
        if world.settings.stepped:
            world.run_for(given.hours * 3600)
        history_s = time.monotonic() - ready_s
        waited_s = world.waited_s
        text = f"history done in {history_s:.1f} s, of it {waited_s:.1f} s for MQTT"
        say("progress", text=text, wall_s=history_s, waited_s=waited_s)
        world.run_for(given.live, pace=1.0)
    finally:
        ended.set()
        reporter.join()
        if given.truth is not None:
            lines = [json.dumps(to_json(uplink)) + "\n" for uplink in world.truth.uplinks]
            given.truth.write_text("".join(lines))
    say("finished", **_status(world))
    return 0


def _writer(path: Path) -> Callable[[str, int, str], None]:
    file = path.open("w", encoding="utf-8", buffering=1)
    return lambda asset, t_us, line: void(file.write(f"{t_us / 1e6:.6f} {asset} {line}\n"))


def _report(world: Simulation, ended: threading.Event) -> None:
    while not ended.wait(STATUS_EVERY_S):
        say("status", **_status(world))


def _status(world: Simulation) -> dict[str, Any]:
    status = asdict(world.status())
    status["world_time"] = status["world_time"].isoformat()
    return status


def _settings(given: argparse.Namespace, work_dir: Path) -> Settings:
    host, _, port = given.mqtt.rpartition(":")
    return Settings(
        mqtt=(host, int(port)),
        grpc=given.grpc,
        api_token=given.api_token_file.read_text().strip(),
        work_dir=work_dir,
        inventory_dir=given.inventory or work_dir / "inventory",
        seed=given.seed,
        start=given.start,
        fleet=DEMO_FLEET.only(given.nodes),
        stepped=given.network_server == "stand-in",
        topic_prefix=given.topic_prefix,
        build_dir=given.build_dir,
    )


def _start(text: str) -> datetime:
    start = datetime.fromisoformat(text)
    return start.replace(tzinfo=UTC) if start.tzinfo is None else start


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no address: write HOST:PORT")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m revier_bench.world",
        description="Nodes, air and radio gateways of a district, before a network server.",
    )
    parser.add_argument("--mqtt", type=_address, required=True, metavar="HOST:PORT")
    parser.add_argument("--grpc", type=_address, required=True, metavar="HOST:PORT")
    parser.add_argument("--api-token-file", type=Path, required=True)
    parser.add_argument(
        "--network-server",
        choices=("stand-in", "external"),
        default="stand-in",
        help="external: a real ChirpStack, at wall speed, without history",
    )
    parser.add_argument("--topic-prefix", default="eu868", help="of the radio gateways' topics")
    parser.add_argument("--seed", default="0")
    parser.add_argument("--start", type=_start, default=DEFAULT_START, metavar="ISO8601")
    parser.add_argument("--hours", type=float, default=24.0, help="of history, as fast as it goes")
    parser.add_argument("--live", type=float, default=0.0, metavar="SECONDS", help="at wall speed")
    parser.add_argument("--nodes", type=int, default=len(DEMO_FLEET.nodes))
    parser.add_argument("--work-dir", type=Path, help="kept; by default a temporary folder")
    parser.add_argument("--build-dir", type=Path, help="keeps what is compiled between runs")
    parser.add_argument("--inventory", type=Path, metavar="DIR")
    parser.add_argument("--console", type=Path, metavar="FILE", help="every line of every node")
    parser.add_argument("--truth", type=Path, metavar="FILE", help="what was heard, JSON lines")
    return parser
