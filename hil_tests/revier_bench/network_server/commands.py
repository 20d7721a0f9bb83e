# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Downlink commands of an application, over MQTT: read as leniently as ChirpStack reads them."""

import json
import re
from typing import Any

from chirpstack_api import integration
from google.protobuf.json_format import MessageToDict, Parse, ParseError
from google.protobuf.message import DecodeError

from revier_bench.network_server.codec import encode_downlink
from revier_bench.network_server.queue import QueueItem
from revier_bench.network_server.state import State
from revier_bench.network_server.times import unix_ns


class CommandError(ValueError):
    """ChirpStack logs it on its own side; nothing comes back over MQTT."""


def queue_item(
    state: State, application_id: str, dev_eui: str, payload: bytes, *, as_json: bool
) -> QueueItem:
    command = _parse(payload, as_json=as_json)
    if command.dev_eui != dev_eui:
        raise CommandError("the payload names another device than the topic")
    context = state.registry.context(dev_eui)
    if context.application.id != application_id:
        raise CommandError("the device belongs to another application")
    f_port, data = command.f_port & 0xFF, command.data
    if command.HasField("object"):
        value: dict[str, Any] = MessageToDict(command.object)
        f_port, data = encode_downlink(context.profile, f_port, value, context.device.variables)
    return QueueItem(
        id=command.id or state.chance.uuid("queue_item"),
        dev_eui=dev_eui,
        f_port=f_port,
        data=data,
        confirmed=command.confirmed,
        expires_ns=unix_ns(command.expires_at) if command.HasField("expires_at") else None,
    )


def _parse(payload: bytes, *, as_json: bool) -> integration.DownlinkCommand:
    try:
        if not as_json:
            return integration.DownlinkCommand.FromString(payload)
        command = integration.DownlinkCommand()
        Parse(payload, command, ignore_unknown_fields=True)
        found = json.loads(payload)
        if not isinstance(found, dict):  # protobuf's parser takes an empty text
            raise ValueError("no JSON object")
        _check_base64(found.get("data"))
    except (ParseError, DecodeError, ValueError, RecursionError) as error:
        raise CommandError(str(error)) from None
    return command


def _check_base64(text: object) -> None:
    """Either alphabet, with or without padding: as ChirpStack; Python itself skips strangers."""
    if isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9+/_-]*={0,2}", text) is None:
        raise CommandError("data is not base64")
