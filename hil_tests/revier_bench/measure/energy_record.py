# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The recorded timeline of a node's wakes: when its MCU and its radio were in which state.

World microseconds. The radio's states are those of the chip model; "start" is the time between
the command and the air (TCXO, PLL, PA).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from revier_bench.chips import Sx1262
from revier_bench.chips import sx1262_tables as ds
from revier_bench.measure.energy_meter import LINE
from revier_bench.virtual_board import WiredBoard

_STATES = {
    ds.SLEEP: "sleep",
    ds.RC: "standby",
    ds.XOSC: "oscillator",
    ds.FS: "synthesizer",
    ds.RX: "receive",
    ds.TX: "transmit",
}


@dataclass(frozen=True, slots=True)
class Interval:
    """One part in one state."""

    part: str  # mcu or radio
    state: str
    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True)
class Work:
    """What the meter in the node counted since its boot."""

    import_us: int
    bytecodes: int
    body_bytecodes: int
    modules: int
    collections: int


@dataclass(slots=True)
class Cycle:
    """One wake with one uplink. `works`: the meter just before SetTx and before deep sleep."""

    started_us: int
    set_tx_us: int = 0
    slept_us: int = 0
    payload_bytes: int = 0
    spreading_factor: int = 0
    airtime_us: int = 0
    transmissions: int = 0
    radio: list[Interval] = field(default_factory=list)
    light_sleeps: list[Interval] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)


class _RecordedRadio(Sx1262):
    """Tells of each change of its mode."""

    on_mode: Callable[[int], None]

    @property
    def mode(self) -> int:
        return self._mode

    @mode.setter
    def mode(self, mode: int) -> None:
        self._mode = mode
        self.on_mode(mode)


class Recorder:
    """Looks on while a board lives; `cycles`: those that are over."""

    def __init__(self, board: WiredBoard) -> None:
        radio = board.radio
        assert isinstance(radio, Sx1262)
        self.cycles: list[Cycle] = []
        self._board, self._radio = board, radio
        self._cycle: Cycle | None = None
        self._state, self._since_us = _STATES[radio.mode], board.now_us
        mode = radio.__dict__.pop("mode")
        radio.__class__ = _RecordedRadio
        radio.__dict__.update(_mode=mode, on_mode=self._mode)
        modem = radio.modem
        self._emit, self._listen = modem.emit, modem.listen
        modem.emit = self._emitted  # type: ignore[method-assign]
        modem.listen = self._listened  # type: ignore[method-assign]
        board.on_boot = self._booted
        board.on_sleep = self._slept
        board.on_light_sleep = self._light_sleep
        board.on_console_line = self._line

    # -- radio --

    def _mode(self, mode: int) -> None:
        self._change(self._board.now_us, _STATES[mode])

    def _change(self, t_us: int, state: str) -> None:
        if self._cycle is not None and t_us > self._since_us:
            self._cycle.radio.append(Interval("radio", self._state, self._since_us, t_us))
        self._state, self._since_us = state, t_us

    def _emitted(self, emission: Any) -> None:
        now_us, cycle = self._board.now_us, self._cycle
        self._change(now_us, "start")
        self._change(emission.start_us, f"transmit {emission.power_dbm:g} dBm")
        if cycle is not None:
            cycle.transmissions += 1
            cycle.set_tx_us = cycle.set_tx_us or now_us
            cycle.payload_bytes = len(emission.payload)
            cycle.spreading_factor = emission.spreading_factor
            cycle.airtime_us = emission.airtime_us
        self._emit(emission)

    def _listened(self, from_us: int, symbols: int, continuous: bool) -> None:
        self._change(self._board.now_us, "start")
        self._change(from_us, "receive")
        self._listen(from_us, symbols, continuous)

    # -- MCU --

    def _booted(self, t_us: int, cause: int) -> None:  # noqa: ARG002
        self._since_us = t_us
        self._cycle = Cycle(t_us)

    def _light_sleep(self, t_us: int, begun_us: int) -> None:
        if self._cycle is not None:
            self._cycle.light_sleeps.append(Interval("mcu", "light sleep", begun_us, t_us))

    def _line(self, t_us: int, line: str) -> None:  # noqa: ARG002
        if self._cycle is not None and line.startswith(LINE):
            words = dict(word.split("=") for word in line.split()[2:])
            self._cycle.works.append(Work(**{name: int(value) for name, value in words.items()}))

    def _slept(self, t_us: int, asked_us: int) -> None:  # noqa: ARG002
        cycle, self._cycle = self._cycle, None
        if cycle is None or not cycle.set_tx_us:
            return
        cycle.radio.append(Interval("radio", self._state, self._since_us, t_us))
        self.cycles.append(replace(cycle, slept_us=t_us))
