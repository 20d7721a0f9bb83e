# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What goes wrong is counted; what begins anew: benches' ABP, new keys, a cold start."""

from peer import Bench, joined, only

from revier_mac import actions as act
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
    joining.personalize(session, b"\x01\x02\x03\x05", bytes(16), bytes(range(16)))
    assert session.f_cnt_up == 0


def case_rekeying_forgets_the_join_nonce_alone():
    bench = joined()
    session = bench.device.session
    assert session.join_nonce == 0
    spent_ms = session.ledger.spent_ms(2, bench.now_ms)
    joining.rekey(session)
    assert not session.joined
    assert session.join_nonce == -1
    assert session.ledger.spent_ms(2, bench.now_ms) == spent_ms > 0
    assert bench.device.next_dev_nonce == 1


def case_cold_wait_doubles_up_to_two_hours():
    assert joining.cold_wait_ms(0, 0) == joining.cold_wait_ms(9, 0) == 0
    assert 119000 < joining.cold_wait_ms(0, 65535) < 120000
    assert joining.cold_wait_ms(3, 30000) == 8 * joining.cold_wait_ms(0, 30000)
    assert joining.cold_wait_ms(200, 65535) == 7200000
