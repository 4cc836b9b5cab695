"""A camera that turns: it is judged by the preset at which it looks, and by none where it looks at none."""

import json
import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.model.hook import HookPose
from gateway.model.survey import Edge, Protection, Spot, Survey, Zone, ZoneUse
from tests.fakes.edge_site import HEIGHT, Look, painted, rail
from tests.fakes.edge_site import survey as drawn_on_the_site
from tests.fakes.eye_parts import NOW_NS, SECOND_NS, WELL, ToldHealth, ToldModel, boxes, frame, opener, watched
from vision.eye.mind import CameraMind
from vision.eye.models import ModelShelf
from vision.eye.parts import open_parts
from vision.eye.presets import Presets, PresetView
from vision.eye.said import decoded, lengths, said_bytes
from vision.eye.view_edges import EdgesByView, ViewEdges
from vision.eye.watched import Drawing, Watched
from vision.picture.finding import PictureHealth
from vision.picture.frame import Frame
from vision.sight.observation import Observation

MODEL = "test 1 abc"
LOWER_PX = 70
Image = NDArray[np.uint8]
GAP = Look(gone=((3.0, 6.0),))
OFFICE = Zone("zone-1", "office", ZoneUse.EXEMPT, ((0.0, 0.0), (0.4, 0.0), (0.4, 0.9)))


WHOLE = Look()


def west(look: Look = WHOLE, seed: int = 0) -> Image:
    """The same rail seen from elsewhere: lower in the picture, before another wall."""
    return np.ascontiguousarray(np.roll(painted(look, seed)[:, ::-1], LOWER_PX - HEIGHT, axis=0))


def nowhere(seed: int = 0) -> Image:
    """What is neither."""
    return np.ascontiguousarray(cv2.rotate(painted(seed=seed), cv2.ROTATE_180)[:, ::-1].transpose(1, 0, 2)[:270, :])


def lower(spot: Spot) -> Spot:
    return (1 - spot[0], spot[1] + LOWER_PX / HEIGHT)


def lowered(edge: Edge) -> Edge:
    marks = tuple(replace(mark, foot=lower(mark.foot), top=lower(mark.top)) for mark in edge.marks)
    return replace(edge, edge_id="west", title="西边", line=tuple(map(lower, edge.line)), marks=marks)


def jpeg(image: Image) -> bytes:
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1])


def presets(*taped: str, states: dict[str, bytes] | None = None) -> Watched:
    """A camera with two presets. `taped`: those whose edge has tape only."""

    def drawing(preset: str, survey: Survey, edge: Edge, picture: Image) -> Drawing:
        kind = Protection.TAPE if preset in taped else Protection.STEEL_RAIL
        edges = (replace(edge, protection=kind),)
        return Drawing(replace(survey, preset=preset, edges=edges), jpeg(picture), b"", (states or {}).get(preset, b""))

    site = drawn_on_the_site()
    east = drawing("east", replace(site, zones=(OFFICE,)), rail(), painted(seed=99))
    return replace(watched(), presets=(east, drawing("west", replace(site, version=2), lowered(rail()), west(seed=98))))


class Turning:
    """A mind with real parts that is shown one picture a second."""

    def __init__(self, camera: Watched, second: int = 0) -> None:
        self.second = second
        at_ns = second * SECOND_NS
        self.mind = CameraMind(camera, open_parts(camera, ModelShelf(opener(ToldModel(MODEL))), NOW_NS + at_ns, at_ns))
        self.states: dict[str, bytes] = {}

    def sees(self, image: Image, seconds: int = 1) -> Observation:
        for _ in range(seconds):
            self.second += 1
            at_ns = self.second * SECOND_NS
            grain = np.random.default_rng(self.second).integers(-3, 4, image.shape)
            shown = np.clip(image + grain, 0, 255).astype(np.uint8)
            frame = Frame("cam-1", self.second, NOW_NS + at_ns, NOW_NS + at_ns, False, 1, shown)
            self.mind.look(frame, NOW_NS + at_ns, at_ns)
            said = self.mind.judge(frame, boxes(frame), MODEL, NOW_NS + at_ns, at_ns)
            if said.edge_state:
                self.states[said.edge_preset] = said.edge_state
        return said


