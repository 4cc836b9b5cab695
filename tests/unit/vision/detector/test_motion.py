import numpy as np
import pytest
from numpy.typing import NDArray

from vision.detector.motion import Motion, MotionGate, MotionSettings, thumbnail
from vision.picture.frame import Frame

SECOND_NS = 1_000_000_000


def _scene(worker_at: int | None = None, width: int = 1920, height: int = 1080, seed: int = 0) -> NDArray[np.uint8]:
    """A grey slope with sensor noise of 3 levels, and a dark worker of 24 x 48 px."""
    slope = np.linspace(60, 180, width)[None, :, None] + np.zeros((height, 1, 3))
    if worker_at is not None:
        slope[500:548, worker_at : worker_at + 24] = 20
    return np.clip(slope + np.random.default_rng(seed).normal(0, 3, slope.shape), 0, 255).astype(np.uint8)


def _frame(image: NDArray[np.uint8], seq: int = 1, session: int = 1, camera: str = "cam-1") -> Frame:
    return Frame(camera, seq, seq * 1_000, seq * 1_000, True, session, image)


def test_the_first_frame_is_looked_at_and_noise_alone_is_still() -> None:
    gate = MotionGate()
    assert gate.judge(_frame(_scene(seed=1)), 0) is Motion.FIRST
    assert gate.judge(_frame(_scene(seed=2)), SECOND_NS) is Motion.STILL


def test_a_worker_who_comes_or_moves_is_seen() -> None:
    gate = MotionGate()
    gate.judge(_frame(_scene(seed=1)), 0)
    assert gate.judge(_frame(_scene(900, seed=2)), SECOND_NS) is Motion.MOVED
    assert gate.judge(_frame(_scene(900, seed=3)), 2 * SECOND_NS) is Motion.STILL
    assert gate.judge(_frame(_scene(930, seed=4)), 3 * SECOND_NS) is Motion.MOVED


def test_slow_movement_adds_up_since_the_last_look() -> None:
    """One pixel a frame is never seen from frame to frame, but it is against the last look."""
    gate = MotionGate(MotionSettings(look_again_s=1000))
    judged = [gate.judge(_frame(_scene(900 + step, seed=step)), step * SECOND_NS) for step in range(30)]
    assert Motion.MOVED in judged[1:]
    assert judged.count(Motion.STILL) > 10


def test_a_still_frame_is_looked_at_again_exactly_when_due() -> None:
    gate = MotionGate(MotionSettings(look_again_s=2.0))
    image = _scene()
    gate.judge(_frame(image), 0)
    assert gate.judge(_frame(image), 2 * SECOND_NS - 1) is Motion.STILL
    assert gate.judge(_frame(image), 2 * SECOND_NS) is Motion.DUE
    assert gate.judge(_frame(image), 4 * SECOND_NS - 1) is Motion.STILL, "counted from the last look"


def test_every_frame_is_looked_at_when_the_setting_says_so() -> None:
    gate = MotionGate(MotionSettings(look_again_s=0.0))
    assert [gate.judge(_frame(_scene()), 0) for _ in range(2)] == [Motion.FIRST, Motion.DUE]


def test_another_light_over_the_whole_frame_is_a_changed_scene() -> None:
    gate = MotionGate()
    image = _scene()
    gate.judge(_frame(image), 0)
    assert gate.judge(_frame((image * 0.6).astype(np.uint8)), 1) is Motion.CHANGED


@pytest.mark.parametrize(("width", "session"), [(1280, 1), (1920, 2)])
def test_another_size_or_another_stream_begins_anew(width: int, session: int) -> None:
    gate = MotionGate()
    gate.judge(_frame(_scene()), 0)
    assert gate.judge(_frame(_scene(width=width), session=session), 1) is Motion.FIRST


def test_cameras_do_not_know_each_other() -> None:
    gate = MotionGate()
    gate.judge(_frame(_scene()), 0)
    assert gate.judge(_frame(_scene(), camera="cam-2"), 1) is Motion.FIRST
    assert gate.judge(_frame(_scene()), 2) is Motion.STILL


@pytest.mark.parametrize("size", [(1920, 1080), (640, 352), (100, 60), (16, 16)])
def test_a_thumbnail_has_one_size_whatever_the_frame(size: tuple[int, int]) -> None:
    assert thumbnail(_scene(None, *size)).shape == (90, 160)
