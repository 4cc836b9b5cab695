"""Wilson's interval and Cohen's kappa against figures worked out by hand."""

import math

import pytest

from regulator.parts.review.statistics import cohens_kappa, wilson


def test_wilson_of_three_in_twenty() -> None:
    # p = 0.15, z² = 3.841459; centre = (0.15 + 3.841459/40) / (1 + 3.841459/20) = 0.2460365 / 1.1920729 = 0.2063938
    # half = 1.959964/1.1920729 · sqrt(0.15·0.85/20 + 3.841459/1600) = 1.6441646 · 0.0936799 = 0.1540252
    share = wilson(3, 20)
    assert share.value == pytest.approx(0.15)
    assert share.low == pytest.approx(0.05237, abs=5e-6)
    assert share.high == pytest.approx(0.36042, abs=5e-6)


@pytest.mark.parametrize(("hits", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0)])
def test_wilson_at_the_ends_stays_within_and_has_width(hits: int, n: int, low: float, high: float) -> None:
    # with p = 0: high = z²/(n + z²) = 3.841459/13.841459 = 0.277533; with p = 1 its mirror
    share = wilson(hits, n)
    assert (share.low, share.high) == pytest.approx((low, high), abs=5e-5)


def test_wilson_of_nothing_is_no_number() -> None:
    share = wilson(0, 0)
    assert math.isnan(share.value)
    assert math.isnan(share.low)


def test_wilson_refuses_more_hits_than_there_were() -> None:
    with pytest.raises(ValueError, match="expected 0 to 3, found 4"):
        wilson(4, 3)


def test_kappa_of_a_textbook_table() -> None:
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: observed 35/50 = 0.7; expected 25/50·30/50 + 25/50·20/50 = 0.5
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    found = cohens_kappa(pairs)
    assert (found.n, found.alike) == (50, 35)
    assert found.observed == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)


def test_kappa_of_three_kinds() -> None:
    # first: y 3, n 2, u 1; second: y 2, n 3, u 1; observed 5/6 = 30/36; expected (6 + 6 + 1)/36 = 13/36
    pairs = [("y", "y"), ("y", "y"), ("y", "n"), ("n", "n"), ("n", "n"), ("u", "u")]
    assert cohens_kappa(pairs).kappa == pytest.approx((30 - 13) / (36 - 13))


def test_kappa_is_below_zero_when_people_contradict_each_other() -> None:
    assert cohens_kappa([("y", "n"), ("n", "y")]).kappa == pytest.approx(-1.0)


@pytest.mark.parametrize("pairs", [[], [("y", "y"), ("y", "y")]])
def test_kappa_is_no_number_where_chance_explains_everything(pairs: list[tuple[str, str]]) -> None:
    assert math.isnan(cohens_kappa(pairs).kappa)
