"""The drawing page's form: numbers there and back, and every fault beside its row in both languages."""

import pytest

from gateway.model.survey import SurveyError
from gateway.parts.camera.survey_form import (
    EdgeRow,
    SurveyRows,
    ZoneRow,
    edges_of,
    points_of,
    rows_of_form,
    rows_of_survey,
    with_new,
    zones_of,
)
from gateway.parts.camera.survey_words import with_faults
from vision.survey.parsing import read_survey

FORM = {
    "zone.0.id": "zone-1",
    "zone.0.title": " 大门 ",
    "zone.0.use": "exempt",
    "zone.0.points": "10, 20\r\n40，20\r\n\r\n40; 60.5",
    "zone.3.id": "zone-9",
    "zone.3.title": "",
    "zone.3.points": " \n",
    "edge.0.id": "edge-1",
    "edge.0.title": "东侧",
    "edge.0.kind": "floor_edge",
    "edge.0.points": "10, 80\n90, 80",
    "edge.0.length_m": "12,5",
    "edge.0.mark.0.foot": "15, 80",
    "edge.0.mark.0.top": "15, 60",
    "edge.0.mark.0.height_m": "1.2",
    "edge.0.mark.1.foot": "85, 80",
    "edge.0.mark.1.top": "85, 60",
    "edge.0.mark.1.height_m": "1.2",
}


def read(rows: SurveyRows) -> SurveyRows:
    """What becomes of it on the page once it was kept."""
    return rows_of_survey(
        read_survey(
            {
                "camera": "cam-1",
                "version": 1,
                "made_at_ns": 1,
                "made_by": "an",
                "reference_sha256": "ab" * 32,
                "zones": zones_of(rows.zones),
                "edges": edges_of(rows.edges),
            }
        )
    )


def faults_of(rows: SurveyRows) -> SurveyRows:
    with pytest.raises(SurveyError) as raised:
        read(rows)
    return with_faults(rows, raised.value.faults)


def test_what_was_typed_comes_back_from_what_was_kept() -> None:
    rows = read(rows_of_form(FORM))
    assert rows.zones == (ZoneRow("zone-1", "大门", "exempt", "10, 20\n40, 20\n40, 60.5"),)
    (edge,) = rows.edges
    assert (edge.points, edge.length_m, edge.marks[1].top) == ("10, 80\n90, 80", "12.5", "85, 60")
    assert read(rows) == rows


def test_rows_that_are_to_go_and_empty_rows_are_left_out() -> None:
    assert [row.shape_id for row in rows_of_form(FORM).zones] == ["zone-1"]
    assert rows_of_form(FORM | {"zone.0.remove": "1", "edge.0.remove": "1"}) == SurveyRows()


def test_a_new_row_gets_a_name_that_is_free() -> None:
    rows = with_new(with_new(rows_of_form(FORM), "zone"), "edge")
    assert ([row.shape_id for row in rows.zones], [row.shape_id for row in rows.edges]) == (
        ["zone-1", "zone-2"],
        ["edge-1", "edge-2"],
    )


def test_an_opening_has_no_marks_whatever_stands_there() -> None:
    assert edges_of([EdgeRow("edge-1", kind="opening")])[0]["marks"] == []


@pytest.mark.parametrize("line", ["10", "10, x", "1e3, 2", "10, 20, 30", "<b>"])
def test_a_line_that_is_no_point_goes_on_as_it_was_typed(line: str) -> None:
    assert points_of(f"10, 20\n{line}") == [[0.1, 0.2], line]


