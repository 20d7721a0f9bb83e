# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The air node with its whole firmware: sensors chosen by the wiring, and what it reports when."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from revier_bench import image
from revier_bench.chips.environments import Still
from revier_bench.network_server import frames
from revier_bench.virtual_board import Kernel
from revier_bench.virtual_board.wiring import BOARDS_DIR
from revier_payload.codec import Decoded, decode

from .conftest import Node
from .small_network import SECOND_US, SmallNetwork

MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
BOARD = "generic_esp32s3"
BME280 = {"bus": "i2c", "addr": 0x76}
AIR = Still(pm=(18.0, 32.0, 36.0, 41.0), temperature=-3.4, humidity=71.0)
MakeAir = Callable[..., tuple[Node, SmallNetwork]]


def heard(network: SmallNetwork, f_port: int) -> list[Decoded]:
    """The messages on this port, as the network's owner decrypts and decodes them."""
    keys = network._keys
    assert keys is not None
    found = []
    for up in network.uplinks:
        if up.f_port == f_port:
            f_cnt = up.f_cnt_16
            data = frames.crypt_payload(
                keys.app_s_key, frames.UP, up.dev_addr, f_cnt, up.frm_payload
            )
            found.append(decode(f_port, data))
    return found


@pytest.fixture
def make_air(
    real_node: Callable[..., Node], kernel: Kernel, build_dir: Path, tmp_path: Path
) -> MakeAir:
    """make_air(wiring of the sensors, more of /node.json): a node with its network, switched on."""

    def make(
        parts: dict[str, Any], environment: Still = AIR, fail: tuple[str, ...] = (), **settings: Any
    ) -> tuple[Node, SmallNetwork]:
        description = json.loads((BOARDS_DIR / f"{BOARD}.json").read_text("utf-8"))
        switches = {key: description["kinds"]["air"][key] for key in ("power", "boost")}
        description["kinds"]["air"] = switches | parts
        board_file = tmp_path / "board.json"
        board_file.write_text(json.dumps(description))
        network = SmallNetwork(kernel, 1)
        node = real_node(
            "air", board=BOARD, board_file=board_file, air=network, environment=environment,
            fail=frozenset(fail),
        )  # fmt: skip
        network.radio = node.board.radio
        config = {"kind": "air", "board": BOARD} | settings
        image.write_files(
            tmp_path / "node" / "flash.img",
            {
                f"/boards/{BOARD}.json": board_file.read_bytes(),
                "/node.json": json.dumps(config).encode(),
            },
            build_dir,
        )
        node.board.power_on()
        return node, network

    return make


@pytest.mark.parametrize(
    ("parts", "there"),
    [
        ({"sps30": {"bus": "i2c", "addr": 0x69}, "bme280": BME280}, "pm1 pm25 pm4 pm10 t p"),
        ({"sps30": {"bus": "uart"}, "bme280": BME280}, "pm1 pm25 pm4 pm10 t p"),
        ({"sen55": {"bus": "i2c", "addr": 0x69}}, "pm1 pm25 pm4 pm10 t"),
        ({"sds011": {"bus": "uart"}, "bme280": BME280}, "pm25 pm10 t p"),
        ({"sds011": {"bus": "uart"}}, "pm25 pm10"),
        ({"pms5003": {"bus": "uart"}, "bme280": BME280}, "pm1 pm25 pm10 t p"),
        ({"pms5003t": {"bus": "uart"}}, "pm1 pm25 pm10 t"),
    ],
    ids=["sps30", "sps30 uart", "sen55", "sds011", "sds011 alone", "pms5003", "pms5003t"],
)
def test_the_wiring_chooses_the_sensors(
    make_air: MakeAir, kernel: Kernel, parts: dict[str, Any], there: str
) -> None:
    node, network = make_air(parts)
    kernel.run_until(8 * MINUTE_US)
    first = heard(network, 10)[0].values
    wanted = dict(zip(("pm1", "pm25", "pm4", "pm10"), (180, 320, 360, 410), strict=True))
    for name, value in wanted.items():
        measured = first[name]
        assert (measured is not None) == (name in there.split()), name
        if measured is not None:
            assert measured == pytest.approx(value, rel=0.25), name
    climate = "t" in there.split()
    assert first["temperature"] == (pytest.approx(-34, abs=2) if climate else None)
    assert first["humidity"] == (pytest.approx(71, abs=2) if climate else None)
    assert (first["pressure"] is not None) == ("p" in there.split())
    assert first["voc"] is first["nox"] is None, "an index that had no time to be learnt"
    assert not (first["status"] or 0) & 17
    for name in ("sps30", "sen55", "sds011", "pms5003", "pms5003t"):
        if name in parts:
            assert any("selftest" in line and f"{name}=ok" in line for line in node.lines)
            assert not node.board.sensors[name].measuring, "its fan is off"
    assert not node.board.misuse


