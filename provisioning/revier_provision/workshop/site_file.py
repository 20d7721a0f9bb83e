# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The site file: what all boards of a workshop have in common, so that nobody types it twice.

TOML, checked whole before use; docs/technician.md explains each key. Paths are relative to the
file. No secret stands in it: the API key has a file of its own, keys are in the vault.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from revier_inventory.message import Message, _, joined, verbatim
from revier_inventory.text import toml_fault, type_fault
from revier_provision.errors import OrderError, cannot_read
from revier_provision.links import BOARD_DEFAULT
from revier_provision.plan import BOARD_NAME
from revier_provision.translation import Language, first_known
from revier_provision.update.signing_key import KEYS_MAX

SITE_FILE = "revier-site.toml"
SITE_VARIABLE = "REVIER_SITE"
FILE_BYTES_MAX = 64 * 1024
RUNTIMES_MAX = 16
JOIN_LIMIT_S = 900
LABEL_LANGUAGE: Final[Language] = "de"
SHA256 = re.compile(r"[0-9a-f]{64}\Z")
STATION = re.compile(r"[a-z0-9][a-z0-9-]{0,31}\Z")
PRINTER = re.compile(r"[A-Za-z0-9_.\-]{1,253}:[0-9]{1,5}\Z")
SECRET = re.compile(r"token|secret|password|passphrase|key", re.IGNORECASE)
TOKEN = re.compile(r"eyJ[\w-]{10,}|[0-9A-Fa-f]{32}")
MESSAGE_PATH = re.compile(r"(?P<what>.*) - at `\$(?P<path>.*)`\Z")

LabelFormat = Literal["svg", "png", "pdf", "zpl"]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all tables share."""


class ChirpStackTable(_Table, frozen=True, kw_only=True):
    """`server`: https://host:port, or host:port on this machine. `codec`: else the schema's."""

    server: str
    token_file: str
    tls_roots: str | None = None
    codec: str | None = None


class BooksTable(_Table, frozen=True, kw_only=True):
    """`ledger`: else in the inventory's folder; `station`: else this machine's name.

    `identity_file` opens the vault, where a workbench is trusted with that. `eui_block`: the
    owner's DevEUIs; else a chip has its own.
    """

    inventory: str
    ledger: str | None = None
    vault: str | None = None
    identity_file: str | None = None
    eui_block: str | None = None
    station: str | None = None


class RuntimeTable(_Table, frozen=True, kw_only=True):
    """An official MicroPython image and its SHA-256, lower-case hex."""

    file: str
    sha256: str


class FirmwareTable(_Table, frozen=True, kw_only=True):
    """`bundle`: the application; `runtime`: one image for each chip that this site uses.

    `trust`: the .pub files of the keys that may sign updates; every board gets them.
    """

    bundle: str | None = None
    trust: tuple[str, ...] = ()
    runtime: tuple[RuntimeTable, ...] = ()


class BoardTable(_Table, frozen=True, kw_only=True):
    """`name` of the board description; `interval_s` by kind, else the kind's own."""

    name: str = BOARD_DEFAULT
    interval_s: dict[Literal["air", "parking", "waste"], int] = {}


class LabelTable(_Table, frozen=True, kw_only=True):
    """`printer`: host:port that takes ZPL (port 9100), 203 dpi. `lang`: else the site's."""

    folder: str = "labels"
    formats: tuple[LabelFormat, ...] = ("pdf",)
    lang: Language | None = None
    printer: str | None = None
    vendor_id: str = "0000"


class ProofTable(_Table, frozen=True, kw_only=True):
    """How long to wait for the join and the first reading."""

    limit_s: int = JOIN_LIMIT_S


class _File(_Table, frozen=True, kw_only=True):
    format: Literal[1] = 1
    language: Language | None = None
    books: BooksTable
    chirpstack: ChirpStackTable | None = None
    firmware: FirmwareTable = FirmwareTable()
    board: BoardTable = BoardTable()
    label: LabelTable = LabelTable()
    proof: ProofTable = ProofTable()


