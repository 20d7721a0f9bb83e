# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The whole way of a board, and what goes wrong on it; boards on paper, ChirpStack's real gRPC."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from chirpstack_api import api

from revier_bench.network_server.auth import encode_token
from revier_bench.network_server.registry import ApiKey
from revier_bench.workshop.paper_air import PaperAir
from revier_bench.workshop.paper_table import PaperShop
from revier_bench.workshop.scissors import Place, Scissors
from revier_provision import inventory_files
from revier_provision.ledger.files import verify
from revier_provision.workshop.make_node import NodeMade, Wanted, make_node
from revier_provision.workshop.step_events import NodeStep, StepEvent, StepFailedError

DEV_EUI = "240ac4fffe000001"
MakeShop = Callable[..., PaperShop]


def run(
    shop: PaperShop, events: list[StepEvent] | None = None, *, prove: bool = True, **more: Any
) -> NodeMade:
    heard = events if events is not None else []
    with shop.bench(**more) as bench:
        return make_node(bench, Wanted(port="paper0", prove=prove), heard.append)


def fails(shop: PaperShop, step: NodeStep, words: str, **more: Any) -> StepFailedError:
    events: list[StepEvent] = []
    with pytest.raises(StepFailedError, match=words) as failed:
        run(shop, events, **more)
    assert failed.value.step == step
    assert events[-1].state == "failed"
    assert events[-1].cure == failed.value.cure != ""
    return failed.value


def states(events: list[StepEvent]) -> dict[NodeStep, str]:
    return {event.step: event.state for event in events if event.state != "progress"}


def test_a_board_from_the_box_becomes_a_proven_node(make_shop: MakeShop, air: PaperAir) -> None:
    shop = make_shop(formats=("svg", "png", "pdf", "zpl"))
    events: list[StepEvent] = []
    made = run(shop, events)
    assert [event.step for event in events if event.state == "done"] == list(NodeStep)
    assert all(event.readback for event in events if event.state == "done")
    assert made.record.dev_eui == DEV_EUI
    assert made.proof is not None
    assert made.proof.radio.rssi_dbm == -97
    assert made.proof.values["pm25"] == 8.4
    device = air.registry.devices[DEV_EUI]
    assert device.tags == {"asset": "herten-air-01", "ags": "05562020"}
    keys = air.registry.keys[DEV_EUI]
    assert keys.nwk_key == shop.boards["paper0"].nvs["app_key"]
    assert keys.app_key == bytes(16)
    assert "function decodeUplink" in air.registry.profiles[device.device_profile_id].codec_script
    files = sorted(path.suffix for path in (shop.folder / "labels").iterdir())
    assert files == [".pdf", ".png", ".svg", ".zpl"]
    (chain,) = verify(shop.site.ledger).values()
    assert [record.event for record in chain.records] == ["key-reserved", "provisioned"]
    assert [step.step for step in chain.records[1].steps] == [step.value for step in NodeStep]


def test_a_second_run_changes_nothing_and_is_not_entered(make_shop: MakeShop) -> None:
    shop = make_shop()
    run(shop)
    key = shop.boards["paper0"].nvs["app_key"]
    (before,) = verify(shop.site.ledger).values()
    events: list[StepEvent] = []
    made = run(shop, events)
    assert made.proven_before is not None
    assert {s for s, state in states(events).items() if state == "done"} == {
        NodeStep.FIND, NodeStep.SELF_TEST, NodeStep.LABEL
    }  # fmt: skip
    assert shop.boards["paper0"].nvs["app_key"] == key
    (after,) = verify(shop.site.ledger).values()
    assert after.records == before.records


def test_new_firmware_is_proven_again(make_shop: MakeShop) -> None:
    shop = make_shop()
    run(shop)
    shop.boards["paper0"].firmware = "older"
    made = run(shop)
    assert made.proof is not None
    (chain,) = verify(shop.site.ledger).values()
    assert [record.event for record in chain.records][-1] == "provisioned"


