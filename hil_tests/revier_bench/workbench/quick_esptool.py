# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Runs esptool, with pyserial's RFC 2217 client in less of a hurry to sleep; a program for tests.

esptool changes its read timeout twice a command, and pyserial then settles all settings anew with
the server and sleeps 50 ms: 20 s a run that a USB port does not need. Here only what changed is
settled. `FLASHER` takes the place of `revier_provision.chip.esptool.COMMAND`, in_a_hurry() puts it
there.
"""

import runpy
import sys
import time
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLASHER = (sys.executable, str(Path(__file__)))
_NAP_S = 0.002


@contextmanager
def in_a_hurry() -> Iterator[None]:
    """Every esptool that this process starts meanwhile is this one."""
    from revier_provision.chip import esptool

    before = esptool.COMMAND
    esptool.COMMAND = FLASHER
    try:
        yield
    finally:
        esptool.COMMAND = before


def _hurry() -> None:
    from serial import rfc2217

    module: Any = rfc2217
    settle = module.Serial._reconfigure_port
    close = module.Serial.close

    def settle_changes(port: Any) -> None:
        wanted = (port._baudrate, port._bytesize, port._parity, port._stopbits, port._rtscts)
        # a write timeout is refused, as always
        if port._write_timeout is not None or getattr(port, "_settled", None) != wanted:
            settle(port)
            port._settled = wanted

    def close_and_forget(port: Any) -> None:
        port._settled = None
        close(port)

    module.Serial._reconfigure_port = settle_changes
    module.Serial.close = close_and_forget
    module.time = types.SimpleNamespace(
        sleep=lambda seconds: time.sleep(min(seconds, _NAP_S)), time=time.time
    )


if __name__ == "__main__":
    del sys.path[0]  # this folder
    _hurry()
    sys.argv[0] = "esptool"
    runpy.run_module("esptool", run_name="__main__", alter_sys=True)
