# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Joins, uplinks, windows, downlinks, repeats: the automaton from the outside."""

from peer import Bench, joined, kinds, only

from revier_mac import actions as act
from revier_mac import airtime as region
from revier_mac import device as automaton
from revier_mac.session import Session


def case_join():
    bench = Bench()
    actions = bench.request_join()
    assert kinds(actions) == "ReserveDevNonce Save Transmit", kinds(actions)
    assert actions[0].next_dev_nonce == 1
    transmit = actions[2]
    assert transmit.frequency_hz in (868100000, 868300000, 868500000)
    assert (transmit.spreading_factor, transmit.bandwidth_hz) == (7, 125000)
    assert (transmit.power_dbm, transmit.airtime_us) == (16, 61696)
    accept = bench.network.accept(transmit.payload)
    (rx1,) = bench.tx_done()
    assert (rx1.number, rx1.delay_us, rx1.frequency_hz) == (1, 5000000, transmit.frequency_hz)
    actions = bench.hear(accept)
    assert kinds(actions) == "Save Joined Done", kinds(actions)
    assert tuple(actions[1]) == (0x01020304, 0, 0)  # the first JoinNonce of ChirpStack is 0
    assert actions[2].result == act.JOINED
    session = bench.device.session
    assert session.channels[:9] == [8681000, 8683000, 8685000] + [
        8671000, 8673000, 8675000, 8677000, 8679000, 0,
    ]  # fmt: skip
    assert session.mask == 0xFF
    assert Session.unpack(actions[0].record).pack() == actions[0].record


def case_join_accept_in_rx2():
    bench = Bench()
    frame = only(bench.request_join(), act.Transmit).payload
    bench.tx_done()
    (rx2,) = bench.silence()
    assert (rx2.number, rx2.delay_us, rx2.frequency_hz) == (2, 6000000, 869525000)
    assert rx2.spreading_factor == 12
    accept = bench.network.accept(frame, dl_settings=0x23, rx_delay=0, cf_list=b"")
    assert only(bench.hear(accept), act.Done).result == act.JOINED
    session = bench.device.session
    assert (session.rx1_dr_offset, session.rx2_dr, session.rx1_delay_s) == (2, 3, 1)


def case_join_without_answer_takes_the_next_nonce():
    bench = Bench(next_dev_nonce=0xFFFE)
    for nonce in (0xFFFE, 0xFFFF):
        actions = bench.request_join()
        frame = only(actions, act.Transmit).payload
        assert frame[17] | frame[18] << 8 == nonce
        assert only(actions, act.ReserveDevNonce).next_dev_nonce == nonce + 1
        bench.tx_done()
        bench.silence()
        assert only(bench.silence(), act.Done).result == act.NO_ACCEPT
    bench.now_ms += 10**7
    assert bench.device.join(bench.now_ms, 1)[0].reason == act.NONCES_SPENT


def case_join_nonce_must_differ():
    bench = joined()
    keys = bench.device.session.nwk_s_key
    bench.network.join_nonce = 0  # the accept of a join that was
    assert only(bench.join(), act.Done).result == act.NO_ACCEPT
    assert bench.device.session.nwk_s_key == keys
    bench.network.join_nonce = 0xFFFFFF
    assert only(bench.join(), act.Done).result == act.JOINED
    bench.network.join_nonce = 5  # smaller is good enough in 1.0.4: it differs
    assert only(bench.join(), act.Done).result == act.JOINED


def case_join_tries_spread():
    """All three channels and several data rates; the first hour stays within 36 s of airtime."""
    bench = Bench()
    seen = set()
    airtime_us = 0
    while bench.now_ms < 3600000:
        transmit = only(bench.request_join(), act.Transmit)
        seen.add(("f", transmit.frequency_hz))
        seen.add(("sf", transmit.spreading_factor))
        if bench.now_ms < 3600000:
            airtime_us += transmit.airtime_us
        bench.tx_done()
        bench.silence()
        bench.silence()
    assert len([s for s in seen if s[0] == "f"]) == 3
    assert len([s for s in seen if s[0] == "sf"]) >= 4
    assert 18000000 < airtime_us <= 36000000 + 1482752, airtime_us
    return airtime_us


def case_join_tries_reach_ever_farther():
    """SF7, SF9, SF11, then the mix."""
    bench = Bench()
    factors = []
    for _ in range(3):
        factors.append(only(bench.request_join(), act.Transmit).spreading_factor)
        bench.tx_done()
        bench.silence()
        bench.silence()
    assert factors == [7, 9, 11], factors
    return factors


