# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is left in the battery, by counting what was taken out; its voltage tells little.

A LiFePO4 cell stands at 3.2 to 3.3 V for 80 % of its charge, a lithium thionyl chloride cell falls
only in its last 5 %. So every activity's current and time is added up, and the voltage only
corrects the sum at the ends: above 3.40 V at rest a LiFePO4 cell is full, below 3.00 V nearly
empty. Low is what the cell shows under load, three times in a row. All integers: charges in
microampere-seconds (uAs), of which 3,600,000 make one mAh.

E = EVE ER34615 datasheet (19 Ah, 3.6 V, 1 % a year); L = a LiFePO4 cell's usual datasheet
(3.2 V, charging 0 to 45 C, 3 % a month at most).
"""

import struct

LIFEPO4, LI_SOCL2 = "lifepo4", "li-socl2"

# chemistry: (full above mV at rest or None, nearly empty below mV at rest, low below mV under
# load, no longer low above mV under load, self-discharge in 1/1000 of the capacity a year)
_CELLS = {
    LIFEPO4: (3_400, 3_000, 2_900, 3_050, 200),  # L
    LI_SOCL2: (None, 3_000, 2_900, 3_100, 10),  # E
}

# The charge table: what the whole node draws from its battery while it does this, in uA, of data
# sheets: ESP32-S3 awake; sending at 14 dBm and receiving in light sleep; deep sleep, no sensors
CPU, TX, RX, SLEEP = range(4)
CURRENTS_UA = (40_000, 92_000, 7_000, 14)

UAS_PER_MAH = 3_600_000
NEARLY_EMPTY_PERMILLE = 50
LOW_PERMILLE = 100  # left: time to send somebody
LOW_COUNT = 3  # readings in a row: to become low, to stop being it, to be taken as empty
CAPACITY_MAX_MAH = 65_535
_HOURS_PER_YEAR = 8_766
CHARGE_MIN_CENTI_C = 0
CHARGE_AGAIN_CENTI_C = 200
# E: after weeks without a load the first pulse dips, until the salt layer on the lithium is gone
PASSIVE_AFTER_S = 7 * 86_400

SIZE = 6
_FORM = "<HI"
# of the second word: uAs below one mAh (22 bits), readings under load in a row (2), low (1),
# anchored (1), readings at rest below empty in a row (2)
_REST_BITS = 22


class Gauge:
    """pack() gives SIZE bytes to keep over deep sleep and power loss; `packed` are these."""

    def __init__(self, chemistry: str, capacity_mah: int, packed: bytes = b"") -> None:
        """Raises ValueError for a chemistry or capacity that it does not know."""
        if chemistry not in _CELLS or not 0 < capacity_mah <= CAPACITY_MAX_MAH:
            raise ValueError("battery")
        self._cell = _CELLS[chemistry]
        self.capacity_mah = capacity_mah
        self.used_mah = 0
        self.low = False
        self.anchored = False  # the count began at a full cell, or met an empty one
        self._rest_uas = 0
        self._run = self._empties = 0
        if len(packed) == SIZE:
            used_mah, word = struct.unpack(_FORM, packed)
            rest_uas = word & (1 << _REST_BITS) - 1
            if used_mah <= capacity_mah and rest_uas < UAS_PER_MAH:
                self.used_mah, self._rest_uas = used_mah, rest_uas
                self._run = word >> _REST_BITS & 3
                self.low = bool(word >> 24 & 1)
                self.anchored = bool(word >> 25 & 1)
                self._empties = word >> 26 & 3

    def pack(self) -> bytes:
        word = self._rest_uas | self._run << _REST_BITS | self.low << 24
        word |= self.anchored << 25 | self._empties << 26
        return struct.pack(_FORM, self.used_mah, word)

    def new_cell(self) -> None:
        """A fresh battery was put in."""
        self.used_mah = self._rest_uas = self._run = self._empties = 0
        self.low = False
        self.anchored = True

    # -- counting --

    def took(self, current_ua: int, duration_ms: int) -> None:
        """So much was drawn for so long; a reading of 0 uA or 0 ms costs nothing."""
        assert current_ua >= 0
        assert duration_ms >= 0
        # by seconds and the rest, so that the products stay small integers
        seconds, rest_ms = duration_ms // 1000, duration_ms % 1000
        self._take(current_ua * seconds + (current_ua * rest_ms + 500) // 1000)

    def did(self, activity: int, duration_ms: int) -> None:
        """One of the charge table's activities: CPU, TX, RX, SLEEP."""
        self.took(CURRENTS_UA[activity], duration_ms)

    def aged(self, duration_s: int) -> None:
        """The cell's own loss: 21 uA at 19 Ah and 1 % a year, as much as a sleeping node."""
        loss_ua = self.capacity_mah * self._cell[4] // _HOURS_PER_YEAR
        self._take(loss_ua * duration_s)

    def _take(self, charge_uas: int) -> None:
        charge_uas += self._rest_uas
        self.used_mah = min(self.capacity_mah, self.used_mah + charge_uas // UAS_PER_MAH)
        self._rest_uas = charge_uas % UAS_PER_MAH

    def left_permille(self) -> int:
        return (self.capacity_mah - self.used_mah) * 1000 // self.capacity_mah

    # -- voltage --

    def measured(self, rest_mv: "int | None", load_mv: "int | None") -> bool:
        """Voltages at rest and under load (while sending); None: not measured. True when low."""
        _, _, low_mv, high_mv, _ = self._cell
        if rest_mv is not None:
            self._anchor(rest_mv)
        if load_mv is not None:
            beyond = load_mv > high_mv if self.low else load_mv < low_mv
            self._run = self._run + 1 if beyond else 0
            if self._run == LOW_COUNT:
                self.low = not self.low
                self._run = 0
        return self.replace_soon()

    def _anchor(self, rest_mv: int) -> None:
        full_mv, empty_mv = self._cell[:2]
        self._empties = self._empties + 1 if rest_mv < empty_mv else 0
        if full_mv and rest_mv > full_mv:
            self.used_mah = self._rest_uas = 0
            self.anchored = True
        elif self._empties == LOW_COUNT:
            self._empties = 0
            least_mah = self.capacity_mah * (1000 - NEARLY_EMPTY_PERMILLE) // 1000
            self.used_mah = max(self.used_mah, least_mah)
            self.anchored = True

    def replace_soon(self) -> bool:
        """By voltage under load, or by the count where it began at a full cell."""
        return self.low or (self.anchored and self.left_permille() < LOW_PERMILLE)


def resistance_mohm(rest_mv: int, load_mv: int, load_ua: int) -> "int | None":
    """Inner resistance; its rise over months tells age before the voltage does."""
    if load_ua <= 0 or load_mv >= rest_mv:
        return None
    return (rest_mv - load_mv) * 1_000_000 // load_ua


def may_charge(temperature_centi_c: "int | None", charging: bool) -> bool:
    """L: a LiFePO4 cell charged below 0 C plates lithium; again from 2 C on. Unknown: no."""
    if temperature_centi_c is None:
        return False
    limit = CHARGE_MIN_CENTI_C if charging else CHARGE_AGAIN_CENTI_C
    return temperature_centi_c >= limit


def needs_prepulse(chemistry: str, idle_s: int) -> bool:
    """A short load before the transmission, whose dip would otherwise look like an empty cell."""
    return chemistry == LI_SOCL2 and idle_s >= PASSIVE_AFTER_S
