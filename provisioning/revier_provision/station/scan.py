# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The label in a photo, for phones whose browser reads no QR codes itself."""

from __future__ import annotations

import contextlib

import zxingcpp

from revier_provision.errors import OrderError
from revier_provision.labels.tr005 import Identification, read
from revier_provision.station import photos
from revier_provision.station.refused import RefusedError

EDGE_MAX = 2400


def label_from(text: str) -> Identification:
    """What was scanned or typed. Raises RefusedError."""
    try:
        return read(text)
    except OrderError:
        raise RefusedError("no_label") from None


def label_in(data: bytes) -> Identification:
    """The first label of a LoRaWAN node among the codes in the picture. Raises RefusedError."""
    picture = photos.opened(data)
    picture.thumbnail((EDGE_MAX, EDGE_MAX))
    codes = zxingcpp.read_barcodes(picture)
    for code in codes:
        with contextlib.suppress(RefusedError):
            return label_from(code.text)
    raise RefusedError("no_label" if codes else "no_code")
