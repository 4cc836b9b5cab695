import itertools
import random
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.fakes.walkers import HEAD, HELMET, PERSON, Seen, frame, lone, standing
from vision.tracking.matching import cheapest_pairs
from vision.tracking.tracker import Tracker, TrackerSettings


def ids_of(tracker: Tracker, boxes: Iterable[Seen], seq: int, at_s: float, session: int | None = None) -> list[int]:
    return [int(track) for track in tracker.step(frame(boxes, seq, at_s), session).track_id]


def walk(tracker: Tracker, fps: float, frames: int, speed_px_s: float, drop: Iterable[int] = ()) -> set[int]:
    """Ids that a head of 40 px got that walks to the right, over the frames that were not dropped."""
    left_out = set(drop)
    seen = set()
    for n in range(frames):
        if n not in left_out:
            seen |= set(ids_of(tracker, lone(100 + speed_px_s * n / fps, 200, HEAD), n, n / fps))
    return seen


@pytest.mark.parametrize("fps", [2.0, 3.0, 5.0, 10.0])
def test_a_walking_head_keeps_its_id_at_every_rate(fps: float) -> None:
    assert len(walk(Tracker(), fps, int(4 * fps), 240.0)) == 1  # 1.5 m/s: six heads of 40 px


def test_a_walking_head_keeps_its_id_over_dropped_frames() -> None:
    assert len(walk(Tracker(), 5.0, 40, 160.0, drop=[7, 8, 15, 16, 17, 25])) == 1


def test_boxes_that_tremble_keep_their_ids() -> None:
    chance, tracker, seen = random.Random(4), Tracker(), set()
    for n in range(200):
        boxes = [Seen(HEAD, 200 + 100 * k + chance.gauss(0, 3), 200 + chance.gauss(0, 3)) for k in range(5)]
        seen |= set(ids_of(tracker, boxes, n, n / 5))
    assert len(seen) == 5


def test_two_heads_that_cross_keep_their_ids() -> None:
    tracker, first, last = Tracker(), [], []
    for n in range(41):
        a, b = lone(100 + 20 * n, 200, HEAD)[0], lone(900 - 20 * n, 226, HELMET)[0]
        last = ids_of(tracker, [a, b], n, n / 5)
        first = first or last
    assert last == first


def test_one_id_whether_the_head_wears_a_helmet_or_not() -> None:
    tracker = Tracker()
    seen = {ids_of(tracker, lone(300, 200, HEAD if n % 3 else HELMET), n, n / 5)[0] for n in range(20)}
    assert seen == {1}


def test_two_opinions_on_one_head_share_its_id() -> None:
    tracker = Tracker()
    both = [Seen(HELMET, 300, 200, 40, 40, 0.9), Seen(HEAD, 301, 202, 38, 38, 0.6)]
    assert ids_of(tracker, both, 0, 0.0) == [1, 1]


def test_a_head_and_its_person_are_two_tracks() -> None:
    assert ids_of(Tracker(), standing(300, 200, HEAD), 0, 0.0) == [1, 2]


def test_a_low_box_keeps_a_track_and_begins_none() -> None:
    tracker = Tracker()
    assert ids_of(tracker, [Seen(HEAD, 300, 200, score=0.2)], 0, 0.0) == [-1]
    assert ids_of(tracker, [Seen(HEAD, 300, 200, score=0.9)], 1, 0.2) == [1]
    assert ids_of(tracker, [Seen(HEAD, 303, 200, score=0.2)], 2, 0.4) == [1]
    assert ids_of(tracker, [Seen(HEAD, 306, 200, score=0.1)], 3, 0.6) == [-1]


def test_a_strong_box_takes_the_track_before_a_nearer_low_one() -> None:
    tracker = Tracker()
    ids_of(tracker, lone(300, 200, HEAD), 0, 0.0)
    assert ids_of(tracker, [Seen(HEAD, 301, 200, score=0.2), Seen(HEAD, 330, 200, score=0.8)], 1, 0.2)[1] == 1


def test_a_hidden_head_comes_back_as_itself_and_later_as_another() -> None:
    tracker = Tracker()
    for n in range(10):
        ids_of(tracker, lone(300, 200, HEAD), n, n / 5)
    for n in range(10, 17):
        ids_of(tracker, [], n, n / 5)
    assert ids_of(tracker, lone(310, 200, HEAD), 17, 3.4) == [1]
    for n in range(18, 30):
        ids_of(tracker, [], n, n / 5)
    assert ids_of(tracker, lone(310, 200, HEAD), 30, 6.0) == [2]


