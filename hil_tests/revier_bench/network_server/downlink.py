# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Class A downlinks: one frame with two items, RX1 and RX2, for the gateway that heard best."""

from dataclasses import dataclass

from chirpstack_api import gw, integration
from google.protobuf.duration_pb2 import Duration

from revier_bench.network_server import adr, events, frames, mac_commands
from revier_bench.network_server.adr import AdrParameters
from revier_bench.network_server.frames import DataDown
from revier_bench.network_server.mac_commands import Block
from revier_bench.network_server.queue import QueueItem
from revier_bench.network_server.region import (
    DOWNLINK_PAYLOAD_BYTES_MAX,
    RX1_DELAY_S,
    RX1_DR_OFFSET,
    RX2_DR,
    RX2_FREQUENCY_HZ,
    TX_POWER_INDEX_MAX,
    downlink_modulation,
    downlink_power_dbm,
    required_snr_db,
    rx1_dr,
)
from revier_bench.network_server.registry import DeviceContext, Session
from revier_bench.network_server.state import (
    Downlink,
    Output,
    Response,
    SentDownlink,
    State,
    Uplink,
)
from revier_bench.network_server.times import NS_PER_S

GATEWAY_MARGIN_DB_MIN = 10.0  # ChirpStack's gateway_prefer_min_margin
F_OPTS_BYTES_MAX = 15
DAY_NS = 24 * 3600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Plan:
    """What a downlink is made of before it is known what fits into which window."""

    context: DeviceContext
    blocks: list[Block]
    item: QueueItem | None
    more_items: bool
    must_ack: bool


def respond(state: State, response: Response, now_ns: int) -> list[Output]:
    """The downlink after a data uplink, if there is anything to say."""
    context = response.context
    session = context.device.session
    if session is None or session.dev_addr != response.dev_addr:
        return []  # it has joined again meanwhile
    frame = downlink_frame(state, context, response.uplink, session.rx1_delay_s or RX1_DELAY_S)
    if frame is None:
        return []
    sizes = payload_sizes(session)
    out, item, more = _next_item(state, response, sizes[0], now_ns)
    blocks = mac_commands.sendable(
        session, [*response.answers, *_requests(context, response.uplink.dr, now_ns)]
    )
    plan = Plan(context, blocks, item, more, response.must_ack)
    if item is None and not blocks and not response.must_ack and not response.must_send:
        return out
    if any(b[0][0] == mac_commands.DEV_STATUS for b in blocks):
        session.device_status_requested_ns = now_ns
    f_pending = more
    carried = False
    for frame_item, size in zip(frame.items, sizes, strict=True):
        down, fits = _compose(plan, session, size, f_pending)
        f_pending = f_pending or not fits
        carried = carried or bool(down.f_port)
        frame_item.phy_payload = frames.build_data_down(
            down, session.keys, sealed=item is not None and item.is_encrypted
        )
    if item is not None and not item.is_encrypted:
        state.queue.set_f_cnt(item, session.f_cnt_down)
    f_cnt = item.f_cnt_down if item is not None and item.is_encrypted else session.f_cnt_down
    assert f_cnt is not None
    item_id = item.id if item is not None else None
    state.remember(SentDownlink(frame, context.device.dev_eui, f_cnt, item_id, False))
    return [*out, Downlink(frame)]


def downlink_frame(
    state: State, context: DeviceContext, uplink: Uplink, rx1_delay_s: int
) -> gw.DownlinkFrame | None:
    """A frame for RX1 and RX2 whose items still lack their payload; None: no gateway may send."""
    session = context.device.session
    assert session is not None
    rx = _select_gateway(state, context)
    if rx is None:
        return None
    first = uplink.tx_info.frequency, rx1_dr(uplink.dr, session.rx1_dr_offset), rx1_delay_s
    second = session.rx2_frequency_hz, session.rx2_dr, rx1_delay_s + 1
    return gw.DownlinkFrame(
        downlink_id=state.chance.downlink_id(),
        gateway_id=rx.gateway_id,
        items=[_item(rx, *first), _item(rx, *second)],
    )


def _item(rx: gw.UplinkRxInfo, frequency_hz: int, dr: int, delay_s: int) -> gw.DownlinkFrameItem:
    return gw.DownlinkFrameItem(
        tx_info=gw.DownlinkTxInfo(
            frequency=frequency_hz,
            power=downlink_power_dbm(frequency_hz),
            modulation=downlink_modulation(dr),
            board=rx.board,
            antenna=rx.antenna,
            timing=gw.Timing(delay=gw.DelayTimingInfo(delay=Duration(seconds=delay_s))),
            context=rx.context,
        )
    )


def _select_gateway(state: State, context: DeviceContext) -> gw.UplinkRxInfo | None:
    """Any gateway that heard the last uplink well, weighted by priority; else the best one."""
    session = context.device.session
    assert session is not None
    allowed = [r for r in session.rx_info if state.may_send(r.gateway_id, context.tenant)]
    heard = sorted(allowed, key=lambda r: (-r.snr, -r.rssi, r.gateway_id))
    if not heard:
        return None
    limit_db = required_snr_db(session.rx_dr) + GATEWAY_MARGIN_DB_MIN
    good = [r for r in heard if r.snr >= limit_db]
    if len(good) < 2:
        return heard[0]
    gateways = state.registry.gateways
    return state.chance.pick(good, [max(1, gateways[r.gateway_id].downlink_priority) for r in good])


