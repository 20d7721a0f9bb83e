# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What every LoRa modem does on the air: one transmission or one reception at a time.

The chips differ in how they are told and in how they tell; each has its own subclass. Time on air
follows from modulation and packet parameters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Protocol

from revier_bench.chips.base import ChipHost
from revier_bench.chips.timeline import Timer
from revier_bench.world.air import Emission, Medium, Reception
from revier_bench.world.airtime import lora_airtime_us, preamble_us, symbol_us

LOCK_SYMBOLS = 5  # of a preamble until it is detected
HEADER_SYMBOLS = 8  # SX1261/2 datasheet 6.1.4
IMPAIRED_BYTES = 32  # an erratum that costs "longer packets": this limit and share are our choice
IMPAIRED_SHARE = 0.3
NOISE_DBM = -117


@dataclass(slots=True)
class Modulation:
    """Modulation and packet parameters."""

    spreading_factor: int = 7
    bandwidth_hz: int = 125_000
    coding_rate: int = 5
    slow: bool = False
    preamble_symbols: int = 12
    explicit: bool = True
    length: int = 255
    crc_on: bool = True
    iq_inverted: bool = False

    @property
    def symbol_us(self) -> float:
        return symbol_us(self.spreading_factor, self.bandwidth_hz)


class LoraChip(Protocol):
    """A chip, seen from its modem. As world.air.Listener it hands emissions on."""

    name: str
    host: ChipHost

    @property
    def frequency_hz(self) -> int: ...

    def on_emission(self, emission: Emission) -> None: ...


