# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The air between radios: path loss, noise, sensitivity, collisions with capture.

The air says how strong and how clean a frame arrives. Whether a radio was listening at all
(half duplex, frequency, SF, IQ, sync word) is for the listener to know.

HATA  = M. Hata, "Empirical formula for propagation loss in land mobile radio services" (1980),
        suburban, 150..1500 MHz: log-distance with intercept and slope from the antenna heights
BOR   = Bor, Roedig, Voigt, Alonso, "Do LoRa low-power wide-area networks scale?" (MSWiM 2016)
CROCE = Croce, Gucciardo, Mangione, Santaromita, Tinnirello, "Impact of LoRa imperfect
        orthogonality" (IEEE Communications Letters 2018)
DS    = Semtech SX1261/2 datasheet, table 6-1: demodulator SNR per spreading factor
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from revier_bench.world.airtime import symbol_us
from revier_bench.world.chance import stream

NOISE_FIGURE_DB = 6.0
THERMAL_NOISE_DBM_PER_HZ = -174.0
SNR_LIMIT_DB = {sf: -2.5 - 2.5 * (sf - 5) for sf in range(5, 13)}  # DS: SF7 -7.5 .. SF12 -20
CRC_EDGE_DB = 0.5  # below the limit by less than this: header read, payload CRC wrong
CAPTURE_DB = 6.0  # BOR section 3.2, same SF
CROSS_SF_REJECTION_DB = {
    5: -6.0,
    6: -7.0,
    7: -8.0,
    8: -11.0,
    9: -13.0,
    10: -16.0,
    11: -19.0,
    12: -22.0,
}  # CROCE table 1, by the wanted frame's SF (5, 6 extrapolated)
LOCK_SYMBOLS = 5  # BOR section 3.2: the last five preamble symbols must be clear
SHADOWING_SIGMA_DB = 4.0  # per link, fixed for a run
FADING_SIGMA_DB = 1.5  # per frame
MEMORY_US = 20_000_000  # longest LoRa frame (SF12, 255 bytes) is below 10 s
EARTH_RADIUS_M = 6_371_000.0


@dataclass(frozen=True, slots=True)
class Position:
    """WGS 84; `height_m` is the antenna's height above the surroundings that it serves."""

    lon: float
    lat: float
    height_m: float = 1.5
    gain_dbi: float = 0.0


@dataclass(frozen=True, slots=True)
class Emission:
    """One frame on the air, from the first preamble symbol to the last payload symbol."""

    sender: str
    start_us: int
    airtime_us: int
    preamble_us: int
    frequency_hz: int
    bandwidth_hz: int
    spreading_factor: int
    coding_rate: int  # 5..8 for 4/5..4/8
    power_dbm: float
    iq_inverted: bool
    sync_word: int  # 0x3444 public
    crc_on: bool
    explicit_header: bool
    payload: bytes

    @property
    def end_us(self) -> int:
        return self.start_us + self.airtime_us


@dataclass(frozen=True, slots=True)
class Reception:
    """How an emission arrived at one listener."""

    emission: Emission
    rssi_dbm: float
    snr_db: float
    crc_ok: bool


class Listener(Protocol):
    """A radio: of a node or of a radio gateway. Names are unique in one air."""

    @property
    def name(self) -> str: ...

    def on_emission(self, emission: Emission) -> None:
        """Called at `emission.start_us`, in time order."""


class Medium(Protocol):
    """What a radio needs of an air; `Air` and `NullAir` are such."""

    def emit(self, emission: Emission) -> None: ...
    def attach(
        self,
        listener: Listener,
        position: Position,
        ground_loss_db: Callable[[int], float] | None = None,
    ) -> None: ...
    def ongoing(self, listener: Listener, now_us: int) -> list[Emission]: ...
    def outcome(self, emission: Emission, listener: Listener) -> Reception | None: ...


class NullAir:
    """Nothing is ever heard."""

    def emit(self, emission: Emission) -> None:
        pass

    def attach(
        self,
        listener: Listener,
        position: Position,
        ground_loss_db: Callable[[int], float] | None = None,
    ) -> None:
        pass

    def ongoing(self, listener: Listener, now_us: int) -> list[Emission]:  # noqa: ARG002
        return []

    def outcome(self, emission: Emission, listener: Listener) -> Reception | None:  # noqa: ARG002
        return None


def distance_m(one: Position, other: Position) -> float:
    """Great-circle distance on the ground."""
    lat_1, lat_2 = math.radians(one.lat), math.radians(other.lat)
    half_lat = math.sin((lat_2 - lat_1) / 2)
    half_lon = math.sin(math.radians(other.lon - one.lon) / 2)
    chord = half_lat**2 + math.cos(lat_1) * math.cos(lat_2) * half_lon**2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(chord))


def path_loss_db(one: Position, other: Position, frequency_hz: int) -> float:
    """HATA suburban; distance not below 20 m, mast 3..200 m, mobile 1..10 m."""
    mast_m = min(max(one.height_m, other.height_m, 3.0), 200.0)
    mobile_m = min(max(min(one.height_m, other.height_m), 1.0), 10.0)
    log_f = math.log10(frequency_hz / 1e6)
    mobile_db = (1.1 * log_f - 0.7) * mobile_m - (1.56 * log_f - 0.8)
    suburban_db = 2 * (log_f - math.log10(28)) ** 2 + 5.4
    at_1_km_db = 69.55 + 26.16 * log_f - 13.82 * math.log10(mast_m) - mobile_db - suburban_db
    slope_db = 44.9 - 6.55 * math.log10(mast_m)
    distance_km = max(distance_m(one, other), 20.0) / 1000
    return at_1_km_db + slope_db * math.log10(distance_km)


