# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The board description (/boards/NAME.json) and the buses, switches and radio that it names."""

import json
import time

import esp32
from machine import ADC, I2C, SPI, UART, Pin

MYPY = False
if MYPY:
    from revier_node.sx1262 import Sx1262
    from revier_node.sx1276 import Sx1276


_SETTLE_MS = 2  # battery divider of 100 kOhm into the pin's capacity, time constant below 0.2 ms
_SAMPLES = 3
PLAUSIBLE_MV = (2_000, 6_000)  # outside: the divider or its switch is broken
I2C_LIMIT_US = 50_000  # clock stretching; a longer one is a stuck bus


class BoardError(Exception):
    """The description is wrong: the technician's to mend."""


def load(name: str, folder: str = "/boards/") -> dict:
    """The description of a board as a dict; board_check.py looks at every pin of it."""
    try:
        with open(folder + name + ".json") as file:
            board: dict = json.load(file)
    except (OSError, ValueError):
        raise BoardError("no readable description of board " + name)
    for key in ("radio", "kinds", "mcu"):
        if key not in board:
            raise BoardError(name + ".json lacks " + key)
    return board


def radio(board: dict) -> "Sx1262 | Sx1276":
    """The radio of the board, not yet begun. Raises BoardError for a chip without a driver."""
    wiring = board["radio"]
    chip = wiring["chip"]
    if chip not in ("sx1262", "sx1276"):
        raise BoardError("no driver for radio " + chip)
    from revier_node.radio_bus import SpiBus

    if "pmu" in board:
        from revier_node import pmu

        pmu.radio_on(i2c(board))
    pins = wiring["spi"]
    spi = SPI(
        pins["id"],
        baudrate=pins["baudrate"],
        sck=Pin(pins["sck"]),
        mosi=Pin(pins["mosi"]),
        miso=Pin(pins["miso"]),
    )
    select = Pin(wiring["cs"], Pin.OUT, value=1, hold=False)  # type: ignore[call-arg]
    reset = Pin(wiring["reset"])
    if chip == "sx1276":
        from revier_node.sx1276 import Sx1276

        return Sx1276(SpiBus(spi, select), reset, wiring["tcxo"])
    from revier_node.sx1262 import Sx1262

    busy = Pin(wiring["busy"], Pin.IN)
    bus = SpiBus(spi, select, busy)
    if "rx_enable" in wiring:
        from revier_node.radio_switch import SwitchedBus

        bus = SwitchedBus(spi, select, busy, Pin(wiring["rx_enable"], Pin.OUT, value=0))
    return Sx1262(
        bus,
        reset,
        wiring["tcxo_mv"],
        wiring["tcxo_start_us"],
        wiring["dio2_rf_switch"],
        wiring["dcdc"],
    )


def i2c(board: dict) -> "I2C":
    pins = board["i2c"]
    return I2C(
        pins["id"],
        scl=Pin(pins["scl"]),
        sda=Pin(pins["sda"]),
        freq=pins["freq"],
        timeout=I2C_LIMIT_US,
    )


def uart(board: dict, baudrate: int) -> "UART":
    pins = board["uart"]
    return UART(pins["id"], baudrate=baudrate, tx=pins["tx"], rx=pins["rx"], timeout=0)


def switch(wiring: "dict | None", on: bool) -> None:
    """A supply: {"pin": 36, "on": 0} is on when GPIO36 is low. None for a part always supplied."""
    if wiring:
        Pin(wiring["pin"], Pin.OUT, value=wiring["on"] if on else 1 - wiring["on"])


def hold(board: dict) -> None:
    """Keep the radio's chip select high in deep sleep: a floating one wakes it (11 to 14 uA)."""
    Pin(board["radio"]["cs"], Pin.OUT, value=1, hold=True)  # type: ignore[call-arg]
    # else only an RTC pin is held
    esp32.gpio_deep_sleep_hold(True)  # type: ignore[attr-defined]


def battery_mv(board: dict) -> "int | None":
    """Supply voltage: median of three, or None if the board measures none or nothing plausible."""
    wiring = board.get("battery")
    if not wiring:
        return None
    if "adc" in wiring:
        millivolts = _divided_mv(wiring)
    else:
        from revier_node import pmu

        millivolts = pmu.battery_mv(i2c(board))
    return plausible(millivolts)


def plausible(millivolts: int) -> "int | None":
    return millivolts if PLAUSIBLE_MV[0] <= millivolts <= PLAUSIBLE_MV[1] else None


def divider(wiring: dict) -> tuple:
    """(the pin that has switched the battery's divider on, or None; its ADC)"""
    switch = wiring.get("enable")
    enable = Pin(switch["pin"], Pin.OUT, value=switch["on"]) if switch else None
    if enable:
        time.sleep_ms(_SETTLE_MS)
    return enable, ADC(Pin(wiring["adc"]), atten=ADC.ATTN_11DB)


def _divided_mv(wiring: dict) -> int:
    enable, adc = divider(wiring)
    samples = sorted(adc.read_uv() for _ in range(_SAMPLES))
    if enable:
        enable.init(Pin.IN)  # the divider draws nothing in sleep
    millivolts: int = samples[_SAMPLES // 2] // 1000 * wiring["divider_percent"] // 100
    return millivolts
