# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The vault and the books: keys at rest are closed, made once, entered, and shown on purpose."""

from __future__ import annotations

import json
import random
import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyrage
import pytest
from typer.testing import CliRunner, Result

from revier_inventory import begin_period
from revier_provision import BoardError, NodeOrder, OrderError, cli, inventory_files
from revier_provision.books import Books, newest_key, provision_entered
from revier_provision.errors import LedgerError
from revier_provision.ledger import names as ledger_names
from revier_provision.ledger.files import LedgerFolder, verify
from revier_provision.ledger.records import key_id
from revier_provision.vault import vault
from revier_provision.vault.vault import Vault

DEV_EUI = "240ac4fffe112233"
KEY = bytes.fromhex("00112233445566778899aabbccddeeff")
KEY_ID = key_id(KEY)
PASSPHRASE = "korrekt pferd batterie"
AT = datetime(2026, 5, 1, 8, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    vault.create(tmp_path / "vault", tmp_path / "identity", None)
    return tmp_path / "vault"


def identity(folder: Path) -> pyrage.x25519.Identity:
    return vault.open_identity((folder / "identity").read_bytes(), None)


def test_a_key_comes_back_only_with_the_identity(store: Path, tmp_path: Path) -> None:
    Vault(store).put(DEV_EUI, KEY)
    Vault(store).put(DEV_EUI, KEY)
    assert Vault(store).key_ids(DEV_EUI) == [KEY_ID]
    assert Vault(store).get(DEV_EUI, KEY_ID, identity(tmp_path)) == KEY
    path = store / f"{DEV_EUI}.{KEY_ID}.age"
    assert path.read_bytes().startswith(vault.AGE_FILE)
    assert KEY.hex().encode() not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "identity").stat().st_mode) == 0o600
    with pytest.raises(OrderError, match="does not open"):
        Vault(store).get(DEV_EUI, KEY_ID, pyrage.x25519.Identity.generate())


def test_swapped_changed_and_missing_files_are_refused(store: Path, tmp_path: Path) -> None:
    Vault(store).put(DEV_EUI, KEY)
    path = store / f"{DEV_EUI}.{KEY_ID}.age"
    other = store / f"{'f' * 16}.{KEY_ID}.age"
    other.write_bytes(path.read_bytes())
    with pytest.raises(OrderError, match="does not hold the key"):
        Vault(store).get("f" * 16, KEY_ID, identity(tmp_path))
    sealed = path.read_bytes()
    path.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(OrderError, match="does not open"):
        Vault(store).get(DEV_EUI, KEY_ID, identity(tmp_path))
    path.unlink()
    with pytest.raises(OrderError, match="run node again"):
        Vault(store).get(DEV_EUI, KEY_ID, identity(tmp_path))


def test_every_recipient_can_open_it(store: Path, tmp_path: Path) -> None:
    second = pyrage.x25519.Identity.generate()
    with (store / "recipients.txt").open("a") as file:
        file.write(f"# the deputy\n\n{second.to_public()}\n")
    Vault(store).put(DEV_EUI, KEY)
    for each in (identity(tmp_path), second):
        assert Vault(store).get(DEV_EUI, KEY_ID, each) == KEY
    (store / "recipients.txt").write_text("age1nonsense\n")
    with pytest.raises(OrderError, match="no age public key"):
        Vault(store)
    (store / "recipients.txt").write_text("# nobody\n")
    with pytest.raises(OrderError, match="0 recipients"):
        Vault(store)


def test_a_passphrase_closes_the_identity(tmp_path: Path) -> None:
    with pytest.raises(OrderError, match="too short"):
        vault.create(tmp_path / "v", tmp_path / "id", "short")
    vault.create(tmp_path / "v", tmp_path / "id", PASSPHRASE)
    data = (tmp_path / "id").read_bytes()
    assert vault.needs_passphrase(data)
    assert b"AGE-SECRET-KEY" not in data
    opened = vault.open_identity(data, PASSPHRASE)
    assert str(opened.to_public()) == (tmp_path / "v" / "recipients.txt").read_text().strip()
    with pytest.raises(OrderError, match="passphrase is not right"):
        vault.open_identity(data, PASSPHRASE + "x")
    with pytest.raises(OrderError, match="no identity of age"):
        vault.open_identity(b"nothing", None)
    with pytest.raises(OrderError, match="There is a vault"):
        vault.create(tmp_path / "v", tmp_path / "id2", None)
    with pytest.raises(OrderError, match="File exists"):
        vault.create(tmp_path / "v2", tmp_path / "id", None)
    assert (tmp_path / "id").read_bytes() == data


# Books


class Clock:
    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


