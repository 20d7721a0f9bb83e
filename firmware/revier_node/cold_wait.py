# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""How long a node waits after its power came back. Pure: the bench asks the same question."""


def cold_wait_ms(starts: int, rnd: int) -> int:
    """How long to wait after a cold start that follows `starts` others which ended in TX.

    0 to 120 s at random (rnd: 16 bits), doubled with each, so that a battery which browns out at
    TX does not loop and a town's nodes, repowered together, do not meet. At most two hours.
    """
    return min((rnd * 1875 >> 10) << min(starts, 16), 7200000)
