# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A network without DeviceTimeReq: the node asks on port 202 (TS003) and obeys what comes there."""

import struct
import time

import machine
import small_world
import waste_node as world
from runner import run

from revier_node import app, clock, news, store

PORT = 202
SERVER_S = 1_480_000_000  # GPS time at the start of a check


class Network(small_world.Network):
    """Answers an AppTimeReq in RX1; `script`: what else goes down to PORT, one for each uplink."""

    def __init__(self):
        small_world.Network.__init__(self)
        self.time_answers = False
        self.app_answers = True
        self.started_us = time.now_us
        self.script = []
        self.requests = []  # (DeviceTime, Param)

    def true_s(self):
        return SERVER_S + (time.now_us - self.started_us) // 1_000_000

    def _data(self, frame):
        small_world.Network._data(self, frame)
        data = b""
        _, port, said = self.frames[-1]
        if port == PORT and said[-6:-5] == b"\x01":
            told_s, param = struct.unpack("<IB", said[-5:])
            self.requests.append((told_s, param))
            if self.app_answers:
                correction_s = self.true_s() - told_s
                correction_s = (correction_s + (1 << 31)) % (1 << 32) - (1 << 31)
                data = b"\x01" + struct.pack("<iB", correction_s, param & 15)
        elif self.script:
            data = self.script.pop(0)
        return [(1_000_000, self.down(data))] if data else []

    def down(self, data):
        nonce = small_world.DEV_ADDR + struct.pack("<I", self.f_cnt_down)
        stream = small_world.aes(self.app_s_key, 1).encrypt(b"\x01\0\0\0\0\x01" + nonce + b"\0\x01")
        sealed = bytes([data[i] ^ stream[i] for i in range(len(data))])
        body = b"\x60" + small_world.DEV_ADDR + b"\0" + struct.pack("<H", self.f_cnt_down)
        body += bytes((PORT,)) + sealed
        block = b"\x49\0\0\0\0\x01" + nonce + bytes((0, len(body)))
        self.f_cnt_down += 1
        return body + small_world.cmac(self.nwk_s_key, block + body)[:4]


def new_node(**how):
    world.new_node()
    network = Network()
    for name, value in how.items():
        setattr(network, name, value)
    machine.spi_chip[0].network = network
    world.wake(machine.PWRON_RESET)
    return network


def wrong_s(network):
    """What the node's clock errs by now."""
    told = clock.Clock(store.Store().state)
    unix_s = network.true_s() - clock.GPS_LEAP_S + clock.GPS_UNIX_S
    return abs(told.unix_s() - unix_s)


def said(network):
    return [data for _, port, data in network.frames if port == PORT]


def check_the_third_wake_asks_and_the_clock_is_right():
    network = new_node()
    world.wake()
    assert network.requests == []
    assert store.Store().state.unix_offset_ms == 0
    world.wake()
    assert len(network.requests) == 1
    assert network.requests[0][1] & 0x10  # AnsRequired: the clock is not known
    state = store.Store().state
    assert wrong_s(network) <= 4
    assert clock.COARSE_ERROR_MS <= state.time_error_ms < 60_000
    assert state.flags & clock.COARSE
    for _ in range(2):
        world.wake()
    assert len(network.requests) == 1


def check_the_next_answer_corrects_a_clock_that_is_known():
    network = new_node()
    for _ in range(2):
        world.wake()
    time.sleep_ms(app.REJOIN_EVERY_MS)  # a day on
    network.started_us -= 50_000_000  # what the sleep clock lost meanwhile
    for _ in range(8):
        world.wake()
    assert len(network.requests) == 2
    assert network.requests[1][1] == 1  # the next token, and no answer is required
    assert wrong_s(network) <= 4


def check_an_answer_in_a_later_wake_counts_and_a_wrong_token_does_not():
    network = new_node(app_answers=False)
    for _ in range(2):
        world.wake()
    told_s, param = network.requests[0]
    for token in (param + 1 & 15, param & 15):
        network.script.append(b"\x01" + struct.pack("<iB", network.true_s() - told_s - 600, token))
    world.wake()
    assert store.Store().state.unix_offset_ms == 0
    network.script.insert(0, network.script.pop())
    world.wake()
    assert store.Store().state.unix_offset_ms != 0
    assert wrong_s(network) <= 10  # a sleep of 600 s is what the script says


def check_a_silent_server_is_not_asked_every_time():
    network = new_node(app_answers=False)
    for _ in range(19):
        world.wake()
    assert len(network.requests) == 3  # of twenty wakes


def check_a_network_that_answers_device_time_req_is_not_asked():
    network = new_node(time_answers=True)
    network.hear = lambda frame: small_world.Network.hear(network, frame)
    network._data = lambda frame: small_world.Network._data(network, frame)
    for _ in range(10):
        world.wake()
    assert said(network) == []


def check_package_version_req_is_answered():
    network = new_node()
    network.script.append(b"\x00")
    world.wake()
    assert said(network)[-1][:3] == b"\x00\x01\x01"
    sent = len(said(network))
    for _ in range(6):
        world.wake()
    assert [data for data in said(network)[sent:] if data[0] == 0] == []  # once


def check_the_networks_period_is_taken_and_kept():
    network = new_node()
    for _ in range(2):
        world.wake()
    network.script.append(b"\x02\x03")  # 128 s x 2^3 = 1,024 s
    world.wake()
    assert said(network)[-1][:2] == b"\x02\x00"  # Status: taken
    asked = len(network.requests)
    for _ in range(6):  # of 600 s each
        world.wake()
    assert len(network.requests) - asked == 3


def check_force_device_resync_req_asks_so_often_until_a_time_comes():
    network = new_node()
    for _ in range(2):
        world.wake()
    network.app_answers = False
    asked = len(network.requests)
    network.script.append(b"\x03\x03")
    for _ in range(5):
        world.wake()
    assert len(network.requests) - asked == 3
    network.script.append(b"\x03\x03")
    world.wake()
    network.app_answers = True
    for _ in range(4):
        world.wake()
    assert len(network.requests) - asked == 5  # one unanswered, one answered


def check_device_time_ans_makes_the_time_exact_again():
    new_node()
    for _ in range(2):
        world.wake()
    state = store.Store().state
    told = clock.Clock(state)
    assert state.flags & clock.COARSE
    assert news.set_gps(told, SERVER_S, 0, told.mac_ms())
    assert not state.flags & clock.COARSE
    assert state.time_error_ms == clock.SYNC_ERROR_MS


run(globals())
