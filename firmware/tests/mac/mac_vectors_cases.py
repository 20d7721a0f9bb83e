# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Published vectors (vectors/lorawan.json names the source of each) and the airtime table."""

import json
from binascii import hexlify, unhexlify

from aes import new_aes
from peer import Context, joined

from revier_mac import frames, joining
from revier_mac.airtime import airtime_us, symbol_us, window
from revier_mac.commands import apply
from revier_mac.frames import Key
from revier_mac.session import Session

HERE = __file__.rsplit("/", 1)[0]


def load(name):
    with open(HERE + "/vectors/" + name) as file:
        return json.load(file)


def vectors(kind):
    found = [v for v in load("lorawan.json")["vectors"] if v["kind"] == kind]
    assert found
    return found


def key(text):
    return Key(new_aes, unhexlify(text))


def backwards(data):
    return bytes(reversed(data))


def case_cmac():
    for v in vectors("aes_cmac"):
        data = unhexlify(v["message"])
        mac = key(v["key"]).cmac(None, data, 0, len(data))
        assert hexlify(mac).decode() == v["cmac"], v["id"]
        head = bytearray(data[:16])
        if len(data) > 16:
            mac = key(v["key"]).cmac(head, data, 16, len(data))
            assert hexlify(mac).decode() == v["cmac"], v["id"]


def case_uplinks():
    done = []
    for v in vectors("data_frame_1_0"):
        if v["dir"] != "up":
            continue
        phy = unhexlify(v["phy_payload"])
        nwk = key(v["nwk_s_key"])
        app = key(v["app_s_key"] or "00" * 16)
        f_opts = phy[8 : 8 + (phy[5] & 15)]
        data = unhexlify(v["frm_payload_plain"] or "")
        if v["frm_payload_plain"] is None:  # the source gives the cipher text only: open it here
            cipher = bytearray(phy[9 + len(f_opts) : -4])
            data = keystream(nwk if v["fport"] == 0 else app, phy, v["fcnt32"], cipher)
            if v["fport"] == 0:
                assert data == b"\x02\x03\x05", v["id"]
        frame = frames.uplink(
            nwk, app, phy[1:5], phy[0], phy[5] & 0xF0, v["fcnt32"], f_opts, (v["fport"], data)
        )
        assert frame == phy, v["id"]
        done.append(v["id"])
    return " ".join(done)


def keystream(the_key, phy, f_cnt, cipher):
    block = bytearray(16)
    block[0] = 1
    block[6:10] = phy[1:5]
    block[10:14] = f_cnt.to_bytes(4, "little")
    the_key.apply_keystream(block, cipher, 0, len(cipher))
    return bytes(cipher)


def case_downlinks():
    for v in vectors("data_frame_1_0"):
        if v["dir"] != "down":
            continue
        phy = unhexlify(v["phy_payload"])
        nwk, app = key(v["nwk_s_key"]), key(v["app_s_key"])
        sealed = frames.SealedDownlink(nwk, phy[1:5], v["fcnt32"])
        assert sealed.read(phy, len(phy))
        assert sealed.authentic()
        opened = sealed.open(app)
        assert (opened.f_cnt, opened.f_port) == (v["fcnt32"], v["fport"])
        assert opened.data == unhexlify(v["frm_payload_plain"])
        assert (opened.ack, opened.confirmed, opened.pending) == (True, False, False)
        sealed.expect(v["fcnt32"] + 1)
        assert sealed.read(phy, len(phy))  # replay: counter + 65536
        assert not sealed.authentic()


def case_join_requests():
    for v in vectors("join_request"):
        frame = joining.join_request(
            key(v["app_key"]),
            unhexlify(v["join_eui_be"]),
            unhexlify(v["dev_eui_be"]),
            v["dev_nonce"],
        )
        assert hexlify(frame).decode() == v["phy_payload"], v["id"]


def case_join_accepts():
    for v in vectors("join_accept_1_0"):
        app_key = key(v["app_key"])
        phy = unhexlify(v["phy_encrypted"])
        sealed = joining.SealedJoinAccept(app_key)
        assert sealed.read(phy, len(phy))
        assert sealed.authentic(), v["id"]
        opened = sealed.open()
        assert opened.nonces[:3] == v["join_nonce"].to_bytes(3, "little")
        assert opened.nonces[3:] == int(v["net_id_be"], 16).to_bytes(3, "little")
        assert hexlify(backwards(opened.dev_addr)).decode() == v["dev_addr_be"]
        assert (opened.dl_settings, opened.rx_delay) == (v["dl_settings"], v["rx_delay"])
        assert opened.cf_list == unhexlify(v["cflist"])
        if "nwk_s_key" in v:
            nonce = int.from_bytes(unhexlify(v["dev_nonce_wire"]), "little")
            keys = joining.session_keys(app_key, opened.nonces, nonce)
            assert [hexlify(k).decode() for k in keys] == [v["nwk_s_key"], v["app_s_key"]]
        wrong = bytearray(phy)
        wrong[7] ^= 1
        assert sealed.read(wrong, len(wrong))
        assert not sealed.authentic()


