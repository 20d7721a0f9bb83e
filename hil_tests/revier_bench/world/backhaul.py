# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From the radio gateways' ears to the network server and back, in the world's time.

Stepped: what was heard is handed over, and the world's clock stands still until the network
server is done; its downlinks are scheduled before the clock goes on. At wall speed: handed over
and forgotten, and the other side is asked for downlinks every POLL_US.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from chirpstack_api import gw

from revier_bench.world.air import Emission, Medium
from revier_bench.world.chance import stream
from revier_bench.world.fleet import FleetRadioGateway
from revier_bench.world.mqtt_wall import MqttWall, StepInput
from revier_bench.world.radio_gateway import RadioGateway

UPLINK_LATENCY_US = 1_000  # one hand-over for all radio gateways that heard the same frame
POLL_US = 20_000
STATS_INTERVAL_US = 300_000_000
KEEP_ALIVE_S = 5.0

Heard = Callable[[str, Emission], None]


class Clock(Protocol):
    """What this file needs of the kernel."""

    @property
    def now_us(self) -> int: ...
    def at(self, t_us: int, fn: Callable[[], object], /) -> object: ...


class Backhaul:
    """All radio gateways of the world behind one wall."""

    def __init__(
        self,
        clock: Clock,
        wall: MqttWall,
        air: Medium,
        gateways: tuple[FleetRadioGateway, ...],
        start_unix_us: int,
        seed: str,
        on_heard: Heard,
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._start_unix_us = start_unix_us
        self._on_heard = on_heard
        self._pending = StepInput()
        self._pumped_s = time.monotonic()
        self.tx_status: dict[str, int] = {}
        self.waited_s = 0.0  # wall time that the world stood still for MQTT
        self.gateways = {
            gateway.gateway_id: RadioGateway(
                gateway.gateway_id,
                gateway.position,
                air,
                lambda t_us, fn: void(clock.at(t_us, fn)),
                start_unix_us,
                seed,
                self._on_uplink,
            )
            for gateway in gateways
        }
        first_us = clock.now_us
        for gateway_id in self.gateways:
            self._report_from(gateway_id, first_us + _phase_us(seed, gateway_id))
        clock.at(first_us, self._poll)

    def _on_uplink(self, gateway_id: str, frame: gw.UplinkFrame, emission: Emission) -> None:
        self._on_heard(gateway_id, emission)
        if not self._pending:
            self._clock.at(self._clock.now_us + UPLINK_LATENCY_US, self._hand_over)
        self._pending.uplinks.append((gateway_id, frame))

    def _hand_over(self) -> None:
        given, self._pending = self._pending, StepInput()
        began_s = time.monotonic()
        if not self._wall.is_stepped:
            self._wall.publish(given)
        while self._wall.is_stepped and given:
            downlinks = self._wall.step(given, self._start_unix_us + self._clock.now_us)
            given = StepInput(acks=self._transmit(downlinks))
        self._pumped_s = time.monotonic()
        self.waited_s += self._pumped_s - began_s

    def _transmit(
        self, downlinks: list[tuple[str, gw.DownlinkFrame]]
    ) -> list[tuple[str, gw.DownlinkTxAck]]:
        acks = []
        for gateway_id, frame in downlinks:
            ack = self.gateways[gateway_id].transmit(frame, self._clock.now_us)
            for item in ack.items:
                status = gw.TxAckStatus.Name(item.status)
                self.tx_status[status] = self.tx_status.get(status, 0) + 1
            acks.append((gateway_id, ack))
        return acks

    def _poll(self) -> None:
        """Wall speed: fetch downlinks. Stepped: keep the connections alive, now and then."""
        if not self._wall.is_stepped:
            acks = self._transmit(self._wall.take_downlinks())
            self._wall.publish(StepInput(acks=acks))
            self._clock.at(self._clock.now_us + POLL_US, self._poll)
            return
        if time.monotonic() - self._pumped_s > KEEP_ALIVE_S:
            self._wall.pump(0.0)
            self._pumped_s = time.monotonic()
        self._clock.at(self._clock.now_us + 10_000_000, self._poll)

    def _report_from(self, gateway_id: str, t_us: int) -> None:
        def report() -> None:
            stats = self.gateways[gateway_id].stats(self._clock.now_us)
            self._wall.publish_stats(gateway_id, stats)
            self._report_from(gateway_id, t_us + STATS_INTERVAL_US)

        self._clock.at(t_us, report)


def _phase_us(seed: str, gateway_id: str) -> int:
    """Radio gateways report at moments of their own."""
    return stream(seed, f"stats:{gateway_id}").randrange(STATS_INTERVAL_US)


def void(_value: object) -> None:
    """For a callable whose answer nobody wants."""
