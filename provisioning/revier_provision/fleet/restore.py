# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""An empty ChirpStack gets back what inventory, ledger and vault know. Safe to run again.

The nodes know nothing of it. A server that lost its sessions is silence to them: after 48 requests
without an answer, ADR at its end and a day since the last join they join anew, with a DevNonce that
they never used. A ChirpStack that never saw them takes any DevNonce. It counts JoinNonces from 0;
a node whose last one was 0 takes the first accept for a replay (L2 6.2.5) and its next try, a day
later, succeeds.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from revier_inventory import Asset, Inventory, Owner, RadioGateway, put_owner
from revier_inventory.message import Message, _
from revier_provision import inventory_files
from revier_provision.books import Books
from revier_provision.errors import OrderError, ProvisionError
from revier_provision.fleet.keys_in_use import key_in_use
from revier_provision.flow import Progress, with_application
from revier_provision.ledger.records import Record, key_id
from revier_provision.links import INTERVAL_S_BY_KIND, JOIN_EUI_NONE, Application, Device
from revier_provision.lns.fleet import FleetChirpStack

CHIRPSTACKS_OWN = "ChirpStack"  # the tenant that a fresh installation has
NOTE_CHARS_MAX = 400

KeyOf = Callable[[str, str], bytes]


class Unrestored(msgspec.Struct, frozen=True, kw_only=True):
    """A device or radio gateway that could not be given back, and what to do."""

    which: str
    problem: Message
    cure: Message


