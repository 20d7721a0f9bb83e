# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Two towns, their devices' events, and the commands' room; no network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from gateway.tests import support
from gateway.tests.support import (
    AGS,
    OTHER_AGS,
    START,
    uplink,
)

from revier_gateway.commands import table
from revier_gateway.commands.fate import Command
from revier_gateway.commands.room import Commands
from revier_gateway.config import parse
from revier_gateway.gaps.room import Gaps
from revier_gateway.mqtt.link import Message
from revier_gateway.pipeline import Pipeline
from revier_gateway.store import Store
from revier_gateway.work import Work
from revier_inventory import Asset, DevicePeriod, Inventory

from .test_gaps import TEXT

MINUTE = timedelta(minutes=1)
OTHERS = "70b3d57ed00000aa"


def two_towns() -> Inventory:
    one = support.inventory()
    asset = Asset(asset="aq-herten", kind="air", ags=OTHER_AGS, name="x", lon=7.1, lat=51.6)
    period = DevicePeriod(dev_eui=OTHERS, asset="aq-herten", since=START - timedelta(days=30))
    return Inventory(
        owners=one.owners,
        assets=(*one.assets, asset),
        periods=(*one.periods, period),
        radio_gateways=one.radio_gateways,
    )


class Sending:
    """ChirpStack's queue."""

    def __init__(self) -> None:
        self.taken: list[tuple[Command, str]] = []
        self.error: Exception | None = None
        self.items: set[str] = set()

    async def send(self, command: Command, application_id: str) -> str:
        if self.error is not None:
            raise self.error
        self.taken.append((command, application_id))
        self.items.add(f"item-{len(self.taken)}")
        return f"item-{len(self.taken)}"

    async def waiting(self, dev_eui: str) -> Collection[str] | None:
        return self.items


class Bench:
    def __init__(self, folder: Path) -> None:
        self.now = START
        self.folder = folder
        config = parse(TEXT, folder / "gateway.toml")
        self.store = Store(folder / "data")
        self.inventory = two_towns()
        self.gaps = Gaps(config, self.store, lambda: self.inventory, lambda _: None, self.clock)
        self.fates: list[dict[str, Any]] = []
        self.room = Commands(
            config, self.store, self.gaps, lambda: self.inventory, self.written, self.clock
        )
        listeners = [self.gaps.ledger, self.room.tracker]
        self.pipeline = Pipeline(self.inventory, "revier/v1", self.clock, listeners)
        self.responses: list[tuple[str, dict[str, Any]]] = []
        self.sending = Sending()

    def clock(self) -> datetime:
        return self.now

    def written(self, work: Work) -> None:
        for message in work.outbox:
            content = json.loads(message.payload)
            if message.kind == "response":
                self.responses.append((message.topic, content))
            if message.kind == "command":
                self.fates.append({"topic": message.topic, **content})

    def take(self, event: dict[str, Any], name: str = "up") -> None:
        work = Work(self.store)
        topic = support.topic(event["deviceInfo"]["devEui"], name)
        outcome = self.pipeline.handle(Message(topic, support.to_bytes(event)), work)
        assert outcome.kind != "quarantined", outcome
        self.store.commit(work)
        self.written(work)

    def hear(self, data: bytes = b"", f_port: int = 0, f_cnt: int = 1, **more: Any) -> None:
        more.setdefault("at", self.now)
        self.take(uplink(data, f_port, f_cnt, **more))

    def about(self, name: str, **fields: Any) -> None:
        info = uplink(b"")["deviceInfo"]
        self.take({"time": support.stamp(self.now), "deviceInfo": info, **fields}, name)

    def ask(self, name: str, ags: str | None = AGS, **body: Any) -> dict[str, Any]:
        place = "_gateway/test/request" if ags is None else f"{ags}/_request"
        message = Message(f"revier/v1/{place}/{name}", json.dumps(body).encode())
        self.room.answer([message])
        return self.responses[-1][1]

    def send(self) -> None:
        for command in self.room.due():
            asyncio.run(self.room.send(command, self.sending))

    def command(self, command_id: str) -> Command:
        (found,) = table.commands(self.store.database, "WHERE id = ?", (command_id,))
        return found

    def states(self) -> list[str]:
        return [fate["state"] for fate in self.fates]
