# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A board behind its raw REPL: chip, identity in NVS, /node.json.

The key crosses the cable once, inside a program's text, and never comes back: the board proves by a
digest over a fresh challenge that it holds it. Whoever holds the board can read its NVS with
esptool all the same, because MicroPython's stock builds have no flash encryption.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import msgspec

from revier_provision.board import programs
from revier_provision.board.raw_repl import BoardSilentError, RawRepl, RemoteError
from revier_provision.errors import BoardError
from revier_provision.identity import seq_start
from revier_provision.links import BoardState

if TYPE_CHECKING:
    import serial

BAUD = 115_200
READ_TIMEOUT_S = 0.02
WRITE_TIMEOUT_S = 5.0
RESET_S = 0.1
PORT_BACK_S = 4.0
REOPEN_S = 0.5
UPDATE_S = 120.0  # a signature, and every file of a slot read from slow flash


class ReplBoard:
    """BoardLink over an entered RawRepl."""

    def __init__(self, repl: RawRepl) -> None:
        self._repl = repl
        self.left = False  # restarted: the REPL is gone

    def factory_mac(self) -> bytes:
        mac = _hex(self._repl.run(programs.FACTORY_MAC))
        if len(mac) != 6:
            cure = "Revier needs an ESP32 or ESP32-S3; flash MicroPython for it and run again"
            raise BoardError("The board's unique id has {count} bytes, not 6", cure, count=len(mac))
        return mac

    def state(self) -> BoardState:
        text = self._repl.run(programs.STATE)
        try:
            return msgspec.json.decode(text, type=BoardState)
        except msgspec.DecodeError:
            cure = "Press the board's reset button and run again"
            raise BoardError("The board described its state in an unknown form", cure) from None

    def write_identity(self, dev_eui: str, join_eui: str, app_key: bytes) -> None:
        source = programs.WRITE_IDENTITY.format(
            dev_eui=dev_eui,
            join_eui=join_eui,
            app_key=app_key.hex(),
            seq_start=seq_start(time.time()),
        )
        try:
            self._repl.run(source)
        except RemoteError as error:
            cure = "Run again; if NVS is full, erase the flash, put MicroPython on it and run again"
            problem = "The board could not store its identity ({exception})"
            raise BoardError(problem, cure, exception=error.exception) from None

    def wipe(self) -> None:
        """Take identity, key, session and /node.json off; the counters stay, so that none repeats.

        The flash's unused pages may still hold the old key for whoever reads the chip.
        """
        try:
            self._repl.run(programs.WIPE, limit_s=30.0)
        except RemoteError as error:
            cure = (
                "Put newer firmware on it with: revier-provision upload; or erase it all: "
                "revier-provision flash --erase --image FILE"
            )
            problem = "The board could not be wiped ({exception})"
            raise BoardError(problem, cure, exception=error.exception) from None

    def app_key_digest(self, challenge: bytes) -> bytes | None:
        text = self._repl.run(programs.DIGEST.format(challenge=challenge.hex()))
        return _hex(text) if text.strip() else None

    def write_node_json(self, node_json: dict[str, object]) -> None:
        """Raises BoardError, too, if the description of the board they name cannot be true."""
        self._check_description(str(node_json.get("board")), str(node_json.get("kind")))
        text = msgspec.json.encode(node_json).decode()
        try:
            self._repl.run(programs.WRITE_NODE_JSON.format(text=text))
        except RemoteError as error:
            cure = (
                "Run again; if it repeats: revier-provision flash --erase --image FILE, then node"
            )
            raise BoardError(
                "The board could not write /node.json ({exception})",
                cure,
                exception=error.exception,
            ) from None

    def firmware_sha256(self, slot: str = "") -> str:
        """SHA-256 over path and SHA-256 of every file of the slot, by default the running one;
        empty without one."""
        which = f"['/{slot}']" if slot else programs.RUNNING
        return _hex(self._repl.run(programs.FIRMWARE.format(slot=which), limit_s=60.0)).hex()

    def cable(self, call: str, limit_s: float = 20.0) -> list[tuple[str, dict[str, str]]]:
        """What a call of the node's `revier_node.cable` says: (event, keys and values) a line."""
        try:
            text = self._repl.run(f"from revier_node import cable\ncable.{call}\n", limit_s)
        except RemoteError as error:
            raise _not_told(error) from None
        return console_lines(text)

    def update(self, call: str) -> list[tuple[str, dict[str, str]]]:
        """The same of the node's `revier_node.update`."""
        program = f"from revier_node import update\nupdate.{call}\n"
        try:
            text = self._repl.run(program, limit_s=UPDATE_S)
        except RemoteError as error:
            if error.exception.startswith("ImportError"):
                cure = "Put this firmware on the board directly, with: revier-provision upload"
                raise BoardError("The board's firmware knows no updates", cure) from None
            raise
        return console_lines(text)

    def write_small_file(self, path: str, data: bytes) -> None:
        """In place of the file that is there, at once or not at all; empty: no file."""
        try:
            self._repl.run(programs.WRITE_SMALL.format(path=path, data=data.hex()))
        except RemoteError as error:
            cure = (
                "Run again; if it repeats: revier-provision flash --erase --image FILE, then node"
            )
            raise BoardError(
                "The board could not write {path} ({exception})",
                cure,
                path=path,
                exception=error.exception,
            ) from None

    @property
    def repl(self) -> RawRepl:
        """For upload()."""
        return self._repl

    def restart(self) -> None:
        self._repl.leave(reset=True)
        self.left = True

    def console(self, limit_s: float) -> Iterator[str]:
        """After `restart`: the lines of the console, for so long."""
        return self._repl.lines(limit_s)

    def _check_description(self, board: str, kind: str) -> None:
        text = self._repl.run(programs.CHECK_DESCRIPTION.format(board=board, kind=kind))
        found = msgspec.json.decode(text, type=list[str] | None)
        if found:
            cure = "Correct it in firmware/image/boards and put the firmware on the board again"
            problem = "The description of board {board} cannot be true ({found})"
            raise BoardError(problem, cure, board=board, found="; ".join(found))


