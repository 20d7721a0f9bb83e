# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From the air to the feed with the real gateway process between; the checker has the last word."""

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from revier_bench.broker import free_port
from revier_bench.demo.observers import FEED, Observer
from revier_bench.world.checker import check
from revier_bench.world.feed_subscriber import FeedSubscriber
from revier_bench.world.fleet import DEMO_FLEET
from revier_inventory import DevicePeriod, Inventory, Owner
from revier_payload.codec import encode
from revier_provision.inventory_files import write as write_inventory

from .test_backhaul import MINUTE_US, START_US, Bench

CONFIG = """
[gateway]
id = "test"
data_dir = "{data}"
[source]
host = "127.0.0.1"
port = {port}
client_id = "test-source"
[feed]
host = "127.0.0.1"
port = {port}
client_id = "test-feed"
[inventory]
dir = "{inventory}"
[console]
host = "127.0.0.1"
port = {page}
"""

PATIENCE_S = 60


class Gateway:
    """revier-gateway as a process that can be killed and started again."""

    def __init__(self, folder: Path, mqtt_port: int, inventory: Path) -> None:
        self._config = folder / "gateway.toml"
        page = free_port()
        self._config.write_text(
            CONFIG.format(data=folder / "data", port=mqtt_port, inventory=inventory, page=page)
        )
        self.start()

    def start(self) -> None:
        command = [str(Path(sys.executable).with_name("revier-gateway")), "run", "--config"]
        self.process = subprocess.Popen([*command, str(self._config)])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def inventory_for(bench: Bench, dev_euis: dict[str, str]) -> Inventory:
    """dev_eui -> kind; all belong to the bench's one owner."""
    application = bench._application
    assets = {node.kind: node for node in DEMO_FLEET.nodes[:3]}
    chosen = [assets[kind].to_asset() for kind in dev_euis.values()]
    import msgspec

    chosen = [msgspec.structs.replace(asset, ags="05562020", site=None) for asset in chosen]
    since = datetime.fromtimestamp(START_US / 1e6, UTC) - timedelta(days=1)
    return Inventory(
        owners=(
            Owner(
                ags="05562020",
                name="Herten",
                tenant_ids=(application.tenant_id,),
                application_ids=(application.application_id,),
            ),
        ),
        assets=tuple(chosen),
        periods=tuple(
            DevicePeriod(dev_eui=dev_eui, asset=assets[kind].asset, since=since)
            for dev_eui, kind in dev_euis.items()
        ),
    )


def until(there: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not there():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE_S} s"
        time.sleep(0.05)


@pytest.mark.parametrize("kills", [0, 2])
def test_every_reading_that_was_heard_is_on_the_feed_once(tmp_path, kernel, kills: int) -> None:
    bench = Bench(tmp_path, kernel, "virtual")
    air, bay, waste = (bench.node(number) for number in (1, 2, 3))
    kinds = {air.dev_eui: "air", bay.dev_eui: "parking", waste.dev_eui: "waste"}
    write_inventory(tmp_path / "inventory", inventory_for(bench, kinds))
    subscriber = FeedSubscriber("127.0.0.1", bench.mqtt_port)
    subscriber.start()
    gateway_seen = Observer("127.0.0.1", bench.mqtt_port, FEED, "test")
    gateway = Gateway(tmp_path, bench.mqtt_port, tmp_path / "inventory")
    try:
        until(lambda: gateway_seen.gateway_bridges, "the gateway's session for events")
        for n, node in enumerate((air, bay, waste)):
            kernel.at((1 + n) * MINUTE_US, node.join)
        kernel.run_until(5 * MINUTE_US)
        for n, node in enumerate((air, bay, waste)):
            diagnosis = encode(1, {"seq": 0, "battery": 3600})
            kernel.at((6 + n) * MINUTE_US, lambda node=node, data=diagnosis: node.send(1, data))
        for k in range(30):
            content = {
                air: (10, {"seq": k, "pm25": 50 + k, "temperature": 10 * k - 100, "humidity": 50}),
                bay: (20, {"seq": k, "state": 1 + k % 2, "confidence": 2, "dwell": k}),
                waste: (30, {"seq": k, "distance": 300 + 30 * k, "temperature": 12, "quality": 5}),
            }
            for n, (node, (f_port, values)) in enumerate(content.items()):
                at_us = (10 + 5 * k + n) * MINUTE_US
                data = encode(f_port, values)
                kernel.at(at_us, lambda node=node, p=f_port, data=data: node.send(p, data))
                line = f"revier uplink f_cnt={1 + k} port={f_port} seq={k}"
                bench.truth.on_console(node.dev_eui, at_us, line)
                kernel.run_until(at_us + MINUTE_US // 2)
            if kills and k in (9, 19):
                gateway.kill()
                gateway.start()
        until(lambda: len({m.get("id") for m in subscriber.messages()}) >= 90, "90 readings")
        time.sleep(0.5)
        report = check(bench.truth.uplinks, subscriber.messages())
        assert report.ok, report.lines()
        assert report.readings == 90
        assert subscriber.undecodable == 0
    finally:
        subscriber.stop()
        gateway_seen.stop()
        gateway.close()
        bench.close()
