# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import esp32
import machine
import small_world
from runner import run

from revier_mac.session import Session
from revier_node import identity_file, store, store_rtc
from revier_node.cold_wait import cold_wait_ms

small_world.mount_flash()
KEYS = (bytes(range(8)), bytes(range(8, 16)), bytes(range(16)))


def fresh():
    machine.rtc[0] = b""
    esp32.flash.clear()
    esp32.pending.clear()
    esp32.writes[0] = 0
    esp32.at_once[0] = True
    machine.cause[0] = machine.DEEPSLEEP_RESET
    for path in identity_file.PATHS:
        small_world.remove_file(path)


def provision(keys=KEYS):
    nvs = esp32.NVS("lorawan")
    for i, name in enumerate(("dev_eui", "join_eui", "app_key")):
        nvs.set_blob(name, keys[i])
    nvs.commit()


def erase_nvs():
    esp32.flash.clear()
    esp32.pending.clear()


def power_loss():
    machine.rtc[0] = b""
    esp32.power_loss()


def check_state_survives_deep_sleep():
    fresh()
    s = store.Store()
    assert not s.resumed
    assert s.state.flags == store.FLAG_DIAGNOSIS_DUE
    s.state.boots, s.state.unix_offset_ms, s.state.clock_set_ms = 7, -5_000_000_000_000, 1 << 40
    s.state.kind, s.state.session = b"kind", bytes(range(256))
    s.state.counts = bytes(range(16))
    s.state.recent = bytes(range(231))  # as many readings as ever wait
    s.save()
    again = store.Store()
    assert again.resumed
    for name in store_rtc._FIELDS:
        assert getattr(again.state, name) == getattr(s.state, name), name
    assert (again.state.kind, again.state.session) == (b"kind", bytes(range(256)))
    assert again.state.recent == bytes(range(231))
    assert len(machine.rtc[0]) <= 2048


def check_a_write_torn_at_any_byte_leaves_the_state_before():
    fresh()
    s = store.Store()
    for boots in (1, 2, 3):
        s.state.boots = boots
        s.save()
    before = machine.rtc[0]
    s.state.boots = 4
    s.state.session = b"x" * 200
    s.save()
    after = machine.rtc[0]
    assert len(before) == len(after)
    seen = set()
    for cut in range(len(after) + 1):
        machine.rtc[0] = after[:cut] + before[cut:]
        torn = store.Store()
        assert torn.resumed
        assert torn.state.boots in (3, 4)
        assert torn.state.session == (b"x" * 200 if torn.state.boots == 4 else b"")
        seen.add(torn.state.boots)
    assert seen == {3, 4}


def check_a_write_torn_before_a_whole_session_is_no_record():
    """A session ends with its own CRC-32: one outside it does not see which session it is."""
    fresh()
    s = store.Store()
    session = Session()
    before = b""
    for f_cnt in (1, 2, 3):
        before = machine.rtc[0]
        session.f_cnt_up = f_cnt
        s.state.session = session.pack()
        s.save()
    after = machine.rtc[0]
    for cut in range(len(after) + 1):
        machine.rtc[0] = after[:cut] + before[cut:]
        assert Session.unpack(store.Store().state.session).f_cnt_up >= 2


def check_both_slots_broken_is_a_cold_start():
    fresh()
    s = store.Store()
    s.save()
    s.save()
    broken = bytearray(machine.rtc[0])
    for slot in (0, 1):
        broken[store_rtc.HEADER_SIZE + slot * store_rtc.SLOT_SIZE + 9] ^= 1
    machine.rtc[0] = bytes(broken)
    assert not store.Store().resumed


def check_sequence_never_repeats_over_power_losses():
    fresh()
    used = set()
    last = -1
    for wake in range(300):
        s = store.Store()
        for _ in range(wake % 5):
            seq = s.next_seq()
            assert seq not in used
            assert seq > last
            used.add(seq)
            last = seq
            if wake % 7 == 0:
                break  # cut before the state is saved: only NVS knows
        if wake % 7:
            s.save()
        if wake % 7 == 0 or wake % 11 == 0:
            power_loss()
    assert len(used) > 400


def check_sequence_costs_one_write_for_128():
    fresh()
    s = store.Store()
    for _ in range(640):
        s.next_seq()
    assert esp32.writes[0] == 5


def check_sequence_leap_is_told():
    fresh()
    s = store.Store()
    s.next_seq()
    power_loss()
    s = store.Store()
    assert s.state.flags & store.FLAG_SEQ_LEAPT
    assert s.next_seq() == store.LEASE_STEP


def check_nothing_is_used_before_its_lease_is_committed():
    fresh()
    esp32.at_once[0] = False  # a set without commit is lost
    s = store.Store()
    assert s.next_seq() == 0
    s.reserve_dev_nonce(1)
    s.save_session(b"one", 1, False)
    power_loss()
    s = store.Store()
    assert s.next_seq() == 1 + store.LEASE_STEP
    assert s.dev_nonce() == 1
    assert s.state.session == b"one"
    assert s.f_cnt_lease() == 1 + 2 * store.LEASE_STEP  # it has moved with the sequence's


def check_dev_nonce_never_goes_back():
    fresh()
    s = store.Store()
    assert s.dev_nonce() == 0
    s.reserve_dev_nonce(5)
    s.reserve_dev_nonce(3)
    assert s.dev_nonce() == 5
    s.reserve_dev_nonce(65_536)
    assert store.Store().dev_nonce() == 65_536


