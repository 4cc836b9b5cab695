"""The turn over all cameras: newest frame wins, one batch, and one camera's trouble is its own."""

import math
from dataclasses import replace

import pytest

from tests.fakes.eye_parts import (
    NOW_NS,
    SECOND_NS,
    HandSlot,
    ToldHealth,
    ToldHelmets,
    ToldModel,
    bare_head,
    frame,
    opener,
    parts,
    watched,
)
from vision.eye.mind import MindParts
from vision.eye.models import TRY_AGAIN_NS, ModelShelf
from vision.eye.turn import Turn
from vision.eye.watched import AskReference, Drawing, Forget, Redraw, ReferenceFrame, Watched
from vision.sight.observation import Observation


class Eyes:
    """A turn over hand-filled slots."""

    def __init__(self, cameras: int = 1, model: ToldModel | None = None, **settings: object) -> None:
        self.model = model or ToldModel()
        self.slots = {f"cam-{n}": HandSlot() for n in range(1, cameras + 1)}
        self.parts: dict[str, MindParts] = {}
        self.turn = Turn(ModelShelf(opener(self.model)), self._slot, self._parts)
        for camera in self.slots:
            self.turn.obey(watched(camera, **settings))

    def _slot(self, path: str, camera: str) -> HandSlot:
        return self.slots[camera]

    def _parts(self, each: Watched) -> MindParts:
        self.parts[each.camera] = parts(helmets=ToldHelmets(), health=ToldHealth())
        return self.parts[each.camera]

    def brings(self, seq: int, *cameras: str) -> None:
        for camera in cameras or self.slots:
            self.slots[camera].newest_frame = frame(camera, seq, seed=seq)

    def step(self, at_s: float) -> dict[str, Observation]:
        said = self.turn.step(NOW_NS + round(at_s * 1e9), round(at_s * 1e9))
        assert len({each.camera for each in said}) == len(said)
        return {each.camera: each for each in said}


def test_all_cameras_that_are_due_go_through_the_detector_in_one_batch() -> None:
    eyes = Eyes(3)
    eyes.brings(1)
    assert sorted(eyes.step(0)) == ["cam-1", "cam-2", "cam-3"]
    assert [sorted(batch) for batch in eyes.model.batches] == [["cam-1", "cam-2", "cam-3"]]


def test_the_newest_frame_wins_and_none_is_judged_twice() -> None:
    eyes = Eyes()
    for seq in range(1, 11):  # ten frames arrive before the eye has time
        eyes.brings(seq)
    assert eyes.step(0)["cam-1"].captured_at_ns == frame("cam-1", 10).captured_at_ns
    assert eyes.step(0.25) == {}
    assert eyes.slots["cam-1"].taken == 1


def test_no_camera_is_judged_oftener_than_asked() -> None:
    eyes = Eyes(analyse_fps=5)
    judged = 0
    for tick in range(200):  # 25 frames a second for eight seconds
        eyes.brings(tick + 1)
        judged += len(eyes.step(tick / 25))
    assert judged == pytest.approx(40, abs=2)


def test_more_cameras_than_a_batch_take_turns() -> None:
    eyes = Eyes(12, analyse_fps=1)
    eyes.brings(1)
    first, second = eyes.step(0), eyes.step(0.01)
    assert (len(first), len(second)) == (8, 4)
    assert not first.keys() & second.keys()


def test_a_picture_that_is_none_is_that_cameras_trouble_alone() -> None:
    eyes = Eyes(3, ToldModel(poison=frozenset({"cam-2"}), heads={"cam-1": 2}))
    eyes.brings(1)
    said = eyes.step(0)
    assert (said["cam-1"].values["heads"], said["cam-3"].values["heads"]) == (2.0, 0.0)
    assert said["cam-2"].values["judge_failed"] == 1.0
    assert math.isnan(said["cam-2"].values["bare_head_1"])
    alive = eyes.turn.alive()
    assert (alive.faults, alive.last_fault) == ({"cam-2": 1}, "cam-2: ValueError: cam-2: not a picture")


def test_an_exception_in_one_mind_is_counted_and_stops_nobody() -> None:
    class Broken(ToldHelmets):
        def step(self, detections: object, usable: bool, now_ns: int) -> tuple[()]:  # type: ignore[override]
            raise ZeroDivisionError("a bug")

    eyes = Eyes(2)
    object.__setattr__(eyes.parts["cam-1"], "helmets", Broken())
    eyes.brings(1)
    said = eyes.step(0)
    assert (said["cam-1"].values["judge_failed"], said["cam-2"].values["judge_failed"]) == (1.0, 0.0)
    assert eyes.turn.alive().last_fault == "cam-1: ZeroDivisionError: a bug"
    eyes.brings(2)
    assert sorted(eyes.step(0.5)) == ["cam-1", "cam-2"]


def test_without_frames_the_camera_is_looked_after_once_a_second() -> None:
    eyes = Eyes()
    said = [eyes.step(tick / 10) for tick in range(31)]
    assert sum(map(len, said)) == 4
    health = eyes.parts["cam-1"].health
    assert isinstance(health, ToldHealth)
    assert (health.frames, health.without) == (0, 4)


