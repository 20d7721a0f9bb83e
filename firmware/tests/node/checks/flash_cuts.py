# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Files whose power goes: after so many bytes, renamings and removals nothing more happens.

What was written before the cut is in the file, the rest is not: harsher than LittleFS, which keeps
the old file until the new one is closed.
"""

import os


class PowerCutError(BaseException):
    pass


left = [0]


def spend():
    left[0] -= 1
    if left[0] < 0:
        raise PowerCutError


class File:
    """In place of open()."""

    def __init__(self, path, mode="r"):
        self._file = open(path, mode)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def read(self, *size):
        return self._file.read(*size)

    def seek(self, *where):
        return self._file.seek(*where)

    def write(self, data):
        for i in range(len(data)):
            spend()
            self._file.write(data[i : i + 1])
        return len(data)


class Os:
    """In place of the module."""

    @staticmethod
    def rename(old, new):
        spend()
        os.rename(old, new)
        spend()

    @staticmethod
    def remove(path):
        spend()
        os.remove(path)
        spend()

    mkdir = staticmethod(os.mkdir)
    stat = staticmethod(os.stat)
    listdir = staticmethod(os.listdir)


def tried(call):
    """False if the power went on the way."""
    try:
        call()
    except PowerCutError:
        return False
    return True
