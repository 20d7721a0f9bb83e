# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A node's later life, by the commands: replaced, given a new key, retired; on real MicroPython."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from provisioning.tests.provision.keys_in import found_in
from typer.testing import CliRunner, Result

from revier_bench.network_server.registry import DeviceKeys
from revier_inventory import Inventory, put_owner
from revier_provision import cli, inventory_files
from revier_provision.board.repl_board import open_board
from revier_provision.books import newest_key
from revier_provision.ledger.files import LedgerFolder
from revier_provision.ledger.records import Record, key_id

FIRST, SECOND = bytes.fromhex("240ac4112233"), bytes.fromhex("240ac4445566")
DEV_EUI, NEW_EUI = "240ac4fffe112233", "240ac4fffe445566"
ASSET = "herten-air-01"


class Shop:
    """The commands with everything that they need; `run` returns what they say."""

    def __init__(self, folder: Path, server: Any, inventory: Inventory) -> None:
        self.folder, self.server = folder / "inventory", server
        inventory_files.write(self.folder, inventory)
        token = folder / "token"
        token.write_text(server.token)
        token.chmod(0o600)
        self.reach = ["--server", server.target, "--token-file", token]
        self.vault, self.opener = folder / "vault", folder / "identity"
        self.said = ""
        self.run("vault", "init", self.vault, "--identity-file", self.opener, "--no-passphrase")

    def run(self, *arguments: object, code: int = 0, typed: str = "") -> Result:
        result = CliRunner().invoke(cli.app, [str(each) for each in arguments], input=typed)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        self.said += result.output
        return result

    def books(self, command: str, *arguments: object, **more: Any) -> Result:
        own = ["--inventory", self.folder, "--vault", self.vault, "--station", "bench-1"]
        return self.run(command, *own, *self.reach, *arguments, **more)

    def node(self, board: Any, asset: str = ASSET, *more: object) -> None:
        """At least a second after whatever was before: periods are in whole seconds."""
        time.sleep(1.1 if self.inventory.periods else 0)
        what = ["--kind", "air", "--asset", asset, "--ags", "05562020"]
        self.books("node", "--port", board.path, *what, *more)

    def retire(self, *arguments: object, **more: Any) -> Result:
        own = ["--inventory", self.folder, "--station", "bench-1"]
        return self.run("retire", *own, *self.reach, *arguments, **more)

    @property
    def inventory(self) -> Inventory:
        return inventory_files.read(self.folder)

    @property
    def records(self) -> tuple[Record, ...]:
        return LedgerFolder(self.folder / "ledger", "reader", "me").records()

    @property
    def keys(self) -> dict[str, DeviceKeys]:
        keys: dict[str, DeviceKeys] = self.server.registry.keys
        return keys


@pytest.fixture
def shop(tmp_path: Path, server: Any, bare_herten: Inventory) -> Shop:
    return Shop(tmp_path, server, bare_herten)


def findings(result: Result) -> list[str]:
    return [each["what"] for each in json.loads(result.stdout)["findings"]]


def test_another_board_takes_the_asset_and_the_history_stays(
    shop: Shop, make_pty_board: Any
) -> None:
    old, new = make_pty_board(FIRST), make_pty_board(SECOND)
    shop.node(old)
    began = datetime.now(UTC) - timedelta(hours=1)
    (period,) = shop.inventory.periods
    assert began < period.since
    done = shop.books("replace", "--port", new.path, "--asset", ASSET)
    assert f"Node {NEW_EUI} serves {ASSET}" in done.stdout
    assert f"retire --dev-eui {DEV_EUI}" in done.stdout
    assert "Firmware, self-test, proof and label were left out" in done.stdout

    first, second = shop.inventory.periods_of_asset(ASSET)
    assert (first.dev_eui, second.dev_eui) == (DEV_EUI, NEW_EUI)
    assert first.until == second.since
    registered = shop.server.registry.devices
    assert registered[NEW_EUI].tags == {"asset": ASSET, "ags": "05562020"}
    assert registered[DEV_EUI].tags == {"ags": "05562020"}, "late readings are not refused"
    assert not registered[DEV_EUI].is_disabled
    assert registered[DEV_EUI].name == f"{ASSET} (replaced)"
    assert DEV_EUI in shop.keys
    assert shop.records[-1].event == "replaced"
    assert findings(shop.books("verify", "--json")) == []

    again = json.loads(shop.books("replace", "--port", new.path, "--asset", ASSET, "--json").stdout)
    assert again["record"]["steps"] == []
    assert again["old_dev_eui"] == DEV_EUI
    assert len(shop.inventory.periods) == 2

    shop.retire("--dev-eui", DEV_EUI, "--port", old.path, "--yes")
    assert DEV_EUI not in registered
    assert NEW_EUI in registered
    assert shop.inventory.periods_of_asset(ASSET) == (first, second)
    of_board = shop.books("verify", "--json", "--port", new.path, code=1)
    assert findings(of_board) == ["firmware"], "there is none on this board"


