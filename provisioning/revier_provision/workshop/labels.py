# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A node's label in the site's folder, and on its printer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

from revier_inventory import Inventory
from revier_inventory.message import Message, _
from revier_provision import durable_files
from revier_provision.errors import OrderError, cannot_write_in
from revier_provision.labels.label import Label
from revier_provision.labels.tr005 import identification
from revier_provision.links import NodeRecord
from revier_provision.workshop.site_file import Site

PRINTER_S = 5.0
_DRAWING = threading.Lock()  # fontTools reads a font's tables when they are first looked at


def label_of(site: Site, inventory: Inventory, record: NodeRecord) -> Label:
    asset, owner = inventory.asset(record.asset), inventory.owner_of(record.ags)
    assert asset is not None
    assert owner is not None
    text = identification(record.dev_eui, record.join_eui, record.kind, vendor_id=site.vendor_id)
    return Label(
        identification=text,
        dev_eui=record.dev_eui,
        asset=asset.asset,
        kind=asset.kind,
        name=asset.name,
        town=owner.name,
        language=site.lang,
    )


def write(site: Site, inventory: Inventory, record: NodeRecord) -> tuple[Path, ...]:
    """ASSET-DEVEUI.FORMAT for each format of the site. Raises OrderError."""
    assert site.labels is not None
    label = label_of(site, inventory, record)
    paths = []
    try:
        site.labels.mkdir(parents=True, exist_ok=True)
        for name in site.label_formats:
            path = site.labels / f"{record.asset}-{record.dev_eui}.{name}"
            durable_files.replace(path, _drawn(name, label))
            paths.append(path)
    except OSError as error:
        cure = _("Make room or correct the rights there, then run again")
        raise cannot_write_in(site.labels, error, cure) from None
    return tuple(paths)


def send(site: Site, inventory: Inventory, record: NodeRecord) -> Message:
    """To the site's printer; words for the read-back. Raises OrderError."""
    assert site.printer is not None
    host, _colon, port = site.printer.rpartition(":")
    data = _drawn("zpl", label_of(site, inventory, record))
    try:
        with socket.create_connection((host, int(port)), PRINTER_S) as connection:
            connection.sendall(data)
    except OSError as error:
        cure = _(
            "Switch it on or correct label.printer; the label is in the folder, too. Run again"
        )
        raise OrderError(
            "The label printer {printer} does not answer ({error})",
            cure,
            printer=site.printer,
            error=str(error),
        ) from None
    return _("sent to {printer}", printer=site.printer)


def _drawn(name: str, label: Label) -> bytes:
    with _DRAWING:
        return _draw(name, label)


def _draw(name: str, label: Label) -> bytes:
    from revier_provision.labels import pictures as label_pictures

    drawing: dict[str, Callable[[], bytes]] = {
        "svg": lambda: label_pictures.svg(label),
        "png": lambda: label_pictures.png(label),
        "pdf": lambda: label_pictures.pdf([label]),
        "zpl": lambda: label_pictures.zpl([label]),
    }
    return drawing[name]()
