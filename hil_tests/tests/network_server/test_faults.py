# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""ChirpStack's faults, each switched on alone."""

import random

import pytest

from revier_bench.network_server.chance import SeededChance
from revier_bench.network_server.events import Event
from revier_bench.network_server.faults import EventFaults, FaultError, Faults, parse

from .rig import Rig
from .simple_device import GATEWAY, OTHER_GATEWAY


def some_events(count: int) -> list[Event]:
    rig = Rig()
    device = rig.joined()
    for i in range(count):
        rig.hear(device.uplink(bytes([i])), gateways=(GATEWAY, OTHER_GATEWAY))
    return rig.events


def make(faults: Faults) -> EventFaults:
    return EventFaults(SeededChance("faults"), random.Random("faults"), faults)


def counters(events: list[Event]) -> list[int]:
    return [e.message.f_cnt for e in events]  # type: ignore[attr-defined]


def test_without_faults_everything_goes_through_in_order() -> None:
    events = some_events(5)
    assert make(Faults()).through(events) == events


def test_reordering_loses_and_invents_nothing() -> None:
    events = some_events(20)
    faults = make(Faults(reorder=0.4))
    out = [o for e in events for o in faults.through([e])]
    out += faults.release()
    assert counters(out) != counters(events)
    assert sorted(counters(out)) == counters(events)


def test_a_late_copy_has_a_new_id_and_one_copy_of_the_frame() -> None:
    events = some_events(3)
    faults = make(Faults(late_copy=1.0))
    out = [o for e in events for o in faults.through([e])] + faults.release()
    assert counters(out) == [0, 1, 0, 2, 1, 2]
    first, late = (o.message for o in (out[0], out[2]))
    assert first.deduplication_id != late.deduplication_id  # type: ignore[attr-defined]
    assert (len(first.rx_info), len(late.rx_info)) == (2, 1)  # type: ignore[attr-defined]
    late.deduplication_id = first.deduplication_id  # type: ignore[attr-defined]
    late.rx_info.insert(0, first.rx_info[0])  # type: ignore[attr-defined]
    assert late == first


def test_lost_events_are_counted() -> None:
    faults = make(Faults(lose_events=True))
    assert faults.through(some_events(3)) == []
    assert faults.lost == 3
    faults.set(Faults())
    assert counters(faults.through(some_events(1))) == [0]


def test_control_messages() -> None:
    faults = parse(b'{"qos": 0, "reorder": 0.5}', Faults(late_copy=0.1))
    assert faults == Faults(qos=0, reorder=0.5, late_copy=0.1)
    assert parse(b'{"qos": null}', faults).qos is None
    assert parse(b'{"heal": true, "lose_events": true}', faults) == Faults(lose_events=True)


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[]", b'{"qos": 2}', b'{"reorder": "x"}', b'{"unknown": 1}', b"\xff"]
)
def test_a_wrong_control_message_is_refused(payload: bytes) -> None:
    with pytest.raises(FaultError):
        parse(payload, Faults())
