# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The board's side of the serial port: what resets it, and who talks on the line.

All of it runs in the serial server's thread.
"""

import contextlib
import os
import socket
from collections.abc import Callable, Iterable
from enum import Enum

from revier_bench.workbench import boot_rom
from revier_bench.workbench.auto_reset import AutoReset, Start
from revier_bench.workbench.boot_loader import BootLoader
from revier_bench.workbench.chip_flash import ChipFlash

_CHUNK = 65536
_GARBLE = 0x2A


class State(Enum):
    """OFF: no power. DEAD: nothing in the flash that boots. DOWNLOAD: in the boot loader."""

    OFF = "off"
    DEAD = "dead"
    DOWNLOAD = "download"
    RUNNING = "running"


class UsbAdapter:
    """`power(on)` switches MicroPython on and off, `say(data)` sends to the client.

    pty: the running board's console. bad_bauds: speeds that garble. broken_reset: DTR and RTS
    are not connected.
    """

    def __init__(
        self,
        chip: str,
        flash: ChipFlash,
        boot_loader: BootLoader,
        pty: int,
        power: Callable[[bool], None],
    ) -> None:
        self.state = State.OFF
        self.starts: list[State] = []
        self.said: list[str] = []
        self.bauds: list[int] = []
        self.bad_bauds: frozenset[int] = frozenset()
        self.broken_reset = False
        self.say: Callable[[bytes], None] = lambda _: None
        self._chip = chip
        self._flash = flash
        self._boot_loader = boot_loader
        self._pty = pty
        self._power = power
        self._circuit = AutoReset()
        self._garbled = False
        self._line: socket.socket | None = None

    # -- what can happen to the board --

    def off(self) -> None:
        """No power any more."""
        if self.state is State.RUNNING:
            self._power(False)
            self._flash.gather()
        elif self._line is not None:
            self._boot_loader.leave(self._line)
            self._line = None
        self.state = State.OFF

    def run(self) -> None:
        """A reset: ROM, boot loader, MicroPython, as far as the flash goes."""
        self.off()
        starts, texts = boot_rom.boot(self._flash.read(), self._chip)
        self._print(texts)
        if starts:
            self._flash.scatter()
            self._drain()
            self._power(True)
        self._start(State.RUNNING if starts else State.DEAD)

    def download(self) -> None:
        """A reset with GPIO0 low."""
        self.off()
        self._print(boot_rom.DOWNLOAD)
        self._line = self._boot_loader.enter()
        self._start(State.DOWNLOAD)

    def flip(self, address: int) -> None:
        data = self._flash.read()[address]
        self._flash.write(address, bytes([data ^ 1]))

    # -- for the serial server --

    def lines(self, dtr: bool | None, rts: bool | None) -> None:
        begins = self._circuit.set(dtr, rts)
        if self.state is State.OFF or begins is None:
            return
        if self.broken_reset:
            return
        if begins is Start.DOWNLOAD:
            self.download()
        else:
            self.run()

    def speed(self, baud: int) -> None:
        self.bauds.append(baud)
        self._garbled = baud in self.bad_bauds

    def receive(self, data: bytes) -> None:
        data = self._over_wire(data)
        with contextlib.suppress(OSError):
            if self._line is not None:
                self._line.sendall(data)
            elif self.state is State.RUNNING:
                os.write(self._pty, data)

    def fds(self) -> list[int]:
        return [self._pty] if self._line is None else [self._pty, self._line.fileno()]

    def read(self, fd: int) -> None:
        if self._line is not None and fd == self._line.fileno():
            try:
                # the number may already be that of the line after a reset, which says nothing yet
                data = self._line.recv(_CHUNK, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            if not data:
                self._boot_loader.leave(self._line)
                self._line = None
            self.say(self._over_wire(data))
            return
        with contextlib.suppress(OSError):
            data = os.read(self._pty, _CHUNK)
            if self.state is State.RUNNING:
                self.say(self._over_wire(data))

    def tick(self) -> None:
        """The watchdog starts a dead chip again and again."""
        if self.state is State.DEAD:
            self._print(boot_rom.boot(self._flash.read(), self._chip)[1])

    # --

    def _start(self, state: State) -> None:
        self.state = state
        self.starts.append(state)

    def _print(self, texts: Iterable[str]) -> None:
        self.said += texts
        self.say(self._over_wire("".join(f"{text}\r\n" for text in texts).encode()))

    def _drain(self) -> None:
        """What an earlier life of the board had not yet said."""
        with contextlib.suppress(OSError):
            while os.read(self._pty, _CHUNK):
                pass

    def _over_wire(self, data: bytes) -> bytes:
        if not self._garbled:
            return data
        return bytes(byte ^ _GARBLE if at % 3 else byte for at, byte in enumerate(data))
