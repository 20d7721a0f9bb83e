# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The shipped store and MAC through every cut of the power.

    micropython cuts.py tale PART PARTS [FAULT]    every cut of one story that has everything in it
    micropython cuts.py SEED CUTS [FAULT]          so many cuts, drawn from all of drawn stories

A story is told once; each write on its way leaves every state that a cut could leave
(survivors.py). From each the node is started again, sends on, and the town looks for what came
twice. FAULT breaks the store on purpose, to see that the town notices: late (reserve after
transmitting), forgetful (the counter of downlinks is not kept).
"""

import gc
import json
import random
import sys

import machine
import survivors
import town as other_side
from aes import new_aes

from revier_mac import actions as mac
from revier_mac.device import Device
from revier_mac.session import Session
from revier_node import identity_file, store, waiting
from revier_node.radio import Link

import esp32  # isort: skip

identity_file.open = survivors.File
SHIPPED_LEASE_STEP = store.LEASE_STEP
waiting.say = lambda *_: None
store.LEASE_STEP = 5  # so that a short story renews its leases
EUIS = (b"\x70\xb3\xd5\0\0\0\0\1", bytes(8))
OPERATIONS = ("up", "up", "up", "confirmed", "down", "down", "adr", "silent", "sleep", "sleep",
              "power", "rejoin", "rekey", "erase")  # fmt: skip
# Leases are renewed on its way (every fifth frame); power is lost with and without NVS
TALE = ("up", "confirmed", "down", "adr", "up", "silent", "sleep", "up", "adr", "confirmed",
        "power", "up", "down", "sleep", "rejoin", "up", "adr", "power", "down", "rekey", "up",
        "confirmed", "adr", "sleep", "up", "erase", "up")  # fmt: skip
STORY_CUTS = 400  # tried of one drawn story, so that many stories come in
now_ms = 1000
fault = ""


class Clock:
    @staticmethod
    def mac_ms():
        return now_ms

    @staticmethod
    def wake_ms(mac_ms):
        return mac_ms


class Kind:
    HELD = ()
    WATCHES = ""


class Wake:
    flags = 0
    wiring = {}


class Node:
    """radio.Link's bookkeeping; the air is a call."""

    clock = Clock
    kind = Kind
    wake = Wake

    def __init__(self, town):
        self.town = town
        self.cause = machine.cause[0]
        self.store = store.Store()
        keys = self.store.identity()
        self.usable = keys is not None
        if not keys:
            return
        self.state = self.store.state
        if not self.store.resumed and (self.store.dev_nonce() or self.store.f_cnt_lease()):
            waiting.cold_start(self)  # its wait is no concern here
        record = self.state.session
        session = Session.unpack(record) if record else None
        self.device = Device(mac.Identity(*keys, self.store.dev_nonce()), new_aes, session)
        self._store = self.store
        self.heard = False
        self._kept = (self.device.session.nwk_s_key, self.device.session.f_cnt_down)
        self._effect = self._kept
        self._late = None
        if fault == "forgetful":
            self._save = self._save_without_keeping

    _save = Link._save
    _reserve = Link._reserve_dev_nonce

    def _save_without_keeping(self, action):
        self._store.save_session(action.record, self.device.session.f_cnt_up, False)

    def join(self):
        device = self.device
        self._pass_until(lambda: device.next_tx_ms(now_ms))
        while True:
            actions = device.join(now_ms, random.getrandbits(16))
            if type(actions[0]) is not mac.Refused:
                break
            self._advance(actions[0].retry_ms)
        return self._run(actions, "join")

    def send(self, what):
        seq = self.store.next_seq().to_bytes(4, "little")
        self._pass_until(lambda: self.device.next_tx_ms(now_ms, 4))
        done = self._run(
            self.device.send(10, seq, what == "confirmed", now_ms, random.getrandbits(16)), what
        )
        self.store.save()
        return done

    def _pass_until(self, at):
        self._advance(at())

    def _advance(self, at_ms):
        global now_ms
        now_ms = max(now_ms + 1000, at_ms)

    def _run(self, actions, what):
        town = self.town
        town.exchange += 1
        device = self.device
        answers = result = None
        self.heard = False
        while actions:
            following = None
            for action in actions:
                kind = type(action)
                if kind is mac.ReserveDevNonce:
                    if fault == "late":
                        self._late = action
                    else:
                        self._reserve(action)
                elif kind is mac.Save:
                    self._save(action)
                    self._note_effect()
                elif kind is mac.Transmit:
                    answers = self._on_air(action.payload, what)
                    following = device.handle(mac.TX_DONE, now_ms)
                    if self._late:
                        self._reserve(self._late)
                        self._late = None
                elif kind is mac.Window:
                    following = self._listen(answers, action.number)
                elif kind is mac.Finish:
                    self.heard = action.heard
                    following = device.handle(mac.FINISH, now_ms)
                elif kind is mac.Wait:
                    self._advance(action.until_ms)
                    following = device.handle(mac.TIMER, now_ms)
                elif kind in (mac.Done, mac.Refused):
                    result = action
            actions = following
        return result

    def _note_effect(self):
        """A downlink, with data or MAC commands, has taken effect once its counter is stored."""
        session = self.device.session
        what = (session.nwk_s_key, session.f_cnt_down)
        if what != self._effect:
            self._effect = what
            if session.f_cnt_down >= 0:
                self.town.effect(*what)

    def _listen(self, answers, number):
        frame = answers[number - 1]
        if not frame:
            return self.device.handle(mac.WINDOW_EMPTY, now_ms)
        return self.device.received(bytearray(frame), len(frame), -90, 5)

    def _on_air(self, frame, what):
        """(RX1, RX2). In RX1 also the last downlink comes again, from somebody who recorded it."""
        town = self.town
        if what == "join":
            return None, town.join(frame)
        if what == "silent_join":
            return None, town.join(frame, False)
        net = town.uplink(frame)
        replay = town.last_downlink
        answer = None
        if what in ("down", "adr", "confirmed"):
            orders = b"\x03\x51\x07\x00\x01" if what == "adr" else b""
            data = (None, b"") if what == "adr" else (20, b"hello")
            f_cnt = town.next_f_cnt_down(net)
            answer = net.downlink(
                orders, *data, confirmed=what == "down", ack=what == "confirmed", f_cnt=f_cnt
            )
            town.last_downlink = answer
        return (replay, answer)