def case_join_pause_survives_a_reset():
    bench = Bench()
    actions = bench.request_join()
    other = Bench(Session.unpack(only(actions, act.Save).record), 1)
    refused = other.device.join(bench.now_ms + 3000, 5)[0]
    assert refused.reason == act.DUTY
    assert refused.retry_ms > bench.now_ms + 6000


def case_uplink():
    bench = joined()
    actions = bench.send(port=10, data=b"hello")
    assert kinds(actions) == "Save Transmit", kinds(actions)
    assert Session.unpack(actions[0].record).f_cnt_up == 1  # stored before it is used
    transmit = actions[1]
    assert bench.network.read(transmit.payload, 0) == (0x40, 0x80, b"", 10, b"hello")
    assert region.sub_band(transmit.frequency_hz // 100) >= 0
    (rx1,) = bench.tx_done()
    assert (rx1.delay_us, rx1.frequency_hz) == (1000000, transmit.frequency_hz)
    assert rx1.spreading_factor == 7
    (rx2,) = bench.silence()
    assert (rx2.delay_us, rx2.frequency_hz, rx2.spreading_factor) == (2000000, 869525000, 12)
    actions = bench.silence()
    assert kinds(actions) == "Save Done", kinds(actions)
    assert tuple(actions[1]) == (act.SENT, 0, False, False)


def case_uplink_channels_spread():
    bench = joined()
    seen = set()
    for _ in range(60):
        seen.add(only(bench.send(), act.Transmit).frequency_hz)
        bench.tx_done()
        bench.silence()
        bench.silence()
    assert len(seen) == 8, seen


def case_downlink_in_rx1_ends_the_exchange():
    bench = joined()
    bench.send()
    bench.tx_done()
    frame = bench.network.downlink(port=200, data=b"\x0f", pending=True)
    buffer = bytearray(frame)
    (finish,) = bench.device.received(buffer, len(frame), -90, 7)
    assert finish.heard
    actions = bench.device.handle(act.FINISH, bench.now_ms)
    assert kinds(actions) == "Save Downlink Done", kinds(actions)
    assert Session.unpack(actions[0].record).f_cnt_down == 0  # stored before its effect
    assert tuple(actions[1]) == (200, b"\x0f", 0, False, True, 1, -90, 7)
    assert actions[2].pending


def case_wrong_frames_in_rx1_open_rx2():
    bench = joined()
    for spoil in (0, 1, 5, 6, 9, -1):
        bench.send()
        bench.tx_done()
        frame = bytearray(bench.network.downlink(port=200, data=b"\x0f"))
        frame[spoil] ^= 0x40
        (rx2,) = bench.hear(frame)
        assert rx2.number == 2, spoil
        good = bench.network.downlink(port=7, data=b"\x01")
        actions = bench.hear(good)
        assert only(actions, act.Downlink).window == 2


def case_replay_is_refused():
    bench = joined()
    old = bench.network.downlink(port=200, data=b"\x0f")
    assert only(bench.exchange(old), act.Downlink).f_cnt == 0
    actions = bench.exchange(old, window=2)
    assert kinds(actions) == "Save Done", kinds(actions)
    later = Bench(Session.unpack(only(actions, act.Save).record))  # also after a reset
    later.network = bench.network
    later.now_ms = bench.now_ms
    assert kinds(later.exchange(old, window=2)) == "Save Done"
    assert only(later.exchange(bench.network.downlink(port=1)), act.Downlink).f_cnt == 1


def case_f_cnt_down_is_32_bit():
    bench = joined()
    for f_cnt in (0xFFFF, 0x10000, 0x1FFFE, 0x2FFFD):
        actions = bench.exchange(bench.network.downlink(port=9, data=b"x", f_cnt=f_cnt))
        assert only(actions, act.Downlink).f_cnt == f_cnt
        assert only(actions, act.Downlink).data == b"x"


def case_confirmed_downlink_is_acknowledged_once():
    bench = joined()
    actions = bench.exchange(bench.network.downlink(port=200, data=b"\x01", confirmed=True))
    assert only(actions, act.Downlink).confirmed
    assert only(actions, act.Done).ack_due
    bench.device.session = Session.unpack(bench.device.session.pack())
    assert bench.sent(port=None, data=b"")[1] & 0x20
    assert not bench.sent()[1] & 0x20


def case_confirmed_uplink():
    bench = joined()
    f_cnt = bench.device.session.f_cnt_up
    transmit = only(bench.send(confirmed=True), act.Transmit)
    assert bench.network.read(transmit.payload, f_cnt)[0] == 0x80
    bench.tx_done()
    assert only(bench.hear(bench.network.downlink(ack=True)), act.Done).result == act.ACKED
    actions = bench.exchange(bench.network.downlink(port=3, data=b"1"), confirmed=True)
    assert only(actions, act.Done).result == act.UNACKNOWLEDGED  # heard, not acknowledged
    assert only(actions, act.Downlink).data == b"1"


def case_nb_trans_unconfirmed():
    bench = joined()
    bench.device.session.nb_trans = 3
    first = only(bench.send(), act.Transmit)
    frequencies = [first.frequency_hz]
    for _ in range(2):
        bench.tx_done()
        bench.silence()
        actions = bench.silence()
        assert kinds(actions) == "Save Wait", kinds(actions)
        bench.now_ms = bench.device.deadline_ms()
        actions = bench.device.handle(act.TIMER, bench.now_ms)
        assert kinds(actions) == "Save Transmit"
        assert actions[1].payload == first.payload
        frequencies.append(actions[1].frequency_hz)
        assert frequencies[-1] != frequencies[-2]
    bench.tx_done()
    bench.silence()
    done = only(bench.silence(), act.Done)
    assert (done.result, bench.device.session.f_cnt_up) == (act.SENT, done.f_cnt + 1)
    bench.send()
    bench.tx_done()  # a class A downlink stops the repeats
    assert only(bench.hear(bench.network.downlink()), act.Done).result == act.SENT


def case_nb_trans_confirmed_waits_and_ends_with_the_ack():
    bench = joined()
    bench.device.session.nb_trans = 2
    for answer in (True, False):
        bench.send(confirmed=True)
        bench.tx_done()
        bench.silence()
        actions = bench.silence()
        assert 1000 <= only(actions, act.Wait).until_ms - bench.now_ms <= 3000
        assert bench.device.handle(act.TIMER, bench.now_ms) == [actions[1]]  # too early
        bench.now_ms = bench.device.deadline_ms()
        only(bench.device.handle(act.TIMER, bench.now_ms), act.Transmit)
        bench.tx_done()
        if answer:
            done = only(bench.hear(bench.network.downlink(ack=True)), act.Done)
            assert done.result == act.ACKED
        else:
            bench.silence()
            assert only(bench.silence(), act.Done).result == act.UNACKNOWLEDGED


def case_no_repeat_when_a_downlink_took_the_channels():
    """DR 6 only on channel 3; the network takes it away between two transmissions of a frame."""
    bench = joined()
    setup = b"\x07\x03\x18\x4f\x84\x66\x03\x60\x08\x00\x02"
    bench.exchange(bench.network.downlink(setup))
    assert (bench.device.session.dr, bench.device.session.mask) == (6, 8)
    first = only(bench.send(confirmed=True), act.Transmit)
    assert (first.bandwidth_hz, first.frequency_hz) == (250000, 867100000)
    bench.tx_done()
    done = only(bench.hear(bench.network.downlink(b"\x07\x03\x00\x00\x00\x00")), act.Done)
    assert done.result == act.UNACKNOWLEDGED
    assert (bench.device.session.dr, bench.device.session.mask) == (5, 7)
    assert bench.sent()[2] == b"\x07\x03"


def case_refusals_change_nothing():
    bench = Bench()
    assert bench.send(wait=False)[0].reason == act.NOT_JOINED
    bench.join()
    before = bench.device.session.pack()
    assert bench.send(data=b"x" * 243)[0].reason == act.TOO_LONG
    assert bench.send(port=0)[0].reason == act.BAD_PORT
    assert bench.send(port=256)[0].reason == act.BAD_PORT
    assert bench.send(port=None)[0].reason == act.BAD_PORT
    assert bench.device.session.pack() == before
    bench.send(data=b"x" * 242)
    assert bench.send()[0].reason == act.BUSY
    assert bench.device.join(bench.now_ms, 0)[0].reason == act.BUSY


def case_counter_ends():
    bench = joined()
    bench.device.session.f_cnt_up = 0xFFFFFFFF
    bench.sent()
    assert bench.send()[0].reason == act.COUNTER_SPENT
    assert Session.unpack(bench.device.session.pack()).f_cnt_up == 0x100000000


def case_abort_in_every_state():
    for steps in range(4):
        for start in ("request_join", "send"):
            bench = joined()
            f_cnt = bench.device.session.f_cnt_up
            getattr(bench, start)()
            for step in range(steps):
                if step == 0:
                    bench.tx_done()
                else:
                    bench.device.handle(act.WINDOW_EMPTY, bench.now_ms)
            actions = bench.device.handle(act.ABORT, bench.now_ms)
            assert only(actions, act.Done).result == act.ABORTED
            assert bench.device.state == automaton.IDLE
            assert bench.device.session.f_cnt_up == f_cnt + (start == "send")
            assert bench.sent()[3] == 10
    assert bench.device.handle(act.ABORT, bench.now_ms) == []


def case_wrong_event_is_a_bug_of_the_caller():
    bench = Bench()
    for event in (act.TX_DONE, act.WINDOW_EMPTY, act.FRAME, act.FINISH, act.TIMER, 0):
        try:
            bench.device.handle(event, 0)
        except automaton.ProtocolError:
            continue
        raise AssertionError(event)


def case_adr_back_off():
    """Power, then data rate step by step, then the default channels and NbTrans 1."""
    bench = joined()
    session = bench.device.session
    session.dr, session.tx_power, session.nb_trans, session.mask = 2, 3, 1, 0x80
    seen = []
    for number in range(225):
        f_ctrl = bench.sent()[1]
        state = (f_ctrl & 0x40, session.tx_power, session.dr, session.mask)
        if not seen or seen[-1][1] != state:
            seen.append((number, state))
    assert [n for n, _ in seen] == [0, 64, 95, 127, 159, 191], seen
    assert [s for _, s in seen] == [
        (0, 3, 2, 0x80),
        (64, 3, 2, 0x80),
        (64, 0, 2, 0x80),
        (64, 0, 1, 0x80),
        (64, 0, 0, 0x80),
        (64, 0, 0, 0x87),
    ]
    bench.exchange(bench.network.downlink())
    assert not bench.sent()[1] & 0x40


def case_device_time_and_link_check():
    bench = joined()
    bench.device.request_device_time()
    bench.device.request_link_check()
    f_cnt = bench.device.session.f_cnt_up
    frame = only(bench.send(), act.Transmit).payload
    assert bench.network.read(frame, f_cnt)[2] == b"\x02\x0d"
    bench.tx_done()
    tx_end_ms = bench.now_ms
    f_opts = b"\x02\x10\x01\x0d\x58\xf9\x2e\x58\x41\x03\x54\xff\x00\x01"  # recorded: ChirpStack
    actions = bench.hear(bench.network.downlink(f_opts))
    assert tuple(only(actions, act.LinkCheck)) == (16, 1)
    assert tuple(only(actions, act.DeviceTime)) == (0x582EF958, 0x41, tx_end_ms)
    assert bench.sent()[2] == b"\x03\x07"


def case_payload_max_counts_the_answers():
    bench = joined()
    assert bench.device.payload_max() == 242
    bench.exchange(bench.network.downlink(b"\x06\x03\x52\xff\x00\x01"))
    assert bench.device.payload_max() == 237
    bench.exchange(bench.network.downlink(port=0, data=b"\x07\x03\x18\x4f\x84\x50" * 8))
    assert bench.device.payload_max() == 0
    f_cnt = bench.device.session.f_cnt_up
    frame = only(bench.send(), act.Transmit).payload
    f_opts, port, data = bench.network.read(frame, f_cnt)[2:]
    assert (f_opts, port, data) == (b"", 0, b"\x07\x03" * 8)
    bench.tx_done()
    bench.silence()
    assert only(bench.silence(), act.Done).result == act.DEFERRED
    assert bench.sent(data=b"now")[3:] == (10, b"now")


def case_answers_before_data_when_both_do_not_fit():
    bench = joined()
    bench.exchange(bench.network.downlink(b"\x06\x03\x0f\xff\x00\x01"))  # DR 0: 51 bytes
    assert bench.device.payload_max() == 46
    assert bench.sent(data=b"x" * 47)[3:] == (0, b"\x06\xff\x07\x03\x07")
    assert bench.sent(data=b"x" * 51)[3:] == (10, b"x" * 51)


def case_port_0_and_f_opts_together_is_no_frame():
    bench = joined()
    frame = bench.network.downlink(b"\x06", port=0, data=b"\x06")
    bench.send()
    bench.tx_done()
    assert bench.hear(frame)[0].number == 2


def case_clock_error_widens_the_window():
    bench = joined()
    (narrow,) = (bench.send(), bench.tx_done())[1]
    bench.silence()
    bench.silence()
    bench.device.error_us = 50000
    (wide,) = (bench.send(), bench.tx_done())[1]
    assert wide.symbols > narrow.symbols >= 6
    assert wide.open_us < narrow.open_us