class Bench:
    """A workshop in memory with books; each station has its own ledger file."""

    def __init__(self, workshop: Any, tmp_path: Path, store: Path) -> None:
        self.workshop, self.folder, self.store = workshop, tmp_path / "ledger", store
        self.clock = Clock()
        workshop.board.firmware_sha256 = lambda: "ab" * 32

    def books(self, station: str = "a") -> Books:
        ledger = LedgerFolder(self.folder, station, "Änne", self.clock)
        return Books(ledger, Vault(self.store))

    def run(self, station: str = "a", entropy: Any = None, **changes: Any) -> Any:
        shop = self.workshop
        order: NodeOrder = msgspec.structs.replace(shop.order, **changes)
        return provision_entered(
            lambda _: order,
            shop.board,
            shop.network_server,
            shop.folder,
            entropy or shop.entropy,
            self.books(station),
        )

    def events(self, station: str = "a") -> list[str]:
        return [record.event for record in verify(self.folder)[station].records]


@pytest.fixture
def bench(workshop: Any, tmp_path: Path, store: Path) -> Bench:
    return Bench(workshop, tmp_path, store)


def test_a_run_is_entered_with_its_steps_and_its_key_is_kept(bench: Bench, tmp_path: Path) -> None:
    record = bench.run()
    assert bench.events() == ["key-reserved", "provisioned"]
    entered = verify(bench.folder)["a"].records[-1]
    assert entered.dev_eui == DEV_EUI
    assert entered.chip_mac == "240ac4112233"
    who = ledger_names.by_code(bench.folder)[entered.by]
    assert (entered.asset, entered.ags, who) == ("herten-air-01", "05562020", "Änne")
    assert entered.firmware_sha256 == "ab" * 32
    steps = [one.step for one in entered.steps]
    assert set(steps) == {*record.steps, "read the chip", "look at the network server"}
    assert {one.result for one in entered.steps} == {"done"}
    key = bench.workshop.board.key
    assert Vault(bench.store).get(DEV_EUI, key_id(key), identity(tmp_path)) == key


def test_a_failed_run_is_entered_up_to_the_step_that_failed(bench: Bench) -> None:
    bench.workshop.board.app_key_digest = lambda challenge: bytes(32)
    with pytest.raises(BoardError):
        bench.run()
    assert bench.events() == ["key-reserved", "failed"]
    entered = verify(bench.folder)["a"].records[-1]
    assert entered.steps[-1].step == "write identity and key to the board"
    assert [one.result for one in entered.steps[-2:]] == ["done", "failed"]
    assert "read back" in entered.note


def test_a_cut_anywhere_leaves_the_newest_key_in_the_vault(
    make_workshop: Callable[[], Any], tmp_path: Path, store: Path
) -> None:
    first = Bench(make_workshop(), tmp_path / "first", store)
    first.run()
    for cut in range(2, first.workshop.cable.calls):
        bench = Bench(make_workshop(), tmp_path / str(cut), store)
        bench.workshop.cable.cut = cut
        with pytest.raises(BoardError):
            bench.run()
        bench.run()
        newest = newest_key(bench.books().ledger.records(), DEV_EUI)
        assert newest == key_id(bench.workshop.board.key)
        assert Vault(store).holds(DEV_EUI, newest)
        assert bench.events()[-1] == "provisioned"


def test_no_key_is_used_twice_at_any_station(
    bench: Bench, make_workshop: Callable[[], Any], tmp_path: Path
) -> None:
    def stuck(count: int) -> bytes:
        return bytes(range(count))

    bench.run("a", entropy=stuck)
    other = Bench(make_workshop(), tmp_path, bench.store)
    other.workshop.board.mac = bytes.fromhex("240ac4112244")
    with pytest.raises(OrderError, match=f"new key is that of device {DEV_EUI}"):
        other.run("b", entropy=stuck)
    assert other.workshop.board.key is None, "refused before it went anywhere"
    other.run("b")
    assert other.workshop.board.key is not None


def test_a_device_of_another_station_is_not_made_anew(
    bench: Bench, make_workshop: Callable[[], Any], tmp_path: Path
) -> None:
    bench.run("a")
    other = Bench(make_workshop(), tmp_path, bench.store)
    other.workshop.entropy = random.Random("b").randbytes
    with pytest.raises(OrderError, match=r"Station a made device .* node of 'herten-air-01'"):
        other.run("b", asset="herten-air-02")
    inventory_files.change(
        other.workshop.folder, lambda now: begin_period(now, DEV_EUI, "herten-air-01", AT)
    )
    with pytest.raises(Exception, match="herten-air-01"):
        other.run("b", asset="herten-air-02")
    other.run("b")


