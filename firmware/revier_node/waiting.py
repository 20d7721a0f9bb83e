# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""When the node may not send: after a cold start, before a join, while the duty cycle is spent.

What its kind must not lose (HELD) is noted and goes out later.
"""

import esp32
import machine

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
    session.f_cnt_up = max(session.f_cnt_up, node.store.f_cnt_lease())
    start_cold(session, node.clock.mac_ms())
    state.session = session.pack()
    state.flags |= store.FLAG_JOINED if session.joined else 0


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
    if not node.kind.HELD:
        return
    messages = node.kind.sense(node.wake)
    node.wake_pins = node.kind.wake_pins(node.wake)
    keep(node, messages)


def keep(node: "Node", messages: list) -> None:
    messages = [message for message in messages if message[0] in node.kind.HELD]
    if not messages:
        return
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
