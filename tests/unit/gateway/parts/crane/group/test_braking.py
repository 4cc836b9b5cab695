"""Braking times by the fit of the standards reference, and by a crane's own figures."""

import numpy as np
import pytest

from gateway.parts.crane.group.braking import Braking, BrakingTable


def stop_s(*speeds: tuple[float, float, float], cranes: tuple[Braking, ...] | None = None) -> list[float]:
    table = BrakingTable.of(cranes or tuple(Braking() for _ in speeds))
    return [float(x) for x in table.stop_s(np.array(speeds).T)]


def test_slewing_stops_by_the_fit_whichever_way_it_turns() -> None:
    assert stop_s((0.0, 0.0, 0.0), (3.0, 0.0, 0.0), (-3.0, 0.0, 0.0)) == pytest.approx([2.38, 12.97, 12.97])


def test_the_slowest_motion_counts() -> None:
    assert stop_s((0.0, 1.5, 0.0), (0.0, 0.0, -4.0), (1.0, 1.0, 1.0)) == pytest.approx([4.0, 5.0, 5.91])


def test_a_speed_that_is_not_known_takes_the_worst() -> None:
    cranes = (Braking(), Braking(worst_s=9.0), Braking())
    found = stop_s((np.nan, 0.0, 0.0), (0.0, np.nan, 0.0), (1.0, 0.0, 0.0), cranes=cranes)
    assert found == pytest.approx([15.0, 9.0, 5.91])


def test_each_crane_has_its_own_figures() -> None:
    quick = Braking(slew_base_s=1.0, slew_s_per_deg_s=2.0)
    assert stop_s((3.0, 0.0, 0.0), (3.0, 0.0, 0.0), cranes=(quick, Braking())) == pytest.approx([7.0, 12.97])
