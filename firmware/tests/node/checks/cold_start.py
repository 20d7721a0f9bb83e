# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Power comes back: who waits, and for how long."""

import time

import machine
import waste_node as world
from runner import run

from revier_mac.session import Session
from revier_node import store, waiting


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
    chip = machine.spi_chip[0]

    class BrownOutError(BaseException):
        pass

    def brown_out():
        raise BrownOutError

    transmit, chip._transmit = chip._transmit, brown_out
    frames = len(network.frames)
    for starts in range(6):
        world.power_loss()
        assert waiting.starts() == starts
        assert world.wake(machine.PWRON_RESET) <= max(1_000, 120_000 << starts)
        try:
            world.wake()
        except BrownOutError:
            pass
    assert waiting.starts() == 6
    chip._transmit = transmit
    world.wake(machine.PWRON_RESET)
    assert len(network.frames) > frames
    assert waiting.starts() == 0


run(globals())