def check_frame_counter_lease():
    fresh()
    s = store.Store()
    writes = esp32.writes[0]
    for f_cnt in range(1, 641):
        s.save_session(b"s%d" % f_cnt, f_cnt, False)
        assert f_cnt < s.f_cnt_lease()
        power_now = max(f_cnt, s.f_cnt_lease())
        assert power_now >= f_cnt
    assert (esp32.writes[0] - writes) // 3 == 5
    assert s.state.session == b"s640"


def check_new_keys_are_kept_at_once():
    fresh()
    s = store.Store()
    s.save_session(b"old", 1, False)
    s.save_session(b"new", 0, True)
    power_loss()
    assert store.Store().state.session == b"new"


def check_identity_must_be_whole():
    fresh()
    assert store.Store().identity() is None
    nvs = esp32.NVS("lorawan")
    nvs.set_blob("dev_eui", bytes(8))
    nvs.set_blob("join_eui", bytes(8))
    assert store.Store().identity() is None
    nvs.set_blob("app_key", bytes(15))
    assert store.Store().identity() is None
    nvs.set_blob("app_key", bytes(range(16)))
    assert store.Store().identity() == (bytes(8), bytes(8), bytes(range(16)))


def check_failure_header_is_kept_until_success():
    fresh()
    machine.rtc[0] = b"\x52\x03\xfc\x05"
    s = store.Store()
    assert s.last_error == 5
    s.save()
    assert machine.rtc[0][:4] == b"\x52\x03\xfc\x05"
    s.succeeded()
    s.save()
    assert machine.rtc[0][:4] == bytes(4)


def check_large_numbers_as_i32():
    fresh()
    s = store.Store()
    s.state.seq = s.state.seq_lease = 0x7FFFFFFF
    assert s.next_seq() == 0x7FFFFFFF
    power_loss()
    assert store.Store().state.seq == 0x7FFFFFFF + store.LEASE_STEP


def check_erased_nvs_comes_back_from_the_file():
    fresh()
    provision()
    s = store.Store()
    s.reserve_dev_nonce(7)
    s.next_seq()
    s.save_session(b"one", 1, True)
    erase_nvs()
    for lose_rtc in (False, True):
        if lose_rtc:
            power_loss()
        s = store.Store()
        assert s.identity() == KEYS
        assert s.dev_nonce() == 7
        assert s.f_cnt_lease() >= 1 + store.LEASE_STEP
        assert s.seq_lease() >= store.LEASE_STEP
    assert s.state.seq >= store.LEASE_STEP
    assert s.state.session == b""


def check_erased_nvs_is_seen_also_after_a_deep_sleep():
    fresh()
    provision()
    s = store.Store()
    s.reserve_dev_nonce(3)
    s.save_session(b"one", 1, True)
    erase_nvs()
    s = store.Store()
    assert s.resumed
    assert s.dev_nonce() == 3
    s.save_session(b"two", 2, False)  # without a session in NVS the lease does not hold
    power_loss()
    assert store.Store().state.session == b"two"


def check_both_lost_means_no_identity():
    fresh()
    provision()
    store.Store()
    fresh()
    assert store.Store().identity() is None


def check_either_copy_of_the_file_will_do():
    for torn in identity_file.PATHS:
        fresh()
        provision()
        s = store.Store()
        for nonce in range(1, 6):
            s.reserve_dev_nonce(nonce)
        small_world.write_file(torn, "torn")
        assert identity_file.read()[1] in (4, 5)
        s = store.Store()
        s.reserve_dev_nonce(6)
        erase_nvs()
        power_loss()
        assert store.Store().dev_nonce() == 6


def check_nvs_that_went_back_is_lifted():
    fresh()
    provision()
    s = store.Store()
    s.reserve_dev_nonce(9)
    esp32.NVS("lorawan").set_i32("dev_nonce", 2)
    machine.cause[0] = machine.PWRON_RESET
    s = store.Store()
    assert s.dev_nonce() == 9


def check_new_keys_end_the_session_and_keep_the_nonce():
    fresh()
    provision()
    s = store.Store()
    s.reserve_dev_nonce(5)
    session = Session()
    session.joined, session.join_nonce = True, 4
    session.ledger.add(2, 1000, 50_000)
    s.state.flags |= store.FLAG_JOINED
    s.save_session(session.pack(), 1, True)
    keys = KEYS[:2] + (bytes(16),)
    provision(keys)
    machine.cause[0] = machine.HARD_RESET
    s = store.Store()
    assert s.identity() == keys
    assert s.dev_nonce() == 5
    left = Session.unpack(s.state.session)
    assert (left.joined, left.join_nonce) == (False, -1)
    assert left.ledger.spent(2, 1000) == 84  # in steps of 0.6 ms
    assert not s.state.flags & store.FLAG_JOINED
    power_loss()
    s = store.Store()
    assert s.state.session == b""
    assert identity_file.read()[0] == keys


def check_cold_wait_doubles_up_to_two_hours():
    assert cold_wait_ms(0, 0) == cold_wait_ms(9, 0) == 0
    assert 119_000 < cold_wait_ms(0, 65_535) < 120_000
    assert cold_wait_ms(3, 30_000) == 8 * cold_wait_ms(0, 30_000)
    assert cold_wait_ms(200, 65_535) == 7_200_000


run(globals())