def noise_floor_dbm(bandwidth_hz: int) -> float:
    return THERMAL_NOISE_DBM_PER_HZ + 10 * math.log10(bandwidth_hz) + NOISE_FIGURE_DB


@dataclass(frozen=True, slots=True)
class _Station:
    listener: Listener
    position: Position
    ground_loss_db: Callable[[int], float] | None

    def loss_db(self, t_us: int) -> float:
        return 0.0 if self.ground_loss_db is None else self.ground_loss_db(t_us)


class Air:
    """The shared medium. Equal seeds and equal emissions give equal outcomes."""

    def __init__(self, seed: str, imperfect_orthogonality: bool = True) -> None:
        self._seed = seed
        self._imperfect_orthogonality = imperfect_orthogonality
        self._stations: dict[str, _Station] = {}
        self._emissions: list[Emission] = []
        self._mean_loss_db: dict[tuple[str, str, int], float] = {}
        self.emission_count = 0
        self.on_air: Callable[[Emission], None] | None = None  # a bystander, e.g. a log

    def attach(
        self,
        listener: Listener,
        position: Position,
        ground_loss_db: Callable[[int], float] | None = None,
    ) -> None:
        """Every sender must be attached too; `ground_loss_db(t_us)` counts both ways."""
        if listener.name in self._stations:
            raise ValueError(f"two radios are called {listener.name!r}: give each its own name")
        self._stations[listener.name] = _Station(listener, position, ground_loss_db)

    def emit(self, emission: Emission) -> None:
        """To be called at `emission.start_us`; tells all other radios."""
        assert emission.sender in self._stations, f"{emission.sender} is not attached"
        oldest_us = emission.start_us - MEMORY_US
        self._emissions = [e for e in self._emissions if e.end_us > oldest_us]
        self._emissions.append(emission)
        self.emission_count += 1
        if self.on_air is not None:
            self.on_air(emission)
        for name, station in self._stations.items():
            if name != emission.sender:
                station.listener.on_emission(emission)

    def ongoing(self, listener: Listener, now_us: int) -> list[Emission]:
        """Emissions of others that have begun and not ended, oldest first."""
        return [
            e
            for e in self._emissions
            if e.start_us <= now_us < e.end_us and e.sender != listener.name
        ]

    def rssi_dbm(self, emission: Emission, listener: Listener) -> float:
        sender = self._stations[emission.sender]
        receiver = self._stations[listener.name]
        loss_db = (
            self._mean_link_loss_db(emission, listener.name)
            + sender.loss_db(emission.start_us)
            + receiver.loss_db(emission.start_us)
        )
        frame = f"fading:{emission.sender}:{emission.start_us}:{listener.name}"
        fading_db = stream(self._seed, frame).gauss(0.0, FADING_SIGMA_DB)
        return emission.power_dbm - loss_db + fading_db

    def outcome(self, emission: Emission, listener: Listener) -> Reception | None:
        """To be called at `emission.end_us`. None: too weak, or lost in a collision."""
        rssi_dbm = self.rssi_dbm(emission, listener)
        snr_db = rssi_dbm - noise_floor_dbm(emission.bandwidth_hz)
        limit_db = SNR_LIMIT_DB[emission.spreading_factor]
        if snr_db < limit_db - CRC_EDGE_DB:
            return None
        for other in self._emissions:
            if self._destroys(other, emission, listener, rssi_dbm):
                return None
        return Reception(emission, rssi_dbm, snr_db, crc_ok=snr_db >= limit_db)

    def _destroys(
        self, other: Emission, wanted: Emission, listener: Listener, wanted_dbm: float
    ) -> bool:
        if other is wanted or other.sender in {listener.name, wanted.sender}:
            return False
        margin_db = self._rejection_db(other, wanted)
        if margin_db is None or not _overlaps(other, wanted):
            return False
        return wanted_dbm - self.rssi_dbm(other, listener) < margin_db

    def _rejection_db(self, other: Emission, wanted: Emission) -> float | None:
        """How far the wanted frame must be above the other; None: they do not meet."""
        spacing_hz = abs(other.frequency_hz - wanted.frequency_hz)
        if 2 * spacing_hz >= other.bandwidth_hz + wanted.bandwidth_hz:
            return None
        alike = (
            other.spreading_factor == wanted.spreading_factor
            and other.bandwidth_hz == wanted.bandwidth_hz
            and other.iq_inverted == wanted.iq_inverted
        )
        if alike:
            return CAPTURE_DB
        if not self._imperfect_orthogonality:
            return None
        return CROSS_SF_REJECTION_DB[wanted.spreading_factor]

    def _mean_link_loss_db(self, emission: Emission, listener_name: str) -> float:
        pair = sorted((emission.sender, listener_name))
        key = (pair[0], pair[1], emission.frequency_hz)
        known = self._mean_loss_db.get(key)
        if known is not None:
            return known
        one, other = self._stations[pair[0]].position, self._stations[pair[1]].position
        shadowing = stream(self._seed, f"shadowing:{pair[0]}:{pair[1]}")
        loss_db = (
            path_loss_db(one, other, emission.frequency_hz)
            - one.gain_dbi
            - other.gain_dbi
            + shadowing.gauss(0.0, SHADOWING_SIGMA_DB)
        )
        self._mean_loss_db[key] = loss_db
        return loss_db


def _overlaps(other: Emission, wanted: Emission) -> bool:
    lock_us = round(LOCK_SYMBOLS * symbol_us(wanted.spreading_factor, wanted.bandwidth_hz))
    critical_us = wanted.start_us + max(wanted.preamble_us - lock_us, 0)
    return other.start_us < wanted.end_us and other.end_us > critical_us
