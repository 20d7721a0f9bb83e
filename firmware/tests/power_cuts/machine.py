# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""machine of the ESP32: RTC memory that a cut may tear, and the cause of the last reset."""

from chip_memory import RTC  # noqa: F401

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
cause = [PWRON_RESET]


def reset_cause():
    return cause[0]
