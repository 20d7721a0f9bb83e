# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision label: what is stuck on a node's housing."""

# ruff: noqa: PLR0913, PLR0917 - a command has as many parameters as options

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from revier_inventory import Inventory
from revier_inventory.message import _, n_
from revier_provision import inventory_files
from revier_provision.cli.options import FolderOption, JsonOption
from revier_provision.cli.output import Output
from revier_provision.errors import OrderError, cannot_write
from revier_provision.labels.label import Label, served_asset
from revier_provision.labels.tr005 import VENDOR_ID_NONE, identification
from revier_provision.links import JOIN_EUI_NONE
from revier_provision.translation import Language

LABELS_MAX = 1000


class Format(StrEnum):
    SVG = "svg"
    PNG = "png"
    PDF = "pdf"
    ZPL = "zpl"


class Words(StrEnum):
    DE = "de"
    EN = "en"


def label(
    inventory: FolderOption,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    asset: Annotated[
        list[str] | None, typer.Option(help="Label of the device that serves it; repeatable.")
    ] = None,
    dev_eui: Annotated[
        list[str] | None, typer.Option(help="Label of this device; repeatable.")
    ] = None,
    file_format: Annotated[
        Format, typer.Option("--format", help="pdf: A4 sheets of 21 labels, 63.5 mm x 38.1 mm.")
    ] = Format.PDF,
    lang: Annotated[Words, typer.Option(help="Language of the words.")] = Words.DE,
    skip: Annotated[int, typer.Option(help="pdf: places of the first sheet used up.")] = 0,
    join_eui: Annotated[str, typer.Option(help="16 hex digits.")] = JOIN_EUI_NONE,
    vendor_id: Annotated[
        str, typer.Option(help="4 hex digits from the LoRa Alliance.")
    ] = VENDOR_ID_NONE,
    owner_token: Annotated[str, typer.Option(help="TR005's owner token; never a key.")] = "",
    serial: Annotated[str, typer.Option(help="Serial number of the housing.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Labels with the LoRa Alliance's QR code (TR005), asset, owner and DevEUI. No key on them."""
    output = Output(as_json=as_json)
    with output.errors():
        known = inventory_files.read(inventory)
        found: list[tuple[str | None, str | None]] = [(name, None) for name in asset or []]
        found += [(None, eui.lower()) for eui in dev_eui or []]
        _check_count(len(found), file_format, skip)

        text_of = partial(
            identification,
            join_eui=join_eui.lower(),
            vendor_id=vendor_id,
            owner_token=owner_token,
            serial=serial,
        )
        labels = [_label(known, name, eui, lang.value, text_of) for name, eui in found]
        _write(out, _writers(skip)[file_format](labels))
        data = {"out": str(out), "labels": [item.identification for item in labels]}
        output.result(
            data,
            n_("{count} label is in {out}.", "{count} labels are in {out}.", len(labels), out=out),
        )


def _check_count(count: int, file_format: Format, skip: int) -> None:
    if not count:
        raise OrderError("No label was asked for", "Give --asset or --dev-eui")
    if count > LABELS_MAX:
        raise OrderError(
            "{count} labels are too many at once",
            "Ask for up to {most}",
            count=count,
            most=LABELS_MAX,
        )
    if count > 1 and file_format in (Format.SVG, Format.PNG):
        cure = "Give --format pdf or zpl, or ask for one"
        raise OrderError(
            "A file of format {file_format} holds one label, not {count}",
            cure,
            file_format=file_format,
            count=count,
        )
    if not 0 <= skip < 21:
        raise OrderError("A sheet has no {skip} places to skip", "Give --skip 0 to 20", skip=skip)


def _label(
    known: Inventory,
    name: str | None,
    eui: str | None,
    language: Language,
    text_of: Callable[..., str],
) -> Label:
    asset, dev_eui = served_asset(known, name, eui)
    owner = known.owner_of(asset.ags)
    assert owner is not None, "the inventory checks that every asset has an owner"
    return Label(
        identification=text_of(dev_eui, kind=asset.kind),
        dev_eui=dev_eui,
        asset=asset.asset,
        kind=asset.kind,
        name=asset.name,
        town=owner.name,
        language=language,
    )


def _writers(skip: int) -> dict[Format, Callable[[Sequence[Label]], bytes]]:
    from revier_provision.labels import pictures as label_pictures

    return {
        Format.SVG: lambda labels: label_pictures.svg(labels[0]),
        Format.PNG: lambda labels: label_pictures.png(labels[0]),
        Format.PDF: lambda labels: label_pictures.pdf(labels, skip),
        Format.ZPL: label_pictures.zpl,
    }


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        cure = _("Correct --out, or the rights there")
        raise cannot_write(path, error, cure) from None
