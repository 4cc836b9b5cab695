from collections.abc import Callable, Iterable
from math import isnan

import pytest

from gateway.model.detections import SeenClass
from gateway.model.survey import Zone, ZoneUse
from gateway.model.verdict import Truth
from tests.fakes.walkers import HEAD, HELMET, PERSON, SECOND_NS, START_NS, Seen, frame, lone, standing
from vision.helmets.helmets import HelmetWatch
from vision.helmets.settings import HelmetSettings, settings_at
from vision.picture.finding import Finding

Scene = Callable[[float], Iterable[Seen]]
LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
RIGHT = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))


class Site:
    """A watch with a clock: shows scenes at a rate and remembers what was said."""

    def __init__(self, zones: Iterable[Zone] = (), settings: HelmetSettings | None = None, fps: float = 5.0) -> None:
        self.watch = HelmetWatch(settings, tuple(zones))
        self.step_ns = round(SECOND_NS / fps)
        self.now_ns = START_NS
        self.said: list[tuple[float, tuple[Finding, ...]]] = []

    @property
    def at_s(self) -> float:
        return (self.now_ns - START_NS) / SECOND_NS

    def show(self, scene: Scene | Iterable[Seen], for_s: float, usable: bool = True) -> tuple[Finding, ...]:
        """Frames until `for_s` more seconds have passed; what the last of them made the rule say."""
        fixed = None if callable(scene) else list(scene)
        for _ in range(max(round(for_s * SECOND_NS / self.step_ns), 1)):
            boxes = fixed if fixed is not None else scene(self.at_s)  # type: ignore[operator]
            said = self.watch.step(frame(boxes) if usable else None, usable, self.now_ns)
            self.said.append((self.at_s, said))
            self.now_ns += self.step_ns
        return said

    @property
    def fired(self) -> list[tuple[float, str]]:
        return [(at_s, finding.key) for at_s, said in self.said for finding in said if finding.fired]


def truths(said: tuple[Finding, ...]) -> list[Truth]:
    return [finding.truth for finding in said]


def held(said: tuple[Finding, ...]) -> list[int]:
    return [finding.place for finding in said if finding.truth is Truth.TRUE]


BARE = standing(600, 200, HEAD, track=1)
SAFE = standing(600, 200, HELMET, track=1)


def test_eight_places_are_said_after_every_frame_and_nobody_is_false_once_it_was_watched() -> None:
    site = Site()
    assert truths(site.show([], 4.8)) == [Truth.UNKNOWN] * 8
    said = site.show([], 0.4)
    assert [finding.key for finding in said] == [f"bare_head_{n}" for n in range(1, 9)]
    assert truths(said) == [Truth.FALSE] * 8
    assert [finding.measured for finding in said] == [0.0] * 8


@pytest.mark.parametrize("fps", [2.0, 5.0, 10.0])
def test_a_bare_head_fires_once_in_the_frame_that_completes_five_seconds(fps: float) -> None:
    site = Site(fps=fps)
    said = site.show(BARE, 20.0)
    assert site.fired == [(5.0, "bare_head_1")]
    assert said[0].truth is Truth.TRUE
    assert said[0].measured == 1.0
    assert said[0].box_px == (580.0, 180.0, 620.0, 220.0)
    assert said[0].about["track"] == 1


def test_a_helmet_on_a_head_never_fires() -> None:
    site = Site()
    assert truths(site.show(SAFE, 60.0)) == [Truth.FALSE] * 8
    assert site.fired == []


def test_a_helmet_in_the_hand_does_not_make_safe() -> None:
    site = Site()
    in_hand = [*BARE, Seen(HELMET, 640, 330, 36, 30, 0.95, 2)]
    site.show(in_hand, 8.0)
    assert site.fired == [(5.0, "bare_head_1")]
    assert site.watch.counts["helmet_held"] == 40


def test_a_helmet_swung_above_a_bare_head_does_not_make_safe() -> None:
    site = Site()
    site.show([*BARE, Seen(HELMET, 605, 150, 38, 30, 0.95, 2)], 8.0)
    assert site.fired == [(5.0, "bare_head_1")]


