# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From a reading's echoes to one distance: the fullest cluster, temperature, a second opinion.

Whole numbers, no machine. The shares of wrong echoes: docs/sensing-waste.md.
"""

ECHOES_MIN = 7
ECHOES_MAX = 11
ENOUGH = 5  # echoes in one cluster end the asking
WIDTH_MM = 60  # of a cluster: noise of 1 cm, three sigmas to both sides
BLIND_MM = 40  # nearer comes from water on the sensor's face: a run of 30 mm
QUALITY_BEST = 5
QUALITY_TOF = 2  # by time-of-flight alone: the least that the gateway takes
# Time-of-flight and echo mean the same surface: 6 %, as much as the uncompensated air of a winter
TOF_NEAR_MM = 60
TOF_NEAR_SHARE = 16
TOF_CLUSTER_MIN = 3  # echoes near it that outdo a larger cluster elsewhere
SOUND_PER_MILLION_K = 1_800  # speed of sound
SOUND_C = 20  # at which the sensor's millimetres are true


def cluster(echoes_mm: "list[int]") -> "tuple[int | None, int]":
    """(lower median, number) of the most echoes within WIDTH_MM; (None, 0) without any.

    Of equals the farthest: a wall or a bag's edge is always nearer than the waste.
    """
    echoes_mm = sorted(echoes_mm)
    begin = best = count = 0
    for end in range(len(echoes_mm)):
        while echoes_mm[end] - echoes_mm[begin] > WIDTH_MM:
            begin += 1
        if end + 1 - begin >= count:
            best, count = begin, end + 1 - begin
    if not count:
        return None, 0
    return echoes_mm[best + (count - 1) // 2], count


def usable(echoes_mm: "list[int | None]") -> "list[int]":
    return [mm for mm in echoes_mm if mm is not None and mm > BLIND_MM]


def asks_more(echoes_mm: "list[int | None]") -> bool:
    """echoes_mm: all so far, None for one that did not come."""
    asked = len(echoes_mm)
    if asked < ECHOES_MIN:
        return True
    return asked < ECHOES_MAX and cluster(usable(echoes_mm))[1] < ENOUGH


def level(
    echoes_mm: "list[int | None]", temperature_c: "int | None", tof_mm: "int | None" = None
) -> "tuple[int | None, int]":
    """(distance in mm or None, quality 0 to 5) of all echoes of a reading; None: none came.

    Quality 0 with a distance: the second opinion is another.
    """
    kelvin = 0 if temperature_c is None else temperature_c - SOUND_C
    found = [
        mm + (mm * SOUND_PER_MILLION_K * kelvin + 500_000) // 1_000_000 for mm in usable(echoes_mm)
    ]
    distance_mm, count = cluster(found)
    if distance_mm is None:
        return tof_mm, QUALITY_TOF if tof_mm is not None else 0
    if tof_mm is not None:
        near_mm = max(TOF_NEAR_MM, tof_mm // TOF_NEAR_SHARE)
        if abs(distance_mm - tof_mm) > near_mm:
            other_mm, others = cluster([mm for mm in found if abs(mm - tof_mm) <= near_mm])
            if others < TOF_CLUSTER_MIN:
                return distance_mm, 0
            distance_mm, count = other_mm, others
    return distance_mm, min(QUALITY_BEST, count * QUALITY_BEST // min(len(echoes_mm), ECHOES_MIN))