@contextmanager
def open_board(port: str, window_s: float = 30.0, *, reset: bool = True) -> Iterator[ReplBoard]:
    """A board on a serial port, pyserial URL or pseudo-terminal, in its service window.

    `reset`: restart the board afterwards, so that it begins to work as a node.
    """
    with entered(port, window_s) as (repl, _stream):
        board = ReplBoard(repl)
        yield board
        if not board.left:
            repl.leave(reset=reset)


@contextmanager
def open_repl(port: str, window_s: float = 30.0) -> Iterator[RawRepl]:
    """The same, of a board that may have nothing but MicroPython; it is restarted afterwards."""
    with entered(port, window_s) as (repl, _stream):
        yield repl
        repl.leave(reset=True)


@contextmanager
def entered(port: str, window_s: float) -> Iterator[tuple[RawRepl, serial.Serial]]:
    """The REPL of a board in its service window, and the port that it is on."""
    with _port_that_comes_back(port) as stream:
        press_reset(stream)
        repl = RawRepl(stream)
        repl.enter(window_s)
        yield repl, stream


def _port_that_comes_back(port: str) -> serial.Serial:
    """A chip with its own USB takes its port along when it restarts: it is waited for."""
    deadline_s = time.monotonic() + PORT_BACK_S
    while True:
        try:
            return open_port(port)
        except BoardSilentError:
            if time.monotonic() >= deadline_s:
                raise
            time.sleep(REOPEN_S)


def press_reset(stream: Any) -> None:
    """By the adapter's lines, as esptool does it: EN is low while RTS alone is set. A board without
    that circuit, or without such lines, stays as it is: its button is pressed by hand."""
    with suppress(OSError, ValueError, AttributeError):
        stream.dtr = False
        stream.rts = True
        time.sleep(RESET_S)
        stream.rts = False


def open_port(port: str) -> serial.Serial:
    """An open serial port, to be closed by the caller. Raises BoardSilentError."""
    import serial

    try:
        return serial.serial_for_url(
            port,
            baudrate=BAUD,
            timeout=READ_TIMEOUT_S,
            # pyserial's RFC 2217 client has none
            write_timeout=None if port.startswith("rfc2217:") else WRITE_TIMEOUT_S,
        )
    except (OSError, ValueError) as error:
        raise _cannot_open(port, error) from None


def console_lines(text: str) -> list[tuple[str, dict[str, str]]]:
    """(event, keys and values) of each line of docs/protocol/console.md."""
    words = [line.split() for line in text.splitlines() if line.startswith("revier ")]
    return [
        (w[1], dict(pair.split("=", 1) for pair in w[2:] if "=" in pair)) for w in words if w[1:]
    ]


def _not_told(error: RemoteError) -> BoardError:
    if error.exception.startswith("ImportError"):
        cure = "Put newer firmware on it with: revier-provision upload; then run again"
        return BoardError("The board's firmware knows no settings by cable", cure)
    if error.exception.startswith("OSError"):
        cure = "Make it a node with: revier-provision node"
        return BoardError("The board has no /node.json: it is no node yet", cure)
    return error


def _cannot_open(port: str, error: Exception) -> BoardSilentError:
    cure = (
        "Check the name (on Linux: ls /dev/serial/by-id), close other programs that use it; "
        "on Linux you must be in the group dialout, and brltty must not hold the port"
    )
    return BoardSilentError(
        "Cannot open {port} ({name})", cure, port=port, name=type(error).__name__
    )


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text.strip())
    except ValueError:
        cure = "Press the board's reset button and run again"
        raise BoardError("The board answered in an unknown form", cure) from None