class Runtime(msgspec.Struct, frozen=True):
    file: Path
    sha256: str


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """The checked site file; every path is whole."""

    path: Path | None = None
    inventory: Path
    ledger: Path
    vault: Path | None = None
    identity_file: Path | None = None
    eui_block: Path | None = None
    station: str | None = None
    server: str | None = None
    token_file: Path | None = None
    tls_roots: Path | None = None
    codec: Path | None = None
    runtimes: tuple[Runtime, ...] = ()
    bundle: Path | None = None
    trust: tuple[Path, ...] = ()
    board: str = BOARD_DEFAULT
    interval_s: dict[str, int] = {}
    labels: Path | None = None
    label_formats: tuple[LabelFormat, ...] = ()
    lang: Language = LABEL_LANGUAGE
    printer: str | None = None
    vendor_id: str = "0000"
    proof_limit_s: float = JOIN_LIMIT_S


def read(path: Path) -> Site:
    """The site of this file. Raises OrderError that names line and cure."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise OrderError(
                "{path} is larger than 64 KiB",
                "Give --site with a site file; docs/technician.md shows one",
                path=path,
            )
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise OrderError("{path} is not UTF-8 text", "Save it as UTF-8", path=path) from None
    except OSError as error:
        cure = _("Correct --site; docs/technician.md shows a site file to copy")
        raise cannot_read(path, error, cure) from None
    return parse(text, path)


def language_of(named: str | None) -> Language | None:
    """What the site file says of it, named or lying here, whatever else may be wrong in it."""
    path = Path(named or SITE_FILE)
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            return None
        found = tomllib.loads(path.read_text("utf-8")).get("language")
    except (OSError, ValueError):
        return None
    return first_known([found]) if isinstance(found, str) else None


def parse(text: str, path: Path) -> Site:
    """The site that the text describes; `path` is where it stands. Pure."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OrderError(
            "{name}: no TOML: {error}",
            "Correct this line; texts need double quotes",
            name=path.name,
            error=toml_fault(error),
        ) from None
    _refuse_secrets(table, text, path)
    try:
        file = msgspec.convert(table, _File)
    except msgspec.ValidationError as error:
        raise _wrong(str(error), text, path) from None
    _check(file, text, path)
    return _site(file, path)


def _site(file: _File, path: Path) -> Site:
    root = path.parent.absolute()
    books, label = file.books, file.label

    def whole(name: str | None) -> Path | None:
        return None if name is None else root / name

    inventory = root / books.inventory
    lora = file.chirpstack
    return Site(
        path=path,
        inventory=inventory,
        ledger=whole(books.ledger) or inventory / "ledger",
        vault=whole(books.vault),
        identity_file=whole(books.identity_file),
        eui_block=whole(books.eui_block),
        station=books.station,
        server=lora.server if lora else None,
        token_file=whole(lora.token_file) if lora else None,
        tls_roots=whole(lora.tls_roots) if lora else None,
        codec=whole(lora.codec) if lora else None,
        runtimes=tuple(Runtime(root / r.file, r.sha256) for r in file.firmware.runtime),
        bundle=whole(file.firmware.bundle),
        trust=tuple(root / name for name in file.firmware.trust),
        board=file.board.name,
        interval_s=dict(file.board.interval_s.items()),
        labels=root / label.folder,
        label_formats=label.formats,
        lang=label.lang or file.language or LABEL_LANGUAGE,
        printer=label.printer,
        vendor_id=label.vendor_id,
        proof_limit_s=float(file.proof.limit_s),
    )


