"""Stories of the helmet rule (README in tests/cases/vision), through tracker and rule, at several rates."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from gateway.model.detections import SeenClass
from gateway.model.survey import Zone, ZoneUse
from gateway.model.verdict import Truth
from tests.fakes.walkers import HEAD, HELMET, SECOND_NS, START_NS, Seen, frame, lone, standing
from vision.helmets.helmets import HelmetWatch
from vision.helmets.settings import HelmetSettings
from vision.tracking.tracker import Tracker

Case = dict[str, Any]
CASES: list[Case] = yaml.safe_load((Path(__file__).parent / "vision" / "helmets.yaml").read_text(encoding="utf-8"))
WITHIN_S = 1.1
RATES = {"5 fps": (5.0, 0), "2 fps": (2.0, 0), "5 fps, every fourth lost": (5.0, 4)}


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES.keys())
@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_a_story_has_its_alarms(case: Case, rate: tuple[float, int]) -> None:
    alarms, counts = _play(case, *rate)
    assert [alarm["place"] for alarm in alarms] == [alarm["place"] for alarm in case["alarms"]]
    for found, expected in zip(alarms, case["alarms"], strict=True):
        assert found["raised_s"] == pytest.approx(expected["raised_s"], abs=WITHIN_S)
        assert found.get("why") == expected.get("why")
        if "cleared_s" in expected:
            assert found["cleared_s"] == pytest.approx(expected["cleared_s"], abs=WITHIN_S)
    assert [say for say in case.get("counted", ()) if not counts[say]] == []


def _play(case: Case, fps: float, lost: int) -> tuple[list[Case], dict[str, int]]:
    zones = [_zone(each) for each in case.get("zones", ())]
    tracker, watch = Tracker(), HelmetWatch(HelmetSettings(**case.get("settings", {})), zones)
    alarms: list[Case] = []
    open_at: dict[int, Case] = {}
    for number, at_s in _times(case, fps, lost):
        scenes = [scene for scene in case["story"] if scene["from_s"] <= at_s <= scene["to_s"]]
        usable = all(scene.get("usable", True) for scene in scenes)
        boxes = [box for scene in scenes for box in _boxes(scene, at_s)]
        session = max((scene.get("session", 1) for scene in scenes), default=1)
        seen = tracker.step(frame(boxes, number, at_s), session) if usable else None
        for finding in watch.step(seen, usable, START_NS + round(at_s * SECOND_NS)):
            if finding.fired:
                open_at[finding.place] = {"place": finding.place, "raised_s": at_s}
                alarms.append(open_at[finding.place])
            elif finding.truth is Truth.FALSE and finding.place in open_at:
                open_at.pop(finding.place).update(cleared_s=at_s, why=finding.about["cleared"])
    return alarms, dict(watch.counts)


def _times(case: Case, fps: float, lost: int) -> Iterator[tuple[int, float]]:
    end_s = max(scene["to_s"] for scene in case["story"])
    for number in range(round(end_s * fps) + 1):
        if not lost or number % lost != lost - 1:
            yield number, number / fps


def _boxes(scene: Case, at_s: float) -> list[Seen]:
    share = (at_s - scene["from_s"]) / max(scene["to_s"] - scene["from_s"], 1e-9)
    head_px = float(scene.get("head_px", 40.0))
    boxes: list[Seen] = []
    kinds: dict[str, tuple[Any, SeenClass]] = {
        "bare": (standing, HEAD),
        "helmet": (standing, HELMET),
        "hung": (lone, HELMET),
        "thing": (lone, HEAD),
    }
    for key, (made, seen) in kinds.items():
        for n, spot in enumerate(scene.get(key, ())):
            x, y = np.array(spot) + share * (np.array(scene["to"][n]) - spot) if "to" in scene else spot
            boxes += made(float(x), float(y), seen, head_px=head_px)
            if scene.get("holds"):
                boxes.append(Seen(HELMET, float(x) + head_px, float(y) + 3.2 * head_px, 0.9 * head_px, 0.7 * head_px))
    return boxes


def _zone(each: Case) -> Zone:
    return Zone(each["id"], each["id"], ZoneUse(each["use"]), tuple((x, y) for x, y in each["outline"]))


def test_every_kind_of_story_is_there() -> None:
    assert len({case["case"] for case in CASES}) == len(CASES)
    assert any(case["alarms"] for case in CASES)
    assert any(not case["alarms"] for case in CASES)
    assert any("usable" in scene for case in CASES for scene in case["story"])