def payload_sizes(session: Session) -> tuple[int, int]:
    first = rx1_dr(session.rx_dr, session.rx1_dr_offset)
    return DOWNLINK_PAYLOAD_BYTES_MAX[first], DOWNLINK_PAYLOAD_BYTES_MAX[session.rx2_dr]


def _next_item(
    state: State, response: Response, size_max: int, now_ns: int
) -> tuple[list[Output], QueueItem | None, bool]:
    """The first item that can go, and the events of those that are dropped before it."""
    context = response.context
    session = context.device.session
    assert session is not None
    out: list[Output] = []
    while (first := state.queue.first(context.device.dev_eui)) is not None:
        item, more = first
        event = _refused(response, item, size_max, now_ns)
        if event is None:
            return out, item, more
        state.queue.remove(item)
        out.append(event)
    return out, None, False


def _refused(
    response: Response, item: QueueItem, size_max: int, now_ns: int
) -> events.Event | None:
    context = response.context
    session = context.device.session
    assert session is not None
    details = {"queue_item_id": item.id}
    if item.is_pending:  # sent, and the next uplink brought no acknowledgement
        dedup = response.uplink.deduplication_id
        return events.ack(context, dedup, now_ns, item, acknowledged=False)
    if item.has_expired(now_ns):
        code, text = integration.EXPIRED, "Device queue-item discarded because it has expired"
    elif len(item.data) > size_max:
        code = integration.DOWNLINK_PAYLOAD_SIZE
        text = "Device queue-item discarded because it exceeds the max. payload size"
        details |= {"max_payload_size": str(size_max), "item_size": str(len(item.data))}
    elif item.is_encrypted and (item.f_cnt_down or 0) < session.f_cnt_down:
        code = integration.F_CNT_DOWN
        text = "Device queue-item discarded because the frame-counter is invalid"
        details |= {
            "device_f_cnt_down": str(session.f_cnt_down),
            "queue_item_f_cnt_down": str(item.f_cnt_down or 0),
        }
    else:
        return None
    return events.log(context, now_ns, events.LogEntry(code, text, details))


def _requests(context: DeviceContext, uplink_dr: int, now_ns: int) -> list[Block]:
    """What the network asks of the device, in ChirpStack's order."""
    session = context.device.session
    assert session is not None
    blocks: list[Block] = []
    if channels := mac_commands.new_channel_reqs(session):
        blocks.append(channels)
    if link_adr := _link_adr(session, uplink_dr):
        blocks.append(link_adr)
    if _device_status_is_due(context, session, now_ns):
        blocks.append(mac_commands.dev_status_req())
    wanted_rx2 = (RX1_DR_OFFSET, RX2_DR, RX2_FREQUENCY_HZ)
    if (session.rx1_dr_offset, session.rx2_dr, session.rx2_frequency_hz) != wanted_rx2:
        blocks.append(mac_commands.rx_param_setup_req(*wanted_rx2))
    delay_s = max(RX1_DELAY_S, context.profile.rx1_delay_s)
    if session.rx1_delay_s != delay_s:
        blocks.append(mac_commands.rx_timing_setup_req(delay_s))
    return blocks


def _link_adr(session: Session, uplink_dr: int) -> Block | None:
    """The data rate of the uplink counts, even when it brought the answer to a change of it."""
    now = AdrParameters(uplink_dr, session.tx_power_index, session.nb_trans)
    wanted = now
    if session.adr:
        wanted = adr.wanted_parameters(
            now,
            session.adr_history,
            required_snr_db(uplink_dr),
            session.tx_power_index_max or TX_POWER_INDEX_MAX,
        )
    channels = mac_commands.channel_mask_wanted(session)
    if channels is None and wanted == now:
        return None
    if channels is None:
        channels = session.enabled_channels
    dr = session.dr if wanted == now else wanted.dr
    return mac_commands.link_adr_req(dr, wanted.tx_power_index, channels, wanted.nb_trans)


def _device_status_is_due(context: DeviceContext, session: Session, now_ns: int) -> bool:
    per_day = context.profile.device_status_req_interval
    if per_day == 0:
        return False
    last_ns = session.device_status_requested_ns
    return last_ns is None or now_ns - last_ns >= DAY_NS // per_day


def _compose(plan: Plan, session: Session, size: int, f_pending: bool) -> tuple[DataDown, bool]:
    """The frame for one window, and whether the queued item went into it (or none waits)."""
    commands = b""
    for block in plan.blocks:
        block_bytes = b"".join(block)
        if len(commands) + len(block_bytes) > size:
            break
        commands += block_bytes
        session.pending_mac[block[0][0]] = block
    item = plan.item
    on_port_0 = len(commands) > F_OPTS_BYTES_MAX
    carry = item is not None and not on_port_0 and len(commands) + len(item.data) <= size
    f_cnt = session.f_cnt_down
    f_port, data, confirmed = None, b"", False
    if on_port_0:
        f_port, data, f_pending = 0, commands, item is not None
    elif item is not None and carry:
        f_port, data, confirmed = item.f_port, item.data, item.confirmed
        f_cnt = (item.f_cnt_down or 0) if item.is_encrypted else f_cnt
    elif item is not None:
        f_pending = True
    down = DataDown(
        confirmed=confirmed,
        dev_addr=session.dev_addr,
        adr=True,
        ack=plan.must_ack,
        f_pending=f_pending,
        f_cnt=f_cnt,
        f_opts=b"" if on_port_0 else commands,
        f_port=f_port,
        frm_payload=data,
    )
    return down, item is None or carry or on_port_0
