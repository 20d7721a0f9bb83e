# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""ChirpStack's gRPC errors in words, with the next step.

ChirpStack answers wrong values with INTERNAL and its database's text (recorded from v4.20, SQLite;
PostgreSQL words the same constraints differently, so both forms are known here).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import grpc
from google.protobuf.message import Message as Request

from revier_inventory.message import Message, _
from revier_provision.errors import NetworkServerError

DETAIL_CHARS_MAX = 200
_FORM = re.compile(
    r"Odd number of digits|Invalid character|[Ii]nvalid (string )?length|invalid UUID"
)
_EUI = re.compile(r"[0-9a-fA-F]{16}")
_KEY = re.compile(r"[0-9a-fA-F]{32}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")

_NEW_KEY = _(
    "Make an API key in ChirpStack (Network Server, API keys) and store it in the token file"
)
_REPORT = _("Look into ChirpStack's log at this time; the request was not carried out")

# (pattern of the details, problem, cure); {what} is what was attempted. First match counts.
_INTERNAL: tuple[tuple[str, Message, Message], ...] = (
    (
        r"UNIQUE constraint failed: device\.dev_eui|device_pkey",
        _("this DevEUI is registered already, perhaps for another owner"),
        _("Look for it in ChirpStack's search field; delete it there if the board has moved"),
    ),
    (
        r"UNIQUE constraint failed: device_keys\.dev_eui|device_keys_pkey",
        _("this device has a key already"),
        _("Run again: the key is then replaced"),
    ),
    (
        r"UNIQUE constraint failed: gateway\.gateway_id|gateway_pkey",
        _("this radio gateway is registered already, perhaps by another tenant"),
        _("Look for it in ChirpStack's search field; delete it there if it has moved"),
    ),
    (
        r"UNIQUE constraint|duplicate key value",
        _("it exists already"),
        _("Run again: what exists is then brought up to date"),
    ),
    (
        r"FOREIGN KEY constraint failed|violates foreign key",
        _("it refers to a tenant, application or device profile that is gone"),
        _("Run again; if it repeats, remove the old tenant and application ids from owners.toml"),
    ),
    (
        r"Odd number of digits|Invalid character|Invalid string length|invalid length",
        _("ChirpStack cannot read an EUI, id or key: it has the wrong number of hex digits"),
        _("Correct the EUI (16 hex digits) or the id in owners.toml (a UUID)"),
    ),
)


@contextmanager
def sentences(what: Message, request: Request | None = None) -> Iterator[None]:
    """Turn gRPC's errors inside the block into NetworkServerError; `what` was attempted."""
    try:
        yield
    except grpc.RpcError as error:
        raise as_sentence(what, error, request) from None


def is_missing(error: grpc.RpcError) -> bool:
    return bool(error.code() == grpc.StatusCode.NOT_FOUND)


def is_invisible(error: grpc.RpcError) -> bool:
    """The token is valid, but has no right to this object: to a tenant's API key a device that
    does not exist looks like one of another tenant. Creating it tells the two apart.
    """
    details = error.details() or ""
    tokens_fault = "no authorization" in details or "InvalidToken" in details
    return error.code() == grpc.StatusCode.UNAUTHENTICATED and not tokens_fault


def as_sentence(
    what: Message, error: grpc.RpcError, request: Request | None = None
) -> NetworkServerError:
    """The error in words. Details are shortened; ChirpStack never repeats a key in them.

    With the request a malformed field is named; ChirpStack itself does not say which it was.
    """
    code = error.code()
    details = (error.details() or "").replace("\n", " ")[:DETAIL_CHARS_MAX]
    problem, cure = _explain(code, details)
    field = malformed(request) if request is not None and _FORM.search(details) else None
    if field is not None:
        problem = _("{name} is malformed: {wrong}", name=field.name, wrong=field.wrong)
        cure = field.cure
    return NetworkServerError(
        "ChirpStack could not {what}: {problem}", cure, what=what, problem=problem
    )


class Malformed(NamedTuple):
    """A field of a request: its name, what is wrong with it, what to do. Never a key's value."""

    name: str
    wrong: Message
    cure: Message


def malformed(request: Request) -> Malformed | None:
    """The first field whose form ChirpStack cannot read: EUIs, keys and ids, by their names."""
    for descriptor, value in request.ListFields():
        if isinstance(value, Request):
            found = malformed(value)
            if found is not None:
                return found
        if not isinstance(value, str):
            continue
        name = descriptor.name
        if name.endswith(("_eui", "gateway_id")) and not _EUI.fullmatch(value):
            return Malformed(
                name,
                _("{value!r} is not 16 hex digits", value=value),
                _("Correct it, then run again"),
            )
        if name.endswith("_key") and not _KEY.fullmatch(value):
            cure = _("Run again; if it repeats, give the board a new key")
            return Malformed(name, _("it is not 32 hex digits"), cure)
        is_id = name == "id" or name.endswith(("tenant_id", "application_id", "profile_id"))
        if is_id and not _UUID.fullmatch(value):
            cure = _("Correct the id in owners.toml; ChirpStack shows it on the page's address")
            return Malformed(name, _("{value!r} is no UUID", value=value), cure)
    return None


def _explain(code: grpc.StatusCode, details: str) -> tuple[Message, Message]:
    match code:
        case grpc.StatusCode.UNAUTHENTICATED if "no authorization" in details:
            return _("no API token was sent"), _NEW_KEY
        case grpc.StatusCode.UNAUTHENTICATED if "InvalidToken" in details:
            return _("the API token is not one of this ChirpStack"), _NEW_KEY
        case grpc.StatusCode.UNAUTHENTICATED | grpc.StatusCode.PERMISSION_DENIED:
            return _("the API token has no right to do so ({details})", details=details), _NEW_KEY
        case grpc.StatusCode.NOT_FOUND:
            return _("it is not there ({details})", details=details), _(
                "Check the ids in owners.toml, then run again"
            )
        case grpc.StatusCode.UNAVAILABLE:
            return (
                _("it does not answer ({details})", details=details),
                _("Check --server, that ChirpStack runs, and the network; then run again"),
            )
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return _("it did not answer in time"), _(
                "Check the network and its load; then run again"
            )
        case grpc.StatusCode.UNIMPLEMENTED:
            return _("it does not know this call ({details})", details=details), _(
                "Update ChirpStack to v4.9 or newer"
            )
        case grpc.StatusCode.INTERNAL | grpc.StatusCode.INVALID_ARGUMENT:
            for pattern, problem, cure in _INTERNAL:
                if re.search(pattern, details):
                    return problem, cure
    return _("{name}: {details}", name=code.name, details=details), _REPORT