@pytest.mark.parametrize("with_bme280", [False, True])
def test_co2_goes_out_in_its_own_message(
    make_air: MakeAir, kernel: Kernel, with_bme280: bool
) -> None:
    parts: dict[str, Any] = {"scd41": {"bus": "i2c", "addr": 0x62}}
    if with_bme280:
        parts |= {"bme280": BME280, "sds011": {"bus": "uart"}}
    node, network = make_air(parts, environment=Still(pressure=95_000.0))
    kernel.run_until(8 * MINUTE_US)
    assert not heard(network, 10)
    first = heard(network, 12)[0].values
    if with_bme280:
        assert first["co2"] == pytest.approx(620, abs=50)
        assert first["pm25"] == pytest.approx(120, rel=0.25)
    assert first["co2"] is not None
    assert first["temperature"] == pytest.approx(215, abs=5)
    assert not (first["status"] or 0) & 1
    assert not node.board.misuse


@pytest.mark.parametrize(
    ("fault", "status"), [("sds011:silent", 1), ("sds011:frozen", 1), ("bme280:silent", 1)]
)
def test_a_sick_part_is_told(make_air: MakeAir, kernel: Kernel, fault: str, status: int) -> None:
    smog = Still(pm=(200.0, 400.0, 450.0, 500.0))
    parts = {"sds011": {"bus": "uart"}, "bme280": BME280}
    _, network = make_air(parts, environment=smog, fail=(fault,))
    kernel.run_until(8 * MINUTE_US)
    first = heard(network, 10)[0].values
    assert (first["status"] or 0) & 17 == status
    missing = "temperature" if fault.startswith("bme280") else "pm25"
    assert first[missing] is None
    assert first["pm25" if missing == "temperature" else "temperature"] is not None


def test_report_on_change(make_air: MakeAir, kernel: Kernel) -> None:
    air = Still()
    parts = {"sps30": {"bus": "i2c", "addr": 0x69}, "bme280": BME280}
    node, network = make_air(parts, environment=air, report="change")
    kernel.run_until(58 * MINUTE_US)
    assert len(heard(network, 10)) == 1
    assert sum("unchanged" in line for line in node.lines) >= 9
    kernel.run_until(70 * MINUTE_US)
    assert len(heard(network, 10)) == 2, "an hour is the longest that it keeps silent"
    air.pm = (30.0, 45.0, 50.0, 60.0)
    kernel.run_until(80 * MINUTE_US)
    readings = heard(network, 10)
    assert len(readings) == 3, "news, once"
    seqs = [one.values["seq"] for one in readings]
    assert seqs == list(range(seqs[0] or 0, (seqs[0] or 0) + 3)), "silence takes no number"


def test_report_on_change_with_other_bands(make_air: MakeAir, kernel: Kernel) -> None:
    air = Still()
    parts = {"sps30": {"bus": "i2c", "addr": 0x69}, "bme280": BME280}
    bands = {"pm25": [1000, 0], "pm10": [1000, 0]}
    _, network = make_air(parts, environment=air, report="change", report_max_s=1_200, bands=bands)
    kernel.run_until(8 * MINUTE_US)
    air.pm = (30.0, 45.0, 50.0, 60.0)
    kernel.run_until(18 * MINUTE_US)
    assert len(heard(network, 10)) == 1
    kernel.run_until(50 * MINUTE_US)
    assert len(heard(network, 10)) == 3


