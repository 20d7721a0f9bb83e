# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The demo's nodes, made as a technician makes them: each from an empty chip, by `make_node`.

Boot loader, esptool, MicroPython's REPL, the application's bundle, self-test, gRPC, vault, ledger
and label are the real ones; only the proof of join and reading is left to the world, whose clock
has not begun. A board that is knocked at late has run already and kept what it did; so what it was
given, and nothing else, goes on a clean flash into its place: how long it took changes nothing.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import cast

import msgspec

from revier_bench import firmware_release, image
from revier_bench.virtual_board import Nvs
from revier_bench.virtual_board.shim_build import build_shim
from revier_bench.workbench import BenchBoard, make_runtime
from revier_bench.workbench.quick_esptool import in_a_hurry
from revier_bench.world.boards import new_flash
from revier_bench.world.chance import stream
from revier_bench.world.fleet import FleetNode
from revier_bench.world.workshop import ReadyNode, Workshop, WorkshopError
from revier_provision.board.raw_repl import RawRepl
from revier_provision.board.repl_board import entered
from revier_provision.books import Books
from revier_provision.chip import BaudMemory
from revier_provision.chip.match import expected_chip
from revier_provision.ledger.files import LedgerFolder
from revier_provision.lns.fleet import FleetChirpStack
from revier_provision.update import firmware_bundle
from revier_provision.vault import vault
from revier_provision.workshop.assets import AssetDesk
from revier_provision.workshop.make_node import Bench, NodeMade, Wanted, make_node
from revier_provision.workshop.serial_board import SerialBoard, Stream
from revier_provision.workshop.serial_table import SerialTable
from revier_provision.workshop.site_file import Runtime, Site
from revier_provision.workshop.step_events import StepFailedError
from revier_provision.workshop.table import Console

PARALLEL = 12  # boards on the table at one time
STATION = "demo"
NAMESPACE = "lorawan"
IDENTITY = ("dev_eui", "join_eui", "app_key")
OWN_FILES = ("/node.json", "/slot")  # beside the application's
TRIES = 3
WINDOW_S = 120.0  # the machine may do other things, too


TERMINALS = 2 * PARALLEL  # each board's console takes two


def is_possible() -> bool:
    """Are there pseudo-terminals enough? A bare chroot has none."""
    opened: list[int] = []
    try:
        for _ in range(TERMINALS):
            opened += os.openpty()
    except OSError:
        return False
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return True


