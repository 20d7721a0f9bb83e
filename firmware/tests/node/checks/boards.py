# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import json
import os

import machine
import small_world
from runner import raises, run

from revier_node import board
from revier_node.sx1262 import Sx1262
from revier_node.sx1276 import Sx1276

small_world.mount_flash()
HOST = "/.host" + os.getenv("FIRMWARE") + "/image/boards/"
os.mkdir("/boards")


def described(name, **changes):
    with open(HOST + name + ".json") as source:
        found = json.load(source)
    found.update(changes)
    small_world.write_file("/boards/" + name + ".json", json.dumps(found))
    return name


def refusal(name):
    return raises(board.BoardError, board.load, name).args[0]


def parking(pin):
    return {"parking": {"lis2mdl": {"int": pin}}}


def check_each_mcu_has_its_own_pins_that_wake():
    for name, wake, others in (
        ("heltec_v3", (0, 7, 21), (22, 35, 48)),
        ("lilygo_t3_v1_6_1", (0, 4, 15, 27, 32, 39), (1, 5, 16, 21, 23)),
    ):
        for pin in wake:
            board.load(described(name, kinds=parking(pin)))
        for pin in others:
            described(name, kinds=parking(pin))
            assert refusal(name) == "GPIO%d cannot wake the chip" % pin


def check_an_unknown_mcu_is_refused():
    assert refusal(described("heltec_v3", mcu="esp8266")) == "unknown mcu esp8266"


class Silent:
    def write_readinto(self, out, into):
        pass


def check_the_description_chooses_the_radio():
    machine.spi_chip[0] = Silent()
    assert type(board.radio(board.load(described("heltec_v3")))) is Sx1262
    assert type(board.radio(board.load(described("lilygo_t3_v1_6_1")))) is Sx1276
    found = board.load(described("heltec_v3", radio={"chip": "sx1301"}))
    assert raises(board.BoardError, board.radio, found).args == ("no driver for radio sx1301",)


def check_both_drivers_have_the_same_methods():
    for name in (
        "begin", "standby", "sleep", "wake", "prepare_tx", "prepare_rx", "launch", "poll_irq",
        "read_frame", "TX_START_US", "RX_START_US",
    ):  # fmt: skip
        assert hasattr(Sx1262, name), name
        assert hasattr(Sx1276, name), name


run(globals())