def test_a_node_made_before_the_vault_is_taken_in(bench: Bench, workshop: Any) -> None:
    from revier_provision import provision_node

    arguments = workshop.order, workshop.board, workshop.network_server, workshop.folder
    provision_node(*arguments, workshop.entropy)
    assert Vault(bench.store).key_ids(DEV_EUI) == []
    assert bench.run().steps == ()
    assert Vault(bench.store).key_ids(DEV_EUI) == [key_id(workshop.board.key)]
    bench.run()
    assert bench.events() == ["key-kept", "provisioned", "provisioned"]


def test_a_broken_ledger_stops_before_anything_is_done(bench: Bench) -> None:
    bench.run()
    key = bench.workshop.board.key
    path = bench.folder / "a.jsonl"
    path.write_bytes(path.read_bytes().replace(b"herten", b"Herten", 1))
    bench.workshop.network_server.keys.clear()
    with pytest.raises(LedgerError):
        bench.run()
    assert bench.workshop.board.key == key


# Commands


def run(*arguments: object, code: int = 0, typed: str = "") -> Result:
    result = CliRunner().invoke(cli.app, list(map(str, arguments)), input=typed)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def test_a_key_is_shown_on_purpose_and_entered(bench: Bench, tmp_path: Path) -> None:
    twice = f"{PASSPHRASE}\n{PASSPHRASE}\n"
    made = run("vault", "init", tmp_path / "v", "--identity-file", tmp_path / "i", typed=twice)
    assert "two safe places" in made.stdout
    assert PASSPHRASE not in made.output
    bench.store = tmp_path / "v"
    bench.run()
    key: str = bench.workshop.board.key.hex()
    command = ["show-key", "--dev-eui", DEV_EUI, "--vault", bench.store, "--station", "desk"]
    command += ["--inventory", bench.workshop.folder, "--ledger", bench.folder]
    command += ["--identity-file", tmp_path / "i", "--by", "Uwe"]
    other = run(*command, typed=f"{'f' * 16}\n", code=1)
    assert "nothing was shown" in other.stderr
    wrong = run(*command, typed=f"{DEV_EUI}\nnot the passphrase\n", code=1)
    assert "passphrase is not right" in wrong.stderr
    assert "desk" not in verify(bench.folder)
    shown = run(*command, typed=f"240A C4FF FE11 2233\n{PASSPHRASE}\n")
    assert shown.stdout.splitlines()[-1] == key
    assert key not in shown.stderr + other.output + wrong.output
    (entered,) = verify(bench.folder)["desk"].records
    who = ledger_names.by_code(bench.folder)[entered.by]
    assert (entered.event, entered.dev_eui, who) == ("key-shown", DEV_EUI, "Uwe")
    (tmp_path / "i").chmod(0o644)
    assert "chmod 600" in run(*command, typed=f"{DEV_EUI}\n", code=1).stderr
    unknown = [*command]
    unknown[2] = "f" * 16
    assert "vault fill" in run(*unknown, code=1).stderr
    unknown[2] = "xyz"
    assert "16 hex digits" in run(*unknown, code=1).stderr


def test_keys_of_older_nodes_are_filled_in_from_chirpstack(
    server: Any, bench: Bench, tmp_path: Path
) -> None:
    from revier_provision import ChirpStack, provision_node

    shop = bench.workshop
    with ChirpStack(server.target, server.token) as chirpstack:
        provision_node(shop.order, shop.board, chirpstack, shop.folder, shop.entropy)
    inventory_files.change(
        shop.folder, lambda now: begin_period(now, "f" * 16, "herten-air-02", AT)
    )
    token = tmp_path / "token"
    token.write_text(server.token)
    token.chmod(0o600)
    fill = ["vault", "fill", "--inventory", shop.folder, "--vault", bench.store]
    assert "--server" in run(*fill, code=1).stderr
    reach = ["--server", server.target, "--token-file", token, "--station", "a", "--json"]
    said = json.loads(run(*fill, *reach).stdout)
    assert said == {"kept": [DEV_EUI], "without_key": ["f" * 16]}
    which = key_id(shop.board.key)
    assert Vault(bench.store).get(DEV_EUI, which, identity(tmp_path)) == shop.board.key
    assert json.loads(run(*fill, *reach).stdout)["kept"] == []
    assert len(verify(shop.folder / "ledger")["a"].records) == 1


def test_a_file_that_asks_for_too_much_work_is_not_called_a_wrong_passphrase() -> None:
    data = pyrage.passphrase.encrypt(b"AGE", "four random words")
    (stanza,) = re.findall(rb"-> scrypt \S+ \d+", data)
    heavy = data.replace(stanza, re.sub(rb"\d+$", b"40", stanza))
    with pytest.raises(OrderError, match="too slow, or too busy"):
        vault.open_identity(heavy, "four random words")
    with pytest.raises(OrderError, match="not right"):
        vault.open_identity(data, "four other words")
