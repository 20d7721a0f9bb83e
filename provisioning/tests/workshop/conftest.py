# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A workbench on paper for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from revier_bench.workshop.paper_air import PaperAir
from revier_bench.workshop.paper_board import Sent
from revier_bench.workshop.paper_table import PaperShop


@pytest.fixture
def air() -> Iterator[PaperAir]:
    made = PaperAir()
    yield made
    made.close()


@pytest.fixture
def make_shop(tmp_path: Path, air: PaperAir) -> Callable[..., PaperShop]:
    def make(count: int = 1, name: str = "shop", **more: Any) -> PaperShop:
        macs = [bytes.fromhex("240ac4") + i.to_bytes(3, "big") for i in range(1, count + 1)]
        return PaperShop(tmp_path / name, air, macs, Sent(), name, **more)

    return make
