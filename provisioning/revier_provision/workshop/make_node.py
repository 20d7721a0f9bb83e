# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One board, one node: the whole way as one function.

Every step looks before it writes and reads back after it, so a run that was cut is run again and
goes on where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from revier_inventory import Asset
from revier_inventory.message import Message, _, joined
from revier_provision import identity, inventory_files
from revier_provision.books import Books, allotted_to, check_elsewhere
from revier_provision.errors import BoardError, NetworkServerError, ProvisionError
from revier_provision.fleet.allotment import allot, read_block
from revier_provision.fleet.lifecycle import predecessor, release_old, since_after
from revier_provision.flow import Entropy, Making
from revier_provision.ledger.records import Record, StepResult
from revier_provision.links import JOIN_EUI_NONE, NodeOrder, NodeRecord
from revier_provision.lns.fleet import FleetChirpStack
from revier_provision.plan import Step
from revier_provision.workshop import labels
from revier_provision.workshop.assets import AssetDesk
from revier_provision.workshop.proof import Proof, how_far, judge
from revier_provision.workshop.self_test import PartResult, sentence
from revier_provision.workshop.site_file import Site
from revier_provision.workshop.step_events import NodeStep, OnStep, StepEvent, Steps
from revier_provision.workshop.table import Chip, NodeBoard, Table

NOTE_CHARS_MAX = 400
WINDOW_S = 30.0
QUIET_S = 0.4  # ChirpStack sends a device's recent events at once, in one go
HISTORY_LIMIT_S = 5.0
LOOK_EVERY_S = 0.5
NODE_EVENTS = ("provisioned", "replaced")  # of a board that went the whole way


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for this one board; what is None comes from site file and inventory."""

    port: str
    asset: str | None = None
    board: str | None = None
    interval_s: int | None = None
    join_eui: str = JOIN_EUI_NONE
    replace: bool = False
    local_mac_ok: bool = False
    window_s: float = WINDOW_S
    prove: bool = True


class NodeMade(msgspec.Struct, frozen=True, kw_only=True):
    """A node that stands. `proof` None: there is no network server, or proving was not asked for,
    or it was proven before (then `proven_before`). `old_dev_eui` served the asset before it;
    `old_kept`: it stays in the network server for late readings."""

    port: str
    record: NodeRecord
    old_dev_eui: str | None
    old_kept: bool
    chip: str
    parts: tuple[PartResult, ...]
    proof: Proof | None
    proven_before: datetime | None
    labels: tuple[str, ...]
    seconds: float
    steps: tuple[dict[str, Any], ...]


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What all boards of one run share. `shared`: one lock for all (see flow.Making)."""

    site: Site
    table: Table
    books: Books
    desk: AssetDesk
    network_server: FleetChirpStack | None
    entropy: Entropy
    shared: Any
    quiet_s: float = QUIET_S
    look_every_s: float = LOOK_EVERY_S
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


def make_node(bench: Bench, wanted: Wanted, on_step: OnStep = lambda _event: None) -> NodeMade:
    """Make the board on this port a proven, labelled, recorded node.

    Raises StepFailedError (which step, problem, cure); what was reached is in the ledger.
    """
    return _Way(bench, wanted, on_step).go()


