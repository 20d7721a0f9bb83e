# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A board on paper: what it keeps, what it answers by cable, what it does as a node."""

from __future__ import annotations

import hashlib
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from revier_bench.network_server import frames
from revier_bench.workshop.paper_air import PaperAir
from revier_bench.workshop.scissors import Place, Scissors
from revier_payload import codec
from revier_provision.errors import BoardError
from revier_provision.links import BoardState
from revier_provision.workshop.self_test import PartResult

READINGS = {
    "air": (10, {"pm25": 84, "temperature": 232, "battery": 50}),
    "parking": (21, {}),
    "waste": (30, {"distance": 650, "battery": 50}),
}
PARTS = {
    "air": ("sps30", "bme280", "radio"),
    "parking": ("lis2mdl", "radio"),
    "waste": ("a02yyuw", "vl53l1x", "lis3dh", "radio"),
}
JOIN_TRIES_MAX = 3


@dataclass(slots=True)
class Sent:
    """What went on the air under this key; of all boards of a bench."""

    join_requests: list[tuple[bytes, int]] = field(default_factory=list)  # key, DevNonce
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True)
class PaperBoard:
    """`faults` by part; `chip`: its name; `full`: no room for files; `dumb`: says nothing at all.

    `wire_s` is the time of one exchange over the cable, `flash_s` and `upload_s` of the transfers.
    """

    mac: bytes
    air: PaperAir
    sent: Sent
    chip: str = "ESP32-S3"
    scissors: Scissors = field(default_factory=Scissors)
    faults: dict[str, str] = field(default_factory=dict)
    full: bool = False
    dumb: bool = False
    asleep: bool = False
    wire_s: float = 0.0
    flash_s: float = 0.0
    upload_s: float = 0.0
    join_s: float = 0.0
    runtime: str = ""  # SHA-256 of what is flashed whole
    firmware: str = ""  # SHA-256 of the application
    nvs: dict[str, bytes] = field(default_factory=dict)
    dev_nonce: int = 0
    seq: int = 0
    node_json: dict[str, object] | None = None
    keys_held: list[bytes] = field(default_factory=list)

    # -- BoardLink, over a cable that may be cut --

    def _use(self, action: Callable[[], object] = lambda: None) -> None:
        if self.wire_s:
            time.sleep(self.wire_s)
        self.scissors.pass_by(Place.BOARD, action)

    def factory_mac(self) -> bytes:
        self._use()
        return self.mac

    def firmware_sha256(self) -> str:
        self._use()
        return self.firmware

    def state(self) -> BoardState:
        self._use()
        dev_eui, join_eui = self.nvs.get("dev_eui"), self.nvs.get("join_eui")
        return BoardState(
            dev_eui=None if dev_eui is None else dev_eui.hex(),
            join_eui=None if join_eui is None else join_eui.hex(),
            has_app_key="app_key" in self.nvs,
            node_json=self.node_json,
        )

    def write_identity(self, dev_eui: str, join_eui: str, app_key: bytes) -> None:
        """In the order of the program that provisioning sends."""
        self._use(lambda: self.nvs.pop("app_key", None))
        self._use(lambda: self.nvs.update(dev_eui=bytes.fromhex(dev_eui)))
        self._use(lambda: self.nvs.update(join_eui=bytes.fromhex(join_eui)))
        self._use(lambda: self._take_key(app_key))

    def _take_key(self, app_key: bytes) -> None:
        self.nvs["app_key"] = app_key
        self.keys_held.append(app_key)

    def app_key_digest(self, challenge: bytes) -> bytes | None:
        self._use()
        app_key = self.nvs.get("app_key")
        return None if app_key is None else hashlib.sha256(challenge + app_key).digest()

    def write_node_json(self, node_json: dict[str, object]) -> None:
        if self.full:
            cure = "Erase it: revier-provision flash --erase --image FILE, then run again"
            raise BoardError("The board could not write /node.json (OSError: 28)", cure)
        self._use(lambda: setattr(self, "node_json", node_json))

    def self_test(self) -> tuple[PartResult, ...]:
        self._use()
        assert self.node_json is not None
        parts = PARTS[str(self.node_json["kind"])]
        return tuple(PartResult(part=part, fault=self.faults.get(part, "")) for part in parts)

    # -- the node --

    def spend_nonce(self) -> int:
        """The next DevNonce, in NVS before it is used; it outlives new keys."""
        nonce, self.dev_nonce = self.dev_nonce, self.dev_nonce + 1
        return nonce

    def start_node(self) -> PaperConsole:
        self._use()
        console = PaperConsole()
        threading.Thread(target=self._run, args=(console,), daemon=True).start()
        return console

    def _run(self, console: PaperConsole) -> None:
        if self.dumb or "app_key" not in self.nvs or self.node_json is None:
            return
        kind = str(self.node_json["kind"])
        console.say(f"revier boot cause=hard_reset kind={kind} fw=0.1.0 slot=a")
        if self.join_s:
            time.sleep(self.join_s)
        for attempt in range(1, JOIN_TRIES_MAX + 1):
            session = self._join(console, attempt)
            if session is not None:
                self._send_reading(console, kind, *session)
                return

    def _join(self, console: PaperConsole, attempt: int) -> tuple[frames.SessionKeys, bytes] | None:
        """One request: the DevNonce is spent before it is used."""
        app_key, nonce = self.nvs["app_key"], self.spend_nonce()
        console.say(f"revier join try={attempt} dev_nonce={nonce}")
        with self.sent.lock:
            self.sent.join_requests.append((app_key, nonce))
        body = b"\x00" + self.nvs["join_eui"][::-1] + self.nvs["dev_eui"][::-1]
        body += struct.pack("<H", nonce)
        down = self.air.hear(body + frames.cmac(app_key, body)[:4])
        if not down:
            return None
        accept = frames.parse_join_accept(app_key, down[0].items[0].phy_payload)
        console.say(f"revier joined dev_addr={accept.dev_addr.hex()}")
        keys = frames.session_keys(app_key, accept.join_nonce, accept.net_id, nonce)
        return keys, accept.dev_addr

    def _send_reading(
        self, console: PaperConsole, kind: str, keys: frames.SessionKeys, dev_addr: bytes
    ) -> None:
        f_port, values = READINGS[kind]
        self.seq += 1
        data = codec.encode(f_port, {**values, "seq": self.seq})
        console.say(f"revier reading kind={kind} port={f_port} seq={self.seq}")
        body = struct.pack("<B4sBHB", frames.UNCONFIRMED_UP << 5, dev_addr[::-1], 0x80, 0, f_port)
        body += frames.crypt_payload(keys.app_s_key, frames.UP, dev_addr, 0, data)
        mic = frames.data_mic(keys.nwk_s_key, frames.UP, dev_addr, 0, body)
        self.air.hear(body + mic)
        console.say(f"revier uplink f_cnt=0 port={f_port} len={len(data)} dr=5 seq={self.seq}")


class PaperConsole:
    def __init__(self) -> None:
        self._lines: list[str] = []

    def say(self, line: str) -> None:
        self._lines.append(line)

    def lines(self) -> Sequence[str]:
        return list(self._lines)

    def close(self) -> None:
        pass
