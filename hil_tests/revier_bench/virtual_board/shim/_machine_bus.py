# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""SPI, I2C, UART and ADC: each transfer is one message to the kernel."""

import struct
import uio

import _link
from _link import call, put, take

_ENODEV = 19
_ETIMEDOUT = 116
_SPI_MAX = 4096


class SPI:
    MSB = 0
    LSB = 1
    CONTROLLER = 0

    def __init__(self, id, baudrate=500000, **kw):
        self._id = id
        self._arg = id | baudrate << 8

    def init(self, baudrate=None, **kw):
        if baudrate is not None:
            self._arg = self._id | baudrate << 8

    def deinit(self):
        pass

    def write_readinto(self, out, into):
        n = len(out)
        if len(into) != n:
            raise ValueError("buffers must be the same length")
        if n > _SPI_MAX:
            raise ValueError("transfer too long")
        if _link.strays:
            _link.stray()
        put(out, n)
        call(_link.SPI, self._arg, n, n)
        take(into, n)
        if _link.irqs:
            _link.run_irqs()

    def write(self, out):
        n = len(out)
        if n > _SPI_MAX:
            raise ValueError("transfer too long")
        if _link.strays:
            _link.stray()
        put(out, n)
        call(_link.SPI, self._arg, n, n)
        if _link.irqs:
            _link.run_irqs()

    def readinto(self, into, write=0):
        for i in range(len(into)):
            into[i] = write
        self.write_readinto(into, into)

    def read(self, n, write=0):
        into = bytearray(n)
        self.readinto(into, write)
        return bytes(into)


class SoftSPI(SPI):
    def __init__(self, baudrate=500000, **kw):
        SPI.__init__(self, 15, baudrate)


class I2C:
    def __init__(self, id, *, scl=None, sda=None, freq=400000, timeout=50000):
        self._arg = id | freq << 16

    def init(self, **kw):
        pass

    def _transfer(self, addr, n, want):
        error = call(_link.I2C, self._arg | addr << 8, n, want)
        if error:
            if _link.irqs:
                _link.run_irqs()
            raise OSError(error)

    def _done(self):
        if _link.irqs:
            _link.run_irqs()

    def scan(self):
        found = []
        for addr in range(8, 120):
            if not call(_link.I2C, self._arg | addr << 8):
                found.append(addr)
        return found

    def writeto(self, addr, data, stop=True):
        put(data, len(data))
        self._transfer(addr, len(data), 0)
        self._done()
        return len(data) + 1

    def writevto(self, addr, vector, stop=True):
        return self.writeto(addr, b"".join(vector))

    def readfrom_into(self, addr, into, stop=True):
        self._transfer(addr, 0, len(into))
        take(into, len(into))
        self._done()

    def readfrom(self, addr, n, stop=True):
        into = bytearray(n)
        self.readfrom_into(addr, into)
        return bytes(into)

    def readfrom_mem_into(self, addr, reg, into, *, addrsize=8):
        n = addrsize // 8
        struct.pack_into(">H" if n == 2 else "B", _link._req, _link._REQUEST, reg)
        self._transfer(addr, n, len(into))
        take(into, len(into))
        self._done()

    def readfrom_mem(self, addr, reg, n, *, addrsize=8):
        into = bytearray(n)
        self.readfrom_mem_into(addr, reg, into, addrsize=addrsize)
        return bytes(into)

    def writeto_mem(self, addr, reg, data, *, addrsize=8):
        n = addrsize // 8
        struct.pack_into(">H" if n == 2 else "B", _link._req, _link._REQUEST, reg)
        put(data, len(data), n)
        self._transfer(addr, n + len(data), 0)
        self._done()


class SoftI2C(I2C):
    def __init__(self, scl, sda, *, freq=400000, timeout=50000):
        I2C.__init__(self, 0, freq=freq)


class UART(uio.IOBase):
    INV_TX = 1
    INV_RX = 2

    def __init__(self, id, baudrate=115200, *args, **kw):
        self._id = id
        self._timeout = 0
        self._next_us = 0
        self.init(baudrate, *args, **kw)

    def init(self, baudrate=None, bits=8, parity=None, stop=1, **kw):
        if baudrate is not None:
            self._baud = baudrate
        if "timeout" in kw:
            self._timeout = kw["timeout"]
        call(_link.UART_ANY, self._id | self._baud << 8 | 1 << 40, 0, 8)

    def deinit(self):
        pass

    def any(self):
        _link.spend(_link.tick_cost)
        if _link.now < self._next_us:
            return 0
        n = call(_link.UART_ANY, self._id, 0, 8)
        self._next_us = struct.unpack_from("<q", _link.answer)[0] if not n else 0
        if _link.irqs:
            _link.run_irqs()
        return n

    def read(self, n=-1):
        got = self._read(512 if n is None or n < 0 else n, n is None or n < 0)
        return got or None

    def _read(self, n, all_there):
        n = min(n, 512)
        struct.pack_into("<qq", _link._req, _link._REQUEST, n, -1 if all_there else self._timeout)
        count = call(_link.UART_READ, self._id, 16, n)
        got = bytes(memoryview(_link.answer)[:count])
        self._next_us = 0
        if _link.irqs:
            _link.run_irqs()
        return got

    def readinto(self, into, n=None):
        got = self._read(len(into) if n is None else min(n, len(into)), False)
        if not got:
            return None
        into[: len(got)] = got
        return len(got)

    def readline(self):
        line = b""
        while not line.endswith(b"\n"):
            c = self._read(1, False)
            if not c:
                break
            line += c
        return line or None

    def write(self, data):
        put(data, len(data))
        call(_link.UART_WRITE, self._id, len(data))
        self._next_us = 0  # what was written may be answered at once
        if _link.irqs:
            _link.run_irqs()
        return len(data)

    def flush(self):
        pass

    def txdone(self):
        return True

    def _ready(self):
        return (1 if self.any() else 0) | 4

    def ioctl(self, req, arg):
        if req == 3:
            return self._ready() & arg
        return -1


class ADC:
    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3
    WIDTH_12BIT = 12

    def __init__(self, pin, atten=0, **kw):
        self._pin = pin if isinstance(pin, int) else pin._id
        self._atten = atten

    def init(self, atten=None, **kw):
        if atten is not None:
            self._atten = atten

    atten = init

    def width(self, bits):
        pass

    def read_uv(self):
        return call(_link.ADC, self._pin | self._atten << 8)

    def read_u16(self):
        full_mv = (950, 1250, 1750, 3100)[self._atten]
        return min(65535, self.read_uv() * 65535 // (full_mv * 1000))

    def read(self):
        return self.read_u16() >> 4