@pytest.mark.parametrize("seen", [HELMET])
def test_a_helmet_on_a_hook_alarms_nobody(seen: SeenClass) -> None:
    site = Site()
    site.show(lone(900, 300, seen, track=5), 60.0)
    assert site.fired == []
    assert site.watch.counts["helmet_alone"] == 300


def test_a_helmet_hung_up_where_the_head_was_does_not_clear_it() -> None:
    site = Site()
    site.show(BARE, 8.0)
    said = site.show(lone(600, 200, HELMET, track=1), 20.0)  # the same track, but nobody below
    assert said[0].truth is not Truth.FALSE


def test_a_track_that_was_a_lone_helmet_is_not_bare_before_the_bare_votes_outweigh_it() -> None:
    site = Site()
    site.show(lone(600, 200, HELMET, track=1), 20.0)
    site.show(lone(600, 200, HEAD, track=1), 10.0)
    assert site.fired == [(pytest.approx(23.4), "bare_head_1")], "3.5 of the last 5 seconds"


def test_a_helmet_put_on_clears_after_two_seconds_of_votes() -> None:
    site = Site()
    site.show(BARE, 8.0)
    site.show(SAFE, 1.0)
    assert held(site.said[-1][1]) == [1]
    said = site.show(SAFE, 1.2)
    assert said[0].truth is Truth.FALSE
    assert said[0].about["cleared"] == "seen safe"


def test_a_head_below_the_smallest_size_abstains_and_is_counted() -> None:
    site = Site()
    said = site.show(standing(600, 200, HEAD, track=1, head_px=19.0), 20.0)
    assert site.fired == []
    assert site.watch.counts["too_small"] == 100
    assert truths(said) == [Truth.UNKNOWN] * 8, "people are there, and nobody could be judged"


def test_a_head_of_just_the_smallest_size_is_judged() -> None:
    site = Site()
    site.show(standing(600, 200, HEAD, track=1, head_px=20.0), 6.0)
    assert site.fired == [(5.0, "bare_head_1")]


def test_a_head_cut_by_the_upper_edge_says_nothing() -> None:
    site = Site()
    site.show(standing(600, 19, HEAD, track=1), 20.0)
    assert site.fired == []
    assert site.watch.counts["cut_by_frame"] == 100


def test_a_picture_that_cannot_be_judged_makes_every_place_unknown_and_clears_none() -> None:
    site = Site()
    site.show(BARE, 8.0)
    said = site.show([], 120.0, usable=False)
    assert truths(said) == [Truth.UNKNOWN] * 8
    assert all(isnan(finding.measured) for finding in said)
    assert held(site.show([], 20.0)) == [1], "the time it was blind is not time that nobody was there"


def test_who_is_gone_clears_after_thirty_seconds_of_usable_picture() -> None:
    site = Site()
    site.show(BARE, 8.0)
    assert held(site.show([], 29.0)) == [1]
    said = site.show([], 2.0)
    assert said[0].truth is Truth.FALSE
    assert said[0].about["cleared"] == "left view"


def test_someone_lost_for_a_moment_keeps_the_place_and_does_not_fire_again() -> None:
    site = Site()
    site.show(BARE, 8.0)
    site.show([], 6.0)
    said = site.show(standing(650, 205, HEAD, track=9), 10.0)
    assert held(said) == [1]
    assert said[0].about["track"] == 9
    assert len(site.fired) == 1


def test_someone_else_far_away_takes_another_place() -> None:
    site = Site()
    site.show(BARE, 8.0)
    site.show([], 1.0)
    said = site.show(standing(1200, 500, HEAD, track=9), 10.0)
    assert held(said) == [1, 2]
    assert [key for _, key in site.fired] == ["bare_head_1", "bare_head_2"]


def test_no_helmet_is_asked_for_in_an_exempt_zone() -> None:
    site = Site([Zone("office", "Office", ZoneUse.EXEMPT, LEFT)])
    site.show(BARE, 60.0)
    assert site.fired == []
    assert site.watch.counts["unwatched"] > 290


def test_walking_into_an_exempt_zone_clears() -> None:
    site = Site([Zone("office", "Office", ZoneUse.EXEMPT, LEFT)])
    right = standing(900, 200, HEAD, track=1)
    site.show(right, 8.0)
    assert held(site.said[-1][1]) == [1]
    said = site.show(BARE, 2.0)
    assert said[0].truth is Truth.FALSE
    assert said[0].about["cleared"] == "in a place without helmet duty"


