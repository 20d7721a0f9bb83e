# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Random lives of the firmware's MAC at the stand-in network server (mac_pair.py checks them)."""

import random

import pytest

from revier_bench.network_server import downlink
from revier_mac import actions as act

from .mac_pair import Pair
from .rig import PROFILE

STEPS = 40
SEEDS = 30


def knob(pair: Pair, chance: random.Random) -> None:
    """Something that changes what the two have to say to each other."""
    profile = pair.rig.server.registry.profiles[PROFILE]
    # A sticky answer that comes again would count as the answer to a new request of its kind that
    # the device has never heard: LoRaWAN cannot tell them apart, so a network must not ask twice.
    match chance.randrange(8):
        case 0:
            pair.device.request_link_check()
        case 1:
            pair.device.request_device_time()
        case 2 if pair.calm:
            profile.rx1_delay_s = chance.choice((1, 2, 5, 15))
        case 3:
            profile.device_status_req_interval = chance.choice((0, 24, 10_000))
        case 4:
            pair.device.adr = chance.random() < 0.8
        case 5:
            pair.device.session.adr_ack_cnt = 63  # as after a long silence: ADRACKReq comes
        case 6 if (
            pair.calm
        ):  # as if both had other RX parameters: the network asks for its own again
            session, network = pair.device.session, pair.network
            session.rx2_dr = network.rx2_dr = chance.choice((0, 3))
            session.rx1_dr_offset = network.rx1_dr_offset = chance.choice((0, 2))
        case _:
            pair.reset()


def live(seed: int) -> Pair:
    chance = random.Random(seed)
    pair = Pair(chance, loss=chance.choice((0.0, 0.2, 0.5)))
    while not pair.join():
        pass
    for _ in range(STEPS):
        pair.snr = chance.randrange(-12, 12)
        draw = chance.random()
        size = min(chance.choice((0, 1, 11, 45)), 51)
        if draw < 0.2:
            pair.queue(chance.randrange(1, 224), chance.randbytes(size), chance.random() < 0.5)
        elif draw < 0.4:
            knob(pair, chance)
        elif draw < 0.43:
            pair.join()
        elif draw < 0.5:
            pair.send(None, b"", chance.random() < 0.5)
        else:
            pair.send(chance.randrange(1, 224), chance.randbytes(size), chance.random() < 0.4)
        pair.check()
    pair.settle()
    return pair


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_random_life(seed: int) -> None:
    live(seed)


def test_the_lives_are_varied() -> None:
    """Else the test above could prove nothing."""
    said: dict[str, int] = {}
    for seed in range(SEEDS):
        for what, count in live(seed).said.items():
            said[what] = said.get(what, 0) + count
    wanted = {
        "join", "uplink", "downlink", "confirmed downlink", "device time", "link check",
        act.SENT, act.ACKED, act.UNACKNOWLEDGED,
    }  # fmt: skip
    assert wanted <= said.keys(), said
    assert said["downlink"] > 3 * SEEDS, said


def test_two_that_mean_different_windows_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downlink, "rx1_dr", lambda dr, offset: dr)
    with pytest.raises(AssertionError, match="the device means"):
        list(map(live, range(SEEDS)))
