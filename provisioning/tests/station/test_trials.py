# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A trial hears what comes after it began, makes the node answer, and outlives the station."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from provisioning.tests.station.conftest import (
    AIR,
    BAY,
    GLASS,
    START,
    Clock,
    FakeNetwork,
    Node,
    eventually,
)

from revier_payload.configuration import KIND, answer
from revier_payload.configuration_answer import CONFIGURATION_ANSWER
from revier_payload.downlinks import configuration
from revier_provision.errors import NetworkServerError
from revier_provision.station.desk import Desk
from revier_provision.station.refused import RefusedError
from revier_provision.station.trials import HEARD_MAX, TRIALS_MAX, Trials


def heard(desk: Desk, dev_eui: str, count: int) -> Any:
    def look() -> Any:
        trial = desk.trials.get(dev_eui)
        return trial if trial is not None and len(trial.heard) >= count else None

    return eventually(look)


def test_three_uplinks_are_judged(desk: Desk, network: FakeNetwork, clock: Clock) -> None:
    node = Node(network, AIR, clock.now)
    node.send(10, bytes(11))  # on the workshop's table
    clock.forward(60)
    desk.trials.begin(AIR, "air", clock.now(), vacant=False)
    assert network.enqueued == [(AIR, 2, configuration({}))]
    node.three()
    trial = heard(desk, AIR, 3)
    assert [one.f_port for one in trial.heard] == [1, 10, 3]
    assert trial.verdict().colour == "green"
    assert trial.baseline() == "none"


def test_a_node_that_was_only_heard_twice_is_asked_again(
    desk: Desk, network: FakeNetwork, clock: Clock
) -> None:
    node = Node(network, AIR, clock.now)
    desk.trials.begin(AIR, "air", START, vacant=False)
    node.send(10, bytes(11))
    node.answers()
    eventually(lambda: len(network.enqueued) == 2)
    assert heard(desk, AIR, 2).verdict().colour is None
    node.send(10, bytes(11))
    assert heard(desk, AIR, 3).verdict().colour == "green"


def test_begun_without_reception_and_told_later(
    desk: Desk, network: FakeNetwork, clock: Clock
) -> None:
    """The network server's log keeps what the node sent meanwhile."""
    node = Node(network, AIR, clock.now)
    for _ in range(3):
        node.send(10, bytes(11))
    begun_at = START - timedelta(seconds=1)
    clock.forward(3600)
    desk.trials.begin(AIR, "air", begun_at, vacant=False)
    assert heard(desk, AIR, 3).verdict().colour == "green"
    for wrong in (clock.now() - timedelta(hours=7), clock.now() + timedelta(minutes=5)):
        with pytest.raises(RefusedError) as error:
            desk.trials.begin(AIR, "air", wrong, vacant=False)
        assert error.value.key == "clock"


def test_the_same_trial_goes_on_and_a_new_one_begins_empty(
    desk: Desk, network: FakeNetwork, clock: Clock
) -> None:
    node = Node(network, AIR, clock.now)
    desk.trials.begin(AIR, "air", START, vacant=False)
    node.three()
    heard(desk, AIR, 3)
    assert len(desk.trials.begin(AIR, "air", START, vacant=False).heard) == 3
    assert len(network.enqueued) == 1
    clock.forward(30)
    assert desk.trials.begin(AIR, "air", clock.now(), vacant=False).heard == ()


def test_a_station_that_starts_anew_knows_what_was_heard(
    desk: Desk, network: FakeNetwork, clock: Clock
) -> None:
    node = Node(network, AIR, clock.now)
    desk.trials.begin(AIR, "air", START, vacant=False)
    node.three()
    before = heard(desk, AIR, 3)
    again = Trials(desk.state / "trials", network, clock.now)
    assert again.get(AIR) == before
    (desk.state / "trials" / f"{AIR}.json").write_text("{")
    assert Trials(desk.state / "trials", network, clock.now).get(AIR) is None


def test_a_station_that_starts_anew_goes_on_listening(
    desk: Desk, network: FakeNetwork, clock: Clock
) -> None:
    desk.trials.begin(AIR, "air", START, vacant=False)
    desk.trials.close()
    again = Trials(desk.state / "trials", network, clock.now)
    assert again.look(AIR) == desk.trials.get(AIR)
    Node(network, AIR, clock.now).three()
    eventually(lambda: (trial := again.get(AIR)) and len(trial.heard) == 3)
    again.close()
    assert again.look(BAY) is None


