# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Clock synchronisation on port 202 (TS003): published bytes, tokens, periods, broken messages."""

import json
from binascii import unhexlify

from peer import joined, only

from revier_mac import actions as act
from revier_mac import ts003
from revier_mac.ts003 import ClockSync

HERE = __file__.rsplit("/", 1)[0]
GPS_S = 0x582EF958  # more than a small integer holds on the chip


def published(name):
    with open(HERE + "/vectors/lorawan.json") as file:
        for v in json.load(file)["vectors"]:
            if v["id"] == name:
                assert v["fport"] == ts003.PORT
                return unhexlify(v["bytes"])
    raise AssertionError(name)


def case_published_app_time_ans():
    """Correction 1024 s under token 15."""
    sync = ClockSync(token=15)
    sync.uplink(GPS_S, True)
    assert sync.downlink(published("ts003_AppTimeAns")) == 1024
    assert sync.token == 0, "tokens have four bits"


def case_published_device_app_time_periodicity_req():
    """Period 15: 128 s x 2^15."""
    sync = ClockSync()
    assert sync.downlink(published("ts003_DeviceAppTimePeriodicityReq")) is None
    assert sync.period_s == 128 << 15
    assert sync.uplink(0x400, False) == b"\x02\x00\x00\x04\x00\x00"
    assert sync.uplink(0x400, False) == b"", "answered twice"


def case_app_time_req_carries_clock_and_token():
    sync = ClockSync(token=15)
    assert sync.uplink(1024, True, True) == b"\x01\x00\x04\x00\x00\x1f"
    assert sync.uplink(GPS_S, True) == b"\x01\x58\xf9\x2e\x58\x0f", (
        "the token stays until an answer"
    )
    assert sync.uplink(0x1FFFFFFFF, True) == b"\x01\xff\xff\xff\xff\x0f", "seconds modulo 2^32"


def case_corrections_go_both_ways():
    for correction_s in (0, 1, -1, 3600, -134480385, 0x7FFFFFFF, -0x80000000):
        sync = ClockSync()
        sync.uplink(GPS_S, True)
        answer = b"\x01" + (correction_s & 0xFFFFFFFF).to_bytes(4, "little") + b"\x00"
        assert sync.downlink(answer) == correction_s


def case_an_answer_to_another_request_is_ignored():
    sync = ClockSync(token=3)
    assert sync.downlink(b"\x01\x00\x04\x00\x00\x03") is None, "nothing was asked"
    sync.uplink(GPS_S, True)
    for token in range(16):
        if token != 3:
            assert sync.downlink(b"\x01\x00\x04\x00\x00" + bytes((token,))) is None, token
    assert sync.downlink(b"\x01\x00\x04\x00\x00\x03") == 1024
    assert sync.downlink(b"\x01\x00\x04\x00\x00\x03") is None, "the same answer again"
    sync.uplink(GPS_S, True)
    assert sync.downlink(b"\x01\x00\x04\x00\x00\x03") is None, "and after the next request"
    assert sync.downlink(b"\x01\x01\x00\x00\x00\x04") == 1


def case_an_answer_after_a_sleep_is_taken():
    before = ClockSync(token=9)
    before.uplink(GPS_S, True)
    after = ClockSync(before.token, before.asked)
    assert after.downlink(b"\x01\x05\x00\x00\x00\x09") == 5


def case_package_version():
    for version in (1, 2):
        sync = ClockSync(version=version)
        assert sync.downlink(b"\x00") is None
        assert sync.uplink(GPS_S, False) == bytes((0, 1, version))


def case_forced_resync_asks_until_a_time_comes():
    sync = ClockSync()
    sync.downlink(b"\x03\x03")
    for _ in range(3):
        assert sync.uplink(5, False) == b"\x01\x05\x00\x00\x00\x00"
    assert sync.uplink(5, False) == b""
    sync.downlink(b"\x03\xff")  # reserved bits are ignored: 7
    assert sync.requests_due == 7
    sync.uplink(5, False)
    assert sync.downlink(b"\x01\x02\x00\x00\x00\x00") == 2
    assert sync.uplink(7, False) == b"", "goes on although the time is known"


def case_forced_resync_of_0_transmissions_is_none():
    sync = ClockSync()
    sync.downlink(b"\x03\x00")
    assert sync.uplink(5, False) == b""


def case_several_commands_in_one_message():
    sync = ClockSync()
    sync.uplink(5, True)
    assert sync.downlink(b"\x00\x02\x01\x01\xff\xff\xff\xff\x00\x03\x01") == -1
    assert sync.period_s == 256
    data = sync.uplink(6, False)
    assert data == b"\x00\x01\x01" + b"\x02\x00\x06\x00\x00\x00" + b"\x01\x06\x00\x00\x00\x01"
    assert len(data) == 15


def case_unknown_commands_end_the_walk():
    for cid in (4, 5, 0x7F, 0x80, 0xFF):
        sync = ClockSync()
        sync.downlink(bytes((2, 1, cid)) + b"\x00\x03\x01")
        assert sync.period_s == 256
        assert sync.uplink(1, False) == b"\x02\x00\x01\x00\x00\x00", cid


def case_cut_commands_end_the_walk():
    for message in (b"\x01\x00\x04\x00\x00", b"\x01", b"\x02", b"\x03"):
        sync = ClockSync()
        sync.uplink(1, True)
        assert sync.downlink(message) is None, message
        assert sync.uplink(1, False) == b"", message
    assert ClockSync().downlink(b"") is None


def case_over_the_air():
    """Request and answer as application data of an uplink and its downlink."""
    bench = joined()
    sync = ClockSync()
    data = sync.uplink(1000, True, True)
    answer = bench.network.downlink(port=ts003.PORT, data=b"\x01\x2c\x01\x00\x00\x00")
    news = only(bench.exchange(answer, port=ts003.PORT, data=data), act.Downlink)
    assert news.f_port == ts003.PORT
    assert sync.downlink(news.data) == 300
