# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The configuration: one TOML file, checked whole; every error names its line and its cure."""

from __future__ import annotations

import os
import re
import ssl
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from revier_gateway import event_topic

Port = Annotated[int, Meta(ge=1, le=65535)]
Text = Annotated[str, Meta(min_length=1, max_length=200)]
Days = Annotated[int, Meta(ge=1, le=3650)]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
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
    log_level: LogLevel = "INFO"
    disk_reserve_mb: Annotated[int, Meta(ge=0, le=1_000_000)] = 200  # with less nothing is taken


class Tls(_Table, frozen=True, kw_only=True):
    ca_file: str = ""  # empty: the system's
    cert_file: str = ""
    key_file: str = ""

    def context(self) -> ssl.SSLContext:
        """With the files as they are now: a renewed certificate is taken with the next connection.

        Raises ConfigError.
        """
        where = f"ca_file {self.ca_file}"
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            if self.cert_file:
                where = f"cert_file {self.cert_file}, key_file {self.key_file or 'none'}"
                context.load_cert_chain(self.cert_file, self.key_file or None)
        except OSError as error:
            why = error.strerror or str(error)
            raise ConfigError(
                f"tls: {where}: {why}. Correct the path, or put a sound PEM file there."
            ) from None
        return context


class Source(_Table, frozen=True, kw_only=True):
    host: Text
    port: Port = 1883
    client_id: str = ""  # empty: revier-gateway-{gateway.id}-source
    topic: Text = "application/{{application_id}}/device/{{dev_eui}}/event/{{event}}"
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
    catch_up_per_s: Annotated[int, Meta(ge=0, le=1_000_000)] = 2000  # 0: no limit
    keep_alive_s: Annotated[int, Meta(ge=5, le=65_535)] = 30
    username: str | None = None
    password: str | None = None
    password_env: str | None = None
    tls: Tls | None = None


class ChirpStack(_Table, frozen=True, kw_only=True):
    """ChirpStack's gRPC API. The token is never in the file."""

    host: Text
    port: Port = 8080
    token_env: Text = "REVIER_CHIRPSTACK_TOKEN"  # noqa: S105 - its name
    streams_max: Annotated[int, Meta(ge=1, le=100)] = 16  # event logs read at the same time
    quiet_s: Annotated[float, Meta(ge=0.1, le=60)] = 2.0  # then a log has told all that it keeps
    tls: Tls | None = None

    @property
    def token(self) -> str:
        """Raises ConfigError."""
        token = os.environ.get(self.token_env, "").strip()
        if not token:
            cure = "put an API key of ChirpStack there, or remove [chirpstack]"
            raise ConfigError(f"environment variable {self.token_env} is not set: {cure}")
        return token


class Gaps(_Table, frozen=True, kw_only=True):
    settle_s: Annotated[float, Meta(ge=0.1, le=3600)] = 60.0  # events may overtake one another


class Commands(_Table, frozen=True, kw_only=True):
    topic: Text = "application/{application_id}/device/{dev_eui}/command/down"
    requests: bool = True  # take requests from the feed's broker
    # Readings that are missing are asked for from the node's memory so often: its airtime counts.
    node_backfills_per_day: Annotated[int, Meta(ge=0, le=24)] = 2


class InventoryDir(_Table, frozen=True, kw_only=True):
    dir: Text


class Retention(_Table, frozen=True, kw_only=True):
    """After how many days what is forgotten. seen_days: readings that come later than this after
    they were first heard are taken for new; a node's flash log goes back less far. quarantine_mb:
    what it may hold; the oldest go first."""

    parking_days: Days = 30
    seen_days: Days = 60
    quarantine_days: Days = 90
    quarantine_mb: Annotated[int, Meta(ge=1, le=1_000_000)] = 500


class Console(_Table, frozen=True, kw_only=True):
    host: Text = "127.0.0.1"
    port: Port = 8088  # 8080 is ChirpStack's, often on the same machine
    enabled: bool = True
    # By which names browsers may ask for it, besides host itself; a name that another's web site
    # gives to this address (DNS rebinding) is none of them.
    names: tuple[Text, ...] = ()


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
    chirpstack: ChirpStack | None = None
    gaps: Gaps = Gaps()
    commands: Commands = Commands()
    retention: Retention = Retention()
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


# What a running gateway takes over on SIGHUP; a table stands for all of its keys.
RELOADED = (
    "gateway.log_level", "gateway.disk_reserve_mb", "feed.catch_up_per_s", "retention", "watch",
    "alerts",
)  # fmt: skip


def changes(before: Config, after: Config) -> list[str]:
    """The keys that differ, as table.key; a table that came or went by its name."""
    found: list[str] = []
    for table in before.__struct_fields__:
        old, new = getattr(before, table), getattr(after, table)
        if isinstance(old, msgspec.Struct) and isinstance(new, msgspec.Struct):
            keys = [key for key in old.__struct_fields__ if getattr(old, key) != getattr(new, key)]
            found += [f"{table}.{key}" for key in keys]
        elif isinstance(old, msgspec.Struct) or isinstance(new, msgspec.Struct):
            found.append(table)
    return sorted(found)


def reloaded(before: Config, after: Config) -> tuple[Config, list[str], list[str]]:
    """What a running gateway makes of a changed configuration: the configuration that it has then,
    the keys that it took over, and those that need a restart."""
    changed = changes(before, after)
    taken = [key for key in changed if key in RELOADED or key.split(".")[0] in RELOADED]
    tables: dict[str, Any] = {}
    for name in taken:
        table, key = name.split(".")
        old = tables.get(table, getattr(before, table))
        new = getattr(getattr(after, table), key)
        tables[table] = msgspec.structs.replace(old, **{key: new})
    rest = [name for name in changed if name not in taken]
    return msgspec.structs.replace(before, **tables), taken, rest


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


def check_legs(config: Config) -> None:
    """What the file only points to: passwords, API key, certificates. Raises ConfigError."""
    for name, leg in (("source", config.source), ("feed", config.feed)):
        try:
            password_of(leg)
            if leg.tls:
                leg.tls.context()
        except ConfigError as error:
            raise ConfigError(f"[{name}] {error}") from None
    if config.chirpstack is not None:
        try:
            _ = config.chirpstack.token
            if config.chirpstack.tls:
                config.chirpstack.tls.context()
        except ConfigError as error:
            raise ConfigError(f"[chirpstack] {error}") from None


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
    try:
        event_topic.parse(config.source.topic)
    except ValueError as error:
        where = f"{path}: line {_line(text, 'source', 'topic')}: [source] topic"
        cure = "Write it as ChirpStack's [integration.mqtt] event_topic has it."
        raise ConfigError(f"{where}: {error}. {cure}") from None
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
    return "Correct the value; gateway.example.toml shows every key."


def _struct(type_: object) -> type[msgspec.Struct]:
    """A table, also one that may be absent."""
    for one in (type_, *get_args(type_)):
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            return one
    return Config


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
