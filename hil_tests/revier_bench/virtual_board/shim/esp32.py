# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""esp32 of MicroPython's ESP32 port: NVS and wake sources."""

import binascii
import struct

import uos

import _link

WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True

_NOT_FOUND = -0x1102  # ESP_ERR_NVS_NOT_FOUND
_INVALID_LENGTH = -0x110C
_KEY_TOO_LONG = -0x1109
_MAGIC = b"RVNV1\n"
_BLOB_MAX = 4000

_any_high = 0
_all_low = 0
_ext0 = None
_file = None
_values = None  # (namespace, key) -> bytes (blob) or int
_pending = []
_chance = 0


def _mask(pins):
    mask = 0
    for p in pins or ():
        mask |= 1 << (p if isinstance(p, int) else p._id)
    return mask


def wake_on_ext1(pins=None, level=WAKEUP_ALL_LOW):
    global _any_high, _all_low
    mask = _mask(pins)
    if mask & ~_link.rtc_pins:
        raise ValueError("invalid pin")  # no RTC pin of this chip
    _any_high, _all_low = (mask, 0) if level else (0, mask)


def wake_on_ext0(pin=None, level=WAKEUP_ALL_LOW):
    global _ext0
    _ext0 = None if pin is None else (_mask((pin,)), bool(level))


def _pin_wake(pin, high):
    wake_on_ext0(pin, high)


def _wake_masks():
    high, low = _any_high, _all_low
    if _ext0:
        if _ext0[1]:
            high |= _ext0[0]
        else:
            low |= _ext0[0]
    return high, low


def wake_on_touch(wake):
    pass


def wake_on_ulp(wake):
    pass


def gpio_deep_sleep_hold(enable):
    pass


def raw_temperature():
    return 77


def mcu_temperature():
    return 25


# -- NVS: a log of records beside the flash image (virtual_board/flash.py has the layout) --


def _record(space, key, value):
    space, key = space.encode(), key.encode()
    if isinstance(value, int):
        kind, value = 1, struct.pack("<i", value)
    elif value is None:
        kind, value = 0, b""
    else:
        kind = 2
    body = struct.pack("<BBBH", kind, len(space), len(key), len(value)) + space + key + value
    return struct.pack("<I", binascii.crc32(body)) + body


def _load():
    global _values
    _values = {}
    _file.seek(0)
    log = _file.read()
    at = len(_MAGIC)
    while at + 9 <= len(log):
        crc, kind, ns, nk, nv = struct.unpack_from("<IBBBH", log, at)
        end = at + 9 + ns + nk + nv
        if end > len(log) or binascii.crc32(log[at + 4 : end]) != crc:
            break
        space = log[at + 9 : at + 9 + ns].decode()
        key = log[at + 9 + ns : at + 9 + ns + nk].decode()
        value = log[at + 9 + ns + nk : end]
        if kind == 0:
            _values.pop((space, key), None)
        else:
            _values[(space, key)] = struct.unpack("<i", value)[0] if kind == 1 else value
        at = end


def _append(records):
    if _file.seek(0, 2) == 0:
        records = [_MAGIC] + records
    _file.write(b"".join(records))


class NVS:
    def __init__(self, namespace):
        if len(namespace) > 15:
            raise OSError(_KEY_TOO_LONG, "ESP_ERR_NVS_KEY_TOO_LONG")
        self._space = namespace
        if _values is None:
            _load()

    def _set(self, key, value):
        global _chance
        if len(key) > 15:
            raise OSError(_KEY_TOO_LONG, "ESP_ERR_NVS_KEY_TOO_LONG")
        _values[(self._space, key)] = value
        _pending.append(_record(self._space, key, value))
        # before commit() a value may or may not be in the flash: half of them are written now
        _chance = (_chance * 1103515245 + 12345) & 0x7FFFFFFF
        if _chance >> 16 & 1:
            _append(_pending)
            _pending.clear()

    def set_i32(self, key, value):
        if not -0x80000000 <= value <= 0x7FFFFFFF:
            raise OverflowError("overflow converting long int to machine word")
        self._set(key, value)

    def get_i32(self, key):
        value = _values.get((self._space, key))
        if not isinstance(value, int):
            raise OSError(_NOT_FOUND, "ESP_ERR_NVS_NOT_FOUND")
        return value

    def set_blob(self, key, value):
        value = bytes(value)
        if len(value) > _BLOB_MAX:
            raise OSError(-0x110E, "ESP_ERR_NVS_VALUE_TOO_LONG")
        self._set(key, value)

    def get_blob(self, key, into):
        value = _values.get((self._space, key))
        if value is None or isinstance(value, int):
            raise OSError(_NOT_FOUND, "ESP_ERR_NVS_NOT_FOUND")
        if len(into) < len(value):
            raise OSError(_INVALID_LENGTH, "ESP_ERR_NVS_INVALID_LENGTH")
        into[: len(value)] = value
        return len(value)

    def erase_key(self, key):
        if (self._space, key) not in _values:
            raise OSError(_NOT_FOUND, "ESP_ERR_NVS_NOT_FOUND")
        self._set(key, None)
        del _values[(self._space, key)]

    def commit(self):
        if _pending:
            _append(_pending)
            _pending.clear()


def _begin(path, chance):
    global _file, _chance
    _file = open("/.host" + path, "a+b")
    _chance = chance