class _Way:
    """State of one board's way."""

    def __init__(self, bench: Bench, wanted: Wanted, on_step: OnStep) -> None:
        self.bench, self.wanted = bench, wanted
        self.steps = Steps(on_step, bench.clock)
        self.dev_eui = ""
        self.chip_name = ""
        self.mac = b""
        self.asset: Asset | None = None
        self.firmware_sha256 = ""
        self.changed = False  # the board, in this run
        self.parts: tuple[PartResult, ...] = ()
        self.old_dev_eui: str | None = None  # the device that served the asset before
        self.old_kept = False

    def go(self) -> NodeMade:
        began_s = self.bench.clock()
        with self._entered():
            self._find()
            with ExitStack() as opened:
                board, making = self._write(opened)
                self._self_test(board)
                self._register(making)
                record = self._record(making)
                proof, before = self._prove(board)
            paths = self._label(record)
        return NodeMade(
            port=self.wanted.port,
            record=record,
            old_dev_eui=self.old_dev_eui,
            old_kept=self.old_kept,
            chip=self.chip_name,
            parts=self.parts,
            proof=proof,
            proven_before=before,
            labels=tuple(str(path) for path in paths),
            seconds=self.bench.clock() - began_s,
            steps=tuple(_plain(event) for event in self.steps.ended),
        )

    # -- the steps, in the order of NodeStep --

    def _find(self) -> None:
        """Chip and port, MicroPython, application: what a board needs before it can be asked."""
        table, port = self.bench.table, self.wanted.port
        board = self.wanted.board or self.bench.site.board
        with self.steps.step(NodeStep.FIND) as step:
            chip = table.find(port, board)
            if chip is not None:
                self._known(chip)
                step.done(chip.sentence(port))
            else:
                step.done(_("{port}; its chip is asked through MicroPython", port=port))
        if chip is not None and table.has_runtime:
            with self.steps.step(NodeStep.RUNTIME) as step:
                done = table.flash(port, chip, step.say)
                self.changed |= done is not None
                step.skip(_("it is there already")) if done is None else step.done(done)
        else:
            self.steps.skip(NodeStep.RUNTIME, _("the site file names no image"))
        if table.has_bundle:
            with self.steps.step(NodeStep.FIRMWARE) as step:
                done = table.upload(port, self.wanted.window_s, step.say)
                self.changed |= done is not None
                held = _("it is there already, or a newer one")
                step.skip(held) if done is None else step.done(done)
        else:
            self.steps.skip(NodeStep.FIRMWARE, _("the site file names no bundle"))

    def _write(self, opened: ExitStack) -> tuple[NodeBoard, Making]:
        """The board in its service window, which stays open as long as `opened`."""
        bench, wanted = self.bench, self.wanted
        with self.steps.step(NodeStep.IDENTITY) as step:
            step.say(_("knock at {port}", port=wanted.port))
            board = opened.enter_context(bench.table.open(wanted.port, wanted.window_s))
            mac = board.factory_mac()
            if self.mac and mac != self.mac:
                cure = "Let only one program use the port, and change no board while it is made"
                raise BoardError("Another board answers than the one that was flashed", cure)
            self._known(Chip(name=self.chip_name or "ESP32", mac=mac))
            self._allot()
            self.firmware_sha256 = board.firmware_sha256()
            order = self._order()
            making = Making(
                order, board, bench.network_server, bench.site.inventory, bench.entropy,
                bench.books, self.steps.say, bench.shared,
            )  # fmt: skip
            plan = making.look()
            making.write_board()
            wrote = {Step.WRITE_IDENTITY, Step.WRITE_NODE_JSON} & set(plan.steps)
            self.changed |= bool(wrote)
            what = _("DevEUI {dev_eui} serves {asset}", dev_eui=self.dev_eui, asset=order.asset)
            if Step.WRITE_IDENTITY in wrote:
                step.done(_("{what}; the board proved its new key", what=what))
            elif wrote:
                step.done(_("{what}; its settings are new", what=what))
            else:
                step.skip(_("{what} already", what=what))
        return board, making

    def _allot(self) -> None:
        """A DevEUI of the owner's block, if the site file names one."""
        bench = self.bench
        block = read_block(bench.site.eui_block)
        if block is not None:
            inventory = inventory_files.read(bench.site.inventory)
            local_ok = self.wanted.local_mac_ok
            self.dev_eui = allot(self.mac, block, inventory, bench.books, local_mac_ok=local_ok)

    def _order(self) -> NodeOrder:
        bench, wanted = self.bench, self.wanted
        inventory = inventory_files.read(bench.site.inventory)
        records = bench.books.ledger.records()
        asset = self.asset = bench.desk.choose(self.dev_eui, wanted.asset, inventory, records)
        since = bench.now().replace(microsecond=0)
        if wanted.replace:
            since = since_after(inventory.periods_of_asset(asset.asset), since)
        order = NodeOrder(
            kind=asset.kind,
            asset=asset.asset,
            ags=asset.ags,
            since=since,
            board=wanted.board or bench.site.board,
            interval_s=wanted.interval_s or bench.site.interval_s.get(asset.kind),
            join_eui=wanted.join_eui,
            replace=wanted.replace,
            local_mac_ok=wanted.local_mac_ok,
            dev_eui=self.dev_eui,
        )
        check_elsewhere(records, self.dev_eui, order, inventory)
        return order

    def _self_test(self, board: NodeBoard) -> None:
        with self.steps.step(NodeStep.SELF_TEST) as step:
            self.parts = board.self_test()
            faulty = [part for part in self.parts if part.fault]
            if faulty:
                problem = joined("; ", (part.problem for part in faulty))
                raise BoardError(problem, _("{cure}; then run again", cure=faulty[0].cure))
            step.done(sentence(self.parts))

    def _register(self, making: Making) -> None:
        if self.bench.network_server is None:
            why = _("no network server; catch up with: revier-provision register")
            self.steps.skip(NodeStep.REGISTER, why)
            return
        with self.steps.step(NodeStep.REGISTER) as step:
            making.register()
            where = making.registered_as()
            new = {Step.PUT_DEVICE, Step.SET_APP_KEY} & set(making.plan.steps)
            step.done(where) if new else step.skip(_("{what} already", what=where))

    def _record(self, making: Making) -> NodeRecord:
        with self.steps.step(NodeStep.RECORD) as step:
            record = making.record()
            served = {"dev_eui": record.dev_eui, "asset": record.asset, "ags": record.ags}
            what = _("{dev_eui} serves {asset} ({ags})", **served)
            self._release_old(record)
            if self.old_kept:
                old = self.old_dev_eui
                before = _("{old} served it before and stays in ChirpStack without it", old=old)
                what = joined("; ", [what, before])
            if Step.WRITE_INVENTORY in making.plan.steps:
                step.done(what)
            else:
                step.skip(_("{what} already", what=what))
        return record

    def _release_old(self, record: NodeRecord) -> None:
        """The asset's tag goes from the device that served it before."""
        inventory = inventory_files.read(self.bench.site.inventory)
        old = self.old_dev_eui = predecessor(inventory, record.asset, record.dev_eui)
        server = self.bench.network_server
        if server is not None:
            self.old_kept = release_old(inventory, record.asset, old, server, self.steps.say)

    def _prove(self, board: NodeBoard) -> tuple[Proof | None, datetime | None]:
        """The board begins to work here, whether it is watched or not."""
        server = self.bench.network_server
        before = self._proven_before()
        if server is None or not self.wanted.prove or before is not None:
            why = _("no network server") if server is None else _("not asked for")
            if before is not None:
                why = _("proven on {at:%Y-%m-%d %H:%M} UTC, nothing has changed since", at=before)
            with self.steps.step(NodeStep.PROOF) as step:
                board.start_node().close()
                step.skip(why)
            return None, before
        with self.steps.step(NodeStep.PROOF) as step:
            proof = self._watch(board, server, step.say)
            step.done(proof.sentence())
        return proof, None

    def _watch(
        self, board: NodeBoard, server: FleetChirpStack, say: Callable[[Message], None]
    ) -> Proof:
        bench = self.bench
        key_changed = server.key_changed_at(self.dev_eui)
        with server.watch_device(self.dev_eui) as watch:
            recent = watch.mark(bench.quiet_s, HISTORY_LIMIT_S)
            # What came before the restart proves nothing about a board that was changed since.
            after = recent if self.changed else 0
            not_before = None if self.changed else key_changed
            with closing(board.start_node()) as console:
                deadline_s = bench.clock() + bench.site.proof_limit_s
                told = ""
                while True:
                    events = watch.events(after)
                    lines = list(console.lines())
                    found = judge(events, lines, not_before=not_before)
                    if isinstance(found, Proof):
                        return found
                    if found.final or bench.clock() >= deadline_s:
                        raise NetworkServerError(found.problem, found.cure)
                    if (now := how_far(events, lines)) != told:
                        told = now
                        say(now)
                    watch.wait(bench.look_every_s)

    def _label(self, record: NodeRecord) -> tuple[Path, ...]:
        site = self.bench.site
        if site.labels is None or not site.label_formats:
            self.steps.skip(NodeStep.LABEL, _("the site file asks for none"))
            return ()
        with self.steps.step(NodeStep.LABEL) as step:
            inventory = inventory_files.read(site.inventory)
            paths = labels.write(site, inventory, record)
            new = self._last_made() is None
            printed = [labels.send(site, inventory, record)] if new and site.printer else []
            step.done(joined(", ", [*(path.name for path in paths), *printed]))
        return paths

    # -- the books --

    @contextmanager
    def _entered(self) -> Iterator[None]:
        """How it ended is entered in the ledger, as soon as it is known which device it is."""
        try:
            yield
        except ProvisionError as error:
            self._enter("failed", note=error.problem[:NOTE_CHARS_MAX])
            raise
        except BaseException as error:
            self._enter("failed", note=type(error).__name__)
            raise
        unchanged = all(e.state == "skipped" or e.step in _ALWAYS for e in self.steps.ended)
        if not (unchanged and self._last_made() is not None):
            taken_over = self.wanted.replace and self.old_dev_eui is not None
            self._enter("replaced" if taken_over else "provisioned")

    def _enter(self, event: Any, note: str = "") -> None:
        if not self.mac:
            return
        results = tuple(
            StepResult(e.step.value, "failed" if e.state == "failed" else "done")
            for e in self.steps.ended
            if e.state != "skipped"
        )
        self.bench.books.enter(
            event,
            note=note,
            steps=results,
            dev_eui=self.dev_eui,
            chip_mac=self.mac.hex(),
            asset=self.asset.asset if self.asset else "",
            ags=self.asset.ags if self.asset else "",
            firmware_sha256=self.firmware_sha256,
        )

    def _proven_before(self) -> datetime | None:
        if self.changed:
            return None
        for record in self._made():
            if any(r.step == NodeStep.PROOF and r.result == "done" for r in record.steps):
                return record.at
        return None

    def _last_made(self) -> Record | None:
        return next(iter(self._made()), None)

    def _made(self) -> list[Record]:
        """This device's entries since it was last changed, the newest first, at this asset."""
        own = [r for r in self.bench.books.ledger.records() if r.dev_eui == self.dev_eui]
        own.sort(key=lambda record: (record.at, record.number), reverse=True)
        found = []
        for record in own:
            if record.event == "key-reserved":
                break
            same = self.asset is not None and record.asset == self.asset.asset
            if record.event in NODE_EVENTS and same:
                if record.firmware_sha256 != self.firmware_sha256:
                    break
                found.append(record)
        return found

    def _known(self, chip: Chip) -> None:
        self.chip_name, self.mac = chip.name, chip.mac
        allotted = allotted_to(self.bench.books.ledger.records(), chip.mac)
        local_ok = self.wanted.local_mac_ok
        if allotted is None and self.bench.site.eui_block is not None:
            return  # an entry under the chip's own DevEUI would keep it from one of the block
        self.dev_eui = identity.dev_eui_of(chip.mac, allotted, local_ok=local_ok)


_ALWAYS = (NodeStep.FIND, NodeStep.SELF_TEST, NodeStep.LABEL)


def _plain(event: StepEvent) -> dict[str, Any]:
    return {
        "step": event.step.value,
        "state": event.state,
        "readback": event.readback,
        "seconds": round(event.seconds, 3),
    }
