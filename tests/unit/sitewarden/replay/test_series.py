"""CSV files to polls: both shapes, every kind of time, and what is wrong with a line."""

import contextlib
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.quantity import Point, PointTable
from gateway.model.reading import Quality
from sitewarden.replay.series import LineError, Recording, ReplayError, TimeReader, read_csv

NS = 1_767_225_600_000_000_000
GOOD, SUSPECT, BAD = Quality.GOOD, Quality.SUSPECT, Quality.BAD
POINTS = PointTable(
    tuple(
        Point(f"a.{key}", "a", key, "m", device, key, key, minimum=0, maximum=100)
        for key, device in (("x", "one"), ("y", "one"), ("z", "two"))
    )
)


def read(tmp_path: Path, text: str, **more: int) -> Recording:
    path = tmp_path / "s.csv"
    path.write_bytes(text.encode("utf-8"))
    return read_csv(path, POINTS, frozenset(), **more)


def polls(recording: Recording) -> list[tuple[str, int, list[int], list[float]]]:
    return [
        (each.device, each.observed_at_ns - NS, each.point_index.tolist(), each.value.tolist())
        for each in recording.polls
    ]


def test_lines_of_one_time_and_device_are_one_poll_in_order_of_time(tmp_path: Path) -> None:
    text = f"time,point,value\n{NS + 5},a.y,2\n{NS},a.z,9\n{NS},a.y,4\n{NS},a.x,3\n"
    assert polls(read(tmp_path, text)) == [
        ("one", 0, [0, 1], [3, 4]),
        ("two", 0, [2], [9]),
        ("one", 5, [1], [2]),
    ]


def test_a_wide_file_gives_the_same_polls_as_a_long_one(tmp_path: Path) -> None:
    long = polls(read(tmp_path, f"time,point,value\n{NS},a.x,1\n{NS},a.y,2\n{NS},a.z,3\n{NS + 1},a.x,4\n"))
    assert polls(read(tmp_path, f"time,a.x,a.y,a.z\n{NS},1,2,3\n{NS + 1},4,,\n")) == long


def test_polls_of_one_layout_share_their_index_as_those_of_a_driver_do(tmp_path: Path) -> None:
    recording = read(tmp_path, f"time,a.x,a.y\n{NS},1,2\n{NS + 1},3,4\n")
    first, second = recording.polls
    assert first.point_index is second.point_index


@pytest.mark.parametrize(
    ("text", "at_ns"),
    [
        ("2026-01-01T00:00:00Z", NS),
        ("2026-01-01 08:00:00+08:00", NS),
        ("2026-01-01T00:00:00.25+00:00", NS + 250_000_000),
        ("1767225600", NS),
        ("1767225600.5", NS + 500_000_000),
        ("1767225600000", NS),
        ("1767225600000000", NS),
        (str(NS + 7), NS + 7),
    ],
)
def test_times_as_they_come(text: str, at_ns: int) -> None:
    assert TimeReader().ns(text) == at_ns


def test_a_time_without_an_offset_is_meant_as_told() -> None:
    assert TimeReader(480).ns("2026-01-01 08:00:00") == NS == TimeReader().ns("2026-01-01 00:00:00")


@pytest.mark.parametrize("text", ["", "now", "2026-13-01T00:00:00Z", "-5", "1e9", "99999999999999999999", "nan"])
def test_what_is_no_time_is_said(text: str) -> None:
    with pytest.raises(LineError, match="expected"):
        TimeReader().ns(text)


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader_of_times(text: str) -> None:
    with contextlib.suppress(LineError):
        assert 0 <= TimeReader().ns(text) < 2**63


def test_quality_is_taken_as_told_and_what_is_no_number_is_bad(tmp_path: Path) -> None:
    rows = ["1,", "2,suspect", "3,2", "101,good", "inf,", ",", "nan,0", "100,GOOD"]
    text = "time,point,value,quality\n" + "".join(f"{NS + i},a.x,{row}\n" for i, row in enumerate(rows))
    found = [(each.value[0], each.quality[0]) for each in read(tmp_path, text).polls]
    assert [quality for _, quality in found] == [GOOD, SUSPECT, BAD, GOOD, BAD, BAD, BAD, GOOD]
    assert all(math.isnan(value) for value, quality in found if quality == BAD)
    assert [value for value, quality in found if quality != BAD] == [1, 2, 101, 100]


def test_a_bad_line_is_told_with_its_number_and_the_rest_goes_on(tmp_path: Path) -> None:
    rows = [f"{NS},a.x,1", "later,a.x,1", f"{NS},a.x,much", f"{NS},a.x", "", f"{NS + 1},a.x,2,worst"]
    recording = read(
        tmp_path, "\n".join(["time,point,value,quality", *[row + "," * (i < 1) for i, row in enumerate(rows)]])
    )
    told = [(fault.line, fault.found, fault.expected) for fault in recording.faults]
    assert told == [
        (3, "3 columns", "4"),
        (4, "3 columns", "4"),
        (5, "2 columns", "4"),
        (7, "quality 'worst'", "good, suspect, bad, or 0, 1, 2"),
    ]
    assert recording.faulty_lines == 4
    assert polls(recording) == [("one", 0, [0], [1])]


def test_a_bad_cell_takes_its_whole_line_with_it(tmp_path: Path) -> None:
    recording = read(tmp_path, f"time,a.x,a.y\n{NS},1,many\n{NS + 1},2,3\n")
    assert [str(fault) for fault in recording.faults] == [
        f"{tmp_path / 's.csv'}:2: found value 'many', expected a number"
    ]
    assert polls(recording) == [("one", 1, [0, 1], [2, 3])]


def test_a_reading_that_is_told_twice_counts_once_with_its_last_value(tmp_path: Path) -> None:
    recording = read(tmp_path, f"time,point,value\n{NS},a.x,1\n{NS},a.x,2\n{NS},a.y,3\n")
    assert polls(recording) == [("one", 0, [0, 1], [2, 3])]
    assert recording.repeated == 1


def test_points_that_the_site_does_not_have_are_counted(tmp_path: Path) -> None:
    recording = read(tmp_path, f"time,a.x,b.q\n{NS},1,5\n{NS + 1},1,\n{NS + 2},1,6\n")
    assert recording.unknown == {"b.q": 2}
    assert len(polls(recording)) == 3


@pytest.mark.parametrize("text", ["", "when,what\n1,2\n", "time\n1\n", "point,value\n"])
def test_a_header_that_says_nothing_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ReplayError, match=r"s\.csv:1: found header .* expected time,point,value"):
        read(tmp_path, text)


def test_what_spreadsheets_make_of_it(tmp_path: Path) -> None:
    assert polls(read(tmp_path, f"\ufeffTime;Point;Value\r\n{NS};a.x;1\r\n")) == [("one", 0, [0], [1])]
    assert polls(read(tmp_path, f'time\ta.x\n"{NS}"\t1\n')) == [("one", 0, [0], [1])]


def test_a_file_without_readings_is_no_poll(tmp_path: Path) -> None:
    assert polls(read(tmp_path, "time,point,value\n")) == []