def test_one_finding_a_track_and_zone() -> None:
    site = Site([Zone("a", "A", ZoneUse.WATCHED, LEFT), Zone("b", "B", ZoneUse.WATCHED, RIGHT)])
    site.show(BARE, 8.0)
    said = site.show(standing(900, 200, HEAD, track=1), 4.0)
    assert [key for _, key in site.fired] == ["bare_head_1", "bare_head_2"]
    assert said[0].about["cleared"] == "left the zone"
    assert said[1].about["zone"] == "b"


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_trembling_at_a_border_does_not_fire_again(frames: int) -> None:
    site = Site([Zone("a", "A", ZoneUse.WATCHED, LEFT), Zone("b", "B", ZoneUse.WATCHED, RIGHT)])
    site.show(lambda at_s: standing(636 + 8 * (round(at_s * 5) // frames % 2), 200, HEAD, track=1), 30.0)
    assert len(site.fired) == 1


def test_a_still_thing_that_looks_like_a_head_raises_once_and_then_abstains() -> None:
    site = Site(fps=2.0)
    said = site.show(lone(900, 300, HEAD, track=5), 700.0)
    assert len(site.fired) == 1
    assert said[0].truth is Truth.FALSE
    assert said[0].about["cleared"] == "does not move"
    assert site.watch.counts["still_thing"] == pytest.approx(2 * (700 - 600), abs=3)


def test_a_still_thing_found_and_lost_all_night_raises_once() -> None:
    site = Site(fps=2.0)
    for night in range(40):
        site.show(lone(900 + night % 3, 300, HEAD, track=100 + night), 20.0)
        site.show([], 45.0)
    assert len(site.fired) == 1
    assert site.watch.counts["held_back"] > 0


def test_somebody_who_moves_is_no_thing() -> None:
    site = Site(fps=2.0)
    site.show(lambda at_s: lone(900 + 60 * (at_s > 300), 300, HEAD, track=5), 700.0)
    assert held(site.said[-1][1]) == [1]


def test_where_somebody_went_away_from_the_next_one_is_no_thing() -> None:
    site = Site(fps=2.0)
    site.show(lone(900, 300, HEAD, track=5), 8.0)
    site.show(lone(990, 300, HEAD, track=5), 2.0)
    site.show([], 60.0)
    site.show(lone(900, 300, HEAD, track=6), 8.0)
    assert len(site.fired) == 2


def test_somebody_with_a_body_is_no_thing_however_still() -> None:
    site = Site(fps=2.0)
    assert held(site.show(BARE, 900.0)) == [1]
    assert len(site.fired) == 1


def test_more_heads_than_places_are_counted_in_the_last_one() -> None:
    settings = HelmetSettings(places=2)
    site = Site(settings=settings)
    crowd = [box for n in range(5) for box in standing(150 + 240 * n, 200, HEAD, track=n + 1)]
    said = site.show(crowd, 8.0)
    assert held(said) == [1, 2]
    assert said[1].about["also"] == 3
    assert said[1].measured == 1.0, "the point's range is 0 to 1"
    assert site.watch.counts["waiting"] == 3
    assert len(site.fired) == 2


def test_a_waiting_head_gets_the_place_that_becomes_free_and_fires_then() -> None:
    site = Site(settings=HelmetSettings(places=2))
    bare = [standing(150 + 240 * n, 200, HEAD, track=n + 1) for n in range(3)]
    site.show([box for boxes in bare for box in boxes], 8.0)
    first_safe = [*standing(150, 200, HELMET, track=1), *bare[1], *bare[2]]
    site.show(first_safe, 4.0)
    assert [key for _, key in site.fired] == ["bare_head_1", "bare_head_2", "bare_head_1"]
    said_of_first = [said[0].truth for _, said in site.said]
    assert Truth.FALSE in said_of_first[40:], "the old finding was said to be clear before the place was given again"


def test_the_last_place_goes_over_to_who_waits_without_a_gap() -> None:
    site = Site(settings=HelmetSettings(places=1))
    a, b = standing(200, 200, HEAD, track=1), standing(800, 200, HEAD, track=2)
    site.show([*a, *b], 8.0)
    site.show([*standing(200, 200, HELMET, track=1), *b], 6.0)
    assert all(said[0].truth is Truth.TRUE for at_s, said in site.said if at_s > 5.0)
    assert len(site.fired) == 2


def test_a_helmet_that_flickers_is_outvoted() -> None:
    site = Site()
    site.show(lambda at_s: SAFE if round(at_s * 5) % 5 == 0 else BARE, 12.0)
    assert [key for _, key in site.fired] == ["bare_head_1"]


def test_votes_that_disagree_decide_nothing() -> None:
    site = Site()
    site.show(lambda at_s: SAFE if round(at_s * 5) % 2 == 0 else BARE, 30.0)
    assert site.fired == []


def test_weak_boxes_are_no_votes() -> None:
    site = Site()
    site.show([Seen(HEAD, 600, 200, 40, 40, 0.2, 1), Seen(PERSON, 600, 310, 88, 260, 0.9, 2)], 20.0)
    assert site.fired == []
    assert site.watch.counts["weak"] == 100
    assert site.watch.counts["person_without_head"] == 100


def test_looks_that_lie_far_apart_are_no_five_seconds() -> None:
    site = Site(fps=0.5)
    site.show(BARE, 60.0)
    assert site.fired == []
    assert truths(site.said[-1][1]) == [Truth.UNKNOWN] * 8


def test_glimpses_of_a_hidden_head_are_no_five_seconds() -> None:
    site = Site()
    site.show(lambda at_s: BARE if round(at_s * 5) % 8 == 0 else [], 60.0)
    assert site.fired == []
    bursts = Site()
    bursts.show(lambda at_s: BARE if round(at_s * 5) % 10 < 3 else [], 20.0)
    assert bursts.fired == [], "three looks, then nothing for 1.6 s: 0.4 s watched of every two"


def test_a_thousand_tracks_leave_a_bounded_memory() -> None:
    site = Site(settings=HelmetSettings(max_heads=50))
    for n in range(0, 1000, 4):
        crowd = [box for k in range(4) for box in standing(150 + 300 * k, 200, HEAD, track=n + k)]
        site.show(crowd, 0.2)
        assert len(site.watch) <= 50
    assert len(site.watch) <= 50


def test_after_a_cut_free_places_are_unknown_and_who_is_found_again_keeps_the_place() -> None:
    site = Site()
    site.show(BARE, 8.0)
    site.watch.new_view()
    said = site.show(standing(600, 200, HEAD, track=7), 3.0)
    assert truths(said) == [Truth.TRUE, *[Truth.UNKNOWN] * 7]
    said = site.show(standing(600, 200, HEAD, track=7), 35.0)
    assert truths(said) == [Truth.TRUE, *[Truth.FALSE] * 7]
    assert len(site.fired) == 1


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"vote_s": 0.0}, "vote_s is 0.0, expected more than 0"),
        ({"places": 0}, "places is 0, expected 1 to 64"),
        ({"sure_share": 0.4}, "sure_share is 0.4"),
        ({"safe_s": 9.0}, "safe_s is 9.0, expected at most vote_s"),
    ],
)
def test_settings_that_cannot_be_are_refused(fault: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        HelmetSettings(**fault)  # type: ignore[arg-type]


@pytest.mark.parametrize(("fps", "fires_s"), [(0.5, 14.0), (1.0, 7.0), (2.0, 5.0), (10.0, 5.0)])
def test_a_camera_that_is_judged_seldom_takes_longer_and_is_not_blind(fps: float, fires_s: float) -> None:
    site = Site(settings=settings_at(fps, (0.4, 0.4, 0.4)), fps=fps)
    site.show(BARE, 30.0)
    assert [at_s for at_s, _ in site.fired] == [pytest.approx(fires_s)]
    said = site.show(SAFE, 12.0)
    assert said[0].about["cleared"] == "seen safe"


def test_short_votes_need_no_longer_safety() -> None:
    assert settings_at(5.0, (0.4, 0.4, 0.4), vote_s=1.5).safe_s == 1.5
