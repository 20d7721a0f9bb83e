# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Frames, counters, repeats and ADR as a certification laboratory tests them: from the air only.

L2 = LoRaWAN L2 1.0.4, RP = RP002-1.0.4; lctt: the end device certification test for 1.0.4.
"""

from laboratory import DEFAULTS_HZ, frequencies, laboratory, windows
from peer import Bench, joined, kinds, only

from revier_mac import actions as act
from revier_mac.session import Session

ADR, ADR_ACK_REQ, ACK = 0x80, 0x40, 0x20


def ignored(bench, frame, why):
    """Nothing of the frame has an effect, in RX1 or in RX2."""
    before = bench.device.session.f_cnt_down
    bench.send()
    bench.tx_done()
    assert kinds(bench.hear(frame)) == "Window", why
    assert kinds(bench.hear(frame)) == "Save Done", why
    assert bench.device.session.f_cnt_down == before, why
    assert not bench.sent()[1] & ACK, why


def transmissions(bench, answer_at=None, answer=None, **send):
    """All transmissions of one uplink; the answer comes in RX1 after that of this number."""
    sent = [only(bench.send(**send), act.Transmit)]
    while True:
        bench.tx_done()
        if len(sent) == answer_at:
            actions = bench.hear(answer())
        else:
            bench.silence()
            actions = bench.silence()
        if bench.device.deadline_ms() is None:
            return sent, only(actions, act.Done)
        bench.now_ms = bench.device.deadline_ms()
        sent.append(only(bench.device.handle(act.TIMER, bench.now_ms), act.Transmit))


# -- 3.3 Receive windows --


def case_l2_3_3_windows_follow_the_uplink_at_1_and_2_s():
    bench = laboratory()
    transmit, rx1, rx2 = windows(bench)
    assert (rx1.delay_us, rx2.delay_us) == (1000000, 2000000)
    assert rx1.frequency_hz == transmit.frequency_hz
    assert (rx1.spreading_factor, rx1.bandwidth_hz) == (transmit.spreading_factor, 125000)
    assert (rx2.frequency_hz, rx2.spreading_factor, rx2.bandwidth_hz) == (869525000, 12, 125000)


def case_l2_3_3_window_opens_so_that_the_preamble_is_seen_whichever_way_the_clock_errs():
    """At least 6 of 8 symbols lie in it, for the earliest and the latest opening."""
    bench = joined()
    for dr in range(6):
        bench.device.session.dr = dr
        for window in windows(bench)[1:]:
            symbol_us = (1000 << window.spreading_factor) // 125
            error_us = 1000 + 100 * window.delay_us // 1000000
            latest_us = window.open_us + error_us
            end_us = window.open_us - error_us + window.symbols * symbol_us
            assert latest_us <= window.delay_us + 2 * symbol_us + 1, (dr, window)
            assert end_us >= window.delay_us + 6 * symbol_us - 1, (dr, window)


def case_l2_3_3_1_no_rx2_after_a_frame_for_us_in_rx1():
    bench = laboratory()
    bench.send()
    bench.tx_done()
    frame = bench.network.downlink(port=1, data=b"x")
    (finish,) = bench.device.received(frame, len(frame), -90, 5)
    assert type(finish) is act.Finish


def case_l2_3_3_1_rx2_opens_after_a_frame_for_another_device_in_rx1():
    bench = laboratory()
    bench.send()
    bench.tx_done()
    bench.network.dev_addr = b"\x04\x03\x02\x00"
    (rx2,) = bench.hear(bench.network.downlink(port=1, data=b"x"))
    assert rx2.number == 2


def case_l2_3_3_downlink_in_rx2_counts_as_one_in_rx1():
    bench = laboratory()
    actions = bench.exchange(bench.network.downlink(b"\x06", port=5, data=b"two"), window=2)
    assert only(actions, act.Downlink).data == b"two"
    assert bench.sent()[2] == b"\x06\xff\x07"


# -- 4.2 MHDR, 4.3.1 FHDR --


def case_l2_4_2_frames_of_other_types_and_versions_are_ignored():
    for m_hdr in (0x00, 0x20, 0x40, 0x80, 0xC0, 0xE0, 0x61, 0x62, 0x63, 0xA1):
        bench = laboratory()
        frame = bytearray(bench.network.downlink(port=1, data=b"x"))
        frame[0] = m_hdr
        mic = bench.network.nwk.cmac(block(bench, 0, len(frame) - 4), frame, 0, len(frame) - 4)
        frame[-4:] = mic[:4]  # right for this header
        ignored(bench, frame, hex(m_hdr))


def block(bench, f_cnt, length):
    result = bytearray(16)
    result[0], result[5], result[15] = 0x49, 1, length
    result[6:10] = bench.network.dev_addr
    result[10:14] = f_cnt.to_bytes(4, "little")
    return result


def case_l2_4_frames_cut_at_any_byte_are_ignored():
    bench = laboratory()
    frame = bench.network.downlink(b"\x06", port=9, data=b"0123")
    for length in range(len(frame)):
        ignored(bench, frame[:length], length)
    assert only(bench.exchange(frame), act.Downlink).data == b"0123"


def case_l2_4_4_a_frame_with_any_bit_wrong_is_ignored():
    bench = laboratory()
    frame = bench.network.downlink(b"\x06", port=9, data=b"0")
    for bit in range(8 * len(frame)):
        wrong = bytearray(frame)
        wrong[bit >> 3] ^= 1 << (bit & 7)
        ignored(bench, wrong, bit)
    assert only(bench.exchange(frame), act.Downlink).data == b"0"


def case_l2_4_4_an_uplink_that_comes_back_is_ignored():
    """The direction is part of the MIC."""
    bench = laboratory()
    frame = bytearray(only(bench.send(), act.Transmit).payload)
    bench.unanswered()
    ignored(bench, frame, "as it was")
    frame[0] = 0x60
    ignored(bench, frame, "as a downlink")


def case_l2_4_3_1_ack_answers_a_confirmed_downlink_in_the_next_uplink_only():
    bench = laboratory()
    bench.exchange(bench.network.downlink(port=1, data=b"x", confirmed=True))
    assert bench.sent(port=None, data=b"")[1] & ACK
    assert not bench.sent()[1] & ACK
    bench.exchange(bench.network.downlink(confirmed=True))  # without a port as well
    assert bench.sent()[1] & ACK


def case_l2_4_3_1_ack_goes_out_with_each_repeat():
    bench = laboratory()
    bench.exchange(bench.network.downlink(b"\x03\x50\x07\x00\x03", confirmed=True))
    sent, _ = transmissions(bench)
    assert len(sent) == 3
    for transmit in sent:
        assert transmit.payload[5] & ACK


def case_l2_4_3_1_4_f_pending_is_told_to_the_application():
    bench = laboratory()
    actions = bench.exchange(bench.network.downlink(port=1, data=b"x", pending=True))
    assert only(actions, act.Done).pending
    assert not only(bench.exchange(bench.network.downlink()), act.Done).pending


def case_l2_4_3_1_6_f_opts_of_15_bytes_are_read():
    bench = laboratory()
    answers = bench.command(b"\x02\x01\x01" * 4 + b"\x08\x02" + b"\x06")
    assert answers == b"\x08\x06\xff\x07"


def case_l2_4_3_2_ports_1_to_223_are_the_applications_and_0_is_not():
    bench = laboratory()
    for port in (1, 10, 200, 223, 224, 255):
        actions = bench.exchange(bench.network.downlink(port=port, data=b"d"))
        assert only(actions, act.Downlink).f_port == port
    actions = bench.exchange(bench.network.downlink(port=0, data=b"\x06"))
    assert kinds(actions) == "Save Done"


def case_l2_4_3_2_a_port_without_data_is_an_empty_message():
    bench = laboratory()
    actions = bench.exchange(bench.network.downlink(port=9, data=b""))
    assert tuple(only(actions, act.Downlink))[:2] == (9, b"")


# -- 4.3.1.5 Counters --


def case_l2_4_3_1_5_f_cnt_up_grows_by_1_with_each_new_frame():
    bench = laboratory()
    for f_cnt in range(6):
        frame = only(bench.send(confirmed=bool(f_cnt & 1)), act.Transmit).payload
        bench.network.read(frame, f_cnt)
        bench.unanswered()


def case_l2_4_3_1_5_f_cnt_up_has_32_bits_on_the_air_16():
    bench = laboratory()
    for f_cnt in (0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF):
        bench.device.session.f_cnt_up = f_cnt
        bench.device.session = Session.unpack(bench.device.session.pack())
        frame = only(bench.send(), act.Transmit).payload
        bench.network.read(frame, f_cnt)  # asserts the MIC over all 32 bits
        bench.unanswered()
    assert bench.send()[0].reason == act.COUNTER_SPENT


def case_l2_4_3_1_5_f_cnt_down_must_grow():
    bench = laboratory()
    old = [bench.network.downlink(port=1, data=b"x") for _ in range(3)]
    assert only(bench.exchange(old[1]), act.Downlink).f_cnt == 1
    for frame in (old[0], old[1]):
        ignored(bench, frame, "a counter that was")
    assert only(bench.exchange(old[2]), act.Downlink).f_cnt == 2


def case_l2_4_3_1_5_f_cnt_down_has_no_greatest_gap():
    """MAX_FCNT_GAP is gone in 1.0.4: up to 65,535 lost frames are made up for."""
    bench = laboratory()
    f_cnt = -1
    for gap in (1, 16384, 16385, 65535, 65536):
        f_cnt += gap
        frame = bench.network.downlink(port=1, data=b"x", f_cnt=f_cnt)
        assert only(bench.exchange(frame), act.Downlink).f_cnt == f_cnt, gap


def case_l2_4_3_1_5_f_cnt_down_of_another_height_is_ignored():
    """65,537 ahead looks like 1 ahead on the air, and its MIC is another."""
    bench = laboratory()
    bench.exchange(bench.network.downlink(port=1, data=b"x"))
    ignored(bench, bench.network.downlink(port=1, data=b"x", f_cnt=0x10001), "too far")


def case_l2_4_3_1_5_counters_survive_a_reset():
    bench = laboratory()
    bench.exchange(bench.network.downlink(port=1, data=b"x"))
    replay = bench.network.downlink(port=1, data=b"y")
    last = bench.exchange(replay)
    again = Bench(Session.unpack(only(last, act.Save).record))
    again.network, again.now_ms = bench.network, bench.now_ms
    frame = only(again.send(), act.Transmit).payload
    again.network.read(frame, 2)
    again.unanswered()
    ignored(again, replay, "heard before the reset")


# -- 4.3.1.2 and 4.3.1.3: NbTrans, confirmed frames: lctt link ADR redundancy --


def case_lctt_nb_trans_repeats_an_unconfirmed_frame_as_it_is():
    bench = laboratory()
    for nb_trans in (2, 3, 15, 1, 0):
        bench.exchange(bench.network.downlink(bytes((3, 0x50, 7, 0, nb_trans))))
        for f_opts in (b"\x03\x07", b""):
            f_cnt = bench.device.session.f_cnt_up
            sent, done = transmissions(bench)
            assert len(sent) == (nb_trans or 1), nb_trans
            assert done.result == act.SENT
            assert len({t.payload for t in sent}) == 1, "the same frame, the same counter"
            assert bench.network.read(sent[0].payload, f_cnt)[2] == f_opts
            for i in range(1, len(sent)):
                assert sent[i].frequency_hz != sent[i - 1].frequency_hz
        assert bench.device.session.f_cnt_up == f_cnt + 1


def case_lctt_nb_trans_ends_with_any_class_a_downlink():
    bench = laboratory()
    bench.exchange(bench.network.downlink(b"\x03\x50\x07\x00\x05"))
    for at in (1, 2, 4):
        sent, done = transmissions(bench, at, bench.network.downlink)
        assert len(sent) == at
        assert done.result == act.SENT


def case_lctt_nb_trans_of_a_confirmed_frame_ends_with_its_acknowledgement():
    bench = laboratory()
    bench.exchange(bench.network.downlink(b"\x03\x50\x07\x00\x03"))
    for at in (1, 2, 3):
        sent, done = transmissions(
            bench, at, lambda: bench.network.downlink(ack=True), confirmed=True
        )
        assert (len(sent), done.result) == (at, act.ACKED)
        assert len({t.payload for t in sent}) == 1
        assert sent[0].payload[0] == 0x80
    sent, done = transmissions(bench, 1, bench.network.downlink, confirmed=True)
    assert (len(sent), done.result) == (3, act.UNACKNOWLEDGED), "heard, but not acknowledged"


def case_l2_4_3_1_2_a_repeat_of_a_confirmed_frame_waits_1_to_3_s():
    bench = laboratory()
    bench.device.session.nb_trans = 2
    waits = set()
    for _ in range(8):
        bench.send(confirmed=True)
        bench.tx_done()
        bench.silence()
        wait = only(bench.silence(), act.Wait)
        waits.add(wait.until_ms - bench.now_ms)
        bench.now_ms = wait.until_ms
        bench.device.handle(act.TIMER, bench.now_ms)
        bench.unanswered()
    assert min(waits) >= 1000
    assert max(waits) <= 3000
    assert len(waits) > 1, "drawn, so that two devices do not meet again"


def case_l2_4_3_1_2_an_ack_bit_without_a_confirmed_frame_means_nothing():
    bench = laboratory()
    actions = bench.exchange(bench.network.downlink(ack=True))
    assert only(actions, act.Done).result == act.SENT


# -- 4.3.1.1 ADR --


def case_l2_4_3_1_1_adr_bit_says_whether_the_network_steers():
    bench = laboratory()
    assert bench.sent()[1] & ADR
    bench.device.adr = False
    assert not bench.sent()[1] & (ADR | ADR_ACK_REQ)


def case_l2_4_3_1_1_without_adr_no_acknowledgement_is_asked():
    bench = laboratory()
    bench.device.adr = False
    for _ in range(70):
        assert not bench.sent()[1] & ADR_ACK_REQ


def case_l2_4_3_1_1_adr_ack_req_after_64_uplinks_until_a_downlink():
    bench = laboratory()
    for _ in range(2):
        bits = [bench.sent()[1] & ADR_ACK_REQ for _ in range(70)]
        assert bits == [0] * 64 + [ADR_ACK_REQ] * 6, bits
        bench.exchange(bench.network.downlink())


def case_l2_4_3_1_1_repeats_do_not_count_towards_adr_ack_req():
    bench = laboratory()
    bench.exchange(bench.network.downlink(b"\x03\x50\x07\x00\x03"))
    bits = [bench.sent()[1] & ADR_ACK_REQ for _ in range(66)]
    assert bits == [0] * 64 + [ADR_ACK_REQ] * 2, bits


def case_l2_4_3_1_1_back_off_gives_power_then_data_rate_then_channels_back():
    """From SF10 with little power on one channel: 64, then every 32 uplinks one step."""
    bench = laboratory()
    bench.exchange(bench.network.downlink(b"\x03\x27\x01\x00\x02"))
    seen = []
    for number in range(64 + 6 * 32):
        transmit = only(bench.send(), act.Transmit)
        state = transmit.power_dbm, transmit.spreading_factor
        if not seen or seen[-1][1] != state:
            seen.append((number, state))
        bench.unanswered()
    assert seen == [(0, (2, 10)), (96, (16, 10)), (128, (16, 11)), (160, (16, 12))], seen
    assert frequencies(bench, 12) == set(DEFAULTS_HZ)
    assert len(transmissions(bench)[0]) == 1, "NbTrans is 1 again"


# -- RP 2.4.6 Payload sizes --


def case_rp_2_4_6_longest_payload_of_each_data_rate_and_one_more():
    bench = joined()
    for dr, size in enumerate((51, 51, 51, 115, 242, 242)):
        bench.device.session.dr = dr
        assert bench.device.payload_max() == size
        assert bench.sent(data=b"x" * size)[4] == b"x" * size
        assert bench.send(data=b"x" * (size + 1))[0].reason == act.TOO_LONG


def case_rp_2_4_6_answers_take_room_from_the_payload():
    bench = laboratory()
    bench.exchange(bench.network.downlink(b"\x03\x00\x07\x00\x01\x06"))
    assert bench.device.payload_max() == 46
    f_opts, port, data = bench.sent(data=b"x" * 46)[2:]
    assert (f_opts, port, data) == (b"\x03\x07\x06\xff\x07", 10, b"x" * 46)
