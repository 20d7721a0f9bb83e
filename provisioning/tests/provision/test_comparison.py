# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Inventory, ledger, vault, ChirpStack and board side by side: what agrees is silent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revier_inventory import Asset, DevicePeriod, Inventory, Owner, end_period
from revier_provision.fleet.comparison import BoardView, Sources, compare
from revier_provision.fleet.health import health
from revier_provision.fleet.keys_in_use import key_in_use
from revier_provision.fleet.server_view import ServerDevice
from revier_provision.ledger.records import EMPTY, Entry, Event, Head, Record, StepResult, link
from revier_provision.links import INTERVAL_S_BY_KIND
from revier_provision.lns.fleet import ListedDevice
from revier_provision.plan import Step

AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
AGS = ("05562020", "05562024")
KINDS = ("air", "parking", "waste")
FIRMWARE = "ab" * 32
JOIN = "0" * 16


def key_of(number: int) -> str:
    return f"{number:032x}"


def eui_of(number: int) -> str:
    return f"240ac4fffe{number:06x}"


def records_of(entries: list[Entry]) -> tuple[Record, ...]:
    head: Head = EMPTY
    made = []
    for entry in entries:
        made.append(link(entry, "bench-1", head, {}))
        head = made[-1].head
    return tuple(made)


def entry(event: Event, minutes: int = 0, **what: Any) -> Entry:
    return Entry(at=AT + timedelta(minutes=minutes), by="me", event=event, **what)


def sound(count: int, kinds: list[int], towns: list[int], unserved: int = 0) -> Sources:
    """So many nodes, every source agreeing about each; and assets that nothing serves."""
    assets, periods, entries, server = [], [], [], {}
    for n in range(count + unserved):
        kind, ags = KINDS[kinds[n % len(kinds)]], AGS[towns[n % len(towns)]]
        asset = Asset(asset=f"a{n}", kind=kind, ags=ags, name=f"A{n}", lon=7.1, lat=51.6)  # type: ignore[arg-type]
        assets.append(asset)
        if n >= count:
            continue
        dev_eui = eui_of(n)
        periods.append(DevicePeriod(dev_eui=dev_eui, asset=asset.asset, since=AT))
        entries.append(entry("key-reserved", dev_eui=dev_eui, key_id=key_of(n)))
        made = {"dev_eui": dev_eui, "asset": asset.asset, "ags": ags, "firmware_sha256": FIRMWARE}
        entries.append(entry("provisioned", **made))
        listed = ListedDevice(
            dev_eui=dev_eui,
            name=asset.asset,
            application_id=f"app-{ags}",
            profile_name=f"revier-{kind}",
            tags={"asset": asset.asset, "ags": ags},
        )
        server[dev_eui] = ServerDevice(
            listed=listed, join_eui=JOIN, key_id=key_of(n), is_disabled=False
        )
    return Sources(
        inventory=Inventory(
            owners=tuple(Owner(ags=ags, name=ags) for ags in AGS),
            assets=tuple(assets),
            periods=tuple(periods),
        ),
        records=records_of(entries),
        server=server,
        interval_s={(ags, kind): INTERVAL_S_BY_KIND[kind] for ags in AGS for kind in KINDS},
        applications={ags: f"app-{ags}" for ags in AGS},
        vault={eui_of(n): frozenset({key_of(n), key_of(n + 100)}) for n in range(count)},
    )


def board_of(sources: Sources, number: int = 0) -> BoardView:
    asset = sources.inventory.asset(f"a{number}")
    assert asset is not None
    return BoardView(
        dev_eui_expected=eui_of(number),
        dev_eui=eui_of(number),
        join_eui=JOIN,
        kind=asset.kind,
        interval_s=INTERVAL_S_BY_KIND[asset.kind],
        key_id=key_of(number),
        firmware_sha256=FIRMWARE,
    )


SOUND = st.builds(
    sound,
    st.integers(1, 6),
    st.lists(st.integers(0, 2), min_size=1, max_size=4),
    st.lists(st.integers(0, 1), min_size=1, max_size=4),
    st.integers(0, 2),
)


@given(SOUND)
def test_what_agrees_is_silent(sources: Sources) -> None:
    assert compare(sources) == []
    for left_out in ("server", "vault"):
        assert compare(msgspec.structs.replace(sources, **{left_out: None})) == []
    for number in range(len(sources.inventory.periods)):
        assert compare(msgspec.structs.replace(sources, board=board_of(sources, number))) == []


