# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Data uplinks: whose frame it is, what it says, which events it makes."""

from chirpstack_api import integration

from revier_bench.network_server import codec, events, frames, mac_commands
from revier_bench.network_server.frame_log import uplink_log
from revier_bench.network_server.frames import DataUp
from revier_bench.network_server.mac_commands import Block
from revier_bench.network_server.region import DEFAULT_CHANNELS_HZ, required_snr_db
from revier_bench.network_server.registry import AdrSample, Device, DeviceContext, Session
from revier_bench.network_server.state import Output, Response, State, Uplink
from revier_bench.network_server.times import NS_PER_MS, gps_ns

ADR_HISTORY_MAX = 20
BATTERY_UNKNOWN = 255


def handle(
    state: State, uplink: Uplink, frame: DataUp, now_ns: int
) -> tuple[list[Output], Response | None]:
    """Events of a data frame, and what its downlink should be made of."""
    found = _find_device(state, frame)
    if found is None:
        return [], None
    device, f_cnt = found
    context = state.registry.context(device.dev_eui)
    visible = state.visible(uplink, context.tenant)
    if visible is None:
        return [], None
    uplink = visible
    if not device.skip_f_cnt_check and f_cnt < device.f_cnt_up:
        return [_counter_log(context, uplink, f_cnt, now_ns)], None
    device.f_cnt_up = f_cnt + 1
    device.last_seen_ns = now_ns
    session = device.session
    assert session is not None
    session.rx_info, session.rx_dr = list(uplink.rx_info), uplink.dr
    data, mac_bytes = _open(frame, session, f_cnt)
    _follow_device(session, frame, uplink.dr)
    kind = "ConfirmedDataUp" if frame.confirmed else "UnconfirmedDataUp"
    out: list[Output] = [
        uplink_log(uplink, device.dev_eui, kind, now_ns, frame.dev_addr.hex(), mac_bytes)
    ]
    answers, must_send, status = _handle_mac(context, uplink, mac_bytes, now_ns)
    _remember_quality(session, uplink, f_cnt)
    fields = _fields(frame, uplink, f_cnt, data)
    out += _uplink_events(context, uplink, fields, now_ns)
    out += status
    out += _acknowledged(state, context, uplink, frame, now_ns)
    response = Response(
        context=context,
        uplink=uplink,
        dev_addr=frame.dev_addr,
        must_send=frame.adr_ack_req or must_send,
        must_ack=frame.confirmed,
        answers=answers,
    )
    return out, response


def _find_device(state: State, frame: DataUp) -> tuple[Device, int] | None:
    """The device whose key fits, with the 32-bit counter; None: unknown address or wrong MIC."""
    for device in state.registry.by_dev_addr(frame.dev_addr):
        session = device.session
        assert session is not None
        # A counter that went back to its start fails at the guessed height and fits as it came.
        for f_cnt in (frames.full_f_cnt_up(device.f_cnt_up, frame.f_cnt_16), frame.f_cnt_16):
            if frames.data_mic_valid(frame, session.keys.nwk_s_key, f_cnt):
                return device, f_cnt
    return None


def _counter_log(context: DeviceContext, uplink: Uplink, f_cnt: int, now_ns: int) -> events.Event:
    code = integration.UPLINK_F_CNT_RESET
    text = "Frame-counter reset or rollover detected"
    if f_cnt == context.device.f_cnt_up - 1:
        code = integration.UPLINK_F_CNT_RETRANSMISSION
        text = "Uplink was flagged as re-transmission / frame-counter did not increment"
    details = {"deduplication_id": uplink.deduplication_id, "f_cnt_up": str(f_cnt)}
    entry = events.LogEntry(code, text, details, integration.WARNING)
    return events.log(context, uplink.time_ns(now_ns), entry)


def _open(frame: DataUp, session: Session, f_cnt: int) -> tuple[bytes, bytes]:
    """Application data and MAC commands; a frame has one or the other on its port."""
    if not frame.frm_payload:
        return b"", frame.f_opts
    key = session.keys.app_s_key if frame.f_port else session.keys.nwk_s_key
    plain = frames.crypt_payload(key, frames.UP, frame.dev_addr, f_cnt, frame.frm_payload)
    if frame.f_port:
        return plain, frame.f_opts
    try:
        mac_commands.parse_uplink(plain)
    except mac_commands.MacCommandError:
        return plain, frame.f_opts  # ChirpStack hands the unreadable bytes on as data
    return b"", plain


