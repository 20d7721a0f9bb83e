# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What was really on the air and really heard: the truth that the feed is held against.

Decrypts with keys that only the bench knows, by its own few lines on `cryptography`: it shares
no code with the node's MAC, the stand-in network server or the gateway.

L2 = LoRaWAN Link Layer 1.0.4
"""

from __future__ import annotations

import re
import struct
from dataclasses import asdict, dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from revier_bench.world.air import Emission
from revier_bench.world.true_readings import BATCH, READING_PORTS, TrueReading, readings_of

JOIN_REQUEST, JOIN_ACCEPT, UNCONFIRMED_UP, CONFIRMED_UP = 0x00, 0x20, 0x40, 0x80  # L2 4.2, MHDR
CONSOLE_WORD = re.compile(r"(\w+)=(\S+)")
CONSOLE_SLACK_US = 60_000_000  # a node speaks of an uplink within a minute of sending it


@dataclass(slots=True)
class TrueUplink:
    """One data frame that at least one radio gateway forwarded. `seq` is the whole sequence."""

    end_unix_us: int
    dev_eui: str
    dev_addr: str
    session: int
    f_cnt: int
    confirmed: bool
    f_port: int | None
    payload: bytes
    gateways: list[str] = field(default_factory=list)
    seq: int | None = None

    @property
    def is_reading(self) -> bool:
        return self.f_port in READING_PORTS

    @property
    def readings(self) -> list[TrueReading]:
        return readings_of(self.f_port, self.payload, self.seq)


@dataclass(slots=True)
class _Session:
    number: int
    dev_addr: bytes
    nwk_s_key: bytes
    app_s_key: bytes
    f_cnt_next: int = 0


@dataclass(slots=True)
class _Node:
    dev_eui: str
    app_key: bytes
    dev_nonce: int | None = None
    sessions: list[_Session] = field(default_factory=list)
    proven_sessions: set[int] = field(default_factory=set)
    said: dict[int, tuple[int, int]] = field(default_factory=dict)  # f_cnt -> (unix us, seq)
    readings: int = 0


class TruthLog:
    """Fed by a bystander on the air, by the radio gateways and by the nodes' consoles."""

    def __init__(self, start_unix_us: int) -> None:
        self._start_unix_us = start_unix_us
        self._nodes: dict[str, _Node] = {}
        self._by_addr: dict[bytes, list[tuple[_Node, _Session]]] = {}
        self._on_air: dict[tuple[str, int], TrueUplink] = {}
        self.uplinks: list[TrueUplink] = []
        self.frames_sent = 0
        self.frames_heard = 0
        self.readings_heard = 0
        self.join_requests = 0
        self.unreadable = 0  # frames of nodes whose keys or counters we could not follow
        self._heard: set[tuple[str, int]] = set()

    def add_node(self, dev_eui: str, app_key: bytes) -> None:
        self._nodes[dev_eui] = _Node(dev_eui, app_key)

    # --- counters --------------------------------------------------------------------------

    @property
    def readings_measured(self) -> int:
        return sum(node.readings for node in self._nodes.values())

    @property
    def nodes_joined(self) -> int:
        """Nodes that have sent at least one frame under a session of the network."""
        return sum(bool(node.proven_sessions) for node in self._nodes.values())

    def not_joined(self) -> list[str]:
        return [n.dev_eui for n in self._nodes.values() if not n.proven_sessions]

    # --- sources ---------------------------------------------------------------------------

    def on_air(self, emission: Emission) -> None:
        """Every emission, heard or not."""
        phy = emission.payload
        kind = phy[0] & 0xE0 if phy else None
        if kind == JOIN_ACCEPT:
            self._join_accept(phy)
        elif kind == JOIN_REQUEST and len(phy) == 23:
            self.frames_sent += 1
            self.join_requests += 1
            node = self._nodes.get(phy[9:17][::-1].hex())
            if node is not None:
                node.dev_nonce = int.from_bytes(phy[17:19], "little")
        elif kind in (UNCONFIRMED_UP, CONFIRMED_UP) and len(phy) >= 12:
            self.frames_sent += 1
            self._data_up(emission, kind == CONFIRMED_UP)

    def on_heard(self, gateway_id: str, emission: Emission) -> None:
        """A radio gateway forwarded this emission."""
        key = (emission.sender, emission.start_us)
        if key not in self._heard:
            self._heard.add(key)
            self.frames_heard += 1
        uplink = self._on_air.get(key)
        if uplink is None:
            return
        if not uplink.gateways:
            self.uplinks.append(uplink)
            self.readings_heard += len(uplink.readings)
        uplink.gateways.append(gateway_id)

    def on_console(self, dev_eui: str, t_us: int, line: str) -> None:
        """A line of the node's console: `revier reading ...`, `revier uplink ...`."""
        node = self._nodes[dev_eui]
        if line.startswith("revier reading ") and f" port={BATCH} " not in line:
            node.readings += 1  # a batch's are told one by one, as they are taken
        elif line.startswith("revier uplink "):
            words = dict(CONSOLE_WORD.findall(line))
            if "seq" in words and "f_cnt" in words and words["seq"].isdigit():
                self._said(node, int(words["f_cnt"]), int(words["seq"]), t_us)

    def _said(self, node: _Node, f_cnt: int, seq: int, t_us: int) -> None:
        now_us = self._start_unix_us + t_us
        node.said[f_cnt] = (now_us, seq)
        for uplink in reversed(self.uplinks):
            if now_us - uplink.end_unix_us > CONSOLE_SLACK_US:
                break
            if uplink.dev_eui == node.dev_eui and uplink.f_cnt == f_cnt and uplink.seq is None:
                uplink.seq = seq

    # --- LoRaWAN -----------------------------------------------------------------------------

    def _join_accept(self, phy: bytes) -> None:
        for node in self._nodes.values():
            if node.dev_nonce is None:
                continue
            plain = _aes(node.app_key, phy[1:])
            if _cmac(node.app_key, phy[:1] + plain[:-4])[:4] != plain[-4:]:
                continue
            seed = plain[:6] + struct.pack("<H", node.dev_nonce) + bytes(7)  # L2 6.2.6
            session = _Session(
                len(node.sessions),
                plain[6:10],
                _aes(node.app_key, b"\x01" + seed),
                _aes(node.app_key, b"\x02" + seed),
            )
            node.sessions.append(session)
            self._by_addr.setdefault(session.dev_addr, []).append((node, session))
            return

    def _owner_of(self, phy: bytes) -> tuple[_Node, _Session, int] | None:
        for node, session in reversed(self._by_addr.get(phy[1:5], [])):
            f_cnt = _f_cnt_by_mic(phy, session)
            if f_cnt is not None:
                return node, session, f_cnt
        return None

    def _data_up(self, emission: Emission, confirmed: bool) -> None:
        phy = emission.payload
        owner = self._owner_of(phy)
        if owner is None:
            self.unreadable += 1
            return
        node, session, f_cnt = owner
        session.f_cnt_next = f_cnt + 1
        node.proven_sessions.add(session.number)
        f_port, payload = _open(phy, session, f_cnt)
        end_unix_us = self._start_unix_us + emission.end_us
        said = node.said.get(f_cnt)
        fresh = said is not None and abs(end_unix_us - said[0]) <= CONSOLE_SLACK_US
        uplink = TrueUplink(
            end_unix_us,
            node.dev_eui,
            session.dev_addr[::-1].hex(),
            session.number,
            f_cnt,
            confirmed,
            f_port,
            payload,
            seq=said[1] if said is not None and fresh else None,
        )
        self._on_air[(emission.sender, emission.start_us)] = uplink


