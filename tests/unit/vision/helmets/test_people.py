"""What became of everybody in a frame: judged, or why not; who counts as a person, and how large a head must be."""

from dataclasses import replace

import pytest

from gateway.model.sight import Why
from gateway.model.survey import Zone, ZoneUse
from tests.fakes.walkers import HEAD, HEIGHT, HELMET, PERSON, SECOND_NS, START_NS, Seen, frame, lone, standing
from vision.helmets.helmets import HelmetWatch
from vision.helmets.people import People, SeenPerson
from vision.helmets.settings import HelmetSettings

NOBODY_DUTY = Zone("street", "街", ZoneUse.EXEMPT, ((0.0, 0.0), (0.3, 0.0), (0.3, 1.0), (0.0, 1.0)))


def people(boxes: list[Seen], *, watch: HelmetWatch | None = None, head_scale: float = 1.0) -> People:
    watch = HelmetWatch() if watch is None else watch
    watch.step(replace(frame(boxes), head_scale=head_scale), True, START_NS)
    assert watch.people is not None
    return watch.people


def whys(boxes: list[Seen], **given: object) -> list[Why]:
    return [person.why for person in people(boxes, **given).seen]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        (standing(600, 200, HELMET), [Why.JUDGED]),
        (standing(600, 200, HEAD), [Why.JUDGED]),
        (standing(600, 200, HEAD, head_px=14), [Why.TOO_SMALL]),
        (standing(600, 10, HELMET), [Why.CUT]),
        (standing(600, 200, HEAD)[1:], [Why.NO_HEAD]),
        ([*standing(600, 200, HEAD)[1:], Seen(HEAD, 600, 200, score=0.2)], [Why.NO_HEAD]),
        (lone(600, 200, HEAD), [Why.JUDGED]),
        (lone(600, 200, HELMET), []),
        (lone(600, 200, HEAD, head_px=12), []),
    ],
)
def test_each_person_counts_once_with_what_became_of_it(boxes: list[Seen], expected: list[Why]) -> None:
    assert whys(boxes) == expected


def test_somebody_behind_the_head_of_another_was_not_judged() -> None:
    front, behind = standing(600, 200, HELMET), Seen(PERSON, 612, 320, 90, 280)
    assert sorted(whys([*front, behind])) == [Why.JUDGED, Why.NO_HEAD]


def test_a_small_head_without_a_body_counts_once_it_has_moved() -> None:
    watch = HelmetWatch()
    for step in range(4):
        watch.step(frame(lone(600 + 10 * step, 200, HEAD, track=3, head_px=12)), True, START_NS + step * SECOND_NS // 5)
    assert watch.people is not None
    assert [person.why for person in watch.people.seen] == [Why.TOO_SMALL]


def test_where_no_helmet_is_asked_for_nobody_is_missed() -> None:
    found = people(
        [*standing(200, 200, HEAD, head_px=14), *standing(200, 200, HEAD)], watch=HelmetWatch(None, [NOBODY_DUTY])
    )
    assert {person.why for person in found.seen} == {Why.UNWATCHED}
    assert found.judged


def test_nothing_is_said_of_people_where_the_picture_was_not_usable() -> None:
    watch = HelmetWatch()
    watch.step(frame(standing(600, 200, HEAD)), True, START_NS)
    watch.step(None, False, START_NS + SECOND_NS)
    assert watch.people is None


def test_a_frame_is_judged_when_half_of_the_people_were() -> None:
    near, far = standing(600, 200, HELMET), standing(200, 200, HEAD, head_px=12)
    assert people([]).judged
    assert people([*near, *far]).judged
    assert not people([*near, *far, *standing(900, 200, HEAD, head_px=12)]).judged


def test_feet_and_heads_are_told_in_parts_of_the_picture() -> None:
    (person,) = people(standing(600, 200, HELMET)).seen
    assert person == SeenPerson(Why.JUDGED, pytest.approx(440 / HEIGHT), pytest.approx(40 / HEIGHT))
    (faceless,) = people(standing(600, 200, HELMET)[1:]).seen
    assert faceless.head == pytest.approx(0.15 * 260 / HEIGHT), "as large as a standing person's would be"
    (half,) = people([Seen(PERSON, 600, 620, 88, 200)]).seen
    assert half.head == 0.0, "the lower edge of the picture cuts this one"
    (sitting,) = people([Seen(PERSON, 600, 400, 200, 200)]).seen
    assert sitting.head == 0.0


@pytest.mark.parametrize(("head_scale", "smallest_px"), [(1.0, 20.0), (0.5, 40.0), (3.0, 20.0)])
def test_how_large_a_head_must_be_is_told_as_the_network_sees_it(head_scale: float, smallest_px: float) -> None:
    """Half of the pixels ask for twice the head; a head that is blown up shows no more than it has."""
    assert HelmetSettings().smallest_head_px(head_scale) == smallest_px
    boxes = standing(600, 200, HEAD, head_px=30)
    found = people(boxes, head_scale=head_scale)
    assert found.smallest == pytest.approx(smallest_px / HEIGHT)
    assert [person.why for person in found.seen] == [Why.JUDGED if smallest_px <= 30 else Why.TOO_SMALL]


def test_a_shrunk_head_votes_with_less_weight() -> None:
    def bare_share_s(head_scale: float) -> float:
        watch = HelmetWatch()
        for step in range(50):
            both = [*standing(600, 200, HEAD, track=1), Seen(HELMET, 600, 200, 90, 90, 0.5, 1)]
            watch.step(replace(frame(both), head_scale=head_scale), True, START_NS + step * SECOND_NS // 5)
        return next(view.bare_share for view in watch.seen() if view.look.track == 1)

    assert bare_share_s(0.5) < bare_share_s(1.0)
