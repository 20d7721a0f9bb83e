# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A board's interpreter process: the link to it, its boots and its kills."""

import contextlib
import socket
from collections.abc import Callable

from revier_bench.virtual_board import link
from revier_bench.virtual_board.calls import Request
from revier_bench.virtual_board.console import Console
from revier_bench.virtual_board.kernel import Kernel
from revier_bench.virtual_board.processes import ProcessServer
from revier_bench.virtual_board.spec import BoardSpec

SHIM_HEAP_BYTES = 67_500
"""Heap that the shims and the flash's caches hold when boot.py starts (a test measures it)."""
HOST_HEAP_FACTOR = 1.94
"""Objects of the 64-bit host against those of the 32-bit chip: 320 KiB stand for 165 kB."""

Receive = Callable[[Request], None]
_RECEIVE_BYTES = 65536
_HEAD = link.REQUEST.size


def heap_bytes(spec: BoardSpec) -> int:
    """The interpreter's heap: the chip's, in objects of the host, and what the shims take."""
    return int(spec.heap_kib * 1024 * HOST_HEAP_FACTOR) + SHIM_HEAP_BYTES


class NodeProcess:
    """`receive(request)` is called for each message."""

    def __init__(self, kernel: Kernel, spec: BoardSpec, receive: Receive) -> None:
        self._kernel = kernel
        self._spec = spec
        self._receive = receive
        self._ours, self._theirs = socket.socketpair()
        self._buffer = b""
        self._request = Request()
        self._server: ProcessServer | None = None
        self._index = -1
        self.boots = 0
        kernel.watch(self._ours.fileno(), self._on_readable)

    def boot(self, index: int, console: Console, welcome: bytes) -> None:
        """A new process, which reads its welcome first; an old one is killed before."""
        if self._server is None:
            self._server = self._add(index, console)
        self.boots += 1
        self._server.boot(index, welcome)

    def _add(self, index: int, console: Console) -> ProcessServer:
        image = self._spec.flash_image.resolve()
        env = {"VB_FLASH": str(image), "VB_NVS": str(image.with_suffix(".nvs"))}
        fds = [self._theirs.fileno(), console.child_fd()]
        server = self._kernel.server(heap_bytes(self._spec))
        server.add(index, env, console.tty, fds)
        self._index = index
        return server

    @property
    def server_pid(self) -> int:
        """The fork server behind it; 0 before the first boot."""
        return self._server.pid if self._server is not None else 0

    def kill(self) -> None:
        """SIGKILL; what it had asked is forgotten."""
        if self._server is None:
            return
        self._server.kill(self._index)
        with contextlib.suppress(BlockingIOError):
            while self._ours.recv(_RECEIVE_BYTES, socket.MSG_DONTWAIT):
                pass
        self._buffer = b""

    def interrupt(self) -> bool:
        """SIGINT, where the interpreter takes that for Ctrl-C now."""
        return self._server is not None and self._server.interrupt(self._index)

    def send(self, reply: bytes) -> None:
        self._ours.send(reply)

    def _on_readable(self) -> None:
        """A node has one request at most under way, so one object serves them all."""
        try:
            data = self._ours.recv(_RECEIVE_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return  # killed since it was found readable
        if self._buffer:
            data, self._buffer = self._buffer + data, b""
        while data:
            size = _HEAD + (data[1] | data[2] << 8) if len(data) >= _HEAD else _HEAD
            if len(data) < size:
                self._buffer = data
                return
            self._read(data[:size] if len(data) > size else data)
            data = data[size:]

    def _read(self, message: bytes) -> None:
        request = self._request
        (
            op,
            request.now_us,
            request.outs,
            request.cs_fell_us,
            request.arg,
            request.mark_us,
            request.fed_us,
            request.hold,
        ) = link.REQUEST.unpack_from(message)
        request.op = op & 0xFF
        request.want = op >> 24
        request.payload = message[_HEAD:]
        self._receive(request)

    def close(self) -> None:
        self._kernel.unwatch(self._ours.fileno())
        self._ours.close()
        self._theirs.close()
