# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""_boot.py of the frozen image (docs/frozen.md), in place of the port's.

Mounting the flash takes longer than a whole uplink. So a wake from deep sleep reads the two files
that it needs from NVS, where the last other start has put them, and runs the frozen application.
Any other access to a file mounts the flash after all. With an application in /a or /b nothing of
this happens: that one goes before the frozen one, and each wake costs what it costs stock.
"""

import esp32
import machine
import vfs
from flashbdev import bdev

NAMESPACE = "revier_frozen"
NODE, BOARD = "node", "board"  # keys in NVS
FILE_MAX = 2_000  # bytes
_ENOENT = 2


class Files:
    """The root of a wake: /node.json and the board's description."""

    def __init__(self, nvs):
        self._nvs = nvs
        self._kept = bytearray(FILE_MAX)

    def read(self, key):
        """The kept file; OSError if there is none."""
        return bytes(memoryview(self._kept)[: self._nvs.get_blob(key, self._kept)])

    def mount(self, readonly, mkfs):
        pass

    def umount(self):
        pass

    def stat(self, path):  # noqa: ARG002
        """An import asks; nothing but the frozen modules is there."""
        raise OSError(_ENOENT)

    def open(self, path, mode):
        key = NODE if path == "/node.json" else BOARD if path.startswith("/boards/") else None
        if key and mode in ("r", "rt"):
            import io

            return io.StringIO(str(self.read(key), "utf-8"))
        _mount()
        return open(path, mode)

    def __getattr__(self, name):
        """chdir, ilistdir, remove, rename ...: of the flash."""
        import os

        _mount()
        return getattr(os, name)


def _mount():
    """The flash takes the place of Files, or of nothing."""
    try:
        vfs.umount("/")
    except OSError:
        pass
    vfs.mount(bdev, "/")


def _file(path):
    with open(path, "rb") as file:
        data = file.read(FILE_MAX + 1)
    if len(data) > FILE_MAX:
        raise ValueError(path)
    return data


def keep(nvs):
    """After a start with the flash mounted: what the next wakes read, if this file changed it."""
    import json
    import os

    files = {NODE: b"", BOARD: b""}
    try:
        if not {"a", "b"} & set(os.listdir("/")):
            files[NODE] = _file("/node.json")
            files[BOARD] = _file("/boards/%s.json" % json.loads(files[NODE])["board"])
    except (OSError, ValueError, KeyError, TypeError):
        files = {NODE: b"", BOARD: b""}  # not provisioned, or not for us
    was = Files(nvs)
    for key, data in files.items():
        try:
            same = was.read(key) == data
        except OSError:
            same = not data
        if not same:
            nvs.set_blob(key, data)
            nvs.commit()


def wake(nvs):
    """-> True if the files for the frozen application are there and mounted."""
    files = Files(nvs)
    try:
        if not files.read(NODE) or not files.read(BOARD):
            return False
    except OSError:
        return False
    vfs.mount(files, "/")
    return True


def start():
    nvs = esp32.NVS(NAMESPACE)
    if machine.reset_cause() == machine.DEEPSLEEP_RESET and wake(nvs):
        import main  # noqa: F401 (ends in deep sleep)
    try:
        _mount()
    except OSError:
        import inisetup

        inisetup.setup()
    keep(nvs)


start()
