# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Whether a node's join and first reading are proven, and if not, why. Pure.

Two ends speak of the same radio: the device's events in ChirpStack (join, up, status, log) and the
lines of the board's console. A reading counts when the codec of the device profile decoded it.

CS = recorded events of ChirpStack v4.20; SX = SX1276 datasheet table 13, SNR at which LoRa of each
spreading factor can just be demodulated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from revier_inventory.message import NOTHING, Message, _, joined
from revier_payload.readings import CLASSES
from revier_payload.schema import MESSAGES
from revier_provision.links import DeviceEvent

DIAGNOSIS_PORT = 1  # first uplink after every join: not a reading
READING_PORT_MIN = 10  # of docs/protocol/payload.md: below are remarks about the node
SNR_FLOOR_DB = {7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}  # SX
VALUES_SHOWN_MAX = 12
QUANTITIES = {
    str(name): name
    for name in (
        _("temperature"), _("humidity"), _("pressure"), _("battery"), _("distance"), _("tilt"),
        _("quality"), _("state"), _("confidence"), _("missing"), _("out_of_range"), _("lasting"),
    )
}  # fmt: skip
UNITS = {"ug/m3": "µg/m³", "Cel": "°C", "deg": "°", "[ppm]": "ppm"}  # UCUM -> as people write
TEXT_CHARS_MAX = 160


class Radio(msgspec.Struct, frozen=True, kw_only=True):
    """How the reading was heard, by the gateway that heard it best.

    `margin_db` of the uplink: SNR above what its spreading factor needs. `downlink_margin_db`: what
    the node said of a downlink (DevStatusAns), if it did yet.
    """

    rssi_dbm: int
    snr_db: float
    spreading_factor: int | None
    data_rate: int
    margin_db: float | None
    gateways: int
    downlink_margin_db: int | None = None

    def sentence(self) -> Message:
        heard = _(
            "RSSI {rssi_dbm} dBm, SNR {snr_db:.1f} dB, DR{data_rate}",
            rssi_dbm=self.rssi_dbm,
            snr_db=self.snr_db,
            data_rate=self.data_rate,
        )
        margin = down = NOTHING
        if self.margin_db is not None:
            margin = _(", margin {margin_db:.1f} dB", margin_db=self.margin_db)
        if self.downlink_margin_db is not None:
            down = _(" (downlink {margin_db} dB)", margin_db=self.downlink_margin_db)
        return joined("", [heard, margin, down])


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """`values` of the first reading, decoded. `dev_addr` of the join, empty if it was not seen."""

    dev_addr: str
    f_port: int
    f_cnt: int
    radio: Radio
    values: dict[str, Any]

    def sentence(self) -> Message:
        values = (
            joined(" ", [_named(name), _said(value), *_unit(self.f_port, name, value)])
            for name, value in self._measured()
        )
        return joined("; ", [self.radio.sentence(), joined(", ", values)])

    def _measured(self) -> list[tuple[str, Any]]:
        """What was measured, in the schema's order; what is missing is not shown."""
        known = CLASSES.get(str(self.values.get("message")))
        order = [] if known is None else list(known.__annotations__)
        rest = sorted(set(self.values) - set(order))
        names = [n for n in order + rest if n in self.values and n not in ("message", "seq")]
        shown = [(name, self.values[name]) for name in names if self.values[name] not in (None, [])]
        return shown[:VALUES_SHOWN_MAX]


class Missing(msgspec.Struct, frozen=True):
    """Why nothing is proven (yet), and what to do. `final`: waiting on does not help."""

    problem: Message
    cure: Message
    final: bool = False


def judge(
    events: Sequence[DeviceEvent],
    console: Sequence[str] = (),
    *,
    not_before: datetime | None = None,
) -> Proof | Missing:
    """What the events since the node's start prove. `not_before`: when its key was last changed."""
    known = [e for e in events if not_before is None or e.at is None or e.at >= not_before]
    reading = next((e for e in known if _is_reading(e.body, e.kind)), None)
    if reading is None:
        return _why(known, _parsed(console))
    join = next((e for e in known if e.kind == "join"), None)
    status = next((e for e in reversed(known) if e.kind == "status"), None)
    return Proof(
        dev_addr=str((join or reading).body.get("devAddr", "")),
        f_port=int(reading.body.get("fPort", 0)),
        f_cnt=int(reading.body.get("fCnt", 0)),
        radio=_radio(reading.body, status),
        values=_flat(reading.body["object"]),
    )


