# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What may be on the air in EU868, for how long, and when again: tables, durations, duty cycle.

RP = RP002-1.0.4 section 2.4; EN = ETSI EN 300 220-2; DS = SX1261/2 datasheet 6.1.4. Frequencies
are kept as the wire has them, in steps of 100 Hz. 16 channels.

EN: the duty cycle holds in every hour, so the ledger sums what was sent in the last hour, per
sub-band. Airtime is booked in buckets of BUCKET_MS; a bucket counts until an hour after its own
end, so the sum is never too small, and 30/31 of the limit can be used. It is counted in 1/60,000 of
the sub-band's hour, rounded up. All times are the node's clock, which goes on during deep sleep
(the node counts sleep at the slowest plausible rate).

The airtime of one join stays free in the join channels' band: a node that has lost its ledger may
have spent all the rest of the hour (assume_spent), and must be able to join.
"""

if 0:  # for the type checker; compiles to nothing
    from revier_mac.session import Session

# RP table 4: DR -> (spreading factor, bandwidth). DR7 is FSK, DR8..11 are LR-FHSS: not for us.
DATA_RATES = (
    (12, 125000),
    (11, 125000),
    (10, 125000),
    (9, 125000),
    (8, 125000),
    (7, 125000),
    (7, 250000),
)
DR_MAX = 6
# RP table 8 (no repeater): N, application payload with empty FOpts.
PAYLOAD_MAX = (51, 51, 51, 115, 242, 242, 242)

DEFAULT_CHANNELS = (8681000, 8683000, 8685000)  # RP 2.4.2
DEFAULT_DR_RANGE = 0x50  # DR0..DR5: max << 4 | min
RX2_FREQUENCY = 8695250  # RP 2.4.7
RX2_DR = 0
# RP table 6: TXPower 0..7 is 16 dBm EIRP - 2 dB x TXPower. RP table 9: RX1DROffset 0..5.

# EN annex B: (from, to, duty cycle 1/n). In the gaps between them nothing may be sent.
SUB_BANDS = (
    (8630000, 8650000, 1000),
    (8650000, 8680000, 100),
    (8680000, 8686000, 100),
    (8687000, 8692000, 1000),
    (8694000, 8696500, 10),
    (8697000, 8700000, 100),
)

PREAMBLE_SYMBOLS = 8
MIN_SYMBOLS = 6
SYMBOLS_MAX = 248  # SX1261/2: largest value of SetLoRaSymbNumTimeout

HOUR_MS = 3600000
BUCKET_MS = 120000
# The node may need this long from the request until the frame has left, airtime not included.
GUARD_MS = 2000
JOIN_BAND = 2  # of DEFAULT_CHANNELS
# The ledger's unit makes every sub-band's hour equally long and fits into two bytes: 6 ms at 10 %,
# 0.6 ms at 1 %, 0.06 ms at 0.1 %.
HOUR_UNITS = 60000
JOIN_RESERVE = 2472  # in JOIN_BAND: a join request at SF12, 1,483 ms
_AGE_MAX = 31
_ENTRY = 3


def sub_band(frequency: int, dr_max: int = 5) -> int:
    """Index in SUB_BANDS; -1 where a channel of 125 kHz (DR6: 250 kHz) may not send.

    EN 4.3.3: the whole channel lies in the band.
    """
    half = 625 if dr_max < 6 else 1250
    for i, band in enumerate(SUB_BANDS):
        if band[0] + half <= frequency <= band[1] - half:
            return i
    return -1


def can_listen(frequency: int) -> bool:
    return 8630000 <= frequency <= 8700000


def allows(dr_range: int, dr: int) -> bool:
    return dr_range & 15 <= dr <= dr_range >> 4


def symbol_us(spreading_factor: int, bandwidth_hz: int) -> int:
    """Exact for 125, 250 and 500 kHz."""
    return (1 << spreading_factor) * 1000 // (bandwidth_hz // 1000)


def airtime_us(length: int, spreading_factor: int, bandwidth_hz: int) -> int:
    """An uplink of `length` bytes PHYPayload: explicit header, CRC, coding rate 4/5."""
    t_symbol = symbol_us(spreading_factor, bandwidth_hz)
    low_data_rate = 1 if t_symbol >= 16000 else 0
    bits = 8 * length - 4 * spreading_factor + 28 + 16
    per_block = 4 * (spreading_factor - 2 * low_data_rate)
    symbols = 8 + max(0, -(-bits // per_block)) * 5
    return (4 * (PREAMBLE_SYMBOLS + symbols) + 17) * t_symbol // 4  # + 4.25 symbols of sync


def window(t_symbol_us: int, error_us: int, min_symbols: int = MIN_SYMBOLS) -> "tuple[int, int]":
    """(symbols, offset_us) of a receive window: search so long, from offset_us after its start.

    The receiver must see min_symbols of the eight preamble symbols whichever way the clock errs.
    The window's middle lies on the middle of the preamble (4 symbols after its start), so a late
    clock and an early one are served alike. Formula of LoRaMac-node,
    RegionCommonComputeRxWindowParameters, in microseconds.
    """
    needed = (2 * min_symbols - PREAMBLE_SYMBOLS) * t_symbol_us + 2 * error_us
    symbols = min(max(-(-needed // t_symbol_us), min_symbols), SYMBOLS_MAX)
    return symbols, (PREAMBLE_SYMBOLS - symbols) * t_symbol_us // 2


def units(band: int, airtime_us: int) -> int:
    return -(-airtime_us // (60000 // SUB_BANDS[band][2]))


class Ledger:
    """{bucket * 8 + sub-band: airtime in units()}; at most 32 buckets in each of 6 sub-bands."""

    def __init__(self) -> None:
        self._spent: dict[int, int] = {}

    def add(self, band: int, now_ms: int, airtime_us: int) -> None:
        for key in list(self._spent):
            if _free_ms(key) <= now_ms:
                del self._spent[key]
        key = (now_ms + airtime_us // 1000 + GUARD_MS) // BUCKET_MS * 8 + band
        self._spent[key] = self._spent.get(key, 0) + units(band, airtime_us)

    def assume_spent(self, now_ms: int) -> None:
        """Nothing is known of the last hour: all of it was spent, but for the reserve."""
        for band in range(6):
            self._spent[now_ms // BUCKET_MS * 8 + band] = HOUR_UNITS
        self._spent[now_ms // BUCKET_MS * 8 + JOIN_BAND] -= JOIN_RESERVE

    def spent(self, band: int, now_ms: int) -> int:
        total = 0
        for key, spent in self._spent.items():
            if key & 7 == band and _free_ms(key) > now_ms:
                total += spent
        return total

    def free_at_ms(self, band: int, airtime_us: int, now_ms: int, reserve: int = 0) -> int:
        """Earliest time at which a frame of this airtime may be sent in the sub-band.

        A frame longer than the whole hour's allowance is put off for ever: -1.
        """
        room = HOUR_UNITS - units(band, airtime_us)
        if band == JOIN_BAND:
            room -= reserve
        if room < 0:
            return -1
        spent = self.spent(band, now_ms)
        at = now_ms
        for key in sorted(self._spent):
            if spent <= room:
                break
            if key & 7 == band and _free_ms(key) > now_ms:
                spent -= self._spent[key]
                at = _free_ms(key)
        return at

    def pack(self, room: int) -> bytes:
        """At most `room` bytes (23 hold one bucket for each sub-band).

        What does not fit is moved to later buckets, never lost.
        """
        entries = self._fit((room - 5) // _ENTRY)
        newest = max(entries) >> 3 if entries else 0
        data = bytearray(newest.to_bytes(4, "little"))
        data.append(len(entries))
        for key in sorted(entries):
            data.append((key & 7) << 5 | min(newest - (key >> 3), _AGE_MAX))
            data.extend(entries[key].to_bytes(2, "little"))
        return bytes(data)

    def unpack(self, data: bytes) -> None:
        newest = int.from_bytes(data[:4], "little")
        self._spent = {}
        for at in range(5, 5 + data[4] * _ENTRY, _ENTRY):
            key = (newest - (data[at] & _AGE_MAX)) * 8 + (data[at] >> 5)
            self._spent[key] = self._spent.get(key, 0) + (data[at + 1] | data[at + 2] << 8)

    def _fit(self, entries_max: int) -> "dict[int, int]":
        """Join a bucket with the next one of its sub-band where that puts off the least.

        Cost: share of the hour x delay. Most sub-bands catch up in a burst when a bucket gets free;
        10 % of an hour takes most of an hour, with the windows. Measured at full load in all
        sub-bands: 92 % used there with the factor 3, 88 % without.
        """
        entries = dict(self._spent)
        while len(entries) > entries_max:
            best = -1
            chosen = into = 0
            later: dict[int, int] = {}
            for key in sorted(entries, reverse=True):
                band = key & 7
                after = later.get(band, 0)
                later[band] = key
                if after:
                    cost = entries[key] * (after - key) * (3 if band == 4 else 1)
                    if best < 0 or cost < best:
                        best, chosen, into = cost, key, after
            assert best >= 0
            entries[into] += entries.pop(chosen)
        return entries


def _free_ms(key: int) -> int:
    return ((key >> 3) + 1) * BUCKET_MS + HOUR_MS


def free_channels(
    session: "Session", mask: int, dr: int, size: int, now_ms: int, joining: bool = False
) -> "tuple[list[int], int]":
    """(channels of the mask that may send `size` bytes now, earliest time for one; -1 never)."""
    reserve = 0 if joining or session.cold else JOIN_RESERVE
    airtime = airtime_us(size, *DATA_RATES[dr])
    free = []
    earliest_ms = -1
    for i, frequency in enumerate(session.channels):
        if mask >> i & 1 and allows(session.dr_ranges[i], dr):
            band = sub_band(frequency)
            at_ms = session.ledger.free_at_ms(band, airtime, now_ms, reserve)
            if at_ms < 0:
                continue
            at_ms = max(at_ms, session.quiet_until_s * 1000)
            if at_ms <= now_ms:
                free.append(i)
            if earliest_ms < 0 or at_ms < earliest_ms:
                earliest_ms = at_ms
    return free, earliest_ms


def book(session: "Session", frequency: int, airtime: int, now_ms: int) -> None:
    """A frame is going to leave: sub-band ledger and aggregated duty cycle (L2 5.4)."""
    ledger = session.ledger
    ledger.add(sub_band(frequency), now_ms, airtime)
    if session.cold:  # until the assumed hour is over
        session.cold = 2 * ledger.spent(JOIN_BAND, now_ms) > HOUR_UNITS
    if session.max_d_cycle:
        silence_ms = (airtime << session.max_d_cycle) // 1000 + GUARD_MS
        session.quiet_until_s = (now_ms + silence_ms) // 1000 + 2
