# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Replace, rekey and retire, cut before and after every single call, and run again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from revier_provision import BoardError
from revier_provision.books import Books
from revier_provision.fleet import lifecycle
from revier_provision.fleet.keys_in_use import key_in_use
from revier_provision.ledger.files import LedgerFolder
from revier_provision.ledger.records import StepResult, key_id
from revier_provision.plan import Step

OLD_MAC, NEW_MAC = bytes.fromhex("240ac4112233"), bytes.fromhex("240ac4445566")
OLD, NEW = "240ac4fffe112233", "240ac4fffe445566"
ASSET = "herten-air-01"
LATER = datetime(2026, 6, 1, 8, tzinfo=UTC)


class Shop:
    """A workshop whose first board is a node already; calls count from then on."""

    def __init__(self, workshop: Any) -> None:
        self.w = workshop
        self.old_board = workshop.board
        self.new_board = type(workshop.board)(workshop.cable, NEW_MAC)
        self.server = workshop.network_server
        ticks = (datetime(2026, 5, 1, 9, tzinfo=UTC) + timedelta(seconds=n) for n in range(9999))
        ledger = LedgerFolder(workshop.folder / "ledger", "bench-1", "me", lambda: next(ticks))
        self.books = Books(ledger, None)
        first = msgspec.structs.replace(workshop.order, replace=True)
        self._replace(first, self.old_board)
        workshop.cable.calls = 0

    def _replace(self, order: Any, board: Any) -> None:
        lifecycle.replace(order, board, self.server, self.w.folder, self.w.entropy, self.books)

    def replace(self) -> None:
        order = lifecycle.replacement_order(self.w.inventory, ASSET, LATER)
        self._replace(order, self.new_board)

    def rekey(self) -> None:
        lifecycle.rekey(self.old_board, self.server, self.w.folder, self.w.entropy, self.books)

    def retire(self) -> None:
        lifecycle.retire(OLD, self.old_board, self.server, self.w.folder, self.books, LATER)

    def in_use(self, dev_eui: str) -> str | None:
        return key_in_use(self.books.ledger.records(), dev_eui)


@pytest.fixture
def shops(make_workshop: Callable[[], Any]) -> Callable[[], Shop]:
    return lambda: Shop(make_workshop())


def cuts(shops: Callable[[], Shop], act: Callable[[Shop], None]) -> Iterator[Shop]:
    """A shop for each place where the cable can be pulled, in which `act` was then run again."""
    untouched = shops()
    act(untouched)
    calls = untouched.w.cable.calls
    assert calls >= 5
    for cut in range(calls):
        for after in (False, True):
            shop = shops()
            shop.w.cable.cut, shop.w.cable.after = cut, after
            with pytest.raises(BoardError, match="pulled"):
                act(shop)
            act(shop)
            yield shop


def test_a_replacement_that_was_cut_is_finished(shops: Callable[[], Shop]) -> None:
    for shop in cuts(shops, Shop.replace):
        first, second = shop.w.inventory.periods_of_asset(ASSET)
        assert (first.dev_eui, first.until) == (OLD, LATER)
        assert (second.dev_eui, second.since, second.until) == (NEW, LATER, None)
        assert shop.server.keys[NEW] == shop.new_board.key
        assert shop.server.devices[NEW].tags == {"asset": ASSET, "ags": "05562020"}
        assert shop.server.devices[OLD].tags == {"ags": "05562020"}
        assert shop.server.keys[OLD] == shop.old_board.key, "late readings still come through"
        keys = shop.new_board.keys_seen + shop.old_board.keys_seen
        assert len(keys) == len(set(keys))
        assert shop.in_use(NEW) == key_id(shop.new_board.key)


def test_a_new_key_that_was_cut_is_made_again(shops: Callable[[], Shop]) -> None:
    for shop in cuts(shops, Shop.rekey):
        key = shop.old_board.key
        assert shop.server.keys[OLD] == key
        assert shop.server.flushed[-1] == OLD
        assert len(shop.old_board.keys_seen) == len(set(shop.old_board.keys_seen)) >= 2
        assert shop.in_use(OLD) == key_id(key)
        reserved = [r.key_id for r in shop.books.ledger.records() if r.event == "key-reserved"]
        assert len(reserved) == len(set(reserved))


def test_a_retirement_that_was_cut_is_finished(shops: Callable[[], Shop]) -> None:
    for shop in cuts(shops, Shop.retire):
        assert OLD not in shop.server.devices
        assert OLD not in shop.server.keys
        board = shop.old_board
        assert (board.identity, board.key, board.node_json) == (None, None, None)
        (period,) = shop.w.inventory.periods
        assert period.until == LATER
        last = shop.books.ledger.records()[-1]
        assert (last.event, last.note) == ("retired", "")


def test_the_server_forgets_the_key_before_the_board_does(shops: Callable[[], Shop]) -> None:
    untouched = shops()
    untouched.retire()
    for cut in range(untouched.w.cable.calls):
        shop = shops()
        shop.w.cable.cut = cut
        with pytest.raises(BoardError):
            shop.retire()
        assert shop.old_board.key is not None or OLD not in shop.server.keys


def test_the_key_in_use_is_known_wherever_it_was_cut(shops: Callable[[], Shop]) -> None:
    """But while it is being written: then nobody can know, and the node is made again anyway."""
    untouched = shops()
    untouched.rekey()
    unsure = 0
    for cut in range(untouched.w.cable.calls):
        shop = shops()
        shop.w.cable.cut = cut
        with pytest.raises(BoardError):
            shop.rekey()
        last = shop.books.ledger.records()[-1]
        if last.steps and last.steps[-1] == StepResult(Step.WRITE_IDENTITY, "failed"):
            unsure += 1
        else:
            assert shop.in_use(OLD) == key_id(shop.old_board.key), cut
    assert unsure == 6  # three writes, reading back, and the profile before the next step begins