def test_a_mistyped_device_is_not_retired(shop: Shop) -> None:
    refused = shop.retire("--dev-eui", "240ac4fffe112234", "--yes", code=1)
    assert "knows a device 240ac4fffe112234" in refused.stderr
    assert "revier-provision status" in refused.stderr
    assert shop.records == ()


def test_node_with_replace_is_the_same(shop: Shop, make_pty_board: Any) -> None:
    old, new = make_pty_board(FIRST), make_pty_board(SECOND)
    shop.node(old)
    shop.node(new, ASSET, "--replace")
    registered = shop.server.registry.devices
    assert registered[NEW_EUI].tags["asset"] == ASSET
    assert registered[DEV_EUI].tags == {"ags": "05562020"}
    assert shop.records[-1].event == "replaced"


def test_replaced_without_chirpstack_and_caught_up_later(shop: Shop, make_pty_board: Any) -> None:
    old, new = make_pty_board(FIRST), make_pty_board(SECOND)
    shop.node(old)
    own = ["--port", new.path, "--asset", ASSET, "--inventory", shop.folder]
    offline = shop.run("replace", *own)
    assert "Next: register it" in offline.stdout
    assert "Then run replace again" in offline.stdout
    registered = shop.server.registry.devices
    assert set(registered) == {DEV_EUI}
    found = findings(shop.books("verify", "--json", code=1))
    assert {"registration", "tags"} <= set(found)
    shop.books("register", "--port", new.path)
    shop.books("replace", "--port", new.path, "--asset", ASSET)
    assert registered[NEW_EUI].tags["asset"] == ASSET
    assert registered[DEV_EUI].tags == {"ags": "05562020"}
    assert findings(shop.books("verify", "--json")) == []


def test_a_moved_devices_tag_stays_when_its_old_asset_is_taken(
    shop: Shop, make_pty_board: Any
) -> None:
    moved, new = make_pty_board(FIRST), make_pty_board(SECOND)
    shop.node(moved)
    shop.node(moved, "herten-air-02")
    shop.books("replace", "--port", new.path, "--asset", ASSET)
    assert shop.server.registry.devices[DEV_EUI].tags["asset"] == "herten-air-02"
    unknown = shop.books("replace", "--port", new.path, "--asset", "herten-air-99", code=1)
    assert "no asset 'herten-air-99'" in unknown.stderr


def test_a_new_key_at_both_ends_and_the_dev_nonce_goes_on(shop: Shop, pty_board: Any) -> None:
    shop.node(pty_board)
    before = shop.keys[DEV_EUI].nwk_key
    shop.keys[DEV_EUI].dev_nonces["00" * 8] = {0, 1, 2}
    with open_board(pty_board.path) as board:
        board._repl.run("import esp32; esp32.NVS('lorawan').set_i32('dev_nonce', 3)")
    done = shop.books("rekey", "--port", pty_board.path)
    assert "has a new key" in done.stdout
    after = shop.keys[DEV_EUI]
    assert after.nwk_key != before
    assert not after.dev_nonces, "they belonged to the old key"
    with open_board(pty_board.path) as board:
        said = board._repl.run("import esp32; print(esp32.NVS('lorawan').get_i32('dev_nonce'))")
        assert int(said) == 3
        challenge = bytes(range(16))
        assert board.app_key_digest(challenge) is not None
    assert newest_key(shop.records, DEV_EUI) == key_id(after.nwk_key)
    assert [record.event for record in shop.records if not record.key_id][-1] == "rekeyed"
    assert findings(shop.books("verify", "--json", code=0)) == []
    shop.books("rekey", "--port", pty_board.path)
    ids = [record.key_id for record in shop.records if record.event == "key-reserved"]
    assert len(ids) == len(set(ids)) == 3
    for key in (before, after.nwk_key, shop.keys[DEV_EUI].nwk_key):
        assert found_in(shop.said.encode(), key) == []


def test_rekey_after_the_board_lost_everything(shop: Shop, make_pty_board: Any) -> None:
    shop.node(make_pty_board(FIRST), ASSET, "--join-eui", "8c1f64abc0000001")
    old = shop.keys[DEV_EUI].nwk_key
    blank = make_pty_board(FIRST)  # the same chip with an erased flash
    refused = shop.books("rekey", "--port", blank.path, code=1)
    assert "Give --board" in refused.stderr
    assert shop.keys[DEV_EUI].nwk_key == old
    shop.books("rekey", "--port", blank.path, "--board", "heltec_v3")
    assert shop.keys[DEV_EUI].nwk_key != old
    with open_board(blank.path) as board:
        state = board.state()
    assert (state.dev_eui, state.join_eui) == (DEV_EUI, "8c1f64abc0000001")
    assert state.node_json == {"kind": "air", "board": "heltec_v3", "interval_s": 900}


