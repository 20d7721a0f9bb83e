# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a run of the demo was asked for, checked once."""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

# Where a world begins when only the seed is given, so that the seed alone repeats the run.
SEEDED_START = datetime(2026, 5, 4, tzinfo=UTC)
UNIT_S = {"": 1, "s": 1, "m": 60, "h": 3600}


class OptionError(ValueError):
    """An option cannot be understood or does not go with another; the text says what to type."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """One run. `duration_s` None: until Ctrl-C. `start` is where the history begins."""

    duration_s: float | None
    headless: bool
    gateway_kills: int
    seed: str
    start: datetime
    history_s: float
    external: bool
    mqtt: tuple[str, int] | None
    grpc: tuple[str, int] | None
    token_file: Path | None
    keep: bool
    provisioned: bool

    @property
    def repeat_command(self) -> str:
        """The command that repeats this run; against an external network server, its seed only."""
        length = f" --for {self.duration_s:g}s" if self.duration_s else ""
        length += " --provisioned" if self.provisioned else ""
        if self.mqtt and self.grpc:
            where = f"--mqtt {self.mqtt[0]}:{self.mqtt[1]} --grpc {self.grpc[0]}:{self.grpc[1]}"
            server = f"--network-server external {where} --token-file {self.token_file}"
            return f'make demo ARGS="{server} --seed {self.seed}{length}"'
        start = self.start.strftime("%Y-%m-%dT%H:%M:%SZ")
        return f'make demo ARGS="--seed {self.seed} --start {start} --hours {self.history_s / 3600:g}{length}"'  # noqa: E501


def parse_duration_s(text: str) -> float:
    """`60s`, `5m`, `1h` or plain seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if match is None or float(match[1]) == 0:
        raise OptionError(f"'{text}' is no duration: write 60s, 5m or 1h")
    return float(match[1]) * UNIT_S[match[2]]


def parse_address(text: str, option: str) -> tuple[str, int]:
    """`HOST:PORT`."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise OptionError(f"{option} '{text}' is no address: write HOST:PORT, e.g. 127.0.0.1:1883")
    return host, int(port)


def _parse_start(text: str) -> datetime:
    try:
        start = datetime.fromisoformat(text)
    except ValueError as error:
        raise OptionError(f"--start '{text}': write 2026-05-04T00:00:00Z") from error
    return start.replace(tzinfo=UTC) if start.tzinfo is None else start.astimezone(UTC)


def _check_external(external: bool, given: tuple[object, object, Path | None]) -> None:
    if external and not all(given):
        raise OptionError("--network-server external needs --mqtt, --grpc and --token-file")
    if not external and any(given):
        raise OptionError("--mqtt, --grpc and --token-file go with --network-server external")
    token_file = given[-1]
    if token_file is not None and not token_file.is_file():
        raise OptionError(f"--token-file '{token_file}': no such file; write an API token into it")


def parse(  # noqa: PLR0913 - one parameter an option
    *,
    for_: str | None = None,
    headless: bool = False,
    kill_gateway: int = 0,
    seed: str | None = None,
    start: str | None = None,
    hours: float = 24.0,
    network_server: str = "stand-in",
    mqtt: str | None = None,
    grpc: str | None = None,
    token_file: Path | None = None,
    keep: bool = False,
    provisioned: bool = False,
) -> DemoOptions:
    """Check the options; OptionError says what to write instead."""
    if network_server not in ("stand-in", "external"):
        raise OptionError(f"--network-server '{network_server}': write stand-in or external")
    external = network_server == "external"
    mqtt_address = parse_address(mqtt, "--mqtt") if mqtt else None
    grpc_address = parse_address(grpc, "--grpc") if grpc else None
    _check_external(external, (mqtt_address, grpc_address, token_file))
    if headless and for_ is None:
        raise OptionError("--headless needs an end: add --for 60s")
    now = datetime.now(UTC).replace(microsecond=0)
    history_s = 0.0 if external else hours * 3600
    if start is not None:
        begin = _parse_start(start)
    elif seed is not None and not external:
        begin = SEEDED_START
    else:
        begin = now - timedelta(seconds=history_s)
    return DemoOptions(
        duration_s=None if for_ is None else parse_duration_s(for_),
        headless=headless,
        gateway_kills=kill_gateway,
        seed=seed if seed is not None else str(secrets.randbelow(1_000_000)),
        start=begin,
        history_s=history_s,
        external=external,
        mqtt=mqtt_address,
        grpc=grpc_address,
        token_file=token_file,
        keep=keep,
        provisioned=provisioned,
    )
