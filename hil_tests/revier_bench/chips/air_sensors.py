# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The air sensors' models by name and bus, as a board description wires them."""

from collections.abc import Callable
from random import Random
from typing import Any

from revier_bench.chips.base import ChipHost
from revier_bench.chips.bme280 import Bme280
from revier_bench.chips.pms5003 import Pms5003
from revier_bench.chips.scd41 import Scd41
from revier_bench.chips.sds011 import Sds011
from revier_bench.chips.sen55 import Sen55
from revier_bench.chips.sps30 import Sps30
from revier_bench.chips.sps30_uart import Sps30Uart


def _pms5003t(host: ChipHost, environment: Any, chance: Random) -> Pms5003:
    return Pms5003(host, environment, chance, variant_t=True)


MODELS: dict[tuple[str, str], Callable[[ChipHost, Any, Random], Any]] = {
    ("sps30", "i2c"): Sps30,
    ("sps30", "uart"): Sps30Uart,
    ("sen55", "i2c"): Sen55,
    ("pms5003", "uart"): Pms5003,
    ("pms5003t", "uart"): _pms5003t,
    ("sds011", "uart"): Sds011,
    ("bme280", "i2c"): Bme280,
    ("scd41", "i2c"): Scd41,
}
FIVE_VOLTS = ("sps30", "sen55", "pms5003", "pms5003t", "sds011")
"""behind the boost converter"""
