# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The flash chip: an image file of the host as a block device for LittleFS.

What is written is in the file at once (nothing is buffered), so a kill keeps it. A power cut in
the middle of a write can be ordered: after `cut` more bytes the rest of the write is lost.
"""

import vfs

import _link

_BLOCK = 4096
_READ = 512  # LittleFS caches four of them; measured: fastest imports
_PROGRAM = 32


class Flash:
    def __init__(self, path, cut):
        self._file = f = open("/.host" + path, "r+b")
        self._blocks = f.seek(0, 2) // _BLOCK
        self._cut = cut
        if cut >= 0:
            self.writeblocks = self._write_until_cut

    def readblocks(self, block, buf, offset=0):
        f = self._file
        f.seek(block * _BLOCK + offset)
        f.readinto(buf)

    def writeblocks(self, block, buf, offset=0):
        f = self._file
        f.seek(block * _BLOCK + offset)
        f.write(buf)

    def _write_until_cut(self, block, buf, offset=0):
        self._file.seek(block * _BLOCK + offset)
        if len(buf) > self._cut:
            self._file.write(memoryview(buf)[: self._cut])
            _link.call(_link.POWER_CUT)
        self._cut -= len(buf)
        self._file.write(buf)

    def ioctl(self, op, arg):
        if op == 4:
            return self._blocks
        if op == 5:
            return _BLOCK
        if op == 6:  # LittleFS programs every block whole after this; no need to write 0xFF
            return 0
        return 0


def mount(path, cut):
    device = Flash(path, cut)
    options = {"progsize": _PROGRAM, "readsize": _READ, "lookahead": 128, "mtime": False}
    try:
        return vfs.VfsLfs2(device, **options)
    except OSError:
        vfs.VfsLfs2.mkfs(device, **options)
        return vfs.VfsLfs2(device, **options)
