# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Activation as a certification laboratory tests it: clause by clause, seen from the air only.

L2 = LoRaWAN L2 1.0.4, RP = RP002-1.0.4. The number in a case's name is L2's unless it says rp.
"""

from aes import decrypt
from peer import APP_KEY, CF_LIST, DEV_EUI, Bench, joined, kinds, only

from revier_mac import actions as act

DEFAULTS_HZ = (868100000, 868300000, 868500000)


def request(bench):
    return only(bench.request_join(), act.Transmit)


def refused(bench, frame, why):
    """The frame has no effect in RX1, RX2 opens; and none there: the join stays unanswered."""
    bench.tx_done()
    actions = bench.hear(frame)
    assert kinds(actions) == "Window", (why, kinds(actions))
    actions = bench.hear(frame)
    assert only(actions, act.Done).result == act.NO_ACCEPT, why
    assert not bench.device.joined, why


def case_l2_6_2_4_join_request_has_23_bytes_in_little_endian():
    bench = Bench(next_dev_nonce=0x1234)
    frame = request(bench).payload
    assert len(frame) == 23
    assert frame[0] == 0x00, "MHDR: MType join request, Major 0"
    assert frame[1:9] == bytes(8), "JoinEUI"
    assert frame[9:17] == bytes(reversed(DEV_EUI)), "DevEUI"
    assert frame[17:19] == b"\x34\x12", "DevNonce"
    mic = bench.network.key.cmac(None, frame, 0, 19)
    assert bytes(mic[:4]) == frame[19:]


def case_l2_6_2_4_dev_nonce_is_a_counter_from_0():
    bench = Bench()
    for nonce in range(5):
        frame = request(bench).payload
        assert frame[17] | frame[18] << 8 == nonce
        bench.tx_done()
        bench.silence()
        bench.silence()


def case_l2_6_2_4_dev_nonce_is_stored_before_the_request_leaves():
    actions = Bench(next_dev_nonce=7).request_join()
    assert kinds(actions)[:15] == "ReserveDevNonce", kinds(actions)
    assert actions[0].next_dev_nonce == 8


def case_l2_6_2_6_windows_open_5_and_6_s_after_the_request():
    bench = Bench()
    for _ in range(4):  # several data rates
        transmit = request(bench)
        (rx1,) = bench.tx_done()
        assert (rx1.number, rx1.delay_us) == (1, 5000000)
        assert rx1.frequency_hz == transmit.frequency_hz, "RX1 is where the request was"
        assert rx1.spreading_factor == transmit.spreading_factor, "RX1DROffset is 0 for a join"
        (rx2,) = bench.silence()
        assert (rx2.number, rx2.delay_us) == (2, 6000000)
        assert (rx2.frequency_hz, rx2.spreading_factor) == (869525000, 12)
        bench.silence()


def case_l2_6_2_6_windows_of_a_rejoin_ignore_the_old_session():
    """RX1DROffset, RX2 and RXTimingSetup of the session before do not count for a join accept."""
    bench = joined(dl_settings=0x33, rx_delay=7)
    transmit = request(bench)
    (rx1,) = bench.tx_done()
    assert (rx1.delay_us, rx1.spreading_factor) == (5000000, transmit.spreading_factor)
    (rx2,) = bench.silence()
    assert (rx2.delay_us, rx2.frequency_hz, rx2.spreading_factor) == (6000000, 869525000, 12)


def case_rp_2_4_2_join_requests_use_the_three_default_channels_only():
    bench = joined()  # has eight channels, of which
    bench.device.session.mask = 0xF8  # only those of the CFList are enabled
    seen = set()
    for _ in range(12):
        seen.add(request(bench).frequency_hz)
        bench.tx_done()
        bench.silence()
        bench.silence()
    assert seen == set(DEFAULTS_HZ), seen


def case_l2_6_2_5_accept_without_cf_list_leaves_the_defaults():
    bench = joined(dl_settings=0, rx_delay=0, cf_list=b"")
    seen = set()
    for _ in range(20):
        seen.add(only(bench.send(), act.Transmit).frequency_hz)
        (rx1,) = bench.tx_done()
        assert rx1.delay_us == 1000000, "RxDelay 0 means 1 s"
        (rx2,) = bench.silence()
        assert (rx2.delay_us, rx2.frequency_hz, rx2.spreading_factor) == (2000000, 869525000, 12)
        bench.silence()
    assert seen == set(DEFAULTS_HZ), seen


def case_rp_2_4_4_cf_list_type_0_makes_channels_3_to_7():
    bench = joined()
    seen = set()
    for _ in range(80):
        seen.add(only(bench.send(), act.Transmit).frequency_hz)
        bench.tx_done()
        bench.silence()
        bench.silence()
    extra = {867100000, 867300000, 867500000, 867700000, 867900000}
    assert seen == set(DEFAULTS_HZ) | extra, seen


def case_rp_2_4_4_cf_list_with_zeros_makes_only_the_others():
    """0 means 'no channel'; the last frequency keeps its index 7."""
    cf_list = CF_LIST[:3] + bytes(9) + CF_LIST[12:]
    session = joined(cf_list=cf_list).device.session
    assert session.mask == 0x8F, hex(session.mask)
    assert session.channels[3:8] == [8671000, 0, 0, 0, 8679000]


def case_rp_2_4_4_cf_list_of_another_type_is_ignored():
    bench = joined(cf_list=CF_LIST[:15] + b"\x01")
    assert bench.device.session.mask == 7
    assert bench.device.session.channels[3:] == [0] * 13


def case_l2_6_2_5_rx_delay_and_dl_settings_count_from_the_first_uplink():
    for delay in (1, 2, 15):
        bench = joined(dl_settings=0x25, rx_delay=delay)
        transmit = only(bench.send(), act.Transmit)
        (rx1,) = bench.tx_done()
        assert rx1.delay_us == delay * 1000000
        assert rx1.spreading_factor == transmit.spreading_factor + 2, "RX1DROffset 2"
        (rx2,) = bench.silence()
        assert (rx2.delay_us, rx2.spreading_factor) == ((delay + 1) * 1000000, 7)


def case_l2_6_2_5_reserved_bits_of_rx_delay_and_dl_settings_are_ignored():
    bench = joined(dl_settings=0x80, rx_delay=0xF3)
    session = bench.device.session
    assert (session.rx1_dr_offset, session.rx2_dr, session.rx1_delay_s) == (0, 0, 3)


def case_l2_6_2_5_accept_with_a_wrong_mic_is_silence():
    bench = Bench()
    accept = bytearray(bench.network.accept(request(bench).payload))
    accept[-1] ^= 1
    refused(bench, accept, "MIC")


def case_l2_6_2_5_accept_under_another_key_is_silence():
    bench = Bench()
    accept = bench.network.accept(request(bench).payload)
    blocks = [accept[i : i + 16] for i in (1, 17)]
    wrong = b"".join(decrypt(DEV_EUI * 2, block) for block in blocks)
    refused(bench, b"\x20" + wrong, "a key that is not ours")


def case_l2_6_2_5_accepts_of_wrong_length_or_type_are_silence():
    bench = Bench()
    accept = bench.network.accept(request(bench).payload)
    bench.tx_done()
    for frame in (accept[:-1], accept + b"\0", accept[:17], accept[:1], b"\x60" + accept[1:]):
        assert kinds(bench.device.received(frame, len(frame), -90, 5)) == "Window"
        bench.device.state = 0x20  # back to RX1: one exchange hears them all
    assert only(bench.hear(accept), act.Done).result == act.JOINED


def case_l2_6_2_5_accept_for_an_earlier_request_gives_no_session_of_the_network():
    """Its MIC is right, its keys belong to the old DevNonce: nothing that the network says fits."""
    bench = Bench()
    late = bench.network.accept(request(bench).payload)
    network_keys = bench.network.nwk_s_key
    bench.tx_done()
    bench.silence()
    bench.silence()
    request(bench)
    bench.tx_done()
    bench.hear(late)
    assert bench.device.session.nwk_s_key != network_keys


def case_l2_6_2_5_replayed_join_nonce_is_refused():
    bench = joined()
    keys = bench.device.session.nwk_s_key
    bench.network.join_nonce -= 1
    assert only(bench.join(), act.Done).result == act.NO_ACCEPT
    assert bench.device.session.nwk_s_key == keys


def case_l2_6_2_5_a_join_starts_both_counters_anew():
    bench = joined()
    for _ in range(3):
        bench.exchange(bench.network.downlink(port=1, data=b"x"))
    assert only(bench.join(), act.Done).result == act.JOINED
    assert bench.network.read(only(bench.send(), act.Transmit).payload, 0)[3] == 10
    bench.tx_done()
    actions = bench.hear(bench.network.downlink(port=1, data=b"y", f_cnt=0))
    assert only(actions, act.Downlink).f_cnt == 0


def case_l2_6_2_5_a_join_forgets_what_the_network_had_set():
    """NbTrans, power, duty cycle, RX parameters, DlChannel and sticky answers are those of new."""
    bench = joined()
    bench.exchange(bench.network.downlink(b"\x03\x53\x07\x00\x02\x04\x05\x08\x04"))
    bench.exchange(bench.network.downlink(b"\x05\x23\xd2\xad\x84\x0a\x00\xd2\xad\x84"))
    bench.join(dl_settings=0, rx_delay=1, cf_list=b"")
    transmit = only(bench.send(), act.Transmit)
    assert transmit.power_dbm == 16
    f_opts = bench.network.read(transmit.payload, 0)[2]
    assert f_opts == b"", f_opts
    (rx1,) = bench.tx_done()
    assert (rx1.delay_us, rx1.frequency_hz) == (1000000, transmit.frequency_hz)
    assert rx1.spreading_factor == transmit.spreading_factor
    (rx2,) = bench.silence()
    assert (rx2.frequency_hz, rx2.spreading_factor) == (869525000, 12)
    assert kinds(bench.silence()) == "Save Done", "NbTrans is 1 again"
    assert bench.device.session.max_d_cycle == 0


def case_l2_6_2_5_keys_come_from_app_key_nonces_and_net_id():
    bench = joined()
    session = bench.device.session
    assert (session.nwk_s_key, session.app_s_key) == (
        bench.network.nwk_s_key,
        bench.network.app_s_key,
    )
    assert session.nwk_s_key not in (session.app_s_key, APP_KEY)


def case_l2_7_join_tries_keep_their_share_of_the_air():
    """36 s in the first hour, 36 s in the ten after it, 8.7 s a day from then on."""
    bench = Bench()
    hour_ms = 3600000
    sums = [0, 0, 0]
    start_ms = None
    while True:
        transmit = request(bench)
        start_ms = bench.now_ms if start_ms is None else start_ms
        since_ms = bench.now_ms - start_ms
        if since_ms >= 35 * hour_ms:
            break
        sums[0 if since_ms < hour_ms else 1 if since_ms < 11 * hour_ms else 2] += (
            transmit.airtime_us
        )
        bench.tx_done()
        bench.silence()
        bench.silence()
    longest_us = 1482752  # of the last request of a phase, whose pause lies in the next one
    for i, limit_us in enumerate((36000000, 36000000, 8700000)):
        assert sums[i] <= limit_us + longest_us, sums
    assert sums[2] > 0
    return sums
