# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The configuration: one TOML file, checked whole; every error names its line and its cure."""

from __future__ import annotations

import os
import re
import ssl
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Port = Annotated[int, Meta(ge=1, le=65535)]
Text = Annotated[str, Meta(min_length=1, max_length=200)]
# What may stand in a topic level and in a file name.
GatewayId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")]
Interval = Annotated[float, Meta(ge=10, le=604_800)]  # s
TopicRoot = Annotated[str, Meta(pattern=r"^[^+#/\s][^+#\s]{0,99}(?<!/)$")]


class ConfigError(ValueError):
    """The text says file, line, what is wrong and what to do."""


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Gateway(_Table, frozen=True, kw_only=True):
    id: GatewayId
    data_dir: Text


class Tls(_Table, frozen=True, kw_only=True):
    ca_file: str = ""  # empty: the system's
    cert_file: str = ""
    key_file: str = ""

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca_file or None)
        if self.cert_file:
            context.load_cert_chain(self.cert_file, self.key_file or None)
        return context


class Source(_Table, frozen=True, kw_only=True):
    host: Text
    port: Port = 1883
    client_id: str = ""  # empty: revier-gateway-{gateway.id}-source
    topic: Text = "application/+/device/+/event/+"
    qos: Annotated[int, Meta(ge=0, le=1)] = 1
    session_expiry_s: Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)] = 7 * 86_400
    receive_max: Annotated[int, Meta(ge=1, le=65_535)] = 2000
    keep_alive_s: Annotated[int, Meta(ge=5, le=65_535)] = 30
    username: str | None = None
    password: str | None = None
    password_env: str | None = None
    tls: Tls | None = None


class Feed(_Table, frozen=True, kw_only=True):
    host: Text
    port: Port = 1883
    client_id: str = ""  # empty: revier-gateway-{gateway.id}-feed
    root: TopicRoot = "revier/v1"
    window_max: Annotated[int, Meta(ge=1, le=65_535)] = 1000
    keep_alive_s: Annotated[int, Meta(ge=5, le=65_535)] = 30
    username: str | None = None
    password: str | None = None
    password_env: str | None = None
    tls: Tls | None = None


class InventoryDir(_Table, frozen=True, kw_only=True):
    dir: Text


class Console(_Table, frozen=True, kw_only=True):
    host: Text = "127.0.0.1"
    port: Port = 8080
    enabled: bool = True


class Watch(_Table, frozen=True, kw_only=True):
    air_interval_s: Interval = 300.0  # the kinds' reporting intervals, as the nodes' profiles have
    parking_interval_s: Interval = 3600.0
    waste_interval_s: Interval = 1800.0
    battery_low_v: Annotated[float, Meta(gt=0, le=60)] = 2.95
    canary_every_s: Annotated[float, Meta(ge=0, le=3600)] = 60.0  # 0: none
    deadman_url: Annotated[str, Meta(pattern=r"^(https?://\S+)?$")] = ""
    deadman_every_s: Annotated[float, Meta(ge=1, le=86_400)] = 60.0

    @property
    def profile_s(self) -> dict[str, float]:
        return {
            "air": self.air_interval_s,
            "parking": self.parking_interval_s,
            "waste": self.waste_interval_s,
        }


class Alerts(_Table, frozen=True, kw_only=True):
    to: tuple[Text, ...] = ()  # addresses as Apprise writes them
    to_env: str | None = None  # a variable with more of them, a space in between
    language: Literal["de", "en"] = "de"


class Metrics(_Table, frozen=True, kw_only=True):
    port: Annotated[int, Meta(ge=0, le=65_535)] = 0  # 0: on the console's server
    host: Text = "127.0.0.1"


class Config(_Table, frozen=True, kw_only=True):
    """Relative folders are relative to the file's own folder."""

    gateway: Gateway
    source: Source
    feed: Feed
    inventory: InventoryDir
    console: Console = Console()
    watch: Watch = Watch()
    alerts: Alerts = Alerts()
    metrics: Metrics = Metrics()
    base_dir: msgspec.UnsetType | str = msgspec.UNSET

    @property
    def data_dir(self) -> Path:
        return self._path(self.gateway.data_dir)

    @property
    def inventory_dir(self) -> Path:
        return self._path(self.inventory.dir)

    def _path(self, text: str) -> Path:
        base = "." if isinstance(self.base_dir, msgspec.UnsetType) else self.base_dir
        return Path(base) / Path(text).expanduser()


def password_of(leg: Source | Feed) -> bytes | None:
    """From the environment where password_env names a variable. Raises ConfigError if unset."""
    if leg.password_env is not None:
        secret = os.environ.get(leg.password_env)
        if secret is None:
            raise ConfigError(
                f"environment variable {leg.password_env} is not set; password_env asks for it"
            )
        return secret.encode()
    return leg.password.encode() if leg.password is not None else None


def load(path: Path) -> Config:
    """Raises ConfigError."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        cure = "Copy gateway/deploy/gateway.example.toml there, or name another with --config"
        raise ConfigError(f"{path}: {error.strerror}. {cure}.") from None
    return parse(text, path)


def parse(text: str, path: Path) -> Config:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}. Correct the TOML there.") from None
    if "base_dir" in content:
        raise ConfigError(f"{path}: line {_line(text, '', 'base_dir')}: base_dir is unknown.")
    try:
        config = msgspec.convert(content, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(_explain(path, text, str(error))) from None
    return msgspec.structs.replace(config, base_dir=str(path.parent))


def _explain(path: Path, text: str, message: str) -> str:
    where = re.search(r" - at `\$\.?([^`]*)`", message)
    place = where.group(1) if where else ""
    problem = re.sub(r" - at `.*`$", "", message)
    table, _, key = place.partition(".")
    if named := re.search(r"(?:unknown|required) field `([^`]*)`", problem):
        table, key = place, named.group(1)
    name = f"[{table}] {key}".strip() if table else key
    line = _line(text, table, key)
    return f"{path}: line {line}: {name}: {problem}. {_cure(table, key, problem)}"


def _cure(table: str, key: str, problem: str) -> str:
    types = {field.name: field.type for field in msgspec.structs.fields(Config)}
    known = types.get(table, Config) if table else Config
    if "unknown field" in problem:
        names = [field.name for field in msgspec.structs.fields(_struct(known))]
        names = [name for name in names if name != "base_dir"]
        return f"Remove it or correct the spelling; known are {', '.join(names)}."
    if "missing required" in problem:
        return f"Add {key} to [{table}]." if table else f"Add a table [{key}]."
    return "Correct the value; docs/operator.md and gateway.example.toml show every key."


def _struct(type_: object) -> type[msgspec.Struct]:
    return type_ if isinstance(type_, type) and issubclass(type_, msgspec.Struct) else Config


def _line(text: str, table: str, key: str) -> int:
    """The line of the key, else of its table, else 1."""
    found, inside = 1, table == ""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("["):
            inside = stripped.strip("[] ") == table or (table == "" and stripped == f"[{key}]")
            found = number if inside else found
        elif inside and re.match(rf"{re.escape(key)}\s*=", stripped):
            return number
    return found
