# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a normal wake does not do, and so need not import: self-test, join, diagnosis, resuming."""

from micropython import const

from revier_mac import actions as mac
from revier_node import VERSION_MAJOR, VERSION_MINOR, VERSION_PATCH, battery_tx, store
from revier_node.clock import TIME_ERROR_UNKNOWN_MS, now_ms
from revier_node.console import say
from revier_node.kinds import BATCHES
from revier_node.radio import CLOCK_ERROR_PPM, NAP_MAX_US, random16
from revier_payload.configuration import hash_of, pack
from revier_payload.diagnosis import DIAGNOSIS

MYPY = False
if MYPY:
    from revier_mac.session import Session
    from revier_node.app import Node


DIAGNOSES_MAX = 3
# revier_mac.counts, in its order
COUNTED = (
    "join_silent",
    "join_replayed",
    "not_ours",
    "mic_wrong",
    "oversized",
    "downlink_lost",
    "unacknowledged",
    "command_unknown",
    "command_refused",
    "duty",
    "aborted",
)
ERRORS = ("errors_1", "errors_2", "errors_3", "errors_4")  # behind them
SENSORS = {"bme280": 2, "vl53l1x": 2, "scd41": 3, "lis3dh": 3}  # which of them; others the first
COUNT_MAX = 96  # of the diagnosis's counts
LENGTH_MAX = 24  # of a diagnosis with its extras
# A join accept is due after 5 and 6 s, when a light sleep that errs by 1,000 ppm is 5 ms off. So
# the node sleeps for 1 s of the 5, waits awake for the rest, and sleeps again between the windows.
JOIN_NAP_US = const(1_000_000)
JOIN_ERROR_PPM = const(400)  # of the whole delay: CLOCK_ERROR_PPM for 2 s of 6
JOIN_SPREAD_MS = 5_000
# of the diagnosis message's status
_FLAG_SEQ_LEAPT, _FLAG_F_CNT_LEAPT, _FLAG_SETTINGS_REVERTED = 16, 32, 128


def self_test(node: "Node") -> None:
    """After every start but a deep sleep's, and on trial: each part answers or is named."""
    if node.state.recent:
        from revier_node import reading_log

        reading_log.append(node.state)
    results = []
    for part, result in node.kind.self_test(node.wake):
        results += [part, result]
        if result != "ok":
            node.wake.errors.append(part)
    count_errors(node)
    radio = node.radio()
    radio.begin()
    radio.sleep()
    say("selftest", *(results + ["radio", "ok"]))
    say_counts(node, node.state.counts)
    slot = ""
    try:
        with open("/slot") as file:
            slot = file.read(64)
    except OSError:
        pass
    if len(slot) > 2:
        from revier_node import on_trial

        on_trial.tested(node, results, slot)


def count_errors(node: "Node") -> None:
    """Of the sensors that failed in this wake."""
    link = node._link
    counts = link.device.counts if link else bytearray(node.state.counts)
    for sensor in node.wake.errors:
        at = len(COUNTED) + SENSORS.get(sensor, 1) - 1
        counts[at] = min(255, counts[at] + 1)
    node.wake.errors = []
    node.state.counts = bytes(counts)


def say_counts(node: "Node", values: "bytes | bytearray") -> None:
    """What went wrong so far, for whoever stands beside the node with a cable.

    After a start by reset, which is what opening the console does, and before each later join
    request: a node that cannot join sleeps between its tries, and nobody hears its counters on
    the air. They live in RTC memory; a power loss clears them, and so
    does a diagnosis that was answered: the network has them then.
    """
    margin_db = node.state.margin_db
    pairs = ["margin", "unknown" if margin_db == -128 else margin_db]
    for i, name in enumerate(COUNTED):
        pairs += [name, values[i]]
    say("counts", *pairs)


def join(node: "Node") -> bool:
    """One try. True with a new session; else node.sleep_until_ms is when to try again."""
    state = node.state
    state.join_tries = min(state.join_tries + 1, 0xFFFF)
    link = node.link()
    link.nap_ppm = 0
    link.nap_max_us, link.device.error_ppm = JOIN_NAP_US, JOIN_ERROR_PPM
    if not node.first_start:
        say_counts(node, link.device.counts)
    say("join", "try", state.join_tries, "dev_nonce", node.store.dev_nonce())
    battery_tx.begin(node.board, link)
    result = link.run(link.device.join(node.clock.mac_ms(), random16()))
    battery_tx.end(link)
    link.nap_max_us, link.device.error_ppm = NAP_MAX_US, CLOCK_ERROR_PPM
    if type(result) is mac.Done and result.result == mac.JOINED:
        state.join_tries = state.unanswered = 0
        state.joined_ms = now_ms()
        node.wake.joined = True
        state.flags |= store.FLAG_DIAGNOSIS_DUE | store.FLAG_JOINED
        return True
    if type(result) is mac.Refused:
        say("error", "code", "join", "reason", result.reason)
    if not link.device.joined:
        # the MAC's own back-off, and a random part so that a town's nodes do not meet again
        at_ms = node.clock.wake_ms(link.device.next_tx_ms(node.clock.mac_ms()))
        state.joined_ms = node.sleep_until_ms = at_ms + random16() % JOIN_SPREAD_MS
    return False