def case_session_keys():
    for v in vectors("key_derivation_1_0"):
        keys = joining.session_keys(
            key(v["app_key"]),
            backwards(unhexlify(v["app_nonce_be"])) + backwards(unhexlify(v["net_id_be"])),
            int(v["dev_nonce_be"], 16),
        )
        assert [hexlify(k).decode() for k in keys] == [v["nwk_s_key"], v["app_s_key"]]


def f_cnt_after(last, low):
    """FCntDown that a frame with these low 16 bits has after `last` (-1: none yet); -1: refused."""
    frame = bytes((0x60, 1, 2, 3, 4, 0, low & 0xFF, low >> 8, 0, 0, 0, 0))
    sealed = frames.SealedDownlink(None, frame[1:5], last + 1)
    return sealed.open(None).f_cnt if sealed.read(frame, len(frame)) else -1


def case_f_cnt_down():
    """The vectors' null for 'not ahead' (lora-rs keeps MAX_FCNT_GAP) is ours + 65536: MIC fails."""
    for v in vectors("fcnt_logic"):
        for row in v["cases"]:
            last = -1 if row["last"] is None else row["last"]
            f_cnt = f_cnt_after(last, row["wire"])
            if row["result"] is not None:
                assert f_cnt == row["result"], row
            else:
                assert f_cnt == -1 or f_cnt - row["wire"] >= 65536, row
                assert f_cnt == -1 or f_cnt > last


def case_airtime():
    for v in vectors("time_on_air"):
        if v["id"] == "toa_sx126x_sf7":
            continue  # low data rate optimisation forced on, which LoRaWAN never does at SF7
        for length, expected in v["len_us"]:
            assert airtime_us(length, v["sf"], v["bw_khz"] * 1000) == expected, v["id"]
    checked = 0
    for name, row in load("airtime_eu868.json")["airtime"].items():
        for length, ms in enumerate(row):
            assert airtime_us(13 + length, int(name[2:]), 125000) == round(ms * 1000)
            checked += 1
    return checked


def case_windows():
    for v in vectors("rx_window"):
        for row in v["rows"]:
            assert row["tsym_us"] == symbol_us(12 - row["dr"], 125000) or row["dr"] == 6
            symbols, offset_us = window(
                row["tsym_us"], row["rx_error_ms"] * 1000, row["min_rx_symbols"]
            )
            assert symbols == row["window_symbols"], row
            assert -(-offset_us // 1000) == row["window_offset_ms"] + row["wakeup_ms"], row


def case_mac_command_bytes():
    expected = {
        "mac_LinkCheckAns": lambda s, c: tuple(c.news[0]) == (10, 15),
        "mac_DutyCycleReq": lambda s, c: s.max_d_cycle == 2,
        "mac_RXParamSetupReq": lambda s, c: s.answers == b"\x05\x04",  # offset good, rest not
        "mac_DevStatusAns": lambda s, c: s.answers == b"\x06\xfe\x3f",
        "mac_RXTimingSetupReq": lambda s, c: s.rx1_delay_s == 2 and s.answers == b"\x08",
    }
    for v in vectors("mac_command_bytes"):
        session, context = Session(), Context(snr_db=-1, battery=254)
        data = unhexlify(v["bytes"])
        if v["id"] == "mac_DevStatusAns":
            data = b"\x06"
        assert apply(session, data, context) == len(data)
        assert expected[v["id"]](session, context), v["id"]


def case_adr_back_off():
    """The table's last row gives ADRACKReq back; ours stays set (session.unanswered says why)."""
    for v in vectors("adr_backoff"):
        assert (v["limit"], v["delay"]) == (64, 32)
        bench = joined()
        session = bench.device.session
        session.dr, session.tx_power, session.mask = 1, 4, 1
        rows = []
        for name, ack_req, _ in v["rows"]:
            first = int(name.strip(">=").split("-")[0])
            rows.append((first, ack_req == "ADRACKReq=0"))
        for number in range(161):
            f_ctrl = bench.sent()[1]
            state = session.tx_power, session.dr, session.mask
            # The step that the table gives to uplink n is taken when n - 1 stayed unanswered.
            expected = 4, 1, 1
            if number >= rows[4][0] - 1:
                expected = 0, 0, 7
            elif number >= rows[3][0] - 1:
                expected = 0, 0, 1
            elif number >= rows[2][0] - 1:
                expected = 0, 1, 1
            assert (state[0], state[1], state[2] & 7) == expected, (number, state)
            assert bool(f_ctrl & 0x40) == (number >= rows[1][0]), number


def case_join_back_off():
    """SF12 only, the sub-band's duty cycle aside: 24, 24 and 5 requests in the three phases."""
    for v in vectors("join_duty"):
        first, second, daily = v["max_sf12_joins"]
        airtime = airtime_us(joining.SIZE, 12, 125000)
        assert round(airtime / 1000, 1) == v["sf12_join_req_ms"]
        session = Session()
        tries = [0]
        while tries[-1] < 40 * 86400:
            joining.count_try(session, tries[-1] * 1000, airtime)
            tries.append(session.join_not_before_s)
        assert 0.9 * first < len([t for t in tries if t < 3600]) <= first
        assert 0.9 * second < len([t for t in tries if 3600 <= t < 39600]) <= second
        later = [t for t in tries if t >= 39600]
        for start in later:
            assert len([t for t in later if start <= t < start + 86400]) <= daily, start
