# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From the wiring in a board description to the driver of its particulate matter sensor.

{"sps30": {"bus": "i2c", "addr": 105}} or {"sds011": {"bus": "uart"}}: only the module that is
wired is loaded. Their surface: sensors/__init__.py.
"""

from revier_node import board as parts

MYPY = False
if MYPY:
    from typing import Any


# name in the wiring and bus -> module and class
DRIVERS = {
    "sps30 i2c": "sps30 Sps30",
    "sps30 uart": "sps30_uart Sps30Uart",
    "sen55 i2c": "sen55 Sen55",
    "pms5003 uart": "pms5003 Pms5003",
    "pms5003t uart": "pms5003 Pms5003",
    "sds011 uart": "sds011 Sds011",
}


def wired(wiring: dict) -> "str | None":
    """The name of the particulate matter sensor in a kind's wiring, None if there is none."""
    for key in DRIVERS:
        name = key.split()[0]
        if name in wiring:
            return name
    return None


def make(board: dict, name: str, part: dict) -> "Any":
    """The driver of a wired part. Raises BoardError for a part that cannot be on this bus."""
    bus = part["bus"]
    found = DRIVERS.get(name + " " + bus)
    if found is None:
        raise parts.BoardError("no driver for " + name + " on " + bus)
    file, class_name = found.split()
    module = __import__("revier_node.sensors." + file, None, None, (class_name,))
    driver = getattr(module, class_name)
    if bus == "i2c":
        return driver(parts.i2c(board), part["addr"])
    uart = parts.uart(board, module.BAUD)
    return driver(uart, True) if name == "pms5003t" else driver(uart)
