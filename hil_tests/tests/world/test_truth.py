# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The truth log against frames made by another hand: the stand-in's frame library."""

import json

import pytest

from revier_bench.network_server.frames import (
    JoinAccept,
    SessionKeys,
    build_join_accept,
    cmac,
    crypt_payload,
    data_mic,
    session_keys,
)
from revier_bench.world.truth import TruthLog, from_json, to_json

START_US = 1_795_438_400_000_000
APP_KEY = bytes(range(16))
DEV_EUI = "025245fffe560001"
DEV_ADDR = bytes.fromhex("01acdc7b")


def join_request(dev_nonce: int) -> bytes:
    body = b"\x00" + bytes(8) + bytes.fromhex(DEV_EUI)[::-1] + dev_nonce.to_bytes(2, "little")
    return body + cmac(APP_KEY, body)[:4]


def join_accept(join_nonce: int, app_key: bytes = APP_KEY) -> bytes:
    accept = JoinAccept(join_nonce, bytes(3), DEV_ADDR, 0, 0, 1, (867_100_000,))
    return build_join_accept(app_key, accept)


def data_up(keys: SessionKeys, f_cnt: int, f_port: int | None, payload: bytes, f_opts=b"") -> bytes:
    body = b"\x40" + DEV_ADDR[::-1] + bytes([0x80 | len(f_opts)])
    body += (f_cnt & 0xFFFF).to_bytes(2, "little") + f_opts
    if f_port is not None:
        key = keys.app_s_key if f_port else keys.nwk_s_key
        body += bytes([f_port]) + crypt_payload(key, 0, DEV_ADDR, f_cnt, payload)
    return body + data_mic(keys.nwk_s_key, 0, DEV_ADDR, f_cnt, body)


class Story:
    def __init__(self, make_emission) -> None:
        self.log = TruthLog(START_US)
        self.log.add_node(DEV_EUI, APP_KEY)
        self._make = make_emission
        self.t_us = 0

    def say(self, payload: bytes, sender: str = "node", heard_by: tuple[str, ...] = ()):
        self.t_us += 10_000_000
        emission = self._make(sender, start_us=self.t_us, payload=payload)
        self.log.on_air(emission)
        for gateway_id in heard_by:
            self.log.on_heard(gateway_id, emission)
        return emission

    def join(self, dev_nonce: int, join_nonce: int) -> SessionKeys:
        self.say(join_request(dev_nonce), heard_by=("gw1",))
        self.say(join_accept(join_nonce), sender="gw1")
        return session_keys(APP_KEY, join_nonce, bytes(3), dev_nonce)


@pytest.fixture
def story(make_emission) -> Story:
    return Story(make_emission)


def test_a_heard_uplink_is_opened(story) -> None:
    keys = story.join(5, 0)
    assert story.log.nodes_joined == 0  # an accept alone proves nothing
    emission = story.say(data_up(keys, 1, 30, b"\x01\x02\x03\x04\x05"), heard_by=("gw1", "gw2"))
    (uplink,) = story.log.uplinks
    assert uplink.dev_eui == DEV_EUI
    assert uplink.dev_addr == DEV_ADDR.hex()
    assert (uplink.f_cnt, uplink.f_port, uplink.payload) == (1, 30, b"\x01\x02\x03\x04\x05")
    assert uplink.gateways == ["gw1", "gw2"]
    assert uplink.end_unix_us == START_US + emission.end_us
    assert story.log.nodes_joined == 1
    assert (story.log.frames_sent, story.log.frames_heard) == (2, 2)


def test_what_nobody_heard_is_no_uplink_but_proves_the_join(story) -> None:
    keys = story.join(5, 0)
    story.say(data_up(keys, 1, 10, bytes(11)))
    assert story.log.uplinks == []
    assert story.log.nodes_joined == 1
    assert story.log.frames_sent == 2


