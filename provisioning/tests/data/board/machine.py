# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A few modules of MicroPython's ESP32 port for tests on a PTY: the chip's id and RTC memory."""

import os


class RTC:
    content = b""

    def memory(self, *data):
        if not data:
            return RTC.content
        RTC.content = bytes(data[0])
        return None


def unique_id():
    return bytes.fromhex(os.getenv("TEST_MAC"))


def reset():
    """The interpreter under test stays."""
