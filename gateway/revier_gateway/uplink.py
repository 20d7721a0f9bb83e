# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""An uplink as the stages after the border see it: checked, with its times settled."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from revier_gateway.events import DeviceInfo, UplinkEvent
from revier_gateway.outcomes import Refused
from revier_gateway.values import unix_ms

# A radio gateway with a wrong GPS puts its error into every event (ChirpStack issue 732); network
# jitter and a slow back-haul stay far below this.
CLOCK_DIFFERENCE_MAX_MS = 5 * 60_000

TimeSource = Literal["node", "network", "gateway"]


class Uplink(msgspec.Struct, frozen=True, gc=False):
    dev_eui: str
    dev_addr: str
    f_cnt: int
    f_port: int
    data: bytes
    dr: int
    device: DeviceInfo
    heard_ms: int  # when the frame was on the air, as well as the network knows
    heard_src: TimeSource
    heard_clamped: bool  # the network's word was impossible and was replaced by received_ms
    received_ms: int  # when the network server had it
    counted_ms: int  # the same, by a clock that is one for all of a device's frames
    gateways: tuple[str, ...]
    rssi_dbm: int | None
    snr_db: float | None


def uplink_of(event: UplinkEvent, now_ms: int) -> Uplink:
    """Event to uplink. Raises Refused where the payload is still encrypted."""
    device = event.device_info
    if event.join_server_context is not None:
        raise Refused("encrypted", device.dev_eui)
    at, earliest, best = event.time, None, None
    source: TimeSource = "network"
    gateways = []
    for rx in event.rx_info:
        gateways.append(rx.gateway_id)
        ns_time = rx.ns_time
        if ns_time is not None and (earliest is None or ns_time < earliest):
            earliest = ns_time
        if rx.gw_time == at:
            source = "gateway"
        if best is None or rx.snr > best.snr or (rx.snr == best.snr and rx.rssi > best.rssi):
            best = rx
    heard_ms, received_ms, clamped = _times(at, earliest, now_ms)
    return Uplink(
        device.dev_eui,
        event.dev_addr,
        event.f_cnt,
        event.f_port,
        event.data,
        event.dr,
        device,
        heard_ms,
        "network" if clamped else source,
        clamped,
        received_ms,
        # where the network server gave no time, the event's must do
        heard_ms if received_ms - heard_ms > CLOCK_DIFFERENCE_MAX_MS else received_ms,
        tuple(gateways),
        None if best is None else best.rssi,
        None if best is None else best.snr,
    )


def _times(at: datetime, earliest: datetime | None, now_ms: int) -> tuple[int, int, bool]:
    """heard_ms, received_ms, clamped.

    The network server's own time (nsTime) is the measure; where it is missing (ChirpStack before
    4.6) it is our clock, and then an old event is a backlog and only the future is impossible.
    """
    heard_ms = unix_ms(at)
    received_ms = now_ms if earliest is None else unix_ms(earliest)
    ahead_ms = heard_ms - received_ms
    if ahead_ms > CLOCK_DIFFERENCE_MAX_MS or (
        earliest is not None and -ahead_ms > CLOCK_DIFFERENCE_MAX_MS
    ):
        return received_ms, received_ms, True
    return heard_ms, received_ms, False
