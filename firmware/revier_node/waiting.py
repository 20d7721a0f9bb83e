# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""When the node may not send: after a cold start, before a join, while the duty cycle is spent.

What its kind must not lose (HELD) is noted and goes out later: within LATE_MS as it is, for a
receiver takes the time at which it hears it; after that with its own time, on fPort 5.
"""

import esp32
import machine

from revier_mac.session import Session
from revier_node import kinds, notes, store
from revier_node.clock import now_ms
from revier_node.console import say
from revier_node.radio import random16
from revier_payload import backfill

MYPY = False
if MYPY:
    from revier_node.app import Node


STARTS_MAX = 255
OVER_MS = 1_000  # a sleep may end so much too early
HELD_MAX = 4  # the newest; each some 90 bytes of the notes
LATE_MS = 120_000
_released: list = []  # values of each message of this wake that was held, since when (ms)


def cold_start(node: "Node") -> bool:
    """True if the node must wait before it sends, in deep sleep.

    What was lost and what the start says of the supply are two questions:

    start                   RTC record   ledger        wait          counted and doubled
    power-on, brown-out     lost         taken spent   0 .. 120 s    yes
    power-on, brown-out     whole        as it is      0 .. 120 s    yes
    any other               lost, torn   taken spent   0 .. 120 s    no
    any other               whole        as it is      none          no

    A lost ledger is taken as spent whatever the cause: the air remembers. Only a start by power
    may have ended a transmission by browning out (RTC memory may outlive a short one;
    MicroPython calls both causes power-on): these are counted, and the wait grows with them. A
    reset by watchdog or software says nothing about the supply; its wait stays short and keeps
    starts that lose the ledger again and again from spending a join each.
    """
    if node.store.resumed and node.cause != machine.PWRON_RESET:
        wait = notes.load().get("wait")
        if wait:
            return _go_on(node, *wait)
    if not node.store.resumed:
        _take_as_spent(node)
    node.state.flags |= store.FLAG_COLD
    return _go_on(node, _draw(node), node.cause)


def _draw(node: "Node") -> int:
    """Until when to wait, on the MAC's time, which outlives a reset."""
    from revier_node.cold_wait import cold_wait_ms  # which a wake after the wait does without

    before = starts() if node.cause == machine.PWRON_RESET else 0
    wait_ms = cold_wait_ms(before, random16())
    say("cold", "starts", before, "wait_ms", wait_ms)
    # that time is 95 % of what the chip's clock counts asleep
    until_ms = node.clock.mac_ms() + wait_ms * 19 // 20
    notes.save("wait", (until_ms, node.cause))
    return until_ms


def _take_as_spent(node: "Node") -> None:
    from revier_mac.joining import start_cold  # which a wake after the wait does without

    state = node.state
    session = (Session.unpack(state.session) if state.session else None) or Session()
    lease = node.store.f_cnt_lease()
    if lease:
        lease = min(lease + store.F_CNT_LEAP, 0xFFFFFFFF)
        session.f_cnt_up = max(session.f_cnt_up, lease)
    start_cold(session, node.clock.mac_ms())
    state.session = session.pack()
    state.flags |= store.FLAG_JOINED if session.joined else 0


def _go_on(node: "Node", until_ms: int, cause: int) -> bool:
    """Sleep until then; an interrupt may end the sleep before, and is looked at."""
    node.cause = cause  # the sleeps between were only the wait
    node.wake.flags |= kinds.RESTARTED
    if until_ms - node.clock.mac_ms() < OVER_MS:
        return False
    node.sleep_until_ms = node.clock.wake_ms(until_ms)
    hold(node)
    return True


# -- cold starts in a row that ended in a transmission (a battery that browns out there) --


def starts() -> int:
    return store.get_u32(esp32.NVS("node"), "cold_starts")


def sends(node: "Node") -> None:
    """Before the first transmission after a cold start."""
    if node.cause == machine.PWRON_RESET:
        _set_starts(min(starts() + 1, STARTS_MAX))


