# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""machine of the ESP32: RTC memory that a cut may tear, and the cause of the last reset."""

import survivors

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
cause = [PWRON_RESET]


class RTC:
    def memory(self, data=None):
        if data is None:
            return survivors.rtc
        survivors.write_rtc(data)
        return None


def reset_cause():
    return cause[0]