def how_far(events: Sequence[DeviceEvent], console: Sequence[str]) -> Message:
    """One line for whoever waits."""
    kinds = [event.kind for event in events]
    lines = _parsed(console)
    if "up" in kinds:
        return _("joined and heard; the first reading is still to come")
    if "join" in kinds:
        return _("joined; waiting for the first reading")
    tries = [pairs for event, pairs in lines if event == "join"]
    if tries:
        return _("join request {number} left the node", number=tries[-1].get("try", "?"))
    cold = [pairs for event, pairs in lines if event == "cold"]
    if cold:
        wait_ms = cold[-1].get("wait_ms", "")
        if not wait_ms.isdigit():
            return _("the node waits before it sends, as after a power cut")
        seconds = int(wait_ms) // 1000
        return _(
            "the node waits before it sends, as after a power cut ({seconds} s)", seconds=seconds
        )
    return _("waiting for the join")


def _is_reading(body: Mapping[str, Any], kind: str) -> bool:
    decoded = body.get("object")
    port = int(body.get("fPort", 0) or 0)
    return kind == "up" and port >= READING_PORT_MIN and isinstance(decoded, dict) and bool(decoded)


def _radio(body: Mapping[str, Any], status: DeviceEvent | None) -> Radio:
    heard = [rx for rx in body.get("rxInfo", []) if isinstance(rx, dict)]
    best = max(heard, key=lambda rx: float(rx.get("snr", 0.0)), default={})
    lora = body.get("txInfo", {}).get("modulation", {}).get("lora", {})
    spreading_factor = lora.get("spreadingFactor")
    snr_db = float(best.get("snr", 0.0))
    floor_db = SNR_FLOOR_DB.get(spreading_factor) if spreading_factor else None
    return Radio(
        rssi_dbm=int(best.get("rssi", 0)),
        snr_db=snr_db,
        spreading_factor=spreading_factor,
        data_rate=int(body.get("dr", 0)),
        margin_db=None if floor_db is None else snr_db - floor_db,
        gateways=len(heard),
        downlink_margin_db=None if status is None else int(status.body.get("margin", 0)),
    )


def _why(events: Sequence[DeviceEvent], console: Sequence[tuple[str, dict[str, str]]]) -> Missing:
    """The most telling sign first."""
    logs = [event.body for event in events if event.kind == "log"]
    for body in reversed(logs):
        found = _log_says(body)
        if found is not None:
            return found
    kinds = {event.kind for event in events}
    if "up" in kinds:
        return _no_reading(events)
    errors = [pairs for event, pairs in console if event == "error"]
    if errors:
        return _error_says(errors[-1])
    if "join" in kinds:
        return Missing(
            _("ChirpStack accepted the join, but no uplink followed: the node missed the answer"),
            _(
                "Check that the gateway may send (its antenna, ChirpStack's frames of the device), "
                "bring the node nearer, then run again"
            ),
        )
    if any(event == "joined" for event, _ in console):
        return Missing(
            _("The node has joined, but ChirpStack shows no event of it"),
            _("Check that --server is the ChirpStack that these gateways feed, then run again"),
        )
    if any(event == "join" for event, _ in console):
        return Missing(
            _("The node asks to join, but no gateway of this ChirpStack has heard it"),
            _(
                "Check the node's antenna, and in ChirpStack that a gateway is online and near; "
                "then run again"
            ),
        )
    if any(event == "cold" for event, _ in console):
        return Missing(
            _("The node still waits before it sends, as after a power cut"),
            _("Wait two minutes with the power on, then run again"),
        )
    return Missing(
        _("Neither ChirpStack nor the cable tells of a join"),
        _("Press reset and run again; if the board stays silent, it sleeps or has no power"),
    )


