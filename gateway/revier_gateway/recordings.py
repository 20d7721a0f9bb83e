# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Recorded events, as files: what replay reads.

* a folder with index.json, as the recording of a real ChirpStack: a list of
  {"file": ..., "topic": ...}, in order of arrival;
* one event in a .json or .pb file: its name is the last word of the file's name (010_up.json);
* a capture of JSON lines: {"topic": ..., "payload": <object, text>} or {..., "payload_b64": ...}.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from revier_gateway.events import EVENT_TYPES
from revier_gateway.mqtt.link import Message

CAPTURE_LINE_BYTES_MAX = 4 * 1024 * 1024


class RecordingError(ValueError):
    """The file is not a recording; the text says why."""


class Recorded(msgspec.Struct, frozen=True):
    name: str  # of the file, or file:line
    message: Message | None  # None: not an integration event
    why_not: str = ""


def read(path: Path) -> Iterator[Recorded]:
    """Every message of a recording, in order. Raises RecordingError."""
    if path.is_dir():
        yield from _folder(path)
    elif path.suffix in (".jsonl", ".ndjson"):
        yield from _capture(path)
    elif path.suffix in (".json", ".pb"):
        yield _single(path)
    else:
        raise RecordingError(f"{path}: not a folder with index.json, .json, .pb or .jsonl")


def _folder(folder: Path) -> Iterator[Recorded]:
    index = folder / "index.json"
    if not index.exists():
        files = sorted(path for path in folder.iterdir() if path.suffix in (".json", ".pb"))
        if not files:
            raise RecordingError(f"{folder}: no index.json and no .json or .pb file")
        yield from map(_single, files)
        return
    entries: list[dict[str, Any]] = _decoded(index.read_bytes(), list[dict[str, Any]], str(index))
    for entry in entries:
        name, topic = str(entry.get("file", "")), str(entry.get("topic", ""))
        if not _is_integration(topic):
            yield Recorded(name, None, f"{_what_else(topic)} ({topic})")
            continue
        try:
            payload = (folder / name).read_bytes()
        except OSError as error:
            raise RecordingError(f"{folder / name}: {error.strerror}") from None
        yield Recorded(name, Message(topic, payload))


def _single(path: Path) -> Recorded:
    word = path.stem.split("_")[-1]
    known = [word for word in path.stem.split("_") if word in EVENT_TYPES]
    if not known and word in ("down",):
        return Recorded(path.name, None, "a command to ChirpStack")
    name = known[-1] if known and word not in EVENT_TYPES else word
    return Recorded(path.name, Message(f"replay/event/{name}", path.read_bytes()))


def _capture(path: Path) -> Iterator[Recorded]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            where = f"{path.name}:{number}"
            if len(line) > CAPTURE_LINE_BYTES_MAX:
                raise RecordingError(f"{where}: longer than {CAPTURE_LINE_BYTES_MAX} bytes")
            yield _captured(where, _decoded(line, dict[str, Any], where))


def _captured(where: str, entry: dict[str, Any]) -> Recorded:
    topic = str(entry.get("topic", ""))
    if not _is_integration(topic):
        return Recorded(where, None, f"{_what_else(topic)} ({topic})")
    if "payload_b64" in entry:
        try:
            payload = base64.b64decode(str(entry["payload_b64"]), validate=True)
        except binascii.Error as error:
            raise RecordingError(f"{where}: payload_b64: {error}") from None
    else:
        content = entry.get("payload", "")
        payload = content.encode() if isinstance(content, str) else msgspec.json.encode(content)
    return Recorded(where, Message(topic, payload))


def _is_integration(topic: str) -> bool:
    return "/event/" in topic and "/gateway/" not in topic


def _what_else(topic: str) -> str:
    if "/gateway/" in topic:
        return "between radio gateway and ChirpStack"
    if "/command/" in topic:
        return "a command to ChirpStack"
    return "not an integration event"


def _decoded(data: bytes, type_: Any, where: str) -> Any:
    try:
        return msgspec.json.decode(data, type=type_)
    except msgspec.DecodeError as error:
        raise RecordingError(f"{where}: {error}") from None
