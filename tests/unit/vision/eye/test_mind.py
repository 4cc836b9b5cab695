"""One camera's mind: what a frame says, what stands still, what is unusable, what fired."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import pytest

from gateway.model.detections import Detections
from gateway.model.hook import HookPose
from gateway.model.sight import Why
from gateway.model.survey import Edge, EdgeKind, Zone, ZoneUse, empty_survey
from gateway.model.verdict import Truth
from tests.fakes.eye_parts import (
    NOW_NS,
    SECOND_NS,
    WELL,
    ToldEdges,
    ToldHealth,
    ToldHelmets,
    bare_head,
    boxes,
    edge_open,
    frame,
    parts,
    watched,
)
from vision.eye.mind import CameraMind
from vision.eye.said import decoded, lengths, said_bytes
from vision.helmets.people import People, SeenPerson
from vision.picture.finding import Ailment, Finding, FindingKind, PictureHealth
from vision.picture.frame import Frame
from vision.sight.observation import Observation

MODEL = "test 1 abc"
EDGE = Edge("north-edge", "北", EdgeKind.FLOOR_EDGE, ((0.1, 0.5), (0.9, 0.5)), 12.0)


def judged(
    mind: CameraMind, seq: int, *rows: tuple[float, float, float, float, int], model: str = MODEL
) -> Observation:
    """A frame that moved, with these boxes."""
    one = frame("cam-1", seq, seed=seq)
    at_ns = seq * SECOND_NS // 5
    wanted = mind.look(one, NOW_NS + at_ns, at_ns)
    found = boxes(one, *rows) if wanted and model else None
    return mind.judge(one, found, model, NOW_NS + at_ns, at_ns)


def test_what_is_seen_is_counted_and_told_to_helmets_and_edges() -> None:
    helmets, edges = ToldHelmets((bare_head(),)), ToldEdges((edge_open(2.4),))
    mind = CameraMind(
        watched(survey=replace(empty_survey("cam-1"), edges=(EDGE,))), parts(helmets=helmets, edges=edges)
    )
    said = judged(mind, 1, (5, 5, 25, 30, 0), (40, 5, 60, 30, 1), (0, 0, 70, 110, 2), (80, 0, 120, 110, 2))
    assert {key: said.values[key] for key in ("helmets", "heads", "persons")} == {
        "helmets": 1,
        "heads": 1,
        "persons": 2,
    }
    assert (said.values["bare_head_1"], said.values["edge_open_1"], said.values["edge_open_2"]) == (1.0, 2.4, 0.0)
    assert (helmets.asked, edges.persons) == ([(4, True)], [2])
    assert said.values["usable"] == 1.0
    assert (said.captured_at_ns, said.camera) == (frame("cam-1", 1).captured_at_ns, "cam-1")


def test_what_stands_still_need_not_be_detected_again_and_counts_again() -> None:
    helmets = ToldHelmets()
    mind = CameraMind(watched(), parts(helmets=helmets))
    judged(mind, 1, (5, 5, 25, 30, 1))
    same = replace(frame("cam-1", 2, seed=1), seq=2)
    at_ns = 2 * SECOND_NS // 5
    assert not mind.look(same, NOW_NS + at_ns, at_ns)
    said = mind.judge(same, None, MODEL, NOW_NS + at_ns, at_ns)
    assert said.values["heads"] == 1.0
    assert helmets.asked == [(1, True), (1, True)]
    later_ns = 2 * SECOND_NS
    assert mind.look(replace(same, seq=3), NOW_NS + later_ns, later_ns), "after a second the detector looks anyway"


def test_an_unusable_picture_judges_nothing_and_tells_its_parts_so() -> None:
    health = ToldHealth(PictureHealth(WELL | {Ailment.BLURRED: Truth.TRUE}, False))
    helmets = ToldHelmets((bare_head(1, Truth.UNKNOWN),))
    mind = CameraMind(watched(dangerous_works=True), parts(health=health, helmets=helmets))
    said = judged(mind, 1, (5, 5, 25, 30, 1))
    assert all(math.isnan(said.values[f"bare_head_{place}"]) for place in range(1, 9))
    assert (said.values["blurred"], said.values["usable"], said.values["blind_dangerous"]) == (1.0, 0.0, 1.0)
    assert math.isnan(said.values["heads"])
    assert helmets.asked == [(0, False)]


def test_a_minute_counts_as_judged_only_where_people_in_sight_were() -> None:
    far = SeenPerson(Why.TOO_SMALL, 0.4, 0.01)
    helmets = ToldHelmets(people=People(0.03, (far, far, SeenPerson(Why.JUDGED, 0.8, 0.09))))
    said = judged(CameraMind(watched(), parts(helmets=helmets)), 1)
    assert (said.people, said.values["judged"], said.values["usable"]) == (helmets.people, 0.0, 1.0)
    mind = CameraMind(watched(), parts())
    assert judged(mind, 1).values["judged"] == 1.0
    unjudged = [judged(mind, 2, model=""), mind.rest(MODEL, NOW_NS, 0), mind.failed(NOW_NS, 0)]
    assert [(each.people, each.values["judged"]) for each in unjudged] == [(None, 0.0)] * 3
    health = ToldHealth(PictureHealth(WELL | {Ailment.BLACK: Truth.TRUE}, False))
    said = judged(CameraMind(watched(), parts(health=health)), 1)
    assert (said.people, said.values["judged"]) == (None, 0.0)


def test_without_a_model_no_finding_is_judged_and_the_picture_still_is() -> None:
    helmets = ToldHelmets((bare_head(),))
    said = judged(CameraMind(watched(), parts(helmets=helmets)), 1, model="")
    assert math.isnan(said.values["bare_head_1"])
    assert (said.values["judge_failed"], said.values["usable"], said.values["black"]) == (1.0, 1.0, 0.0)
    assert helmets.asked == []
    assert said.still is not None


def test_a_drawn_edge_that_nothing_can_judge_is_unknown_not_whole() -> None:
    drawn = replace(empty_survey("cam-1"), version=1, edges=(EDGE,))
    said = judged(CameraMind(watched(survey=drawn), parts(edges=None)), 1)
    assert math.isnan(said.values["edge_open_1"])
    assert said.values["bare_head_1"] == 0.0


@dataclass
class ToldPeople:
    """Says what it is told; keeps what it was told."""

    findings: tuple[Finding, ...]
    kinds: tuple[FindingKind, ...] = (FindingKind.UNDER_HOOK,)
    hooks: list[HookPose] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)
    views: int = 0

    def step(self, frame: Frame, boxes: Detections, usable: bool, now_ns: int, now_mono_ns: int) -> tuple[Finding, ...]:
        return self.findings

    def use_zones(self, zones: Sequence[Zone]) -> None:
        self.zones = list(zones)

    def use_hooks(self, hooks: Sequence[HookPose]) -> None:
        self.hooks = list(hooks)

    def new_view(self) -> None:
        self.views += 1

    def rule_of(self, kind: FindingKind) -> str:
        return f"{kind}: as told"


def test_checks_that_are_asked_for_are_said_and_the_others_are_unknown() -> None:
    found = Finding(FindingKind.UNDER_HOOK, 1, Truth.TRUE, 1.0, (1.0, 2.0, 3.0, 4.0), {"crane": "crane-1"}, fired=True)
    people = ToldPeople((found,))
    mind = CameraMind(watched(), parts(people=people))
    said = judged(mind, 1, (0, 0, 70, 110, 2))
    assert (said.values["under_hook_1"], said.values["under_hook_2"]) == (1.0, 0.0)
    assert math.isnan(said.values["person_down_1"])
    (scene,) = said.fired
    assert (scene.key, scene.versions["rule"]) == ("under_hook_1", "under_hook: as told")
    assert decoded(*lengths_and_body(said_bytes(said))).fired[0].about["crane"] == "crane-1"


def test_the_checks_go_on_through_a_new_drawing_and_hear_of_hooks() -> None:
    people = ToldPeople(())
    mind = CameraMind(watched(), parts(people=people))
    zone = Zone("pit", "基坑", ZoneUse.DANGER, ((0, 0), (1, 0), (1, 1)))
    drawn = replace(empty_survey("cam-1"), version=2, zones=(zone,))
    mind.redraw(replace(mind.watched, survey=drawn), parts(people=ToldPeople(())))
    hook = HookPose("crane-1", 1.0, 2.0, 3.0, 1.0, 4)
    mind.use_hooks([hook])
    assert (people.zones, people.hooks) == ([zone], [hook])
    CameraMind(watched(), parts()).use_hooks([hook])


def lengths_and_body(octets: bytes) -> tuple[bytes, bytes]:
    head, _ = lengths(octets[:8])
    return octets[8 : 8 + head], octets[8 + head :]


def test_without_a_frame_only_the_camera_itself_is_judged() -> None:
    health = ToldHealth(PictureHealth(WELL | {Ailment.OFFLINE: Truth.TRUE}, False))
    said = CameraMind(watched(), parts(health=health)).rest(MODEL, NOW_NS, 0)
    assert (said.values["offline"], said.values["usable"], said.captured_at_ns) == (1.0, 0.0, NOW_NS)
    assert math.isnan(said.values["bare_head_1"])
    assert (health.frames, health.without) == (0, 1)


def test_a_frame_whose_judging_broke_off_says_so() -> None:
    said = CameraMind(watched(dangerous_works=True), parts()).failed(NOW_NS, 0)
    assert (said.values["judge_failed"], said.values["blind_dangerous"]) == (1.0, 1.0)
    assert math.isnan(said.values["edge_open_1"])


def test_what_fired_keeps_the_whole_frame_the_strip_and_by_what_it_was_judged() -> None:
    helmets = ToldHelmets()
    mind = CameraMind(watched(vote_s=6.0), parts(helmets=helmets))
    for seq in range(1, 60):
        judged(mind, seq, (5, 5, 25, 30, 1))
    helmets.findings = (bare_head(fired=True),)
    said = judged(mind, 60, (5, 5, 25, 30, 1))
    (scene,) = said.fired
    assert (scene.key, scene.frame.width_px, len(scene.strip)) == ("bare_head_1", 160, 8)
    assert scene.frame.boxes == ((5.0, 5.0, 25.0, 30.0, 1, 1.0, 1),)
    assert hashlib.sha256(scene.frame.body).hexdigest() == scene.frame.sha256
    times = [picture.captured_at_ns for picture in scene.strip]
    assert times == sorted(times)
    assert times[-1] - times[0] == 7 * SECOND_NS
    assert scene.versions["model"] == MODEL
    assert scene.versions["rule"] == "bare_head: vote 6 s, heads from 20 px"
    assert (scene.about["zone"], scene.about["box_x1_px"]) == ("yard", 10.0)
    told = json.loads(said.said)["findings"]["bare_head_1"]
    assert told["frame_sha256"] == scene.frame.sha256
    assert told["strip_sha256"] == [picture.sha256 for picture in scene.strip]


def test_the_digest_stays_with_the_finding_until_its_place_is_empty() -> None:
    helmets = ToldHelmets((bare_head(fired=True),))
    mind = CameraMind(watched(), parts(helmets=helmets))
    (scene,) = judged(mind, 1).fired
    helmets.findings = (bare_head(),)
    again = json.loads(judged(mind, 2).said)
    assert again["findings"]["bare_head_1"]["frame_sha256"] == scene.frame.sha256
    helmets.findings = ()
    judged(mind, 3)
    helmets.findings = (bare_head(),)
    assert "frame_sha256" not in json.loads(judged(mind, 4).said)["findings"]["bare_head_1"]


def test_about_one_still_a_second_leaves_with_its_faces_averaged_away() -> None:
    mind = CameraMind(watched(), parts())
    stills = [judged(mind, seq, (40, 20, 100, 110, 1)).still for seq in range(1, 12)]
    assert [still is not None for still in stills] == [seq % 5 == 1 for seq in range(1, 12)]
    still = stills[0]
    assert still is not None
    shown = cv2.imdecode(np.frombuffer(still.body, np.uint8), cv2.IMREAD_COLOR)
    face, wall = shown[75:95, 60:80], shown[75:95, 125:145]
    assert face.std() < wall.std() / 2


def test_another_survey_changes_zones_and_edges_and_forgets_no_head() -> None:
    helmets, edges = ToldHelmets((bare_head(),)), ToldEdges((edge_open(1.2),))
    mind = CameraMind(watched(), parts(helmets=helmets))
    judged(mind, 1)
    zone = Zone("z", "棚", ZoneUse.EXEMPT, ((0, 0), (1, 0), (1, 1)))
    drawn = replace(empty_survey("cam-1"), version=2, zones=(zone,), edges=(EDGE,))
    mind.redraw(watched(survey=drawn), parts(helmets=ToldHelmets(), edges=edges))
    said = judged(mind, 2)
    assert helmets.zones == (zone,)
    assert (said.values["bare_head_1"], said.values["edge_open_1"]) == (1.0, 1.2)
    assert json.loads(said.said)["survey"] == 2


@pytest.mark.parametrize("size", [(60, 80), (240, 320)])
def test_another_resolution_is_not_judged_by_the_old_boxes(size: tuple[int, int]) -> None:
    mind = CameraMind(watched(), parts())
    judged(mind, 1, (5, 5, 25, 30, 1))
    other = frame("cam-1", 2, seed=2, size=size)
    mind.look(other, NOW_NS, SECOND_NS)
    assert mind.judge(other, None, MODEL, NOW_NS, SECOND_NS).values["heads"] == 0.0


def test_the_edge_state_goes_out_once_a_minute_and_when_a_gap_opens_or_clears() -> None:
    edges = ToldEdges()
    mind = CameraMind(watched(survey=replace(empty_survey("cam-1"), edges=(EDGE,))), parts(edges=edges))
    states = [judged(mind, seq).edge_state for seq in range(1, 602)]
    assert [n for n, state in enumerate(states) if state] == [300, 600]
    edges.findings = (edge_open(2.0),)
    assert judged(mind, 602).edge_state == f"{MODEL} {NOW_NS + 602 * SECOND_NS // 5}".encode()
    assert judged(mind, 603).edge_state == b""
    edges.findings = (replace(edge_open(2.0), truth=Truth.UNKNOWN),)
    assert judged(mind, 604).edge_state == b""
    edges.findings = (replace(edge_open(2.0), truth=Truth.FALSE),)
    assert judged(mind, 605).edge_state


def test_without_a_model_no_edge_state_is_kept() -> None:
    edges = ToldEdges((edge_open(2.0),))
    mind = CameraMind(watched(survey=replace(empty_survey("cam-1"), edges=(EDGE,))), parts(edges=edges))
    assert judged(mind, 1, model="").edge_state == b""


def test_how_often_it_is_judged_is_measured() -> None:
    mind = CameraMind(watched(), parts())
    said = [judged(mind, seq) for seq in range(1, 60)]
    assert said[-1].values["judged_per_s"] == pytest.approx(5.0, abs=0.3)
    assert mind.rest(MODEL, NOW_NS, 60 * SECOND_NS).values["judged_per_s"] == 0.0


def test_another_scene_ends_the_tracks_and_is_looked_at_whatever_moved() -> None:
    helmets = ToldHelmets()
    mind = CameraMind(watched(), parts(helmets=helmets))
    ramp = np.tile(np.linspace(20, 235, 160, dtype=np.uint8)[None, :, None], (120, 1, 3))
    for seq, image in enumerate([ramp, ramp, np.ascontiguousarray(ramp[:, ::-1])]):
        one = replace(frame("cam-1", seq), image=image)
        wanted = mind.look(one, NOW_NS + seq * SECOND_NS // 5, seq * SECOND_NS // 5)
        mind.judge(one, boxes(one), MODEL, NOW_NS + seq * SECOND_NS // 5, seq * SECOND_NS // 5)
    assert wanted
    assert helmets.views == 1
