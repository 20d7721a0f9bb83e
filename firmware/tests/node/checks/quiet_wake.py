# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A parking node that has nothing to say: neither MAC nor radio is made, the chip sleeps on."""

import json
import os
import struct
import time

import esp32
import machine
import small_world
from runner import run

from revier_node import app, radio, store

small_world.mount_flash()
os.mkdir("/boards")
with open("/.host" + os.getenv("FIRMWARE") + "/image/boards/heltec_v3.json") as source:
    small_world.write_file("/boards/heltec_v3.json", source.read())
EARTH = (130, -40, 300)
CAR = (280, -130, 360)
RADIO_CS = 8


class Magnetometer:
    def __init__(self):
        self.field = EARTH
        self.registers = bytearray(256)
        self.registers[0x4F] = 0x40

    def get(self, register, length):
        if register == 0x67:
            return b"\x08"
        if register == 0x68:
            offset = struct.unpack("<3h", self.registers[0x45:0x4B])
            return struct.pack("<3h", *[f - o for f, o in zip(self.field, offset)])  # noqa: B905
        return bytes(self.registers[register : register + length])

    def put(self, register, data):
        self.registers[register : register + len(data)] = data


def wake(cause=machine.DEEPSLEEP_RESET, reason=machine.TIMER_WAKE):
    machine.cause[0] = cause
    machine.reason[0] = reason
    return small_world.deep_sleep(app.run)


def new_node():
    esp32.flash.clear()
    esp32.pending.clear()
    machine.rtc[0] = b""
    small_world.remove_file("/identity.bin")
    small_world.remove_file("/identity.alt")
    network = small_world.Network()
    machine.spi_chip[0] = small_world.Chip(network)
    machine.devices.clear()
    machine.devices[0x1E] = Magnetometer()
    small_world.write_file("/node.json", json.dumps({"kind": "parking", "board": "heltec_v3"}))
    small_world.provision()
    return network


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
    machine.rtc[0] = b""
    esp32.power_loss()
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
