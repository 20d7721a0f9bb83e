# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a waste node knows of its container between two wakes: fire, tilt, the alarm under way.

Settings 49 to 51 go before FIRE_C, FIRE_K_PER_MIN and TILT_DEG.

Whole numbers, no machine. Times in seconds on the node's clock.
"""

import struct

FIRE, TILT = 1, 2  # bits of the alarm message
# A look at the thermometer, where no thermostat tells of a fire by itself; a ramp of 30 K/min
# leaves the node three minutes
WATCH_S = 120
SOON_S = 60  # while something is going on
FIRE_C = 75  # sun on a closed lid: 60 degrees, and the thermometer's zero is up to 10 K off
FIRE_K_PER_MIN = 5
FIRE_RISE_MIN_K = 8  # in all: noise over a short time is no ramp
STEP_S = 90  # a rise is told from a look at least so long ago: two of SOON_S, one of WATCH_S
CALM_K = 5  # below FIRE_C
CALM_S = 600  # a fire is over no sooner
TILT_DEG = 30  # more, and the distance is to a wall
LOOK_S = 21_600  # a slow tilt that stays below the interrupt's 34 degrees
TIPPED_S = 300  # emptying takes half a minute
# Of the depth, a sixth: a quarter of the height that fills, in the smallest container (800 mm)
EMPTIED_SHARE = 6
_AS_MADE: "dict[int, int]" = {}
_FORMAT = "<hhhhIIIIIIHBBBBhBHIB"


class Bin:
    """memory: as pack() gave it (48 bytes), anything else is a new container."""

    def __init__(self, memory: bytes, now_s: int, settings: "dict[int, int]" = _AS_MADE) -> None:
        self.fire_c = settings.get(49, FIRE_C)
        self.fire_k_per_min = settings.get(50, FIRE_K_PER_MIN)
        self.upright_deg = settings.get(51, TILT_DEG)
        values: "tuple[int, ...]" = (0,) * 20
        if len(memory) == struct.calcsize(_FORMAT):
            values = struct.unpack(_FORMAT, memory)
            if values[5] > now_s:  # a power loss has set the clock back
                values = values[:3] + (0,) * 17
        self.upright = values[:3]  # acceleration in mg as it was installed; zero: not known
        (
            self.temperature_c,
            self.seq_after,  # one more than the sequence of the alarm under way; 0: not given yet
            self.temperature_s,  # when that was; 0: never
            self.reading_s,  # when the next is due
            self.tilted_s,  # since when, 0: it stands
            self.raised_s,
            self.again_s,  # when the alarm is to be sent
            self.distance_mm,
            self.alarm,  # what is so now
            self.said,  # what was sent, or is being sent
            self.tries,  # of the alarm under way, 1 more than were on the air; 0: none
            self.moved,
            self.alarm_c,  # what the alarm says, again and again: it is one reading
            self.alarm_deg,
            self.alarm_mv,
            self.looked_s,  # when the tilt was last measured; 0: never
            self.tilt_deg,
        ) = values[3:]

    def pack(self) -> bytes:
        return struct.pack(
            _FORMAT, self.upright[0], self.upright[1], self.upright[2], self.temperature_c,
            self.seq_after, self.temperature_s, self.reading_s, self.tilted_s, self.raised_s,
            self.again_s, self.distance_mm, self.alarm, self.said, self.tries, self.moved,
            self.alarm_c, self.alarm_deg, self.alarm_mv, self.looked_s, self.tilt_deg,
        )  # fmt: skip

    def looks(self, now_s: int) -> bool:
        """Is the tilt to be measured? The armed part tells of a large one by itself."""
        busy = self.moved or self.alarm or not self.looked_s
        return bool(busy or now_s - self.looked_s >= LOOK_S)

    def feel_heat(self, now_s: int, temperature_c: int) -> None:
        """Fire by level or by rate; over when it is cool and no longer rises."""
        past_s = now_s - self.temperature_s
        rise_k = temperature_c - self.temperature_c if self.temperature_s else 0
        hot = temperature_c >= self.fire_c
        ramp = rise_k >= FIRE_RISE_MIN_K and rise_k * 60 >= self.fire_k_per_min * past_s
        if hot or ramp:
            self.alarm |= FIRE
            self.raised_s = now_s
        elif temperature_c <= self.fire_c - CALM_K and now_s - self.raised_s >= CALM_S:
            self.alarm &= ~FIRE
        if not self.temperature_s or past_s >= STEP_S:
            self.temperature_c, self.temperature_s = temperature_c, max(1, now_s)

    def feel_tilt(self, now_s: int, tilt_deg: int) -> None:
        self.looked_s, self.tilt_deg = max(1, now_s), tilt_deg
        if tilt_deg <= self.upright_deg:
            self.tilted_s = 0
            self.alarm &= ~TILT
            return
        self.moved = 1
        self.tilted_s = self.tilted_s or max(1, now_s)
        if now_s - self.tilted_s >= TIPPED_S:
            self.alarm |= TILT

    def alarm_due(self, now_s: int) -> bool:
        """Is an alarm to be sent now? Any change is a new one, its end too."""
        if self.alarm != self.said:
            self.said = self.alarm
            self.tries, self.seq_after = 1, 0
            return True
        return self.tries > 0 and now_s >= self.again_s

    def measured(self, distance_mm: "int | None", quality: int) -> bool:
        """A new distance; True if the container was tilted before and is emptier now."""
        if distance_mm is None or quality < 2:
            return False
        before_mm, self.distance_mm = self.distance_mm, distance_mm
        fell = before_mm and (distance_mm - before_mm) * EMPTIED_SHARE >= distance_mm
        return bool(self.moved and fell)

    def next_s(self, now_s: int, watch_s: int = WATCH_S) -> int:
        """When to wake again: to read, to watch, to repeat the alarm."""
        busy = self.tilted_s or self.moved or self.alarm
        next_s = min(self.reading_s, now_s + (SOON_S if busy else watch_s))
        if self.tries:
            next_s = min(next_s, self.again_s)
        return max(next_s, now_s + 1)