def survived(node: "Node") -> None:
    """The supply has survived that transmission."""
    node.state.flags &= ~store.FLAG_COLD
    notes.save("wait", None)
    if starts():
        _set_starts(0)


def _set_starts(number: int) -> None:
    nvs = esp32.NVS("node")
    nvs.set_i32("cold_starts", number)
    nvs.commit()


# -- messages that wait --


def hold(node: "Node") -> None:
    """Look at the world, arm what wakes the chip; keep what must not be lost, send nothing."""
    kind, wake = node.kind, node.wake
    watches = kind.WATCHES in wake.wiring
    if not kind.HELD and not watches:
        return
    messages = kind.sense(wake)
    node.wake_pins = kind.wake_pins(wake)
    if wake.errors:
        from revier_node import seldom

        seldom.count_errors(node)
    keep(node, messages)
    if watches:
        for message in messages:
            _number(node, message)
            if len(message) > 2:
                kind.told(wake, message, "")
        next_ms = kind.next_wake_ms(wake)
        node.sleep_until_ms = min(next_ms, node.sleep_until_ms or next_ms)


def _number(node: "Node", message: tuple) -> None:
    """However late it goes out, it is the reading of now."""
    f_port, values = message[:2]
    if "seq" not in values:
        values["seq"] = node.store.next_seq()
        unsent(node)
        node.remember(values["seq"], f_port, node.kind.MESSAGES[f_port].encode(values))


def unsent(node: "Node") -> None:
    """A reading has its number and is in no frame (yet): a number of FCntUp goes with it
    (store.py). The next save writes it, which is before the next frame."""
    link = node._link
    if link:
        link.device.session.f_cnt_up += 1
        node.state.session = link.device.session.pack()
    elif node.state.session:
        session = Session.unpack(node.state.session)
        if session and session.joined:
            session.f_cnt_up += 1
            node.state.session = session.pack()


def keep(node: "Node", messages: list) -> None:
    messages = [message for message in messages if message[0] in node.kind.HELD]
    if not messages:
        return
    held = _held(node)
    for f_port, values in messages:
        held.append([f_port, values, _since_ms(values)])
    for _, values, _ in held[:-HELD_MAX]:
        if "seq" in values:
            unsent(node)  # and never will be
    held = held[-HELD_MAX:]
    say("held", "messages", len(held))
    notes.save("held", held)
    node.state.flags |= store.FLAG_HELD


def _since_ms(values: dict) -> int:
    for released, since_ms in _released:
        if released is values:
            return int(since_ms)
    return now_ms()


def release(node: "Node") -> list:
    """The messages that were kept, oldest first; they are no longer."""
    held, messages = _held(node), []
    node.state.flags &= ~store.FLAG_HELD
    unix_s = node.clock.unix_s()
    for f_port, values, since_ms in held:
        message = (f_port, values)
        age_ms = now_ms() - since_ms
        if f_port != backfill.PORT and age_ms >= LATE_MS and unix_s is not None:
            message = _late(node, f_port, values, unix_s - age_ms // 1000)
        _released.append((message[1], since_ms))
        messages.append(message)
    if messages:
        node.kind.released(node.wake, messages)
    return messages


class _Late:
    """A reading with its own time, as fPort 5 has it."""

    @staticmethod
    def encode(values: dict) -> bytes:
        data = bytes(values["data"])
        record = (values["seq"], values["time"], values["port"], data)
        return backfill.encode([record], backfill.HEAD + len(data))[0]


def _late(node: "Node", f_port: int, values: dict, at_s: int) -> tuple:
    numbered = "seq" in values
    if not numbered:
        values["seq"] = node.store.next_seq()
    data = node.kind.MESSAGES[f_port].encode(values)
    if not numbered:
        node.remember(values["seq"], f_port, data, at_s)
    node.kind.MESSAGES[backfill.PORT] = _Late
    return backfill.PORT, {
        "seq": values["seq"],
        "time": at_s,
        "port": f_port,
        "data": list(data),
    }


def _held(node: "Node") -> list:
    return list(notes.load().get("held", ())) if node.state.flags & store.FLAG_HELD else []
