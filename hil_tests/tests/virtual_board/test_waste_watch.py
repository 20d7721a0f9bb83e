# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A waste node with accelerometer and time-of-flight sensor: fire, emptying, a second opinion."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from revier_bench import firmware_mpy, image
from revier_bench.chips.environments import Burning, Still
from revier_bench.chips.thermostat import CLOSES_C
from revier_bench.measure import mac_size
from revier_bench.measure.wake_modules import wake_bytes
from revier_bench.network_server import frames
from revier_bench.virtual_board import Kernel
from revier_bench.virtual_board.wiring import BOARDS_DIR
from revier_bench.world.air import Emission
from revier_payload.codec import decode

from .conftest import SECOND_US, Node
from .small_network import DEV_ADDR, SmallNetwork

MINUTE_US = 60 * SECOND_US
UPRIGHT, ON_ITS_SIDE = (0.0, 0.0, 1_000.0), (940.0, 0.0, -342.0)
MARK = "modules "
LISTING = f"""import machine, sys
_deepsleep = machine.deepsleep
def _listed(*arguments):
    print('{MARK}' + ' '.join(name for name in sys.modules if name.startswith('revier_')))
    _deepsleep(*arguments)
machine.deepsleep = _listed
"""
ALARM, WASTE, WASTE_EMPTIED = 6, 30, 31
FIRE, TILT = 1, 2  # bits of the alarm
MOVED, SENSOR_FAULT = 2, 4  # flags of the reading


class Network(SmallNetwork):
    """Reads what it hears; silent to the first `silent` confirmed frames."""

    def __init__(self, kernel: Kernel, silent: int = 0, joins_from_us: int = 0) -> None:
        super().__init__(kernel, 1)
        self.silent = silent
        self.joins_from_us = joins_from_us
        self.heard: list[tuple[float, int, int, bool, dict[str, Any]]] = []
        """minutes, fPort, FCntUp, confirmed, values"""

    def emit(self, emission: Emission) -> None:
        up = frames.parse_uplink(emission.payload)
        if isinstance(up, frames.JoinRequest):
            if emission.start_us >= self.joins_from_us:
                super().emit(emission)
            return
        assert self._keys is not None
        if up.f_port:
            key = self._keys.app_s_key
            data = frames.crypt_payload(key, frames.UP, DEV_ADDR, up.f_cnt_16, up.frm_payload)
            values = decode(up.f_port, data).values
            minute = emission.start_us / MINUTE_US
            self.heard.append((minute, up.f_port, up.f_cnt_16, up.confirmed, values))
        if not up.confirmed:
            return
        self.silent -= 1
        if self.silent < 0:
            down = frames.DataDown(
                confirmed=False, dev_addr=DEV_ADDR, adr=False, ack=True, f_pending=False,
                f_cnt=self._f_cnt_down, f_opts=b"", f_port=None, frm_payload=b"",
            )  # fmt: skip
            self._f_cnt_down += 1
            self._answer(emission, 1, frames.build_data_down(down, self._keys))

    def on(self, f_port: int) -> list[tuple[float, int, int, bool, dict[str, Any]]]:
        return [item for item in self.heard if item[1] == f_port]


Run = Callable[..., Node]


