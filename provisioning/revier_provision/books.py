# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The books of a workshop: ledger and vault, and provisioning that is entered in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Protocol

import msgspec
import pyrage

from revier_inventory import Inventory, InventoryError
from revier_inventory.message import Message
from revier_provision import identity, inventory_files
from revier_provision.errors import OrderError, ProvisionError
from revier_provision.flow import Entropy, Progress, provision_node
from revier_provision.ledger.files import LedgerFolder
from revier_provision.ledger.records import Entry, Event, Record, StepResult, key_id
from revier_provision.links import BoardLink, NetworkServer, NodeOrder, NodeRecord
from revier_provision.vault.vault import Vault

NOTE_CHARS_MAX = 400
KNOWN_KEYS_MAX = 8  # each is asked of the board
KEY_EVENTS: tuple[Event, ...] = ("key-reserved", "key-kept")
MADE_EVENTS: tuple[Event, ...] = ("provisioned", "replaced", "rekeyed")


class FirmwareBoard(BoardLink, Protocol):
    """A board that can tell what runs on it."""

    def firmware_sha256(self) -> str:
        """Of the application's files, in lower-case hex; empty: there is none."""


class Books:
    """Keys are reserved in the ledger, and kept in the vault if there is one.

    `vault_identity` opens the vault: only then can a key that a board holds be used again.
    """

    def __init__(
        self,
        ledger: LedgerFolder,
        vault: Vault | None,
        vault_identity: pyrage.x25519.Identity | None = None,
    ) -> None:
        self.ledger = ledger
        self._vault = vault
        self._vault_identity = vault_identity

    def known(self, dev_eui: str) -> Iterator[bytes]:
        """Keys of this device that the vault gives out here, the newest first."""
        if self._vault is None or self._vault_identity is None:
            return
        for which in islice(key_ids(self.ledger.records(), dev_eui), KNOWN_KEYS_MAX):
            if self._vault.holds(dev_eui, which):
                yield self._vault.get(dev_eui, which, self._vault_identity)

    def enter(self, event: Event, **what: object) -> Record:
        entry = Entry(at=self.ledger.now(), by=self.ledger.by, event=event, **what)  # type: ignore[arg-type]
        return self.ledger.append(lambda _: entry)

    def reserve(self, dev_eui: str, app_key: bytes) -> None:
        """Before a new key is used anywhere. Raises OrderError if any station has had it."""

        def entry(union: tuple[Record, ...]) -> Entry:
            which = key_id(app_key)
            for record in union:
                if record.event in KEY_EVENTS and record.key_id == which:
                    problem = "The new key is that of device {dev_eui}, made before"
                    cure = "Do not use this machine: its source of random numbers is broken"
                    raise OrderError(problem, cure, dev_eui=record.dev_eui)
            return self._kept("key-reserved", dev_eui, app_key)

        self.ledger.append(entry)

    def keep(self, dev_eui: str, app_key: bytes) -> bool:
        """A key that is in use already; False if vault and ledger have it as the newest."""
        which = key_id(app_key)
        newest = newest_key(self.ledger.records(), dev_eui)
        if newest == which and (self._vault is None or self._vault.holds(dev_eui, which)):
            return False
        self.ledger.append(lambda _: self._kept("key-kept", dev_eui, app_key))
        return True

    def _kept(self, event: Event, dev_eui: str, app_key: bytes) -> Entry:
        if self._vault is not None:
            self._vault.put(dev_eui, app_key)
        return Entry(
            at=self.ledger.now(),
            by=self.ledger.by,
            event=event,
            dev_eui=dev_eui,
            key_id=key_id(app_key),
        )


def newest_key(records: Iterable[Record], dev_eui: str) -> str | None:
    """The id of the key that this device got last, at whichever station."""
    return next(key_ids(records, dev_eui), None)


def key_ids(records: Iterable[Record], dev_eui: str) -> Iterator[str]:
    """Of every key that this device got, the newest first, each once."""
    of_device = [r for r in records if r.event in KEY_EVENTS and r.dev_eui == dev_eui]
    of_device.sort(key=lambda record: (record.at, record.number), reverse=True)
    yield from dict.fromkeys(record.key_id for record in of_device)


def allotted_to(records: Iterable[Record], mac: bytes) -> str | None:
    """The DevEUI that this chip got from the owner's block, at whichever station."""
    for record in records:
        if record.event == "eui-allotted" and record.chip_mac == mac.hex():
            return record.dev_eui
    return None


def provision_entered(
    order_for: Callable[[BoardLink], NodeOrder],
    board: FirmwareBoard,
    network_server: NetworkServer | None,
    inventory_dir: Path,
    entropy: Entropy,
    books: Books,
    progress: Progress = lambda _step: None,
    event: Event = "provisioned",
) -> NodeRecord:
    """As provision_node; what was done, or how far it came, is entered in the ledger."""
    order = order_for(board)
    mac = board.factory_mac()
    records = books.ledger.records()
    if order.dev_eui is None:
        order = msgspec.structs.replace(order, dev_eui=allotted_to(records, mac))
    dev_eui = identity.dev_eui_of(mac, order.dev_eui, local_ok=order.local_mac_ok)
    check_elsewhere(records, dev_eui, order, inventory_files.read(inventory_dir))
    steps = _Steps(progress)
    what = {
        "dev_eui": dev_eui,
        "chip_mac": mac.hex(),
        "asset": order.asset,
        "ags": order.ags,
        "firmware_sha256": board.firmware_sha256(),
    }
    try:
        record = provision_node(
            order, board, network_server, inventory_dir, entropy, steps.begin, keys=books
        )
    except (ProvisionError, InventoryError, KeyboardInterrupt) as error:
        note = error.problem if isinstance(error, ProvisionError) else type(error).__name__
        note = note[:NOTE_CHARS_MAX]
        books.enter("failed", steps=steps.results(failed=True), note=note, **what)
        raise
    books.enter(event, steps=steps.results(), **what)
    return record


class _Steps:
    """Passes progress on and remembers it; a step is done when the next one begins."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._begun: list[str] = []

    def begin(self, step: Message) -> None:
        self._begun.append(str(step))
        self._progress(step)

    def results(self, *, failed: bool = False) -> tuple[StepResult, ...]:
        done = [StepResult(step, "done") for step in self._begun]
        if failed and done:
            done[-1] = StepResult(self._begun[-1], "failed")
        return tuple(done)


def check_elsewhere(
    records: Iterable[Record], dev_eui: str, order: NodeOrder, inventory: Inventory
) -> None:
    """Refuse a device that another station made a node for what this inventory does not know."""
    made = [r for r in records if r.event in MADE_EVENTS and r.dev_eui == dev_eui]
    if not made or list(inventory.periods_of_device(dev_eui)):
        return
    last = max(made, key=lambda record: record.at)
    if last.asset != order.asset:
        problem = (
            "Station {station} made device {dev_eui} the node of {asset!r}, which this inventory "
            "does not know"
        )
        cure = "Bring the inventory up to date with that station's, then run again"
        raise OrderError(problem, cure, station=last.station, dev_eui=dev_eui, asset=last.asset)
