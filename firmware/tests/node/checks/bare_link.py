# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A link with a session on the shipped driver, and a network whose answers a check scripts."""

import json
import os
import struct
import time

import esp32
import machine
import small_world

from revier_mac import actions as mac
from revier_mac.session import Session
from revier_node import board, radio, store
from revier_node.clock import Clock

ACK, PENDING = 0x20, 0x10
UNCONFIRMED, CONFIRMED = 0x60, 0xA0


class Network(small_world.Network):
    """Answers each data frame with the next of `script`: [(delay_us, frame)...]."""

    def __init__(self):
        small_world.Network.__init__(self)
        self.nwk_s_key = self.app_s_key = bytes(16)
        self.script = []
        self.heard = []  # (time us, frame)

    def hear(self, frame):
        self.heard.append((time.now_us, frame))
        small_world.Network._data(self, frame)
        return self.script.pop(0) if self.script else []

    def down(self, m_hdr=UNCONFIRMED, f_ctrl=0, dev_addr=small_world.DEV_ADDR):
        body = bytes((m_hdr,)) + dev_addr + bytes((f_ctrl,)) + struct.pack("<H", self.f_cnt_down)
        block = b"\x49\0\0\0\0\x01" + dev_addr + struct.pack("<I", self.f_cnt_down)
        self.f_cnt_down += 1
        return body + small_world.cmac(self.nwk_s_key, block + bytes((0, len(body))) + body)[:4]


class Bus:
    """The driver's bus to the chip, and how often its receiver was started."""

    def __init__(self, chip):
        self.receptions = 0
        inner = chip._receive

        def receive():
            self.receptions += 1
            inner()

        chip._receive = receive


def new_link(dr=5):
    machine.rtc[0] = b""
    esp32.flash.clear()
    esp32.pending.clear()
    network = Network()
    chip = machine.spi_chip[0] = small_world.Chip(network)
    session = Session()
    session.start(small_world.DEV_ADDR, bytes(16), bytes(16), dr)
    session.joined = True
    kept = store.Store()
    kept.state.unix_offset_ms = 1  # the time is known: nothing else is asked for
    clock = Clock(kept.state)
    kept.state.clock_set_ms = kept.state.awake_ms
    clock.mark()
    node_board = {"radio": _radio(), "antenna_gain_dbi": 0}
    device = radio.Device(
        mac.Identity(b"", b"", b"", 0), radio._new_aes, session,
        radio.CLOCK_ERROR_US, radio.CLOCK_ERROR_PPM,
    )  # fmt: skip
    link = radio.Link(device, board.radio(node_board), kept, clock, 0)
    return network, link, Bus(chip)


def _radio():
    with open(os.getenv("FIRMWARE") + "/image/boards/heltec_v3.json") as source:
        return json.load(source)["radio"]
