"""The checks on people together: what is asked for, votes and places, and what nobody can tell."""

import numpy as np
import pytest

from gateway.model.hook import HookPose
from gateway.model.survey import Zone, ZoneUse
from gateway.model.verdict import Truth
from tests.fakes.walkers import PERSON, SECOND_NS, START_NS, Seen, frame
from vision.people.clothes import MOST_LOOKS, ClothesLook, Limits
from vision.people.settings import TIMINGS, HookSettings
from vision.people.votes import PersonRule, Say, Told
from vision.people.watch import PeopleWatch
from vision.picture.finding import ON_REQUEST, Finding, FindingKind
from vision.picture.frame import Frame

BLANK = np.full((720, 1280, 3), (120, 128, 140), np.uint8)
ALL = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
PIT = Zone("pit", "基坑", ZoneUse.DANGER, ALL)
BOX = (0.0, 0.0, 80.0, 200.0)


def looked(watch: PeopleWatch, at_s: float, *people: Seen, usable: bool = True) -> dict[str, Finding]:
    at_ns = round(at_s * SECOND_NS)
    picture = Frame("cam-1", round(at_s * 10), START_NS + at_ns, START_NS + at_ns, False, 1, BLANK)
    findings = watch.step(picture, frame(people, 1, at_s), usable, START_NS + at_ns, at_ns)
    return {finding.key: finding for finding in findings}


def person(track: int, x: float = 600.0, h: float = 200.0) -> Seen:
    return Seen(PERSON, x, 400.0, h / 2.5, h, 0.9, track)


def test_only_what_is_asked_for_is_said() -> None:
    watch = PeopleWatch([FindingKind.IN_DANGER_ZONE], 5.0, [PIT])
    assert {key[:-2] for key in looked(watch, 0)} == {"in_danger_zone"}
    assert watch.kinds == (FindingKind.IN_DANGER_ZONE,)
    assert set(TIMINGS) == set(ON_REQUEST)


def test_a_yes_fires_once_names_its_zone_and_its_rule() -> None:
    watch = PeopleWatch([FindingKind.IN_DANGER_ZONE], 5.0, [PIT])
    said = [looked(watch, n / 5, person(7))["in_danger_zone_1"] for n in range(20)]
    (fired,) = [finding for finding in said if finding.fired]
    assert (fired.truth, fired.measured, fired.about["zone"], fired.about["track"]) == (Truth.TRUE, 1.0, "pit", 7)
    assert watch.rule_of(FindingKind.IN_DANGER_ZONE) == "in_danger_zone: 0.7 of votes over 2 s"


def test_before_anybody_could_have_been_confirmed_and_while_blind_nothing_is_known() -> None:
    watch = PeopleWatch([FindingKind.IN_DANGER_ZONE], 5.0, [PIT])
    said = [looked(watch, n / 5)["in_danger_zone_1"].truth for n in range(15)]
    assert (said[0], said[-1]) == (Truth.UNKNOWN, Truth.FALSE)
    for n in range(15, 20):
        blind = looked(watch, n / 5, usable=False)
        assert {finding.truth for finding in blind.values()} == {Truth.UNKNOWN}
    assert looked(watch, 4.0)["in_danger_zone_1"].truth is Truth.UNKNOWN, "what came into it meanwhile is not known"


def test_a_survey_without_a_danger_zone_makes_it_unknown() -> None:
    watch = PeopleWatch([FindingKind.IN_DANGER_ZONE], 5.0, [PIT])
    for n in range(15):
        looked(watch, n / 5)
    watch.use_zones([])
    assert looked(watch, 3.0)["in_danger_zone_1"].truth is Truth.UNKNOWN


