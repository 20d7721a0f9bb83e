# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a node of each kind does in one wake. A kind is a module with

MESSAGES              fPort -> message (revier_payload) that it sends
LINK                  None: the network's ADR; else (reserve_db, floor_dr) of link_policy.Managed
HELD                  fPorts of messages that wait for their turn when the node may not send
WATCHES               a part: wired to it, the node looks at the world as often as next_wake_ms()
                      says also while it may not send, and logs what it finds; "": none
INTERVAL_S            between two wakes, unless settings or /node.json say otherwise
self_test(wake)       list of (part, "ok" or reason)
sense(wake)           list of (f_port, values) to send; may be empty. A third part "confirmed": the
                      network is to acknowledge it; "told": only told() is wanted. values["seq"],
                      the reading sequence, is the application's to give; only a message that is
                      sent again, or that the kind has logged, brings its own
told(wake, message, outcome)
                      what came of a message with a third part, before next_wake_ms is asked; only
                      a kind that sends such needs it. "sent"; if it was confirmed "acked";
                      "unacknowledged" after all repeats: it may have arrived or not, for a
                      network answers repeats with silence; "aborted":
                      the same before all repeats; "deferred", "": never on the air. A kind that
                      wants it there keeps it in its memory and gives it again, at a later wake,
                      with the same seq: the receiver knows it by that
released(wake, messages)
                      of a kind with HELD: messages that have waited go out now, before
                      next_wake_ms is asked
next_wake_ms(wake)    when to wake again, on the node's clock
wake_pins(wake)       GPIOs whose high level ends the deep sleep
"""

SINKS_MV = 3_000  # at rest; LiFePO4 and lithium thionyl chloride: nearly empty (battery.py)

MYPY = False
if MYPY:
    from typing import Any

SENSOR_FAULT = 1
UNCALIBRATED = 2
CLOCK_UNKNOWN = 4
RESTARTED = 8
FAN_OR_LASER_FAULT = 16
READING_FLAGS = 31  # those above: what a reading's status holds
BATCHES = 64  # in a diagnosis only: readings come in batches
# Of Wake.settings, by number, what more than one module asks for
SETTING_REPORT = 16
REPORT_EACH = 1
REPORT_CHANGE = 2
REPORT_BATCH = 3


class Wake:
    """What the application hands to a kind, and what the kind keeps (`memory`, bytes)."""

    def __init__(
        self, board: dict, kind: str, interval_ms: int, started_ms: int, by_pin: bool, memory: bytes
    ) -> None:
        self.board = board
        self.kind = kind
        self.wiring = board["kinds"][kind]
        self.interval_ms = interval_ms
        self.started_ms = started_ms
        self.by_pin = by_pin  # an interrupt pin ended the deep sleep
        self.joined = False  # in this wake: the network knows nothing yet
        self.memory = memory  # of the kind, at most 64 bytes, survives deep sleep
        self.keep = False  # set by a kind whose memory is to survive power loss too
        self.flags = 0
        self.settings: dict = {}  # what was set: number -> value, payload.md, fPort 2
        self.errors: list = []  # names of the sensors that failed
        self.config: dict = {}  # /node.json; "before" is there: the settings are new
        self.node: "Any" = None  # revier_node.app.Node, for what few wakes ask of its store or link
        self.shadow_db = 0  # of LINK's reserve: what stands above has taken it from the link
        self.heard = False  # a downlink came in this wake
        self.kept: "Any" = None  # the kind's, from sense() to next_wake_ms()
        self.time_error_ms = 0  # of the readings' time, from the sleep since the last DeviceTimeAns
        self._battery_mv: "list[int | None]" = []

    def failed(self, sensor: str) -> None:
        """Once a wake, however often it was asked."""
        self.flags |= SENSOR_FAULT
        if sensor not in self.errors:
            self.errors.append(sensor)

    def battery_mv(self) -> "int | None":
        """Measured when it is first asked for: a wake that sends nothing need not know."""
        if not self._battery_mv:
            from revier_node import board

            self._battery_mv.append(board.battery_mv(self.board))
        return self._battery_mv[0]

    def sinks(self) -> bool:
        """The battery, as far as it was measured: each wake may be the last."""
        return bool(self._battery_mv and (self._battery_mv[0] or SINKS_MV) < SINKS_MV)


def median(values: list) -> "Any":
    """Lower median of a list that is not empty."""
    return sorted(values)[(len(values) - 1) // 2]
