# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""esp32.NVS and machine.RTC over survivors.py."""

import survivors


class RTC:
    def memory(self, data=None):
        if data is None:
            return survivors.rtc
        survivors.write_rtc(data)
        return None


class NVS:
    def __init__(self, space):
        self._space = space

    def _get(self, key, kind):
        value = survivors.read_nvs((self._space, key))
        if not isinstance(value, kind):
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        return value

    def set_i32(self, key, value):
        assert -(1 << 31) <= value < 1 << 31
        survivors.set_nvs((self._space, key), value)

    def get_i32(self, key):
        return self._get(key, int)

    def set_blob(self, key, value):
        survivors.set_nvs((self._space, key), bytes(value))

    def get_blob(self, key, into):
        value = self._get(key, bytes)
        into[: len(value)] = value
        return len(value)

    def erase_key(self, key):
        survivors.set_nvs((self._space, key), None)

    def commit(self):
        survivors.commit_nvs()