def test_rekey_and_retire_need_the_server(shop: Shop, pty_board: Any) -> None:
    own = ["--inventory", shop.folder]
    rekey = shop.run("rekey", "--port", pty_board.path, *own, code=1)
    assert "lock the node out" in rekey.stderr
    assert "--server" in rekey.stderr
    retire = shop.run("retire", "--dev-eui", DEV_EUI, "--yes", *own, code=1)
    assert "--server" in retire.stderr
    assert "Give --dev-eui" in shop.retire(code=1).stderr
    assert "is no DevEUI" in shop.retire("--dev-eui", "12", code=1).stderr
    stranger = shop.books("rekey", "--port", pty_board.path, code=1)
    assert "revier-provision node" in stranger.stderr


def test_retired_with_the_board(shop: Shop, pty_board: Any) -> None:
    shop.node(pty_board)
    with open_board(pty_board.path) as board:
        board._repl.run(
            "import esp32; n = esp32.NVS('lorawan'); n.set_i32('dev_nonce', 7); "
            "n.set_i32('seq_lease', 256); n.set_blob('session', b'x')"
        )
    other = shop.retire("--dev-eui", DEV_EUI, typed="0000\n", code=1)
    assert "nothing was done" in other.stderr
    assert DEV_EUI in shop.keys
    shop.retire("--dev-eui", DEV_EUI, "--port", pty_board.path, typed=f"{DEV_EUI}\n")
    assert DEV_EUI not in shop.server.registry.devices
    assert DEV_EUI not in shop.keys
    (period,) = shop.inventory.periods
    assert period.until is not None
    with open_board(pty_board.path) as board:
        state = board.state()
        assert (state.dev_eui, state.join_eui, state.node_json) == (None, None, None)
        assert not state.has_app_key
        numbers = board._repl.run(
            "import esp32; n = esp32.NVS('lorawan'); "
            "print(n.get_i32('dev_nonce'), n.get_i32('seq_lease'))"
        )
    assert numbers.split() == ["7", "256"]
    last = shop.records[-1]
    assert (last.event, last.asset, last.chip_mac) == ("retired", ASSET, FIRST.hex())
    assert last.note == ""
    assert findings(shop.books("verify", "--json")) == []
    done = json.loads(shop.retire("--port", pty_board.path, "--yes", "--json").stdout)
    assert (done["was_registered"], done["period_ended"], done["wiped"]) == (False, False, True)


def test_another_owners_device_is_not_deleted(shop: Shop, pty_board: Any) -> None:
    shop.node(pty_board)
    stranger = msgspec.structs.replace(shop.inventory.owners[0], application_ids=())
    inventory_files.change(shop.folder, lambda now: put_owner(now, stranger))
    refused = shop.retire("--dev-eui", DEV_EUI, "--yes", code=1)
    assert "none of this inventory's owners" in refused.stderr
    assert DEV_EUI in shop.keys


def test_retired_without_the_board_the_key_is_still_there(shop: Shop, make_pty_board: Any) -> None:
    board, other = make_pty_board(FIRST), make_pty_board(SECOND)
    shop.node(board)
    done = shop.retire("--dev-eui", DEV_EUI.upper(), "--yes")
    assert "still on the board" in done.stdout
    assert "still on the board" in shop.records[-1].note
    wrong = shop.retire("--dev-eui", DEV_EUI, "--port", other.path, "--yes", code=1)
    assert f"not {DEV_EUI}, but {NEW_EUI}" in wrong.stderr
    shop.node(board, "herten-air-02")
    assert DEV_EUI in shop.keys, "a retired board can be made a node again"


def test_an_eui_of_the_owners_block_goes_all_the_way(
    shop: Shop, make_pty_board: Any, tmp_path: Path
) -> None:
    block = tmp_path / "block.toml"
    block.write_text(
        'prefix = "8c1f64abc"\nregistered_to = "Kreis"\n[stations]\n'
        'bench-1 = ["0000000", "0ffffff"]\n'
    )
    own = "8c1f64abc0000000"
    first, second = make_pty_board(FIRST), make_pty_board(SECOND)
    shop.node(first, ASSET, "--eui-block", block)
    assert set(shop.keys) == {own}
    key = shop.keys[own].nwk_key
    shop.node(first)  # the ledger knows it, block or not
    assert set(shop.keys) == {own}
    assert shop.keys[own].nwk_key == key
    shop.books("register", "--port", first.path)
    shop.node(second, "herten-air-02", "--eui-block", block)
    assert set(shop.keys) == {own, "8c1f64abc0000001"}
    shop.books("rekey", "--port", first.path)
    assert shop.keys[own].nwk_key != key
    assert findings(shop.books("verify", "--json", "--port", first.path, code=1)) == ["firmware"]
    shop.retire("--port", first.path, "--yes")
    assert set(shop.keys) == {"8c1f64abc0000001"}
    shop.node(first)
    assert set(shop.keys) == {own, "8c1f64abc0000001"}, "a chip keeps its DevEUI for ever"
    block.write_text(block.read_text().replace("8c1f64abc", "02c0ffee1"))
    what = ["--kind", "air", "--asset", ASSET, "--ags", "05562020", "--eui-block", block]
    refused = shop.books("node", "--port", first.path, *what, code=1)
    assert "locally administered" in refused.stderr
