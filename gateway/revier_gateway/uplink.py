# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""An uplink as the stages after the border see it: checked, with its times settled."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from revier_gateway.events import RxInfo, UplinkEvent
from revier_gateway.outcomes import Refused

# A radio gateway with a wrong GPS puts its error into every event (ChirpStack issue 732); network
# jitter and a slow back-haul stay far below this.
CLOCK_DIFFERENCE_MAX = timedelta(minutes=5)

TimeSource = Literal["node", "network", "gateway"]


class Uplink(msgspec.Struct, frozen=True, gc=False):
    dev_eui: str
    dev_addr: str
    f_cnt: int
    f_port: int
    data: bytes
    dr: int
    tenant_id: str
    application_id: str
    tags: dict[str, str]
    heard_at: datetime  # when the frame was on the air, as well as the network knows
    heard_src: TimeSource
    heard_clamped: bool  # the network's word was impossible and was replaced by received_at
    received_at: datetime  # when the network server had it
    gateways: tuple[str, ...]
    rssi_dbm: int | None
    snr_db: float | None


def uplink_of(event: UplinkEvent, now: datetime) -> Uplink:
    """Event to uplink. Raises Refused where the payload is still encrypted."""
    if event.join_server_context is not None:
        raise Refused("encrypted", event.device_info.dev_eui)
    received_at, heard_at, source, clamped = _times(event, now)
    rx_info = event.rx_info
    best = _best(rx_info)
    info = event.device_info
    return Uplink(
        dev_eui=info.dev_eui,
        dev_addr=event.dev_addr,
        f_cnt=event.f_cnt,
        f_port=event.f_port,
        data=event.data,
        dr=event.dr,
        tenant_id=info.tenant_id,
        application_id=info.application_id,
        tags=info.tags,
        heard_at=heard_at,
        heard_src=source,
        heard_clamped=clamped,
        received_at=received_at,
        gateways=tuple([rx.gateway_id for rx in rx_info]),
        rssi_dbm=best.rssi if best else None,
        snr_db=best.snr if best else None,
    )


def _times(event: UplinkEvent, now: datetime) -> tuple[datetime, datetime, TimeSource, bool]:
    """received_at, heard_at, its source, clamped.

    The network server's own time (nsTime) is the measure; where it is missing (ChirpStack before
    4.6) it is our clock, and then an old event is a backlog and only the future is impossible.
    """
    heard_at, earliest = event.time, None
    source: TimeSource = "network"
    for rx in event.rx_info:
        ns_time = rx.ns_time
        if ns_time is not None and (earliest is None or ns_time < earliest):
            earliest = ns_time
        if rx.gw_time == heard_at:
            source = "gateway"
    received_at = now if earliest is None else earliest
    ahead = heard_at - received_at
    if ahead > CLOCK_DIFFERENCE_MAX or (earliest is not None and -ahead > CLOCK_DIFFERENCE_MAX):
        return received_at, received_at, "network", True
    return received_at, heard_at, source, False


def _best(rx_info: list[RxInfo]) -> RxInfo | None:
    best = None
    for rx in rx_info:
        if best is None or rx.snr > best.snr or (rx.snr == best.snr and rx.rssi > best.rssi):
            best = rx
    return best
