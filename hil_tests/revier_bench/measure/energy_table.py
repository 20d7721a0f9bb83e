# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The energy model's constants, each with its source. Every duration but these is recorded.

WROOM = ESP32-S3-WROOM-1 datasheet v1.8, table 6-6, 160 MHz (MicroPython's clock on this chip)
DS = SX1261/2 datasheet rev. 2.1
LBM = Semtech LoRa Basics Modem, ral_sx126x_bsp.c: measured on SX1262 boards, DC-DC
GLENN = glenn20/upy-esp32-experiments, OptimisingMicropythonBootTime: PPK2, ESP32-S3, v1.19
LACKEY = instructions of the unix port counted by valgrind's lackey: one pass of misc_pystone
takes 41,271 for its 515 bytecodes, 80.1 each
"""

from dataclasses import dataclass, replace
from types import MappingProxyType

from revier_bench.virtual_board.costs import CHIP

# What the parts take in each state, mA. A state that is not here is an error.
MCU_MA = MappingProxyType({
    "awake": 39.9,  # WROOM: one core runs 32-bit data access, peripherals' clocks off
    "light sleep": 0.78,  # measured on a module at 3.3 V (ComNets-Bremen/WUSN); the chip: 0.24
})  # fmt: skip
AWAKE_CLOCKED_MA = 54.6  # WROOM: the same with the clocks of all peripherals; printed, not judged
_TCXO_MA = 1.5  # DS table 3-11: typical load of the TCXO's regulator
SX1262_MA = MappingProxyType({
    "sleep": 0.000_6,  # DS table 3-2: warm
    "standby": 0.6,  # DS table 3-2: STDBY_RC
    "oscillator": 0.8 + _TCXO_MA,  # DS table 3-2: STDBY_XOSC
    "start": 2.1 + _TCXO_MA,  # DS table 3-2: FS; here from the command until the air
    "receive": 4.6 + _TCXO_MA,  # DS table 3-3: LoRa 125 kHz, DC-DC, not boosted
    "transmit 22 dBm": 117.9 + _TCXO_MA,  # LBM, as the rest
    "transmit 20 dBm": 103.8 + _TCXO_MA,
    "transmit 16 dBm": 94.5 + _TCXO_MA,
    "transmit 14 dBm": 89.3 + _TCXO_MA,
    "transmit 10 dBm": 70.5 + _TCXO_MA,
    "transmit 2 dBm": 46.2 + _TCXO_MA,
})  # fmt: skip


# What calls take beside the bytecode around them, collections and the ends of light sleeps: these
# the meter and the model count themselves.
CALLS = replace(
    CHIP,
    select_us=1,
    sleep_us=0,
    stray_us=0,
    wake_us=0,
    soft_irq_us=(0, 0),
    collect_us=(0, 0),
    collect_every_bytes=0,
)


@dataclass(frozen=True, slots=True)
class Boot:
    """From the wake-up to the first statement of boot.py; of the frozen image, of main.py."""

    us: int
    mc: float


# GLENN: ROM and bootloader without validation (CONFIG_BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP is
# stock), nvs_flash_init(), then to _boot.py. The rest of a stock boot mounts the file system (and
# waits 10 ms in that board's main.py); the frozen image does without (GLENN's _preboot.py).
_TO_BOOT_PY = Boot(47_000 + 7_800 + 800, 1.71 + 0.57 + 0.06)
STOCK = Boot(_TO_BOOT_PY.us + 350_000, _TO_BOOT_PY.mc + 23.6)
FROZEN = Boot(_TO_BOOT_PY.us + 1_000, _TO_BOOT_PY.mc + 0.06)
NAIVE_BOOT = Boot(635_100, 41.9)  # GLENN: every wake validates the image


@dataclass(frozen=True, slots=True)
class Cpu:
    """What the firmware's own work takes on the chip at 160 MHz."""

    # 1,801.87 pystones/s on an ESP32 at 160 MHz (micropython commit 549448e8bb) of 515 bytecodes
    # each, by this bench's own count. An ESP32-S3 is 15 % faster (scruss.com, 2025): not used.
    bytecode_ns: int = 1_077
    # Reading a file from LittleFS: 5.45 ms on average (TD-er in esp8266/Arduino#5932, 40 MHz DIO)
    file_us: int = 5_450
    # LACKEY: an import takes 300 instructions for a byte of .mpy, compiling 1,076 for one of .py
    load_byte_ns: int = 4_030
    compile_byte_ns: int = 14_470
    gc_us: int = 1_800  # an ESP32 without SPIRAM (peterhinch in micropython#8428)
    uart_byte_us: int = 87  # the console's 115,200 baud
    uart_fifo: int = 128  # ESP32-S3 technical reference manual, chapter UART


CPU = Cpu()
# Of each light sleep this runs awake: DEFAULT_SLEEP_OUT_OVERHEAD_US and
# DEFAULT_HARDWARE_OUT_OVERHEAD_US for the ESP32-S3, and the wait for the flash's power
# (esp-idf, esp_hw_support/sleep_modes.c)
LIGHT_SLEEP_WAKE_US = 382 + 133 + 700

# The naive cycle: awake from SetTx to the end of RX2, receiver on its LDO (DS table 3-3), windows
# that time out after the airtime of an empty frame and 10 ms (RadioLib, LoRaWAN.cpp)
NAIVE_RECEIVE_MA = 8.88 + _TCXO_MA
NAIVE_GUARD_US = 10_000
