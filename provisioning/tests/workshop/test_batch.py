# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Many boards at once: no asset twice, one tenant, one application, one profile, and no board
that stops another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from revier_bench.workshop.paper_air import PaperAir
from revier_bench.workshop.paper_table import PaperShop
from revier_provision import inventory_files
from revier_provision.errors import OrderError
from revier_provision.ledger.files import verify
from revier_provision.workshop.batch import Outcome, make_all
from revier_provision.workshop.make_node import Wanted

MakeShop = Callable[..., PaperShop]
BLOCK = """\
prefix = "8c1f64abc"
registered_to = "Kreis"
[stations]
paper-1 = ["0000000", "00000ff"]
"""


def wanted(shop: PaperShop) -> list[Wanted]:
    return [Wanted(port=port) for port in sorted(shop.boards)]


def test_eight_boards_at_once(make_shop: MakeShop, air: PaperAir) -> None:
    shop = make_shop(8)
    bad, wrong = shop.boards["paper3"], shop.boards["paper5"]
    bad.faults["bme280"] = "no answer"
    wrong.chip = "ESP32-C3"
    ended: list[Outcome] = []
    with shop.bench() as bench:
        outcomes = make_all(bench, wanted(shop), on_end=ended.append)
    assert [each.port for each in outcomes] == sorted(shop.boards)
    failed = {each.port: each.step for each in outcomes if each.made is None}
    assert failed == {"paper3": "test every chip", "paper5": "find the board"}
    assert len(ended) == 8
    assets = [each.made.record.asset for each in outcomes if each.made is not None]
    assert len(set(assets)) == len(assets) == 6
    assert len(air.registry.applications) == 1
    assert len([t for t in air.registry.tenants.values() if t.name == "Herten"]) == 1
    assert len(air.registry.profiles) == 1
    assert len(inventory_files.read(shop.inventory_dir).periods) == 6
    verify(shop.site.ledger)

    bad.faults.clear()
    wrong.chip = "ESP32-S3"
    with shop.bench() as bench:
        again = make_all(bench, wanted(shop))
    assert all(each.made is not None for each in again)
    served = {p.asset for p in inventory_files.read(shop.inventory_dir).periods}
    assert len(served) == 8


def test_more_boards_than_assets(make_shop: MakeShop) -> None:
    shop = make_shop(3)
    with shop.bench(only=["herten-air-02"]) as bench:
        outcomes = make_all(bench, wanted(shop))
    made = [each.made for each in outcomes if each.made is not None]
    assert [node.record.asset for node in made] == ["herten-air-02"]
    assert {each.problem for each in outcomes if each.made is None} == {
        "The inventory has no planned asset left"
    }


def test_what_cannot_be_a_batch_is_refused(make_shop: MakeShop) -> None:
    shop = make_shop()
    with shop.bench() as bench:
        with pytest.raises(OrderError, match="There is no board"):
            make_all(bench, [])
        with pytest.raises(OrderError, match="named twice"):
            make_all(bench, [Wanted(port="a"), Wanted(port="a")])
        with pytest.raises(OrderError, match="too many at once"):
            make_all(bench, [Wanted(port=str(i)) for i in range(65)])


def test_a_bug_at_one_board_stays_there(make_shop: MakeShop) -> None:
    shop = make_shop(2)
    shop.boards["paper0"].mac = b"\x24"  # what no board has: identity asserts on it
    with shop.bench() as bench:
        first, second = make_all(bench, wanted(shop))
    assert "AssertionError" in first.problem
    assert second.made is not None


def test_a_block_gives_each_board_a_dev_eui_also_after_a_failed_flash(
    make_shop: MakeShop, tmp_path: Path
) -> None:
    shop = make_shop(2)
    block = tmp_path / "eui-block.toml"
    block.write_text(BLOCK)
    shop.site = msgspec.structs.replace(shop.site, eui_block=block)
    shop.boards["paper0"].chip = "ESP32-C3"
    with shop.bench() as bench:
        first = make_all(bench, wanted(shop))
    assert [each.step for each in first] == ["find the board", ""]
    shop.boards["paper0"].chip = "ESP32-S3"
    shop.boards["paper0"].full = True
    with shop.bench() as bench:
        assert make_all(bench, wanted(shop))[0].step == "upload the application"
    shop.boards["paper0"].full = False
    with shop.bench() as bench:
        made = [each.made for each in make_all(bench, wanted(shop))]
        again = [each.made for each in make_all(bench, wanted(shop))]
    euis = {node.record.dev_eui for node in made if node is not None}
    assert euis == {"8c1f64abc0000000", "8c1f64abc0000001"}
    assert {node.record.dev_eui for node in again if node is not None} == euis
    verify(shop.site.ledger)
