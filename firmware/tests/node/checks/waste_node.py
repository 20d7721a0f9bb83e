# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A waste node out of the box, its wakes and power losses, for the checks of whole wakes."""

import json
import os
import time

import esp32
import machine
import small_world

from revier_node import app

small_world.mount_flash()
HOST = "/.host" + os.getenv("FIRMWARE")
os.mkdir("/boards")


def copy(name):
    """A shipped description; this world has only the ultrasonic sensor of the waste node."""
    with open(HOST + "/image/boards/" + name) as source:
        board = json.load(source)
    for part in ("lis3dh", "vl53l1x", "thermostat"):
        board["kinds"]["waste"].pop(part, None)
    small_world.write_file("/boards/" + name, json.dumps(board))


copy("heltec_v3.json")
with open(HOST + "/image/main.py") as main_file:
    MAIN = main_file.read()


class Echoes:
    def __init__(self):
        self.due_us = 0

    def any(self):
        return 4 if time.now_us >= self.due_us else 0

    def read(self, n):
        self.due_us = time.now_us + 100_000
        return b"\xff\x07\xa1\xa7"


def new_node(provisioned=True):
    """A node out of the box: no RTC memory, empty NVS but for its identity."""
    esp32.flash.clear()
    esp32.pending.clear()
    machine.rtc[0] = b""
    small_world.remove_file("/identity.bin")
    small_world.remove_file("/identity.alt")
    machine.uarts[1] = Echoes()
    machine.adc_uv[0] = 765_306
    network = small_world.Network()
    machine.spi_chip[0] = small_world.Chip(network)
    config = {"kind": "waste", "board": "heltec_v3", "interval_s": 600}
    small_world.write_file("/node.json", json.dumps(config))
    if provisioned:
        small_world.provision()
    return network


def wake(cause=machine.DEEPSLEEP_RESET):
    machine.cause[0] = cause
    machine.reason[0] = machine.TIMER_WAKE
    return small_world.deep_sleep(app.run)


def main_wake(cause=machine.DEEPSLEEP_RESET, **names):
    """The same through main.py, as the chip does it."""
    machine.cause[0] = cause
    names["__name__"] = "__main__"
    return small_world.deep_sleep(lambda: exec(MAIN, names))


def power_loss():
    machine.rtc[0] = b""
    esp32.power_loss()
