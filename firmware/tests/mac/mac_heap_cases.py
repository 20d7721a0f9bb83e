# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From the end of TX to Finish the MAC takes no heap: run under heap_lock() on MicroPython."""

import sys

from peer import Bench, joined, only

from revier_mac import actions as act

if sys.implementation.name == "micropython":
    import gc

    from micropython import heap_lock, heap_unlock
else:

    def heap_lock():
        pass

    heap_unlock = heap_lock

    class gc:  # noqa: N801 - stands for the module
        @staticmethod
        def collect():
            pass


def locked(device, now_ms, frames):
    """TX_DONE, then each frame (None: an empty window): the actions of the last event."""
    heap_unlock_failed = None
    gc.collect()
    heap_lock()
    try:
        actions = device.handle(act.TX_DONE, now_ms)
        for frame in frames:
            if frame is None:
                actions = device.handle(act.WINDOW_EMPTY, now_ms)
            else:
                actions = device.received(frame, len(frame), -90, 7)
    except MemoryError as error:
        heap_unlock_failed = error
    heap_unlock()
    assert heap_unlock_failed is None, "heap taken while the windows are open"
    return actions


def case_the_lock_works():
    if sys.implementation.name != "micropython":
        return
    heap_lock()
    try:
        bytearray(100)
        taken = True
    except MemoryError:
        taken = False
    heap_unlock()
    assert not taken


def case_uplink_with_downlink():
    bench = joined()
    bench.send(data=b"x" * 51)
    good = bytearray(bench.network.downlink(b"\x06", port=200, data=b"y" * 30))
    wrong = bytearray(good)
    wrong[9] ^= 1
    (finish,) = locked(bench.device, bench.now_ms, [wrong, good])
    assert finish.heard
    assert only(bench.device.handle(act.FINISH, bench.now_ms), act.Downlink).data == b"y" * 30


def case_counters_beyond_small_integers():
    """On the chip a small integer has 31 bits; FCnt has 32."""
    for f_cnt in (0x3FFFFFFF, 0x7FFFFFFF, 0xFFFFFFF0):
        bench = joined()
        bench.device.session.f_cnt_down = f_cnt - 1
        bench.device.session.f_cnt_up = f_cnt
        bench.send()
        good = bytearray(bench.network.downlink(b"\x06", f_cnt=f_cnt))
        wrong = bytearray(good)
        wrong[9] ^= 1
        (finish,) = locked(bench.device, bench.now_ms, [wrong, good])
        assert finish.heard
        bench.device.handle(act.FINISH, bench.now_ms)
        assert bench.device.session.f_cnt_down == f_cnt


def case_uplink_in_silence():
    bench = joined()
    bench.send()
    (finish,) = locked(bench.device, bench.now_ms, [None, None])
    assert not finish.heard


def case_join():
    bench = Bench()
    frame = only(bench.request_join(), act.Transmit).payload
    accept = bytearray(bench.network.accept(frame))
    noise = bytearray(33)
    (finish,) = locked(bench.device, bench.now_ms, [noise, accept])
    assert finish.heard
    bench.device.handle(act.FINISH, bench.now_ms)
    assert bench.device.joined