def _follow_device(session: Session, frame: DataUp, dr: int) -> None:
    session.adr = frame.adr
    if session.dr != dr:  # the device may have gone back to full power with it
        session.tx_power_index = 0
        session.adr_history = []
    session.dr = dr
    if frame.adr_ack_req or not session.enabled_channels:
        session.enabled_channels = list(range(len(DEFAULT_CHANNELS_HZ)))
        session.extra_channels = {}


def _handle_mac(
    context: DeviceContext, uplink: Uplink, data: bytes, now_ns: int
) -> tuple[list[Block], bool, list[Output]]:
    try:
        blocks = mac_commands.parse_uplink(data)
    except mac_commands.MacCommandError:
        return [], False, []
    session = context.device.session
    assert session is not None
    answers: list[Block] = []
    status: list[Output] = []
    for cid, block in blocks.items():
        asked = session.pending_mac.pop(cid, None)
        if cid == mac_commands.LINK_CHECK:
            margin = (uplink.best_snr_db(), required_snr_db(uplink.dr), len(uplink.rx_info))
            answers.append(mac_commands.link_check_ans(*margin))
        elif cid == mac_commands.DEVICE_TIME:
            answers.append(mac_commands.device_time_ans(gps_ns(uplink.time_ns(now_ns))))
        elif cid == mac_commands.LINK_ADR:
            mac_commands.handle_link_adr_ans(session, block, asked)
        elif cid == mac_commands.NEW_CHANNEL:
            mac_commands.handle_new_channel_ans(session, block, asked)
        elif cid == mac_commands.RX_PARAM_SETUP:
            mac_commands.handle_rx_param_setup_ans(session, block, asked)
        elif cid == mac_commands.RX_TIMING_SETUP:
            mac_commands.handle_rx_timing_setup_ans(session, asked)
        elif cid == mac_commands.DEV_STATUS:
            status.append(_device_status(context, uplink, block[0], now_ns))
    return answers, bool(mac_commands.STICKY & blocks.keys()), status


def _device_status(
    context: DeviceContext, uplink: Uplink, answer: bytes, now_ns: int
) -> events.Event:
    battery = answer[1]
    margin = answer[2] & 0x3F
    margin -= 64 if margin > 31 else 0  # six bits, signed (L2 5.5)
    device = context.device
    device.margin = margin
    device.external_power_source = battery == 0
    known = 0 < battery < BATTERY_UNKNOWN
    device.battery_level = round(battery / 254 * 100, 2) if known else None
    return events.status(context, uplink.deduplication_id, uplink.time_ns(now_ns), margin, battery)


def _remember_quality(session: Session, uplink: Uplink, f_cnt: int) -> None:
    if session.adr_history and session.adr_history[-1].f_cnt == f_cnt:
        return
    best = uplink.best_snr_db()
    sample = AdrSample(f_cnt, best, session.tx_power_index, len(uplink.rx_info))
    session.adr_history = [*session.adr_history, sample][-ADR_HISTORY_MAX:]


def _fields(frame: DataUp, uplink: Uplink, f_cnt: int, data: bytes) -> events.UplinkFields:
    return events.UplinkFields(
        dev_addr=frame.dev_addr,
        adr=frame.adr,
        dr=uplink.dr,
        f_cnt=f_cnt,
        f_port=frame.f_port or 0,
        confirmed=frame.confirmed,
        data=data,
        object=None,
        rx_info=uplink.rx_info,
        tx_info=uplink.tx_info,
    )


def _uplink_events(
    context: DeviceContext, uplink: Uplink, fields: events.UplinkFields, now_ns: int
) -> list[Output]:
    """The `up` event, behind the log of its codec if that fails. It is sent for every frame."""
    time_ns = uplink.time_ns(now_ns)
    up = events.up(context, uplink.deduplication_id, time_ns, fields)
    try:
        decoded = codec.decode_uplink(
            context.profile,
            fields.f_port,
            fields.data,
            time_ns // NS_PER_MS,
            context.device.variables,
        )
    except codec.CodecError as error:
        details = {"deduplication_id": uplink.deduplication_id}
        entry = events.LogEntry(integration.UPLINK_CODEC, str(error), details)
        return [events.log(context, now_ns, entry), up]
    if decoded is not None:
        up.message.object.CopyFrom(decoded)  # type: ignore[attr-defined]
    return [up]


def _acknowledged(
    state: State, context: DeviceContext, uplink: Uplink, frame: DataUp, now_ns: int
) -> list[Output]:
    item = state.queue.pending(context.device.dev_eui) if frame.ack else None
    if item is None:
        return []
    state.queue.remove(item)
    time_ns = uplink.time_ns(now_ns)
    return [events.ack(context, uplink.deduplication_id, time_ns, item, acknowledged=True)]
