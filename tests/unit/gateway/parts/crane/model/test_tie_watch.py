"""Margins to the maker's free height, overhang and tie spacing."""

from datetime import date
from math import isnan, nan

import numpy as np
import pytest

from gateway.model.papers_ties import ErectionLimits, Tie, TieRegistry
from gateway.parts.crane.model.tie_watch import TieWatch

DAY_NS = 86_400_000_000_000
NOW_NS = 1_795_000_000_000_000_000  # 2026-11-18 UTC
LIMITS = ErectionLimits(40.0, 28.0, 18.0)
TIES = (Tie(20.0, date(2026, 5, 1)), Tie(36.0, date(2026, 7, 15)))


def _margins(watch: TieWatch, height_m: float, now_ns: int = NOW_NS) -> list[float]:
    said = watch.step(np.array([height_m]), np.array([now_ns]), now_ns)
    assert said is not None
    return said.tolist()


def _watch(*ties: Tie, limits: ErectionLimits = LIMITS) -> TieWatch:
    return TieWatch("crane-1", TieRegistry(limits, ties), "crane-1.crane_h_m", lambda _: nan)


def test_a_tied_crane_is_judged_by_its_lowest_tie_its_overhang_and_its_widest_gap() -> None:
    assert _margins(_watch(*TIES), 60.0) == [20.0, 4.0, 2.0]
    assert _margins(_watch(*TIES), 64.0)[1] == 0.0
    assert _margins(_watch(*TIES), 64.5)[1] == -0.5


def test_an_untied_crane_is_judged_by_its_free_height() -> None:
    assert _margins(_watch(), 41.0)[:2] == [-1.0, -1.0]


@pytest.mark.parametrize("height_m", [nan])
def test_a_height_that_is_not_known_leaves_nothing_known_that_needs_it(height_m: float) -> None:
    free, overhang, spacing = _margins(_watch(*TIES), height_m)
    assert isnan(free)
    assert isnan(overhang)
    assert spacing == 2.0


def test_limits_that_nobody_filed_are_unknown_never_kept() -> None:
    assert all(isnan(margin) for margin in _margins(_watch(*TIES, limits=ErectionLimits()), 60.0))


def test_a_tie_counts_from_the_day_it_is_fitted() -> None:
    watch = _watch(TIES[0], Tie(36.0, date(2026, 11, 20)))
    assert _margins(watch, 60.0)[1] == -12.0
    assert _margins(watch, 60.0, NOW_NS + 2 * DAY_NS)[1] == 4.0


def test_without_a_height_point_the_climbing_history_says_it() -> None:
    watch = TieWatch("crane-1", TieRegistry(LIMITS, TIES), None, lambda now_ns: 60.0 if now_ns < NOW_NS else 70.0)
    assert watch.inputs == ()
    said = watch.step(np.array([]), np.array([], dtype=np.int64), NOW_NS)
    assert said is not None
    assert said.tolist()[1] == -6.0
