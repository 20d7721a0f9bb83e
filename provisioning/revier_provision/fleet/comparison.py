# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Inventory, ledger, vault, network server and board side by side. Pure; keys only as their ids.

Each source may be missing (None): then nothing is said about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from revier_inventory import Asset, DevicePeriod, Inventory
from revier_inventory.message import Message, _
from revier_provision.books import MADE_EVENTS
from revier_provision.fleet.keys_in_use import key_in_use
from revier_provision.fleet.server_view import ServerDevice
from revier_provision.ledger.records import Record
from revier_provision.links import INTERVAL_S_BY_KIND
from revier_provision.lns.chirpstack import PROFILE_NAME

REKEY = _("Give it a new key: revier-provision rekey --port PORT")
NODE = _("Connect the board and run: revier-provision node")


class Finding(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Two sources that do not agree: about which device, in what, what each says, and the cure."""

    dev_eui: str
    what: str
    problem: Message
    cure: Message


class BoardView(msgspec.Struct, frozen=True, kw_only=True):
    """The board on the cable. `dev_eui_expected` is that of its chip; `key_id` the one of the
    known keys that it proved to hold, None: of none of them.
    """

    dev_eui_expected: str
    dev_eui: str | None
    join_eui: str | None
    kind: str | None
    interval_s: int | None
    key_id: str | None
    firmware_sha256: str


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """`server` by DevEUI; `interval_s` by ags and kind, of the profiles; `vault`: key ids by
    DevEUI; `writers`: owners' application ids by ags.
    """

    inventory: Inventory
    records: tuple[Record, ...]
    server: Mapping[str, ServerDevice] | None = None
    interval_s: Mapping[tuple[str, str], int] = {}
    applications: Mapping[str, str] = {}
    vault: Mapping[str, frozenset[str]] | None = None
    board: BoardView | None = None


def compare(sources: Sources) -> list[Finding]:
    """Every disagreement, by device. With a board: only what concerns it."""
    found: list[Finding] = []
    made = _last_made(sources.records)
    for period, asset in _serving(sources.inventory):
        found += _in_ledger(period, asset, made)
        found += _on_server(period, asset, sources)
        found += _in_vault(period, sources)
    found += _unknown_to_inventory(sources.inventory, made)
    found += _left_on_server(sources, made)
    if sources.board is not None:
        found += _on_board(sources.board, sources)
        found = [f for f in found if f.dev_eui == sources.board.dev_eui_expected]
    return sorted(set(found))


def _serving(inventory: Inventory) -> Iterator[tuple[DevicePeriod, Asset]]:
    for period in inventory.periods:
        asset = inventory.asset(period.asset)
        if period.until is None and asset is not None:
            yield period, asset


def _last_made(records: Iterable[Record]) -> dict[str, Record]:
    """The last record of each device that says what it was made, or that it is none any more."""
    return _last(records, (*MADE_EVENTS, "retired"))


def _last(records: Iterable[Record], events: Sequence[str]) -> dict[str, Record]:
    """Of each device."""
    last: dict[str, Record] = {}
    for record in records:
        if record.event not in events:
            continue
        before = last.get(record.dev_eui)
        if before is None or (before.at, before.number) <= (record.at, record.number):
            last[record.dev_eui] = record
    return last


def _in_ledger(period: DevicePeriod, asset: Asset, made: Mapping[str, Record]) -> Iterator[Finding]:
    record = made.get(period.dev_eui)
    if record is None:
        problem = _(
            "The inventory has it at {asset}; the ledger has never made it", asset=asset.asset
        )
        yield _finding(
            period.dev_eui, "ledger", problem, _("{node}; it enters what it finds", node=NODE)
        )
    elif record.event == "retired":
        problem = _("The ledger retired it; the inventory has it at {asset}", asset=asset.asset)
        yield _finding(
            period.dev_eui, "ledger", problem, _("Retire it again, or make it a node anew")
        )
    elif record.asset != asset.asset:
        problem = _(
            "The ledger made it the node of {asset}, the inventory has {other}",
            asset=record.asset,
            other=asset.asset,
        )
        yield _finding(
            period.dev_eui, "asset", problem, _("Correct devices.toml, or: {node}", node=NODE)
        )
    elif record.ags != asset.ags:
        problem = _(
            "The ledger made it a node of {ags}, the inventory has {other}",
            ags=record.ags,
            other=asset.ags,
        )
        yield _finding(
            period.dev_eui, "ags", problem, _("Correct assets.toml, or: {node}", node=NODE)
        )


def _on_server(period: DevicePeriod, asset: Asset, sources: Sources) -> Iterator[Finding]:
    if sources.server is None:
        return
    dev_eui = period.dev_eui
    device = sources.server.get(dev_eui)
    if device is None:
        problem = _(
            "It serves {asset}, but is not in the application of {ags}",
            asset=asset.asset,
            ags=asset.ags,
        )
        cure = _("Connect the board and run: revier-provision register")
        yield _finding(dev_eui, "registration", problem, cure)
        return
    listed = device.listed
    if listed.application_id != sources.applications.get(asset.ags):
        problem = _(
            "It is registered in another owner's application, not in that of {ags}", ags=asset.ags
        )
        cure = _("Delete it there in ChirpStack, then run: revier-provision register")
        yield _finding(dev_eui, "ags", problem, cure)
    for tag, right in (("asset", asset.asset), ("ags", asset.ags)):
        if listed.tags.get(tag) != right:
            problem = _(
                "ChirpStack's tag {tag} is {found!r}, the inventory: {right}",
                tag=tag,
                found=listed.tags.get(tag),
                right=right,
            )
            yield _finding(
                dev_eui, "tags", problem, _("Correct the tag there, or: {node}", node=NODE)
            )
    profile = PROFILE_NAME.format(kind=asset.kind)
    if listed.profile_name != profile:
        problem = _(
            "Its device profile is {found!r}, not {profile!r}",
            found=listed.profile_name,
            profile=profile,
        )
        yield _finding(
            dev_eui,
            "profile",
            problem,
            _("Choose {profile} there, or: {node}", profile=profile, node=NODE),
        )
    if device.is_disabled:
        problem = _("It is disabled in ChirpStack: nothing of it is heard")
        yield _finding(dev_eui, "registration", problem, _("Enable it in ChirpStack"))
    yield from _key_on_server(dev_eui, device, sources.records)


def _key_on_server(
    dev_eui: str, device: ServerDevice, records: tuple[Record, ...]
) -> Iterator[Finding]:
    in_use = key_in_use(records, dev_eui)
    if device.key_id is None:
        yield _finding(dev_eui, "key", _("ChirpStack has no key for it: it cannot join"), REKEY)
    elif in_use is not None and device.key_id != in_use:
        problem = _("ChirpStack's key is not the one that the ledger has as in use")
        yield _finding(dev_eui, "key", problem, REKEY)


def _in_vault(period: DevicePeriod, sources: Sources) -> Iterator[Finding]:
    in_use = key_in_use(sources.records, period.dev_eui)
    if sources.vault is None or in_use is None:
        return
    if in_use not in sources.vault.get(period.dev_eui, frozenset()):
        cure = _("Take it from ChirpStack: revier-provision vault fill")
        yield _finding(
            period.dev_eui, "key", _("The vault does not hold the key that is in use"), cure
        )


def _unknown_to_inventory(inventory: Inventory, made: Mapping[str, Record]) -> Iterator[Finding]:
    for dev_eui, record in made.items():
        if record.event != "retired" and not inventory.knows_device(dev_eui):
            problem = _(
                "Station {station} made it the node of {asset}; the inventory has no such",
                station=record.station,
                asset=record.asset,
            )
            cure = _("Bring the inventory up to date with that station's")
            yield _finding(dev_eui, "inventory", problem, cure)


def _left_on_server(sources: Sources, made: Mapping[str, Record]) -> Iterator[Finding]:
    """Devices that serve nothing. One that was replaced stays for late readings, without a tag."""
    serving = {period.dev_eui for period, _asset in _serving(sources.inventory)}
    for dev_eui, device in (sources.server or {}).items():
        if dev_eui in serving:
            continue
        tagged = device.listed.tags.get("asset")
        retired = dev_eui in made and made[dev_eui].event == "retired"
        cure = _("Take it out: revier-provision retire --dev-eui {dev_eui}", dev_eui=dev_eui)
        if retired:
            yield _finding(dev_eui, "registration", _("It was retired, and is registered"), cure)
        elif tagged is not None:
            problem = _(
                "It serves nothing, and is tagged {tagged}: late readings are refused",
                tagged=tagged,
            )
            yield _finding(
                dev_eui, "tags", problem, _("Remove the tag asset in ChirpStack. {cure}", cure=cure)
            )
        elif not sources.inventory.knows_device(dev_eui):
            problem = _("ChirpStack has it in our application, the inventory knows nothing of it")
            yield _finding(
                dev_eui, "inventory", problem, _("{node}. Or: {cure}", node=NODE, cure=cure)
            )


def _on_board(board: BoardView, sources: Sources) -> Iterator[Finding]:
    dev_eui = board.dev_eui_expected
    if board.dev_eui != dev_eui:
        problem = _(
            "The board says that its DevEUI is {dev_eui}", dev_eui=board.dev_eui or _("none")
        )
        yield _finding(dev_eui, "DevEUI", problem, REKEY)
    asset = next((a for p, a in _serving(sources.inventory) if p.dev_eui == dev_eui), None)
    if asset is None:
        yield _finding(dev_eui, "asset", _("The inventory has no asset that it serves now"), NODE)
        return
    if board.kind != asset.kind:
        problem = _(
            "The board is a node of kind {board_kind}, {asset} is {kind}",
            board_kind=board.kind or _("none"),
            asset=asset.asset,
            kind=asset.kind,
        )
        yield _finding(dev_eui, "kind", problem, NODE)
    yield from _interval(board, asset, sources)
    yield from _firmware(board, sources.records)
    device = (sources.server or {}).get(dev_eui)
    if device is None:
        return
    if device.join_eui != board.join_eui:
        problem = _(
            "The board joins as {board_eui}, ChirpStack has {join_eui}",
            board_eui=board.join_eui or _("none"),
            join_eui=device.join_eui,
        )
        yield _finding(dev_eui, "JoinEUI", problem, NODE)
    if device.key_id is not None and board.key_id != device.key_id:
        yield _finding(dev_eui, "key", _("The board does not hold ChirpStack's key"), REKEY)


def _interval(board: BoardView, asset: Asset, sources: Sources) -> Iterator[Finding]:
    interval_s = board.interval_s or INTERVAL_S_BY_KIND[asset.kind]
    of_profile_s = sources.interval_s.get((asset.ags, asset.kind))
    if of_profile_s is not None and interval_s > of_profile_s:
        problem = _(
            "It reports every {interval_s} s, its profile expects {expected_s} s",
            interval_s=interval_s,
            expected_s=of_profile_s,
        )
        cure = _(
            "{node} with --interval-s {interval_s}, or it will always count as late",
            node=NODE,
            interval_s=interval_s,
        )
        yield _finding(board.dev_eui_expected, "interval", problem, cure)


def _firmware(board: BoardView, records: Iterable[Record]) -> Iterator[Finding]:
    record = _last(records, (*MADE_EVENTS, "updated")).get(board.dev_eui_expected)
    if not board.firmware_sha256:
        cure = _("Put it there: revier-provision upload --port PORT --firmware FILE")
        yield _finding(board.dev_eui_expected, "firmware", _("The board has no firmware"), cure)
    elif record is not None and record.firmware_sha256 not in ("", board.firmware_sha256):
        problem = _("The firmware on the board is not the one that the ledger has")
        cure = _(
            "If an update was taken back or not entered: {node}. Else put the firmware on again",
            node=NODE,
        )
        yield _finding(board.dev_eui_expected, "firmware", problem, cure)


def _finding(dev_eui: str, what: str, problem: Message, cure: Message) -> Finding:
    return Finding(dev_eui=dev_eui, what=what, problem=problem, cure=cure)