def server_with(sources: Sources, dev_eui: str, **changes: Any) -> Sources:
    assert sources.server is not None
    device = sources.server[dev_eui]
    of_list = {key: value for key, value in changes.items() if hasattr(device.listed, key)}
    own = {key: value for key, value in changes.items() if key not in of_list}
    listed = msgspec.structs.replace(device.listed, **of_list)
    new = msgspec.structs.replace(device, listed=listed, **own)
    return msgspec.structs.replace(sources, server={**sources.server, dev_eui: new})


def more_records(sources: Sources, *entries: Entry) -> Sources:
    fields = Entry.__struct_fields__
    before = [Entry(**{name: getattr(r, name) for name in fields}) for r in sources.records]
    return msgspec.structs.replace(sources, records=records_of([*before, *entries]))


def without(sources: Sources, dev_eui: str) -> Sources:
    assert sources.server is not None
    kept = {key: value for key, value in sources.server.items() if key != dev_eui}
    return msgspec.structs.replace(sources, server=kept)


def asset_of(sources: Sources, dev_eui: str) -> Asset:
    asset = sources.inventory.asset_of(dev_eui, AT)
    assert asset is not None
    return asset


def made_as(sources: Sources, dev_eui: str, **changes: str) -> Sources:
    asset = asset_of(sources, dev_eui)
    what = {"asset": asset.asset, "ags": asset.ags} | changes
    return more_records(sources, entry("provisioned", 9, dev_eui=dev_eui, **what))


def ended(sources: Sources, dev_eui: str) -> Sources:
    over = end_period(sources.inventory, dev_eui, AT + timedelta(days=1))
    return msgspec.structs.replace(sources, inventory=over)


def unknown(sources: Sources, dev_eui: str) -> Sources:
    periods = tuple(p for p in sources.inventory.periods if p.dev_eui != dev_eui)
    gone = replace(sources.inventory, periods=periods)
    return msgspec.structs.replace(without(sources, dev_eui), inventory=gone)


def board_with(sources: Sources, of: str, /, **changes: Any) -> Sources:
    board = msgspec.structs.replace(board_of(sources, int(of[-6:], 16)), **changes)
    return msgspec.structs.replace(sources, board=board)


Break = Callable[[Sources, str], Sources]
BREAKS: dict[str, tuple[str, str, Break]] = {
    "not registered": ("registration", "register", without),
    "other application": ("ags", "Delete it", lambda s, e: server_with(s, e, application_id="x")),
    "other tag": ("tags", "tag", lambda s, e: server_with(s, e, tags={"ags": AGS[0]})),
    "other profile": ("profile", "revier-", lambda s, e: server_with(s, e, profile_name="x")),
    "disabled": ("registration", "Enable", lambda s, e: server_with(s, e, is_disabled=True)),
    "no key": ("key", "rekey", lambda s, e: server_with(s, e, key_id=None)),
    "other key": ("key", "rekey", lambda s, e: server_with(s, e, key_id=key_of(999))),
    "newer key in the ledger": (
        "key",
        "rekey",
        lambda s, e: made_as(
            more_records(s, entry("key-reserved", 5, dev_eui=e, key_id=key_of(999))), e
        ),
    ),
    "not in the vault": ("key", "vault fill", lambda s, _: msgspec.structs.replace(s, vault={})),
    "other asset": ("asset", "devices.toml", lambda s, e: made_as(s, e, asset="z")),
    "other ags": ("ags", "assets.toml", lambda s, e: made_as(s, e, ags="05562099")),
    "never made": ("ledger", "node", lambda s, _: msgspec.structs.replace(s, records=())),
    "retired, and serves": (
        "ledger",
        "Retire it again",
        lambda s, e: more_records(s, entry("retired", 9, dev_eui=e)),
    ),
    "served, still tagged": ("tags", "retire", ended),
    "retired, still registered": (
        "registration",
        "retire",
        lambda s, e: more_records(ended(s, e), entry("retired", 9, dev_eui=e)),
    ),
    "not in the inventory": ("inventory", "up to date", unknown),
    "board: other DevEUI": ("DevEUI", "rekey", lambda s, e: board_with(s, e, dev_eui="f" * 16)),
    "board: none": ("DevEUI", "rekey", lambda s, e: board_with(s, e, dev_eui=None)),
    "board: other JoinEUI": ("JoinEUI", "node", lambda s, e: board_with(s, e, join_eui="1" * 16)),
    "board: other kind": ("kind", "node", lambda s, e: board_with(s, e, kind="noise")),
    "board: other key": ("key", "rekey", lambda s, e: board_with(s, e, key_id=None)),
    "board: longer": ("interval", "late", lambda s, e: board_with(s, e, interval_s=86_000)),
    "board: other firmware": (
        "firmware",
        "update",
        lambda s, e: board_with(s, e, firmware_sha256="cd" * 32),
    ),
    "board: no firmware": ("firmware", "Put", lambda s, e: board_with(s, e, firmware_sha256="")),
}