def test_without_chirpstack_it_is_made_and_registered_later(
    make_shop: MakeShop, air: PaperAir
) -> None:
    shop = make_shop()
    events: list[StepEvent] = []
    made = run(shop, events, with_server=False)
    assert not made.record.registered
    assert states(events)[NodeStep.REGISTER] == "skipped"
    assert states(events)[NodeStep.LABEL] == "done"
    assert air.registry.devices == {}
    made = run(shop)
    assert made.record.registered
    assert made.proof is not None


def test_one_question_at_most(make_shop: MakeShop) -> None:
    shop = make_shop(3)
    asked: list[list[str]] = []

    def ask(proposal: Any, free: Any) -> str:
        asked.append([asset.asset for asset in free])
        assert proposal.asset == "herten-air-01"
        return "herten-air-02"

    assert run(shop, ask=ask).record.asset == "herten-air-02"
    assert asked == [["herten-air-01", "herten-air-02", "herten-air-03"]]
    assert run(shop, ask=ask).record.asset == "herten-air-02"
    assert len(asked) == 1, "the inventory knows what this board serves"


def test_a_run_that_failed_goes_on_with_its_asset(make_shop: MakeShop) -> None:
    shop = make_shop(2)
    shop.boards["paper0"].faults["radio"] = "no answer"
    fails(shop, NodeStep.SELF_TEST, "LoRa radio does not answer", only=["herten-air-02"])
    shop.boards["paper0"].faults.clear()
    assert run(shop).record.asset == "herten-air-02"


def test_a_wrong_chip_is_refused_before_anything_is_written(
    make_shop: MakeShop, air: PaperAir
) -> None:
    shop = make_shop()
    board = shop.boards["paper0"]
    board.chip = "ESP32-C3"
    fails(shop, NodeStep.FIND, "This is an ESP32-C3")
    assert (board.runtime, board.firmware, board.nvs) == ("", "", {})
    assert air.registry.devices == {}


