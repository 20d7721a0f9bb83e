# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One case or more for each MAC command of LoRaWAN 1.0.4 and for the walk over them."""

from peer import Context, joined, only

from revier_mac import actions as act
from revier_mac.commands import COMMANDS, apply
from revier_mac.session import ANSWERS_MAX, Session

ADR_OK = b"\x03\x07"


def fresh():
    session = Session()
    session.dr = 5
    return session


def answers(session, data, **context):
    session.answers = bytearray()
    apply(session, data, Context(**context))
    return bytes(session.answers)


def case_link_adr():
    bench = joined()
    assert bench.command(b"\x03\x52\xff\x00\x02") == ADR_OK
    session = bench.device.session
    assert (session.dr, session.tx_power, session.mask, session.nb_trans) == (5, 2, 0xFF, 2)
    assert only(bench.send(), act.Transmit).power_dbm == 12


def case_link_adr_repeated_is_idempotent():
    bench = joined()
    first = None
    for _ in range(3):
        assert bench.command(b"\x03\x53\xff\x00\x01") == ADR_OK
        session = bench.device.session
        state = (session.dr, session.tx_power, session.mask, session.nb_trans)
        assert first in (None, state)
        first = state


def case_link_adr_keep():
    session = fresh()
    session.tx_power = 4
    session.dr = 3
    assert answers(session, b"\x03\xff\x05\x00\x00") == ADR_OK
    assert (session.dr, session.tx_power, session.mask, session.nb_trans) == (3, 4, 5, 1)


def case_link_adr_block_is_atomic():
    session = fresh()
    block = b"\x03\x50\x01\x00\x01" + b"\x03\x41\x04\x00\x01"
    assert answers(session, block) == ADR_OK * 2
    assert (session.dr, session.tx_power, session.mask) == (4, 1, 4)
    bad = b"\x03\x50\x08\x00\x01" + b"\x03\x52\x03\x00\x02"  # channel 3 does not exist
    assert answers(session, bad) == b"\x03\x06" * 2
    assert (session.dr, session.tx_power, session.mask, session.nb_trans) == (4, 1, 4, 1)
    assert answers(session, b"\x03\x50\x01\x00\x01\x06\x03\x52\x02\x00\x01")[-2:] == ADR_OK
    assert session.mask == 2  # two blocks


def case_link_adr_refusals():
    for request, status in (
        (b"\x03\x50\x00\x00\x01", 6),  # empty mask
        (b"\x03\x50\x0f\x00\x01", 6),  # a channel that does not exist
        (b"\x03\x50\x07\x00\x11", 6),  # ChMaskCntl 1 is not EU868's
        (b"\x03\x70\x07\x00\x01", 5),  # DR 7 is FSK
        (b"\x03\x60\x07\x00\x01", 5),  # DR 6 on channels that end at DR 5
        (b"\x03\x58\x07\x00\x01", 3),  # TXPower 8
    ):
        session = fresh()
        before = session.pack()
        assert answers(session, request) == bytes((3, status)), request
        session.answers = bytearray()
        assert session.pack() == before


def case_link_adr_mask_control_6_is_all():
    session = fresh()
    session.mask = 1
    assert answers(session, b"\x03\x50\x00\x00\x61") == ADR_OK
    assert session.mask == 7


def case_link_adr_without_adr_keeps_data_rate_and_power():
    session = fresh()
    assert answers(session, b"\x03\x12\x03\x00\x02", adr=False) == ADR_OK
    assert (session.dr, session.tx_power, session.mask, session.nb_trans) == (5, 0, 3, 2)


def case_duty_cycle():
    bench = joined()
    assert bench.command(b"\x04\x0b") == b"\x04"  # 1/2048
    assert bench.device.session.max_d_cycle == 11
    start = bench.device.next_tx_ms(bench.now_ms, 2)
    bench.sent()
    pause = bench.device.next_tx_ms(bench.now_ms, 2) - start
    assert 46336 * 2047 // 1000 <= pause <= 51456 * 2048 // 1000 + 3000, pause
    assert bench.device.send(10, b"", False, bench.now_ms, 1)[0].reason == act.DUTY
    bench.device.session = Session.unpack(bench.device.session.pack())
    assert bench.device.next_tx_ms(bench.now_ms, 2) > bench.now_ms + 60000
    bench.exchange(bench.network.downlink(b"\x04\x00"))
    assert bench.device.session.max_d_cycle == 0


def case_rx_param_setup_is_sticky():
    bench = joined()
    assert bench.command(b"\x05\x23\xd2\xad\x84") == b"\x05\x07"
    session = bench.device.session
    assert (session.rx1_dr_offset, session.rx2_dr, session.rx2_frequency) == (2, 3, 8695250)
    bench.device.session = Session.unpack(session.pack())
    assert bench.sent()[2] == b"\x05\x07"  # until a class A downlink comes
    (rx1,) = (bench.send(), bench.tx_done())[1]
    assert rx1.spreading_factor == 9
    (rx2,) = bench.silence()
    assert rx2.spreading_factor == 9
    bench.hear(bench.network.downlink())
    assert bench.sent()[2] == b""


def case_rx_param_setup_refusals():
    for request, status in (
        (b"\x05\x60\xd2\xad\x84", 3),  # offset 6
        (b"\x05\x07\xd2\xad\x84", 5),  # RX2 with FSK
        (b"\x05\x00\x00\x00\x00", 6),  # 0 Hz
    ):
        session = fresh()
        assert answers(session, request) == bytes((5, status))
        assert (session.rx1_dr_offset, session.rx2_dr, session.rx2_frequency) == (0, 0, 8695250)


