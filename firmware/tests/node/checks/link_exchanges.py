# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the link does around an exchange: acknowledgements, the network's queue, a busy receiver."""

import time

import machine
import small_world
from bare_link import ACK, CONFIRMED, PENDING, new_link
from runner import run

from revier_mac import actions as mac
from revier_node import radio


def check_a_confirmed_uplink_tells_what_came_of_it():
    network, link, _ = new_link()
    network.script = [[(1_000_000, network.down(f_ctrl=ACK))]]
    assert link.send(20, b"a", 0, True) == mac.ACKED
    assert network.heard[-1][1][0] == 0x80
    assert link.send(20, b"b", 1, True) == mac.UNACKNOWLEDGED
    assert link.send(20, b"c", 2) == mac.SENT
    assert network.heard[-1][1][0] == 0x40
    assert link.send(20, b"c" * 243, 3) == ""
    assert len(network.heard) == 3


def check_a_confirmed_downlink_is_acknowledged_within_a_minute():
    network, link, _ = new_link()
    network.script = [[(1_000_000, network.down(CONFIRMED))]]
    assert link.send(20, b"a", 0) == mac.SENT
    assert len(network.heard) == 2
    (first_us, _), (second_us, frame) = network.heard
    assert frame[5] & ACK
    assert len(frame) == 12  # nothing but the acknowledgement
    assert second_us - first_us < 60_000_000


def check_the_queue_is_drained_by_a_bounded_number_of_empty_uplinks():
    network, link, _ = new_link()
    network.script = [[(1_000_000, network.down(CONFIRMED, PENDING))] for _ in range(9)]
    link.send(20, b"a", 0)
    assert len(network.heard) == 1 + radio.FOLLOW_UPS_MAX
    assert link.device.session.ack_due  # rides on the next reading
    network.script = []
    link.send(20, b"a", 1)
    assert network.heard[-1][1][5] & ACK
    assert len(network.heard) == 2 + radio.FOLLOW_UPS_MAX


def check_no_second_window_while_the_first_was_still_demodulating():
    network, link, bus = new_link(0)
    foreign = b"\x60\xff\xff\xff\xff" + bytes(59)  # 2.8 s at SF12, and not for us
    network.script = [[(1_000_000, foreign), (2_000_000, network.down(f_ctrl=ACK))]]
    assert link.send(20, b"a", 0, True) == mac.UNACKNOWLEDGED
    assert bus.receptions == 1
    assert link.send(20, b"a", 1) == mac.SENT
    assert bus.receptions == 3


def check_the_longest_frame_is_waited_for_at_each_spreading_factor():
    for sf in (12, 7):
        network, link, _ = new_link()
        chip = machine.spi_chip[0]
        chip._irq = lambda: bytes(2)  # the end of a frame never comes
        link._tx_end_us = time.ticks_us()
        link.device.handle = lambda event, _: [event]
        link._radio.begin()
        window = mac.Window(1, 1_000_000, 1_000_000, 868_100_000, sf, 125_000, 8)
        opened_us = time.now_us + 1_000_000
        assert link._window(window) == [mac.WINDOW_EMPTY]
        longest_us = small_world.airtime_us(255, sf, 125_000)
        assert longest_us < time.now_us - opened_us < longest_us * 11 // 10
        assert network.heard == []


class Wake:
    """Of a node, what radio.connect() asks for."""

    LINK = None

    def __init__(self, link):
        self.store, self.state, self.clock = link._store, link._store.state, link._clock
        self.board = {"radio": {"antenna_gain_dbi": 0}}
        self.wake = self.kind = self
        self.settings = {}
        self.radio = lambda: link._radio
        self.battery_mv = lambda: None


def check_what_a_downlink_told_of_light_sleep_serves_while_the_network_is_heard():
    _, link, _ = new_link()
    state = link._store.state
    for nap_ppm, unanswered, used_ppm, error_ppm in (
        (0, 0, 0, radio.CLOCK_ERROR_PPM),
        (-900, 0, -900, radio.LEARNT_ERROR_PPM),
        (900, 15, 900, radio.LEARNT_ERROR_PPM),
        (900, 16, 0, radio.CLOCK_ERROR_PPM),
    ):
        state.nap_ppm, state.unanswered = nap_ppm, unanswered
        connected = radio.connect(Wake(link))
        assert (connected.nap_ppm, connected.device.error_ppm) == (used_ppm, error_ppm)


run(globals())
