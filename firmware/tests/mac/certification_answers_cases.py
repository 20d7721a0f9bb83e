# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The walk over MAC commands and their answers, as a certification laboratory tests them.

L2 = LoRaWAN L2 1.0.4; lctt_2_5_14 is the certification test of several commands at once.
"""

from laboratory import laboratory, on_port_0, windows
from peer import kinds


def case_lctt_2_5_14_answers_come_before_requests_before_data():
    bench = laboratory()
    bench.exchange(bench.network.downlink(b"\x06\x03\x50\x07\x00\x01", port=224, data=b"\x20"))
    bench.device.request_link_check()
    f_opts, port, data = bench.sent(data=b"abc")[2:]
    assert f_opts == b"\x06\xff\x07" + b"\x03\x07" + b"\x02"
    assert (port, data) == (10, b"abc")


def case_lctt_2_5_14_more_answers_than_f_opts_hold_go_alone_on_port_0():
    """At DR 5, where they fit beside no data: all of them, in the order of the commands."""
    bench = laboratory()
    orders = b"\x06\x05\x00\xd2\xad\x84" + b"\x06" * 4 + b"\x03\x50\x07\x00\x01"
    on_port_0(bench, orders)
    status = b"\x06\xff\x07"
    sent = bench.sent(data=b"abc")[2:]
    assert sent == (b"", 0, status + b"\x05\x07" + status * 4 + b"\x03\x07")
    assert bench.sent(data=b"abc")[2:] == (b"\x05\x07", 10, b"abc"), "only the sticky one stays"


def case_l2_5_answers_that_are_repeated_keep_no_data_back():
    """Eight DlChannelAns do not fit into FOpts: all leave once alone, then whole ones with data."""
    bench = laboratory()
    on_port_0(bench, b"".join(bytes((0x0A, i % 3, 0xD2, 0xAD, 0x84)) for i in range(8)))
    assert bench.device.payload_max() == 0
    assert bench.sent(data=b"abc")[2:] == (b"", 0, b"\x0a\x03" * 8)
    assert bench.device.payload_max() == 242 - 14
    for _ in range(3):
        assert bench.sent(data=b"abc")[2:] == (b"\x0a\x03" * 7, 10, b"abc")
    assert bench.sent(data=b"x" * 238)[2:] == (b"\x0a\x03" * 2, 10, b"x" * 238)
    bench.exchange(bench.network.downlink())
    assert bench.sent(data=b"abc")[2:] == (b"", 10, b"abc")


def case_l2_5_requests_have_their_room():
    """payload_max() counts LinkCheckReq and DeviceTimeReq: they leave with the fullest frame."""
    bench = laboratory()
    bench.device.request_link_check()
    bench.device.request_device_time()
    assert bench.device.payload_max() == 240
    assert bench.sent(data=bytes(240))[2:] == (b"\x02\x0d", 10, bytes(240))
    bench.device.request_device_time()
    assert bench.sent(data=bytes(242))[2:] == (b"", 10, bytes(242))
    assert bench.sent(data=b"abc")[2:] == (b"\x0d", 10, b"abc"), "it waits for room"


def case_l2_5_commands_without_room_for_their_answer_are_not_carried_out():
    """Answers are cut behind a whole answer, and what is not answered has no effect."""
    bench = laboratory()
    on_port_0(bench, b"\x06" * 14 + b"\x03\x05\x07\x00\x01" + b"\x04\x05")
    answers = bench.sent()[4]
    assert answers == b"\x06\xff\x07" * (len(answers) // 3)
    transmit = windows(bench)[0]
    assert (transmit.spreading_factor, bench.device.session.max_d_cycle) == (7, 0)


def case_l2_5_unknown_commands_end_the_walk():
    for cid in (0x00, 0x01, 0x0B, 0x0C, 0x0E, 0x0F, 0x10, 0x11, 0x13, 0x20, 0x7F, 0x80, 0xFF):
        bench = laboratory()
        answers = bench.command(b"\x06" + bytes((cid,)) + b"\x04\x05\x06")
        assert answers == b"\x06\xff\x07", hex(cid)
        assert bench.device.session.max_d_cycle == 0


def case_l2_5_cut_commands_end_the_walk_without_effect():
    for request in (
        b"\x02\x01", b"\x03\x32\x01\x00", b"\x04", b"\x05\x22\xc2\x86", b"\x07\x03\x88\x66\x84",
        b"\x08", b"\x09", b"\x0a\x00\xf8\x7d", b"\x0d\x01\x02\x03\x04",
    ):  # fmt: skip
        bench = laboratory()
        assert bench.command(b"\x06" + request) == b"\x06\xff\x07", request
        transmit, rx1, rx2 = windows(bench)
        assert (transmit.spreading_factor, transmit.power_dbm) == (7, 16)
        assert (rx1.delay_us, rx1.frequency_hz) == (1000000, transmit.frequency_hz)
        assert rx2.frequency_hz == 869525000


def case_l2_4_3_1_6_commands_on_port_0_are_those_of_f_opts():
    for carry in (lambda bench, data: bench.exchange(bench.network.downlink(data)), on_port_0):
        bench = laboratory()
        carry(bench, b"\x03\x32\x03\x00\x01\x08\x02")
        assert bench.sent()[2] == b"\x03\x07\x08"
        transmit, rx1, _ = windows(bench)
        assert (transmit.spreading_factor, rx1.delay_us) == (9, 2000000)


def case_l2_4_3_1_6_commands_in_f_opts_and_on_port_0_at_once_are_no_frame():
    bench = laboratory()
    frame = bench.network.downlink(b"\x06", port=0, data=b"\x04\x05")
    bench.send()
    bench.tx_done()
    assert kinds(bench.hear(frame)) == "Window"
    assert kinds(bench.hear(frame)) == "Save Done"
    assert bench.sent()[2] == b""


def case_l2_5_1_sticky_answers_last_until_a_downlink_and_others_do_not():
    bench = laboratory()
    orders = b"\x08\x01\x06\x05\x00\xd2\xad\x84"
    assert bench.command(orders) == b"\x08" + b"\x06\xff\x07" + b"\x05\x07"
    assert bench.sent()[2] == b"\x08\x05\x07"
    assert bench.sent(port=None, data=b"")[2] == b"\x08\x05\x07", "in an empty uplink as well"
    bench.exchange(bench.network.downlink(port=9, data=b"x"), window=2)
    assert bench.sent()[2] == b""


def case_l2_5_1_an_answer_survives_a_downlink_with_new_commands():
    """The new command's answer is new; the one that was sent is done."""
    bench = laboratory()
    assert bench.command(b"\x08\x02") == b"\x08"
    assert bench.command(b"\x0a\x00\xf8\x7d\x84") == b"\x0a\x03"
    assert bench.sent()[2] == b"\x0a\x03"
