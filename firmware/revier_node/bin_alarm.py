# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The waste node's alarm under way: what it says, and when it goes out again.

Whole numbers, no machine. A repeat is the same reading in another frame: the sequence and every
value are those of the first.
"""

from revier_payload.alarm import ALARM

MYPY = False
if MYPY:
    from revier_node.bin_watch import Bin


# After the first, second and third without an answer: 510 s, so four within ten minutes
AGAIN_S = (60, 150, 300)
NEVER_SENT_S = 60
_NONE_C, _NONE_DEG, _NONE_MV = -999, 255, 0


def message(
    watched: "Bin",
    temperature_c: "int | None",
    battery_mv: "int | None",
) -> "tuple[int, dict[str, int | None], str]":
    values: "dict[str, int | None]" = {"alarm": watched.said}
    if watched.seq_after:
        values["seq"] = watched.seq_after - 1
    else:
        watched.alarm_c = _NONE_C if temperature_c is None else temperature_c
        watched.alarm_deg = watched.tilt_deg if watched.looked_s else _NONE_DEG
        watched.alarm_mv = battery_mv or _NONE_MV
    values["temperature"] = None if watched.alarm_c == _NONE_C else watched.alarm_c
    values["tilt_angle"] = None if watched.alarm_deg == _NONE_DEG else watched.alarm_deg
    values["battery"] = watched.alarm_mv or None
    return ALARM.f_port, values, "confirmed"


def told(watched: "Bin", now_s: int, outcome: str, seq: int) -> None:
    """What came of it; "" and "deferred": it was never on the air and does not count."""
    watched.seq_after = seq + 1
    if outcome == "acked":
        watched.tries = 0
    elif outcome in ("unacknowledged", "aborted"):
        if watched.tries > len(AGAIN_S):
            watched.tries = 0
            return
        watched.again_s = now_s + AGAIN_S[watched.tries - 1]
        watched.tries += 1
    else:
        watched.again_s = now_s + NEVER_SENT_S
