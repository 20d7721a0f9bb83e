# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Requests and their answers: who asks decides which devices there are.

A request comes for one municipality (its ags: the broker's access list has seen to it that only
its people write there) or for the administrator. For a municipality only those devices exist that
serve one of its assets now and whose tenant and application may write for it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from revier_gateway.commands import devices, settings, table
from revier_gateway.commands.fate import Command
from revier_gateway.commands.making import EXPIRES_S, new_command
from revier_gateway.commands.tracker import Tracker, change_settings
from revier_gateway.gaps.ledger import Ledger
from revier_gateway.store import Store
from revier_gateway.values import instant_of_ms, unix_ms
from revier_gateway.work import Work
from revier_inventory import Asset, Inventory
from revier_payload.downlinks import backfill_request

ADMIN = "admin"
BODY_BYTES_MAX = 16 * 1024
OPEN_MAX = 16  # commands of one device

Text = Annotated[str, Meta(max_length=64)]
Seconds = Annotated[int, Meta(ge=60, le=30 * 86_400)]


class RequestError(ValueError):
    """The text goes to who asked, and says what to do."""


class _Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    transaction: Text = ""


class _OfDevice(_Request, frozen=True, kw_only=True):
    """device: DevEUI; or asset, of which it is the device now."""

    device: Text = ""
    asset: Text = ""


class Configure(_OfDevice, frozen=True, kw_only=True):
    settings: dict[str, int | str] = {}
    default: bool = False  # all others back to what the node was made with
    confirmed: bool = False
    expires_s: Seconds = EXPIRES_S


class Backfill(_OfDevice, frozen=True, kw_only=True):
    first: Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
    count: Annotated[int, Meta(ge=1, le=254)]
    expires_s: Seconds = EXPIRES_S


class Downlink(_OfDevice, frozen=True, kw_only=True):
    f_port: Annotated[int, Meta(ge=1, le=223)]
    data: Annotated[str, Meta(max_length=400)]  # base64
    confirmed: bool = False
    expires_s: Seconds = EXPIRES_S


class Device(_OfDevice, frozen=True, kw_only=True):
    pass


class Show(_Request, frozen=True, kw_only=True):
    id: Text


class Response(msgspec.Struct, frozen=True, omit_defaults=True):
    transaction: str
    status: str
    data: Any = None
    error: str = ""


REQUESTS: dict[str, type[Any]] = {
    "configure": Configure,
    "backfill": Backfill,
    "downlink": Downlink,
    "device": Device,
    "command": Show,
}
ADMIN_ONLY = ("downlink",)