def case_dev_status():
    bench = joined()
    bench.device.battery = 200
    bench.exchange(bench.network.downlink(b"\x06"))
    assert bench.sent()[2] == b"\x06\xc8\x07"
    for snr_db, margin in ((-40, 0x20), (-1, 0x3F), (31, 31), (60, 31)):
        assert answers(fresh(), b"\x06", snr_db=snr_db) == bytes((6, 255, margin))


def case_new_channel():
    session = fresh()
    assert answers(session, b"\x07\x03\x18\x4f\x84\x50") == b"\x07\x03"
    assert (session.channels[3], session.dr_ranges[3], session.mask) == (8671000, 0x50, 0x0F)
    assert answers(session, b"\x07\x03\x00\x00\x00\x00") == b"\x07\x03"
    assert (session.channels[3], session.mask) == (0, 7)
    for request, status in (
        (b"\x07\x02\x18\x4f\x84\x50", 0),  # a default channel
        (b"\x07\x10\x18\x4f\x84\x50", 0),  # there is no channel 16
        (b"\x07\x04\x01\x02\x03\x50", 2),  # frequency outside the band
        (b"\x07\x04\xd8\x89\x84\x50", 2),  # 868.65 MHz: in the gap for alarms
        (b"\x07\x04\x18\x4f\x84\x70", 1),  # up to FSK
        (b"\x07\x04\x18\x4f\x84\x05", 1),  # from DR 5 to DR 0
    ):
        assert answers(session, request) == bytes((7, status)), request
        assert session.channels[4] == 0


def case_taking_the_last_channel_away_brings_the_default_ones_back():
    session = fresh()
    answers(session, b"\x07\x03\x18\x4f\x84\x66\x03\x60\x08\x00\x01")
    assert (session.mask, session.dr) == (8, 6)
    answers(session, b"\x07\x03\x00\x00\x00\x00")
    assert (session.mask, session.dr) == (7, 5)


def case_rx_timing_setup_is_sticky():
    bench = joined()
    assert bench.command(b"\x08\x03") == b"\x08"
    assert bench.sent()[2] == b"\x08"
    (rx1,) = (bench.send(), bench.tx_done())[1]
    assert rx1.delay_us == 3000000
    assert bench.silence()[0].delay_us == 4000000
    bench.hear(bench.network.downlink(b"\x08\x00"))
    assert bench.device.session.rx1_delay_s == 1


def case_tx_param_setup_is_not_answered():
    assert answers(fresh(), b"\x09\x05\x06") == b"\x06\xff\x00"


def case_dl_channel_is_sticky():
    bench = joined()
    assert bench.command(b"\x0a\x01\xd2\xad\x84") == b"\x0a\x03"
    assert bench.sent()[2] == b"\x0a\x03"
    session = bench.device.session = Session.unpack(bench.device.session.pack())
    session.mask = 2
    transmit = only(bench.send(), act.Transmit)
    (rx1,) = bench.tx_done()
    assert (transmit.frequency_hz, rx1.frequency_hz) == (868300000, 869525000)
    bench.silence()
    bench.silence()
    assert answers(session, b"\x0a\x09\xd2\xad\x84") == b"\x0a\x01"  # there is no channel 9
    assert answers(session, b"\x0a\x01\x00\x00\x00") == b"\x0a\x02"


def case_order_of_answers_and_stickiness_mixed():
    bench = joined()
    assert bench.command(b"\x06\x08\x01\x04\x00") == b"\x06\xff\x07\x08\x04"
    assert bench.sent()[2] == b"\x08"


def case_commands_of_the_recording():
    """FOpts that a real ChirpStack sent; its LinkADRReq comes in every downlink until answered."""
    bench = joined()
    assert bench.command(b"\x03\x52\xff\x00\x01\x06") == b"\x03\x07\x06\xff\x07"
    assert bench.command(b"\x03\x54\xff\x00\x01") == ADR_OK


def case_unknown_command_stops():
    session = fresh()
    assert apply(session, b"\x06\x80\x06", Context()) == 1
    assert bytes(session.answers) == b"\x06\xff\x00"


def case_cut_command_stops():
    for cid, (length, _, _, _) in COMMANDS.items():
        for cut in range(length):
            session = fresh()
            before = session.pack()
            assert apply(session, bytes((cid,)) + b"\x01" * cut, Context()) == 0
            assert session.pack() == before


def case_commands_that_nobody_asked_for_advance():
    """A published stack forgot to advance over an unexpected LinkCheckAns."""
    context = Context()
    session = fresh()
    assert apply(session, b"\x02\x06\x06\x0d\x06\x06\x06\x06\x06\x06", context) == 10
    assert bytes(session.answers) == b"\x06\xff\x00"
    assert len(context.news) == 2


def case_answers_have_a_limit():
    session = fresh()
    assert apply(session, b"\x06" * 14, Context()) == 9
    assert len(session.answers) == 27
    assert apply(session, b"\x08\x01" * 3, Context()) == 2
    assert len(session.answers) == ANSWERS_MAX


def case_unsent_answers_survive_another_downlink():
    bench = joined()
    session = bench.device.session
    apply(session, b"\x08\x02", Context())  # as after a downlink within the same exchange
    bench.device.session.nb_trans = 2
    bench.exchange(bench.network.downlink())
    assert bench.sent()[2] == b""
    bench.exchange(bench.network.downlink(b"\x08\x02"), confirmed=True)  # no ACK: it goes on
    bench.now_ms = bench.device.deadline_ms()
    bench.device.handle(act.TIMER, bench.now_ms)
    bench.tx_done()
    bench.hear(bench.network.downlink(ack=True))
    assert bench.sent()[2] == b"\x08"