class LoraModem:
    """`transmissions` and `windows`: those that the chip obeyed."""

    def __init__(self, chip: LoraChip, air: Medium, chance: Random) -> None:
        self.chip = chip
        self._air = air
        self._chance = chance
        self._timers: list[Timer] = []
        self._symbols_over: Timer | None = None
        self._locked: Emission | None = None
        self._rx_from_us: int | None = None
        self._continuous = False
        self._last: Reception | None = None
        self.transmissions = self.windows = 0
        self.defaults()

    def defaults(self) -> None:
        self.set = Modulation()

    def stop(self) -> None:
        """Whatever is under way ends here."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._locked = None
        self._rx_from_us = None
        self.chip.host.expose(False)

    # -- what the chip makes of it --

    def sync_word(self) -> int:
        """As the SX1262 has it: 0x3444 for LoRaWAN."""
        raise NotImplementedError

    def impaired(self) -> bool:
        """An erratum's cure is missing: longer frames suffer."""
        raise NotImplementedError

    def no_preamble(self) -> None:
        """The symbols that listen() was given are over."""
        raise NotImplementedError

    def preamble_found(self) -> None: ...

    def header_comes(self) -> None: ...

    def header_found(self) -> None: ...

    def header_lost(self) -> None:
        """Wrong or too long; the modem has let go of the frame."""
        raise NotImplementedError

    def frame(self, payload: bytes, emission: Emission, crc_wrong: bool) -> None:
        """The end of a reception."""
        raise NotImplementedError

    # -- transmit --

    def emit(self, emission: Emission) -> None:
        self.transmissions += 1
        self.chip.host.post(emission.start_us, lambda: self._air.emit(emission))

    def emission(self, start_us: int, power_dbm: float, payload: bytes) -> Emission:
        """What goes on the air with the present settings."""
        chip, now = self.chip, self.set
        sf, bandwidth = now.spreading_factor, now.bandwidth_hz
        airtime_us = lora_airtime_us(
            now.length,
            sf,
            bandwidth,
            now.coding_rate,
            now.preamble_symbols,
            crc=now.crc_on,
            explicit=now.explicit,
            ldro=now.slow,
        )
        return Emission(
            sender=chip.name,
            start_us=start_us,
            airtime_us=airtime_us,
            preamble_us=preamble_us(sf, bandwidth, now.preamble_symbols),
            frequency_hz=chip.frequency_hz,
            bandwidth_hz=bandwidth,
            spreading_factor=sf,
            coding_rate=now.coding_rate,
            power_dbm=power_dbm,
            iq_inverted=now.iq_inverted,
            sync_word=self.sync_word(),
            crc_on=now.crc_on,
            explicit_header=now.explicit,
            payload=payload,
        )

    # -- receive --

    def listen(self, from_us: int, symbols: int, continuous: bool) -> None:
        """The receiver is on at `from_us`; after `symbols` without a preamble no_preamble()."""
        self.windows += 1
        self._rx_from_us = from_us
        self._continuous = continuous
        self.chip.host.expose(True)
        if symbols and not continuous:
            end_us = from_us + round(symbols * self.set.symbol_us)
            self._symbols_over = self._later(end_us, self.no_preamble)
        self.chip.host.post(from_us, lambda: self._already_on_air(from_us))

    def _later(self, t_us: int, run: Callable[[], object]) -> Timer:
        timer = self.chip.host.at(t_us, run)
        self._timers.append(timer)
        return timer

    def _already_on_air(self, from_us: int) -> None:
        if self._rx_from_us == from_us:
            for emission in self._air.ongoing(self.chip, from_us):
                self._consider(emission)

    def on_emission(self, emission: Emission) -> None:
        from_us = self._rx_from_us
        if from_us is not None and emission.start_us >= from_us:
            self._consider(emission)

    def _matches(self, emission: Emission) -> bool:
        now = self.set
        return (
            abs(emission.frequency_hz - self.chip.frequency_hz) * 4 <= now.bandwidth_hz
            and emission.bandwidth_hz == now.bandwidth_hz
            and emission.spreading_factor == now.spreading_factor
            and emission.iq_inverted == now.iq_inverted
            and emission.sync_word == self.sync_word()
            and emission.explicit_header == now.explicit
        )

    def _consider(self, emission: Emission) -> None:
        """A preamble can be found while LOCK_SYMBOLS of it are still to come."""
        from_us = self._rx_from_us
        if from_us is None or self._locked is not None or not self._matches(emission):
            return
        symbol = self.set.symbol_us
        upchirps_end_us = emission.start_us + emission.preamble_us - round(4.25 * symbol)
        found_us = max(emission.start_us, from_us) + round(LOCK_SYMBOLS * symbol)
        if found_us <= upchirps_end_us:
            self._later(found_us, lambda: self._lock(emission))

    def _lock(self, emission: Emission) -> None:
        if self._locked is not None or self._air.outcome(emission, self.chip) is None:
            return
        self._locked = emission
        if self._symbols_over is not None:
            self._symbols_over.cancel()
        self.preamble_found()
        header_us = emission.start_us + emission.preamble_us
        if self.set.explicit:
            header_us += round(HEADER_SYMBOLS * self.set.symbol_us)
        self._later(min(header_us, emission.end_us), self._header)

    def _header(self) -> None:
        emission = self._locked
        assert emission is not None
        self.header_comes()
        too_long = len(emission.payload) > self.set.length
        if self.set.explicit and (too_long or self._air.outcome(emission, self.chip) is None):
            self._locked = None
            self.header_lost()
            return
        if self.set.explicit:
            self.header_found()
        self._later(emission.end_us, self._end_of_frame)

    def _end_of_frame(self) -> None:
        emission = self._locked
        assert emission is not None
        reception = self._air.outcome(emission, self.chip)
        payload, crc_on = emission.payload, emission.crc_on
        spoilt = reception is None or not reception.crc_ok or self._impairment_spoils(payload)
        if not self.set.explicit:
            spoilt = spoilt or not self._agrees(emission)
            payload, crc_on = payload[: self.set.length].ljust(self.set.length), self.set.crc_on
        if spoilt:
            payload = bytes(b ^ self._chance.randrange(256) for b in payload)
        self._last = reception or Reception(emission, float(NOISE_DBM), -10.0, crc_ok=False)
        if self._continuous:
            self._locked = None
        self.frame(payload, emission, spoilt and crc_on)

    def _agrees(self, emission: Emission) -> bool:
        """Without a header both sides must have been told the same (SX1261/2 datasheet 6.1.3)."""
        now = self.set
        theirs = len(emission.payload), emission.coding_rate, emission.crc_on
        return theirs == (now.length, now.coding_rate, now.crc_on)

    def _impairment_spoils(self, payload: bytes) -> bool:
        if not self.impaired() or len(payload) < IMPAIRED_BYTES:
            return False
        return self._chance.random() < IMPAIRED_SHARE

    def heard(self, t_us: int) -> bool:
        """Whether something like the present settings is on the air."""
        return any(self._matches(e) for e in self._air.ongoing(self.chip, t_us))

    def noise_dbm(self) -> float:
        return NOISE_DBM + self._chance.randrange(-4, 5) / 2
