# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The whole world in one object: boards, air, radio gateways, environments, truth.

    with Simulation(settings) as world:
        world.provision()             # identities, inventory, registration
        world.run_for(24 * HOUR_S)    # history, as fast as it goes
        world.run_for(60, pace=1.0)   # live
        world.truth.uplinks           # what radio gateways heard, decrypted

Everything follows from the seed and the start; wall time changes nothing in what happens.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from revier_bench import image
from revier_bench.virtual_board import Kernel, WiredBoard
from revier_bench.world.air import Air, Emission
from revier_bench.world.backhaul import Backhaul
from revier_bench.world.boards import board_spec, environment_of, placed_board
from revier_bench.world.chance import stream
from revier_bench.world.fleet import DEMO_FLEET, OWNERS, Fleet
from revier_bench.world.mqtt_wall import MqttWall
from revier_bench.world.signals import Weather
from revier_bench.world.truth import TruthLog
from revier_bench.world.workshop import ReadyNode, Workshop
from revier_provision.lns.fleet import FleetChirpStack

HOUR_S = 3600
POWER_ON_SPREAD_US = 120_000_000  # a technician switches the nodes on one after the other
POWER_ON_SPREAD_LIVE_US = 10_000_000  # at wall speed a person waits for them


@dataclass(frozen=True, slots=True)
class Settings:
    """`stepped`: the network server is the bench's, under the world's clock."""

    mqtt: tuple[str, int]
    grpc: str
    api_token: str
    work_dir: Path
    inventory_dir: Path
    seed: str = "0"
    start: datetime = datetime(2026, 5, 4, tzinfo=UTC)
    fleet: Fleet = DEMO_FLEET
    stepped: bool = True
    topic_prefix: str = "eu868"  # as in the network server's region configuration
    build_dir: Path | None = None  # keeps what is compiled between runs
    tls_roots: bytes | None = None
    codec_js: str | None = None  # of the device profiles

    @property
    def start_unix_us(self) -> int:
        return round(self.start.timestamp() * 1_000_000)


@dataclass(frozen=True, slots=True)
class NodeStatus:
    asset: str
    name: str
    town: str
    kind: str
    dev_eui: str
    joined: bool
    dr: int | None


@dataclass(frozen=True, slots=True)
class Status:
    """A look at the running world, for people. Safe to take from another thread."""

    world_time: datetime
    readings_measured: int
    frames_sent: int
    frames_heard: int
    readings_heard: int
    nodes_joined: int
    heard_by: dict[str, int]
    node_errors: int
    last_error: str
    nodes: list[NodeStatus]


@dataclass(slots=True)
class _Said:
    """The last words of a node."""

    dr: int | None = None
    joined: bool = False


