"""Stories of the checks on people (README in tests/cases/vision), through tracker and rules, at several rates."""

from collections.abc import Iterator
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from gateway.model.hook import HookPose
from gateway.model.survey import Zone, ZoneUse
from gateway.model.verdict import Truth
from tests.fakes.walkers import PERSON, SECOND_NS, START_NS, Seen, frame
from vision.people.clothes import ClothesLook, VestColours
from vision.people.settings import HookSettings
from vision.people.watch import PeopleWatch
from vision.picture.finding import FindingKind
from vision.picture.frame import Frame
from vision.tracking.tracker import Tracker

Case = dict[str, Any]
CASES: list[Case] = yaml.safe_load((Path(__file__).parent / "vision" / "people.yaml").read_text(encoding="utf-8"))
WITHIN_S = 1.6
ENDS = {Truth.TRUE: "raised", Truth.FALSE: "clear", Truth.UNKNOWN: "unknown"}
RATES = {"5 fps": 5.0, "2 fps": 2.0}
COLOURS = {"vest": (40, 240, 230), "plain": (120, 80, 60)}
GREY = np.full((720, 1280, 3), 128, np.uint8)
BLANK = np.full((720, 1280, 3), (120, 128, 140), np.uint8)
MONO_NS = 7_000 * SECOND_NS


@pytest.mark.parametrize("fps", RATES.values(), ids=RATES.keys())
@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_a_story_has_its_alarms(case: Case, fps: float) -> None:
    alarms, ends = _play(case, fps)
    assert [alarm["place"] for alarm in alarms] == [alarm["place"] for alarm in case.get("alarms", ())]
    for found, expected in zip(alarms, case.get("alarms", ()), strict=True):
        assert found["raised_s"] == pytest.approx(expected["raised_s"], abs=WITHIN_S)
        assert found.get("why") == expected.get("why")
        if "cleared_s" in expected:
            assert found["cleared_s"] == pytest.approx(expected["cleared_s"], abs=WITHIN_S)
    assert ends == case["ends"]


def _play(case: Case, fps: float) -> tuple[list[Case], str]:
    """The alarms, and what the first place says after the last frame."""
    hook = HookSettings(("crane-1",), case.get("radius_m", 5.0))
    zones = [_zone(each) for each in case.get("zones", ())]
    clothes = ClothesLook(VestColours()) if case["check"] == "no_work_clothes" else None
    tracker, watch = Tracker(), PeopleWatch([FindingKind(case["check"])], fps, zones, clothes, hook)
    alarms: list[Case] = []
    open_at: dict[int, Case] = {}
    ends = ""
    for number, at_s in _times(case, fps):
        scenes = [scene for scene in case["story"] if scene["from_s"] <= at_s <= scene["to_s"]]
        usable = all(scene.get("usable", True) for scene in scenes)
        watch.use_hooks([_hook(scene, at_s) for scene in scenes if "hook" in scene])
        boxes = [_box(scene, at_s) for scene in scenes if "person" in scene]
        seen = tracker.step(frame(boxes, number, at_s), 1)
        at_ns = round(at_s * SECOND_NS)
        picture = Frame("cam-1", number, START_NS + at_ns, START_NS + at_ns, False, 1, _painted(scenes, boxes))
        findings = watch.step(picture, seen, usable, START_NS + at_ns, MONO_NS + at_ns)
        ends = ENDS[findings[0].truth]
        for finding in findings:
            if finding.fired:
                open_at[finding.place] = {"place": finding.place, "raised_s": at_s}
                alarms.append(open_at[finding.place])
            elif finding.truth is Truth.FALSE and finding.place in open_at:
                open_at.pop(finding.place).update(cleared_s=at_s, why=finding.about["cleared"])
    return alarms, ends


def _times(case: Case, fps: float) -> Iterator[tuple[int, float]]:
    end_s = max(scene["to_s"] for scene in case["story"])
    for number in range(round(end_s * fps) + 1):
        yield number, number / fps


def _part(scene: Case, at_s: float) -> float:
    return (at_s - scene["from_s"]) / max(scene["to_s"] - scene["from_s"], 0.001)


def _box(scene: Case, at_s: float) -> Seen:
    """A person by the feet; standing 2.5 times as high as wide, `lies` the other way round, `stoops` square."""
    (x, y), to = scene["person"], scene.get("to", scene["person"])
    part, high = _part(scene, at_s), scene.get("high_px", 200)
    x, y = x + part * (to[0] - x), y + part * (to[1] - y)
    w, h = high / 2.5, high
    if scene.get("lies"):
        w, h = h * 0.9, w
    elif scene.get("stoops"):
        w, h = high * 0.55, high * 0.58
    return Seen(PERSON, x, y - h / 2, w, h)


def _painted(scenes: list[Case], boxes: list[Seen]) -> np.ndarray:
    worn = [scene.get("wears") for scene in scenes if "person" in scene]
    if not any(worn):
        return BLANK
    image = (GREY if any(scene.get("infrared") for scene in scenes) else BLANK).copy()
    for wears, box in zip(worn, boxes, strict=True):
        if wears in COLOURS:
            top, left = round(box.y - box.h / 2), round(box.x - box.w / 2)
            image[max(0, top) : round(box.y + box.h / 2), max(0, left) : round(box.x + box.w / 2)] = COLOURS[wears]
    return image


def _hook(scene: Case, at_s: float) -> HookPose:
    """Where the story has it; `old_s` as old as that, a value that is left out is not known."""
    x, y = scene["hook"]
    at_ns = MONO_NS + round((at_s - scene.get("old_s", 0.0)) * SECOND_NS)
    return HookPose("crane-1", x, y, scene.get("level_m", nan), scene.get("loaded", nan), at_ns)


def _zone(each: Case) -> Zone:
    outline = tuple((x, y) for x, y in each["outline"])
    return Zone(each["id"], each["id"], ZoneUse(each["use"]), outline, tuple((x, y) for x, y in each.get("site_m", ())))
