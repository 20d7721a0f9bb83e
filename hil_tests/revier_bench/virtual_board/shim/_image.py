# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Run by the interpreter on the host: copy a folder into a LittleFS image, or out of it.

Arguments: image, folder, "in" or "out". "in" formats the image if it holds no file system.
"""

import sys

import uos
import vfs

_BLOCK = 4096


class Image:
    def __init__(self, path):
        self._file = open(path, "r+b")
        self._blocks = self._file.seek(0, 2) // _BLOCK
        self.erased = 0

    def readblocks(self, block, buf, offset=0):
        self._file.seek(block * _BLOCK + offset)
        self._file.readinto(buf)

    def writeblocks(self, block, buf, offset=0):
        self._file.seek(block * _BLOCK + offset)
        self._file.write(buf)

    def ioctl(self, op, arg):
        if op == 6:
            self.erased += 1
        return {4: self._blocks, 5: _BLOCK}.get(op, 0)


def _copy(source, target):
    for name, kind, *_ in sorted(uos.ilistdir(source or "/")):
        here, there = source + "/" + name, target + "/" + name
        if kind & 0x4000:
            try:
                uos.mkdir(there)
            except OSError:
                pass
            _copy(here, there)
        else:
            with open(here, "rb") as f, open(there, "wb") as g:
                while True:
                    chunk = f.read(4096)
                    if not chunk:
                        break
                    g.write(chunk)


def _compact(device, folder):
    """LittleFS rewrites a folder's log as one entry per file when it is full: fill it.

    Every look-up reads the whole log, and boards look up hundreds of names at each boot.
    """
    for name, kind, *_ in list(uos.ilistdir(folder)):
        if kind & 0x4000:
            _compact(device, folder + "/" + name)
    before = device.erased
    while device.erased == before:
        with open(folder + "/.fill", "w"):
            pass
        uos.remove(folder + "/.fill")


def _main():
    image, folder, direction = sys.argv[1:4]
    device = Image(image)
    options = {"progsize": 32, "readsize": 1024, "lookahead": 128, "mtime": False}
    try:
        fs = vfs.VfsLfs2(device, **options)
    except OSError:
        vfs.VfsLfs2.mkfs(device, **options)
        fs = vfs.VfsLfs2(device, **options)
    vfs.mount(fs, "/image")
    if direction == "in":
        _copy(folder, "/image")
        _compact(device, "/image")
    else:
        _copy("/image", folder)
    vfs.umount("/image")


_main()
