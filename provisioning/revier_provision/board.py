# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A board behind its raw REPL: chip, identity in NVS, /node.json.

NVS keys are those of the node: namespace `lorawan`, blobs `dev_eui`, `join_eui` (both as printed,
most significant byte first), `app_key`, `session`. Only blobs and i32 exist for MicroPython
(ports/esp32/esp32_nvs.c).

The key crosses the cable once, inside a program's text, and never comes back: the board proves by a
digest over a fresh challenge that it holds it. Whoever holds the board can read its NVS with
esptool all the same, because MicroPython's stock builds have no flash encryption.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from revier_provision.errors import BoardError
from revier_provision.links import BoardState
from revier_provision.raw_repl import BoardSilentError, RawRepl, RemoteError

if TYPE_CHECKING:
    import serial

BAUD = 115_200
READ_TIMEOUT_S = 0.02
WRITE_TIMEOUT_S = 5.0
UPDATE_S = 120.0  # a signature, and every file of a slot read from slow flash

_BLOB = """
import esp32
nvs = esp32.NVS('lorawan')
def blob(key, size):
    buffer = bytearray(size)
    try:
        return bytes(buffer[:nvs.get_blob(key, buffer)])
    except OSError:
        return None
"""

_FACTORY_MAC = """
import machine, binascii
print(binascii.hexlify(machine.unique_id()).decode())
"""

_STATE = (
    _BLOB
    + """
import binascii, json
def printed(key):
    value = blob(key, 8)
    return value and binascii.hexlify(value).decode()
try:
    with open('/node.json') as f:
        node_json = json.load(f)
    if not isinstance(node_json, dict):
        node_json = None
except (OSError, ValueError):
    node_json = None
key = blob('app_key', 16)
print(json.dumps({'dev_eui': printed('dev_eui'), 'join_eui': printed('join_eui'),
    'has_app_key': bool(key and len(key) == 16), 'node_json': node_json}))
"""
)

# The identity is complete only with its key, so the old key goes first and the new one comes last.
# RTC memory holds the running session and survives machine.reset(); the node's counters come back
# from their leases in NVS.
_WRITE_IDENTITY = """
import esp32, machine, binascii
nvs = esp32.NVS('lorawan')
def drop(key):
    try:
        nvs.erase_key(key)
    except OSError:
        pass
drop('app_key')
drop('session')
nvs.commit()
machine.RTC().memory(b'')
nvs.set_blob('dev_eui', binascii.unhexlify('{dev_eui}'))
nvs.set_blob('join_eui', binascii.unhexlify('{join_eui}'))
nvs.commit()
nvs.set_blob('app_key', binascii.unhexlify('{app_key}'))
nvs.commit()
"""

_DIGEST = (
    _BLOB
    + """
import binascii, hashlib
key = blob('app_key', 16)
if key and len(key) == 16:
    digest = hashlib.sha256(binascii.unhexlify('{challenge}') + key).digest()
    print(binascii.hexlify(digest).decode())
"""
)

_WRITE_NODE_JSON = """
import os
with open('/node.json.new', 'w') as f:
    f.write({text!r})
with open('/node.json.new') as f:
    assert f.read() == {text!r}, 'read back'
os.rename('/node.json.new', '/node.json')
if hasattr(os, 'sync'):
    os.sync()
"""


_WRITE_SMALL = """
import os
from binascii import unhexlify
data = unhexlify('{data}')
if data:
    with open('{path}.new', 'wb') as f:
        f.write(data)
    with open('{path}.new', 'rb') as f:
        assert f.read() == data, 'read back'
    os.rename('{path}.new', '{path}')
elif '{path}'[1:] in os.listdir('/'):
    os.remove('{path}')
if hasattr(os, 'sync'):
    os.sync()
"""


# The counters go to the highest of NVS and file before the file goes: no number is used twice.
_WIPE = """
import esp32, machine, os
nvs = esp32.NVS('lorawan')
def i32(key):
    try:
        return nvs.get_i32(key) & 0xFFFFFFFF
    except OSError:
        return 0
def gone(path):
    try:
        os.remove(path)
    except OSError:
        pass
files = [name for name in os.listdir('/') if name in ('identity.bin', 'identity.alt')]
if files:
    from revier_node import identity_file
    kept = identity_file.read() or (None, 0, 0, 0)
    for key, number in zip(('dev_nonce', 'f_cnt_lease', 'seq_lease'), kept[1:]):
        number = max(number, i32(key))
        nvs.set_i32(key, number - 0x100000000 if number & 0x80000000 else number)
    nvs.commit()
for key in ('app_key', 'session', 'join_eui', 'dev_eui'):
    try:
        nvs.erase_key(key)
    except OSError:
        pass
nvs.commit()
machine.RTC().memory(b'')
for name in files + ['node.json', 'node.json.new']:
    gone('/' + name)
if hasattr(os, 'sync'):
    os.sync()
"""


# boot.py put the slot of the running application on the import path.
_RUNNING = "[path for path in sys.path if path in ('/a', '/b')][:1]"
_FIRMWARE = """
import binascii, hashlib, os, sys
slot = {slot}
folders, files = list(slot), []
while folders:
    folder = folders.pop()
    for entry in os.ilistdir(folder):
        path = folder + '/' + entry[0]
        (folders if entry[1] & 0x4000 else files).append(path)
total = hashlib.sha256()
buffer = bytearray(1024)
for path in sorted(files):
    one = hashlib.sha256()
    with open(path, 'rb') as f:
        while True:
            size = f.readinto(buffer)
            if not size:
                break
            one.update(memoryview(buffer)[:size])
    total.update(path[len(slot[0]):].encode() + b'\\0' + one.digest())
print(binascii.hexlify(total.digest()).decode() if files else '')
"""