def test_a_slow_stream_is_not_unknown_between_its_frames() -> None:
    eyes = Eyes()
    for seq in range(1, 6):
        eyes.brings(seq)
        assert eyes.step(2.0 * seq)["cam-1"].values["usable"] == 1.0
        assert eyes.step(2.0 * seq + 1.9) == {}
    assert eyes.step(12.6)["cam-1"].values["usable"] == 0.0, "but after two seconds and a half it is"


def test_a_slot_that_is_not_there_is_tried_again_and_told() -> None:
    def no_slot(path: str, camera: str) -> HandSlot:
        raise FileNotFoundError(2, "No such file", path)

    turn = Turn(ModelShelf(opener(ToldModel())), no_slot, lambda each: parts())
    turn.obey(watched())
    said = [each for tick in range(40) for each in turn.step(NOW_NS, tick * SECOND_NS // 10)]
    assert {each.values["usable"] for each in said} == {0.0}
    assert turn.alive().faults == {"cam-1": 4}


def test_a_model_that_cannot_be_loaded_is_a_state_that_is_said_and_tried_again() -> None:
    shelf = ModelShelf(opener(None, "heads.onnx: the file is empty"))
    slot = HandSlot(frame("cam-1", 1))
    turn = Turn(shelf, lambda path, camera: slot, lambda each: parts(helmets=ToldHelmets((bare_head(),))))
    turn.obey(watched())
    (said,) = turn.step(NOW_NS, 0)
    assert said.values["judge_failed"] == 1.0
    assert math.isnan(said.values["bare_head_1"])
    assert said.values["black"] == 0.0
    assert turn.alive().models == {"shipped": "ValueError: heads.onnx: the file is empty"}
    shelf._open = opener(ToldModel())  # the file was restored
    slot.newest_frame = frame("cam-1", 2, seed=2)
    assert turn.step(NOW_NS, TRY_AGAIN_NS - SECOND_NS)[0].values["judge_failed"] == 1.0
    slot.newest_frame = frame("cam-1", 3, seed=3)
    assert turn.step(NOW_NS, TRY_AGAIN_NS)[0].values["judge_failed"] == 0.0
    assert turn.alive().models == {}


def test_a_camera_that_is_forgotten_is_let_go() -> None:
    eyes = Eyes(2)
    eyes.brings(1)
    eyes.step(0)
    eyes.turn.obey(Forget("cam-1"))
    eyes.turn.obey(Forget("nobody"))
    eyes.brings(2)
    assert sorted(eyes.step(1)) == ["cam-2"]
    assert eyes.slots["cam-1"].closed


def test_a_reference_is_the_whole_frame_and_none_before_the_first() -> None:
    eyes = Eyes()
    assert eyes.turn.obey(AskReference("cam-1", 4)) == ReferenceFrame(4, None)
    assert eyes.turn.obey(AskReference("nobody", 5)) == ReferenceFrame(5, None)
    eyes.brings(1)
    eyes.step(0)
    answer = eyes.turn.obey(AskReference("cam-1", 6))
    assert answer is not None
    assert answer.picture is not None
    assert (answer.number, answer.picture.width_px, answer.picture.camera) == (6, 160, "cam-1")


def test_another_survey_is_taken_and_that_of_an_unknown_camera_harms_nobody() -> None:
    eyes = Eyes()
    survey = watched("cam-1").survey
    eyes.turn.obey(Redraw(survey, b""))
    eyes.turn.obey(Redraw(watched("cam-9").survey, b""))
    eyes.brings(1)
    assert sorted(eyes.step(0)) == ["cam-1"]


def test_another_survey_brings_its_reference_by_night_and_one_without_takes_it_away() -> None:
    eyes = Eyes()
    survey = watched("cam-1").survey
    for night in (b"by night", b""):
        eyes.turn.obey(Redraw(survey, b"by day", night))
        judged_by = eyes.turn._eyes["cam-1"].mind.watched
        assert (judged_by.reference, judged_by.night, judged_by.edge_state) == (b"by day", night, b"")


def test_another_drawing_of_one_preset_comes_with_all_of_them() -> None:
    eyes = Eyes()
    gate = Drawing(replace(watched("cam-1").survey, version=2, preset="gate"), b"jpeg", edge_state=b"kept")
    eyes.turn.obey(Redraw(watched("cam-1").survey, b"", presets=(gate,)))
    assert eyes.turn._eyes["cam-1"].mind.watched.presets == (gate,)
    eyes.turn.obey(Redraw(watched("cam-1").survey, b"by day"))
    assert eyes.turn._eyes["cam-1"].mind.watched.presets == ()


def test_nobody_waits_longer_than_a_moment() -> None:
    eyes = Eyes()
    assert 0 < eyes.turn.next_due_ns(0) <= 50_000_000
    assert 0 < Turn(ModelShelf(opener(None)), eyes._slot, eyes._parts).next_due_ns(0) <= 50_000_000