def _f_cnt_by_mic(phy: bytes, session: _Session) -> int | None:
    """The 32-bit counter under which the MIC is right; None: not of this session."""
    low = int.from_bytes(phy[6:8], "little")
    high = session.f_cnt_next & ~0xFFFF
    for f_cnt in (high | low, (high | low) + 0x10000, (high | low) - 0x10000):
        if not 0 <= f_cnt < 1 << 32:
            continue
        block = struct.pack("<BIB4sIBB", 0x49, 0, 0, phy[1:5], f_cnt, 0, len(phy) - 4)  # L2 4.4
        if _cmac(session.nwk_s_key, block + phy[:-4])[:4] == phy[-4:]:
            return f_cnt
    return None


def _open(phy: bytes, session: _Session, f_cnt: int) -> tuple[int | None, bytes]:
    """fPort and decrypted FRMPayload, L2 4.3.3."""
    at = 8 + (phy[5] & 0x0F)
    body = phy[at:-4]
    if not body:
        return None, b""
    f_port, sealed = body[0], body[1:]
    key = session.app_s_key if f_port else session.nwk_s_key
    blocks = b"".join(
        struct.pack("<BIB4sIBB", 0x01, 0, 0, phy[1:5], f_cnt, 0, i + 1)
        for i in range((len(sealed) + 15) // 16)
    )
    stream = _aes(key, blocks) if blocks else b""
    return f_port, bytes(a ^ b for a, b in zip(sealed, stream, strict=False))


def _aes(key: bytes, data: bytes) -> bytes:
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - L2 asks for it
    return cipher.update(data) + cipher.finalize()


def _cmac(key: bytes, data: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(data)
    return mac.finalize()


def to_json(uplink: TrueUplink) -> dict[str, object]:
    """For a truth log in a file, one JSON object per line."""
    record: dict[str, object] = asdict(uplink)
    record["payload"] = uplink.payload.hex()
    return record


def from_json(record: dict[str, Any]) -> TrueUplink:
    return TrueUplink(**{**record, "payload": bytes.fromhex(record["payload"])})
