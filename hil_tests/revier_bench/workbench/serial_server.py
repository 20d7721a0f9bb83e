# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A serial port on the network (RFC 2217) with one board on it, for pyserial's rfc2217:// URLs.

The line speaks telnet: data, and orders for speed, DTR and RTS. What they mean to the board is the
`Board`'s business; it is asked from the server's thread only.
"""

import os
import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from serial import rfc2217

_IAC = b"\xff"
_CHUNK = 65536
_TICK_S = 0.5


class Board(Protocol):
    """What hangs on the serial line."""

    def lines(self, dtr: bool | None, rts: bool | None) -> None: ...
    def speed(self, baud: int) -> None: ...
    def receive(self, data: bytes) -> None: ...
    def fds(self) -> list[int]:
        """Where the board's words come from; read() is called for each that is ready."""

    def read(self, fd: int) -> None: ...
    def tick(self) -> None:
        """Every half second."""


class SerialServer:
    """`say(data)` is what the board sends. Thread-safe: call(), cut(), plug(), close()."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._listener = _bound(0)
        self.port = int(self._listener.getsockname()[1])
        self._listener.listen()
        self._plugged = True
        self._client: socket.socket | None = None
        self._manager: Any = None
        self._wake_r, self._wake_w = os.pipe()
        self._orders: list[tuple[Callable[[], None], threading.Event]] = []
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name="serial port")
        self._thread.start()

    @property
    def url(self) -> str:
        return f"rfc2217://127.0.0.1:{self.port}?timeout=30"

    def say(self, data: bytes) -> None:
        """To the client, if there is one. From the server's thread."""
        if self._client is not None:
            try:
                self._client.sendall(data.replace(_IAC, _IAC + _IAC))
            except OSError:
                self._drop()

    def call(self, order: Callable[[], None]) -> None:
        """Run it in the server's thread, and wait for it. Raises RuntimeError if that has died."""
        done = threading.Event()
        self._orders.append((order, done))
        os.write(self._wake_w, b"x")
        while not done.wait(_TICK_S):
            if not self._thread.is_alive():
                raise RuntimeError("the serial port's thread has died; see its traceback")

    def cut(self) -> None:
        """The cable is pulled: the client loses its connection, no other can be made."""
        self.call(self._cut)

    def plug(self) -> None:
        self.call(self._plug)

    def close(self) -> None:
        def end() -> None:
            self._closing = True

        if self._thread.is_alive():
            self.call(end)
        self._thread.join()
        self._drop()
        self._listener.close()
        os.close(self._wake_r)
        os.close(self._wake_w)

    # -- the server's thread --

    def _serve(self) -> None:
        while not self._closing:
            watched: list[int | socket.socket] = [self._wake_r, *self._board.fds()]
            if self._plugged:
                watched.append(self._listener)
            if self._client is not None:
                watched.append(self._client)
            ready, _, _ = select.select(watched, [], [], _TICK_S)
            if not ready:
                self._board.tick()
            for one in ready:
                self._handle(one)

    def _handle(self, one: int | socket.socket) -> None:
        if one == self._wake_r:
            os.read(self._wake_r, _CHUNK)
            orders, self._orders = self._orders, []
            for order, done in orders:
                order()
                done.set()
        elif one is self._listener:
            self._accept()
        elif one is self._client:
            self._read()
        elif isinstance(one, int) and one in self._board.fds():
            self._board.read(one)

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        if self._client is not None:  # a serial port has one user
            client.close()
            return
        client.setblocking(True)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client
        make: Any = rfc2217.PortManager
        self._manager = make(_Lines(self._board), _Answers(client))

    def _read(self) -> None:
        assert self._client is not None
        assert self._manager is not None
        try:
            data = self._client.recv(_CHUNK)
        except OSError:
            data = b""
        if not data:
            self._drop()
            return
        for ordered, part in _parts(data):
            if ordered or self._manager.mode or self._manager.suboption is not None:
                self._obey(part)
            else:
                self._board.receive(part)

    def _obey(self, data: bytes) -> None:
        assert self._manager is not None
        try:
            plain = b"".join(self._manager.filter(data))
        except OSError:
            self._drop()
            return
        if plain:
            self._board.receive(plain)

    def _cut(self) -> None:
        """The port is reserved, but nobody answers; unless another took it in this instant."""
        self._drop()
        self._listener.close()
        self._plugged = False
        with suppress(OSError):
            self._listener = _bound(self.port)

    def _plug(self) -> None:
        if self._listener.fileno() < 0:
            self._listener = _bound(self.port)
        self._listener.listen()
        self._plugged = True

    def _drop(self) -> None:
        client, self._client, self._manager = self._client, None, None
        if client is not None:
            client.close()
            self._board.lines(dtr=False, rts=False)


class _Lines:
    """The serial port that pyserial's PortManager drives."""

    cts = dsr = cd = True
    ri = rtscts = xonxoff = break_condition = False
    bytesize, parity, stopbits = 8, "N", 1

    def __init__(self, board: Board) -> None:
        self._board = board
        self._baud = 115_200
        self._dtr = self._rts = False

    @property
    def baudrate(self) -> int:
        return self._baud

    @baudrate.setter
    def baudrate(self, baud: int) -> None:
        self._baud = baud
        self._board.speed(baud)

    @property
    def dtr(self) -> bool:
        return self._dtr

    @dtr.setter
    def dtr(self, level: bool) -> None:
        self._dtr = level
        self._board.lines(dtr=level, rts=None)

    @property
    def rts(self) -> bool:
        return self._rts

    @rts.setter
    def rts(self, level: bool) -> None:
        self._rts = level
        self._board.lines(dtr=None, rts=level)

    def reset_input_buffer(self) -> None: ...

    def reset_output_buffer(self) -> None: ...


class _Answers:
    """PortManager writes its answers here."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client

    def write(self, data: bytes) -> None:
        self._client.sendall(data)


def _parts(data: bytes) -> list[tuple[bool, bytes]]:
    """Data without any order passes at once; pyserial's filter takes a microsecond a byte."""
    at = data.find(_IAC)
    if at < 0:
        return [(False, data)]
    return [part for part in ((False, data[:at]), (True, data[at:])) if part[1]]


def _bound(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setblocking(False)
    made.bind(("127.0.0.1", port))
    return made
