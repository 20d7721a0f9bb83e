# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The frame codec against published vectors (the file names the source of each)."""

import json
from pathlib import Path
from typing import Any

import pytest

from revier_bench.network_server import frames, mac_commands
from revier_bench.network_server.times import NS_PER_S, gps_ns, utc_ns_of_gps

FILE = Path(__file__).parents[3] / "firmware/tests/mac/vectors/lorawan.json"
VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text())["vectors"]


def of(kind: str) -> list[Any]:
    return [pytest.param(v, id=v["id"]) for v in VECTORS if v["kind"] == kind]


def test_the_vectors_are_there() -> None:
    for kind in ("aes_cmac", "data_frame_1_0", "join_request", "join_accept_1_0"):
        assert of(kind), kind


@pytest.mark.parametrize("vector", of("aes_cmac"))
def test_cmac(vector: dict[str, Any]) -> None:
    got = frames.cmac(bytes.fromhex(vector["key"]), bytes.fromhex(vector["message"]))
    assert got.hex() == vector["cmac"]


@pytest.mark.parametrize("vector", of("data_frame_1_0"))
def test_data_frame(vector: dict[str, Any]) -> None:
    phy = bytes.fromhex(vector["phy_payload"])
    direction = frames.UP if vector["dir"] == "up" else frames.DOWN
    dev_addr, f_cnt = phy[1:5][::-1], vector["fcnt32"]
    nwk_s_key = bytes.fromhex(vector["nwk_s_key"])
    mic = frames.data_mic(nwk_s_key, direction, dev_addr, f_cnt, phy[:-4])
    assert mic.hex() == vector["mic"]
    if direction == frames.DOWN:
        return
    frame = frames.parse_uplink(phy)
    assert isinstance(frame, frames.DataUp)
    assert frames.data_mic_valid(frame, nwk_s_key, f_cnt)
    assert not frames.data_mic_valid(frame, nwk_s_key, f_cnt + 1)
    assert frame.f_port == vector["fport"]
    if vector["frm_payload_plain"] is not None and vector["app_s_key"]:
        key = bytes.fromhex(vector["app_s_key"])
        plain = frames.crypt_payload(key, direction, dev_addr, f_cnt, frame.frm_payload)
        assert plain.hex() == vector["frm_payload_plain"]


@pytest.mark.parametrize("vector", of("join_request"))
def test_join_request(vector: dict[str, Any]) -> None:
    request = frames.parse_uplink(bytes.fromhex(vector["phy_payload"]))
    assert isinstance(request, frames.JoinRequest)
    assert request.join_eui.hex() == vector["join_eui_be"]
    assert request.dev_eui.hex() == vector["dev_eui_be"]
    assert request.dev_nonce == vector["dev_nonce"]
    assert frames.join_mic_valid(request, bytes.fromhex(vector["app_key"]))
    assert not frames.join_mic_valid(request, bytes(15) + b"\x07")


@pytest.mark.parametrize("vector", of("join_accept_1_0"))
def test_join_accept(vector: dict[str, Any]) -> None:
    key = bytes.fromhex(vector["app_key"])
    encrypted = bytes.fromhex(vector["phy_encrypted"])
    accept = frames.parse_join_accept(key, encrypted)
    assert accept.join_nonce == vector["join_nonce"]
    assert accept.net_id.hex() == vector["net_id_be"]
    assert accept.dev_addr.hex() == vector["dev_addr_be"]
    assert frames.build_join_accept(key, accept) == encrypted
    spoiled = encrypted[:-1] + bytes([encrypted[-1] ^ 1])
    with pytest.raises(frames.FrameError):
        frames.parse_join_accept(key, spoiled)


@pytest.mark.parametrize(
    ("expected", "wire", "full"),
    [
        (0, 0, 0),
        (5, 5, 5),
        (5, 4, 4),
        (5, 9, 9),
        (0x1_0000, 0xFFFF, 0xFFFF),
        (0xFFFF, 3, 0x1_0003),
        (0x1_0000, 0, 0x1_0000),
        (5, 3, 0x1_0003),
    ],
)
def test_full_counter(expected: int, wire: int, full: int) -> None:
    assert frames.full_f_cnt_up(expected, wire) == full


def test_mac_command_bytes() -> None:
    """The published bytes of LinkCheckAns and RXTimingSetupReq."""
    by_id = {v["id"]: v["bytes"] for v in VECTORS if v["kind"] == "mac_command_bytes"}
    assert mac_commands.link_check_ans(0.0, -10.0, 15)[0].hex() == by_id["mac_LinkCheckAns"]
    assert mac_commands.rx_timing_setup_req(2)[0].hex() == by_id["mac_RXTimingSetupReq"]
    asked = mac_commands.rx_param_setup_req(3, 11, 0x040201 * 100)
    assert asked[0].hex() == by_id["mac_RXParamSetupReq"]


def test_gps_time() -> None:
    """18 leap seconds since 2017; the GPS epoch itself; both directions over the last leap."""
    assert gps_ns(315_964_800 * NS_PER_S) == 0
    assert gps_ns(1_795_438_278 * NS_PER_S) == (1_795_438_278 - 315_964_800 + 18) * NS_PER_S
    for utc_s in (1_483_228_799, 1_483_228_800, 1_483_228_801, 1_795_438_278):
        assert utc_ns_of_gps(gps_ns(utc_s * NS_PER_S)) == utc_s * NS_PER_S
