# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Chips at bus level under virtual time; they refuse and note what their datasheets refuse."""

from revier_bench.chips.a02yyuw import A02yyuw
from revier_bench.chips.base import ChipHost, I2cDevice, SpiDevice, UartDevice
from revier_bench.chips.bme280 import Bme280
from revier_bench.chips.lis2mdl import Lis2mdl
from revier_bench.chips.lis3dh import Lis3dh
from revier_bench.chips.mmc5603 import Mmc5603
from revier_bench.chips.pms5003 import Pms5003
from revier_bench.chips.power_chips import Axp192, Axp2101
from revier_bench.chips.qmc5883l import Qmc5883l
from revier_bench.chips.scd41 import Scd41
from revier_bench.chips.sds011 import Sds011
from revier_bench.chips.sen55 import Sen55
from revier_bench.chips.sps30 import Sps30
from revier_bench.chips.sps30_uart import Sps30Uart
from revier_bench.chips.sx1262 import Sx1262
from revier_bench.chips.sx1276 import Sx1276
from revier_bench.chips.vl53l1x import Vl53l1x

__all__ = [
    "A02yyuw",
    "Axp192",
    "Axp2101",
    "Bme280",
    "ChipHost",
    "I2cDevice",
    "Lis2mdl",
    "Lis3dh",
    "Mmc5603",
    "Pms5003",
    "Qmc5883l",
    "Scd41",
    "Sds011",
    "Sen55",
    "SpiDevice",
    "Sps30",
    "Sps30Uart",
    "Sx1262",
    "Sx1276",
    "UartDevice",
    "Vl53l1x",
]
