# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A parking node out of the box, its magnetometer and its wakes."""

import json
import os
import struct

import esp32
import machine
import small_world

from revier_node import app

small_world.mount_flash()
os.mkdir("/boards")
with open("/.host" + os.getenv("FIRMWARE") + "/image/boards/heltec_v3.json") as source:
    small_world.write_file("/boards/heltec_v3.json", source.read())
EARTH = (130, -40, 300)
CAR = (280, -130, 360)


class Magnetometer:
    def __init__(self):
        self.field = EARTH
        self.registers = bytearray(256)
        self.registers[0x4F] = 0x40

    def lose_power(self):
        self.registers[0x45:0x4B] = bytes(6)

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


def power_loss():
    machine.rtc[0] = b""
    machine.devices[0x1E].lose_power()
    esp32.power_loss()