@pytest.fixture
def run(real_node: Callable[..., Node], kernel: Kernel, build_dir: Path, tmp_path: Path) -> Run:
    """run(network, environment, minutes): a node on a shipped board, without its thermostat."""

    def start(
        network: Network,
        environment: Still,
        minutes: int,
        fail: tuple[str, ...] = (),
        listed: bool = False,
        thermostat: bool = False,
    ) -> Node:
        board = json.loads((BOARDS_DIR / "generic_esp32s3.json").read_text("utf-8"))
        if not thermostat:
            del board["kinds"]["waste"]["thermostat"]
        text = json.dumps(board).encode()
        file = tmp_path / "board.json"
        file.write_bytes(text)
        node = real_node(
            "waste", air=network, environment=environment, board="generic_esp32s3",
            board_file=file, fail=frozenset(fail),
        )  # fmt: skip
        network.radio = node.board.radio
        flash = node.board.spec.flash_image
        image.write_files(flash, {"/boards/generic_esp32s3.json": text}, build_dir)
        if listed:
            main = (image.FIRMWARE_DIR / "image" / "main.py").read_text("utf-8")
            image.write_files(flash, {"/main.py": (LISTING + main).encode()}, build_dir)
        node.board.power_on()
        kernel.run_until(minutes * MINUTE_US)
        assert node.board.counters["crashes"] == 0
        assert node.board.misuse == []
        return node

    return start


def test_fire_is_told_at_once_and_acknowledged(run: Run, kernel: Kernel) -> None:
    network = Network(kernel)
    run(network, Burning(fire_us=10 * MINUTE_US), 20)
    ((minute, _, _, confirmed, values),) = network.on(ALARM)
    assert confirmed
    assert 10 < minute < 14.5, "10 K/min, looked at every two minutes"
    assert values["alarm"] == FIRE
    assert values["temperature"] < 60, "by the rate, long before the level"
    assert values["tilt_angle"] in (None, 0)


def test_a_thermostat_tells_of_fire_within_seconds_and_no_look_is_needed(
    run: Run, kernel: Kernel
) -> None:
    network = Network(kernel)
    node = run(network, Burning(fire_us=40 * MINUTE_US), 60, thermostat=True)
    hot_minute = 40 + (CLOSES_C - 21.5) / 10
    told = [(minute, values) for minute, *_, values in network.on(ALARM)]
    assert len(told) == 1
    minute, values = told[0]
    assert 0 < (minute - hot_minute) * 60 < 25, "the model's look, a start and a tilt's second"
    assert values["alarm"] == FIRE
    assert 69 <= values["temperature"] <= 75
    boots = [line for line in node.lines if line.startswith("revier boot")]
    assert len(boots) < 22, "a look each minute while it burns, none before"
    assert not any("lis3dh" in line for line in node.lines if line.startswith("revier error"))


def test_unanswered_it_comes_again_as_the_same_reading_four_times(run: Run, kernel: Kernel) -> None:
    network = Network(kernel, silent=100)
    run(network, Burning(fire_us=3 * MINUTE_US), 40)
    alarms = network.on(ALARM)
    frames_heard = {f_cnt for _, _, f_cnt, _, _ in alarms}
    assert len(frames_heard) == 4
    assert alarms[-1][0] - alarms[0][0] <= 10
    assert all(values == alarms[0][4] for *_, values in alarms), "one reading"
    later = [values["seq"] for *_, values in network.on(WASTE)]
    assert alarms[0][4]["seq"] not in later


def test_an_answer_ends_the_repeats(run: Run, kernel: Kernel) -> None:
    network = Network(kernel, silent=2)
    run(network, Burning(fire_us=3 * MINUTE_US), 20)
    assert len({f_cnt for _, _, f_cnt, _, _ in network.on(ALARM)}) == 3


def test_without_a_network_it_watches_and_tells_the_fire_once_it_has_joined(
    run: Run, kernel: Kernel
) -> None:
    network = Network(kernel, joins_from_us=80 * MINUTE_US)
    node = run(network, Burning(fire_us=70 * MINUTE_US), 110)  # in its second hour it seldom asks
    nonces = [line.split()[-1] for line in node.lines if line.startswith("revier join ")]
    assert len(nonces) == len(set(nonces)), "a look asks for no join before its time"
    ((minute, _, _, confirmed, values),) = network.on(ALARM)
    assert confirmed
    assert values["alarm"] == FIRE
    assert values["temperature"] < 60, "as it was when the fire was noticed"
    assert minute - network.heard[0][0] < 1.2, "behind the first frames after the join"
    assert values["seq"] not in [reading["seq"] for *_, reading in network.on(WASTE)]