def test_a_full_flash_is_said(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.boards["paper0"].full = True
    fails(shop, NodeStep.FIRMWARE, "flash is full")


def test_a_board_asleep_is_said(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.boards["paper0"].asleep = True
    error = fails(shop, NodeStep.FIRMWARE, "did not open its REPL")
    assert "reset button" in error.cure


def test_faulty_parts_are_all_named_and_nothing_is_registered(
    make_shop: MakeShop, air: PaperAir
) -> None:
    shop = make_shop()
    shop.boards["paper0"].faults = {"sps30": "silent", "radio": "busy"}
    error = fails(shop, NodeStep.SELF_TEST, "SPS30 .* sends nothing; LoRa radio stays busy")
    assert "then run again" in error.cure
    assert air.registry.devices == {}
    (chain,) = verify(shop.site.ledger).values()
    assert chain.records[-1].event == "failed"
    assert chain.records[-1].steps[-1].result == "failed"


def test_chirpstack_down_is_said_and_the_next_run_goes_on(make_shop: MakeShop) -> None:
    whole = Scissors()
    run(make_shop(name="whole"), scissors=whole)
    shop = make_shop()
    first = Scissors(whole.places.index(Place.SERVER))
    error = fails(shop, NodeStep.IDENTITY, "it does not answer", scissors=first)
    assert "Check --server" in error.cure
    assert run(shop).proof is not None


def test_a_token_without_rights_is_said(make_shop: MakeShop, air: PaperAir) -> None:
    shop = make_shop()
    air.registry.api_keys["reader"] = ApiKey("reader", "r", is_admin=True, is_read_only=True)
    token = encode_token(air.backend.secret, "reader", "key")
    error = fails(shop, NodeStep.REGISTER, "the API token has no right", token=token)
    assert "Make an API key" in error.cure
    wrong = fails(shop, NodeStep.IDENTITY, "not one of this ChirpStack", token="x")
    assert "Make an API key" in wrong.cure
    assert run(shop).proof is not None


def test_a_deveui_of_another_application_is_named(make_shop: MakeShop, air: PaperAir) -> None:
    shop = make_shop(2)
    run(shop)
    with shop.bench() as bench:
        server = bench.network_server
        assert server is not None
        owner = inventory_files.read(shop.inventory_dir).owners[0]
        found = server.find_application(owner)
        assert found is not None
        other = server._do(
            "", server._applications.Create,
            api.CreateApplicationRequest(
                application=api.Application(name="Stadtwerke", tenant_id=found.tenant_id)
            ),
        )  # fmt: skip
    air.registry.devices[DEV_EUI].application_id = other.id
    key = shop.boards["paper0"].nvs["app_key"]
    error = fails(shop, NodeStep.IDENTITY, "in the application 'Stadtwerke'")
    assert "Delete it there" in error.cure
    assert shop.boards["paper0"].nvs["app_key"] == key


def test_a_join_that_never_comes_is_explained(make_shop: MakeShop, air: PaperAir) -> None:
    shop = make_shop()
    shop.site = msgspec.structs.replace(shop.site, proof_limit_s=0.3)
    air.deaf = True
    error = fails(shop, NodeStep.PROOF, "no gateway of this ChirpStack has heard it")
    assert "antenna" in error.cure
    air.deaf = False
    shop.site = msgspec.structs.replace(shop.site, proof_limit_s=20.0)
    assert run(shop).proof is not None


def test_a_silent_node_is_said(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.site = msgspec.structs.replace(shop.site, proof_limit_s=0.2)
    shop.boards["paper0"].dumb = True
    fails(shop, NodeStep.PROOF, "Neither ChirpStack nor the cable tells of a join")


def test_a_wrong_key_is_found_at_the_join_and_cured_by_running_again(
    make_shop: MakeShop, air: PaperAir
) -> None:
    shop = make_shop()
    board = shop.boards["paper0"]
    start_node = board.start_node

    def spoilt() -> Any:
        air.registry.keys[DEV_EUI].nwk_key = bytes(16)
        return start_node()

    type(board).start_node, before = lambda _self: spoilt(), type(board).start_node  # type: ignore[method-assign]
    try:
        fails(shop, NodeStep.PROOF, "has another key for it")
    finally:
        type(board).start_node = before  # type: ignore[method-assign]
    assert run(shop).proof is not None


def test_the_label_goes_to_the_printer_once(make_shop: MakeShop) -> None:
    shop = make_shop()
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as printer:
        port = printer.getsockname()[1]

        def take() -> None:
            connection, _ = printer.accept()
            with connection:
                while data := connection.recv(65536):
                    got.append(data)

        taking = threading.Thread(target=take, daemon=True)
        taking.start()
        shop.site = msgspec.structs.replace(shop.site, printer=f"127.0.0.1:{port}")
        run(shop)
        taking.join(20)
    assert b"".join(got).startswith(b"^XA")
    run(shop)  # the printer is gone; nothing has changed, so nothing is printed


def test_a_printer_that_is_off_stops_the_last_step_only(make_shop: MakeShop) -> None:
    shop = make_shop()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    shop.site = msgspec.structs.replace(shop.site, printer=f"127.0.0.1:{port}")
    fails(shop, NodeStep.LABEL, "does not answer")
    assert len(list((shop.folder / "labels").iterdir())) == 1
    shop.site = msgspec.structs.replace(shop.site, printer=None)
    made = run(shop)
    assert made.proven_before is None, "the ledger's failed entry proves nothing"


def test_a_board_that_takes_an_asset_over_leaves_the_old_device_without_it(
    make_shop: MakeShop, air: PaperAir
) -> None:
    shop = make_shop(2)
    first = run(shop).record
    wanted = Wanted(port="paper1", asset=first.asset, replace=True)
    events: list[StepEvent] = []
    with shop.bench() as bench:
        second = make_node(bench, wanted, events.append).record
    told = next(e.readback for e in events if (e.step, e.state) == (NodeStep.RECORD, "done"))
    assert told.endswith(f"{first.dev_eui} served it before and stays in ChirpStack without it")
    assert air.registry.devices[second.dev_eui].tags["asset"] == first.asset
    old = air.registry.devices[first.dev_eui]
    assert "asset" not in old.tags
    assert old.name == f"{first.asset} (replaced)"

    old.tags["asset"] = first.asset  # as if it broke off before: the next run mends it
    with shop.bench() as bench:
        make_node(bench, Wanted(port="paper1"))
    assert "asset" not in air.registry.devices[first.dev_eui].tags