def test_a_bay_that_was_vacant_ten_minutes_ago_is_not_learnt(
    desk: Desk, network: FakeNetwork, clock: Clock
) -> None:
    """Neither from a phone that had no reception nor from the network server's queue."""
    clock.forward(601)
    with pytest.raises(RefusedError) as error:
        desk.trials.begin(BAY, "parking", START, vacant=True)
    assert error.value.key == "vacant_late"
    assert network.enqueued == []
    begun_at = clock.now()
    desk.trials.begin(BAY, "parking", begun_at, vacant=True)
    assert network.expires_at == begun_at + timedelta(minutes=10)


def test_the_network_servers_trouble_is_told_and_over_when_it_answers(
    desk: Desk, network: FakeNetwork, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("revier_provision.station.trials.RETRY_S", 0.05)
    network.down = "ChirpStack does not answer"
    with pytest.raises(NetworkServerError):
        desk.trials.begin(AIR, "air", START, vacant=False)
    eventually(lambda: (trial := desk.trials.get(AIR)) and trial.trouble)
    network.down = ""
    desk.trials.begin(AIR, "air", START, vacant=False)
    Node(network, AIR, clock.now).three()
    assert heard(desk, AIR, 3).trouble == ""


def test_an_empty_bay_is_told_answered_and_learnt(
    desk: Desk, network: FakeNetwork, clock: Clock
) -> None:
    node = Node(network, BAY, clock.now)
    desk.trials.begin(BAY, "parking", START, vacant=True)
    number = int.from_bytes(network.enqueued[0][2][-2:], "big")
    assert network.enqueued == [(BAY, 2, configuration({"empty_bay": number}))]
    node.send(1, bytes(12))
    node.heartbeat()  # with the workshop's baseline
    assert heard(desk, BAY, 2).baseline() == "waiting"
    node.answers("parking")
    assert heard(desk, BAY, 3).baseline() == "told"
    node.heartbeat(status=2)
    assert heard(desk, BAY, 4).baseline() == "told"
    node.heartbeat()
    assert heard(desk, BAY, 5).baseline() == "learnt"
    node.heartbeat(state=2)
    assert heard(desk, BAY, 6).baseline() == "occupied"


def test_a_node_that_cannot_learn_its_bay_says_so(
    desk: Desk, network: FakeNetwork, clock: Clock
) -> None:
    node = Node(network, BAY, clock.now)
    desk.trials.begin(BAY, "parking", START, vacant=True)
    downlink = network.enqueued[0][2]
    said = CONFIGURATION_ANSWER.encode(answer(downlink, KIND, 34, b""))
    node.send(CONFIGURATION_ANSWER.f_port, said)
    assert heard(desk, BAY, 1).baseline() == "refused"


def test_the_newest_distance_counts(desk: Desk, network: FakeNetwork, clock: Clock) -> None:
    node = Node(network, GLASS, clock.now)
    desk.trials.begin(GLASS, "waste", START, vacant=False)
    node.send(1, bytes(12))
    assert heard(desk, GLASS, 1).distance_mm() is None
    node.level(1449)
    node.level(1431)
    assert heard(desk, GLASS, 3).distance_mm() == 1431


def test_everything_has_a_limit(desk: Desk, network: FakeNetwork, clock: Clock) -> None:
    node = Node(network, AIR, clock.now)
    desk.trials.begin(AIR, "air", START, vacant=False)
    for _ in range(HEARD_MAX + 5):
        node.send(10, bytes(11))
    last = node.f_cnt - 1
    trial = eventually(
        lambda: (one := desk.trials.get(AIR)) and one.heard and one.heard[-1].f_cnt == last and one
    )
    assert len(trial.heard) == HEARD_MAX
    for i in range(1, TRIALS_MAX):
        desk.trials.begin(f"{i:016x}", "air", START, vacant=False)
    with pytest.raises(RefusedError, match="trials"):
        desk.trials.begin("f" * 16, "air", START, vacant=False)
