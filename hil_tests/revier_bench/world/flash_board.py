# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A virtual board in a flash programmer: provisioning writes NVS and /node.json while it is off.

Fulfils revier_provision's BoardLink as the raw REPL does, without wall time passing: twelve
boards are ready in seconds. The demo's nodes come the whole way instead (demo/unboxing.py).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from revier_bench import image
from revier_bench.virtual_board import Nvs
from revier_provision.links import BoardState

NAMESPACE = "lorawan"
NODE_JSON = "/node.json"


class FlashBoard:
    """`build_dir` keeps what reading and writing a flash image needs between runs."""

    def __init__(self, mac: bytes, flash_image: Path, build_dir: Path) -> None:
        self._mac = mac
        self._flash_image = flash_image
        self._build_dir = build_dir

    def factory_mac(self) -> bytes:
        return self._mac

    def state(self) -> BoardState:
        nvs = Nvs(self._flash_image)
        text = image.read_files(self._flash_image, self._build_dir).get(NODE_JSON)
        return BoardState(
            dev_eui=_printed(nvs, "dev_eui"),
            join_eui=_printed(nvs, "join_eui"),
            has_app_key=_blob(nvs, "app_key") is not None,
            node_json=None if text is None else json.loads(text),
        )

    def write_identity(self, dev_eui: str, join_eui: str, app_key: bytes) -> None:
        nvs = Nvs(self._flash_image)
        nvs.erase(NAMESPACE, "session")
        nvs.set(NAMESPACE, "dev_eui", bytes.fromhex(dev_eui))
        nvs.set(NAMESPACE, "join_eui", bytes.fromhex(join_eui))
        nvs.set(NAMESPACE, "app_key", app_key)
        nvs.commit()

    def app_key_digest(self, challenge: bytes) -> bytes | None:
        app_key = _blob(Nvs(self._flash_image), "app_key")
        return None if app_key is None else hashlib.sha256(challenge + app_key).digest()

    def write_node_json(self, node_json: dict[str, object]) -> None:
        text = json.dumps(node_json).encode()
        image.write_files(self._flash_image, {NODE_JSON: text}, self._build_dir)


def _blob(nvs: Nvs, key: str) -> bytes | None:
    value = nvs.get(NAMESPACE, key)
    return value if isinstance(value, bytes) else None


def _printed(nvs: Nvs, key: str) -> str | None:
    value = _blob(nvs, key)
    return None if value is None else value.hex()