def send_diagnosis(node: "Node") -> bool:
    """The whole reading sequence, so that the gateway can widen the low bits that follow.

    It asks for the time as well: an answer says that the network has heard it. Without one it goes
    out again at the next wakes, DIAGNOSES_MAX times in all. True if it has been on the air.
    """
    state = node.state
    link = node.link()
    link.device.request_device_time()
    flags = node.wake.flags
    flags |= _FLAG_SEQ_LEAPT if state.flags & store.FLAG_SEQ_LEAPT else 0
    flags |= _FLAG_F_CNT_LEAPT if state.flags & store.FLAG_F_CNT_LEAPT else 0
    flags |= _FLAG_SETTINGS_REVERTED if "reverted" in node.wake.config else 0
    counts = link.device.counts
    values = {
        "seq": state.seq,
        "reset_cause": node.cause,
        "battery": node.wake.battery_mv(),
        "fw_major": VERSION_MAJOR,
        "fw_minor": VERSION_MINOR,
        "fw_patch": VERSION_PATCH,
        "boots": state.boots,
        "error": node.store.last_error,
        "status": flags,
        "config_hash": hash_of(pack(node.wake.settings)),
        "joins": node.store.dev_nonce(),
        "battery_tx": battery_tx.last_mv(),
    }
    if state.time_error_ms < TIME_ERROR_UNKNOWN_MS:
        values["time_error"] = -(-state.time_error_ms // 1000)
    for i, name in enumerate(COUNTED + ERRORS):
        values[name] = min(counts[i], COUNT_MAX)
    room = link.device.payload_max() or LENGTH_MAX  # 0: answers of the MAC go first
    data = DIAGNOSIS.encode(values, LENGTH_MAX)
    if room < LENGTH_MAX:
        data = data[: DIAGNOSIS.length]
    battery_tx.begin(node.board, link)
    sent = link.send(DIAGNOSIS.f_port, data, state.seq, node.commit is not None)
    battery_tx.end(link)
    if not sent:
        return False
    if node.commit is not None and sent == mac.ACKED:
        node.commit()  # the update, on_trial.py
    state.diagnosed += 1
    if link.heard or state.diagnosed >= DIAGNOSES_MAX:
        state.flags &= ~(store.FLAG_DIAGNOSIS_DUE | store.FLAG_SEQ_LEAPT | store.FLAG_F_CNT_LEAPT)
        state.diagnosed = 0
        if link.heard:
            for i in range(len(counts)):
                counts[i] = 0
            if node.wake.kind == "air":
                from revier_node import notes

                notes.save("batches", flags & BATCHES or None)
    return True


def radio_off(node: "Node") -> None:
    """Best effort, after an error: a radio that listens on costs 10 mA."""
    try:
        radio = node.radio()
        radio.begin()
        radio.sleep()
    except Exception:  # noqa: BLE001 (the error that brought us here is the one to report)
        say("error", "code", "radio", "what", "sleep")


def rejoin(node: "Node") -> None:
    """The network has forgotten us: nothing is left to give back. The old session stays until a
    new one is accepted; one try a day, also after one that failed: a server that was set up anew
    counts its JoinNonces from 0, and the first may be the one we had (L2 6.2.5)."""
    state, link = node.state, node.link()
    if not exhausted(link.device.session, link.device.adr):
        return
    say("rejoin", "unanswered", state.unanswered)
    state.joined_ms = now_ms()
    join(node)


def exhausted(session: "Session", adr: bool) -> bool:
    """ADR back-off has come to its end: full power, all channels, no lower data rate (L2 4.3.1.1).

    A node that manages its data rate has given all back when its floor brought no answer.
    """
    if not adr:
        return True
    lower = any(session.usable(session.mask, dr) for dr in range(session.dr))
    return (
        session.adr_ack_cnt >= 96 and not session.tx_power and not lower and session.mask & 7 == 7
    )
