# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Pictures of nodes at their place: made anew from their pixels, named by their own SHA-256.

What a phone writes beside the pixels (position, time, device) is not kept: the picture is turned
upright and written anew.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from revier_provision import durable_files
from revier_provision.station.refused import RefusedError

BYTES_MAX = 12 * 1024 * 1024  # of an upload
PIXELS_MAX = 64_000_000
EDGE_MAX = 1600
PHOTOS_MAX = 50_000
QUALITY = 82
NAME = re.compile(r"[0-9a-f]{64}\Z")
FORMATS = ("JPEG", "PNG", "WEBP")


def opened(data: bytes) -> Image.Image:
    """The picture, upright, in RGB. Raises RefusedError on what is none or too large."""
    if len(data) > BYTES_MAX:
        raise RefusedError("too_large")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            if picture.width * picture.height > PIXELS_MAX:
                raise RefusedError("too_large")
            picture.load()
            return ImageOps.exif_transpose(picture).convert("RGB")
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ):
        raise RefusedError("no_photo") from None


def clean(data: bytes) -> bytes:
    """The picture as a JPEG of at most EDGE_MAX pixels a side that holds nothing but pixels."""
    picture = opened(data)
    picture.thumbnail((EDGE_MAX, EDGE_MAX))
    plain = Image.new("RGB", picture.size)
    plain.paste(picture)
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def store(folder: Path, data: bytes) -> str:
    """Keep the cleaned picture; the SHA-256 of what is kept, which is its name. Safe to repeat."""
    jpeg = clean(data)
    name = hashlib.sha256(jpeg).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.jpg"
    if not path.exists():
        if sum(1 for _ in folder.iterdir()) >= PHOTOS_MAX:
            raise RefusedError("photos_full")
        durable_files.replace(path, jpeg)
    return name


def load(folder: Path, name: str) -> bytes | None:
    """None if there is none, or it is not what its name says."""
    if not NAME.match(name):
        return None
    try:
        data = (folder / f"{name}.jpg").read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == name else None
