# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From a board description (firmware/image/boards/*.json) to a board with its chips soldered on."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, cast

from revier_bench.chips import A02yyuw, Lis2mdl, Sx1262, Sx1276, air_sensors
from revier_bench.chips.base import PoweredChip, SpiDevice
from revier_bench.chips.sx1262 import Sx1262Wiring
from revier_bench.chips.sx1276 import Sx1276Wiring
from revier_bench.chips.thermostat import Thermostat
from revier_bench.virtual_board.board import VirtualBoard
from revier_bench.virtual_board.ground_parts import RfSwitch, ground_parts, power_chip
from revier_bench.virtual_board.kernel import Kernel
from revier_bench.virtual_board.spec import BoardSpec
from revier_bench.world.air import Medium

BOARDS_DIR = Path(__file__).parents[3] / "firmware" / "image" / "boards"
# those that end deep sleep: ESP32 datasheet, table of pins; ESP32-S3 datasheet table 2-4
RTC_PINS = {
    "esp32": sum(1 << n for n in (0, 2, 4, *range(12, 16), 25, 26, 27, *range(32, 40))),
    "esp32s3": (1 << 22) - 1,
}
ALWAYS_ON = ("lis3dh",)  # it watches while the board sleeps: not behind the sensors' switch
TCXO_START_US = 3_000  # what the real oscillator needs; the board description allows for more


