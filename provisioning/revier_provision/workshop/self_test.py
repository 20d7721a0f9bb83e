# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the node's self-test says of each part, in words for whoever holds the soldering iron. Pure.

Source: the console's `selftest` line (docs/protocol/console.md) and the faults that the drivers in
firmware/revier_node/sensors name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

OK = "ok"
BUS_UART = ("a02yyuw", "pms5003", "sds011", "sps30_uart")
PART_WORDS = {
    "sps30": "SPS30 (particulates)",
    "sen55": "SEN55 (particulates, VOC, NOx)",
    "pms5003": "PMS5003 (particulates)",
    "sds011": "SDS011 (particulates)",
    "scd41": "SCD41 (CO2)",
    "bme280": "BME280 (temperature, humidity, pressure)",
    "lis2mdl": "LIS2MDL (magnetic field)",
    "mmc5603": "MMC5603 (magnetic field)",
    "qmc5883l": "QMC5883L (magnetic field)",
    "a02yyuw": "A02YYUW (ultrasonic distance)",
    "vl53l1x": "VL53L1X (optical distance)",
    "lis3dh": "LIS3DH (tilt, shock)",
    "radio": "LoRa radio",
}
_REPLACE = "if it stays, replace the part"
# first words of a fault -> (what is wrong, what to do); others are told as they are
_FAULTS: tuple[tuple[str, str, str], ...] = (
    (
        "no answer",
        "does not answer",
        "check its plug, supply and wiring ({bus}); {replace}",
    ),
    ("silent", "sends nothing", "check its plug, supply and that RX and TX are not swapped"),
    (
        "garbled",
        "sends nothing readable",
        "check its wiring, ground and baud rate; {replace}",
    ),
    (
        "checksum",
        "answers with wrong checksums",
        "shorten or screen its cable; {replace}",
    ),
    ("length", "answers with too few bytes", "check that the right part is fitted"),
    ("refused", "refuses a command", "check that the right part is fitted; {replace}"),
    ("frozen", "repeats the same bytes", "switch its supply off and on; {replace}"),
    ("overflow", "is saturated", "take magnets, tools and steel away from it, and hold it still"),
    ("settings not kept", "does not keep its settings", "check its supply; {replace}"),
    ("offset", "does not keep its calibration", "check its supply; {replace}"),
    (
        "calibration not loaded",
        "did not load its calibration",
        "switch its supply off and on; {replace}",
    ),
    ("start-up", "did not start", "check its supply; {replace}"),
    ("busy", "stays busy", "check the radio's BUSY pin and supply"),
    ("device errors", "reports errors of its own", "check the radio's supply and its oscillator"),
    ("no oscillator", "has no clock", "check that the board description is this board's (TCXO)"),
    ("chip version", "is another chip", "check that the board description is this board's"),
    (
        "no calibration",
        "cannot calibrate itself",
        "check the radio's supply; {replace}",
    ),
    ("command refused", "refuses a command", "check the radio's wiring and supply"),
)


class PartResult(msgspec.Struct, frozen=True, kw_only=True):
    """`fault` as the node says it; empty: the part works."""

    part: str
    fault: str

    @property
    def name(self) -> str:
        return PART_WORDS.get(self.part, self.part)

    @property
    def problem(self) -> str:
        what, _ = _words(self.part, self.fault)
        return f"{self.name} {what}"

    @property
    def cure(self) -> str:
        return _words(self.part, self.fault)[1]


def results(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[PartResult, ...]:
    """From the keys and values of a `selftest` line."""
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    return tuple(
        PartResult(part=part, fault="" if value == OK else value.replace("_", " "))
        for part, value in items
    )


def newest(lines: Sequence[tuple[str, Mapping[str, str]]]) -> tuple[PartResult, ...] | None:
    """The newest self-test among the console's events, or None."""
    found = next((pairs for event, pairs in reversed(lines) if event == "selftest"), None)
    return None if found is None else results(found)


def sentence(parts: Iterable[PartResult]) -> str:
    """For example `sps30 ok, bme280 ok, radio ok`."""
    return ", ".join(f"{part.part} {part.fault or OK}" for part in parts)


def _words(part: str, fault: str) -> tuple[str, str]:
    bus = "RX, TX, ground" if part in BUS_UART else "SDA, SCL, address"
    if part == "radio":
        bus = "SPI, CS, RESET"
    for begin, what, cure in _FAULTS:
        if fault.startswith(begin):
            return what, cure.format(bus=bus, replace=_REPLACE)
    return f"is faulty ({fault})", f"check its plug and supply; {_REPLACE}"