class Unboxing(Workshop):
    """As Workshop, but each board comes out of its box: nothing is in its flash."""

    def provision(self) -> list[ReadyNode]:
        """Raises ProvisionError, WorkshopError."""
        self._prepare()
        build_shim(self.build_dir)  # once for all boards
        sent = image.read_files(self.firmware, self.build_dir)
        bench = self._bench()
        with in_a_hurry(), ThreadPoolExecutor(PARALLEL, "technician") as technicians:
            return list(
                technicians.map(lambda node: self._unbox(bench, node, sent), self.fleet.nodes)
            )

    def _bench(self) -> Bench:
        site = self._site()
        vault.create(self.work_dir / "vault", self.work_dir / "identity", None)
        start = datetime.fromtimestamp(self.start_unix_us / 1_000_000, UTC)
        return Bench(
            site=site,
            table=BoxTable(site, BaudMemory()),
            books=Books(
                LedgerFolder(site.ledger, STATION, STATION), vault.Vault(self.work_dir / "vault")
            ),
            desk=AssetDesk(),
            network_server=cast(FleetChirpStack, self.network_server),
            entropy=stream(self.seed, "entropy").randbytes,
            shared=threading.Lock(),
            now=lambda: start,
        )

    def _site(self) -> Site:
        """With a runtime for each chip of the fleet, and the application as it is now."""
        chips = sorted({expected_chip(node.board) for node in self.fleet.nodes})
        runtimes = []
        for chip in chips:
            runtime = make_runtime(chip)
            path = self.work_dir / f"{chip}.bin"
            path.write_bytes(runtime)
            runtimes.append(Runtime(path, sha256(runtime).hexdigest()))
        bundle = self.work_dir / "revier-firmware.zip"
        bundle.write_bytes(firmware_bundle.packed(firmware_release.build()))
        return Site(
            inventory=self.inventory_dir,
            ledger=self.inventory_dir / "ledger",
            vault=self.work_dir / "vault",
            station=STATION,
            runtimes=tuple(runtimes),
            bundle=bundle,
            labels=self.work_dir / "labels",
            label_formats=("svg",),
        )

    def _unbox(self, shared: Bench, node: FleetNode, sent: dict[str, bytes]) -> ReadyNode:
        assert not node.settings, "settings are made by downlink or cable, not in the workshop"
        board = BenchBoard(
            self.work_dir / "boards" / node.asset,
            expected_chip(node.board),
            mac=node.mac,
            build_dir=self.build_dir,
            board=node.board,
            kind=node.kind,
        )
        table = cast(BoxTable, shared.table)
        # Each node's key has its own stream of the seed, whichever board is first.
        entropy = stream(self.seed, f"entropy:{node.asset}").randbytes
        bench = msgspec.structs.replace(shared, entropy=entropy)
        with board:
            table.off[board.url] = board.cut
            wanted = Wanted(
                port=board.url,
                asset=node.asset,
                board=node.board,
                interval_s=node.reading_interval_s,
                local_mac_ok=True,
                window_s=WINDOW_S,
                prove=False,
            )
            made = self._made(bench, wanted)
        dev_eui = made.record.dev_eui
        app_key = self.network_server.app_key(dev_eui)
        assert app_key is not None
        self.progress(f"made {node.asset} as {dev_eui}, from an empty chip, {made.seconds:.1f} s")
        return ReadyNode(node, dev_eui, app_key, self._carried(node, board.flash.image, sent))

    def _made(self, bench: Bench, wanted: Wanted) -> NodeMade:
        """Again where a step failed, which goes on where it stopped: twelve boards at one time on a
        busy machine are more than some of esptool's waits allow for."""
        for left in range(TRIES - 1, -1, -1):
            try:
                return make_node(bench, wanted)
            except StepFailedError as error:
                if not left:
                    raise
                self.progress(f"{wanted.asset} once more: {error}")
        raise AssertionError

    def _carried(self, node: FleetNode, flash: Path, sent: dict[str, bytes]) -> Path:
        """Application, identity and settings of this flash on a clean one in its place.

        Raises WorkshopError if the board does not hold what was sent to it.
        """
        files = image.read_files(flash, self.build_dir)
        wrong = [name for name, data in sent.items() if files.get(name) != data]
        if wrong:
            raise WorkshopError(f"{node.asset}: not on the board as it was sent: {wrong[0]}")
        held = Nvs(flash)
        identity = {key: held.get(NAMESPACE, key) for key in IDENTITY}
        clean = new_flash(node, self.firmware, self.work_dir)
        own = {name: files[name] for name in OWN_FILES if name in files}
        image.write_files(clean, own, self.build_dir)
        nvs = Nvs(clean)
        for key, value in identity.items():
            assert isinstance(value, bytes)
            nvs.set(NAMESPACE, key, value)
        nvs.commit()
        return clean


class BoxTable(SerialTable):
    """A node that is made is switched off; it starts in its place. `off` by port."""

    def __init__(self, site: Site, memory: BaudMemory) -> None:
        super().__init__(site, memory)
        self.off: dict[str, Callable[[], None]] = {}

    @contextmanager
    def open(self, port: str, window_s: float) -> Iterator[SerialBoard]:
        with entered(port, window_s) as (repl, stream):
            yield BoxedBoard(repl, stream, self.off[port])


class BoxedBoard(SerialBoard):
    def __init__(self, repl: RawRepl, stream: Stream, off: Callable[[], None]) -> None:
        super().__init__(repl, stream, lambda: stream)
        self._off = off

    def start_node(self) -> Console:
        self._off()
        return Silence()


class Silence:
    """The console of a board without power."""

    def lines(self) -> list[str]:
        return []

    def close(self) -> None:
        pass
