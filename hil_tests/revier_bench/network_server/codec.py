# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The JavaScript codec of a device profile (TS013), run in QuickJS as ChirpStack runs it.

A fresh context for each call. ChirpStack evaluates the script as the module `main` behind three
lines of its own, which its stack traces show; so does this one.
"""

import json
from typing import Any

import quickjs
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct

from revier_bench.network_server.registry import CODEC_JS, DeviceProfile

CPU_SECONDS_MAX = 0.1  # ChirpStack's codec.js.max_execution_time
FRAME = """
        const Buffer = globalThis.Buffer;

        {script}

        globalThis.revier_result = {call}(chirpstack_input);
        """


class CodecError(ValueError):
    """The script failed; the text is what ChirpStack's log event describes."""


def decode_uplink(
    profile: DeviceProfile, f_port: int, data: bytes, recv_ms: int, variables: dict[str, str]
) -> Struct | None:
    """The decoded object, None without a codec."""
    if profile.codec_runtime != CODEC_JS:
        return None
    head = {"bytes": list(data), "fPort": f_port, "variables": variables}
    literal = json.dumps(head)[:-1] + f', "recvTime": new Date({recv_ms})}}'
    result = _run(profile.codec_script, "decodeUplink", literal)
    decoded = result.get("data")
    if not isinstance(decoded, dict):
        raise CodecError("decodeUplink did not return 'data'")
    return ParseDict(decoded, Struct())


def encode_downlink(
    profile: DeviceProfile, f_port: int, value: dict[str, Any], variables: dict[str, str]
) -> tuple[int, bytes]:
    """fPort and bytes of an object; without a codec no bytes, as ChirpStack has it."""
    if profile.codec_runtime != CODEC_JS:
        return f_port, b""
    literal = json.dumps({"data": value, "variables": variables})
    result = _run(profile.codec_script, "encodeDownlink", literal)
    data = result.get("bytes")
    if not isinstance(data, list):
        raise CodecError("encodeDownlink did not return 'bytes'")
    port = result.get("fPort", f_port)
    return int(port) & 0xFF, bytes(min(max(int(b), 0), 255) for b in data)


def _run(script: str, call: str, input_literal: str) -> dict[str, Any]:
    context = quickjs.Context()
    context.set_time_limit(CPU_SECONDS_MAX)
    try:
        context.eval(f"globalThis.chirpstack_input = {input_literal}")
        context.module(FRAME.format(script=script, call=call))
        text = context.eval("JSON.stringify(globalThis.revier_result)")
    except quickjs.JSException as error:
        raise CodecError("JS error: " + str(error).replace("<input>", "main")) from None
    result = json.loads(text) if isinstance(text, str) else None
    if not isinstance(result, dict):
        raise CodecError("JS error: Error converting from js 'undefined' into type 'object'")
    if result.get("errors"):
        errors = ", ".join(str(e) for e in result["errors"])
        raise CodecError(f"{call} returned errors: {errors}")
    return result
