# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the certification cases share: the device as the laboratory has it, and its uplinks."""

from peer import joined, only

from revier_mac import actions as act

DEFAULTS_HZ = (868100000, 868300000, 868500000)


def laboratory():
    """A device as the laboratory has it: joined, with the three default channels."""
    return joined(cf_list=b"")


def windows(bench):
    """(Transmit, RX1, RX2) of the next uplink, which nothing answers."""
    transmit = only(bench.send(), act.Transmit)
    (rx1,) = bench.tx_done()
    (rx2,) = bench.silence()
    bench.silence()
    return transmit, rx1, rx2


def frequencies(bench, count=24):
    return {windows(bench)[0].frequency_hz for _ in range(count)}


def on_port_0(bench, data):
    bench.exchange(bench.network.downlink(port=0, data=data))
