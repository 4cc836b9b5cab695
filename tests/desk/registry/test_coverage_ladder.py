"""The ladder: the first gap names itself, and what is not known is neither zero nor in order."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulator.base.coverage.ladder import (
    NOT_KNOWN,
    OFFLINE,
    USABLE,
    AssetFacts,
    CameraFacts,
    Footing,
    ProjectFacts,
    Rung,
    WorkFacts,
    climb,
)
from regulator.base.percent import percent

FULL = ProjectFacts(
    listed=True,
    boxes=1,
    alive=True,
    silent_since="–",
    cameras=(CameraFacts("c1", USABLE), CameraFacts("c2", USABLE)),
    works=(WorkFacts("w1", "一号基坑", ("c1",)),),
    assets=(AssetFacts("tc-1", True, 3),),
)


@pytest.mark.parametrize(
    ("facts", "reached", "stopped", "footing", "words"),
    [
        (FULL, Rung.DATA, None, None, ""),
        (replace(FULL, listed=False), Rung.NOWHERE, Rung.LISTED, Footing.NO, "not in the set"),
        (replace(FULL, boxes=0, alive=False), Rung.LISTED, Rung.BOX, Footing.NO, "no box"),
        (replace(FULL, alive=False), Rung.BOX, Rung.HEARTBEAT, Footing.NO, "silent since"),
        (replace(FULL, alive=None), Rung.BOX, Rung.HEARTBEAT, Footing.UNKNOWN, "did not run"),
        (replace(FULL, cameras=()), Rung.HEARTBEAT, Rung.CAMERAS, Footing.NO, "no camera"),
        (
            replace(FULL, cameras=(CameraFacts("c1", USABLE), CameraFacts("c2", OFFLINE))),
            Rung.HEARTBEAT,
            Rung.CAMERAS,
            Footing.NO,
            "offline: c2",
        ),
        (
            replace(FULL, cameras=(CameraFacts("c1", USABLE), CameraFacts("c2", NOT_KNOWN))),
            Rung.HEARTBEAT,
            Rung.CAMERAS,
            Footing.UNKNOWN,
            "unknown: c2",
        ),
        (
            replace(FULL, cameras=(CameraFacts("c1", USABLE), CameraFacts("c2", "black"))),
            Rung.CAMERAS,
            Rung.PICTURE,
            Footing.NO,
            "c2 (black)",
        ),
        (replace(FULL, works=(WorkFacts("w1", "坑", ()),)), Rung.PICTURE, Rung.WORKS, Footing.NO, "坑"),
        (
            replace(FULL, cameras=(CameraFacts("c1", USABLE, judges=False), CameraFacts("c2", USABLE))),
            Rung.PICTURE,
            Rung.WORKS,
            Footing.NO,
            "could not judge people for most of the day: 一号基坑",
        ),
        (replace(FULL, assets=(AssetFacts("tc-1", True, 0),)), Rung.WORKS, Rung.DATA, Footing.NO, "tc-1"),
        (replace(FULL, assets=(AssetFacts("tc-1", False, 0),)), Rung.WORKS, Rung.DATA, Footing.NO, "not connected"),
        (replace(FULL, assets=()), Rung.WORKS, Rung.DATA, Footing.NO, "no judged minute"),
    ],
)
def test_the_first_gap_is_named(
    facts: ProjectFacts, reached: Rung, stopped: Rung | None, footing: Footing | None, words: str
) -> None:
    ladder = climb(facts)
    assert ladder.reached is reached
    stop = ladder.stopped_at
    assert (stop and stop.rung, stop and stop.footing) == (stopped, footing)
    assert words in (stop.en if stop else "")


@pytest.mark.parametrize(
    ("others", "footing"),
    [(USABLE, Footing.YES), (NOT_KNOWN, Footing.UNKNOWN), (OFFLINE, Footing.NO), ("", Footing.NO)],
)
def test_a_work_is_covered_by_the_best_of_its_cameras(others: str, footing: Footing) -> None:
    cameras = (CameraFacts("c1", USABLE, judges=False), *((CameraFacts("c2", others),) if others else ()))
    facts = replace(FULL, cameras=cameras, works=(WorkFacts("w1", "坑", ("c1", "c2")),))
    assert next(step.footing for step in climb(facts).steps if step.rung is Rung.WORKS) is footing


cameras = st.lists(st.builds(CameraFacts, st.sampled_from(["a", "b"]), st.sampled_from([USABLE, OFFLINE, NOT_KNOWN])))
facts = st.builds(
    ProjectFacts,
    st.booleans(),
    st.integers(0, 2),
    st.sampled_from([True, False, None]),
    st.just("x"),
    cameras.map(tuple),
    st.lists(st.just(WorkFacts("w", "w", ("a",)))).map(tuple),
    st.lists(st.builds(AssetFacts, st.just("d"), st.booleans(), st.integers(0, 2))).map(tuple),
    st.integers(0, 2),
)


@given(facts)
def test_a_silent_box_makes_everything_above_unknown(known: ProjectFacts) -> None:
    ladder = climb(known)
    assert [step.rung for step in ladder.steps] == list(Rung)[1:]
    if not known.alive or not known.boxes:
        assert {step.footing for step in ladder.steps[3:]} == {Footing.UNKNOWN}
        assert ladder.reached in (Rung.NOWHERE, Rung.LISTED, Rung.BOX)
    assert all(step.en and step.zh for step in ladder.steps if step.footing is not Footing.YES)


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 0, "–"), (0, 3, "0.00"), (399, 400, "99.75"), (99_999, 100_000, "99.99"), (5, 5, "100.00"), (2, 3, "66.66")],
)
def test_a_share_is_never_rounded_up(part: int, whole: int, said: str) -> None:
    assert percent(part, whole) == said
