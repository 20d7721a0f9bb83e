# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a gateway answers to a downlink: transmitted, or refused and why."""

from chirpstack_api import gw, integration

from revier_bench.network_server import events
from revier_bench.network_server.frame_log import downlink_log
from revier_bench.network_server.frames import CONFIRMED_DOWN
from revier_bench.network_server.registry import DeviceContext, NotFoundError
from revier_bench.network_server.state import Output, SentDownlink, State

KINDS = {1: "JoinAccept", 3: "UnconfirmedDataDown", 5: "ConfirmedDataDown"}


def handle(state: State, ack: gw.DownlinkTxAck, now_ns: int) -> list[Output]:
    """A second answer, and one to a frame that was never sent, says nothing."""
    sent = state.sent.get(ack.downlink_id)
    if sent is None or not 0 < len(ack.items) <= len(sent.frame.items):
        return []
    del state.sent[ack.downlink_id]
    try:
        context = state.registry.context(sent.dev_eui)
    except NotFoundError:
        return []
    done = [i for i, item in enumerate(ack.items) if item.status == gw.OK]
    if not done:
        return _refused(context, sent, ack, now_ns)
    index = done[-1]
    out: list[Output] = []
    if not sent.is_join_accept:
        out += _transmitted(state, context, sent, index, now_ns)
    return [*out, _log(context, sent, index, now_ns)]


def _refused(
    context: DeviceContext, sent: SentDownlink, ack: gw.DownlinkTxAck, now_ns: int
) -> list[Output]:
    """The item stays queued and its counter is used again."""
    if sent.is_join_accept:
        return []
    reason = gw.TxAckStatus.Name(ack.items[-1].status)
    entry = events.LogEntry(integration.DOWNLINK_GATEWAY, reason, {})
    return [events.log(context, now_ns, entry)]


def _transmitted(
    state: State, context: DeviceContext, sent: SentDownlink, index: int, now_ns: int
) -> list[Output]:
    session = context.device.session
    phy_payload = sent.frame.items[index].phy_payload
    if session is not None and phy_payload[1:5] == session.dev_addr[::-1]:
        session.f_cnt_down = sent.f_cnt_down + 1
    if sent.queue_item_id is None or not _carries_item(phy_payload):
        return []
    try:
        item = state.queue.get(sent.dev_eui, sent.queue_item_id)
    except NotFoundError:
        return []  # flushed meanwhile
    if phy_payload[0] >> 5 == CONFIRMED_DOWN:
        state.queue.set_pending(item)
    else:
        state.queue.remove(item)
    tx_info = sent.frame.items[index].tx_info
    return [events.txack(context, now_ns, item, sent.frame, tx_info)]


def _carries_item(phy_payload: bytes) -> bool:
    port_at = 8 + (phy_payload[5] & 0x0F)
    return port_at < len(phy_payload) - 4 and phy_payload[port_at] != 0


def _log(context: DeviceContext, sent: SentDownlink, index: int, now_ns: int) -> Output:
    kind = KINDS[sent.frame.items[index].phy_payload[0] >> 5]
    session = context.device.session
    dev_addr = session.dev_addr.hex() if session is not None else ""
    return downlink_log(sent.frame, sent.dev_eui, kind, now_ns, dev_addr, index)
