# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the doctor asks ChirpStack by its API, against the stand-in."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest
from gateway.tests import support
from gateway.tests.support import AIR, air_payload, diagnosis_payload
from hil_tests.tests.bridge import town

from revier_gateway.config import load
from revier_gateway.doctor import devices

HISTORY = 10
TAGS = {"asset": "aq-0007", "ags": support.AGS}


def test_devices_and_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory = support.inventory()
    inventory = dataclasses.replace(inventory, periods=inventory.periods[:1])
    with (
        support.broker(tmp_path / "source") as source,
        town.town(source.port, event_history=HISTORY) as made,
    ):
        monkeypatch.setenv(town.TOKEN_ENV, made.service.api_token)
        path = town.config(tmp_path, source.port, source.port, made.service.grpc_port)
        settings = load(path).chirpstack

        def found() -> dict[str, str]:
            now = support.START
            results = asyncio.run(devices.examine(settings, inventory, now))
            return {one.check: one.state for one in results}

        assert found() == {"chirpstack-devices": "wrong", "chirpstack-history": "skipped"}
        node = made.device()
        assert found() == {"chirpstack-tags": "wrong", "chirpstack-history": "skipped"}
        made.service.server.registry.devices[AIR].tags.update(TAGS)
        town.until(lambda: found()["chirpstack-devices"] == "ok")
        town_speaks = [(diagnosis_payload(0), 1), *((air_payload(n), 10) for n in range(HISTORY))]
        for data, f_port in town_speaks:
            made.speak(node, data, f_port)
        assert found() == {"chirpstack-devices": "ok", "chirpstack-history": "wrong"}
