# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The board's file system: LittleFS, with the folders remembered that were looked into.

Each import asks for a folder, a .py and a .mpy, and LittleFS reads every folder from the root on
for each question. Here a name that is not in its folder is answered from the folder's list, which
is read once and forgotten with the first change. Files have no time of change here.
"""

_ENOENT = 2


class Files:
    def __init__(self, fs):
        self._fs = fs
        self._folders = {}
        self._here = "/"
        self._writes = False  # from the first file opened to be written on nothing is remembered
        self.getcwd = fs.getcwd
        self.ilistdir = fs.ilistdir
        self.statvfs = fs.statvfs

    def mount(self, readonly, mkfs):
        self._fs.mount(readonly, mkfs)

    def umount(self):
        self._fs.umount()

    def chdir(self, path):
        self._fs.chdir(path)
        self._here = self._fs.getcwd()

    def _names(self, folder):
        names = self._folders.get(folder)
        if names is None or self._writes:
            try:
                names = {}
                for name, kind, _, size in self._fs.ilistdir(folder):
                    names[name] = (kind, 0, 0, 0, 0, 0, size, 0, 0, 0)
            except OSError:
                names = ()
            self._folders[folder] = names
        return names

    def stat(self, path):
        name = path.strip("/")
        if not name or self._here != "/":
            return self._fs.stat(path)
        cut = name.rfind("/")
        names = self._names("/" + name[:cut] if cut > 0 else "/")
        name = name[cut + 1 :]
        if name not in names:
            raise OSError(_ENOENT)
        return names[name]

    def open(self, path, mode):
        if mode != "rb" and mode != "r":
            self._writes = True  # its size changes until it is closed
        return self._fs.open(path, mode)

    def mkdir(self, path):
        self._folders.clear()
        self._fs.mkdir(path)

    def rmdir(self, path):
        self._folders.clear()
        self._fs.rmdir(path)

    def remove(self, path):
        self._folders.clear()
        self._fs.remove(path)

    def rename(self, old, new):
        self._folders.clear()
        self._fs.rename(old, new)
