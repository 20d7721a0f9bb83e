# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# Runs the application. Whatever goes wrong ends in deep sleep: a node never waits awake. Only the
# service window of boot.py leads to the REPL. Compiled at every wake, hence so short.
import machine

WAKE_LIMIT_MS = 600_000  # a hang; the longest wake is a join, SF12 and every wait for the duty
BROKEN_SLEEP_MS = 3_600_000  # not even the application's failure.py can be imported


def _node():
    name = "returned"
    try:
        import micropython

        micropython.kbd_intr(-1)  # outside the service window Ctrl-C is only a byte
        machine.WDT(timeout=WAKE_LIMIT_MS)
        from revier_node import app

        app.run()
    except BaseException as error:  # noqa: BLE001 (nothing may fall through to the REPL)
        name = type(error).__name__
        what = " ".join([str(part) for part in error.args]).replace(" ", "_")
        print("revier error code=%s what=%s" % (name, what))
    finally:
        try:
            from revier_node import failure

            failure.sleep_off(name)
        finally:
            machine.deepsleep(BROKEN_SLEEP_MS)


if not globals().get("service"):
    _node()