def test_an_hour_in_one_uplink(make_air: MakeAir, kernel: Kernel) -> None:
    air = Still(temperature=8.0)
    parts = {"sps30": {"bus": "i2c", "addr": 0x69}, "bme280": BME280}
    node, network = make_air(parts, environment=air, report="batch")
    kernel.run_until(50 * MINUTE_US)
    assert not heard(network, 10)
    assert not heard(network, 11)
    diagnosis = heard(network, 1)[0].values
    assert (diagnosis["status"] or 0) & 64, "it says that it batches"
    air.temperature = 20.0
    kernel.run_until(3 * HOUR_US)
    batches = heard(network, 11)
    assert len(batches) >= 2
    first, second = ([row for row in one.rows if row.name == "sample"] for one in batches[:2])
    assert [len(first), len(second)] == [12, 12]
    seqs = [row.values["seq"] for row in first + second]
    assert seqs == list(range(seqs[0] or 0, (seqs[0] or 0) + 24)), "each its own, none left out"
    assert first[0].values["temperature"] == pytest.approx(80, abs=3)
    assert first[-1].values["temperature"] == pytest.approx(200, abs=3)
    assert all(row.values["pm25"] == pytest.approx(120, rel=0.2) for row in first + second)
    assert all(len(up.frm_payload) <= 45 for up in network.uplinks if up.f_port == 11)
    assert not [line for line in node.lines if "error" in line]


def test_the_first_batch_waits_until_the_network_has_heard_of_batches(
    make_air: MakeAir, kernel: Kernel
) -> None:
    _, network = make_air({"sps30": {"bus": "i2c", "addr": 0x69}}, report="batch")
    network.silent = True
    kernel.run_until(2 * HOUR_US)
    alone = [one.values["seq"] for one in heard(network, 10)]
    told = heard(network, 1)
    assert len(alone) > 20
    assert not heard(network, 11)
    assert 3 <= len(told) <= 6, "three at first, three more in each two hours"
    assert all((one.values["status"] or 0) & 64 for one in told)
    network.silent = False
    kernel.run_until(5 * HOUR_US)
    (first, *_) = heard(network, 11)
    rows = [row.values["seq"] for row in first.rows if row.name == "sample"]
    alone = [one.values["seq"] for one in heard(network, 10)]
    assert len(heard(network, 1)) == len(told) + 1
    assert rows == list(range((alone[-1] or 0) + 1, (alone[-1] or 0) + 13))


def test_a_block_that_is_lost_with_the_supply_gives_no_number_away(
    make_air: MakeAir, kernel: Kernel
) -> None:
    node, network = make_air(
        {"sps30": {"bus": "i2c", "addr": 0x69}}, report="batch", interval_s=900
    )
    kernel.run_until(40 * MINUTE_US)
    node.board.power_off()
    kernel.run_until(41 * MINUTE_US)
    node.board.power_on()
    kernel.run_until(5 * HOUR_US)
    rows = [r for one in heard(network, 11) for r in one.rows if r.name == "sample"]
    seqs = [row.values["seq"] for row in rows]
    assert len(rows) >= 12
    assert len(set(seqs)) == len(seqs)
    assert (seqs[0] or 0) > 3, "those of the first three readings are gone"


@pytest.mark.parametrize("part", ["sps30", "sds011"])
def test_the_fan_is_cleaned_once_a_week(make_air: MakeAir, kernel: Kernel, part: str) -> None:
    bus = {"bus": "i2c", "addr": 0x69} if part == "sps30" else {"bus": "uart"}
    node, network = make_air({part: bus}, interval_s=43_200)
    kernel.run_until(15 * 24 * HOUR_US)
    wakes = [t_us for t_us, line in node.timed if "revier boot" in line]
    cleaned = [t_us for t_us, line in node.timed if line == "revier clean"]
    assert len(wakes) >= 28
    assert len(cleaned) == (2 if part == "sps30" else 0)
    if cleaned:
        assert cleaned[1] - cleaned[0] == pytest.approx(7 * 24 * HOUR_US, rel=0.06)
    readings = heard(network, 10)
    assert all(one.values["pm25"] is not None for one in readings)
    assert not node.board.misuse
