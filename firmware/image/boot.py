# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# Runs first on every start: service window, slot, import path. Never updated over the air.
import os
import sys

import machine

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
    try:
        return bool(poll.poll(SERVICE_MS))
    except KeyboardInterrupt:  # Ctrl-C is a byte too
        return True


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
    print("revier service open")