class WiredBoard(VirtualBoard):
    """A board and its chips: `radio`, and `sensors` by the names of the description."""

    radio: Sx1262 | Sx1276
    sensors: dict[str, Any]

    def __init__(self, kernel: Kernel, spec: BoardSpec, air: Medium, environment: Any) -> None:
        super().__init__(kernel, spec)
        path = spec.board_file or BOARDS_DIR / f"{spec.board}.json"
        self.description: dict[str, Any] = json.loads(path.read_text("utf-8"))
        self.rtc_pins = RTC_PINS[self.description["mcu"]]
        self.sensors = {}
        self._environment = environment
        self._solder_radio(self.description["radio"], air)
        self._solder_battery(self.description.get("battery"))
        for name, part in self.description["kinds"][spec.kind].items():
            self._solder(name, part)
        self._supply(self.description["kinds"][spec.kind])

    def _solder_radio(self, pins: dict[str, Any], air: Medium) -> None:
        makers: dict[str, Callable[..., Sx1262 | Sx1276]] = {
            "sx1262": self._sx1262,
            "sx1276": self._sx1276,
        }
        if pins["chip"] not in makers:
            raise ValueError(f"{self.spec.board}: no chip model for {pins['chip']!r}")
        self.radio = makers[pins["chip"]](pins, air, self.spec.chance("radio"))
        self.spi.append((pins["cs"], self._switched(pins)))
        self.cs_mask |= 1 << pins["cs"]
        self.driven_mask |= 1 << pins["dio1"]
        self.floating |= 1 << pins["cs"] | 1 << pins["reset"]
        self.watched[pins["reset"]] = self.radio.reset_pin
        self._feed_radio()

    def _switched(self, pins: dict[str, Any]) -> SpiDevice:
        """The radio, behind its antenna switch where the description has one."""
        if "rx_enable" not in pins:
            return self.radio
        return RfSwitch(self, self.radio, pins["rx_enable"])

    def _feed_radio(self) -> None:
        """From the battery, or from an output of the power chip."""
        if "pmu" not in self.description:
            self.powered.append(self.radio)
            return
        chip = power_chip(self, self.spec, self._environment)
        self.i2c[self.description["pmu"]["addr"]] = chip
        chip.on_radio = self.radio.power
        self.powered.append(chip)

    def _sx1262(self, pins: dict[str, Any], air: Medium, chance: Random) -> Sx1262:
        self.busy_mask |= 1 << pins["busy"]
        self.driven_mask |= 1 << pins["busy"]
        wiring = Sx1262Wiring(
            dio1=pins["dio1"], tcxo_mv=pins.get("tcxo_mv", 0), tcxo_start_us=TCXO_START_US
        )
        return Sx1262(self, wiring, air, chance)

    def _sx1276(self, pins: dict[str, Any], air: Medium, chance: Random) -> Sx1276:
        self.driven_mask |= 1 << pins["dio0"]
        wiring = Sx1276Wiring(pins["dio0"], pins["dio1"], pins["tcxo"])
        return Sx1276(self, wiring, air, chance)

    def _solder_battery(self, battery: dict[str, Any] | None) -> None:
        if battery is None or "adc" not in battery:
            return
        enable = battery.get("enable")
        if enable is not None:
            self._floating_off(enable)

        def pin_uv(t_us: int) -> int:
            if enable is not None and self.outs >> enable["pin"] & 1 != enable["on"]:
                return 0
            millivolts: int = self._environment.battery_mv(t_us)
            return millivolts * 1000 * 100 // int(battery["divider_percent"])

        self.adc[battery["adc"]] = pin_uv

    def _solder(self, name: str, part: dict[str, Any]) -> None:
        chance, env = self.spec.chance(name), self._environment
        makers: dict[str, Callable[[], Any]] = {
            "lis2mdl": lambda: Lis2mdl(self, env, chance, part["int"]),
            "a02yyuw": lambda: A02yyuw(self, env, chance),
            **ground_parts(self, env, chance, part),
        }
        if name in ("power", "boost"):
            self._floating_off(part)
            return
        if name == "thermostat":
            self.driven_mask |= 1 << part["int"]
            self.powered.append(Thermostat(self, env, part["int"]))
            return
        if (name, part.get("bus")) in air_sensors.MODELS:
            makers[name] = partial(air_sensors.MODELS[name, part["bus"]], self, env, chance)
        if name not in makers:
            raise ValueError(f"{self.spec.board}: no chip model for {name!r}")
        if "int" in part:
            self.driven_mask |= 1 << part["int"]
        chip = self.sensors[name] = makers[name]()
        chip.faults.update(f.partition(":")[2] for f in self.spec.fail if f.startswith(name + ":"))
        if part["bus"] == "i2c":
            self.i2c[part["addr"]] = chip
        else:
            self.uart[self.description["uart"]["id"]] = chip

    def _floating_off(self, switch: dict[str, Any]) -> None:
        """A resistor keeps a supply's switch off while no pin drives it."""
        if not switch["on"]:
            self.floating |= 1 << switch["pin"]

    def _supply(self, kind: dict[str, Any]) -> None:
        """Which switches feed which chip: `power` all sensors, `boost` those of 5 V too."""
        for name, chip in self.sensors.items():
            keys = ("power", "boost") if name in air_sensors.FIVE_VOLTS else ("power",)
            switches = [kind[key] for key in keys if key in kind and name not in ALWAYS_ON]
            if not switches:
                self.powered.append(cast(PoweredChip, chip))
                continue
            supply = _Supply(self, chip, switches)
            self.powered.append(supply)
            for switch in switches:
                self._watch(switch["pin"], supply.switched)

    def _watch(self, pin: int, listener: Callable[[bool, int], None]) -> None:
        before = self.watched.get(pin)

        def both(level: bool, t_us: int) -> None:
            if before is not None:
                before(level, t_us)
            listener(level, t_us)

        self.watched[pin] = both


class _Supply:
    """A chip behind switches, all of which must be on."""

    def __init__(self, board: VirtualBoard, chip: Any, switches: list[dict[str, Any]]) -> None:
        self._board = board
        self._chip = chip
        self._switches = switches
        self._on = False

    def power(self, on: bool, t_us: int) -> None:
        """The whole board's supply."""
        self._apply(on and self._closed(), t_us)

    def switched(self, level: bool, t_us: int) -> None:  # noqa: ARG002
        self._apply(self._closed(), t_us)

    def _closed(self) -> bool:
        return all(self._board.outs >> s["pin"] & 1 == s["on"] for s in self._switches)

    def _apply(self, on: bool, t_us: int) -> None:
        if on != self._on:
            self._on = on
            self._chip.power(on, t_us)


def build_board(kernel: Kernel, spec: BoardSpec, air: Medium, environment: Any) -> WiredBoard:
    """A board ready for power_on(). Attach `board.radio` to the air at its position."""
    return WiredBoard(kernel, spec, air, environment)
