# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision device-profiles: what ChirpStack's host imports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from revier_inventory.message import Message, _, joined
from revier_provision import durable_files
from revier_provision.cli.options import JsonOption
from revier_provision.cli.output import Output
from revier_provision.cli.server import CodecOption
from revier_provision.cli.site import SiteOption, find_site
from revier_provision.errors import cannot_write
from revier_provision.labels.tr005 import VENDOR_ID_NONE, vendor_number
from revier_provision.lns import vendor_profiles
from revier_provision.lns.reach import codec_text


def device_profiles(
    out_folder: Annotated[Path, typer.Option("--out", help="The folder to write.")],
    vendor_id: Annotated[
        str | None, typer.Option(help="4 hex digits from the LoRa Alliance; else the site file's.")
    ] = None,
    codec: CodecOption = None,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """The device profiles with the labels' numbers, for `chirpstack import-device-profiles`:
    ChirpStack's page then finds the profile of a scanned label. Its API cannot set these numbers.
    """
    out = Output(as_json=as_json)
    with out.errors():
        where = find_site(site)
        number = vendor_number(vendor_id or (where.vendor_id if where else VENDOR_ID_NONE))
        codec = codec or (where.codec if where else None)
        files = vendor_profiles.files(number, codec_text(codec))
        for name, text in files.items():
            _write(out_folder / name, text)
        out.result(
            {"out": str(out_folder), "vendor_id": number, "files": sorted(files)},
            _sentence(out_folder, number),
        )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        durable_files.replace(path, text.encode())
    except OSError as error:
        raise cannot_write(path, error, _("Correct the path or the rights there")) from None


def _sentence(folder: Path, number: str) -> Message:
    first, last = f"{number}0001", f"{number}0003"
    lines = [
        _(
            "The device profiles {first} to {last} are in {folder}.",
            first=first,
            last=last,
            folder=folder,
        )
    ]
    if number == VENDOR_ID_NONE:
        lines.append(
            _(
                "0000 is nobody's number: where profiles of another vendor without a number are "
                "imported, a scanned label may lead to one of theirs."
            )
        )
    lines.append(
        _(
            "Next, on ChirpStack's host (4.16 or newer): chirpstack -c /etc/chirpstack "
            "import-device-profiles -d {folder}, then: revier-provision doctor",
            folder=folder,
        )
    )
    return joined("\n", lines)
