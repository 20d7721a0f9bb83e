# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Power comes back: who waits, and for how long."""

import time

import machine
import waste_node as world
from runner import run

from revier_mac.session import Session
from revier_node import store, store_rtc, waiting
from revier_payload.codec import decode


def check_a_board_that_never_sent_does_not_wait():
    network = world.new_node()
    world.wake(machine.PWRON_RESET)
    assert network.joins == 1
    assert waiting.starts() == 0


def check_a_power_loss_is_waited_out_in_deep_sleep_with_the_hour_spent():
    network = world.new_node()
    world.wake(machine.PWRON_RESET)
    frames = len(network.frames)
    world.power_loss()
    before_us = time.now_us
    slept_ms = world.wake(machine.PWRON_RESET)
    assert len(network.frames) == frames
    assert (time.now_us - before_us) // 1000 - slept_ms < 1_000  # not awake
    kept = store.Store()
    assert kept.state.flags & store.FLAG_COLD
    assert Session.unpack(kept.state.session).cold
    world.wake()
    assert len(network.frames) > frames
    kept = store.Store()
    assert waiting.starts() == 0
    assert not kept.state.flags & store.FLAG_COLD


def check_starts_that_end_in_tx_double_the_wait():
    network = world.new_node()
    world.wake(machine.PWRON_RESET)
    frames = len(network.frames)
    for starts in range(6):
        world.power_loss()
        assert waiting.starts() == starts
        assert world.wake(machine.PWRON_RESET) <= max(1_000, 120_000 << starts)
        brown_out_at_tx()
    assert waiting.starts() == 6
    world.wake(machine.PWRON_RESET)
    world.wake()
    assert len(network.frames) > frames
    assert waiting.starts() == 0


class BrownOutError(BaseException):
    pass


def brown_out_at_tx():
    """One wake that ends so."""
    chip = machine.spi_chip[0]

    def brown_out():
        raise BrownOutError

    transmit, chip._transmit = chip._transmit, brown_out
    try:
        world.wake()
    except BrownOutError:
        return
    finally:
        chip._transmit = transmit
    raise AssertionError("no transmission")


def draw_the_longest():
    """65,535 of 65,536: the wait is 120 s, doubled or not."""
    waiting.random16 = lambda: 65_535


def tear_record():
    """Both slots: what a reset in the middle of a write leaves is one; two are the worst case."""
    memory = bytearray(machine.rtc[0])
    for slot in (0, 1):
        memory[store_rtc.HEADER_SIZE + slot * store_rtc.SLOT_SIZE] ^= 1
    machine.rtc[0] = bytes(memory)


OTHERS = (machine.HARD_RESET, machine.WDT_RESET, machine.DEEPSLEEP_RESET, machine.SOFT_RESET)


def check_a_brown_out_that_keeps_rtc_memory_waits_with_the_ledger_as_it_is():
    network = world.new_node()
    world.wake(machine.PWRON_RESET)
    frames = len(network.frames)
    draw_the_longest()
    for starts in range(3):
        brown_out_at_tx()  # in the first round of a usual wake, then after the wait
        assert waiting.starts() == starts
        slept_ms = world.wake(machine.PWRON_RESET)
        assert 118_000 << starts < slept_ms <= 120_000 << starts, slept_ms
        assert not Session.unpack(store.Store().state.session).cold
    assert len(network.frames) == frames
    world.wake()
    assert [port for _, port, _ in network.frames[frames:]] == [30]  # nothing was forgotten
    assert waiting.starts() == 0


def check_a_torn_record_is_a_lost_ledger_but_no_power_loss():
    for cause in OTHERS:
        network = world.new_node()
        world.wake(machine.PWRON_RESET)
        frames = len(network.frames)
        waiting._set_starts(3)
        draw_the_longest()
        tear_record()
        slept_ms = world.wake(cause)
        assert 118_000 < slept_ms <= 120_000, (cause, slept_ms)  # not eight times as long
        assert Session.unpack(store.Store().state.session).cold
        brown_out_at_tx()
        assert waiting.starts() == 3  # not counted
        world.wake(machine.WDT_RESET)
        values = decode(1, network.frames[frames][2]).values
        assert values["status"] & 0x30 == 0x30
        assert values["reset_cause"] == cause
        assert waiting.starts() == 0


def check_a_reset_with_its_record_does_not_wait():
    for cause in OTHERS:
        network = world.new_node()
        world.wake(machine.PWRON_RESET)
        frames = len(network.frames)
        world.wake(cause)
        assert [port for _, port, _ in network.frames[frames:]] == [30], cause
        assert not store.Store().state.flags & store.FLAG_COLD


def check_a_wait_outlives_a_reset():
    network = world.new_node()
    world.wake(machine.PWRON_RESET)
    world.power_loss()
    draw_the_longest()
    first_ms = world.wake(machine.PWRON_RESET)
    time.now_us -= (first_ms - 30_000) * 1000
    left_ms = world.wake(machine.WDT_RESET)
    assert abs(left_ms - (first_ms - 30_000)) < 5_000, left_ms
    frames = len(network.frames)
    world.wake()
    assert len(network.frames) > frames


run(globals())