@pytest.mark.parametrize(
    ("field", "typed", "zh", "en"),
    [
        ("zone.0.points", "10, 20\n40, 20\n400, 60", "第 3 点：点应在画面内", "point 3: "),
        ("zone.0.points", "10, 20\n大门\n40, 60", "第 2 点：每行应为一个点", "a point a line"),
        ("zone.0.points", "10, 20\n40, 20", "点：个数应为 3 到 32", "points: 2 entries"),
        ("zone.0.title", "", "名称：请填写", "name: "),
        ("zone.0.use", "sometimes", "用途：请选择", "use: "),
        ("zone.0.points", "10, 10\n60, 60\n60, 10\n10, 60", "轮廓线不能自相交叉", "cross"),
    ],
)
def test_a_fault_stands_beside_its_zone_in_both_languages(field: str, typed: str, zh: str, en: str) -> None:
    shown = faults_of(rows_of_form(FORM | {field: typed}))
    assert shown.faults == ()
    assert shown.edges[0].faults == ()
    assert any(zh in said[0] and en in said[1] for said in shown.zones[0].faults), shown.zones[0].faults


@pytest.mark.parametrize(
    ("field", "typed", "zh"),
    [
        ("edge.0.length_m", "very long", "实际长度：应为 0.3 到 200 之间的数"),
        ("edge.0.mark.1.height_m", "12", "标尺 2 栏杆高度：应为 0.3 到 3 之间的数"),
        ("edge.0.mark.0.top", "15, 90", "标尺 1：标尺上端应明显高于下端"),
        ("edge.0.mark.0.foot", "15, 40", "标尺 1"),
        ("edge.0.mark.1.foot", "15, 80", "标尺应分别靠近线的两端"),
    ],
)
def test_a_fault_stands_beside_its_edge(field: str, typed: str, zh: str) -> None:
    shown = faults_of(rows_of_form(FORM | {field: typed}))
    assert any(zh in said for said, _ in shown.edges[0].faults), shown.edges[0].faults


def test_what_belongs_to_no_row_stands_above_them() -> None:
    shown = with_faults(SurveyRows(), ("zones[7].title: ''; expected 1 to 80 printable characters", "odd"))
    assert [en for _, en in shown.faults] == ["name: ''; expected 1 to 80 printable characters", "odd"]


def test_what_stands_there_comes_back_and_nothing_said_is_unknown() -> None:
    rows = rows_of_form(FORM | {"edge.0.protection": "tape"})
    assert edges_of(rows.edges)[0]["protection"] == "tape"
    assert read(rows).edges[0].protection == "tape"
    assert read(rows_of_form(FORM)).edges[0].protection == "unknown"
    covered = faults_of(rows_of_form(FORM | {"edge.0.protection": "cover"}))
    assert covered.edges[0].faults[0][0] == "防护类型：请选择列出的一项"


GROUND = {
    "zone.0.id": "zone-1",
    "zone.0.title": "场地",
    "zone.0.use": "ground",
    "zone.0.points": "10, 90\n90, 90\n65, 40\n35, 40",
    "zone.0.site": "500000, 0\r\n500020，0\n500020 60\n500000; 60.25\n",
}


def test_a_ground_keeps_the_places_of_its_points() -> None:
    (row,) = read(rows_of_form(GROUND)).zones
    assert (row.use, row.site) == ("ground", "500000, 0\n500020, 0\n500020, 60\n500000, 60.25")
    (watched,) = zones_of([ZoneRow("zone-1", "大门", "watched", "1, 1", site="1, 2")])
    assert watched["site_m"] == [], "only a ground has any"


@pytest.mark.parametrize(
    ("site", "zh", "en"),
    [
        ("0, 0\n20, 0\nx, 60\n0, 60", "第 3 点坐标：每行应为一个点的坐标：东, 北（米）", "place of point 3"),
        ("0, 0\n20, 0\n20, 60", "坐标：个数应为 4 到 4", "places: 3 entries; expected 4 to 4"),
        ("0, 0\n20, 0\n0, 60\n20, 60", "坐标：各点坐标与画面不相符，请按点的顺序核对", "may be exchanged"),
    ],
)
def test_places_that_are_none_are_said_beside_the_row(site: str, zh: str, en: str) -> None:
    (row,) = faults_of(rows_of_form(GROUND | {"zone.0.site": site})).zones
    assert zh in {said for said, _ in row.faults}
    assert any(en in said for _, said in row.faults)