def _log_says(body: Mapping[str, Any]) -> Missing | None:
    """CS: what stands in a log event when a join or an uplink was heard and refused."""
    code, words = str(body.get("code", "")), _short(body.get("description", ""))
    if code == "UPLINK_MIC":
        return Missing(
            _("ChirpStack heard the node, but has another key for it (UPLINK_MIC)"),
            _("Run again: the board is then given a new key at both ends"),
            final=True,
        )
    if code == "OTAA" and "DevNonce" in words:
        nonce = body.get("context", {}).get("dev_nonce", "?")
        return Missing(
            _("ChirpStack refuses the join: DevNonce {nonce} has already been used", nonce=nonce),
            _(
                "Wait: each try has the next DevNonce. If it stays so, the board lost its counter: "
                "remove the device's key in ChirpStack and run again"
            ),
        )
    if code == "OTAA":
        return Missing(
            _("ChirpStack refuses the join ({words})", words=words),
            _("Look at its events in ChirpStack; if they name the key: revier-provision rekey"),
        )
    if code == "UPLINK_CODEC":
        return Missing(
            _(
                "ChirpStack heard the node, but the codec of its device profile failed ({words})",
                words=words,
            ),
            _("Run again: the codec of Revier's schema is then put into the device profile"),
            final=True,
        )
    if code == "DOWNLINK_GATEWAY":
        return Missing(
            _("The gateway did not send ChirpStack's answer ({words})", words=words),
            _("Check the gateway's clock and its connection (its ping), then run again"),
        )
    return None


def _no_reading(events: Sequence[DeviceEvent]) -> Missing:
    ports = [int(e.body.get("fPort", 0) or 0) for e in events if e.kind == "up"]
    undecoded = any(
        event.kind == "up"
        and int(event.body.get("fPort", 0) or 0) >= DIAGNOSIS_PORT
        and not event.body.get("object")
        for event in events
    )
    if undecoded:
        return Missing(
            _("The node is heard, but ChirpStack decodes nothing: its device profile has no codec"),
            _("Run again: the codec of Revier's schema is then put into the device profile"),
            final=True,
        )
    return Missing(
        _(
            "The node has joined and is heard (fPort {ports}), but no reading came yet",
            ports=ports[-1],
        ),
        _("Wait for the next interval, or look at its sensors: run again for another self-test"),
    )


def _error_says(pairs: Mapping[str, str]) -> Missing:
    """docs/protocol/console.md, Errors."""
    code = pairs.get("code", "")
    what = pairs.get("what", pairs.get("reason", "")).replace("_", " ")
    if code == "join" and what == "nonces spent":
        problem = _("The node has no DevNonce left")
        return Missing(problem, _("Delete its key in ChirpStack, then run again"), final=True)
    if code == "join":
        return Missing(
            _("The node may not send yet: its share of airtime is spent"), _("Wait, then run again")
        )
    if code == "RadioError":
        cure = _(
            "Check wiring and supply of the radio, and that the board description is this board's"
        )
        return Missing(_("The node's radio fails ({what})", what=what), cure, final=True)
    if code == "UnprovisionedError":
        cure = _("Run again: identity and key are then written anew")
        return Missing(_("The node does not start ({what})", what=what), cure, final=True)
    if code == "BoardError":
        cure = _(
            "Check that --board, or name in the site file's [board], is this board; then run again"
        )
        return Missing(_("The node does not start ({what})", what=what), cure, final=True)
    return Missing(
        _("The node reports an error ({error})", error=f"{code} {what}".rstrip()),
        _("Run again; else see docs/protocol/console.md, Errors"),
    )


def _parsed(console: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    words = [line.split() for line in console if line.startswith("revier ")]
    return [
        (w[1], dict(pair.split("=", 1) for pair in w[2:] if "=" in pair)) for w in words if w[1:]
    ]


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers as people write them; ChirpStack's are all doubles (CS)."""
    return {name: _number(value) for name, value in values.items()}


def _number(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _named(name: object) -> str:
    return QUANTITIES.get(str(name), str(name))


def _unit(f_port: int, name: str, value: Any) -> list[str]:
    """Of the schema's field, as people write it; none where there is none."""
    message = MESSAGES.get(f_port)
    known = {} if message is None else {field.name: field.unit for field in message.fields}
    unit = known.get(name, "1")
    return [] if unit == "1" or not isinstance(value, int | float) else [UNITS.get(unit, unit)]


def _said(value: Any) -> object:
    """Lists are names of what is missing, or out of range."""
    if isinstance(value, list) and value:
        return joined("/", map(_named, value))
    return value if isinstance(value, float) else _short(value)


def _short(value: Any) -> str:
    if isinstance(value, list):
        return "/".join(str(item) for item in value) or "-"
    text = str(value).replace("\n", " ")
    return text if len(text) <= TEXT_CHARS_MAX else text[:TEXT_CHARS_MAX] + "…"
