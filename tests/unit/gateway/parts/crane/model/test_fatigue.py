"""Rainflow counting against the published package and by hand; load spectrum; classes; restarts."""

import json
import random
from math import isnan, nan

import pytest
import rainflow

from gateway.parts.crane.model.fatigue import LoadSpectrum, MomentDamage, Rainflow, spectrum_class, use_class
from gateway.parts.crane.model.parameters import FatigueParameters


def counted(history: list[float], hysteresis: float = 1e-9) -> float:
    """The damage of a history whose last point counts as a reversal, as in the standard: a tail makes it one."""
    flow = Rainflow(3.0, hysteresis)
    for value in history:
        flow.add(value)
    rising = history[-1] > history[-2]
    back = 1.01 * max(hysteresis, 1e-6)
    flow.add(history[-1] - back if rising else history[-1] + back)
    return flow.damage


def test_the_example_of_the_standard() -> None:
    """ASTM E1049-85 figure 6: one full cycle of 4, half cycles of 3, 4, 6, 8, 9, 8... as printed there."""
    history = [-2.0, 1.0, -3.0, 5.0, -1.0, 3.0, -4.0, 4.0, -2.0]
    halves, full = (3.0, 4.0, 8.0, 9.0, 8.0, 6.0), (4.0,)
    assert counted(history) == pytest.approx(sum(0.5 * each**3 for each in halves) + sum(each**3 for each in full))


@pytest.mark.parametrize("seed", range(20))
def test_it_counts_what_the_published_package_counts(seed: int) -> None:
    noise = random.Random(seed)
    history = [round(noise.uniform(0, 110), noise.choice([0, 2])) for _ in range(noise.randrange(3, 400))]
    while history[-1] == history[-2]:
        history.append(round(noise.uniform(0, 110), 2))
    expected = sum(count * size**3 for size, count in rainflow.count_cycles(history))
    assert counted(history) == pytest.approx(expected, rel=1e-6)


def test_changes_below_the_hysteresis_are_no_damage() -> None:
    flow = Rainflow(3.0, 2.0)
    for i in range(1000):
        flow.add(50.0 + 0.99 * (-1) ** i)
    assert flow.damage == 0.0
    assert counted([0.0, 50.0, 49.0, 51.0, 50.0, 100.0, 0.0], 2.0) == pytest.approx(100.0**3)


def test_holes_are_left_out() -> None:
    assert counted([0.0, nan, 80.0, nan, nan, 0.0, 80.0, 0.0]) == counted([0.0, 80.0, 0.0, 80.0, 0.0])


def test_memory_is_bounded_by_a_history_that_never_closes_a_loop() -> None:
    flow = Rainflow(3.0, 1e-9)
    for i in range(3000):
        flow.add((-1) ** i * (3000.0 - i))
    kept = flow.saved()
    assert isinstance(kept, dict)
    residue = kept["residue"]
    assert isinstance(residue, list)
    assert len(residue) <= 256


def test_one_full_cycle_of_the_rated_moment_is_one_design_cycle() -> None:
    damage = MomentDamage(FatigueParameters(design_cycles=1000.0))
    assert damage.share == 0.0
    for _ in range(11):
        damage.add(0.0)
        damage.add(100.0)
    assert damage.share == pytest.approx(10 / 1000)


def test_half_the_load_is_an_eighth_of_the_spectrum() -> None:
    spectrum = LoadSpectrum(8.0)
    assert isnan(spectrum.factor)
    spectrum.add(8.0)
    assert spectrum.factor == 1.0
    spectrum.add(4.0)
    spectrum.add(nan)
    assert spectrum.factor == pytest.approx((1 + 0.125) / 2)


def test_a_corrected_chart_rescales_the_spectrum() -> None:
    old, new = LoadSpectrum(8.0), LoadSpectrum(4.0)
    old.add(4.0)
    new.restore(old.saved())
    assert new.factor == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("cycles", "name"),
    [(0, "U0"), (16_000, "U0"), (16_001, "U1"), (250_000, "U4"), (4_000_000, "U8"), (4_000_001, "U9")],
)
def test_classes_of_use(cycles: int, name: str) -> None:
    assert use_class(cycles) == name


@pytest.mark.parametrize(("kp", "name"), [(0.1, "Q1"), (0.125, "Q1"), (0.2, "Q2"), (0.5, "Q3"), (0.9, "Q4"), (nan, "")])
def test_classes_of_the_load_spectrum(kp: float, name: str) -> None:
    assert spectrum_class(kp) == name


def test_a_restart_at_any_point_changes_nothing() -> None:
    noise = random.Random(4)
    one, other = MomentDamage(FatigueParameters()), MomentDamage(FatigueParameters())
    for i in range(2000):
        value = noise.uniform(0, 100)
        one.add(value)
        other.add(value)
        assert one.share == other.share
        if i % 333 == 0:
            kept = json.loads(json.dumps(other.saved()))
            other = MomentDamage(FatigueParameters())
            other.restore(kept)


def test_a_state_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="kept"):
        MomentDamage(FatigueParameters()).restore({"rising": "up"})