@given(SOUND, st.sampled_from(sorted(BREAKS)), st.data())
def test_one_disagreement_is_found_and_has_a_cure(
    sources: Sources, name: str, data: st.DataObject
) -> None:
    what, cure, wrong = BREAKS[name]
    dev_eui = data.draw(st.sampled_from([p.dev_eui for p in sources.inventory.periods]))
    found = [f for f in compare(wrong(sources, dev_eui)) if f.dev_eui == dev_eui]
    assert what in {f.what for f in found}, name
    assert any(cure in f"{f.problem}. {f.cure}" for f in found), found
    everywhere = name in ("not in the vault", "never made")
    assert everywhere or {f.dev_eui for f in compare(wrong(sources, dev_eui))} == {dev_eui}


WRITTEN = StepResult(Step.WRITE_IDENTITY, "done")
NOT_WRITTEN = StepResult(Step.WRITE_IDENTITY, "failed")


@pytest.mark.parametrize(
    ("after", "in_use"),
    [
        ([], 0),  # cut before anything came of it
        ([("failed", (NOT_WRITTEN,))], 0),
        ([("failed", (WRITTEN, StepResult(Step.SET_APP_KEY, "failed")))], 9),
        ([("rekeyed", ())], 9),
        ([("replaced", ())], 9),
        ([("failed", (NOT_WRITTEN,)), ("rekeyed", ())], 0),
        ([("key-shown", ()), ("provisioned", ())], 9),
    ],
)
def test_a_reserved_key_is_in_use_when_it_reached_the_board(
    after: list[tuple[Event, tuple[StepResult, ...]]], in_use: int
) -> None:
    sources = sound(1, [0], [0])
    own = {"dev_eui": eui_of(0), "asset": "a0", "ags": AGS[0]}
    more = [entry("key-reserved", 5, dev_eui=eui_of(0), key_id=key_of(9))]
    more += [entry(event, 6, steps=steps, **own) for event, steps in after]
    records = more_records(sources, *more).records
    assert key_in_use(records, eui_of(0)) == key_of(in_use)
    kept = entry("key-kept", 7, dev_eui=eui_of(0), key_id=key_of(3))
    assert key_in_use(more_records(sources, *more, kept).records, eui_of(0)) == key_of(3)
    assert key_in_use(records, eui_of(1)) is None


def test_a_replaced_device_without_its_tag_may_stay() -> None:
    sources = ended(sound(2, [0], [0]), eui_of(1))
    assert sources.server is not None
    assert [f.what for f in compare(sources)] == ["tags"]
    assert compare(server_with(sources, eui_of(1), tags={"ags": AGS[0]})) == []


def test_a_stranger_in_our_application_is_named() -> None:
    sources = sound(1, [0], [0])
    assert sources.server is not None
    listed = msgspec.structs.replace(sources.server[eui_of(0)].listed, dev_eui="f" * 16, tags={})
    new = msgspec.structs.replace(sources.server[eui_of(0)], listed=listed)
    found = compare(msgspec.structs.replace(sources, server={**sources.server, "f" * 16: new}))
    assert [(f.dev_eui, f.what) for f in found] == [("f" * 16, "inventory")]


@pytest.mark.parametrize(
    ("minutes", "battery", "external", "state"),
    [
        (None, None, False, "never heard"),
        (44, 90.0, False, "ok"),
        (45, 90.0, False, "ok"),
        (46, 90.0, False, "late"),
        (1, 19.9, False, "battery low"),
        (1, 20.0, False, "ok"),
        (1, 0.0, True, "ok"),
        (1, None, False, "ok"),
    ],
)
def test_health_in_a_word(
    minutes: int | None, battery: float | None, external: bool, state: str
) -> None:
    device = ListedDevice(
        dev_eui=eui_of(0),
        name="a0",
        application_id="app",
        profile_name="revier-air",
        tags={},
        last_seen=None if minutes is None else AT - timedelta(minutes=minutes),
        battery_pct=battery,
        external_power=external,
    )
    assert health(eui_of(0), device, 900, AT).state == state


def test_health_without_a_device() -> None:
    assert health(None, None, 900, AT).state == "no device"
    assert health(eui_of(0), None, 900, AT).state == "not registered"
