"""A rain gauge's counter beside a point, and what rain explains."""

import json
from math import isfinite, isnan, nan

import numpy as np
import pytest

from gateway.assets.creep_rain import rain_columns
from gateway.assets.forecast import Forecast, Forecaster
from gateway.assets.pit_description import Baseline, BaselineKind, PitDescription, PitPoint
from gateway.assets.pit_instrument import DirectReading
from gateway.assets.pit_items import PitItem
from gateway.assets.pit_point import PitPointDerivation
from gateway.assets.pit_rain import RainCounter
from gateway.assets.trend_track import Series, Track
from tests.fakes.creep_series import Case, Kind, case

DAY_NS = 86_400_000_000_000


def told(series: Case, rain_known: bool) -> list[Forecast]:
    forecaster, rain = Forecaster(), series.rain_mm() if rain_known else np.full(len(series.t_d), nan)
    rows = zip(series.t_d, series.x_mm, rain, strict=True)
    return [forecaster.add(int(t * DAY_NS), float(x), rain_mm=float(mm)) for t, x, mm in rows]


def test_the_counter_tells_what_fell_between_readings() -> None:
    counter = RainCounter()
    assert isnan(counter.taken_mm())
    counter.note(100.0)
    counter.note(nan)
    counter.note(104.5)
    assert counter.taken_mm() == 4.5
    assert counter.taken_mm() == 0.0
    counter.note(2.0)  # it was set to zero
    assert counter.taken_mm() == 2.0


def test_the_counter_goes_on_after_a_restart() -> None:
    before, after = RainCounter(), RainCounter()
    before.note(10.0)
    before.note(13.0)
    after.restore(json.loads(json.dumps(before.saved())))
    after.note(14.0)
    assert after.taken_mm() == 4.0
    with pytest.raises(ValueError, match="rain"):
        after.restore([1.0, -1.0])


def test_ground_that_holds_rain_moves_after_it_fell() -> None:
    t_d = np.arange(10.0)
    total = np.where(t_d >= 3, 30.0, 0.0)
    columns = rain_columns(Series(t_d, t_d, t_d, t_d, t_d, total))
    assert (columns[:, :3] == 0).all()
    assert (np.diff(columns, axis=1) >= 0).all()
    slow, fast = columns[5], columns[0]
    assert slow[4] / slow[-1] < fast[4] / fast[-1]
    assert len(rain_columns(Series(t_d, t_d, t_d, t_d, t_d))) == 0
    assert len(rain_columns(Series(t_d, t_d, t_d, t_d, t_d, np.zeros(10)))) == 0


def test_storms_are_not_taken_for_failures_where_rain_is_known() -> None:
    """Of these series the forecast speaks in some without a gauge."""
    storms = [case(Kind.RAIN, seed, spacing_h=24.0) for seed in range(7000, 7024)]
    with_gauge = [any(isfinite(one.failure_high_h) for one in told(each, True)) for each in storms]
    shares = [one.rain_share for each in storms for one in told(each, True) if isfinite(one.rain_share)]
    assert sum(with_gauge) <= 1
    assert shares
    assert max(shares) > 0.8
    assert all(isnan(one.rain_share) for one in told(storms[0], False))


def test_rain_that_explains_nothing_leaves_a_failure_told() -> None:
    series = case(Kind.HAND_READ, 7100)
    dry = Forecaster()
    said = [
        dry.add(int(t * DAY_NS), float(x), rain_mm=3.0 if i % 5 == 0 else 0.0)
        for i, (t, x) in enumerate(zip(series.t_d, series.x_mm, strict=True))
    ]
    assert any(isfinite(one.failure_high_h) for one in said)


def test_bins_kept_before_rain_was_told_are_taken() -> None:
    track = Track()
    track.restore({"bins": [[1.0, 1.0, 1.0, 1.0, 0.5, 0.0, 1.0]], "thinned_d": 1.0})
    assert len(track.series().rain_mm) == 0
    track.add(2.0, 0.6, 4.0)
    assert track.series().rain_mm.tolist() == [0.0, 4.0]


def test_hand_read_creep_is_told_two_days_before() -> None:
    """alpha 2, 20 days, daily, 0.5 mm: seeds that no constant was chosen by. Calm comes first: not all are told."""
    told_in_time = 0
    for seed in range(7200, 7220):
        series = case(Kind.HAND_READ, seed)
        words = [isfinite(one.failure_high_h) for one in told(series, False)]
        told_in_time += any(words[: int(np.searchsorted(series.t_d, series.failure_d - 2.0, side="right"))])
    assert told_in_time >= 14


def test_what_speeds_up_and_stops_is_never_called_a_failure_within_a_day() -> None:
    """S-curves read daily. Some are spoken of before they slow down, none as failing within a day."""
    words = [told(case(Kind.S_CURVE, seed, spacing_h=24.0), False) for seed in range(7300, 7316)]
    low_h = [[one.failure_low_h for one in said if isfinite(one.failure_low_h)] for said in words]
    assert sum(bool(each) for each in low_h) <= 5
    assert not [hours for each in low_h for hours in each if hours < 24]


def test_a_point_with_a_gauge_says_what_rain_explains_and_keeps_the_count() -> None:
    zero = (Baseline(BaselineKind.INITIAL, 0, "x", "zero survey", zero=0.0),)
    item = PitItem.WALL_TOP_HORIZONTAL
    point = PitPoint("zq-1", item, DirectReading("p.raw"), "测点", "point", baselines=zero, rain="p.rain")
    pit = PitDescription("pit-1", (point,))
    model, again = PitPointDerivation(pit, point), PitPointDerivation(pit, point)
    assert model.inputs == ("p.raw", "p.rain")
    assert model.outputs[-1].quantity == "zq-1_rain_share_pct"
    row = model.step(np.array([1.0, 50.0]), np.array([DAY_NS, DAY_NS]), DAY_NS)
    assert row is not None
    assert len(row) == len(model.outputs)
    assert isnan(row[-1])
    again.restore(json.loads(json.dumps(model.saved())))
    assert again.saved() == model.saved()
