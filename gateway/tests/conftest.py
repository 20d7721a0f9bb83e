# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Fixtures of the gateway's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway.tests import support
from gateway.tests.mosquitto import each_mosquitto
from hypothesis import HealthCheck, settings
from iotcore import Broker

from revier_gateway.pipeline import Pipeline
from revier_gateway.store import Store

__all__ = ["each_mosquitto"]  # a fixture

# A busy machine is no failure.
settings.register_profile(
    "gateway", settings.get_profile("revier"), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("gateway")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline(support.inventory(), "revier/v1", clock=lambda: support.START)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with support.broker(tmp_path) as running:
        yield running
