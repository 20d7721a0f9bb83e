# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import itertools
import re

from revier_bench.world.air import SNR_LIMIT_DB, distance_m, noise_floor_dbm, path_loss_db
from revier_bench.world.fleet import DEMO_FLEET, OWNERS, FleetNode
from revier_inventory import dump, load


def test_twelve_nodes_in_ten_towns_and_three_radio_gateways() -> None:
    nodes = DEMO_FLEET.nodes
    assert sorted(node.kind for node in nodes) == ["air"] * 4 + ["parking"] * 4 + ["waste"] * 4
    assert {node.ags for node in nodes} == set(OWNERS)
    assert len(OWNERS) == 10
    assert len(DEMO_FLEET.radio_gateways) == 3
    assert len({node.mac for node in nodes}) == 12


def test_every_place_is_in_the_district() -> None:
    places = [*DEMO_FLEET.nodes, *DEMO_FLEET.radio_gateways]
    assert all(6.80 < place.lon < 7.46 and 51.51 < place.lat < 51.83 for place in places)
    for one, other in itertools.combinations(DEMO_FLEET.nodes, 2):
        assert distance_m(one.position, other.position) > 100


def best_snr_db(node: FleetNode) -> float:
    return max(
        14.0
        + gateway.gain_dbi
        - path_loss_db(node.position, gateway.position, 868_100_000)
        - noise_floor_dbm(125_000)
        for gateway in DEMO_FLEET.radio_gateways
    )


def test_every_node_is_covered() -> None:
    """At SF12 with 10 dB to spare; a bay at SF7 under a middling car, at SF9 under the worst."""
    for node in DEMO_FLEET.nodes:
        if node.kind == "parking":
            assert best_snr_db(node) - 3.0 - 17.5 > SNR_LIMIT_DB[7], node
            assert best_snr_db(node) - 3.0 - 25.0 > SNR_LIMIT_DB[9], node
        else:
            assert best_snr_db(node) > SNR_LIMIT_DB[12] + 10, node


def test_the_inventory_is_sound_and_survives_its_files() -> None:
    inventory = DEMO_FLEET.inventory()
    assert load(dump(inventory)) == inventory
    assert all(re.fullmatch("[a-z0-9][a-z0-9-]{0,47}", asset.asset) for asset in inventory.assets)
    for asset in inventory.assets:
        assert (asset.kind == "waste") == (asset.empty_mm is not None)


def test_macs_are_locally_administered() -> None:
    assert all(node.mac[0] & 0x03 == 0x02 for node in DEMO_FLEET.nodes)


def test_a_small_fleet_has_every_kind() -> None:
    assert [node.kind for node in DEMO_FLEET.only(3).nodes] == ["air", "parking", "waste"]