def where(said: Observation) -> tuple[int, str]:
    told = json.loads(said.said)
    return told["at_preset"], told["preset"]


def places(said: Observation) -> str:
    """What is said of the four places: . closed, ? unknown, G a gap of 2 m and more."""
    values = [said.values[f"edge_open_{place}"] for place in range(1, 5)]
    return "".join("?" if math.isnan(value) else "G" if value >= 2 else "." if value == 0 else "g" for value in values)


def test_a_gap_of_one_preset_is_neither_cleared_nor_told_by_another_and_is_there_on_return() -> None:
    eye = Turning(presets())
    said = eye.sees(painted(), 45)
    assert (where(said), places(said)) == ((1, "east"), "....")
    assert json.loads(said.said)["survey"] == 1
    assert places(eye.sees(painted(GAP), 60)) == "G..."
    said = eye.sees(west(), 60)
    assert (where(said), places(said)) == ((1, "west"), "?...")
    assert math.isnan(said.values["person_at_edge_1"])
    assert said.values["person_at_edge_2"] == 0
    assert places(eye.sees(west(GAP), 60)) == "?G.."
    said = eye.sees(painted(GAP), 4)
    assert (where(said), places(said)) == ((1, "east"), "G?..")
    assert places(eye.sees(painted(), 60)) == ".?.."
    assert places(eye.sees(west(GAP), 4)) == ".G.."


def test_at_no_preset_edges_are_unknown_and_helmets_are_asked_for_everywhere() -> None:
    eye = Turning(presets())
    said = eye.sees(painted(), 45)
    assert eye.mind.watched.survey.zones == (OFFICE,)
    said = eye.sees(nowhere(), 15)
    assert (where(said), places(said)) == ((0, ""), "????")
    assert eye.mind.watched.survey.zones == ()
    assert (said.values["bare_head_1"], said.values["usable"]) == (0.0, 1.0)
    assert "edge_open_1" in json.loads(said.said)["unknown"]
    said = eye.sees(painted(), 4)
    assert (where(said), places(said)) == ((1, "east"), "...."), "what was known a moment ago is known again"


def test_before_it_is_known_where_it_looks_nothing_is_said_of_edges() -> None:
    assert places(Turning(presets()).sees(painted())) == "????"


def test_a_picture_that_shows_nothing_does_not_say_that_it_was_turned() -> None:
    eye = Turning(presets())
    eye.sees(painted(), 45)
    said = eye.sees(np.full_like(painted(), 90), 10)
    assert (where(said), eye.mind.watched.survey.zones) == ((1, "east"), (OFFICE,))


def test_while_most_outlines_are_gone_it_may_be_covered_and_is_not_taken_to_look_elsewhere() -> None:
    health = ToldHealth(PictureHealth(WELL, False, {"texture_lost_share": 0.9}))
    grey = np.ascontiguousarray(painted(seed=99)[:, :, 0])
    view = PresetView(replace(drawn_on_the_site(), preset="east"), grey, None, health)
    turning = Presets("cam-1", [view], EdgesByView([ViewEdges("east", None)]), ToldHealth)

    def looks(image: Image, seconds: range) -> str | None:
        for second in seconds:
            shown = replace(frame("cam-1", second), image=image)
            turning.turn(shown, second * SECOND_NS)
            turning.look(shown, grey, 0, 0)
        return turning.preset

    assert looks(painted(), range(1, 5)) == "east"
    assert looks(nowhere(), range(5, 9)) == "east"
    health.health = PictureHealth(WELL, True, {"texture_lost_share": 0.1})
    assert looks(nowhere(), range(9, 13)) is None


