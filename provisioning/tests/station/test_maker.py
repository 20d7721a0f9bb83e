# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The workshop's page makes nodes of boards on a workbench on paper, by the one function."""

from __future__ import annotations

import msgspec
from provisioning.tests.provision.keys_in import found_in
from provisioning.tests.station.conftest import Browser, eventually

from revier_bench.workshop.paper_table import PaperShop
from revier_provision.ledger import names as ledger_names
from revier_provision.ledger.files import read_all
from revier_provision.station.desk import Desk
from revier_provision.station.maker import WorkshopMaker
from revier_provision.station.workshop_api import Cards, Make
from revier_provision.workshop.step_events import NodeStep


def test_two_boards_become_two_nodes_in_the_name_of_who_is_logged_in(
    shop: PaperShop, desk: Desk, browser: Browser
) -> None:
    with shop.bench() as bench:
        maker = WorkshopMaker(bench)
        cards = Cards(maker)
        cards.look()
        ports = sorted(maker.ports())
        assert len(ports) == 2
        for port in ports:
            cards.start(Make(port=port), "tina")
        made = eventually(
            lambda: all(one.state in ("made", "failed") for one in cards.all()) and cards.all(),
            60,
        )
        assert [(one.state, one.said) for one in made if one.state != "made"] == []
        for one in made:
            assert [step.step for step in one.steps] == [step.value for step in NodeStep]
            assert {step.state for step in one.steps} <= {"done", "skipped"}
        chains = read_all(bench.site.ledger)
        known = ledger_names.by_code(bench.site.ledger)
        pages = _seen_by(browser, desk, maker, "/", "/workshop?lang=de", "/workshop?lang=en",
                         "/install?lang=de", "/api/assets", "/api/session")  # fmt: skip
        told = msgspec.json.encode([card.spoken("de") for card in made])  # what the stream sends
    records = [r for chain in chains.values() for r in chain.records if r.event == "provisioned"]
    assert len({record.asset for record in records}) == 2
    assert {known[record.by] for record in records} == {"tina"}
    keys = [device.nwk_key for device in shop.air.registry.keys.values()]
    assert len(set(keys)) == 2
    for key in keys:
        assert {name for name, data in pages.items() if found_in(data, key)} == set()
        assert not found_in(told, key)


def _seen_by(browser: Browser, desk: Desk, maker: WorkshopMaker, *paths: str) -> dict[str, bytes]:
    """What the pages say to a technician."""
    desk.maker = maker
    technician = Browser(desk)
    assert technician.login("tina").status_code == 303
    answers = {path: technician.get(path) for path in paths}
    assert {path: a.status_code for path, a in answers.items() if a.status_code >= 400} == {}
    return {path: answer.content for path, answer in answers.items()}
