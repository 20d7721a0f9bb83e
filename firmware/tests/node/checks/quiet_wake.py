# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A parking node that has nothing to say: neither MAC nor radio is made, the chip sleeps on."""

import time

import machine
from parking_node import CAR, new_node, power_loss, wake
from runner import run

from revier_node import radio, store

RADIO_CS = 8


def check_nothing_to_say_makes_no_mac_and_leaves_the_radio():
    network = new_node()
    wake(machine.PWRON_RESET)
    assert [port for _, port, _ in network.frames] == [1, 21]
    chip = machine.spi_chip[0]
    transactions = [0]
    inner = chip.write_readinto

    def counted(out, into):
        transactions[0] += 1
        inner(out, into)

    chip.write_readinto = counted
    connect, made = radio.connect, []
    radio.connect = lambda node: made.append(node) or connect(node)
    time.now_us -= 3_000_000_000  # the pin ends the sleep ten minutes after it began
    try:
        wake(reason=machine.EXT1_WAKE)  # a lorry passed by
        assert not made
        assert transactions == [0]
        assert machine.levels[RADIO_CS] == 1
        machine.devices[0x1E].field = CAR
        wake(reason=machine.EXT1_WAKE)
        assert len(made) == 1
        assert transactions > [40]
    finally:
        radio.connect = connect
    assert [port for _, port, _ in network.frames] == [1, 21, 20]
    assert [f_cnt for f_cnt, _, _ in network.frames] == [0, 1, 2]


def check_a_power_loss_is_told_before_the_bay_is_looked_at():
    network = new_node()
    wake(machine.PWRON_RESET)
    power_loss()
    wake(machine.PWRON_RESET)
    wake()  # after the cold start's wait
    assert [port for _, port, _ in network.frames][2] == 1
    assert network.joins == 1


def check_a_session_that_cannot_be_read_leads_to_a_join():
    """As after an update whose session record has another version."""
    network = new_node()
    wake(machine.PWRON_RESET)
    kept = store.Store()
    kept.state.session = b"another version"
    kept.save()
    wake()
    wake()
    assert network.joins == 2
    assert [port for _, port, _ in network.frames] == [1, 21, 1, 21]


run(globals())
