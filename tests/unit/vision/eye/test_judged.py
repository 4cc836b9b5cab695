"""Numbers for the points, and the text for the evidence: unknown is NaN and never 0; the text never grows too long."""

import json
import math

import pytest

from gateway.model.verdict import Truth
from tests.fakes.eye_parts import WELL, bare_head, edge_open
from vision.eye.judged import MAX_SAID_BYTES, finding_values, health_values, said_text
from vision.picture.finding import Ailment, Finding, FindingKind, PictureHealth

ALL = tuple(FindingKind)


def test_each_place_has_its_number_and_an_empty_place_is_clear() -> None:
    values = finding_values([bare_head(2), edge_open(2.4, 3), bare_head(3, Truth.FALSE)], ALL)
    assert len(values) == 32
    assert {key: value for key, value in values.items() if value} == {"bare_head_2": 1.0, "edge_open_3": 2.4}


def test_what_cannot_be_judged_is_no_number() -> None:
    values = finding_values([bare_head(1, Truth.UNKNOWN), bare_head(2)], ALL)
    assert math.isnan(values["bare_head_1"])
    assert values["bare_head_2"] == 1.0


def test_a_kind_that_was_not_judged_is_unknown_in_every_place_whatever_was_found_before() -> None:
    values = finding_values([bare_head(1), edge_open(1.0)], [FindingKind.BARE_HEAD])
    assert values["bare_head_1"] == 1.0
    assert all(math.isnan(values[f"edge_open_{place}"]) for place in (1, 2, 3, 4))
    assert all(math.isnan(value) for value in finding_values([bare_head(1)], ()).values())


def test_a_place_that_the_table_does_not_have_is_left_out() -> None:
    assert "bare_head_9" not in finding_values([bare_head(9)], ALL)


@pytest.mark.parametrize(
    ("usable", "judging", "dangerous", "blind"),
    [(True, True, True, 0.0), (False, True, True, 1.0), (True, False, True, 1.0), (False, False, False, 0.0)],
)
def test_blind_on_dangerous_works(usable: bool, judging: bool, dangerous: bool, blind: float) -> None:
    values = health_values(PictureHealth(WELL, usable), judging=judging, dangerous_works=dangerous)
    assert (values["blind_dangerous"], values["usable"], values["judge_failed"]) == (blind, usable, not judging)


def test_ailments_are_one_nought_or_unknown() -> None:
    ailing = WELL | {Ailment.BLURRED: Truth.TRUE, Ailment.FROZEN: Truth.UNKNOWN}
    values = health_values(PictureHealth(ailing, False), judging=True, dangerous_works=False)
    assert (values["blurred"], values["black"]) == (1.0, 0.0)
    assert math.isnan(values["frozen"])
    assert math.isnan(values["clock_offset_s"])


def test_the_text_says_what_was_found_where_and_by_which_picture() -> None:
    health = PictureHealth(WELL | {Ailment.CLOCK_WRONG: Truth.TRUE}, True)
    findings = [edge_open(2.4), bare_head(2, Truth.UNKNOWN), bare_head(3, Truth.FALSE)]
    said = json.loads(said_text(findings, health, {"model": "m"}, {"edge_open_1": ("f" * 64, "a" * 64)}))
    assert said["findings"]["edge_open_1"] | {"measured": 2.4} == said["findings"]["edge_open_1"]
    assert said["findings"]["edge_open_1"]["edge"] == "north-edge"
    assert said["findings"]["edge_open_1"]["frame_sha256"] == "f" * 64
    assert (said["unknown"], said["ailing"], said["model"]) == (["bare_head_2"], ["clock_wrong"], "m")
    assert list(said["findings"]) == ["edge_open_1"]


def test_the_same_is_said_in_the_same_bytes() -> None:
    health = PictureHealth(WELL, True)
    about = {"zone": "b", "track": 3}
    turned = {"track": 3, "zone": "b"}
    one, two = (Finding(FindingKind.BARE_HEAD, 1, Truth.TRUE, 1.0, None, each) for each in (about, turned))
    assert said_text([one], health, {}, {}) == said_text([two], health, {}, {})


def test_many_findings_are_cut_but_stay_whole_json_with_every_frame() -> None:
    long = {f"word{i}": "x" * 90 for i in range(6)}
    findings = [Finding(FindingKind.BARE_HEAD, place, Truth.TRUE, 1.0, None, long) for place in range(1, 9)]
    digests = {finding.key: ["d" * 64] * 9 for finding in findings}
    body = said_text(findings, PictureHealth(WELL, True), {}, digests)
    said = json.loads(body)
    assert len(body) <= MAX_SAID_BYTES
    assert said["cut"] > 0
    assert len(said["findings"]) == 8
    assert all(told["frame_sha256"] == "d" * 64 for told in said["findings"].values())


def test_a_number_that_is_none_does_not_break_the_text() -> None:
    finding = Finding(FindingKind.EDGE_OPEN, 1, Truth.TRUE, math.nan, None, {"to_m": math.inf})
    told = json.loads(said_text([finding], PictureHealth(WELL, True), {}, {}))["findings"]["edge_open_1"]
    assert (told["measured"], told["to_m"]) == (None, None)
