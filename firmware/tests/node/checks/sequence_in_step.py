# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The reading sequence moves no further than FCntUp within a session: over power losses at any
write, readings that are never sent, frames that carry none. A gateway reads the rest of the
sequence out of f_cnt by that (store.py)."""

import random

import esp32
import machine
import small_world
from runner import run

from revier_mac.session import Session
from revier_node import identity_file, store, waiting

small_world.mount_flash()


class CutError(Exception):
    pass


class Clock:
    @staticmethod
    def mac_ms():
        return 0


class Node:
    """What waiting.py asks of one."""

    clock = Clock
    _link = None

    def __init__(self):
        self.store = store.Store()
        self.state = self.store.state
        if not self.store.resumed:
            waiting._take_as_spent(self)

    def send(self, keep=False):
        """As radio.Link: the next counter is saved before the frame is on the air."""
        session = Session.unpack(self.state.session)
        f_cnt = session.f_cnt_up
        session.f_cnt_up = f_cnt + 1
        self.store.save_session(session.pack(), f_cnt + 1, keep)
        return f_cnt


class Flash:
    """Counts down the writes that are left before the power goes."""

    def __init__(self):
        self.left = -1
        self._commit, self._write = esp32.NVS.commit, identity_file.write
        esp32.NVS.commit = lambda nvs: self.cut(lambda: self._commit(nvs))
        identity_file.write = lambda *values: self.cut(lambda: self._write(*values))

    def cut(self, write):
        self.left -= 1
        if self.left == 0:
            raise CutError
        return write()

    def mend(self):
        esp32.NVS.commit, identity_file.write = self._commit, self._write


def new_node():
    machine.rtc[0] = b""
    esp32.flash.clear()
    esp32.pending.clear()
    esp32.at_once[0] = False
    machine.cause[0] = machine.DEEPSLEEP_RESET
    for path in identity_file.PATHS:
        small_world.remove_file(path)
    nvs = esp32.NVS("lorawan")
    for name, size in (("dev_eui", 8), ("join_eui", 8), ("app_key", 16)):
        nvs.set_blob(name, bytes(size))
    nvs.commit()
    node = Node()
    node.store.reserve_dev_nonce(1)
    session = Session()
    session.joined = True
    node.store.save_session(session.pack(), 0, True)
    return node


def life(seed):
    """Out of step by so much at worst, and how many readings were sent."""
    random.seed(seed)
    flash = Flash()
    worst = sent = 0
    newest = None
    try:
        node = new_node()
        for _ in range(400):
            try:
                what = random.getrandbits(4)
                if what < 9:
                    seq = node.store.next_seq()
                    f_cnt = node.send(what == 0)
                    flash.left = -1
                    if newest:
                        worst = max(worst, seq - newest[1] - (f_cnt - newest[0]))
                    newest = f_cnt, seq
                    sent += 1
                elif what < 11:
                    node.send()
                elif what < 13:
                    node.store.next_seq()
                    waiting.unsent(node)
                elif what == 13:
                    node.store.save()
                    node = Node()
                elif what == 14:
                    flash.left = 1 + random.getrandbits(2)
                elif not random.getrandbits(3):
                    raise CutError
            except CutError:
                flash.left = -1
                machine.rtc[0] = b""
                esp32.power_loss()
                node = Node()
    finally:
        flash.mend()
    return worst, sent


def check_in_step_through_200_lives():
    sent = 0
    for seed in range(200):
        worst, readings = life(seed)
        assert worst <= 0, (seed, worst)
        sent += readings
    assert sent > 40_000, sent


def _found_out():
    return any(life(seed)[0] > 0 for seed in range(40))


def check_a_counter_that_goes_on_at_its_lease_is_found_out():
    leap = store.F_CNT_LEAP
    store.F_CNT_LEAP = 0
    try:
        assert _found_out()
    finally:
        store.F_CNT_LEAP = leap


def check_a_reading_that_takes_no_number_along_is_found_out():
    unsent = waiting.unsent
    waiting.unsent = lambda node: None
    try:
        assert _found_out()
    finally:
        waiting.unsent = unsent


def check_a_lease_that_stays_behind_is_found_out():
    from revier_node import store_lease

    renew = store_lease.renew_seq

    def alone(stored, lease):
        store_lease._keep_in_file(stored, stored.dev_nonce(), stored.nvs_lease(), lease)
        store_lease._lease_seq(stored, lease)
        stored.lorawan.commit()

    store_lease.renew_seq = alone
    try:
        assert _found_out()
    finally:
        store_lease.renew_seq = renew


run(globals())
