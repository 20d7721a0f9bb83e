# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is left of RTC memory, NVS and files when the power goes at any write.

While `watch` is set, each write tells it every state that a cut at this write could leave.
"""

import random

RTC_CUTS = 24  # byte positions drawn for each write of RTC memory; the seeds reach them all
rtc = b""
nvs = {}  # what is in the flash
pending = []  # set, not yet committed
files = {}
watch = None


def get():
    return rtc, dict(nvs), dict(files)


def put(state):
    global rtc, nvs, files
    rtc, nvs, files = state[0], dict(state[1]), dict(state[2])
    pending.clear()


def read_nvs(name):
    for key, value in reversed(pending):
        if key == name:
            return value
    return nvs.get(name)


def write_rtc(new):
    global rtc
    new = bytes(new)
    if watch and len(new) < len(rtc):
        _leave(rtc, nvs, files)
        _leave(new, nvs, files)
    elif watch:
        old = rtc + bytes(len(new) - len(rtc))
        changed = [i for i in range(len(new)) if new[i] != old[i]] or [0]
        for i in range(RTC_CUTS):
            first, last = changed[0], changed[-1]
            at = (first, last, last + 1)[i] if i < 3 else random.randint(first, last)
            _leave(new[:at] + old[at:], nvs, files)
        _leave(b"", nvs, files)
    rtc = new


def set_nvs(name, value):
    """ESP-IDF writes at set or at commit: each prefix of what is pending may be in the flash."""
    pending.append((name, value))
    if watch:
        _nvs_cuts()


def commit_nvs():
    if watch:
        _nvs_cuts()
    _apply(nvs, pending)
    pending.clear()
    if watch:
        _nvs_cuts()


def _apply(target, entries):
    for name, value in entries:
        if value is None:
            target.pop(name, None)
        else:
            target[name] = value


def _nvs_cuts():
    for count in range(len(pending) + 1):
        left = dict(nvs)
        _apply(left, pending[:count])
        for memory in (rtc, b""):
            _leave(memory, left, files)
    for memory in (rtc, b""):
        _leave(memory, {}, files)  # start-up code has erased it


class File:
    """open() of the node's room: one read or one write of a whole file."""

    def __init__(self, path, mode):
        if "r" in mode and path not in files:
            raise OSError(2)
        self._path = path

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def read(self, _):
        return files[self._path]

    def write(self, data):
        if watch:
            old = files.get(self._path)
            torn = data[: random.randint(0, len(data) - 1)]
            for left in (old, None, torn, data):
                after = dict(files)
                _apply(after, [(self._path, left)])
                for memory in (rtc, b""):
                    _leave(memory, nvs, after)
                    _leave(memory, {}, after)
        files[self._path] = bytes(data)


def _leave(memory, flash, disk):
    watch((memory, dict(flash), dict(disk)))