def test_emptying_is_not_measured_while_it_lies_and_told_when_it_stands(
    run: Run, kernel: Kernel
) -> None:
    network = Network(kernel)
    emptying_us = 10 * MINUTE_US
    environment = Burning(
        distance=600,
        motions_us=(
            (emptying_us, ON_ITS_SIDE),
            (emptying_us + 20 * SECOND_US, UPRIGHT),
        ),
    )
    kernel.at(emptying_us, lambda: setattr(environment, "distance", 1_400))
    node = run(network, environment, 15)
    (first,), (after,) = network.on(WASTE), network.on(WASTE_EMPTIED)
    assert abs(first[4]["distance"] - 600) <= 8
    assert first[4]["quality"] == 5
    assert first[4]["tilt"] == 0
    assert 10 < after[0] < 12
    assert abs(after[4]["distance"] - 1_400) <= 8
    assert after[4]["flags"] == MOVED
    assert abs(after[4]["emptied_from"] - 600) <= 25
    assert any(line.startswith("revier emptied ") for line in node.lines)
    assert network.on(ALARM) == []


def test_a_container_that_stays_on_its_side_is_an_alarm_and_no_level(
    run: Run, kernel: Kernel
) -> None:
    network = Network(kernel)
    environment = Burning(motions_us=((5 * MINUTE_US, ON_ITS_SIDE),))
    run(network, environment, 40)
    ((minute, _, _, confirmed, values),) = network.on(ALARM)
    assert confirmed
    assert 9.7 < minute < 12, "five minutes on a deep-sleep clock that errs by percents"
    assert values["alarm"] == TILT
    assert values["tilt_angle"] == 110
    lying = [values for minute, *_, values in network.on(WASTE) if minute > 5]
    assert lying
    assert all(v["distance"] is None and v["tilt"] == 110 for v in lying)


def test_a_dead_accelerometer_leaves_the_level(run: Run, kernel: Kernel) -> None:
    network = Network(kernel)
    run(network, Burning(), 40, fail=("lis3dh:silent",))
    readings = network.on(WASTE)
    assert len(readings) == 2
    for *_, values in readings:
        assert abs(values["distance"] - 1_200) <= 4
        assert values["temperature"] is None
        assert values["flags"] == SENSOR_FAULT


@pytest.mark.parametrize(("fault", "flags"), [("silent", SENSOR_FAULT), ("blind", 0)])
def test_without_echoes_the_second_opinion_is_the_level(
    run: Run, kernel: Kernel, fault: str, flags: int
) -> None:
    """A wet sensor is no fault: it works again when it is dry."""
    network = Network(kernel)
    run(network, Burning(), 5, fail=(f"a02yyuw:{fault}",))
    ((*_, values),) = network.on(WASTE)
    assert abs(values["distance"] - 1_200) <= 15
    assert values["quality"] == 2
    assert values["flags"] == flags


def test_a_usual_wake_with_every_sensor_fits(run: Run, kernel: Kernel) -> None:
    network = Network(kernel)
    node = run(network, Burning(), 100, listed=True)
    assert len(network.on(WASTE)) == 4
    wakes = [line[len(MARK) :].split() for line in node.lines if line.startswith(MARK)]
    shipped = {name: len(data) for name, data in firmware_mpy.compiled().items()}
    watches = [wake for wake in wakes if "revier_mac.device" not in wake]
    readings = [wake for wake in wakes if "revier_mac.device" in wake][-3:]  # after the join's
    assert len(watches) > 40
    for wake in watches:
        assert not {"revier_node.sensors.lis3dh", "revier_node.radio"} & set(wake)
    for wake in readings:
        assert "revier_node.sensors.vl53l1x" in wake
        assert wake_bytes(wake, shipped) <= mac_size.BUDGET_WAKE
