# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The chip's serial boot loader: esp32-mock-bootloader in a child process, on the bench's flash.

The mock imports esptool (GPL-2.0-or-later), hence a process of its own. Run as a program it prints
the TCP port at which it waits; each connection is one reset into the boot loader. It ends when its
standard input does.
"""

import contextlib
import json
import mmap
import os
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

_SECTOR = 4096
_LAST_WORDS_S = 20.0


class BootLoader:
    """`stuck`: addresses of bytes that come out wrong whenever they are written."""

    def __init__(self, chip: str, mac: bytes, flash: Path, stuck: frozenset[int]) -> None:
        order = {
            "chip": chip.lower().replace("-", ""),
            "mac": list(mac),
            "flash": str(flash),
            "stuck": sorted(stuck),
        }
        self._child = subprocess.Popen(
            [sys.executable, str(Path(__file__)), json.dumps(order)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._child.stdout is not None
        self._port = int(self._child.stdout.readline() or b"0")
        if not self._port:
            raise RuntimeError("the boot loader did not start: pip install 'revier[bench]'")

    def enter(self) -> socket.socket:
        """A reset into the boot loader: its serial line."""
        line = socket.create_connection(("127.0.0.1", self._port))
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line

    @staticmethod
    def leave(line: socket.socket) -> None:
        """End it, once it has written what it was given."""
        with line, contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_WR)
            line.settimeout(_LAST_WORDS_S)
            while line.recv(65536):
                pass

    def close(self) -> None:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.close()
        self._child.wait()
        self._child.stdout.close()


def _serve(order: dict[str, Any]) -> None:
    from esp32_mock_bootloader import registers, server

    class Chip(server.FlashImage):  # type: ignore[misc]
        """The mock's flash on a file; what is begun is erased first, as a chip does it."""

        def __init__(self) -> None:
            super().__init__()
            with Path(order["flash"]).open("r+b") as file:
                self.data = mmap.mmap(file.fileno(), 0)

        def begin_defl(self, payload: bytes) -> None:
            self._erase(payload)
            super().begin_defl(payload)

        def begin_plain(self, payload: bytes) -> None:
            self._erase(payload)
            super().begin_plain(payload)

        def _erase(self, payload: bytes) -> None:
            size, _, _, at = struct.unpack_from("<IIII", payload, 0)
            self.erase_region(at, -(-size // _SECTOR) * _SECTOR)

        def write_defl_block(self, payload: bytes) -> None:
            begin = self._defl_offset
            super().write_defl_block(payload)
            self._wear(begin, self._defl_offset)

        def write_plain_block(self, payload: bytes) -> None:
            begin = self._plain_offset
            super().write_plain_block(payload)
            self._wear(begin, self._plain_offset)

        def _wear(self, begin: int, end: int) -> None:
            for at in order["stuck"]:
                if begin <= at < end:
                    self.data[at] ^= 1

    registers.mac_bytes_for_chip = lambda _: tuple(order["mac"])
    chip = Chip()
    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    while True:
        line, _ = listener.accept()
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            server.handle_client(
                server.BootloaderConnection(sock=line),
                threading.Event(),
                order["chip"],
                exit_on_disconnect=True,
                flash=chip,
            )


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _serve(json.loads(sys.argv[1]))
