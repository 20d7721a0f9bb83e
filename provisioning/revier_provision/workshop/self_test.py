# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the node's self-test says of each part, in words for whoever holds the soldering iron. Pure.

Source: the console's `selftest` line (docs/protocol/console.md) and the faults that the drivers in
firmware/revier_node/sensors name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from revier_inventory.message import Message, _, joined, template, verbatim

OK = "ok"
BUS_UART = ("a02yyuw", "pms5003", "sds011", "sps30_uart")
PART_WORDS = {
    "sps30": _("SPS30 (particulates)"),
    "sen55": _("SEN55 (particulates, VOC, NOx)"),
    "pms5003": _("PMS5003 (particulates)"),
    "sds011": _("SDS011 (particulates)"),
    "scd41": _("SCD41 (CO2)"),
    "bme280": _("BME280 (temperature, humidity, pressure)"),
    "lis2mdl": _("LIS2MDL (magnetic field)"),
    "mmc5603": _("MMC5603 (magnetic field)"),
    "qmc5883l": _("QMC5883L (magnetic field)"),
    "a02yyuw": _("A02YYUW (ultrasonic distance)"),
    "vl53l1x": _("VL53L1X (optical distance)"),
    "lis3dh": _("LIS3DH (tilt, shock)"),
    "radio": _("LoRa radio"),
}
_REPLACE = _("if it stays, replace the part")
# first words of a fault -> (what is wrong, what to do); others are told as they are
_FAULTS: tuple[tuple[str, Message, str], ...] = (
    (
        "no answer",
        _("does not answer"),
        template("Check its plug, supply and wiring ({bus}); {replace}"),
    ),
    (
        "silent",
        _("sends nothing"),
        template("Check its plug, supply and that RX and TX are not swapped"),
    ),
    (
        "garbled",
        _("sends nothing readable"),
        template("Check its wiring, ground and baud rate; {replace}"),
    ),
    (
        "checksum",
        _("answers with wrong checksums"),
        template("Shorten or screen its cable; {replace}"),
    ),
    ("length", _("answers with too few bytes"), template("Check that the right part is fitted")),
    ("refused", _("refuses a command"), template("Check that the right part is fitted; {replace}")),
    ("frozen", _("repeats the same bytes"), template("Switch its supply off and on; {replace}")),
    (
        "overflow",
        _("is saturated"),
        template("Take magnets, tools and steel away from it, and hold it still"),
    ),
    ("settings not kept", _("does not keep its settings"), template("Check its supply; {replace}")),
    ("offset", _("does not keep its calibration"), template("Check its supply; {replace}")),
    (
        "calibration not loaded",
        _("did not load its calibration"),
        template("Switch its supply off and on; {replace}"),
    ),
    ("start-up", _("did not start"), template("Check its supply; {replace}")),
    ("busy", _("stays busy"), template("Check the radio's BUSY pin and supply")),
    (
        "device errors",
        _("reports errors of its own"),
        template("Check the radio's supply and its oscillator"),
    ),
    (
        "no oscillator",
        _("has no clock"),
        template("Check that the board description is this board's (TCXO)"),
    ),
    (
        "chip version",
        _("is another chip"),
        template("Check that the board description is this board's"),
    ),
    (
        "no calibration",
        _("cannot calibrate itself"),
        template("Check the radio's supply; {replace}"),
    ),
    ("command refused", _("refuses a command"), template("Check the radio's wiring and supply")),
)


class PartResult(msgspec.Struct, frozen=True, kw_only=True):
    """`fault` as the node says it; empty: the part works."""

    part: str
    fault: str

    @property
    def name(self) -> Message:
        return PART_WORDS.get(self.part) or verbatim(self.part)

    @property
    def problem(self) -> Message:
        return joined(" ", [self.name, _words(self.part, self.fault)[0]])

    @property
    def cure(self) -> Message:
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


def sentence(parts: Iterable[PartResult]) -> Message:
    """For example `sps30 ok, bme280 ok, radio ok`."""
    return joined(", ", (f"{part.part} {part.fault or OK}" for part in parts))


def _words(part: str, fault: str) -> tuple[Message, Message]:
    bus = _("RX, TX, ground") if part in BUS_UART else _("SDA, SCL, address")
    if part == "radio":
        bus = _("SPI, CS, RESET")
    for begin, what, cure in _FAULTS:
        if fault.startswith(begin):
            return what, Message(cure, {"bus": bus, "replace": _REPLACE})
    cure = _("Check its plug and supply; {replace}", replace=_REPLACE)
    return _("is faulty ({fault})", fault=fault), cure
