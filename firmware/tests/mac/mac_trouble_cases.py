# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What goes wrong is counted; what begins anew: benches' ABP, new keys, a cold start."""

from peer import Bench, joined, only

from revier_mac import actions as act
from revier_mac import airtime as region
from revier_mac import counts, joining
from revier_mac.session import Session


def case_what_goes_wrong_is_counted():
    bench = joined()
    counted = bench.device.counts
    assert bytes(counted) == bytes(counts.COUNTS)
    bench.exchange(b"\x60\x01\x02")
    bench.silence()
    wrong = bytearray(bench.network.downlink())
    wrong[-1] ^= 1
    bench.exchange(bytes(wrong))
    bench.silence()
    bench.network.f_cnt_down = 5
    bench.exchange(bench.network.downlink(b"\x03\x50\x00\x00\x01\x7f"))
    found = [(i, count) for i, count in enumerate(counted) if count]
    assert found == [
        (counts.NOT_OURS, 1), (counts.MIC_WRONG, 1), (counts.DOWNLINK_LOST, 5),
        (counts.COMMAND_UNKNOWN, 1), (counts.COMMAND_REFUSED, 1),
    ], found  # fmt: skip
    bench.exchange(confirmed=True)
    assert counted[counts.UNACKNOWLEDGED] == 1
    counted[counts.UNACKNOWLEDGED] = 255
    bench.exchange(confirmed=True)
    assert counted[counts.UNACKNOWLEDGED] == 255


def case_oversized_downlink_is_not_one():
    """RP table 8: DR0 carries 59 bytes of MACPayload; RX2 opens as after any other noise."""
    bench = joined()
    bench.exchange(bench.network.downlink(b"\x05\x00\xd2\xad\x84"))  # RX2 at DR0
    bench.device.session.dr = 0
    for size, heard in ((52, False), (51, True)):
        only(bench.send(), act.Transmit)
        bench.tx_done()
        actions = bench.hear(bench.network.downlink(port=7, data=bytes(size)))
        assert (type(actions[0]) is act.Window) == (not heard), size
        if not heard:
            bench.silence()
    assert bench.device.counts[counts.OVERSIZED] == 1


def case_abp_goes_on_counting():
    session = Session()
    joining.personalize(session, b"\x01\x02\x03\x04", bytes(16), bytes(range(16)))
    bench = Bench(session)
    assert bench.device.joined
    assert bench.device.session.dr == 0
    only(bench.send(), act.Transmit)
    assert session.f_cnt_up == 1
    joining.personalize(session, b"\x01\x02\x03\x04", bytes(16), bytes(range(16)))
    assert session.f_cnt_up == 1
    session.f_cnt_down = 7
    joining.personalize(session, b"\x01\x02\x03\x04", bytes(16), bytes(16))  # another AppSKey
    assert (session.f_cnt_up, session.f_cnt_down, session.app_s_key) == (1, -1, bytes(16))
    bench = Bench(session)
    only(bench.send(), act.Transmit)
    joining.personalize(session, b"\x01\x02\x03\x04", bytes(16), bytes(range(16)))
    assert session.f_cnt_up == 2  # the first keys again, and no counter twice under them


def case_join_requests_keep_their_airtime():
    """L2 7: 36 s in the first hour, 36 s in the next ten, 8.7 s in any day after that; SF12 only
    and mixed, with the session stored and taken up again between the tries."""
    for fixed in (True, False):
        session = Session()
        now_ms = 0
        tries = []
        while now_ms < 100 * 3600000:
            dr = 0 if fixed else joining.data_rate(len(tries), len(tries) * 7)
            at_ms = joining.not_before_ms(session, dr, now_ms)
            if at_ms > now_ms:
                now_ms = at_ms
                continue
            airtime_us = region.airtime_us(23, *region.DATA_RATES[dr])
            joining.count_try(session, now_ms, airtime_us)
            region.book(session, 8681000, airtime_us, now_ms)
            tries.append((now_ms, airtime_us))
            session = Session.unpack(session.pack())
            now_ms += 1000
        assert within(tries, 0, 1) <= 36000000
        assert within(tries, 1, 11) <= 36000000
        assert within(tries, 0, 1) > 33000000
        for hour in range(11, 76):
            assert within(tries, hour, hour + 24) <= 8700000, hour


def within(tries, first_h, last_h):
    """Airtime of the tries in these hours."""
    return sum(us for at_ms, us in tries if first_h * 3600000 <= at_ms < last_h * 3600000)
