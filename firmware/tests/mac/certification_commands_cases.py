# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""MAC commands as a certification laboratory tests them: from the air, by what follows there.

L2 = LoRaWAN L2 1.0.4, RP = RP002-1.0.4; lctt_2_5_n is the number in the end device certification
test for 1.0.4, as public stacks cite it. A command comes in a class A downlink, its answer is read
in the next uplink, its effect in the uplinks and windows after that.
"""

from laboratory import DEFAULTS_HZ, frequencies, laboratory, on_port_0, windows
from peer import joined, only

from revier_mac import actions as act

ADR_OK = b"\x03\x07"


# -- 5.2 LinkCheck, 5.13 DeviceTime: ours to ask --


def case_l2_5_2_link_check_is_asked_once_and_answered():
    bench = laboratory()
    bench.device.request_link_check()
    actions = bench.exchange(bench.network.downlink(b"\x02\x03\x01"))
    assert tuple(only(actions, act.LinkCheck)) == (3, 1)
    assert bench.sent()[2] == b"", "asked again without need"


def case_l2_5_2_link_check_answer_nobody_asked_for_does_not_stop_the_walk():
    bench = laboratory()
    assert bench.command(b"\x02\x03\x01\x06") == b"\x06\xff\x07"


def case_l2_5_13_device_time_is_of_the_end_of_our_transmission():
    bench = laboratory()
    bench.device.request_device_time()
    f_cnt = bench.device.session.f_cnt_up
    transmit = only(bench.send(), act.Transmit)
    assert bench.network.read(transmit.payload, f_cnt)[2] == b"\x0d"
    bench.tx_done()
    end_ms = bench.now_ms
    bench.silence()
    bench.now_ms += 1500
    actions = bench.hear(bench.network.downlink(b"\x0d\x04\x03\x02\x01\x80"))
    assert tuple(only(actions, act.DeviceTime)) == (0x01020304, 128, end_ms)


# -- 5.3 LinkADR --


def case_l2_5_3_link_adr_sets_data_rate_power_and_channels():
    bench = laboratory()
    assert bench.command(b"\x03\x32\x01\x00\x01") == ADR_OK
    transmit, rx1, _ = windows(bench)
    assert (transmit.spreading_factor, transmit.power_dbm) == (9, 12)
    assert (transmit.frequency_hz, rx1.frequency_hz) == (868100000, 868100000)
    assert rx1.spreading_factor == 9


def case_rp_2_4_3_tx_power_0_to_7_is_16_dbm_less_2_db_each():
    bench = laboratory()
    for tx_power in range(8):
        assert bench.command(bytes((3, 0x50 | tx_power, 7, 0, 1))) == ADR_OK
        assert windows(bench)[0].power_dbm == 16 - 2 * tx_power
    for tx_power in range(8, 15):
        assert bench.command(bytes((3, 0x50 | tx_power, 7, 0, 1))) == b"\x03\x03", tx_power
    assert windows(bench)[0].power_dbm == 2, "a refused request has no effect"


def case_l2_5_3_link_adr_15_keeps_data_rate_and_power():
    bench = laboratory()
    assert bench.command(b"\x03\x43\x07\x00\x01") == ADR_OK
    assert bench.command(b"\x03\xff\x03\x00\x01") == ADR_OK
    transmit = windows(bench)[0]
    assert (transmit.spreading_factor, transmit.power_dbm) == (8, 10)
    assert frequencies(bench) == set(DEFAULTS_HZ[:2])


def case_l2_5_3_link_adr_empty_mask_is_refused():
    bench = laboratory()
    assert bench.command(b"\x03\x00\x00\x00\x02") == b"\x03\x06"
    assert windows(bench)[0].spreading_factor == 7
    assert frequencies(bench) == set(DEFAULTS_HZ)


def case_l2_5_3_link_adr_mask_of_an_undefined_channel_is_refused():
    bench = laboratory()
    for mask in (0x08, 0x0F, 0x8001, 0xFFFF):
        request = bytes((3, 0x50, mask & 0xFF, mask >> 8, 1))
        assert bench.command(request) == b"\x03\x06", hex(mask)
    assert frequencies(bench) == set(DEFAULTS_HZ)


def case_l2_5_3_link_adr_reserved_mask_control_is_refused():
    bench = laboratory()
    for control in (1, 2, 3, 4, 5, 7):
        assert bench.command(bytes((3, 0x50, 7, 0, control << 4 | 1))) == b"\x03\x06", control


def case_rp_2_4_5_link_adr_mask_control_6_enables_every_defined_channel():
    bench = joined()
    assert bench.command(b"\x03\x50\x01\x00\x01") == ADR_OK
    assert frequencies(bench, 6) == {868100000}
    assert bench.command(b"\x03\x50\x00\x00\x61") == ADR_OK
    assert len(frequencies(bench, 80)) == 8


def case_l2_5_3_link_adr_data_rate_that_no_channel_has_is_refused():
    bench = laboratory()
    for dr in range(6, 15):
        assert bench.command(bytes((3, dr << 4, 7, 0, 1))) == b"\x03\x05", dr
    assert windows(bench)[0].spreading_factor == 7


def case_l2_5_3_link_adr_block_is_answered_once_for_each_and_taken_as_a_whole():
    bench = laboratory()
    block = b"\x03\x50\x01\x00\x01" + b"\x03\x42\x06\x00\x01"
    assert bench.command(block) == ADR_OK * 2
    transmit = windows(bench)[0]
    assert (transmit.spreading_factor, transmit.power_dbm) == (8, 12), "the last command's"
    assert frequencies(bench) == set(DEFAULTS_HZ[1:])


def case_l2_5_3_link_adr_block_with_one_bad_mask_is_refused_as_a_whole():
    bench = laboratory()
    block = b"\x03\x50\x00\x00\x61" + b"\x03\x33\x00\x00\x31" + b"\x03\x22\x01\x00\x02"
    assert bench.command(block) == b"\x03\x06" * 3
    transmit = windows(bench)[0]
    assert (transmit.spreading_factor, transmit.power_dbm) == (7, 16)
    assert frequencies(bench) == set(DEFAULTS_HZ)


def case_l2_5_3_link_adr_blocks_with_a_command_between_are_two():
    bench = laboratory()
    orders = b"\x03\x50\x01\x00\x01" + b"\x06" + b"\x03\x53\x00\x00\x01"
    assert bench.command(orders) == b"\x03\x07" + b"\x06\xff\x07" + b"\x03\x06"
    transmit = windows(bench)[0]
    assert (transmit.frequency_hz, transmit.power_dbm) == (868100000, 16)


def case_l2_5_3_link_adr_answer_is_not_sticky():
    bench = laboratory()
    assert bench.command(b"\x03\x50\x07\x00\x01") == ADR_OK
    assert bench.sent()[2] == b""


def case_l2_5_3_link_adr_again_and_again_is_the_same():
    """The network repeats its request until it has heard the answer."""
    bench = laboratory()
    for _ in range(4):
        assert bench.command(b"\x03\x34\x05\x00\x01") == ADR_OK
        transmit = windows(bench)[0]
        assert (transmit.spreading_factor, transmit.power_dbm) == (9, 8)


# -- 5.4 DutyCycle --


def case_l2_5_4_duty_cycle_pauses_after_each_frame():
    bench = laboratory()
    for max_d_cycle in (1, 7, 15):
        assert bench.command(bytes((4, max_d_cycle))) == b"\x04"
        sent_ms = bench.now_ms
        airtime_us = only(bench.send(), act.Transmit).airtime_us
        began_ms = bench.now_ms
        assert began_ms >= sent_ms
        bench.tx_done()
        bench.silence()
        bench.silence()
        next_ms = bench.device.next_tx_ms(began_ms, 2)
        pause_ms = (next_ms - began_ms) * 1000
        assert pause_ms >= airtime_us * ((1 << max_d_cycle) - 1), max_d_cycle
        assert pause_ms <= airtime_us * ((1 << max_d_cycle) + 1) + 5000000, max_d_cycle


def case_l2_5_4_duty_cycle_0_lifts_the_limit():
    bench = laboratory()
    assert bench.command(b"\x04\x0f") == b"\x04"
    bench.exchange(bench.network.downlink(b"\x04\x00"))
    assert bench.sent()[2] == b"\x04"
    assert bench.device.next_tx_ms(bench.now_ms, 2) <= bench.now_ms + 1000


def case_l2_5_4_duty_cycle_reserved_bits_are_ignored():
    bench = laboratory()
    assert bench.command(b"\x04\xf0") == b"\x04"
    assert bench.device.session.max_d_cycle == 0


# -- 5.5 RXParamSetup: lctt 2.5.4 --


def case_lctt_2_5_4_rx_param_setup_moves_both_windows_and_is_sticky():
    bench = laboratory()
    bench.exchange(bench.network.downlink(b"\x05\x22\xc2\x86\x84"))
    for _ in range(2):
        f_cnt = bench.device.session.f_cnt_up
        transmit, rx1, rx2 = windows(bench)
        assert bench.network.read(transmit.payload, f_cnt)[2] == b"\x05\x07", "sticky"
        assert rx1.spreading_factor == transmit.spreading_factor + 2
        assert rx1.frequency_hz == transmit.frequency_hz
        assert (rx2.frequency_hz, rx2.spreading_factor) == (868525000, 10)
    new_channel = b"\x07\x03\x88\x66\x84\x50" + b"\x03\x50\x07\x00\x01"
    assert bench.command(new_channel) == b"\x07\x03\x03\x07", "RXParamSetupAns is done"
    assert frequencies(bench) == set(DEFAULTS_HZ), "the new channel was disabled at once"


def case_rp_2_4_7_rx1_data_rate_is_the_uplinks_less_the_offset_and_never_below_0():
    bench = laboratory()
    for dr in range(6):
        for offset in range(6):
            orders = bytes((3, dr << 4, 7, 0, 1)) + bytes((5, offset << 4)) + b"\xd2\xad\x84"
            assert bench.command(orders) == b"\x03\x07\x05\x07"
            transmit, rx1, _ = windows(bench)
            assert transmit.spreading_factor == 12 - dr
            assert rx1.spreading_factor == 12 - max(0, dr - offset), (dr, offset)


def case_l2_5_5_rx_param_setup_is_taken_as_a_whole():
    bench = laboratory()
    for settings, frequency, status in (
        (0x63, b"\xd2\xad\x84", 3),  # RX1DROffset 6
        (0x73, b"\xd2\xad\x84", 3),  # RX1DROffset 7
        (0x27, b"\xd2\xad\x84", 5),  # RX2 with FSK
        (0x2F, b"\xd2\xad\x84", 5),  # RX2 with a reserved data rate
        (0x23, b"\x00\x00\x00", 6),  # 0 Hz
        (0x23, b"\xff\xff\xff", 6),  # 1677 MHz
        (0x77, b"\x00\x00\x00", 0),
    ):
        answer = bench.command(b"\x05" + bytes((settings,)) + frequency)
        assert answer == bytes((5, status)), (settings, frequency)
        transmit, rx1, rx2 = windows(bench)
        assert rx1.spreading_factor == transmit.spreading_factor
        assert (rx2.frequency_hz, rx2.spreading_factor) == (869525000, 12)


# -- 5.6 DevStatus: lctt 2.5.1 --


def case_lctt_2_5_1_dev_status_tells_battery_and_margin_of_the_request():
    bench = laboratory()
    for battery in (0, 1, 254, 255):
        for snr_db, margin in ((-15, 0x31), (0, 0), (31, 31), (-32, 0x20), (-33, 0x20), (40, 31)):
            bench.device.battery = battery
            bench.send()
            bench.tx_done()
            bench.hear(bench.network.downlink(b"\x06"), snr_db=snr_db)
            assert bench.sent()[2] == bytes((6, battery, margin)), (battery, snr_db)
    assert bench.sent()[2] == b"", "not sticky"


# -- 5.7 NewChannel: lctt 2.5.2 --


def case_lctt_2_5_2_default_channels_can_neither_be_changed_nor_removed():
    bench = laboratory()
    change = b"\x07\x00\x18\x4f\x84\x50\x07\x01\x18\x4f\x84\x50\x07\x02\x18\x4f\x84\x50"
    remove = b"\x07\x00\x00\x00\x00\x50\x07\x01\x00\x00\x00\x50\x07\x02\x00\x00\x00\x50"
    for orders in (change, remove):
        on_port_0(bench, orders)
        assert bench.sent()[2] == b"\x07\x00" * 3
        assert frequencies(bench) == set(DEFAULTS_HZ)


def case_lctt_2_5_2_channel_15_is_added_used_and_removed():
    bench = laboratory()
    assert bench.command(b"\x03\x50\x07\x00\x01") == ADR_OK
    assert bench.command(b"\x07\x0f\x88\x66\x84\x50") == b"\x07\x03"
    assert frequencies(bench, 40) == set(DEFAULTS_HZ) | {867700000}
    assert bench.command(b"\x07\x0f\x00\x00\x00\x50") == b"\x07\x03"
    assert frequencies(bench) == set(DEFAULTS_HZ)
    assert bench.command(b"\x03\x50\x07\x80\x01") == b"\x03\x06", "channel 15 is undefined again"


def case_l2_5_7_new_channel_tells_what_it_refuses():
    bench = laboratory()
    for request, status in (
        (b"\x10\x18\x4f\x84\x50", 0),  # index 16
        (b"\xff\x18\x4f\x84\x50", 0),
        (b"\x03\x40\x42\x0f\x50", 2),  # 100 MHz
        (b"\x03\x18\x4f\x84\x05", 1),  # minimum above maximum
        (b"\x03\x18\x4f\x84\xf0", 1),  # data rates that do not exist
        (b"\x03\x40\x42\x0f\xf0", 0),
    ):
        assert bench.command(b"\x07" + request) == bytes((7, status)), request
    assert frequencies(bench) == set(DEFAULTS_HZ)


def case_l2_5_7_a_channel_is_used_only_with_its_data_rates():
    bench = laboratory()
    assert bench.command(b"\x07\x03\x88\x66\x84\x20") == b"\x07\x03"  # DR 0 to 2
    assert frequencies(bench, 40) == set(DEFAULTS_HZ), "DR 5 is above the channel's maximum"
    assert bench.command(b"\x03\x20\x08\x00\x01") == ADR_OK
    assert frequencies(bench, 4) == {867700000}
    assert bench.command(b"\x03\x30\x08\x00\x01") == b"\x03\x05"


def case_l2_5_7_a_channel_redefined_moves():
    bench = laboratory()
    assert bench.command(b"\x07\x03\x88\x66\x84\x50\x03\x50\x08\x00\x01") == b"\x07\x03\x03\x07"
    assert frequencies(bench, 3) == {867700000}
    assert bench.command(b"\x07\x03\x58\x6e\x84\x50") == b"\x07\x03"
    assert frequencies(bench, 3) == {867900000}


# -- 5.8 RXTimingSetup: lctt 2.5.5 --


def case_lctt_2_5_5_rx_timing_setup_moves_both_windows_and_is_sticky():
    bench = laboratory()
    for delay in (15, 3, 1, 0):
        bench.exchange(bench.network.downlink(bytes((8, delay))))
        for _ in range(2):
            f_cnt = bench.device.session.f_cnt_up
            transmit, rx1, rx2 = windows(bench)
            assert bench.network.read(transmit.payload, f_cnt)[2] == b"\x08"
            assert rx1.delay_us == (delay or 1) * 1000000
            assert rx2.delay_us == rx1.delay_us + 1000000
    bench.exchange(bench.network.downlink())
    assert bench.sent()[2] == b""


def case_l2_5_8_rx_timing_setup_reserved_bits_are_ignored():
    bench = laboratory()
    assert bench.command(b"\x08\xf2") == b"\x08"
    assert windows(bench)[1].delay_us == 2000000


# -- 5.9 TXParamSetup --


def case_rp_2_4_3_tx_param_setup_is_dropped_without_an_answer():
    bench = laboratory()
    for settings in range(0, 256, 17):
        assert bench.command(bytes((9, settings))) == b""
    assert windows(bench)[0].power_dbm == 16
    assert bench.command(b"\x09\x35\x06") == b"\x06\xff\x07", "the walk goes on behind it"


# -- 5.10 DlChannel: lctt 2.5.3 --


def case_lctt_2_5_3_dl_channel_moves_rx1_of_its_channel_only_and_is_sticky():
    bench = laboratory()
    bench.exchange(bench.network.downlink(b"\x0a\x00\xf8\x7d\x84"))  # channel 0: RX1 at 868.3 MHz
    moved = 0
    for _ in range(12):
        f_cnt = bench.device.session.f_cnt_up
        transmit, rx1, _ = windows(bench)
        assert bench.network.read(transmit.payload, f_cnt)[2] == b"\x0a\x03"
        moved += transmit.frequency_hz == 868100000
        expected = 868300000 if transmit.frequency_hz == 868100000 else transmit.frequency_hz
        assert rx1.frequency_hz == expected
    assert moved
    bench.exchange(bench.network.downlink())
    assert bench.sent()[2] == b""


def case_l2_5_10_dl_channel_refuses_what_is_not_there():
    bench = laboratory()
    for request, status in (
        (b"\x05\xf8\x7d\x84", 1),  # no channel 5
        (b"\x10\xf8\x7d\x84", 1),  # no index 16
        (b"\x00\x00\x00\x00", 2),  # 0 Hz
        (b"\x05\x00\x00\x00", 0),
    ):
        assert bench.command(b"\x0a" + request) == bytes((10, status)), request
    for _ in range(6):
        transmit, rx1, _ = windows(bench)
        assert rx1.frequency_hz == transmit.frequency_hz


def case_l2_5_10_new_channel_undoes_dl_channel():
    bench = laboratory()
    setup = b"\x07\x03\x88\x66\x84\x50\x0a\x03\xd2\xad\x84"
    assert bench.command(setup) == b"\x07\x03\x0a\x03"
    assert bench.command(b"\x07\x03\x88\x66\x84\x50\x03\x50\x08\x00\x01") == b"\x07\x03\x03\x07"
    transmit, rx1, _ = windows(bench)
    assert (transmit.frequency_hz, rx1.frequency_hz) == (867700000, 867700000)
