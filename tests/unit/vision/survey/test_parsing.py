"""A survey is read whole, or refused with every fault at once."""

import json
import math
from typing import Any

import pytest

from gateway.model.survey import EdgeKind, Protection, SurveyError, empty_survey
from vision.survey.parsing import read_survey


def drawn() -> dict[str, Any]:
    """A survey as the drawing page sends it: one zone, one rail, one opening."""
    return {
        "camera": "cam-1",
        "version": 3,
        "made_at_ns": 1_700_000_000_000_000_000,
        "made_by": "wang",
        "reference_sha256": "ab" * 32,
        "zones": [{"zone_id": "z1", "title": "门口", "use": "exempt", "outline": [[0.1, 0.1], [0.3, 0.1], [0.2, 0.4]]}],
        "edges": [
            {
                "edge_id": "e1",
                "title": "三层北边",
                "kind": "floor_edge",
                "line": [[0.1, 0.6], [0.9, 0.5]],
                "length_m": 18.0,
                "marks": [
                    {"foot": [0.1, 0.6], "top": [0.1, 0.4], "height_m": 1.2},
                    {"foot": [0.9, 0.5], "top": [0.9, 0.42], "height_m": 1.2},
                ],
            },
            {
                "edge_id": "o1",
                "title": "电梯井",
                "kind": "opening",
                "line": [[0.4, 0.8], [0.6, 0.8], [0.6, 0.9], [0.4, 0.9]],
                "length_m": 6.0,
                "marks": [],
            },
        ],
    }


def faults_of(data: object) -> tuple[str, ...]:
    with pytest.raises(SurveyError) as caught:
        read_survey(data)
    return caught.value.faults


def test_a_ground_is_read_and_written_back_and_other_zones_are_what_they_were() -> None:
    data = drawn()
    before = read_survey(data).document()["zones"]
    corners = [[0.1, 0.9], [0.9, 0.9], [0.65, 0.4], [0.35, 0.4]]
    ground = {"zone_id": "g1", "title": "场地", "use": "ground", "outline": corners}
    data["zones"].append(ground | {"site_m": [[0, 0], [20, 0], [20, 60], [0, 60]]})
    survey = read_survey(data)
    assert survey.zones[1].site_m[2] == (20.0, 60.0)
    assert read_survey(json.loads(json.dumps(survey.document()))) == survey
    assert survey.document()["zones"][:1] == before
    assert "site_m" not in before[0], "a sealed version stays what it was, byte for byte"


def test_a_ground_needs_a_place_for_each_of_four_points_and_others_have_none() -> None:
    data = drawn()
    data["zones"][0]["use"] = "ground"
    assert {fault.split(":")[0] for fault in faults_of(data)} == {"zones[0].outline", "zones[0].site_m"}
    data["zones"][0] |= {"use": "danger", "site_m": [[0, 0]]}
    assert faults_of(data) == ("zones[0].site_m: 1 entries; expected 0 to 0",)


def test_a_drawing_is_read_and_written_back_the_same() -> None:
    survey = read_survey(drawn())
    assert survey.edges[1].kind is EdgeKind.OPENING
    assert survey.edges[0].marks[1].height_m == 1.2
    assert read_survey(json.loads(json.dumps(survey.document()))) == survey


def test_the_empty_survey_is_read() -> None:
    assert read_survey(empty_survey("cam-1").document()) == empty_survey("cam-1")


def test_every_fault_is_told_at_once() -> None:
    data = drawn()
    data["edges"][0]["line"][1] = [1.2, 0.5]
    data["edges"][0]["length_m"] = 900
    data["edges"][1]["kind"] = "hole"
    data["zones"][0]["outline"] = [[0.1, 0.1], [0.2, 0.2]]
    faults = "\n".join(faults_of(data))
    for where in ("edges[0].line[1]", "edges[0].length_m", "edges[1].kind", "zones[0].outline"):
        assert where in faults


def test_a_polygon_outside_the_picture_is_refused_with_the_spot() -> None:
    data = drawn()
    data["edges"][1]["line"][2] = [0.6, 1.4]
    (fault,) = faults_of(data)
    assert fault.startswith("edges[1].line[2]")
    assert "inside the picture" in fault


@pytest.mark.parametrize("bad", [math.nan, math.inf, "0.5", None, True, 10**400])
def test_a_spot_is_two_numbers(bad: object) -> None:
    data = drawn()
    data["edges"][0]["line"][0] = [bad, 0.5]
    assert any("edges[0].line[0]" in fault for fault in faults_of(data))


@pytest.mark.parametrize("bad", [math.nan, math.inf, "18", None, True, 10**400, 0.0, -3])
def test_a_length_is_a_number_of_metres(bad: object) -> None:
    data = drawn()
    data["edges"][0]["length_m"] = bad
    (fault,) = faults_of(data)
    assert fault.startswith("edges[0].length_m")


