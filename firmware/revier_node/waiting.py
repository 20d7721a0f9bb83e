# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""When the node may not send: after a cold start, before a join, while the duty cycle is spent.

What its kind must not lose (HELD) is noted and goes out later.
"""

import esp32

from revier_mac.airtime import start_cold
from revier_mac.joining import cold_wait_ms
from revier_mac.session import Session
from revier_node import kinds, notes, store
from revier_node.console import say
from revier_node.radio import random16

MYPY = False
if MYPY:
    from revier_node.app import Node


STARTS_MAX = 255
OVER_MS = 1_000  # a sleep may end so much too early
HELD_MAX = 4  # the newest; each some 90 bytes of the notes


def cold_start(node: "Node") -> bool:
    """Power came back and the ledger is lost. True if the node must wait first, in deep sleep.

    A board that never transmitted has spent nothing and does not wait.
    """
    stored, state = node.store, node.state
    wait = notes.load().get("wait") if stored.resumed else None
    if wait:
        return _go_on(node, *wait)
    if not stored.dev_nonce() and not stored.f_cnt_lease():
        return False
    session = (Session.unpack(state.session) if state.session else None) or Session()
    session.f_cnt_up = max(session.f_cnt_up, stored.f_cnt_lease())
    start_cold(session, node.clock.mac_ms())
    state.session = session.pack()
    state.flags |= store.FLAG_COLD | (store.FLAG_JOINED if session.joined else 0)
    wait_ms = cold_wait_ms(starts(), random16())
    say("cold", "starts", starts(), "wait_ms", wait_ms)
    # on the MAC's time, which outlives a reset; 95 % of what the chip's clock counts asleep
    until_ms = node.clock.mac_ms() + wait_ms * 19 // 20
    notes.save("wait", (until_ms, node.cause))
    return _go_on(node, until_ms, node.cause)


def _go_on(node: "Node", until_ms: int, cause: int) -> bool:
    """Sleep until then; an interrupt may end the sleep before, and is looked at."""
    node.cause = cause  # the sleeps between were only the wait
    node.wake.flags |= kinds.RESTARTED
    if until_ms - node.clock.mac_ms() < OVER_MS:
        return False
    hold(node)
    node.sleep_until_ms = node.clock.wake_ms(until_ms)
    return True


# -- cold starts in a row that ended in a transmission (a battery that browns out there) --


def starts() -> int:
    return store.get_u32(esp32.NVS("node"), "cold_starts")


def sends() -> None:
    """Before the first transmission after a cold start."""
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
    ports = node.kind.HELD
    if not ports:
        return
    messages = [message for message in node.kind.sense(node.wake) if message[0] in ports]
    node.wake_pins = node.kind.wake_pins(node.wake)
    if messages:
        keep(node, messages)


def keep(node: "Node", messages: list) -> None:
    held = (_held(node) + messages)[-HELD_MAX:]
    say("held", "messages", len(held))
    notes.save("held", held)
    node.state.flags |= store.FLAG_HELD


def release(node: "Node") -> list:
    """The messages that were kept, oldest first; they are no longer."""
    held = _held(node)
    node.state.flags &= ~store.FLAG_HELD
    return held


def _held(node: "Node") -> list:
    return list(notes.load().get("held", ())) if node.state.flags & store.FLAG_HELD else []
