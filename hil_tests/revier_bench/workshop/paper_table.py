# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A workbench on paper: boards at ports, an inventory, a vault, a site; made in a folder."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from revier_bench.workshop.paper_air import PaperAir
from revier_bench.workshop.paper_board import PaperBoard, Sent
from revier_bench.workshop.scissors import KilledError, Place, Scissors
from revier_inventory import Asset, Inventory, Owner
from revier_inventory.message import NOTHING, Message, verbatim
from revier_provision import inventory_files
from revier_provision.board.raw_repl import BoardSilentError
from revier_provision.books import Books
from revier_provision.errors import BoardError, OrderError
from revier_provision.ledger.files import LedgerFolder, utc_now
from revier_provision.lns.fleet import FleetChirpStack
from revier_provision.lns.reach import payload_codec
from revier_provision.vault import vault
from revier_provision.vault.vault import Vault
from revier_provision.workshop.assets import Ask, AssetDesk, take_proposal
from revier_provision.workshop.make_node import Bench
from revier_provision.workshop.site_file import LabelFormat, Site
from revier_provision.workshop.table import Chip, Say

AGS = "05562020"
RUNTIME, FIRMWARE = "11" * 32, "22" * 32
PIECES = 4  # of a transfer; the cable may be cut after each
QUIET_S = 0.02
STATION = "paper-1"


class PaperTable:
    """Table over PaperBoards by port."""

    has_runtime = True
    has_bundle = True

    def __init__(
        self,
        boards: dict[str, PaperBoard],
        wants: str = "ESP32-S3",
        tool: Callable[[], object] = lambda: None,
    ) -> None:
        """`tool` runs where esptool does, for its time and its CPU."""
        self.boards = boards
        self._wants = wants
        self._tool = tool

    def ports(self) -> Sequence[str]:
        return sorted(self.boards)

    def find(self, port: str, board: str) -> Chip | None:
        found = self._at(port)
        self._tool()
        found._use()
        if found.chip != self._wants:
            cure = "Use a board with {wants}, or name another board description (--board)"
            raise BoardError(
                "This is an {chip}; {board} has an {wants}",
                cure,
                chip=found.chip,
                board=board,
                wants=self._wants,
            )
        return Chip(name=found.chip, mac=found.mac)

    def flash(self, port: str, chip: Chip, say: Say) -> Message | None:
        board = self._at(port)
        assert chip.name == board.chip
        self._tool()
        board._use()
        if board.runtime == RUNTIME:
            return None
        board.runtime = ""
        self._move(board, board.flash_s, say)
        board._use(lambda: setattr(board, "runtime", RUNTIME))
        return verbatim(f"verified, SHA-256 {RUNTIME[:12]}")

    def upload(self, port: str, window_s: float, say: Say) -> Message | None:
        board = self._at(port)
        self._awake(board, window_s)
        board._use()
        if board.firmware == FIRMWARE:
            return None
        if board.full:
            cure = "Erase the flash (revier-provision flash --erase), then run again"
            raise BoardError("The board's flash is full", cure)
        self._move(board, board.upload_s, say)
        board._use(lambda: setattr(board, "firmware", FIRMWARE))
        return verbatim(f"verified, SHA-256 {FIRMWARE[:12]}")

    @contextmanager
    def open(self, port: str, window_s: float) -> Iterator[PaperBoard]:
        board = self._at(port)
        self._awake(board, window_s)
        board._use()
        yield board

    def _at(self, port: str) -> PaperBoard:
        if port not in self.boards:
            raise OrderError("There is no board at {port}", "Plug it in", port=port)
        return self.boards[port]

    def _awake(self, board: PaperBoard, window_s: float) -> None:
        if board.asleep:
            problem = "The board did not open its REPL within {window_s:g} s"
            raise BoardSilentError(
                problem, "Press its reset button and run again at once", window_s=window_s
            )

    def _move(self, board: PaperBoard, seconds: float, say: Say) -> None:
        for piece in range(PIECES):
            if seconds:
                time.sleep(seconds / PIECES)
            board._use()
            say(NOTHING, (piece + 1) / PIECES)


class CutServer(FleetChirpStack):
    """ChirpStack through a cable that may be cut before or after any call."""

    def __init__(self, scissors: Scissors, target: str, token: str) -> None:
        super().__init__(target, token, codec_js=payload_codec())
        self._scissors = scissors

    def _call(self, method: Any, request: Any) -> Any:
        return self._scissors.pass_by(
            Place.SERVER, lambda: super(CutServer, self)._call(method, request)
        )


class PaperShop:
    """Everything but the network server is new, in `folder`."""

    def __init__(
        self,
        folder: Path,
        air: PaperAir,
        macs: Sequence[bytes],
        sent: Sent,
        seed: str,
        formats: tuple[LabelFormat, ...] = ("zpl",),
    ) -> None:
        self.folder, self.air = folder, air
        self.inventory_dir = folder / "inventory"
        inventory_files.write(self.inventory_dir, inventory(len(macs)))
        vault.create(folder / "vault", folder / "identity", None)
        self.boards = {
            f"paper{i}": PaperBoard(mac=mac, air=air, sent=sent) for i, mac in enumerate(macs)
        }
        self.tool: Callable[[], object] = lambda: None
        self.entropy: Callable[[int], bytes] = random.Random(f"{seed}:keys").randbytes  # noqa: S311
        self.site = Site(
            inventory=self.inventory_dir,
            ledger=self.inventory_dir / "ledger",
            vault=folder / "vault",
            station=STATION,
            labels=folder / "labels",
            label_formats=formats,
            proof_limit_s=20.0,
        )

    @contextmanager
    def bench(
        self,
        scissors: Scissors | None = None,
        *,
        with_server: bool = True,
        token: str | None = None,
        ask: Ask = take_proposal,
        only: Sequence[str] = (),
        quiet_s: float = QUIET_S,
    ) -> Iterator[Bench]:
        """A program's start: a new connection, new books; what it keeps in memory is gone after."""
        scissors = scissors or Scissors()
        for board in self.boards.values():
            board.scissors = scissors

        def now() -> Any:
            if scissors.dead:  # the ledger asks for the time of each entry
                raise KilledError
            return utc_now()

        ledger = LedgerFolder(self.site.ledger, STATION, "bench", now)
        server = (
            CutServer(scissors, self.air.target, token or self.air.token) if with_server else None
        )
        try:
            yield Bench(
                site=self.site,
                table=PaperTable(self.boards, tool=self.tool),
                books=Books(ledger, Vault(self.folder / "vault")),
                desk=AssetDesk(ask, only),
                network_server=server,
                entropy=self.entropy,
                shared=threading.Lock(),
                quiet_s=quiet_s,
                look_every_s=QUIET_S,
            )
        finally:
            if server is not None:
                server.close()


def inventory(count: int) -> Inventory:
    """One town with `count` planned air nodes."""
    assets = tuple(
        Asset(asset=f"herten-air-{i:02}", kind="air", ags=AGS, name=f"Ort {i}", lon=7.13, lat=51.59)
        for i in range(1, count + 1)
    )
    return Inventory(owners=(Owner(ags=AGS, name="Herten"),), assets=assets)
