"""The second look: where it goes, and what of it counts."""

import numpy as np
import pytest

from gateway.model.detections import SeenClass
from vision.detector.boxes import Boxes, no_boxes
from vision.detector.head_views import HeadLook, head_views, merge_looks, weigh_heads
from vision.detector.tiles import View

ASKED = HeadLook(input=(160, 160), person=0.3, head=0.3, most=3)
FRAME = View(0, 0, 1280, 704)
PERSON, HEAD, HELMET = SeenClass.PERSON, SeenClass.HEAD, SeenClass.HELMET


def boxes(*rows: tuple[float, float, float, float, float, SeenClass]) -> Boxes:
    if not rows:
        return no_boxes()
    table = np.array([row[:5] for row in rows], np.float32)
    return Boxes(table[:, :4], table[:, 4], np.array([row[5] for row in rows], np.uint8))


def views(found: Boxes) -> tuple[View, ...]:
    return head_views(found, FRAME.x1, FRAME.y1, ASKED)


def test_a_standing_persons_head_lies_in_the_view_at_a_quarter_of_its_side() -> None:
    (view,) = views(boxes((600, 300, 700, 600, 0.8, PERSON)))
    side = view.y1 - view.y0
    assert (view.x0 < 620, view.x1 > 680, view.y0 < 300, view.y1 > 360) == (True,) * 4
    assert 0.2 < (300 / 7) / side < 0.3, "a head is a seventh of a person"


def test_who_lies_is_shown_whole_because_the_head_may_be_at_either_end() -> None:
    (view,) = views(boxes((400, 500, 700, 600, 0.8, PERSON)))
    assert view.x0 <= 400
    assert view.x1 >= 700


@pytest.mark.parametrize(("score", "count"), [(0.29, 0), (0.31, 1)])
def test_a_person_gets_a_view_from_the_asked_score_on(score: float, count: int) -> None:
    assert len(views(boxes((600, 300, 700, 600, score, PERSON)))) == count


def test_a_head_alone_gets_a_view_and_one_on_a_person_no_second() -> None:
    person, head, alone = (600, 300, 700, 600, 0.8), (630, 305, 670, 350, 0.5), (100, 100, 120, 124, 0.5)
    found = views(boxes((*person, PERSON), (*head, HEAD), (*alone, HELMET)))
    assert len(found) == 2
    assert found[1].x0 < 100
    assert found[1].x1 > 120


def test_two_boxes_on_one_person_get_one_view() -> None:
    assert len(views(boxes((600, 300, 700, 600, 0.8, PERSON), (602, 304, 702, 604, 0.5, PERSON)))) == 1


def test_of_many_the_best_scores_get_a_view() -> None:
    found = boxes(*((100.0 + 150 * i, 300, 160.0 + 150 * i, 500, 0.4 + 0.05 * i, PERSON) for i in range(5)))
    assert [view.x0 < 100 + 150 * i for view, i in zip(views(found), (4, 3, 2), strict=True)] == [True] * 3


def test_a_view_ends_at_the_frame() -> None:
    (view,) = views(boxes((0, 0, 100, 300, 0.8, PERSON)))
    assert (view.x0, view.y0) == (0, 0)


def test_in_a_view_the_second_look_counts_and_the_first_no_more() -> None:
    person, first = (600, 300, 700, 600, 0.8, PERSON), (632, 302, 668, 348, 0.6, HEAD)
    (view,) = views(boxes(person))
    second = boxes((632.0 - view.x0, 302.0 - view.y0, 668.0 - view.x0, 348.0 - view.y0, 0.9, HELMET))
    seen = merge_looks(boxes(person, first), (view,), [second], FRAME, crowded=False, large_px=100)
    assert sorted(seen.class_id.tolist()) == [HELMET, PERSON]
    assert seen.xyxy[seen.class_id == HELMET].tolist() == [[632, 302, 668, 348]]


def test_a_head_that_the_second_look_does_not_see_is_gone() -> None:
    person, first = (600, 300, 700, 600, 0.8, PERSON), (632, 302, 668, 348, 0.6, HEAD)
    seen = merge_looks(boxes(person, first), views(boxes(person)), [no_boxes()], FRAME, crowded=False, large_px=100)
    assert seen.class_id.tolist() == [PERSON]


@pytest.mark.parametrize(("large_px", "kept"), [(46.5, 0), (46, 1)])
def test_a_head_that_the_first_look_showed_large_stays(large_px: float, kept: int) -> None:
    person, first = (600, 300, 700, 600, 0.8, PERSON), (632, 302, 668, 348, 0.6, HEAD)
    views_ = views(boxes(person))
    seen = merge_looks(boxes(person, first), views_, [no_boxes()], FRAME, crowded=False, large_px=large_px)
    assert int((seen.class_id == HEAD).sum()) == kept


def test_what_a_views_border_cuts_and_persons_of_the_second_look_do_not_count() -> None:
    view = View(500, 200, 700, 400)
    second = boxes((0, 50, 30, 90, 0.9, HEAD), (40, 40, 90, 190, 0.9, PERSON), (100, 60, 130, 95, 0.9, HEAD))
    seen = merge_looks(no_boxes(), (view,), [second], FRAME, crowded=False, large_px=100)
    assert seen.xyxy.tolist() == [[600, 260, 630, 295]]


@pytest.mark.parametrize(("crowded", "heads"), [(False, 1), (True, 0)])
def test_a_head_without_a_view_counts_unless_there_were_too_many(crowded: bool, heads: int) -> None:
    first = boxes((100, 100, 130, 135, 0.6, HEAD), (90, 95, 160, 300, 0.8, PERSON))
    seen = merge_looks(first, (View(500, 200, 700, 400),), [no_boxes()], FRAME, crowded=crowded, large_px=100)
    assert int((seen.class_id == HEAD).sum()) == heads
    assert int((seen.class_id == PERSON).sum()) == 1


def test_a_head_in_two_views_is_one() -> None:
    left, right = View(500, 200, 700, 400), View(560, 200, 760, 400)
    one = boxes((120, 60, 150, 95, 0.9, HEAD))
    other = boxes((60, 60, 90, 95, 0.8, HEAD))
    assert len(merge_looks(no_boxes(), (left, right), [one, other], FRAME, crowded=False, large_px=100)) == 1


@pytest.mark.parametrize(
    ("head", "score"),
    [((632, 302, 668, 348, 0.9), 0.66), ((632, 500, 668, 548, 0.9), 0.48), ((632, 302, 668, 348, 0.2), 0.48)],
)
def test_a_person_with_a_head_is_surer_than_one_without(
    head: tuple[float, float, float, float, float], score: float
) -> None:
    seen = weigh_heads(boxes((600, 300, 700, 600, 0.6, PERSON), (*head, HELMET)), 0.3)
    assert seen.score[0] == pytest.approx(score)
    assert seen.score[1] == pytest.approx(head[4])
