# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One wake of the node: boot, join if need be, sense, send, listen, save, deep sleep.

run() never returns: it ends in deep sleep, or in an exception that image/main.py sleeps off.
"""

import json
import sys

import esp32
import machine

from revier_node import VERSION_MAJOR, VERSION_MINOR, VERSION_PATCH, kinds, store
from revier_node import board as parts
from revier_node.clock import Clock, now_ms
from revier_node.console import say

MYPY = False
if MYPY:
    from collections.abc import Callable
    from typing import Any

    from revier_node.kinds import Wake
    from revier_node.radio import Link
    from revier_node.sx1262 import Sx1262
    from revier_node.sx1276 import Sx1276


KINDS = ("air", "parking", "waste")
INTERVAL_MIN_S = 60  # of the schema, setting 1
INTERVAL_MAX_S = 43_200
SLEEP_MIN_MS = 1_000
# The network has forgotten us when so many requests in a row stayed without an answer
UNANSWERED_MAX = 48
REJOIN_EVERY_MS = 86_400_000
# Readings in RTC memory: whole sequence, Unix time, fPort, length, payload and zeros
RECORD_SIZE = 21
RECENT_MAX = 12
TIME_UNKNOWN = 0xFFFFFFFF
ON_TRIAL = "trial" in sys.modules  # this version: boot.py has imported it (image/trial.py)
_CAUSES = ("unknown", "power_on", "hard_reset", "watchdog", "deep_sleep", "soft_reset")


class UnprovisionedError(Exception):
    """The node lacks its kind, board or keys: revier-provision writes them."""


def run() -> None:
    node = Node()
    node.report_boot()
    try:
        if node.first_start or ON_TRIAL:
            _seldom().self_test(node)
        if not node.cold() or not _waiting().cold_start(node):
            node.work()
    except BaseException:
        _seldom().radio_off(node)
        raise
    node.sleep()


class Node:
    def __init__(self) -> None:
        self.started_ms = now_ms()
        self.cause = machine.reset_cause()
        self.first_start = self.cause != machine.DEEPSLEEP_RESET
        self.store = store.Store()
        self.state = self.store.state
        self.state.boots = (self.state.boots + 1) & 0xFFFF
        self.clock = Clock(self.state)
        # none before sense(): an interrupt that it has not cleared would end the sleep at once
        self.wake_pins: tuple = ()
        self.sleep_until_ms: "int | None" = None  # None: an interval after the start
        config = _config()
        if self.first_start or "before" in config:
            from revier_node import settings

            config = settings.start(self, config)
        self.board = parts.load(config["board"])
        if not self.state.flags & store.FLAG_JOINED and self.store.identity() is None:
            raise UnprovisionedError("no keys")
        self.kind = __import__("revier_node.kinds." + config["kind"], None, None, ("sense",))
        self.wake = self._wake(config)
        self._radio: "Sx1262 | Sx1276 | None" = None
        self._link: "Link | None" = None
        self.commit: "Callable | None" = None  # of an update on trial whose parts are well

    def radio(self) -> "Sx1262 | Sx1276":
        if self._radio is None:
            self._radio = parts.radio(self.board)
        return self._radio

    def link(self) -> "Link":
        """MAC and radio, made when first asked for: a wake that sends nothing does without."""
        if self._link is None:
            from revier_node import radio

            self._link = radio.connect(self)
        return self._link

    def _wake(self, config: dict) -> "Wake":
        settings = dict(config.get("settings", ()))
        interval_s = settings.get(1) or config.get("interval_s") or self.kind.INTERVAL_S
        interval_s = max(INTERVAL_MIN_S, min(INTERVAL_MAX_S, interval_s))
        by_pin = not self.first_start and machine.wake_reason() == machine.EXT1_WAKE
        memory = self.state.kind or self.store.kind_copy()
        wake = kinds.Wake(
            self.board, config["kind"], interval_s * 1000, self.started_ms, by_pin, memory
        )
        wake.settings = settings
        wake.config = config
        wake.node = self
        if settings.get(kinds.SETTING_REPORT) == kinds.REPORT_BATCH:
            wake.flags |= kinds.BATCHES
        wake.time_error_ms = self.state.time_error_ms
        if not self.state.unix_offset_ms:
            wake.flags |= kinds.CLOCK_UNKNOWN
        if self.cause != machine.DEEPSLEEP_RESET:
            wake.flags |= kinds.RESTARTED
        return wake

    # -- the steps of a wake --

    def cold(self) -> bool:
        """waiting.py knows what follows. A board that never transmitted has spent nothing."""
        stored = self.store
        warm = stored.resumed and self.cause != machine.PWRON_RESET
        if warm and not self.state.flags & store.FLAG_COLD:
            return False
        return bool(stored.dev_nonce() or stored.f_cnt_lease())

    def work(self) -> None:
        cold = self.state.flags & store.FLAG_COLD
        if cold:
            _waiting().sends(self)  # before the transmission that may brown out
        if self.ready() and self.introduced():
            self.sense_and_send()
            due = self.state.boots & 7 == 3 and self.clock.sync_due()
            if self._link and (due or self.state.flags & store.FLAG_APP_TIME):
                from revier_node import remote

                remote.speak(self, due)
        else:
            _waiting().hold(self)
        if cold:
            _waiting().survived(self)

    def report_boot(self) -> None:
        cause = _CAUSES[self.cause] if self.cause < len(_CAUSES) else "unknown"
        version = "%d.%d.%d" % (VERSION_MAJOR, VERSION_MINOR, VERSION_PATCH)
        say("boot", "cause", cause, "kind", self.wake.kind, "fw", version, "slot", _slot())

    def ready(self) -> bool:
        """Joined, or joined now."""
        if not self.state.flags & store.FLAG_JOINED:
            again_ms = self.state.joined_ms  # what a join that failed left there
            if not self.first_start and again_ms - self.started_ms > SLEEP_MIN_MS:
                self.sleep_until_ms = again_ms  # a look between two tries
                return False
            if not self.link().device.joined:
                joined: bool = _seldom().join(self)
                return joined
        old = self.started_ms - self.state.joined_ms >= REJOIN_EVERY_MS
        if old and self.state.unanswered >= UNANSWERED_MAX:
            _seldom().rejoin(self)
        return True

    def introduced(self) -> bool:
        """The diagnosis is the first uplink after every join and every loss of memory."""
        if self.state.flags & store.FLAG_DIAGNOSIS_DUE or ON_TRIAL:
            sent: bool = _seldom().send_diagnosis(self)
            return sent
        return True

    def sense_and_send(self) -> None:
        free_ms = 0  # on the MAC's clock; later if the duty cycle lets nothing pass before
        messages = self.kind.sense(self.wake)
        self.wake_pins = self.kind.wake_pins(self.wake)
        if self.wake.errors:
            _seldom().count_errors(self)
        if self.state.flags & store.FLAG_HELD:
            messages = _waiting().release(self) + messages
        while messages:
            message = messages[0]
            f_port, values = message[:2]
            again = "seq" in values
            if not again:
                values["seq"] = self.store.next_seq()
            seq = values["seq"]
            say("reading", "kind", self.wake.kind, "port", f_port, "seq", seq)
            data = self.kind.MESSAGES[f_port].encode(values)
            if not again:
                self.remember(seq, f_port, data)
            outcome = self.link().send(f_port, data, seq, "confirmed" in message)
            self.wake.heard = self.wake.heard or self.link().heard
            if not outcome:
                free_ms = self.link().retry_ms
                if free_ms and f_port in self.kind.HELD:
                    _waiting().keep(self, messages)  # a later one would overtake its sequence
                    break
                _waiting().unsent(self)
            elif not (self.kind.HELD or self.kind.WATCHES) and len(message) < 3:
                # no reading before there is airtime for it
                free_ms = self.link().device.next_tx_ms(self.clock.mac_ms(), len(data))
            if len(message) > 2:
                self.kind.told(self.wake, message, outcome)
            messages = messages[1:]
        next_ms = 0 if self.state.flags & store.FLAG_HELD else self.kind.next_wake_ms(self.wake)
        self.sleep_until_ms = max(next_ms, self.clock.wake_ms(free_ms))

    def remember(self, seq: int, f_port: int, data: bytes, at_s: "int | None" = None) -> None:
        """A reading (of now, or of at_s) that may be asked for again; in time it goes to flash."""
        state = self.state
        padding = RECORD_SIZE - 10 - len(data)
        if padding < 0:  # a batch
            return
        unix_s = at_s or self.clock.unix_s() or TIME_UNKNOWN
        head = seq.to_bytes(4, "big") + unix_s.to_bytes(4, "big") + bytes((f_port, len(data)))
        state.recent += head + data + bytes(padding)
        if len(state.recent) >= RECENT_MAX * RECORD_SIZE or self.wake.sinks():
            from revier_node import reading_log

            reading_log.append(state)

    # -- the end --

    def sleep(self) -> None:
        if self._link:
            self._link.close()
        self.state.kind = self.wake.memory
        if self.wake.keep:
            self.store.keep_kind(self.wake.memory)
        self.clock.mark()
        self.store.succeeded()
        self.store.save()
        parts.hold(self.board)
        pins = [machine.Pin(number, machine.Pin.IN) for number in self.wake_pins]
        esp32.wake_on_ext1(tuple(pins), esp32.WAKEUP_ANY_HIGH)
        until_ms = self.sleep_until_ms
        if until_ms is None:
            until_ms = self.started_ms + self.wake.interval_ms
        sleep_ms = max(SLEEP_MIN_MS, until_ms - now_ms())
        say("sleep", "ms", sleep_ms)
        machine.deepsleep(sleep_ms)


def _seldom() -> "Any":
    from revier_node import seldom

    return seldom


def _waiting() -> "Any":
    from revier_node import waiting

    return waiting


def _config() -> dict:
    """/node.json, written by provisioning: {"kind": "air", "board": "heltec_v3", ...}."""
    try:
        with open("/node.json") as file:
            config: dict = json.load(file)
    except (OSError, ValueError):
        raise UnprovisionedError("no readable /node.json")
    if config.get("kind") not in KINDS or "board" not in config:
        raise UnprovisionedError("/node.json lacks kind or board")
    return config


def _slot() -> str:
    """The directory that this file was imported from: a or b."""
    return __file__.split("/")[1] if __file__.startswith("/") else "dev"
