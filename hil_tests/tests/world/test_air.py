# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import pytest

from revier_bench.world import air as air_module
from revier_bench.world.air import (
    Air,
    NullAir,
    Position,
    distance_m,
    noise_floor_dbm,
    path_loss_db,
)

HERE = Position(7.1670, 51.5670, 105.0, 8.0)


def at_km(km: float, height_m: float = 3.0) -> Position:
    return Position(7.1670 + km / 69.2, 51.5670, height_m)


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No shadowing and no fading: what remains is arithmetic."""
    monkeypatch.setattr(air_module, "SHADOWING_SIGMA_DB", 0.0)
    monkeypatch.setattr(air_module, "FADING_SIGMA_DB", 0.0)


def two_radios(make_ear, km=5.0, seed="1"):
    air = Air(seed)
    mast, node = make_ear("mast"), make_ear("node")
    air.attach(mast, HERE)
    air.attach(node, at_km(km))
    return air, mast, node


def power_for(air, make_emission, mast, snr_db, sf=7, sender="node", **changes):
    """The emission that arrives at the mast with this SNR."""
    probe = make_emission(sender, sf=sf, **changes)
    lacking_db = snr_db + noise_floor_dbm(125_000) - air.rssi_dbm(probe, mast)
    return make_emission(sender, sf=sf, power_dbm=14.0 + lacking_db, **changes)


def test_distance_between_two_town_halls() -> None:
    herten, recklinghausen = Position(7.1352, 51.5946), Position(7.1942, 51.6131)
    assert distance_m(herten, recklinghausen) == pytest.approx(4570, abs=60)


def test_path_loss_grows_with_distance_and_shrinks_with_height() -> None:
    losses = [path_loss_db(HERE, at_km(km), 868_100_000) for km in (0.5, 1, 2, 5, 10, 20)]
    assert losses == sorted(losses)
    # Hata suburban, 100 m over 3 m at 10 km: 137 dB within the model's own width
    assert 130 < losses[4] < 142
    low = Position(HERE.lon, HERE.lat, 30.0)
    assert path_loss_db(low, at_km(5), 868_100_000) > path_loss_db(HERE, at_km(5), 868_100_000) + 5


def test_noise_floor_of_125_khz() -> None:
    assert noise_floor_dbm(125_000) == pytest.approx(-117.03, abs=0.01)


@pytest.mark.parametrize(
    ("sf", "limit_db"), [(7, -7.5), (8, -10), (9, -12.5), (10, -15), (12, -20)]
)
def test_sensitivity_edge(quiet, make_ear, make_emission, sf: int, limit_db: float) -> None:
    air, mast, _ = two_radios(make_ear)

    def outcome(margin_db: float):
        emission = power_for(air, make_emission, mast, limit_db + margin_db, sf)
        air.emit(emission)
        result = air.outcome(emission, mast)
        air._emissions.clear()
        return result

    assert outcome(+0.01).crc_ok
    assert not outcome(-0.4).crc_ok
    assert outcome(-0.6) is None


def test_same_sf_needs_six_decibels_to_capture(quiet, make_ear, make_emission) -> None:
    for ahead_db, survives in ((6.1, True), (5.9, False), (0.0, False)):
        air, mast, _ = two_radios(make_ear)
        air.attach(make_ear("other"), at_km(5.0))
        strong = make_emission("node", power_dbm=14.0 + ahead_db)
        weak = make_emission("other", start_us=100)
        air.emit(strong)
        air.emit(weak)
        assert (air.outcome(strong, mast) is not None) is survives
        assert air.outcome(weak, mast) is None


def test_frames_that_do_not_meet_do_not_collide(quiet, make_ear, make_emission) -> None:
    first = make_emission("node")
    near_end_us = first.preamble_us - 5 * 1024  # the part of the preamble that may be disturbed
    cases = [
        (make_emission("other", start_us=first.end_us), True),
        (make_emission("other", start_us=first.end_us - 1), False),
        (make_emission("other", frequency_hz=868_300_000), True),
        (make_emission("other", frequency_hz=868_200_000), False),
        (make_emission("other", iq_inverted=True), True),
        (make_emission("other", sf=9), True),
    ]
    for other, survives in cases:
        air, mast, _ = two_radios(make_ear)
        air.attach(make_ear("other"), at_km(5.0))
        for emission in sorted([first, other], key=lambda e: e.start_us):
            air.emit(emission)
        assert (air.outcome(first, mast) is not None) is survives, other
    early = make_emission("other", airtime_us=near_end_us)
    air, mast, _ = two_radios(make_ear)
    air.attach(make_ear("other"), at_km(5.0))
    air.emit(early)
    air.emit(first)
    assert air.outcome(first, mast) is not None


def test_a_much_stronger_frame_of_another_sf_still_destroys(quiet, make_ear, make_emission) -> None:
    for imperfect in (True, False):
        air = Air("1", imperfect_orthogonality=imperfect)
        mast = make_ear("mast")
        air.attach(mast, HERE)
        air.attach(make_ear("node"), at_km(8.0))
        air.attach(make_ear("near"), at_km(0.1))
        wanted = make_emission("node", sf=7)
        air.emit(wanted)
        air.emit(make_emission("near", sf=9))
        assert (air.outcome(wanted, mast) is None) is imperfect


def test_ground_loss_counts_both_ways(quiet, make_ear, make_emission) -> None:
    air = Air("1")
    mast, bay = make_ear("mast"), make_ear("bay")
    air.attach(mast, HERE)
    air.attach(bay, at_km(2.0), lambda t_us: 20.0 if t_us >= 1000 else 0.0)
    free, covered = make_emission("bay", start_us=0), make_emission("bay", start_us=1000)
    assert air.rssi_dbm(free, mast) - air.rssi_dbm(covered, mast) == pytest.approx(20.0)
    down = make_emission("mast", start_us=1000)
    assert air.rssi_dbm(make_emission("mast"), bay) - air.rssi_dbm(down, bay) == pytest.approx(20.0)


def test_equal_seeds_give_equal_receptions(make_ear, make_emission) -> None:
    def rssi(seed: str, start_us: int = 0) -> float:
        air, mast, _ = two_radios(make_ear, seed=seed)
        return air.rssi_dbm(make_emission("node", start_us=start_us), mast)

    assert rssi("1") == rssi("1")
    assert rssi("1") != rssi("2")
    assert abs(rssi("1") - rssi("1", 1_000_000)) < 10  # fading moves a little around the link


def test_links_are_the_same_in_both_directions(make_ear, make_emission, monkeypatch) -> None:
    monkeypatch.setattr(air_module, "FADING_SIGMA_DB", 0.0)
    air, mast, node = two_radios(make_ear)
    up, down = make_emission("node"), make_emission("mast")
    assert air.rssi_dbm(up, mast) == pytest.approx(air.rssi_dbm(down, node))


def test_others_hear_the_sender_does_not(make_ear, make_emission) -> None:
    air, mast, node = two_radios(make_ear)
    emission = make_emission("node")
    air.emit(emission)
    assert mast.emissions == [emission]
    assert node.emissions == []
    assert air.ongoing(mast, 0) == [emission]
    assert air.ongoing(node, 0) == []
    assert air.ongoing(mast, emission.end_us - 1) == [emission]
    assert air.ongoing(mast, emission.end_us) == []


def test_old_emissions_are_forgotten(make_ear, make_emission) -> None:
    air, _, _ = two_radios(make_ear)
    for n in range(100):
        air.emit(make_emission("node", start_us=n * 10_000_000))
    assert len(air._emissions) < 5


def test_two_radios_with_one_name_are_refused(make_ear) -> None:
    air = Air("1")
    air.attach(make_ear("mast"), HERE)
    with pytest.raises(ValueError, match="mast"):
        air.attach(make_ear("mast"), HERE)


def test_nothing_is_heard_in_the_null_air(make_ear, make_emission) -> None:
    air, ear = NullAir(), make_ear("ear")
    air.attach(ear, HERE)
    air.emit(make_emission("node"))
    assert ear.emissions == []
    assert air.ongoing(ear, 0) == []
    assert air.outcome(make_emission("node"), ear) is None
