# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A street's power comes back: all join, nobody sends too much, and the random wait matters."""

from dataclasses import replace

from chirpstack_api import gw

from revier_bench.measure import mass_join
from revier_bench.measure.duty_checker import Sent
from revier_bench.measure.mass_join_radio import Clock, Network, TownAir
from revier_bench.measure.mass_join_town import NAIVE, NO_WAIT, OURS, Town, place, run, violations
from revier_bench.network_server.region import downlink_modulation

STREET = Town(OURS, 60, 1, True, 5)
FIRST_MINUTES_US = 180_000_000


def joined_at_first(outcome) -> int:
    return sum(us <= FIRST_MINUTES_US for us in outcome.joined_us)


def test_a_street_joins_and_would_not_without_the_random_wait():
    ours = run(STREET)
    assert len(ours.joined_us) == 60
    assert ours.violations == 0
    assert min(ours.waited_ms) < 20_000 < 100_000 < max(ours.waited_ms) < 120_000
    at_once = run(replace(STREET, kind=NO_WAIT))
    assert set(at_once.waited_ms) == {0}
    assert at_once.heard / at_once.requests < 0.7 * ours.heard / ours.requests
    assert at_once.after_us(0.9) > 5 * ours.after_us(0.9)
    naive = run(replace(STREET, kind=NAIVE, until_us=FIRST_MINUTES_US))
    assert joined_at_first(naive) < joined_at_first(ours)


def test_the_gateways_own_duty_cycle_is_felt():
    """360 s of RX2 at SF12 are 198 join accepts (1.81 s) in an hour."""
    for limited, sent in ((True, 198), (False, 220)):
        clock = Clock()
        mast = place(0, 0, 40.0)
        network = Network(clock, TownAir("duty"), [mast], limited, "duty")
        (gateway,) = network.gateways.values()
        item = gw.DownlinkFrameItem(phy_payload=bytes(33))
        item.tx_info.frequency, item.tx_info.power = 869_525_000, 27
        item.tx_info.modulation.CopyFrom(downlink_modulation(0))
        item.tx_info.timing.immediately.SetInParent()
        done = 0
        for _ in range(220):
            ack = gateway.transmit(gw.DownlinkFrame(items=[item]), clock.now_us)
            done += ack.items[0].status == gw.OK
            clock.now_us += 3_000_000
        assert done == sent


def test_same_seed_same_town():
    town = Town(OURS, 20, 3, True, 1)
    assert run(town) == run(town)
    assert run(town).joined_us != run(replace(town, seed=2)).joined_us


def test_a_node_may_send_one_join_after_the_cut():
    request = Sent(5_000_000, 868_100_000, 12, 125_000, 23)
    assert violations([request]) == 0
    assert violations([request, replace(request, start_us=60_000_000, spreading_factor=7)]) > 0
    assert violations([replace(request, frequency_hz=867_100_000)]) > 0
    assert violations([replace(request, start_us=3_600_000_000)]) == 0
    assert violations([replace(request, length=24 + 8)]) > 0


def test_the_result_can_fail():
    outcomes = [run(Town(OURS, 5, gateways, True, 0)) for gateways in (1, 3)]
    outcomes.append(run(Town(NAIVE, 5, 3, True, 0)))
    assert mass_join.summary(outcomes)["holds"]
    late = replace(outcomes[1], joined_us=(*outcomes[1].joined_us[:-1], 4 * mass_join.HOUR_US))
    assert not mass_join.summary([outcomes[0], late, outcomes[2]])["holds"]
    missing = replace(outcomes[1], joined_us=outcomes[1].joined_us[:-1])
    assert not mass_join.summary([outcomes[0], missing, outcomes[2]])["holds"]
    illegal = replace(outcomes[0], violations=1)
    assert not mass_join.summary([illegal, *outcomes[1:]])["holds"]
