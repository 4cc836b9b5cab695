"""A monitoring point under any series: missing is never a number, restarts and re-zeroings cost nothing, any day is as
good as another. A surveyor's table: whatever is in it, each line is taken or named."""

import json
from dataclasses import replace
from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.parts.pit.hand_entry import FaultCode, KnownPoint, When, parse
from gateway.parts.pit.model.description import Baseline, BaselineKind, PitDescription, PitPoint
from gateway.parts.pit.model.instrument import Defect, DirectReading
from gateway.parts.pit.model.items import PitItem
from gateway.parts.pit.model.outputs import point_outputs
from gateway.parts.pit.model.point import PitPointDerivation

T0_NS = 1_700_000_000_000_000_000
HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS
NAN = float("nan")
ZERO = Baseline(BaselineKind.INITIAL, 0, "第三方监测", "初始值", readings=2)
POINT = PitPoint("p", PitItem.WALL_TOP_HORIZONTAL, DirectReading("pit.raw"), "测点", "Point", baselines=(ZERO,))
STREAM = replace(POINT, reading_interval_s=7200.0)
QUALITY = [each.role for each in point_outputs("pit", POINT)].index("pit_reading_quality")
CHANGE = [each.role for each in point_outputs("pit", POINT)].index(f"{POINT.item.value}_day_rate")
Sample = tuple[int, float]
Row = tuple[float, ...] | None

samples = st.lists(
    st.tuples(st.sampled_from([1, 3, 6, 24]), st.sampled_from([NAN, 10.0, 10.5, 11.0, 12.5, 14.0, 80.0, 0.01])),
    min_size=2,
    max_size=40,
)


def model(point: PitPoint) -> PitPointDerivation:
    return PitPointDerivation(PitDescription("pit", (point,)), point, 40.0)


def timed(series: list[Sample], start_ns: int = T0_NS) -> list[tuple[int, float]]:
    hours = np.cumsum([hour for hour, _ in series])
    return [(start_ns + int(hour) * HOUR_NS, value) for hour, (_, value) in zip(hours, series, strict=True)]


def run(each: PitPointDerivation, series: list[tuple[int, float]], seen_ns: int = 0) -> list[Row]:
    """What is said at each sample; a failed poll keeps the time of the last usable value."""
    said: list[Row] = []
    for at_ns, value in series:
        seen_ns = seen_ns if isnan(value) else at_ns
        row = each.step(np.array([value]), np.array([seen_ns], dtype=np.int64), at_ns)
        said.append(None if row is None else tuple(float(number) for number in row))
    return said


def last_seen_ns(series: list[tuple[int, float]]) -> int:
    return max((at_ns for at_ns, value in series if not isnan(value)), default=0)


def same(one: list[Row], other: list[Row]) -> bool:
    return len(one) == len(other) and all(
        (a is None) == (b is None) and (a is None or b is None or np.allclose(a, b, atol=1e-6, equal_nan=True))
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("point", [POINT, STREAM])
@given(series=samples)
def test_what_cannot_be_used_is_never_a_number(point: PitPoint, series: list[Sample]) -> None:
    for row in run(model(point), timed(series)):
        if row is not None and row[QUALITY] != Defect.NONE:
            told = {QUALITY, CHANGE} if row[QUALITY] == Defect.OUTLIER else {QUALITY}  # a spike is measured again
            assert all(isnan(number) for i, number in enumerate(row) if i not in told)
        elif row is not None:
            assert np.isfinite(row[0])


@given(series=samples)
def test_a_reading_is_said_when_there_is_one_and_a_loss_once(series: list[Sample]) -> None:
    said = run(model(POINT), timed(series))
    begun = next((i for i, (_, value) in enumerate(series) if not isnan(value)), len(series))
    for i in range(begun, len(series)):
        lost_again = isnan(series[i][1]) and isnan(series[i - 1][1]) and i > begun
        assert (said[i] is None) == lost_again
        row = said[i]
        assert row is None or (row[QUALITY] == Defect.NO_SIGNAL) == isnan(series[i][1])


@pytest.mark.parametrize("point", [POINT, STREAM])
@settings(max_examples=60)
@given(series=samples, cut=st.integers(0, 40))
def test_a_restart_changes_nothing(point: PitPoint, series: list[Sample], cut: int) -> None:
    polls = timed(series)
    before, after = model(point), model(point)
    first = run(before, polls[:cut])
    after.restore(json.loads(json.dumps(before.saved())))
    seen_ns = last_seen_ns(polls[:cut])
    if seen_ns == 0:
        return  # nothing was heard yet: the new box waits for its inputs a little longer
    assert same(first + run(after, polls[cut:], seen_ns), run(model(point), polls))


@settings(max_examples=60)
@given(series=samples, days=st.integers(-3000, 3000))
def test_any_day_is_as_good_as_another(series: list[Sample], days: int) -> None:
    shifted = timed(series, T0_NS + days * DAY_NS)
    assert same(run(model(POINT), timed(series)), run(model(POINT), shifted))


@settings(max_examples=60)
@given(series=samples, zero=st.sampled_from([0.0, 11.0]), cut=st.integers(1, 39))
def test_a_re_zero_moves_the_cumulative_value_and_nothing_else(series: list[Sample], zero: float, cut: int) -> None:
    polls = timed(series)
    plain, moved = model(POINT), model(POINT)
    expected = run(plain, polls)
    first = run(moved, polls[:cut])
    if cut >= len(polls) or not any(row is not None and row[QUALITY] == Defect.NONE for row in first):
        return
    moved.order_baseline(Baseline(BaselineKind.RE_ZERO, polls[cut][0], "测量员", "归零", zero=zero))
    shifts = {
        round(row[0] - other[0], 6)
        for row, other in zip(run(moved, polls[cut:], last_seen_ns(polls[:cut])), expected[cut:], strict=True)
        if row is not None and other is not None and np.isfinite(row[0])
    }
    assert len(shifts) <= 1


KNOWN = {"ZQ-1": KnownPoint("p", "mm")}
WHEN = When(1_773_129_600_000_000_000)
cells = st.sampled_from(
    ["ZQ-1", "zq-1", "2026-03-04 09:30", "2026-03-05 10:00", "12.5", "", "/", "1e5", "mm", '"', "测点"]
)


@given(content=st.binary(max_size=300))
def test_no_file_breaks_the_reader(content: bytes) -> None:
    for prefix in (b"", b"PK\x03\x04", "测点,时间,读数\n".encode()):
        table = parse(prefix + content, "a", KNOWN, WHEN)
        assert table.rows or table.faults or prefix.startswith("测".encode())


@given(lines=st.lists(st.lists(cells, min_size=1, max_size=4), max_size=20))
def test_each_line_is_taken_or_named(lines: list[list[str]]) -> None:
    written = [",".join("" if cell == '"' else cell for cell in line) for line in lines]
    table = parse("\n".join(["测点,时间,读数", *written]).encode(), "a.csv", KNOWN, WHEN)
    named = [fault.line for fault in table.faults] + [row.line for row in table.rows]
    filled = [i + 2 for i, line in enumerate(written) if line.replace(",", "")]
    assert sorted(named) == filled
    assert all(fault.code is not FaultCode.UNREADABLE for fault in table.faults)
