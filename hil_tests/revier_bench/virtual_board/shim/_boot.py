# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""First module of every boot: shims in, flash mounted at /, boot.py, main.py, then the REPL.

The fork server runs it up to wait_for_boot(); the rest runs in each board's process, which finds
the paths of flash image and NVS file (of the host) in its environment.
"""

import builtins
import gc
import sys

import uos
import vfs

import _link
import _micropython
import esp32
import machine
import os
import select
import time
import _flash
from _files import Files

_print = builtins.print

# Each import of such a module searches the whole path first; found here, it is found at once
_BUILT_IN = (
    "array binascii collections cryptolib deflate errno gc hashlib heapq io json math micropython "
    "platform random re struct sys uctypes vfs"
).split()


def print(*args, **kw):
    _link.mark_before()
    _print(*args, **kw)
    _link.mark_after()


def _print_exception(error):
    _link.mark_before()
    sys.print_exception(error)
    _link.mark_after()


def _run(path, module):
    """-> True if the interpreter is to restart (SystemExit means soft reset on a board)."""
    try:
        with open(path) as f:
            code = compile(f.read(), path, "exec")
    except OSError:
        return False
    try:
        _micropython.kbd_intr(3)
        exec(code, module)
    except SystemExit:
        return True
    except KeyboardInterrupt as e:
        _print_exception(e)
    except BaseException as e:
        _print_exception(e)
    return False


def _ctrl_c_is_a_byte():
    while True:
        try:
            _micropython.kbd_intr(-1)
            return
        except KeyboardInterrupt:
            pass


def _start():
    words = _link.hello()
    uid = bytes(memoryview(_link.answer)[192:198])
    os._begin(memoryview(_link.answer)[200:224])
    machine._begin(words, uid, bytes(memoryview(_link.answer)[224 : 224 + words[10]]))
    esp32._begin(uos.getenv("VB_NVS"), words[11])
    vfs.mount(Files(_flash.mount(uos.getenv("VB_FLASH"), words[9])), "/")
    vfs.umount("/.host")
    uos.chdir("/")
    return words[4]


def _main():
    main = sys.modules.get("__main__")
    vfs.umount("/")
    vfs.mount(vfs.VfsPosix("/"), "/.host")
    uos.chdir("/.host")
    sys.path[:] = ["", ".frozen", "/lib"]
    for name in _BUILT_IN:
        sys.modules[name] = __import__(name)
    sys.modules["micropython"] = _micropython
    builtins.print = print
    gc.collect()
    _link.wait_for_boot()
    flags = _start()
    module = main.__dict__ if main else {"__name__": "__main__"}
    for name in ("_boot",):
        sys.modules.pop(name, None)
    _micropython.kbd_intr(-1)
    _link.tell(_link.STARTED, gc.mem_alloc())
    again = _run("/boot.py", module)
    _ctrl_c_is_a_byte()
    if not again and not flags & 1:
        again = _run("/main.py", module)
        _ctrl_c_is_a_byte()
    _link.call(_link.REPL, 1 if again else 0)


_main()
