# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A DevEUI of the owner's block for a chip: entered in the ledger before it is used, for ever."""

from __future__ import annotations

from pathlib import Path

import msgspec

from revier_inventory import Inventory
from revier_inventory.message import _
from revier_provision import identity, inventory_files
from revier_provision.books import Books, allotted_to
from revier_provision.errors import OrderError, cannot_read
from revier_provision.fleet.eui_block import EuiBlock, next_dev_eui, parse
from revier_provision.ledger.records import Entry, Record
from revier_provision.links import BoardLink, NodeOrder


def allot(
    mac: bytes, block: EuiBlock, inventory: Inventory, books: Books, *, local_mac_ok: bool = False
) -> str:
    """The chip's DevEUI: the one that it was given before, else the station's next.

    Raises OrderError if the chip is a device under its own MAC's DevEUI.
    """
    own = identity.dev_eui_from_mac(mac, local_ok=local_mac_ok)
    ledger = books.ledger
    records = ledger.records()
    known = allotted_to(records, mac)
    if known is not None:
        return known
    if inventory.knows_device(own) or any(record.dev_eui == own for record in records):
        cure = "Leave --eui-block out: a chip keeps the DevEUI that it has"
        raise OrderError("This chip is device {own} already", cure, own=own)

    def entry(union: tuple[Record, ...]) -> Entry:
        used = {record.dev_eui for record in union if record.dev_eui}
        used |= {period.dev_eui for period in inventory.periods}
        return Entry(
            at=ledger.now(),
            by=ledger.by,
            event="eui-allotted",
            dev_eui=next_dev_eui(block, ledger.station, used),
            chip_mac=mac.hex(),
        )

    return ledger.append(entry).dev_eui


def read_block(path: Path | None) -> EuiBlock | None:
    """The block in this file. Raises OrderError, FaultsError."""
    if path is None:
        return None
    try:
        return parse(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise cannot_read(path, error, _("Correct the path")) from None


def order_with_block(
    order: NodeOrder, board: BoardLink, block: EuiBlock | None, inventory_dir: Path, books: Books
) -> NodeOrder:
    """The order with the DevEUI of the block; without a block as it was."""
    if block is None:
        return order
    inventory = inventory_files.read(inventory_dir)
    mac = board.factory_mac()
    dev_eui = allot(mac, block, inventory, books, local_mac_ok=order.local_mac_ok)
    return msgspec.structs.replace(order, dev_eui=dev_eui)