def provision(key):
    """As revier-provision writes it: the old key goes first and the new one comes last."""
    nvs = esp32.NVS("lorawan")
    nvs.erase_key("app_key")
    nvs.erase_key("session")
    nvs.commit()
    machine.RTC().memory(b"")
    nvs.set_blob("dev_eui", EUIS[0])
    nvs.set_blob("join_eui", EUIS[1])
    nvs.commit()
    nvs.set_blob("app_key", key)
    nvs.commit()


def boot(town, cause):
    machine.cause[0] = cause
    node = Node(town)
    if node.usable and not node.device.joined:
        node.join()
    return node


def step(node, town, what):
    if what in ("sleep", "power", "erase"):
        if what == "power":
            survivors.rtc = b""
        elif what == "erase":
            survivors.nvs.clear()
        return boot(town, machine.PWRON_RESET if what == "power" else machine.DEEPSLEEP_RESET)
    if what == "rejoin":
        node.join()
    elif what == "rekey":
        key = random.getrandbits(30).to_bytes(16, "little")
        town.keys.append(key)
        provision(key)
        return boot(town, machine.HARD_RESET)
    else:
        node.send(what)
    return node


def story(cuts, operations, faults):
    """Tells one; every cut on its way: (kind, survivors, town, time), appended to `cuts`."""
    survivors.put((b"", {}, {}))
    town = other_side.Town()
    town.keys = [bytes(range(16))]
    provision(town.keys[0])
    survivors.watch = lambda kind, state: cuts.append((kind, state, town.snapshot(), now_ms))
    try:
        node = boot(town, machine.PWRON_RESET)
        for what in operations:
            node = step(node, town, what)
    except other_side.FaultError as error:
        blame(faults, error)
    finally:
        survivors.watch = None


def try_one(cut, counts, faults):
    kind, state, town, at_ms = cut
    counts["cuts"] += 1
    counts["kinds"][kind] = counts["kinds"].get(kind, 0) + 1
    try:
        go_on(state, town.copy(), at_ms, counts)
    except (other_side.FaultError, AssertionError) as error:
        blame(faults, error)


def blame(faults, error):
    name = str(error.args[0]) if error.args else "assertion"
    if not faults:
        sys.print_exception(error)
    faults[name] = faults.get(name, 0) + 1


def go_on(state, town, at_ms, counts):
    """Start from what a cut has left: the session goes on, or a clean join follows."""
    global now_ms
    now_ms = at_ms
    survivors.put(state)
    machine.cause[0] = machine.PWRON_RESET
    node = Node(town)
    if not node.usable:
        if state[1] and ("lorawan", "app_key") in state[1]:
            raise other_side.FaultError("identity lost")
        counts["no_identity"] += 1
        return
    if node.device.joined:
        counts["resumed"] += 1
    else:
        counts["joined_anew"] += 1
        result = node.join()
        if result is None or result.result != mac.JOINED:
            raise other_side.FaultError("no join")
    for what in ("up", "down"):
        if node.send(what) is None:
            raise other_side.FaultError("no uplink")


def tell(counts, faults):
    counts["faults"] = sum(faults.values())
    counts["what"] = faults
    print(json.dumps(counts))


def fresh_counts():
    return {"cuts": 0, "kinds": {}, "stories": 0, "resumed": 0, "joined_anew": 0, "no_identity": 0}


def tale(part, parts):
    """Cut number `part` of each `parts`."""
    random.seed(1)
    counts, faults, cuts = fresh_counts(), {}, []
    story(cuts, TALE, faults)
    counts["stories"] = 1
    for cut in cuts[part::parts]:
        try_one(cut, counts, faults)
    tell(counts, faults)


def drawn(seed, wanted):
    random.seed(seed)
    counts, faults = fresh_counts(), {}
    while counts["cuts"] < wanted:
        cuts = []
        story(cuts, [random.choice(OPERATIONS) for _ in range(8)], faults)
        counts["stories"] += 1
        share = min(len(cuts), STORY_CUTS, wanted - counts["cuts"])
        for _ in range(share):
            try_one(cuts.pop(random.randint(0, len(cuts) - 1)), counts, faults)
        gc.collect()
    tell(counts, faults)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    told = drawn
    if arguments[0] == "tale":
        told = tale
        arguments.pop(0)
    fault = arguments[2] if len(arguments) > 2 else ""
    told(int(arguments[0]), int(arguments[1]))
