# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The air of a whole town: time, radio gateways and the network server behind them.

L2 = LoRaWAN L2 1.0.4; RP = RP002-1.0.4.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Sequence

from chirpstack_api import gw

from revier_bench.network_server.chance import SeededChance
from revier_bench.network_server.core import GatewayAck, GatewayUp, NetworkServer
from revier_bench.network_server.events import Event
from revier_bench.network_server.registry import (
    Application,
    Device,
    DeviceKeys,
    DeviceProfile,
    Gateway,
    Registry,
    Tenant,
)
from revier_bench.network_server.state import Downlink, Output
from revier_bench.world.air import Air, Emission, Listener, Position
from revier_bench.world.duty_cycle import DutyCycle, SubBand
from revier_bench.world.radio_gateway import RadioGateway

LONGEST_US = 2_000_000  # a join accept in RX2 takes 1.81 s
START_UNIX_US = 1_795_438_272_000_000
TENANT, APPLICATION, PROFILE = "tenant", "application", "profile"


class Clock:
    """Simulated time. Equal times run in the order in which they were asked for."""

    def __init__(self) -> None:
        self.now_us = 0
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._serial = 0

    def at(self, t_us: int, fn: Callable[[], None]) -> None:
        self._serial += 1
        heapq.heappush(self._due, (max(t_us, self.now_us), self._serial, fn))

    def run(self, until_us: int, done: Callable[[], bool]) -> None:
        while self._due and self._due[0][0] <= until_us and not done():
            self.now_us, _, fn = heapq.heappop(self._due)
            fn()


class TownAir(Air):
    """The bench's air; what a town asks of it over and over is computed once."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self._known_dbm: dict[tuple[str, int, str], float] = {}

    def emit(self, emission: Emission) -> None:
        """No frame here is longer than LONGEST_US: what ended before another one meets nothing."""
        assert emission.airtime_us <= LONGEST_US
        oldest_us = emission.start_us - 2 * LONGEST_US
        self._emissions = [e for e in self._emissions if e.end_us > oldest_us]
        super().emit(emission)

    def rssi_dbm(self, emission: Emission, listener: Listener) -> float:
        key = emission.sender, emission.start_us, listener.name
        if key not in self._known_dbm:
            if len(self._known_dbm) > 200_000:
                self._known_dbm.clear()
            self._known_dbm[key] = super().rssi_dbm(emission, listener)
        return self._known_dbm[key]

    def _destroys(
        self, other: Emission, wanted: Emission, listener: Listener, wanted_dbm: float
    ) -> bool:
        if other.start_us >= wanted.end_us or other.end_us <= wanted.start_us:
            return False  # most of a town's frames
        return super()._destroys(other, wanted, listener, wanted_dbm)


class _NoLimit(DutyCycle):
    def allows(self, band: SubBand, start_us: int, airtime_us: int) -> bool:  # noqa: ARG002
        return True


class UnlimitedGateway(RadioGateway):
    """What a forwarder does that does not look at the duty cycle. Not lawful."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._duty_cycle = _NoLimit()


class Network:
    """Radio gateways, and the stand-in network server (ChirpStack's rules) that they feed."""

    def __init__(
        self, clock: Clock, air: Air, positions: Sequence[Position], limited: bool, seed: str
    ) -> None:
        self._clock = clock
        self._server = NetworkServer(_registry(len(positions)), SeededChance(seed))
        kind = RadioGateway if limited else UnlimitedGateway
        self.gateways = {
            _gateway_id(i): kind(
                _gateway_id(i), position, air, clock.at, START_UNIX_US, seed, self._heard
            )
            for i, position in enumerate(positions)
        }
        self.statuses: Counter[str] = Counter()  # of downlinks, as the gateways acknowledge them
        self.join_requests_heard: set[bytes] = set()
        self.on_event: Callable[[Event], None] = lambda _event: None  # for the application

    def add_device(self, dev_eui: bytes, app_key: bytes) -> None:
        rows, name = self._server.registry, dev_eui.hex()
        rows.devices[name] = Device(name, name, APPLICATION, PROFILE)
        rows.keys[name] = DeviceKeys(name, app_key)

    def _now_ns(self) -> int:
        return (START_UNIX_US + self._clock.now_us) * 1000

    def _heard(self, _gateway: str, frame: gw.UplinkFrame, emission: Emission) -> None:
        if len(emission.payload) == 23 and emission.payload[0] == 0:
            self.join_requests_heard.add(emission.payload)
        self._take(self._server.handle(GatewayUp(frame.SerializeToString()), self._now_ns()))
        self._wait()

    def _wait(self) -> None:
        due_ns = self._server.deadline_ns()
        if due_ns is not None:
            self._clock.at(-(-due_ns // 1000) - START_UNIX_US, self._elapse)

    def _elapse(self) -> None:
        self._take(self._server.elapse(self._now_ns()))
        self._wait()

    def _take(self, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, Downlink):
                gateway = self.gateways[output.frame.gateway_id]
                ack = gateway.transmit(output.frame, self._clock.now_us)
                self.statuses.update(gw.TxAckStatus.Name(item.status) for item in ack.items)
                sent = [item.status for item in ack.items].count(gw.OK)
                self.statuses["answered" if sent else "not answered"] += 1
                step = GatewayAck(ack.SerializeToString())
                self._take(self._server.handle(step, self._now_ns()))
            elif isinstance(output, Event):
                self.on_event(output)


def _gateway_id(number: int) -> str:
    return f"0016c001ff10{number:04x}"


def _registry(gateways: int) -> Registry:
    rows = Registry()
    rows.tenants[TENANT] = Tenant(TENANT, TENANT)
    rows.applications[APPLICATION] = Application(APPLICATION, TENANT, APPLICATION)
    rows.profiles[PROFILE] = DeviceProfile(PROFILE, TENANT, PROFILE)
    for number in range(gateways):
        rows.gateways[_gateway_id(number)] = Gateway(_gateway_id(number), TENANT)
    return rows
