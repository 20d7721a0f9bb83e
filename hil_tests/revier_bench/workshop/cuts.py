# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A run is cut at a point, the command is given again: is the node whole, was anything used twice?

A trial is a new board in a new workshop; the network server is the same for all. A cut is of the
board's cable, of ChirpStack's, or of the workbench's power, before or after what happens there; in
some trials the next run is cut as well.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from revier_bench.network_server.registry import Registry
from revier_bench.workshop.paper_air import PaperAir
from revier_bench.workshop.paper_board import Sent
from revier_bench.workshop.paper_table import AGS, PaperShop
from revier_bench.workshop.scissors import KilledError, Scissors
from revier_provision import identity, inventory_files
from revier_provision.errors import ProvisionError
from revier_provision.ledger.files import verify
from revier_provision.ledger.records import key_id
from revier_provision.vault.vault import Vault
from revier_provision.workshop.make_node import Wanted, make_node
from revier_provision.workshop.step_events import StepEvent

PORT = "paper0"
SECOND_CUT = 0.3
KILLED = 0.4


@dataclass(slots=True)
class Cuts:
    """What many trials found. `faults` are sentences that name the trial."""

    trials: int = 0
    cuts: Counter[str] = field(default_factory=Counter)  # by place, and by step
    faults: list[str] = field(default_factory=list)
    keys: dict[bytes, str] = field(default_factory=dict)  # key -> the DevEUI that held it
    dev_euis: set[str] = field(default_factory=set)
    sent: Sent = field(default_factory=Sent)


def points(folder: Path, air: PaperAir) -> int:
    """How many points an uncut run passes."""
    scissors = Scissors()
    shop = PaperShop(folder, air, [mac_of(0)], Sent(), "points")
    assert _run(shop, scissors) == ""
    return scissors.passed


def trial(number: int, total: int, folder: Path, air: PaperAir, found: Cuts) -> None:
    """One board; `number` decides everything. `total` is how many points there are."""
    chance = random.Random(f"cut:{number}")  # noqa: S311
    shop = PaperShop(folder, air, [mac_of(number)], found.sent, str(number))
    found.trials += 1
    cuts = [_scissors(chance, total)]
    if chance.random() < SECOND_CUT:
        cuts.append(_scissors(chance, total))
    for scissors in cuts:
        step = _run(shop, scissors)
        if scissors.cut_at is not None:
            found.cuts[f"at {scissors.cut_at.value}"] += 1
            found.cuts["killed" if scissors.dead else "cable"] += 1
            found.cuts[f"in {step}"] += 1
    broken = _run(shop, Scissors())
    wrong = (
        [f"the last run broke off: {broken}"] if broken else [*_wrong(shop, air.registry, found)]
    )
    found.faults += [f"trial {number}: {what}" for what in wrong]


def mac_of(number: int) -> bytes:
    return bytes.fromhex("240ac4") + number.to_bytes(3, "big")


def _scissors(chance: random.Random, total: int) -> Scissors:
    at = chance.randrange(total)
    return Scissors(at, after=chance.random() < 0.5, kill=chance.random() < KILLED)


def _run(shop: PaperShop, scissors: Scissors) -> str:
    """One call of the command; where it was cut, empty: it went through."""
    last: list[StepEvent] = []
    try:
        with shop.bench(scissors) as bench, scissors.at_files():
            make_node(bench, Wanted(port=PORT), last.append)
    except (ProvisionError, KilledError):
        return last[-1].step.value if last else "the start"
    return ""


def _wrong(shop: PaperShop, registry: Registry, found: Cuts) -> Iterator[str]:
    """What is not as it should be, of this node and of all nodes so far."""
    board = shop.boards[PORT]
    dev_eui = identity.dev_eui_from_mac(board.mac)
    key = board.nvs.get("app_key")
    if key is None or board.nvs.get("dev_eui") != bytes.fromhex(dev_eui):
        yield "the board has no whole identity"
        return
    keys = registry.keys.get(dev_eui)
    if keys is None or keys.nwk_key != key:
        yield "ChirpStack has another key than the board"
    device = registry.devices.get(dev_eui)
    asset = f"herten-air-{1:02}"
    if device is None or device.tags != {"asset": asset, "ags": AGS}:
        yield "ChirpStack has no device with these tags"
    elif device.session is None:
        yield "the device never joined"
    inventory = inventory_files.read(shop.inventory_dir)
    periods = [(p.dev_eui, p.asset, p.until) for p in inventory.periods]
    if periods != [(dev_eui, asset, None)]:
        yield f"the inventory has the periods {periods}"
    if not (shop.folder / "labels" / f"{asset}-{dev_eui}.zpl").exists():
        yield "there is no label"
    if not Vault(shop.folder / "vault").holds(dev_eui, key_id(key)):
        yield "the vault does not hold the key"
    yield from _ledger_wrong(shop, board.keys_held, found)
    yield from _used_twice(board.keys_held, dev_eui, found)


def _ledger_wrong(shop: PaperShop, held: Sequence[bytes], _found: Cuts) -> Iterator[str]:
    (chain,) = verify(shop.site.ledger).values()
    made = [record for record in chain.records if record.event == "provisioned"]
    if not made:
        yield "the ledger does not say that it was made"
    reserved = [record.key_id for record in chain.records if record.event == "key-reserved"]
    if len(reserved) != len(set(reserved)):
        yield "the ledger reserved a key twice"
    if not {key_id(key) for key in held} <= set(reserved):
        yield "the board held a key that the ledger does not know"


def _used_twice(held: Sequence[bytes], dev_eui: str, found: Cuts) -> Iterator[str]:
    if dev_eui in found.dev_euis:
        yield f"the DevEUI {dev_eui} was used twice"
    found.dev_euis.add(dev_eui)
    if len(held) != len(set(held)):
        yield "a key was written twice"
    for key in held:
        if found.keys.setdefault(key, dev_eui) != dev_eui:
            yield "a key was given to two boards"
    requests = found.sent.join_requests
    if len(requests) != len(set(requests)):
        yield "a DevNonce was used twice with one key"