class Desk:
    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        tracker: Tracker,
        inventory: Callable[[], Inventory],
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._tracker = tracker
        self._inventory = inventory
        self._clock = clock

    def answer(self, origin: str, name: str, body: bytes, work: Work) -> bytes:
        """origin: ADMIN or an ags. What is to be done is in the work; never raises."""
        transaction = _transaction_of(body)
        try:
            request = _parse(origin, name, body)
            data = self._do(origin, name, request, work)
        except RequestError as error:
            return msgspec.json.encode(Response(transaction, "error", error=str(error)[:300]))
        return msgspec.json.encode(Response(transaction, "ok", data))

    def _do(self, origin: str, name: str, request: Any, work: Work) -> dict[str, Any]:
        if isinstance(request, Show):
            return self._show(origin, request)
        dev_eui, asset = self._target(origin, request)
        if isinstance(request, Device):
            now = self._clock()
            return devices.record(self._store.database, self._inventory(), dev_eui, now)
        again = self._asked_before(origin, request.transaction, work)
        if again is not None:
            if (again.dev_eui, again.kind) != (dev_eui, name):
                raise RequestError("this transaction was another request: use a new one")
            return told(again)
        if len(self._tracker.open_of(dev_eui, work)) >= OPEN_MAX:
            raise RequestError(f"{OPEN_MAX} commands of this device are under way: wait for them")
        command = self._make(origin, name, request, dev_eui, asset)
        if name == "configure":
            renew = partial(
                settings.wanted,
                data=command.data,
                command=command.id,
                now_ms=command.created_ms,
            )
            change_settings(work, dev_eui, renew)
        self._tracker.set(command, work)
        work.counters[f"commands.{name}"] += 1
        return told(command)

    def _make(
        self, origin: str, name: str, request: Any, dev_eui: str, asset: Asset | None
    ) -> Command:
        make = partial(
            new_command,
            dev_eui,
            name,
            now_ms=unix_ms(self._clock()),
            origin=origin,
            asked=request.transaction,
            expires_s=request.expires_s,
        )
        try:
            if isinstance(request, Configure):
                if not request.settings and not request.default:
                    raise RequestError("name at least one of the settings, or default")
                kind = asset.kind if asset else ""
                data = settings.downlink(request.settings, request.default, kind)
                return make(data=data, confirmed=request.confirmed)
            if isinstance(request, Backfill):
                return make(data=backfill_request([(request.first, request.count)]))
            data = base64.b64decode(request.data, validate=True)
        except binascii.Error as error:
            raise RequestError(f"data is not base64: {error}") from None
        except RequestError:
            raise
        except ValueError as error:
            raise RequestError(str(error)) from None
        made = make(data=data, confirmed=request.confirmed)
        return msgspec.structs.replace(made, f_port=request.f_port)

    def _target(self, origin: str, request: _OfDevice) -> tuple[str, Asset | None]:
        """DevEUI and asset. For a municipality what is not its own is not there."""
        inventory, now = self._inventory(), self._clock()
        dev_eui = request.device
        if request.asset:
            serving = [
                period.dev_eui
                for period in inventory.periods_of_asset(request.asset)
                if inventory.asset_of(period.dev_eui, now) == inventory.asset(request.asset)
            ]
            if dev_eui and dev_eui not in serving:
                raise RequestError(f"{dev_eui} does not serve {request.asset} now")
            dev_eui = serving[0] if serving else ""
        asset = inventory.asset_of(dev_eui, now) if dev_eui else None
        if origin == ADMIN:
            if not dev_eui or not inventory.knows_device(dev_eui):
                raise RequestError("no such device or asset: see revier-gateway devices")
            return dev_eui, asset
        if asset is None or not may_command(inventory, self._ledger, origin, dev_eui, asset):
            raise RequestError(f"no such device or asset in {origin}")
        return dev_eui, asset

    def _asked_before(self, origin: str, transaction: str, work: Work) -> Command | None:
        """A request that comes again (QoS 1) is the same command."""
        if not transaction:
            return None
        for one in work.commands.values():
            if (one.origin, one.asked) == (origin, transaction):
                return one
        where = "WHERE origin = ? AND asked = ?"
        found = table.commands(self._store.database, where, (origin, transaction))
        return found[0] if found else None

    def _show(self, origin: str, request: Show) -> dict[str, Any]:
        found = table.commands(self._store.database, "WHERE id = ?", (request.id,))
        inventory, now = self._inventory(), self._clock()
        for one in found:
            asset = inventory.asset_of(one.dev_eui, now)
            if origin == ADMIN or (
                asset is not None
                and may_command(inventory, self._ledger, origin, one.dev_eui, asset)
            ):
                return told(one)
        raise RequestError("no such command")


def may_command(inventory: Inventory, ledger: Ledger, ags: str, dev_eui: str, asset: Asset) -> bool:
    """A town can edit the tags of its devices, so neither tag nor inventory proves it alone: the
    device's own tenant and application must be the town's."""
    state = ledger.state(dev_eui)
    return asset.ags == ags and inventory.may_write(
        state.tenant_id, state.application_id, asset.ags
    )


def told(command: Command) -> dict[str, Any]:
    """A command as answers and lists show it."""
    ended_ms = command.ended_ms
    return {
        "id": command.id,
        "device": command.dev_eui,
        "command": command.kind,
        "state": command.state,
        "reason": command.reason,
        "attempts": command.attempts,
        "created": instant_of_ms(command.created_ms),
        "expires": instant_of_ms(command.expires_ms),
        "ended": None if ended_ms is None else instant_of_ms(ended_ms),
        "origin": command.origin,
    }


def _transaction_of(body: bytes) -> str:
    """Echoed even where the rest is not understood."""
    if len(body) > BODY_BYTES_MAX:
        return ""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    text = found.get("transaction", "") if isinstance(found, dict) else ""
    return text[:64] if isinstance(text, str) else ""


def _parse(origin: str, name: str, body: bytes) -> Any:
    known = [one for one in REQUESTS if origin == ADMIN or one not in ADMIN_ONLY]
    if name not in known:
        raise RequestError(f"no such request; there are {', '.join(known)}")
    if len(body) > BODY_BYTES_MAX:
        raise RequestError(f"larger than {BODY_BYTES_MAX} bytes")
    try:
        return msgspec.json.decode(body, type=REQUESTS[name])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(str(error)) from None
