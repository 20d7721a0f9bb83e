# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What provisioning works with: an order, a board, a network server; and the record of it.

No type here has a field that shows a key when printed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

import msgspec

from revier_inventory import Owner, RadioGateway
from revier_inventory.model import Kind

# Seconds between readings unless the order says otherwise. Parking sends on change; its interval
# is the heartbeat's.
INTERVAL_S_BY_KIND: dict[str, int] = {"air": 900, "parking": 3600, "waste": 3600}

# An all-zero JoinEUI: ChirpStack is the join server of its own devices and ignores it, and a
# JoinEUI out of somebody else's block would be an invented one.
JOIN_EUI_NONE = "0000000000000000"


BOARD_DEFAULT = "heltec_v3"


class NodeOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What the technician wants: a node of this kind that serves this asset from `since` on.

    The asset must be in the inventory. `since` is timezone-aware. `replace` ends the period of
    another device that still serves the asset. `local_mac_ok` accepts a locally administered
    factory MAC, as virtual boards have.
    """

    kind: Kind
    asset: str
    ags: str
    since: datetime
    board: str = BOARD_DEFAULT
    interval_s: int | None = None
    join_eui: str = JOIN_EUI_NONE
    replace: bool = False
    local_mac_ok: bool = False

    def node_json(self) -> dict[str, object]:
        """The content of a new board's /node.json."""
        return {"kind": self.kind, "board": self.board, "interval_s": self.interval}

    @property
    def interval(self) -> int:
        """Seconds between readings."""
        default_s = INTERVAL_S_BY_KIND[self.kind]
        return default_s if self.interval_s is None else self.interval_s


class NodeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What stands now. `steps` names what this run did; empty: everything was there already."""

    dev_eui: str
    join_eui: str
    kind: Kind
    asset: str
    ags: str
    board: str
    registered: bool
    rekeyed: bool
    tenant_id: str | None = None
    application_id: str | None = None
    device_profile_id: str | None = None
    steps: tuple[str, ...] = ()


class BoardState(msgspec.Struct, frozen=True, kw_only=True):
    """What a board holds. EUIs as 16 lower-case hex digits; `node_json` is /node.json."""

    dev_eui: str | None = None
    join_eui: str | None = None
    has_app_key: bool = False
    node_json: dict[str, object] | None = None


class BoardLink(Protocol):
    """A board inside its service window. Every call may raise BoardError."""

    def factory_mac(self) -> bytes:
        """The chip's factory MAC address, 6 bytes."""

    def state(self) -> BoardState: ...

    def write_identity(self, dev_eui: str, join_eui: str, app_key: bytes) -> None:
        """Store identity and key, and drop the session that belonged to an older key.

        The next DevNonce and the leases stay: what was used once is never used again.
        """

    def app_key_digest(self, challenge: bytes) -> bytes | None:
        """SHA-256 of challenge and key as computed by the board, or None when it has no key."""

    def write_node_json(self, node_json: dict[str, object]) -> None:
        """Replace /node.json in one step."""


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """Where an owner's devices live in the network server."""

    tenant_id: str
    application_id: str


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A device as the network server knows it."""

    dev_eui: str
    join_eui: str
    name: str
    application_id: str
    device_profile_id: str
    tags: dict[str, str]


class DeviceEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a device as the network server tells it; `body` is its JSON object.

    `kind` is up, join, status, log and so on; `at` is the network server's time.
    """

    kind: str
    at: datetime | None
    body: dict[str, Any]


class KeyStore(Protocol):
    """Where keys are remembered. Every call may raise ProvisionError."""

    def reserve(self, dev_eui: str, app_key: bytes) -> None:
        """A new key, before it goes anywhere. Refuses one that was ever used."""

    def keep(self, dev_eui: str, app_key: bytes) -> bool:
        """A key in use; whether that was new."""

    def known(self, dev_eui: str) -> Iterable[bytes]:
        """Keys that this device was given and that can be read here, the newest first."""


class NetworkServer(Protocol):
    """The calls that provisioning needs. Every one may raise NetworkServerError."""

    def find_application(self, owner: Owner) -> Application | None:
        """The owner's application: by the ids in the inventory, else by the owner's name."""

    def create_application(self, owner: Owner) -> Application: ...

    def ensure_device_profile(self, tenant_id: str, kind: Kind, interval_s: int) -> str:
        """The id of the tenant's profile for this kind, made or corrected where needed."""

    def device(self, dev_eui: str) -> Device | None: ...

    def application_name(self, application_id: str) -> str: ...

    def put_device(self, device: Device) -> None:
        """Create the device or bring name, profile and tags up to date."""

    def app_key(self, dev_eui: str) -> bytes | None:
        """The device's AppKey, to be compared with the board's; never shown or stored."""

    def set_app_key(self, dev_eui: str, app_key: bytes) -> None: ...

    def flush_dev_nonces(self, dev_eui: str) -> None: ...

    def put_radio_gateway(self, tenant_id: str, gateway: RadioGateway) -> None: ...
