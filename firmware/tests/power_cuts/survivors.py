# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is left of RTC memory, NVS and files when the power goes at any write.

While `watch` is set, each write tells it every state that a cut at this write could leave:
watch(kind of cut, state). Kinds:

    rtc_torn   the new bytes up to every position of the write, the old ones from there on
    rtc_lost   RTC memory gone with the supply
    nvs        each prefix of what is set, at every set, before and after every commit
    nvs_lost   all of NVS erased by start-up code
    file       old, gone, cut at every byte, new
Cuts at positions that leave the same bytes are one.
"""

rtc = b""
nvs = {}  # what is in the flash
pending = []  # set, not yet committed
files = {}
watch = None


def get():
    return rtc, dict(nvs), dict(files)


def put(state):
    """RTC memory: bytes, or (old, new, position of the cut)."""
    global rtc, nvs, files
    memory = state[0]
    if isinstance(memory, tuple):
        old, new, at = memory
        memory = new[:at] + old[at:]
    rtc, nvs, files = memory, dict(state[1]), dict(state[2])
    pending.clear()


def read_nvs(name):
    for key, value in reversed(pending):
        if key == name:
            return value
    return nvs.get(name)


def write_rtc(new):
    global rtc
    new = bytes(new)
    if watch:
        old = rtc + bytes(max(0, len(new) - len(rtc)))
        if len(new) < len(rtc):  # provisioning clears it
            old = rtc
            _leave("rtc_torn", new, nvs, files)
        else:
            for i in range(len(new)):
                if new[i] != old[i]:
                    _leave("rtc_torn", (old, new, i + 1), nvs, files)
        _leave("rtc_torn", old, nvs, files)
        _leave("rtc_lost", b"", nvs, files)
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
            _leave("nvs", memory, left, files)
    for memory in (rtc, b""):
        _leave("nvs_lost", memory, {}, files)


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
            lefts = [files.get(self._path), None] + [data[:i] for i in range(len(data) + 1)]
            for left in lefts:
                after = dict(files)
                _apply(after, [(self._path, left)])
                for memory in (rtc, b""):
                    _leave("file", memory, nvs, after)
            for left in (lefts[0], None, data):
                after = dict(files)
                _apply(after, [(self._path, left)])
                for memory in (rtc, b""):
                    _leave("nvs_lost", memory, {}, after)
        files[self._path] = bytes(data)


def _leave(kind, memory, flash, disk):
    watch(kind, (memory, dict(flash), dict(disk)))