def test_wrong_mic_and_foreign_frames_are_counted(story) -> None:
    keys = story.join(5, 0)
    broken = bytearray(data_up(keys, 1, 10, bytes(11)))
    broken[-1] ^= 1
    story.say(bytes(broken), heard_by=("gw1",))
    assert story.log.uplinks == []
    assert story.log.unreadable == 1


def test_counters_roll_over_sixteen_bits(story) -> None:
    keys = story.join(5, 0)
    for f_cnt in (0xFFFE, 0x10000, 0x10001):
        story.say(data_up(keys, f_cnt, 10, bytes(11)), heard_by=("gw1",))
    assert [uplink.f_cnt for uplink in story.log.uplinks] == [0xFFFE, 0x10000, 0x10001]


def test_a_rejoin_with_the_same_address_is_another_session(story) -> None:
    first = story.join(5, 0)
    story.say(data_up(first, 3, 30, b"first"), heard_by=("gw1",))
    second = story.join(6, 1)
    story.say(data_up(second, 3, 30, b"again"), heard_by=("gw1",))
    assert [(u.session, u.payload) for u in story.log.uplinks] == [(0, b"first"), (1, b"again")]


def test_an_accept_for_another_key_is_not_ours(story) -> None:
    story.say(join_request(5))
    story.say(join_accept(0, bytes(16)), sender="gw1")
    keys = session_keys(APP_KEY, 0, bytes(3), 5)
    story.say(data_up(keys, 0, 10, bytes(11)), heard_by=("gw1",))
    assert story.log.unreadable == 1


def test_mac_frames_and_options_are_told_from_readings(story) -> None:
    keys = story.join(5, 0)
    story.say(data_up(keys, 1, 10, bytes(11), f_opts=b"\x03\x07"), heard_by=("gw1",))
    story.say(data_up(keys, 2, None, b""), heard_by=("gw1",))
    story.say(data_up(keys, 3, 0, b"\x06\xff\x01"), heard_by=("gw1",))
    assert [(u.f_port, u.is_reading) for u in story.log.uplinks] == [
        (10, True),
        (None, False),
        (0, False),
    ]
    assert story.log.uplinks[2].payload == b"\x06\xff\x01"
    assert story.log.readings_heard == 1


@pytest.mark.parametrize("console_first", [True, False])
def test_the_console_gives_the_whole_sequence(story, console_first: bool) -> None:
    keys = story.join(5, 0)
    line = "revier uplink f_cnt=4 port=10 len=11 dr=5 freq=868100000 seq=70000"
    if console_first:
        story.log.on_console(DEV_EUI, story.t_us + 9_000_000, line)
    story.say(data_up(keys, 4, 10, bytes(11)), heard_by=("gw1",))
    if not console_first:
        story.log.on_console(DEV_EUI, story.t_us + 3_000_000, line)
    assert story.log.uplinks[0].seq == 70000


def test_a_console_line_of_an_older_session_is_not_taken(story) -> None:
    keys = story.join(5, 0)
    story.log.on_console(DEV_EUI, story.t_us, "revier uplink f_cnt=4 port=10 seq=9")
    story.t_us += 3_600_000_000
    story.say(data_up(keys, 4, 10, bytes(11)), heard_by=("gw1",))
    assert story.log.uplinks[0].seq is None


def test_measured_readings_are_counted_from_the_console(story) -> None:
    for seq in range(3):
        story.log.on_console(DEV_EUI, seq, f"revier reading kind=air seq={seq}")
    story.log.on_console(DEV_EUI, 4, "revier sleep ms=300000")
    assert story.log.readings_measured == 3


def test_the_log_survives_a_file(story) -> None:
    keys = story.join(5, 0)
    story.say(data_up(keys, 1, 30, b"\x01\x02\x03\x04\x05"), heard_by=("gw1",))
    (uplink,) = story.log.uplinks
    assert from_json(json.loads(json.dumps(to_json(uplink)))) == uplink
