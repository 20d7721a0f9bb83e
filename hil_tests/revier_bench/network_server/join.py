# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Over-the-air activation (L2 6.2: LoRaWAN Link Layer 1.0.4)."""

from chirpstack_api import common, integration

from revier_bench.network_server import events, frames
from revier_bench.network_server.downlink import downlink_frame
from revier_bench.network_server.frame_log import uplink_log
from revier_bench.network_server.frames import JoinAccept, JoinRequest, SessionKeys
from revier_bench.network_server.region import (
    CHANNEL_DR_MAX,
    CHANNEL_DR_MIN,
    CHANNELS_HZ,
    DEFAULT_CHANNELS_HZ,
    EXTRA_CHANNELS_HZ,
    JOIN_ACCEPT_DELAY_S,
    NET_ID,
    REGION_CONFIG_ID,
    RX1_DELAY_S,
    RX1_DR_OFFSET,
    RX2_DR,
)
from revier_bench.network_server.registry import (
    DeviceContext,
    DeviceKeys,
    NotFoundError,
    Session,
)
from revier_bench.network_server.state import Downlink, Output, SentDownlink, State, Uplink

JOIN_NONCE_MAX = (1 << 24) - 1


def handle(state: State, uplink: Uplink, request: JoinRequest, now_ns: int) -> list[Output]:
    """Join-accept and event, a log event saying why not, or nothing for a stranger."""
    dev_eui = request.dev_eui.hex()
    try:
        context = state.registry.context(dev_eui)
    except NotFoundError:
        return []
    keys = state.registry.keys.get(dev_eui)
    visible = state.visible(uplink, context.tenant)
    if visible is None:
        return []
    uplink = visible
    profile, device = context.profile, context.device
    if profile.region_config_id not in ("", REGION_CONFIG_ID) or device.is_disabled or not keys:
        return []
    out: list[Output] = [uplink_log(uplink, dev_eui, "JoinRequest", now_ns)]
    if not profile.supports_otaa:
        return out
    refusal = _refusal(keys, uplink, request)
    if refusal is not None:
        return [*out, events.log(context, now_ns, refusal)]
    join_nonce, keys.join_nonce = keys.join_nonce, keys.join_nonce + 1
    if join_nonce >= JOIN_NONCE_MAX:
        return out
    keys.dev_nonces.setdefault(request.join_eui.hex(), set()).add(request.dev_nonce)
    keys.updated_ns = now_ns
    accept = JoinAccept(
        join_nonce=join_nonce,
        net_id=NET_ID,
        dev_addr=state.chance.dev_addr(),
        rx1_dr_offset=RX1_DR_OFFSET,
        rx2_dr=RX2_DR,
        rx1_delay_s=RX1_DELAY_S,
        cf_list_hz=EXTRA_CHANNELS_HZ,
    )
    session_keys = frames.session_keys(keys.nwk_key, join_nonce, NET_ID, request.dev_nonce)
    _activate(state, context, request, accept, session_keys)
    phy_payload = frames.build_join_accept(keys.nwk_key, accept)
    down = _send(state, context, uplink, phy_payload)
    if down is None:
        return out  # no gateway may answer, and ChirpStack then says nothing of the join
    joined = events.join(context, uplink.deduplication_id, uplink.time_ns(now_ns), accept.dev_addr)
    return [*out, down, joined]


def _refusal(keys: DeviceKeys, uplink: Uplink, request: JoinRequest) -> events.LogEntry | None:
    context = {"deduplication_id": uplink.deduplication_id}
    # LoRaWAN 1.0.x uses the key that 1.1 calls NwkKey: ChirpStack looks for it there.
    if not frames.join_mic_valid(request, keys.nwk_key):
        text = "MIC of join-request is invalid, make sure keys are correct"
        return events.LogEntry(integration.UPLINK_MIC, text, context)
    if request.dev_nonce in keys.dev_nonces.get(request.join_eui.hex(), ()):
        context |= {"join_eui": request.join_eui.hex(), "dev_nonce": str(request.dev_nonce)}
        return events.LogEntry(integration.OTAA, "DevNonce has already been used", context)
    return None


def _activate(
    state: State,
    context: DeviceContext,
    request: JoinRequest,
    accept: JoinAccept,
    keys: SessionKeys,
) -> None:
    device, profile = context.device, context.profile
    first_extra = len(DEFAULT_CHANNELS_HZ)
    device.session = Session(
        dev_addr=accept.dev_addr,
        keys=keys,
        rx1_delay_s=accept.rx1_delay_s,
        rx1_dr_offset=accept.rx1_dr_offset,
        rx2_dr=accept.rx2_dr,
        enabled_channels=list(range(len(CHANNELS_HZ))),
        extra_channels={
            first_extra + i: (hz, CHANNEL_DR_MIN, CHANNEL_DR_MAX)
            for i, hz in enumerate(accept.cf_list_hz)
        },
    )
    device.f_cnt_up = 0
    device.join_eui = request.join_eui.hex()
    device.class_enabled = common.CLASS_C if profile.supports_class_c else common.CLASS_A
    if profile.flush_queue_on_activate:
        state.queue.flush(device.dev_eui)


def _send(
    state: State, context: DeviceContext, uplink: Uplink, phy_payload: bytes
) -> Downlink | None:
    session = context.device.session
    assert session is not None
    session.rx_info, session.rx_dr = list(uplink.rx_info), uplink.dr
    frame = downlink_frame(state, context, uplink, JOIN_ACCEPT_DELAY_S)
    if frame is None:
        return None
    for item in frame.items:
        item.phy_payload = phy_payload
    state.remember(SentDownlink(frame, context.device.dev_eui, 0, None, is_join_accept=True))
    return Downlink(frame)