class Restoration(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of what stands now; `made` of them by this run."""

    owners: int
    devices: int
    keys: int
    radio_gateways: int
    made: int
    unrestored: tuple[Unrestored, ...]


def check_empty(inventory: Inventory, server: FleetChirpStack) -> None:
    """Refuse a ChirpStack in which others live: it is not the one that was set up anew."""
    names = {owner.name for owner in inventory.owners} | {CHIRPSTACKS_OWN}
    strangers = sorted(set(server.tenant_names()) - names)
    if strangers:
        shown = ", ".join(repr(name) for name in strangers[:3])
        cure = "Check --server; if it is right, give --not-empty"
        raise OrderError(
            "This ChirpStack has tenants of others ({shown}): not empty", cure, shown=shown
        )


def restore(
    server: FleetChirpStack,
    inventory_dir: Path,
    books: Books,
    key_of: KeyOf,
    progress: Progress = lambda _step: None,
) -> Restoration:
    """Tenants, applications, profiles, devices, keys, radio gateways; new ids into owners.toml.

    `key_of(dev_eui, key_id)` opens the vault. What fails for one device stops no other.
    """
    inventory = inventory_files.read(inventory_dir)
    run = _Run(server, books.ledger.records(), key_of)
    applications: dict[str, Application] = {}
    for owner in inventory.owners:
        if _is_used(owner, inventory):
            progress(_("tenant and application of {name}", name=owner.name))
            applications[owner.ags] = _owner(owner, run, inventory_dir)
    for period in inventory.periods:
        asset = inventory.asset(period.asset)
        if period.until is None and asset is not None:
            progress(_("{asset}: device {dev_eui}", asset=asset.asset, dev_eui=period.dev_eui))
            run.device(period.dev_eui, asset, applications[asset.ags])
    for gateway in inventory.radio_gateways:
        if gateway.ags is None or gateway.ags not in applications:
            run.failed(
                gateway.gateway_id,
                _("The inventory does not say whose radio gateway it is"),
                _("Add it again: revier-provision radio-gateway add"),
            )
            continue
        progress(_("radio gateway {gateway_id}", gateway_id=gateway.gateway_id))
        run.radio_gateway(gateway, applications[gateway.ags])
    done = Restoration(
        owners=len(applications),
        devices=run.devices,
        keys=run.keys,
        radio_gateways=run.radio_gateways,
        made=run.made,
        unrestored=tuple(run.unrestored),
    )
    note = f"{done.owners} owners, {done.devices} devices, {done.keys} keys, "
    note += f"{done.radio_gateways} radio gateways; not: {len(done.unrestored)}"
    books.enter("server-restored", note=note[:NOTE_CHARS_MAX])
    return done


class _Run:
    """One run over the fleet and what became of it."""

    def __init__(self, server: FleetChirpStack, records: tuple[Record, ...], key_of: KeyOf) -> None:
        self.server = server
        self._records = records
        self._key_of = key_of
        self._profiles: dict[tuple[str, str], str] = {}
        self.devices = self.keys = self.radio_gateways = self.made = 0
        self.unrestored: list[Unrestored] = []

    def failed(self, which: str, problem: Message, cure: Message) -> None:
        self.unrestored.append(Unrestored(which=which, problem=problem, cure=cure))

    def device(self, dev_eui: str, asset: Asset, application: Application) -> None:
        try:
            self._register(dev_eui, asset, application)
            self._give_key(dev_eui)
        except ProvisionError as error:
            self.failed(dev_eui, error.problem, error.cure)

    def radio_gateway(self, gateway: RadioGateway, application: Application) -> None:
        try:
            self.server.put_radio_gateway(application.tenant_id, gateway)
        except ProvisionError as error:
            self.failed(gateway.gateway_id, error.problem, error.cure)
        else:
            self.radio_gateways += 1

    def _register(self, dev_eui: str, asset: Asset, application: Application) -> None:
        where = application.tenant_id, asset.kind
        if where not in self._profiles:
            interval_s = INTERVAL_S_BY_KIND[asset.kind]
            self._profiles[where] = self.server.ensure_device_profile(*where, interval_s)
        present = self.server.device(dev_eui)
        wanted = Device(
            dev_eui=dev_eui,
            join_eui=present.join_eui if present else JOIN_EUI_NONE,
            name=asset.asset,
            application_id=application.application_id,
            device_profile_id=self._profiles[where],
            tags={"asset": asset.asset, "ags": asset.ags},
        )
        if present is not None and present.application_id != application.application_id:
            name = self.server.application_name(present.application_id)
            cure = "Delete it there, then run this again"
            raise OrderError(
                "It is in the application {name!r} of this ChirpStack", cure, name=name
            )
        if present != wanted:
            self.server.put_device(wanted)
            self.made += present is None
        self.devices += 1

    def _give_key(self, dev_eui: str) -> None:
        which = key_in_use(self._records, dev_eui)
        if which is None:
            cure = "Connect its board and run: revier-provision rekey --port PORT"
            raise OrderError("The ledger knows no key of it", cure)
        held = self.server.app_key(dev_eui)
        if held is None:
            self.server.set_app_key(dev_eui, self._key_of(dev_eui, which))
        elif key_id(held) != which:
            cure = "Bring the ledger up to date with the other stations', or rekey the node"
            raise OrderError("ChirpStack has another key of it; it was left alone", cure)
        self.keys += 1


def _is_used(owner: Owner, inventory: Inventory) -> bool:
    of_assets = any(asset.ags == owner.ags for asset in inventory.assets)
    return of_assets or any(gw.ags == owner.ags for gw in inventory.radio_gateways)


def _owner(owner: Owner, run: _Run, inventory_dir: Path) -> Application:
    """Written down at once: a run that is cut here finds by its id what this one made."""
    application, made = run.server.restored_application(owner)
    run.made += made

    def noted(inventory: Inventory) -> Inventory:
        now = inventory.owner_of(owner.ags)
        assert now is not None
        ours = with_application(now, application)
        tenants = (application.tenant_id, *ours.tenant_ids)
        applications = (application.application_id, *ours.application_ids)
        first = msgspec.structs.replace(  # the old ids stay: their last events may be on the way
            ours,
            tenant_ids=tuple(dict.fromkeys(tenants)),
            application_ids=tuple(dict.fromkeys(applications)),
        )
        return put_owner(inventory, first)

    inventory_files.change(inventory_dir, noted)
    return application