def test_after_a_restart_a_gap_has_the_place_that_it_had() -> None:
    eye = Turning(presets())
    eye.sees(west(), 40)
    eye.sees(west(GAP), 60)
    eye.sees(painted(), 40)
    assert places(eye.sees(painted(GAP), 60)) == "?G.."
    assert set(eye.states) == {"east", "west"}
    again = Turning(presets(states=eye.states), eye.second + 1)
    said = again.sees(painted(GAP), 4)
    assert (where(said), places(said)) == ((1, "east"), "?G..")
    assert places(again.sees(west(GAP), 4)) == "G?.."


def test_spoilt_states_are_as_if_there_were_none() -> None:
    eye = Turning(presets(states={"east": b"\xff\x00", "west": b'{"places": [1]}\n'}))
    assert places(eye.sees(painted(), 45)) == "...."


def test_an_edge_with_tape_only_is_not_protected_by_definition() -> None:
    eye = Turning(presets("east"))
    said = eye.sees(painted(), 3)
    assert places(said) == "G..."
    (fired,) = [scene.key for scene in said.fired] or ["edge_open_1"]
    told = json.loads(said.said)["findings"][fired]
    assert (told["what"], told["why"], told["from_m"], told["to_m"]) == ("missing", "tape is no protection", 0.0, 12.0)
    assert places(eye.sees(west(), 60)) == "?..."


def test_tape_is_told_on_a_camera_that_stands_and_fires_once() -> None:
    edge = replace(rail(), protection=Protection.TAPE)
    camera = replace(watched(survey=drawn_on_the_site(edge)), reference=jpeg(painted(seed=99)))
    eye = Turning(camera)
    fired = [len(eye.sees(painted()).fired) for _ in range(5)]
    assert fired == [1, 0, 0, 0, 0]
    assert places(eye.sees(painted())) == "G..."


def test_the_preset_of_a_state_goes_over_the_pipe_and_one_that_is_too_long_is_refused() -> None:
    said = Observation("cam-1", 1, 1, {}, edge_state=b"kept", edge_preset="大门")
    octets = said_bytes(said)
    head, _ = lengths(octets[:8])
    assert decoded(octets[8 : 8 + head], octets[8 + head :]) == said
    with pytest.raises(ValueError, match="edge_preset"):
        said_bytes(replace(said, edge_preset="x" * 81))


ALL = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
PIT = Zone("zone-2", "pit", ZoneUse.DANGER, ALL)
YARD = Zone("zone-3", "yard", ZoneUse.GROUND, ALL, ((0.0, 72.0), (128.0, 72.0), (128.0, 0.0), (0.0, 0.0)))


def test_at_no_preset_and_where_none_is_drawn_danger_zones_and_hooks_are_unknown() -> None:
    camera = presets()
    east, other = camera.presets
    east = replace(east, survey=replace(east.survey, zones=(PIT, YARD)))
    checks = ("in_danger_zone", "under_hook")
    asked = camera.settings.model_copy(update={"checks": checks, "hook_cranes": ("crane-1",), "hook_radius_m": 3.0})
    eye = Turning(replace(camera, settings=asked, presets=(east, other)))

    def told(image: Image, seconds: int) -> tuple[tuple[int, str], list[bool]]:
        """Where it looks, and of which checks it is known that nobody is concerned. UNKNOWN never is."""
        for _ in range(seconds):
            eye.mind.use_hooks([HookPose("crane-1", 60.0, 22.0, 30.0, 1.0, eye.second * SECOND_NS)])
            said = eye.sees(image)
        values = [said.values[f"{check}_1"] for check in checks]
        assert all(value == 0.0 or math.isnan(value) for value in values)
        return where(said), [value == 0.0 for value in values]

    assert told(painted(), 45) == ((1, "east"), [True, True])
    assert told(nowhere(), 15) == ((0, ""), [False, False])
    assert told(west(), 15) == ((1, "west"), [False, False])
    assert told(painted(), 45) == ((1, "east"), [True, True])
