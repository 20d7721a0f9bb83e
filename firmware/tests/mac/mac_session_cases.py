# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The session record and the duty cycle ledger within it."""

from revier_mac import airtime as region
from revier_mac.airtime import BUCKET_MS, HOUR_MS, Ledger
from revier_mac.joining import start_cold
from revier_mac.session import ANSWERS_MAX, RECORD_MAX, Session


def fullest():
    session = Session()
    session.start(b"\x01\x02\x03\x04", b"n" * 16, b"a" * 16, 5)
    session.joined = True
    session.join_nonce = 0xFFFFFF
    session.f_cnt_up = 0xFFFFFFFF
    session.f_cnt_down = 0xFFFFFFFF
    session.adr_ack_cnt = 0xFFFF
    session.quiet_until_s = session.join_first_s = session.join_not_before_s = 0xFFFFFFFF
    for i in range(3, 16):
        session.channels[i] = 8670000 + i
        session.dr_ranges[i] = 0x50
    session.rx1_frequencies = [8695250] * 16
    session.mask = 0xFFFF
    session.answers = bytearray(b"\x06\xff\x07" * 9 + b"\x08")
    session.answers_sent = 0
    return session


def case_round_trip():
    for session in (Session(), fullest()):
        record = session.pack()
        again = Session.unpack(record)
        assert again.pack() == record
        for name in dir(session):
            value = getattr(session, name)
            if not name.startswith("_") and isinstance(value, (int, bytes, bytearray, list)):
                assert getattr(again, name) == value, name


def case_size():
    session = fullest()
    assert len(session.answers) == ANSWERS_MAX
    for hour in range(16):
        for band in range(6):
            session.ledger.add(band, hour * BUCKET_MS, 46336)
    spent = [session.ledger.spent(band, 15 * BUCKET_MS) for band in range(6)]
    record = session.pack()
    assert len(record) <= RECORD_MAX
    again = Session.unpack(record)
    assert [again.ledger.spent(band, 15 * BUCKET_MS) for band in range(6)] == spent
    return len(Session().pack())


def case_torn_record_is_none():
    record = fullest().pack()
    for at in range(len(record)):
        torn = bytearray(record)
        torn[at] ^= 1
        assert Session.unpack(bytes(torn)) is None, at
        assert Session.unpack(record[:at]) is None, at
    assert Session.unpack(record + b"\0") is None


def case_ledger_frees_what_is_an_hour_old():
    ledger = Ledger()
    ledger.add(0, 0, 3583981)  # booked in steps of 0.06 ms
    assert ledger.free_at_ms(0, 15960, 1) == 1
    at = ledger.free_at_ms(0, 15961, 1)
    assert HOUR_MS + 3584 <= at <= HOUR_MS + BUCKET_MS
    assert ledger.free_at_ms(0, 16001, at) == at
    assert ledger.free_at_ms(1, 3000, 1) == 1
    assert ledger.free_at_ms(0, 3600001, 1) == -1


def case_joined_buckets_put_off_the_least_airtime():
    """A full record holds less than all buckets: the greater part of 10 % stays in its own."""
    ledger = Ledger()
    for bucket in range(29):
        for band in range(6):
            big = band == 4 and bucket == 3
            ledger.add(band, bucket * BUCKET_MS, 64000000 if big else 80000)
    again = Ledger()
    again.unpack(ledger.pack(5 + 3 * 30))
    now_ms = 29 * BUCKET_MS
    for band in range(6):
        assert again.spent(band, now_ms) == ledger.spent(band, now_ms), band
    limit_us = 360000000
    free_ms = ledger.free_at_ms(4, limit_us - 20000000, now_ms)
    assert again.free_at_ms(4, limit_us - 20000000, now_ms) == free_ms


def case_cold_start_leaves_one_join():
    session = Session()
    start_cold(session, 1000)
    session = Session.unpack(session.pack())
    free, _ = region.free_channels(session, 7, 0, 23, 2000, True)
    assert free == [0, 1, 2]
    region.book(session, 8681000, region.airtime_us(23, 12, 125000), 2000)
    assert session.cold
    free, at_ms = region.free_channels(session, 7, 5, 23, 5000, True)
    assert not free
    assert at_ms >= HOUR_MS
    for band in (0, 1, 3, 4, 5):
        assert session.ledger.free_at_ms(band, 50000, 5000) >= HOUR_MS, band
    later_ms = 3 * HOUR_MS
    region.book(session, 8681000, 50000, later_ms)
    assert not session.cold


def case_data_leaves_the_join_its_airtime():
    """So that a node which then loses its ledger may join at once."""
    session = Session()
    airtime_us = region.airtime_us(64, 12, 125000)
    while region.free_channels(session, 7, 0, 64, 1000)[0]:
        region.book(session, 8681000, airtime_us, 1000)
    kept = region.HOUR_UNITS - session.ledger.spent(region.JOIN_BAND, 1000)
    assert region.JOIN_RESERVE <= kept < region.JOIN_RESERVE + region.units(2, airtime_us)
    assert region.units(2, region.airtime_us(23, 12, 125000)) == region.JOIN_RESERVE
    assert region.free_channels(session, 7, 0, 23, 1000, True)[0]


def case_a_channel_lies_wholly_in_its_band():
    assert region.sub_band(8681000) == 2
    assert region.sub_band(8650000) == region.sub_band(8686000) == region.sub_band(8680000) == -1
    assert region.sub_band(8650625) == 1
    assert region.sub_band(8650624) == -1
    assert region.sub_band(8685375) == 2
    assert region.sub_band(8685375, 6) == region.sub_band(8685376) == -1
    assert region.sub_band(8698500, 6) == region.sub_band(8699375) == 5


def case_ledger_never_allows_more_than_the_limit():
    """Every sliding hour, with the record packed and unpacked in between; and 90 % is used."""
    for band in range(6):
        limit_ms = HOUR_MS // region.SUB_BANDS[band][2]
        airtime_us = limit_ms * 1000 // 40
        sent = []
        ledger = Ledger()
        now_ms = 0
        while now_ms < 5 * HOUR_MS:
            now_ms = ledger.free_at_ms(band, airtime_us, now_ms)
            sent.append((now_ms, now_ms + -(-airtime_us // 1000)))
            ledger.add(band, now_ms, airtime_us)
            other = Ledger()
            other.unpack(ledger.pack(120))
            ledger = other
            now_ms = sent[-1][1] + 500
        for _, end in sent:
            inside = sum(
                min(e, end) - max(s, end - HOUR_MS) for s, e in sent if end - HOUR_MS < e <= end
            )
            assert inside <= limit_ms, (band, end, inside)
        hours = sent[-1][1] // HOUR_MS
        used = sum(e - s for s, e in sent if e <= hours * HOUR_MS)
        assert used >= 0.92 * hours * limit_ms, (band, used, hours * limit_ms)
