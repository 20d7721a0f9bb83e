# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""machine of the ESP32 for checks: pins with levels, an I2C bus of scripted devices, RTC memory."""

import time

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
EXT1_WAKE, TIMER_WAKE = 3, 4
levels = {}
devices = {}  # I2C address -> object with write(data), read(length)
rtc = [b""]
adc_uv = [800_000]
uarts = {}
spi_chip = [None]
watchdog_ms = [0]
cause = [PWRON_RESET]
reason = [0]
slept = []  # milliseconds and RTC memory of this wake's deep sleep


class Pin:
    IN, OUT = 1, 3

    def __init__(self, number, mode=-1, value=None, hold=None):
        self.number = number
        if value is not None:
            levels[number] = value

    def init(self, mode, value=None):
        if value is None:
            levels.pop(self.number, None)
        else:
            levels[self.number] = value

    def __call__(self, value=None):
        if value is None:
            return levels.get(self.number, 0)
        levels[self.number] = value
        return None


class I2C:
    def __init__(self, *args, **kw):
        pass

    def _device(self, address):
        if address not in devices:
            raise OSError(19)
        return devices[address]

    def writeto(self, address, data):
        self._device(address).write(bytes(data))

    def readfrom(self, address, length):
        return self._device(address).read(length)

    def readfrom_mem(self, address, register, length):
        return self._device(address).get(register, length)

    def writeto_mem(self, address, register, data):
        self._device(address).put(register, bytes(data))


class ADC:
    ATTN_11DB = 3

    def __init__(self, pin, atten=0):
        pass

    def read_uv(self):
        return adc_uv[0]


class RTC:
    def memory(self, data=None):
        if data is None:
            return rtc[0]
        rtc[0] = bytes(data)
        return None


class UART:
    def __init__(self, number, **kw):
        self.script = uarts[number]

    def any(self):
        return self.script.any()

    def read(self, n):
        return self.script.read(n)


class SPI:
    """The chip on the bus answers; its select pin is not looked at here."""

    def __init__(self, *args, **kw):
        self.write_readinto = spi_chip[0].write_readinto


class WDT:
    def __init__(self, timeout):
        watchdog_ms[0] = timeout


class DeepSleepError(BaseException):
    """What deepsleep() does here instead of not returning. args: (ms,)."""


def lightsleep(ms):
    time.sleep_ms(ms)


def deepsleep(ms):
    """The first one of a wake counts: what runs on after it here would not run on a chip."""
    if slept:
        rtc[0] = slept[1]
    else:
        slept.extend((ms, rtc[0]))
    raise DeepSleepError(slept[0])


def reset_cause():
    return cause[0]


def wake_reason():
    return reason[0]
