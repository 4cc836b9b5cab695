"""Thinned reports: what is left out is within the deadband of what was said, and nothing else is left out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.quantity import Point
from gateway.model.reading import Quality
from gateway.ports import AssetTag, ReadingBlock
from gateway.uplinks.deadband import HEARTBEAT_NS, Deadbands
from gateway.uplinks.line_protocol import LineEncoder

S = 1_000_000_000
T0 = 1_700_000_000 * S


def block(
    rows: list[list[float]], deadbands: list[float], cursor: int = 1, step_ns: int = S, start_ns: int = T0
) -> ReadingBlock:
    value = np.array(rows, dtype=np.float64)
    points = tuple(
        Point(f"pit-1.p{i}", "pit-1", f"p{i}", "mm", "d", "点", "p", deadband=deadband)
        for i, deadband in enumerate(deadbands)
    )
    quality = np.where(np.isnan(value), np.uint8(Quality.BAD), np.uint8(Quality.GOOD))
    return ReadingBlock(cursor, "d", points, start_ns + np.arange(len(rows), dtype=np.int64) * step_ns, value, quality)


def kept(values: list[float], deadband: float, **more: int) -> list[bool]:
    return [bool(each) for each in Deadbands().rows(block([[value] for value in values], [deadband], **more), [0])]


def test_without_a_deadband_everything_is_reported() -> None:
    assert kept([1, 1, 1], 0.0) == [True, True, True]


def test_a_value_is_reported_when_it_leaves_the_deadband_of_the_last_report() -> None:
    assert kept([1, 1.4, 1.5, 1.6, 1.2, 1.0], 0.5) == [True, False, False, True, False, True]


def test_slow_drift_is_reported_step_by_step() -> None:
    assert kept([0, 0.3, 0.6, 0.9, 1.2], 0.5) == [True, False, True, False, True]


def test_a_bad_value_and_the_first_good_one_after_it_are_reported() -> None:
    assert kept([1, math.nan, math.nan, 1, 1], 0.5) == [True, True, True, True, False]


def test_a_minute_without_a_change_is_a_report() -> None:
    assert kept([1, 1, 1, 1], 0.5, step_ns=HEARTBEAT_NS // 2) == [True, False, True, False]


def test_time_that_runs_backwards_is_reported() -> None:
    assert kept([1, 1], 0.5, step_ns=-S) == [True, True]


def test_values_that_share_a_line_are_reported_together() -> None:
    rows = [[1.0, 5.0], [1.1, 5.1], [1.1, 9.0], [1.0, 9.1]]
    assert Deadbands().rows(block(rows, [0.5, 0.5]), [0, 1]).tolist() == [True, False, True, False]
    assert Deadbands().rows(block(rows, [0.5, 0.0]), [0, 1]).all()


def test_the_next_block_goes_on_and_the_same_block_begins_anew() -> None:
    deadbands = Deadbands()
    assert deadbands.rows(block([[1.0]], [0.5]), [0]).tolist() == [True]
    second = block([[1.2], [1.3]], [0.5], cursor=2, start_ns=T0 + S)
    assert deadbands.rows(second, [0]).tolist() == [False, False]
    assert deadbands.rows(second, [0]).tolist() == [True, False]  # its sending failed: said again


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=50), st.floats(0.1, 20))
def test_whatever_is_left_out_is_within_the_deadband_of_the_last_report(values: list[float], deadband: float) -> None:
    last = math.inf
    for value, reported in zip(values, kept(values, deadband), strict=True):
        if reported:
            last = value
        assert abs(value - last) <= deadband


@pytest.mark.parametrize("kind", ["tower-crane", "deep-pit"])
def test_lines_are_written_for_reports_only(kind: str) -> None:
    encoder = LineEncoder("P", {"pit-1": AssetTag(kind, "1")})
    lines = encoder.lines(block([[1.0], [1.1], [2.0], [math.nan]], [0.5]), T0)
    assert [line.rsplit(" ", 1)[1] for line in lines] == [str(T0), str(T0 + 2 * S), str(T0 + 3 * S)]
    assert ["=1.0" in lines[0], "=2.0" in lines[1], "q=2i" in lines[2]] == [True, True, True]


def test_a_point_with_a_deadband_beside_one_without_is_a_series_of_its_own_in_a_pit() -> None:
    encoder = LineEncoder("P", {"pit-1": AssetTag("deep-pit", "1")})
    lines = encoder.lines(block([[1.0, 1.0], [1.1, 1.1]], [0.5, 0.0]), T0)
    assert [line.split(" ", 1)[0].rsplit("=", 2)[1].split(",")[0] for line in lines] == ["p0", "p1", "p1"]
