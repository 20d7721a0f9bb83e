# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""NVS of MicroPython's ESP32 port (esp32_nvs.c: blobs and i32 only), kept in memory."""

_store = {}


class NVS:
    def __init__(self, namespace):
        self._space = namespace

    def set_blob(self, key, value):
        _store[self._space, key] = bytes(value)

    def get_blob(self, key, into):
        value = _store.get((self._space, key))
        if value is None:
            raise OSError(-0x1102, "ESP_ERR_NVS_NOT_FOUND")
        into[: len(value)] = value
        return len(value)

    def set_i32(self, key, value):
        _store[self._space, key] = int(value)

    def get_i32(self, key):
        value = _store.get((self._space, key))
        if not isinstance(value, int):
            raise OSError(-0x1102, "ESP_ERR_NVS_NOT_FOUND")
        return value

    def erase_key(self, key):
        if (self._space, key) not in _store:
            raise OSError(-0x1102, "ESP_ERR_NVS_NOT_FOUND")
        del _store[self._space, key]

    def commit(self):
        pass
