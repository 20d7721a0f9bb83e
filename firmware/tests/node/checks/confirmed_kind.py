# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A kind that wants its messages acknowledged is told what came of them."""

import machine
import waste_node as world
from runner import run

from revier_mac.session import Session
from revier_node import store
from revier_node.kinds import waste
from revier_payload.codec import decode

told = []


class Silent:
    """Counts the transmissions; the network hears the first of each frame and does not answer."""

    def __init__(self, network):
        self.frames = []
        self._network = network
        self._hear = network.hear
        network.hear = self.hear

    def hear(self, frame):
        again = frame in self.frames
        self.frames.append(frame)
        return [] if again else self._hear(frame)


def confirming(run_it):
    """With a waste node whose readings ask for an acknowledgement, and come again without one."""
    sense = waste.sense

    def again(wake):
        (f_port, values), *_ = sense(wake)
        if wake.memory:
            values["seq"] = wake.memory[0]
        return [(f_port, values, "confirmed")]

    def hear(wake, message, outcome):
        told.append((message[1]["seq"], outcome))
        wake.memory = bytes((message[1]["seq"],))

    told.clear()
    waste.sense, waste.told = again, hear
    try:
        run_it()
    finally:
        waste.sense = sense
        del waste.told


def check_unacknowledged_after_all_repeats_is_told_and_may_come_again():
    network = world.new_node()
    world.wake(machine.PWRON_RESET)
    memory = store.Store()
    session = Session.unpack(memory.state.session)
    session.nb_trans = 3
    memory.state.session = session.pack()
    memory.save()
    before = len(network.frames)
    air = Silent(network)

    def two_wakes():
        world.wake()
        assert len(air.frames) == 3
        assert air.frames[0][0] == 0x80
        world.wake()
        assert len(air.frames) == 6

    confirming(two_wakes)
    assert told == [(1, "unacknowledged")] * 2
    readings = network.frames[before:]
    assert [decode(port, data).values["seq"] for _, port, data in readings] == [1, 1]
    assert readings[0][0] < readings[1][0]  # another frame, the same reading
    world.wake()
    assert decode(30, network.frames[-1][2]).values["seq"] == 2


def check_what_the_duty_cycle_stops_is_told_as_never_on_the_air():
    network = world.new_node()
    world.wake(machine.PWRON_RESET)
    memory = store.Store()
    session = Session.unpack(memory.state.session)
    session.quiet_until_s = (memory.state.awake_ms - memory.state.lag_ms) // 1000 + 7200
    memory.state.session = session.pack()
    memory.save()
    before = len(network.frames)
    confirming(world.wake)
    assert told == [(1, "")]
    assert len(network.frames) == before


run(globals())
