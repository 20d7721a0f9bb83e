# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# Runs first on every start: service window, slot, import path. Never updated over the air.
import os
import sys

import machine
import micropython

micropython.kbd_intr(-1)  # Ctrl-C is only a byte, also of a tool that knocks

SERVICE_MS = 3000

# main.py runs in the same namespace and looks at this
service = False


def _asked_for():
    """After power-on or reset, not after deep sleep: any byte on the console within 3 s."""
    if machine.reset_cause() not in (machine.PWRON_RESET, machine.HARD_RESET):
        return False
    import select

    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    print("revier service ms=%d" % SERVICE_MS)
    return bool(poll.poll(SERVICE_MS))


def _slot():
    """/slot names the directory of the application, a or b: the new and, on trial, the old one."""
    slot = "a"
    try:
        with open("/slot") as file:
            slot = file.read(3)
        if slot[1:2] == "?":
            import trial

            slot = trial.start(service)
    except Exception:  # noqa: BLE001 (no file; or no trial can be held: the old one)
        slot = slot[2:] or slot
    found = [name for name in ("a", "b") if name in os.listdir("/")]
    return slot[0] if not found or slot[:1] in found else found[0]


service = _asked_for()
sys.path.insert(0, "/" + _slot())
if service:
    micropython.kbd_intr(3)
    print("revier service open")