@pytest.mark.parametrize(
    "after",
    [
        pytest.param((11, 2.2, 2), id="another session"),
        pytest.param((3, 2.2, 1), id="frame numbers begin again"),
        pytest.param((11, 60.0, 1), id="a minute is missing"),
        pytest.param((11, -30.0, 1), id="the clock goes back"),
    ],
)
def test_what_breaks_the_stream_ends_the_tracks(after: tuple[int, float, int]) -> None:
    tracker = Tracker()
    for n in range(11):
        ids_of(tracker, lone(300, 200, HEAD), n, n / 5, session=1)
    seq, at_s, session = after
    assert ids_of(tracker, lone(300, 200, HEAD), seq, at_s, session) == [2]


def test_a_time_that_trembles_ends_nothing() -> None:
    tracker = Tracker()
    times = [0.0, 0.2, 0.4, 0.35, 0.6, 0.6, 0.8]
    assert {ids_of(tracker, lone(300, 200, HEAD), n, at_s)[0] for n, at_s in enumerate(times)} == {1}


def test_a_cut_ends_the_tracks_and_no_id_comes_again() -> None:
    tracker, seen = Tracker(), []
    for n in range(50):
        if n % 10 == 0:
            tracker.reset()
        seen.append(ids_of(tracker, lone(300, 200, HEAD), n, n / 5)[0])
    assert sorted(set(seen)) == [1, 2, 3, 4, 5]


def test_a_thousand_heads_leave_bounded_tracks() -> None:
    tracker = Tracker(TrackerSettings(max_tracks=40))
    chance = random.Random(1)
    for n in range(100):
        boxes = [Seen(HEAD, chance.uniform(0, 1280), chance.uniform(0, 720), 10, 10) for _ in range(10)]
        ids_of(tracker, boxes, n, n / 5)
        assert len(tracker) <= 40


def test_a_frame_without_boxes() -> None:
    tracker = Tracker()
    assert ids_of(tracker, [], 0, 0.0) == []
    assert len(tracker) == 0


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_within_a_frame_no_two_strong_heads_apart_share_an_id(seed: int) -> None:
    chance, tracker, given_before = random.Random(seed), Tracker(), 0
    for n in range(12):
        boxes = [
            Seen(
                chance.choice([HEAD, HELMET, PERSON]),
                60 * chance.randrange(20) + 40,
                60 * chance.randrange(11) + 40,
                40,
                40,
                chance.uniform(0.05, 1.0),
            )
            for _ in range(chance.randrange(9))
        ]
        boxes = list({(box.x, box.y): box for box in boxes}.values())
        ids = ids_of(tracker, boxes, n, n / 5)
        kept = [track for track in ids if track >= 0]
        assert len(kept) == len(set(kept))
        assert all(track > 0 for track in kept)
        for box, track in zip(boxes, ids, strict=True):
            assert track >= 0 or box.score < 0.4
        fresh = [track for track in kept if track > given_before]
        assert sorted(fresh) == list(range(given_before + 1, given_before + 1 + len(fresh)))
        given_before += len(fresh)


def _by_trying(cost: np.ndarray) -> tuple[int, float]:
    """Most pairs and their smallest sum, by trying everything."""
    rows, columns = cost.shape
    best = (0, 0.0)
    for chosen in itertools.product([None, *range(columns)], repeat=rows):
        taken = [column for column in chosen if column is not None]
        if len(taken) != len(set(taken)):
            continue
        total = sum(cost[row, column] for row, column in enumerate(chosen) if column is not None)
        if np.isfinite(total) and (-len(taken), total) < (-best[0], best[1]):
            best = (len(taken), float(total))
    return best


COSTS = st.tuples(st.integers(1, 4), st.integers(1, 4)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.sampled_from([0.1, 0.5, 1.0, 1.7, 3.0, np.inf]))
)


@given(COSTS)
@settings(max_examples=200, deadline=None)
def test_the_pairs_are_as_many_and_as_cheap_as_can_be(cost: np.ndarray) -> None:
    pairs = cheapest_pairs(cost)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert (len(pairs), pytest.approx(sum(cost[pair] for pair in pairs))) == _by_trying(cost)