def _check(file: _File, text: str, path: Path) -> None:
    wrong = _Wrong(text, path)
    station = file.books.station
    if station is not None and not STATION.match(station):
        wrong(
            "books.station",
            _("{station!r} is no station's name", station=station),
            _("Use up to 32 of a-z, 0-9, -"),
        )
    if not BOARD_NAME.match(file.board.name):
        cure = _("Write the name of a file in firmware/image/boards without its ending")
        wrong("board.name", _("{name!r} is no board's name", name=file.board.name), cure)
    if len(file.firmware.runtime) > RUNTIMES_MAX:
        wrong(
            "firmware.runtime",
            _("too many images"),
            _("Name up to {most}", most=RUNTIMES_MAX),
        )
    if len(file.firmware.trust) > KEYS_MAX:
        wrong(
            "firmware.trust",
            _("a board cannot hold so many keys"),
            _("Name up to {most}", most=KEYS_MAX),
        )
    if file.firmware.trust and file.firmware.bundle is None:
        cure = _("Name the bundle, or give a board its keys with: revier-provision firmware trust")
        wrong(
            "firmware.trust", _("the keys come with the application, and no bundle is named"), cure
        )
    for index, runtime in enumerate(file.firmware.runtime):
        if not SHA256.match(runtime.sha256):
            cure = _("Write what this prints: sha256sum {file}", file=runtime.file)
            wrong(
                f"firmware.runtime[{index}].sha256", _("it is not 64 lower-case hex digits"), cure
            )
    printer = file.label.printer
    if printer is not None and not PRINTER.match(printer):
        wrong(
            "label.printer",
            _("{printer!r} is not host:port", printer=printer),
            _("Write for example label.local:9100"),
        )
    if not re.match(r"[0-9A-F]{4}\Z", file.label.vendor_id):
        cure = _("Write the 4 hex digits that the LoRa Alliance gave, or leave it out")
        wrong(
            "label.vendor_id",
            _("{vendor_id!r} is no vendor id", vendor_id=file.label.vendor_id),
            cure,
        )
    if not 1 <= file.proof.limit_s <= 86_400:
        wrong(
            "proof.limit_s",
            _("the limit is 1 to 86400 seconds"),
            _("Write {limit_s}", limit_s=JOIN_LIMIT_S),
        )


def _refuse_secrets(table: dict[str, Any], text: str, path: Path) -> None:
    """Before anything else, and without repeating the value."""
    cure = _(
        "Take it out; put ChirpStack's API key in a file of its own (chmod 600), as token_file"
    )
    for where, value in _leaves(table, ""):
        name = where.rpartition(".")[2]
        named = SECRET.search(name) and name not in ("token_file", "identity_file")
        worth = isinstance(value, str) and TOKEN.search(value) and name != "sha256"
        if named or worth:
            _Wrong(text, path)(where, _("looks like a secret"), cure)


def _leaves(value: Any, where: str) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        found = [_leaves(v, f"{where}.{k}" if where else str(k)) for k, v in value.items()]
    elif isinstance(value, list):
        found = [_leaves(v, f"{where}[{i}]") for i, v in enumerate(value)]
    else:
        return [(where, value)]
    return [leaf for leaves in found for leaf in leaves]


class _Wrong:
    """Raises an OrderError about one key, with its line."""

    def __init__(self, text: str, path: Path) -> None:
        self._text, self._path = text, path

    def __call__(self, where: str, what: Message, cure: Message) -> None:
        at = _at(self._path, line_of(self._text, where))
        raise OrderError(joined(": ", [at, where, what]), cure)


def _at(path: Path, line: int | None) -> Message:
    if line is None:
        return verbatim(path.name)
    return _("{file} line {line}", file=path.name, line=line)


def _wrong(message: str, text: str, path: Path) -> OrderError:
    """msgspec's words, with the line of the key that they are about."""
    match = MESSAGE_PATH.match(message)
    what, where = (match["what"], match["path"].lstrip(".")) if match else (message, "")
    named = re.search(r"unknown field `(.+?)`", what)
    if named:
        where = f"{where}.{named[1]}".lstrip(".")
        cure = _("Take it out, or correct its spelling: docs/technician.md lists every key")
    else:
        cure = _("Correct it: docs/technician.md lists every key")
    at = _at(path, line_of(text, where))
    parts = [at, *([where] if where else []), type_fault(f"{what[0].lower()}{what[1:]}")]
    return OrderError(joined(": ", parts), cure)


def line_of(text: str, where: str) -> int | None:
    """The line (from 1) of the key `table.key`, `table[1].key` or of the table's head."""
    parts = where.replace("]", "").replace("[", ".").split(".")
    names = [part for part in parts if not part.isdigit()]
    number = next((int(part) for part in parts if part.isdigit()), 0)
    best, table, heads = None, "", 0
    for count, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[\[?\s*([\w.\-\"' ]+?)\s*\]\]?", line)
        if head:
            table = re.sub(r"[\s\"']", "", head[1])
            heads += table == ".".join(names[:-1]) or table == ".".join(names)
            if table and ".".join(names).startswith(table) and heads <= number + 1:
                best = best if best and heads > number + 1 else count
            continue
        key = re.match(r"\s*([\w.\-\"']+)\s*=", line)
        if not key:
            continue
        full = f"{table}.{key[1]}".lstrip(".").replace('"', "")
        if full == ".".join(names) and (number == 0 or heads == number + 1):
            return count
    return best