def test_a_mark_upside_down_is_refused() -> None:
    data = drawn()
    mark = data["edges"][0]["marks"][0]
    mark["foot"], mark["top"] = mark["top"], mark["foot"]
    assert any("not above its foot" in fault for fault in faults_of(data))


def test_marks_far_from_the_line_or_on_one_spot_are_refused() -> None:
    data = drawn()
    data["edges"][0]["marks"] = [{"foot": [0.5, 0.9], "top": [0.5, 0.7], "height_m": 1.2}] * 2
    faults = "\n".join(faults_of(data))
    assert "away from the line" in faults
    assert "both stand on one spot" in faults


def test_an_opening_that_crosses_itself_is_refused() -> None:
    data = drawn()
    data["edges"][1]["line"] = [[0.4, 0.8], [0.6, 0.9], [0.6, 0.8], [0.4, 0.9]]
    assert any("cross" in fault for fault in faults_of(data))


def test_a_rail_needs_two_marks_and_an_opening_none() -> None:
    data = drawn()
    data["edges"][1]["marks"] = data["edges"][0]["marks"]
    data["edges"][0]["marks"] = []
    faults = "\n".join(faults_of(data))
    assert "edges[0].marks: 0 entries" in faults
    assert "edges[1].marks: 2 entries" in faults


def test_sizes_are_bounded() -> None:
    data = drawn()
    data["edges"] = [dict(data["edges"][0], edge_id=f"e{n}") for n in range(40)]
    data["zones"][0]["outline"] = [[0.1, 0.1]] * 10_000
    data["edges"][0]["title"] = "x" * 10_000
    faults = faults_of(data)
    assert any(fault.startswith("edges: 40 entries") for fault in faults)
    assert any("10000 entries" in fault for fault in faults)
    assert len(faults) <= 50
    assert all(len(fault) < 300 for fault in faults)


@pytest.mark.parametrize("data", [None, [], "survey", 7])
def test_what_is_no_survey_is_said_so(data: object) -> None:
    assert "an object with" in faults_of(data)[0]


def test_a_name_is_used_once_and_unknown_keys_are_told() -> None:
    data = drawn()
    data["edges"][1]["edge_id"] = "e1"
    data["edges"][0]["colour"] = "red"
    faults = "\n".join(faults_of(data))
    assert "'e1' is used twice" in faults
    assert "unknown key" in faults


def test_edges_need_the_picture_they_were_drawn_on() -> None:
    data = drawn()
    data["reference_sha256"] = ""
    assert any("reference_sha256" in fault for fault in faults_of(data))


def test_a_reference_by_night_is_read_and_a_survey_without_one_is_written_as_ever() -> None:
    night = read_survey(drawn() | {"night_sha256": "cd" * 32})
    assert night.night_sha256 == "cd" * 32
    assert read_survey(json.loads(json.dumps(night.document()))) == night
    assert "night_sha256" not in read_survey(drawn()).document()
    assert read_survey(drawn()).night_sha256 == ""


@pytest.mark.parametrize("night", ["cd" * 31, "CD" * 32, 7, None, ["cd" * 32]])
def test_a_reference_by_night_that_is_no_digest_is_refused(night: object) -> None:
    (fault,) = faults_of(drawn() | {"night_sha256": night})
    assert fault.startswith("night_sha256: ")
    assert "expected 64 hexadecimal digits" in fault


def test_a_survey_of_before_has_no_kind_of_protection_and_stays_byte_for_byte() -> None:
    before = read_survey(drawn())
    assert {edge.protection for edge in before.edges} == {Protection.UNKNOWN}
    assert json.loads(json.dumps(before.document()))["edges"] == drawn()["edges"]


@pytest.mark.parametrize("protection", [each for each in Protection if each is not Protection.COVER])
def test_what_stands_along_an_edge_is_kept(protection: Protection) -> None:
    data = drawn()
    data["edges"][0]["protection"] = str(protection)
    survey = read_survey(data)
    assert survey.edges[0].protection is protection
    assert read_survey(json.loads(json.dumps(survey.document()))) == survey
    assert protection.protects == (protection != "tape")


@pytest.mark.parametrize(("edge", "protection"), [(0, "cover"), (1, "steel_rail"), (1, "hedge"), (0, 3)])
def test_what_cannot_stand_there_is_refused_with_what_can(edge: int, protection: object) -> None:
    data = drawn()
    data["edges"][edge]["protection"] = protection
    fault = faults_of(data)[0]
    assert fault.startswith(f"edges[{edge}].protection: {protection!r}; expected one of ")


def test_a_survey_of_a_preset_says_which_and_one_of_a_camera_that_stands_says_nothing_of_it() -> None:
    survey = read_survey(drawn() | {"preset": "大门"})
    assert read_survey(json.loads(json.dumps(survey.document()))) == survey
    assert (survey.preset, "preset" in read_survey(drawn()).document()) == ("大门", False)
