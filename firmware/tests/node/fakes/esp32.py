# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""esp32.NVS for checks: values are in the flash at once or at commit(), as the check chooses."""

WAKEUP_ANY_HIGH = True
wake_pins = [()]
flash = {}  # what a power loss leaves
pending = {}
at_once = [True]
writes = [0]


class NVS:
    def __init__(self, namespace):
        self._space = namespace

    def _set(self, key, value):
        pending[(self._space, key)] = value
        writes[0] += 1
        if at_once[0]:
            flash.update(pending)

    def _get(self, key, kind):
        value = pending.get((self._space, key), flash.get((self._space, key)))
        if not isinstance(value, kind):
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        return value

    def set_i32(self, key, value):
        assert -(1 << 31) <= value < 1 << 31
        self._set(key, value)

    def get_i32(self, key):
        return self._get(key, int)

    def set_blob(self, key, value):
        self._set(key, bytes(value))

    def get_blob(self, key, into):
        value = self._get(key, bytes)
        into[: len(value)] = value
        return len(value)

    def erase_key(self, key):
        self._get(key, (int, bytes))
        self._set(key, None)

    def commit(self):
        flash.update(pending)
        pending.clear()


def power_loss():
    pending.clear()


def wake_on_ext1(pins, level):
    assert level is WAKEUP_ANY_HIGH
    wake_pins[0] = pins


digital_hold = [False]


def gpio_deep_sleep_hold(enable):
    digital_hold[0] = enable
