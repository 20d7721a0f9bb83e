# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From SetTx to Finish the heap is locked: at every SPI transfer and while a MIC is checked.

The interpreter's own lock is asked, by an allocation that must fail; not a flag of the firmware.
"""

import gc

import machine
import micropython
import small_world
from bare_link import CONFIRMED, new_link
from runner import run

from revier_mac import actions as mac
from revier_node import radio

SET_TX, SET_RX = 0x83, 0x82  # DS SX1261/2 13.1.4, 13.1.5


class Watch:
    """What was seen between SetTx and Finish. Counts only: a list would need heap."""

    def __init__(self, link):
        self.on = False
        self.transfers = self.windows = self.receptions = self.blocks = self.unlocked = 0
        self.garbage = 0  # bytes of it that were there at SetTx
        machine.spi_chip[0].watch = self.transfer
        self._received = link.device.received
        link.device.received = self.received
        self._finish = link._execute[mac.Finish]
        link._execute[mac.Finish] = self.finish
        self._new_aes = link.device._new_aes
        link.device._new_aes = self.new_aes

    def look(self):
        if self.on and not small_world.heap_is_locked():
            self.unlocked += 1

    def transfer(self, out):
        if out[0] == SET_TX:
            self.on = True
            self.garbage = _garbage()
        self.look()
        self.transfers += self.on
        self.windows += self.on and out[0] == SET_RX

    def received(self, buffer, length, rssi_dbm, snr_db):
        self.look()
        self.receptions += 1
        actions = self._received(buffer, length, rssi_dbm, snr_db)
        self.look()
        return actions

    def finish(self, action):
        self.look()
        self.on = False
        return self._finish(action)

    def new_aes(self, key):
        return WatchedAes(self, self._new_aes(key))


class WatchedAes:
    def __init__(self, watch, inner):
        self._watch = watch
        self._inner = inner

    def encrypt(self, source, target):
        self._watch.look()
        self._watch.blocks += self._watch.on
        return self._inner.encrypt(source, target)


def _garbage():
    """Bytes that a collection would free now. The lock, if any, is held again on return."""
    locked = small_world.heap_is_locked()
    if locked:
        micropython.heap_unlock()
    before = gc.mem_free()
    gc.collect()
    freed = gc.mem_free() - before
    if locked:
        micropython.heap_lock()
    return freed


def watched(script):
    network, link, _ = new_link()
    network.script = [script(network)]
    watch = Watch(link)
    litter = [bytearray(1000) for _ in range(100)]
    del litter
    assert link.send(20, b"a", 0) == mac.SENT
    assert not small_world.heap_is_locked()
    assert not watch.on
    assert not watch.unlocked, "%d times" % watch.unlocked
    assert watch.transfers > 20
    return watch


def check_with_nobody_answering():
    watch = watched(lambda _: [])
    assert watch.receptions == 0
    assert watch.windows == 2


def check_with_a_frame_in_either_window():
    for delay_us in (1_000_000, 2_000_000):
        watch = watched(lambda network, at=delay_us: [(at, network.down())])
        assert watch.receptions == 1
        assert watch.blocks >= 2  # of the MIC


def check_with_frames_whose_mic_is_wrong():
    def forged(network):
        return [(at, network.down()[:-1] + b"\0") for at in (1_000_000, 2_000_000)]

    watch = watched(forged)
    assert watch.receptions == 2
    assert watch.blocks >= 4


def check_with_a_repeat():
    """A confirmed downlink: the acknowledgement is a second exchange, locked as the first."""
    watch = watched(lambda network: [(1_000_000, network.down(CONFIRMED))])
    assert watch.transfers > 40


def check_garbage_is_collected_right_before():
    """What is allocated between the collection and SetTx is small beside what was lying about."""
    watch = watched(lambda _: [])
    assert watch.garbage < 2_000, watch.garbage


def check_a_join_too():
    from revier_mac.session import Session

    network, link, _ = new_link()
    link.device.session = Session()
    link.device.identity = mac.Identity(
        small_world.DEV_EUI, small_world.JOIN_EUI, small_world.APP_KEY, 0
    )
    network.hear = network._join
    watch = Watch(link)
    result = link.run(link.device.join(0, radio.random16()))
    assert result.result == mac.JOINED
    assert watch.receptions == 1
    assert watch.blocks >= 2
    assert not watch.unlocked


run(globals())
