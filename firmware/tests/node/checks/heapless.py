# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Both radio drivers take no heap from the launch of a frame to the end of RX2."""

import gc

import micropython


def exchange(radio):
    """A frame, two windows with a frame each; how many bytes were read."""
    into = bytearray(255)
    lengths = 0
    gc.collect()
    micropython.heap_lock()
    try:
        radio.launch()
        radio.poll_irq()
        radio.prepare_rx(868_100_000, 12, 125_000, 12)
        radio.launch()
        lengths += radio.read_frame(into)
        radio.prepare_rx(869_525_000, 12, 125_000, 12)
        radio.launch()
        lengths += radio.read_frame(into)
        radio.standby()
    finally:
        micropython.heap_unlock()
    return lengths
