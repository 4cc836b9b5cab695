"""The drawn camera: a round's chapters, rounds that are never alike, RTP fragments that put together what they were."""

import numpy as np
import pytest

from drivers.sim.camera_figure import Pose, Worker, figure
from drivers.sim.camera_scene import EDGE_M, HEIGHT_PX, WIDTH_PX, SceneState, Standing, draw_scene, scene_survey
from drivers.sim.camera_story import AT_EDGE_S, BARE_S, CAMERA_CHAPTERS, GONE_PANEL, GONE_S, ROUND_S, CameraStory
from drivers.sim.rtsp import MAX_PAYLOAD_BYTES, AccessUnit, rtp_payloads, split_annex_b
from vision.survey.parsing import read_survey


def test_a_round_goes_from_compliant_to_bare_head_to_missing_rail_and_back() -> None:
    story = CameraStory()
    seen = {at_s: story.state(at_s) for at_s in (2.0, 12.0, 30.0, 50.0, 85.0)}
    helmets = {at_s: all(one.pose.helmet_on for one in state.workers) for at_s, state in seen.items()}
    assert helmets == {2.0: True, 12.0: False, 30.0: True, 50.0: True, 85.0: True}
    gone = {at_s: state.gone for at_s, state in seen.items()}
    assert [at_s for at_s, panels in gone.items() if panels == {GONE_PANEL}] == [30.0, 50.0]
    assert seen[50.0].workers[0].y_px < 310 < seen[30.0].workers[0].y_px, "he stands at the edge"


def test_a_calm_story_has_nothing_wrong_in_it() -> None:
    story = CameraStory(calm=True)
    states = [story.state(at_s) for at_s in np.arange(0, 2 * ROUND_S, 3.0)]
    assert all(one.pose.helmet_on for state in states for one in state.workers)
    assert not any(state.gone for state in states)


def test_the_same_seed_tells_the_same_and_no_round_is_like_another() -> None:
    first, again, other = (CameraStory(seed).state(20.0) for seed in (3, 3, 4))
    assert first == again != other
    rounds = [CameraStory(3).state(20.0 + number * ROUND_S).workers for number in range(4)]
    assert len({workers[1].x_px for workers in rounds}) == 4


def test_chapters_lie_within_a_round() -> None:
    assert [(each.begins_s, each.ends_s) for each in CAMERA_CHAPTERS] == [BARE_S, GONE_S, AT_EDGE_S]
    assert all(0 <= each.begins_s < each.ends_s <= ROUND_S for each in CAMERA_CHAPTERS)


def test_the_scene_differs_where_the_rail_is_gone_and_by_its_noise_alone_elsewhere() -> None:
    whole, missing = (draw_scene(SceneState(gone=gone), 1).astype(int) for gone in (frozenset(), frozenset({3})))
    assert whole.shape == (HEIGHT_PX, WIDTH_PX, 3)
    change = np.abs(whole - missing).max(axis=(0, 2))
    assert set(np.flatnonzero(change) // 20) <= set(range(24, 33))
    assert (change > 60).sum() > 100
    noisy = np.abs(whole - draw_scene(SceneState(), 2).astype(int))
    assert 1.0 < noisy.mean() < 8.0


def test_a_worker_at_the_border_of_the_picture_is_cut_off_not_an_error() -> None:
    for x_px, y_px in ((-20.0, 500.0), (970.0, 300.0), (480.0, 20.0), (480.0, 700.0)):
        draw_scene(SceneState((Standing(x_px, y_px, 200.0, Worker(), Pose()),)), 1)


def test_a_figure_has_its_helmet_where_it_wears_or_carries_it() -> None:
    yellow = [
        _yellow(figure(Worker(), pose)) for pose in (Pose(), Pose(helmet_on=False), Pose(helmet_on=False, in_hand=True))
    ]
    assert yellow[0][:60] > 200 > yellow[1][:60] == 0
    assert yellow[2][:60] == 0
    assert yellow[2][140:190] > 200


class _Rows:
    """Yellow pixels between two rows."""

    def __init__(self, counts: np.ndarray) -> None:
        self._counts = counts

    def __getitem__(self, rows: slice) -> int:
        return int(self._counts[rows].sum())


def _yellow(drawn: tuple[np.ndarray, np.ndarray]) -> _Rows:
    colour, cover = drawn
    blue, green, red = (colour[..., i].astype(int) for i in range(3))
    is_yellow = (cover > 0.5) & (red > 120) & (green > 0.65 * red) & (blue < 0.45 * red)
    return _Rows(is_yellow.sum(axis=1))


def test_the_survey_of_the_scene_is_one_that_a_person_could_have_drawn() -> None:
    survey = scene_survey("cam-1-eye", 1, 5, "demo", "a" * 64)
    assert read_survey(survey.document()) == survey
    assert (survey.edges[0].length_m, len(survey.edges[0].marks), len(survey.zones)) == (EDGE_M, 2, 1)


@pytest.mark.parametrize("size", [1, MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES + 1, 5 * MAX_PAYLOAD_BYTES + 7])
def test_fragments_put_together_are_the_nal_unit_again(size: int) -> None:
    nal = bytes([0x65]) + bytes(i % 251 for i in range(size - 1))
    payloads = list(rtp_payloads(nal))
    assert all(len(payload) <= MAX_PAYLOAD_BYTES for payload in payloads)
    if len(payloads) == 1:
        assert payloads[0] == nal
        return
    assert {payload[0] for payload in payloads} == {0x60 | 28}
    marks = [payload[1] >> 6 for payload in payloads]
    assert marks == [2, *[0] * (len(payloads) - 2), 1]
    assert bytes([0x60 | payloads[0][1] & 0x1F]) + b"".join(payload[2:] for payload in payloads) == nal


def test_a_byte_stream_is_split_at_both_start_codes() -> None:
    nals = split_annex_b(b"\x00\x00\x00\x01\x67abc\x00\x00\x01\x68de\x00\x00\x01\x65fgh")
    assert nals == (b"\x67abc", b"\x68de", b"\x65fgh")
    assert AccessUnit(nals, 0).key
    assert not AccessUnit((b"\x41x",), 0).key
    assert split_annex_b(b"") == ()