def test_one_crane_that_is_not_heard_leaves_a_yes_of_another_and_no_clear() -> None:
    ground = Zone("g", "g", ZoneUse.GROUND, ALL, ((0.0, 72.0), (128.0, 72.0), (128.0, 0.0), (0.0, 0.0)))
    hook = HookSettings(("crane-1", "crane-2"), 5.0)
    watch = PeopleWatch([FindingKind.UNDER_HOOK], 5.0, [ground], None, hook)
    for n in range(15):
        watch.use_hooks([HookPose("crane-1", 60.0, 22.0, 30.0, 1.0, round(n / 5 * SECOND_NS))])
        said = looked(watch, n / 5, person(3))
    assert (said["under_hook_1"].truth, said["under_hook_2"].truth) == (Truth.TRUE, Truth.UNKNOWN)
    assert said["under_hook_1"].about["crane"] == "crane-1"
    assert "5 m around crane-1, crane-2" in watch.rule_of(FindingKind.UNDER_HOOK)


def test_a_fifth_person_waits_and_the_last_place_says_so() -> None:
    watch = PeopleWatch([FindingKind.IN_DANGER_ZONE], 5.0, [PIT])
    for n in range(20):
        said = looked(watch, n / 5, *(person(track, 150.0 * track) for track in range(1, 6)))
    assert [finding.truth for finding in said.values()] == [Truth.TRUE] * 4
    assert said["in_danger_zone_4"].about["also"] == 1


def test_whoever_the_tracker_lost_and_found_keeps_the_place() -> None:
    rule = PersonRule(FindingKind.UNDER_HOOK, TIMINGS[FindingKind.UNDER_HOOK])
    fired = []
    for n in range(40):
        track = 1 if n < 20 else 2
        findings = rule.step([Told(track, Say.YES, BOX)], True, START_NS + n * SECOND_NS // 5)
        fired += [finding.place for finding in findings if finding.fired]
    assert fired == [1]
    assert findings[0].about["track"] == 2


def test_who_cannot_be_told_any_more_makes_the_place_unknown() -> None:
    rule = PersonRule(FindingKind.UNDER_HOOK, TIMINGS[FindingKind.UNDER_HOOK])
    for n in range(40):
        say = Say.YES if n < 20 else Say.CANNOT_TELL
        findings = rule.step([Told(1, say, BOX)], True, START_NS + n * SECOND_NS // 5)
    assert findings[0].truth is Truth.UNKNOWN


class Counting:
    """Scores every torso the same and counts."""

    version = "counting"
    limits = Limits(0.7, 0.3, 36.0)

    def __init__(self, score: float) -> None:
        self.score = score
        self.asked: list[int] = []

    def scores(self, torsos: np.ndarray) -> list[float]:
        self.asked.append(len(torsos))
        return [self.score] * len(torsos)


def test_a_crowd_is_looked_at_in_turn_and_nobody_twice_at_once() -> None:
    by = Counting(0.9)
    watch = PeopleWatch([FindingKind.NO_WORK_CLOTHES], 5.0, [], ClothesLook(by))
    crowd = [person(track, 60.0 + 110 * track) for track in range(10)]
    looked(watch, 1.0, *crowd)
    looked(watch, 1.2, *crowd)
    looked(watch, 1.4, *crowd)
    assert by.asked == [MOST_LOOKS, 10 - MOST_LOOKS]


@pytest.mark.parametrize("score", [0.5, 0.69])
def test_a_score_in_between_is_no_vote(score: float) -> None:
    watch = PeopleWatch([FindingKind.NO_WORK_CLOTHES], 5.0, [], ClothesLook(Counting(score)))
    for n in range(80):
        said = looked(watch, n / 5, person(1))
    assert said["no_work_clothes_1"].truth is Truth.UNKNOWN


def test_without_anything_that_tells_clothes_they_are_unknown() -> None:
    watch = PeopleWatch([FindingKind.NO_WORK_CLOTHES], 5.0)
    for n in range(80):
        said = looked(watch, n / 5)
    assert said["no_work_clothes_1"].truth is Truth.UNKNOWN