# The firmware's own look at every pin of the description, before the node is told to use it. None:
# the firmware is not on the board yet.
_CHECK_DESCRIPTION = """
import json
try:
    from revier_node import board_check
except ImportError:
    found = None
else:
    try:
        with open('/boards/{board}.json') as f:
            description = json.load(f)
        found = board_check.problems(description)
        if {kind!r} not in description['kinds']:
            found.append('it has no wiring for a node of kind {kind}')
    except OSError:
        found = ['there is no file /boards/{board}.json']
    except ValueError:
        found = ['/boards/{board}.json is no JSON']
print(json.dumps(found))
"""


class ReplBoard:
    """BoardLink over an entered RawRepl."""

    def __init__(self, repl: RawRepl) -> None:
        self._repl = repl
        self.left = False  # restarted: the REPL is gone

    def factory_mac(self) -> bytes:
        mac = _hex(self._repl.run(_FACTORY_MAC))
        if len(mac) != 6:
            cure = "Revier needs an ESP32 or ESP32-S3; flash MicroPython for it and run again"
            raise BoardError(f"The board's unique id has {len(mac)} bytes, not 6", cure)
        return mac

    def state(self) -> BoardState:
        text = self._repl.run(_STATE)
        try:
            return msgspec.json.decode(text, type=BoardState)
        except msgspec.DecodeError:
            cure = "Press the board's reset button and run again"
            raise BoardError("The board described its state in an unknown form", cure) from None

    def write_identity(self, dev_eui: str, join_eui: str, app_key: bytes) -> None:
        source = _WRITE_IDENTITY.format(dev_eui=dev_eui, join_eui=join_eui, app_key=app_key.hex())
        try:
            self._repl.run(source)
        except RemoteError as error:
            cure = "Run again; if NVS is full, erase the flash, put MicroPython on it and run again"
            problem = f"The board could not store its identity ({error.exception})"
            raise BoardError(problem, cure) from None

    def wipe(self) -> None:
        """Take identity, key, session and /node.json off; the counters stay, so that none repeats.

        The flash's unused pages may still hold the old key for whoever reads the chip.
        """
        try:
            self._repl.run(_WIPE, limit_s=30.0)
        except RemoteError as error:
            cure = (
                "Put newer firmware on it with: revier-provision upload; or erase it all: "
                "revier-provision flash --erase --image FILE"
            )
            problem = f"The board could not be wiped ({error.exception})"
            raise BoardError(problem, cure) from None

    def app_key_digest(self, challenge: bytes) -> bytes | None:
        text = self._repl.run(_DIGEST.format(challenge=challenge.hex()))
        return _hex(text) if text.strip() else None

    def write_node_json(self, node_json: dict[str, object]) -> None:
        """Raises BoardError, too, if the description of the board they name cannot be true."""
        self._check_description(str(node_json.get("board")), str(node_json.get("kind")))
        text = msgspec.json.encode(node_json).decode()
        try:
            self._repl.run(_WRITE_NODE_JSON.format(text=text))
        except RemoteError as error:
            cure = (
                "Run again; if it repeats: revier-provision flash --erase --image FILE, then node"
            )
            raise BoardError(
                f"The board could not write /node.json ({error.exception})", cure
            ) from None

    def firmware_sha256(self, slot: str = "") -> str:
        """SHA-256 over path and SHA-256 of every file of the slot, by default the running one;
        empty without one."""
        which = f"['/{slot}']" if slot else _RUNNING
        return _hex(self._repl.run(_FIRMWARE.format(slot=which), limit_s=60.0)).hex()

    def cable(self, call: str, limit_s: float = 10.0) -> list[tuple[str, dict[str, str]]]:
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
            self._repl.run(_WRITE_SMALL.format(path=path, data=data.hex()))
        except RemoteError as error:
            cure = (
                "Run again; if it repeats: revier-provision flash --erase --image FILE, then node"
            )
            raise BoardError(
                f"The board could not write {path} ({error.exception})", cure
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
        text = self._repl.run(_CHECK_DESCRIPTION.format(board=board, kind=kind))
        found = msgspec.json.decode(text, type=list[str] | None)
        if found:
            cure = "Correct it in firmware/image/boards and put the firmware on the board again"
            problem = f"The description of board {board} cannot be true ({'; '.join(found)})"
            raise BoardError(problem, cure)


@contextmanager
def open_board(port: str, window_s: float = 30.0, *, reset: bool = True) -> Iterator[ReplBoard]:
    """A board on a serial port, pyserial URL or pseudo-terminal, in its service window.

    `reset`: restart the board afterwards, so that it begins to work as a node.
    """
    with open_port(port) as stream:
        repl = RawRepl(stream)
        repl.enter(window_s)
        board = ReplBoard(repl)
        yield board
        if not board.left:
            repl.leave(reset=reset)


@contextmanager
def open_repl(port: str, window_s: float = 30.0) -> Iterator[RawRepl]:
    """The same, of a board that may have nothing but MicroPython; it is restarted afterwards."""
    with open_port(port) as stream:
        repl = RawRepl(stream)
        repl.enter(window_s)
        yield repl
        repl.leave(reset=True)


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
    return BoardSilentError(f"Cannot open {port} ({type(error).__name__})", cure)


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text.strip())
    except ValueError:
        cure = "Press the board's reset button and run again"
        raise BoardError("The board answered in an unknown form", cure) from None