class Simulation:
    """One run. `on_line(asset, t_us, line)` hears every line of every node's console."""

    def __init__(
        self,
        settings: Settings,
        progress: Callable[[str], None] = lambda _text: None,
        on_line: Callable[[str, int, str], None] | None = None,
    ) -> None:
        self.settings = settings
        self._progress = progress
        self._on_line = on_line
        settings.work_dir.mkdir(parents=True, exist_ok=True)
        self.build_dir = settings.build_dir or settings.work_dir / "build"
        self.start_unix_us = settings.start_unix_us
        self.truth = TruthLog(self.start_unix_us)
        self.ready: list[ReadyNode] = []
        self.boards: dict[str, WiredBoard] = {}
        self._said: dict[str, _Said] = {}
        self._heard_by: dict[str, int] = {g.gateway_id: 0 for g in settings.fleet.radio_gateways}
        self._node_errors = 0
        self._last_error = ""
        self._stopped = False
        self.air = Air(settings.seed)
        self.kernel: Kernel | None = None
        self.wall: MqttWall | None = None
        self.backhaul: Backhaul | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- before the first microsecond ----------------------------------------------------------

    def provision(self, workshop: type[Workshop] = Workshop) -> None:
        """Boards on the technician's bench, then into the world. Raises WorkshopError."""
        settings = self.settings
        self._progress("building the firmware image")
        firmware = image.build(self.build_dir)
        with FleetChirpStack(
            settings.grpc,
            settings.api_token,
            tls_roots=settings.tls_roots,
            codec_js=settings.codec_js,
        ) as network_server:
            bench = workshop(
                settings.fleet,
                settings.seed,
                firmware,
                settings.work_dir,
                self.build_dir,
                settings.inventory_dir,
                network_server,
                settings.start_unix_us,
                self._progress,
            )
            self.ready = bench.provision()
        if settings.stepped:
            self.open()

    def open(self) -> None:
        """The first microsecond: boards and radio gateways take their places.

        Before a real network server this is now, so what else has to start starts before;
        run_for() does it if nobody did.
        """
        settings = self.settings
        assert self.ready, "provision() first"
        if not settings.stepped:  # a real network server lives now
            self.start_unix_us = time.time_ns() // 1000
        self.truth = TruthLog(self.start_unix_us)
        self.air.on_air = self.truth.on_air
        kernel = self.kernel = Kernel(self.start_unix_us, self.build_dir)
        host, port = settings.mqtt
        self.wall = MqttWall(
            host,
            port,
            list(self._heard_by),
            topic_prefix=settings.topic_prefix,
            stepped=settings.stepped,
        )
        self.wall.open()
        self.backhaul = Backhaul(
            kernel,
            self.wall,
            self.air,
            settings.fleet.radio_gateways,
            self.start_unix_us,
            settings.seed,
            self._heard,
        )
        weather = Weather(settings.seed, self.start_unix_us)
        for ready in self.ready:
            self._place(kernel, ready, weather)

    def _place(self, kernel: Kernel, ready: ReadyNode, weather: Weather) -> None:
        node, settings = ready.node, self.settings
        environment = environment_of(node, settings.seed, weather, self.start_unix_us)
        spec = board_spec(node, settings.seed, ready.flash_image, settings.work_dir)
        board = placed_board(kernel, spec, node, self.air, environment)
        self.boards[node.asset] = board
        self._said[node.asset] = _Said()
        self.truth.add_node(ready.dev_eui, ready.app_key)
        board.on_console_line = lambda t_us, line: self._console(ready, t_us, line)
        spread_us = POWER_ON_SPREAD_US if settings.stepped else POWER_ON_SPREAD_LIVE_US
        delay_us = stream(settings.seed, f"power-on:{node.asset}").randrange(spread_us)
        board.at(delay_us, board.power_on)

    # --- the run --------------------------------------------------------------------------------

    def run_for(self, seconds: float, pace: float | None = None) -> None:
        """pace None: as fast as possible; 1.0: wall speed. Ends early after stop()."""
        if self.kernel is None and not self._stopped:
            self.open()
        if self.kernel is not None and not self._stopped:
            self.kernel.run_until(self.kernel.now_us + round(seconds * 1_000_000), pace)

    def stop(self) -> None:
        """From any thread or a signal handler."""
        self._stopped = True
        if self.kernel is not None:
            self.kernel.stop()

    def close(self) -> None:
        self._stopped = True
        if self.kernel is not None:
            self.kernel.close()
            self.kernel = None
        if self.wall is not None:
            self.wall.close()
            self.wall = None

    @property
    def waited_s(self) -> float:
        """Wall time that the world stood still for MQTT and the network server."""
        return 0.0 if self.backhaul is None else self.backhaul.waited_s

    @property
    def now_us(self) -> int:
        """World time since the first microsecond."""
        return 0 if self.kernel is None else self.kernel.now_us

    @property
    def stopped(self) -> bool:
        return self._stopped

    # --- what is seen -----------------------------------------------------------------------------

    def status(self) -> Status:
        moment_s = (self.start_unix_us + self.now_us) / 1_000_000
        return Status(
            world_time=datetime.fromtimestamp(moment_s, UTC),
            readings_measured=self.truth.readings_measured,
            frames_sent=self.truth.frames_sent,
            frames_heard=self.truth.frames_heard,
            readings_heard=self.truth.readings_heard,
            nodes_joined=self.truth.nodes_joined,
            heard_by=dict(self._heard_by),
            node_errors=self._node_errors,
            last_error=self._last_error,
            nodes=[self._node_status(ready) for ready in self.ready],
        )

    def _node_status(self, ready: ReadyNode) -> NodeStatus:
        node, said = ready.node, self._said.get(ready.node.asset, _Said())
        return NodeStatus(
            node.asset, node.name, OWNERS[node.ags], node.kind, ready.dev_eui, said.joined, said.dr
        )

    def _heard(self, gateway_id: str, emission: Emission) -> None:
        self._heard_by[gateway_id] += 1
        self.truth.on_heard(gateway_id, emission)

    def _console(self, ready: ReadyNode, t_us: int, line: str) -> None:
        self.truth.on_console(ready.dev_eui, t_us, line)
        said = self._said[ready.node.asset]
        if line.startswith("revier joined"):
            said.joined = True
        elif line.startswith("revier uplink "):
            words = dict(word.split("=", 1) for word in line.split() if "=" in word)
            said.dr = int(words["dr"]) if words.get("dr", "").isdigit() else said.dr
        elif line.startswith("revier error "):
            self._node_errors += 1
            self._last_error = f"{ready.node.asset}: {line}"
        if self._on_line is not None:
            self._on_line(ready.node.asset, t_us, line)
