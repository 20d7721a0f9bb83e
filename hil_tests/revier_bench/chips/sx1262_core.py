# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The SX1262 behind its SPI: state, modes, oscillator, sleep, interrupts.

DS = SX1261/2 datasheet rev. 2.1. sx1262.py puts the SPI pins in front of it.
"""

from dataclasses import dataclass
from random import Random

from revier_bench.chips import sx1262_registers as reg
from revier_bench.chips import sx1262_tables as ds
from revier_bench.chips.base import ChipHost
from revier_bench.chips.sx1262_modem import Sx1262Modem
from revier_bench.chips.timeline import NEVER_US
from revier_bench.world.air import Emission, Medium

LONG_AGO_US = -(1 << 60)


@dataclass(frozen=True, slots=True)
class Sx1262Wiring:
    """tcxo_mv 0: a crystal; else the TCXO that hangs on DIO3 and how long it takes to start."""

    dio1: int
    tcxo_mv: int = 0
    tcxo_start_us: int = 3_000


class Sx1262Core:
    """A Listener. `misuse` goes to the host."""

    def __init__(self, host: ChipHost, wiring: Sx1262Wiring, air: Medium, chance: Random) -> None:
        self.host = host
        self.name = host.name
        self.wiring = wiring
        self.chance = chance
        self.buffer = bytearray(256)
        self.registers: dict[int, int] = {}
        self.modem = Sx1262Modem(self, air, chance)
        self.powered = False
        self.mode = ds.SLEEP
        self._reset_fell_us: int | None = None
        self._asleep_cold = True
        self._asleep_since_us = LONG_AGO_US
        self._defaults()

    def _defaults(self) -> None:
        """DS 14.1: what power-on, reset and cold sleep leave."""
        self.registers = dict(reg.AFTER_RESET)
        self.packet_type: int | None = None
        self.errors = 0
        self.irq = self.irq_mask = self.dio1_mask = 0
        self.tcxo: tuple[int, int] | None = None
        self.fallback = ds.RC
        self.frequency_hz = 0
        self.image_band = (902_000_000, 928_000_000)
        self.calibrated = self.wiring.tcxo_mv == 0
        self.regulator = 0
        self.rf_switch = False
        self.command_status = 0
        self.tx_base = self.rx_base = 0
        self.rx_length = self.rx_start = 0
        self.modem.defaults()
        if self.wiring.tcxo_mv:  # DS 13.3.6: the crystal oscillator cannot start at power-on
            self.errors = ds.XOSC_START_ERROR

    # -- supply, reset --

    @property
    def held_down(self) -> bool:
        """Without a supply or in reset."""
        return not self.powered or self._reset_fell_us is not None

    def power(self, on: bool, t_us: int) -> None:
        self.powered = on
        self.modem.stop()
        if on:
            self._start(t_us)
        else:
            self.mode = ds.SLEEP
            self.host.busy_until_us = 0

    def reset_pin(self, level: bool, t_us: int) -> None:
        """NRESET, active low."""
        if not level:
            self._reset_fell_us = t_us
            self.host.busy_until_us = NEVER_US
            self.modem.stop()
            return
        fell_us, self._reset_fell_us = self._reset_fell_us, None
        if fell_us is not None and t_us - fell_us < ds.RESET_MIN_US:
            self.note(f"NRESET low for {t_us - fell_us} us only (DS 8.1)")
        if self.powered and fell_us is not None:
            self._start(t_us)

    def _start(self, t_us: int) -> None:
        self._defaults()
        self.buffer = bytearray(256)
        self.mode = ds.RC
        self.set_dio1()
        self.host.busy_until_us = t_us + ds.WAKE_COLD_US

    # -- sleep --

    def fall_asleep(self, config: int) -> None:
        """DS 13.1.1."""
        self.modem.stop()
        self.mode = ds.SLEEP
        self._asleep_cold = not config & 0x04
        self._asleep_since_us = self.host.now_us
        self.buffer = bytearray(256)  # DS 8.2: the data buffer is lost in any sleep
        self.irq = 0
        self.set_dio1()
        self.host.busy_until_us = NEVER_US

    def doze(self) -> None:
        """DS 13.1.7: between the windows of SetRxDutyCycle it sleeps warm; NSS wakes it."""
        self.mode = ds.SLEEP
        self._asleep_cold = False
        self._asleep_since_us = LONG_AGO_US
        self.host.busy_until_us = NEVER_US

    def wake(self, t_us: int) -> None:
        """NSS fell, or the own timer of SetRxDutyCycle ran out."""
        if t_us - self._asleep_since_us < ds.SLEEP_SETTLE_US:
            self.note("NSS moved less than 500 us after SetSleep (DS 13.1.1)")
        if self._asleep_cold:
            self._start(t_us)
            return
        self.mode = ds.RC
        kept = self._retained()
        for address in reg.LOST_IN_WARM_SLEEP:
            if address not in kept:
                self.registers[address] = reg.AFTER_RESET[address]
        self.host.busy_until_us = t_us + ds.WAKE_WARM_US

    def _retained(self) -> set[int]:
        known = self.registers.get
        number = min(known(reg.RETENTION, 0), reg.RETENTION_MAX)
        places = range(reg.RETENTION + 1, reg.RETENTION + 1 + 2 * number, 2)
        return {known(place, 0) << 8 | known(place + 1, 0) for place in places}

    # -- modes --

    def note(self, text: str) -> None:
        self.host.note_misuse(f"sx1262: {text}")

    def refuse(self, why: str, status: int = ds.PROCESSING_ERROR) -> None:
        self.note(why)
        self.command_status = status

    def done(self, busy_us: int) -> None:
        self.host.busy_until_us = self.host.now_us + max(busy_us, ds.COMMAND_US)

    def switch(self, mode: int) -> int | None:
        """Start to another mode; the time it takes, None if the oscillator does not start."""
        was = self.mode
        if mode != ds.RC and was == ds.RC and not self.oscillator_starts():
            return None
        took_us = ds.SWITCH_US.get((was, mode), 0)
        if mode != ds.RC and was == ds.RC and self.tcxo is not None:
            took_us += self.tcxo[1]
        if was in (ds.RX, ds.TX):
            self.modem.stop()
        self.mode = mode
        self.done(took_us)
        return took_us

    def oscillator_starts(self) -> bool:
        wired = self.wiring
        if wired.tcxo_mv == 0:
            return True
        if self.tcxo is not None and abs(self.tcxo[0] - wired.tcxo_mv) <= 100:
            if self.tcxo[1] >= wired.tcxo_start_us:
                return True
            why = f"the TCXO gets {self.tcxo[1]} us to start and needs {wired.tcxo_start_us} us"
        else:
            why = "the TCXO on DIO3 is not set up for its voltage (DS 13.3.6)"
        self.errors |= ds.XOSC_START_ERROR
        self.refuse(why, ds.EXECUTION_FAILED)
        self.done(0)
        return False

    # -- interrupts --

    def raise_irq(self, bits: int) -> None:
        """Interrupt flags; only those of the mask are noted (DS 13.3.1)."""
        self.irq |= bits & self.irq_mask
        self.set_dio1()

    def set_dio1(self) -> None:
        self.host.drive(self.wiring.dio1, bool(self.irq & self.dio1_mask))

    # -- the air (world.air.Listener) --

    def on_emission(self, emission: Emission) -> None:
        self.modem.on_emission(emission)
