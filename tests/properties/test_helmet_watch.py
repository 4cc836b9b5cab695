"""Whatever a detector says: what the helmet rule may never do."""

from math import isnan

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.detections import SeenClass
from gateway.model.verdict import Truth
from tests.fakes.walkers import HEAD, HELMET, SECOND_NS, START_NS, Seen, frame, lone, standing
from vision.helmets.helmets import HelmetWatch
from vision.helmets.settings import HelmetSettings
from vision.picture.finding import Finding
from vision.tracking.tracker import Tracker

PLACES = 3
SPOTS = [(150 + 200 * n, 150 + 70 * (n % 3)) for n in range(6)]
Frame = tuple[int, bool, list[tuple[int, SeenClass, bool, float]]]

heads = st.tuples(
    st.integers(0, len(SPOTS) - 1), st.sampled_from([HEAD, HELMET]), st.booleans(), st.sampled_from([0.3, 0.6, 0.9])
)
frames = st.tuples(
    st.sampled_from([0, 100, 200, 200, 500, 1300, 40_000]),
    st.sampled_from([True, True, True, False]),
    st.lists(heads, max_size=6),
)
runs = st.lists(st.tuples(frames, st.integers(1, 14)), min_size=1, max_size=12)


def _boxes(told: list[tuple[int, SeenClass, bool, float]]) -> list[Seen]:
    boxes = []
    for spot, seen, with_person, score in {each[0]: each for each in told}.values():
        made = standing(*SPOTS[spot], seen) if with_person else lone(*SPOTS[spot], seen)
        boxes += [Seen(made[0].seen, made[0].x, made[0].y, made[0].w, made[0].h, score), *made[1:]]
    return boxes


def _run(story: list[tuple[Frame, int]]) -> list[tuple[int, bool, list[Seen], tuple[Finding, ...]]]:
    """(usable time passed at most, usable, boxes, findings) of each frame."""
    tracker, watch = Tracker(), HelmetWatch(HelmetSettings(places=PLACES))
    now_ns, said, seq = START_NS, [], 0
    for (step_ms, usable, told), times in story:
        for _ in range(times):
            now_ns, seq, boxes = now_ns + step_ms * 1_000_000, seq + 1, _boxes(told)
            at_s = (now_ns - START_NS) / SECOND_NS
            seen = tracker.step(frame(boxes, seq, at_s)) if usable else None
            said.append((now_ns, usable, boxes, watch.step(seen, usable, now_ns)))
            assert len(watch) <= len(SPOTS) * 400
    return said


@given(runs)
@settings(max_examples=60, deadline=None)
def test_every_place_is_said_after_every_frame_and_means_what_it_says(story: list[tuple[Frame, int]]) -> None:
    for _, usable, _, said in _run(story):
        assert [finding.place for finding in said] == list(range(1, PLACES + 1))
        for finding in said:
            assert usable or finding.truth is Truth.UNKNOWN
            assert isnan(finding.measured) == (finding.truth is Truth.UNKNOWN)
            assert finding.truth is Truth.UNKNOWN or finding.measured == float(finding.truth is Truth.TRUE)
            assert finding.truth is Truth.TRUE or not finding.fired


@given(runs)
@settings(max_examples=60, deadline=None)
def test_nothing_fires_before_a_bare_head_was_there_for_five_seconds(story: list[tuple[Frame, int]]) -> None:
    bare_ns = 0
    before_ns = START_NS
    for now_ns, usable, boxes, said in _run(story):
        bare = usable and any(box.seen is HEAD and box.score >= 0.4 for box in boxes)
        bare_ns += (now_ns - before_ns) if bare else 0
        before_ns = now_ns
        fired = [finding for finding in said if finding.fired]
        assert not fired or bare_ns >= 5 * SECOND_NS
        assert not fired or bare


@given(runs)
@settings(max_examples=60, deadline=None)
def test_a_place_is_true_from_where_it_fired_and_clears_with_a_reason(story: list[tuple[Frame, int]]) -> None:
    held: dict[int, bool] = dict.fromkeys(range(1, PLACES + 1), False)
    for _, _, _, said in _run(story):
        for finding in said:
            if finding.fired:
                held[finding.place] = True
            assert finding.truth is not Truth.TRUE or held[finding.place] or "also" in finding.about
            if finding.truth is Truth.FALSE and held[finding.place]:
                assert finding.about["cleared"]
                held[finding.place] = False


@given(runs)
@settings(max_examples=30, deadline=None)
def test_helmets_alone_never_fire(story: list[tuple[Frame, int]]) -> None:
    only_helmets = [
        ((step, usable, [(spot, HELMET, body, score) for spot, _, body, score in told]), times)
        for (step, usable, told), times in story
    ]
    assert not any(finding.fired for *_, said in _run(only_helmets) for finding in said)
