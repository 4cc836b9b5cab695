"""A camera's threshold from judged alarms: figures not chosen on, a reason where there is none, and a way back."""

import argparse
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from numpy.typing import NDArray

from gateway.evidence.evidence import RecordKind
from gateway.model.camera_scores import CameraScores
from gateway.model.picture import CameraState
from gateway.parts.camera.score_desk import ScoreDesk
from gateway.parts.camera.score_store import NewScores, ScoreStore
from sitewarden.learning import adapt_command
from sitewarden.learning.adapting import KEEP, NEEDED_RIGHT, NEEDED_WRONG, NotAdaptedError, adapt, share_of
from tests.fakes.eyes import StillEyes, three_cameras
from tests.fakes.judged_site import JudgedSite
from tests.fakes.media_box import CAMERA

OWN = 0.5


def judged(n_right: int, n_wrong: int, seed: int = 1) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Right alarms of 0.7 to 0.9, wrong ones of 0.5 to 0.7, mixed in time."""
    chance = np.random.default_rng(seed)
    score = np.concatenate([chance.uniform(0.7, 0.9, n_right), chance.uniform(0.5, 0.7, n_wrong)])
    order = chance.permutation(n_right + n_wrong)
    return score[order], (np.arange(n_right + n_wrong) < n_right)[order]


def test_a_threshold_between_right_and_wrong_is_found() -> None:
    found = adapt(*judged(60, 40), own_score=OWN, in_force_score=OWN)
    assert 0.66 < found.threshold < 0.72
    assert (found.before.precision.k, found.before.precision.n) == (60, 100)
    assert found.after.precision.low > found.before.precision.high
    assert found.after.kept.value >= KEEP


def test_the_fewest_right_alarms_are_those_of_which_keeping_all_shows_enough() -> None:
    assert share_of(NEEDED_RIGHT, NEEDED_RIGHT).low >= KEEP
    assert share_of(NEEDED_RIGHT - 1, NEEDED_RIGHT - 1).low < KEEP


@pytest.mark.parametrize(("n_right", "n_wrong"), [(NEEDED_RIGHT - 1, 50), (50, NEEDED_WRONG - 1), (0, 0)])
def test_too_few_are_told_with_how_many_are_needed(n_right: int, n_wrong: int) -> None:
    with pytest.raises(NotAdaptedError, match=f"{n_right} right and {n_wrong} wrong, at least 24 right and 10 wrong"):
        adapt(*judged(n_right, n_wrong), own_score=OWN, in_force_score=OWN)


def test_scores_that_tell_nothing_apart_change_nothing() -> None:
    """Chance alone must not be taken for a better threshold: in twenty draws it hardly ever is."""
    taken = 0
    for seed in range(20):
        chance = np.random.default_rng(seed)
        score, right = chance.uniform(0.5, 0.9, 80), chance.uniform(size=80) < 0.5
        try:
            found = adapt(score, right, OWN, OWN)
        except NotAdaptedError:
            continue
        taken += found.threshold > 0.56
    assert taken <= 1


def test_never_below_the_models_own_and_back_down_to_it() -> None:
    score, right = judged(60, 0)
    wrong = np.full(12, 0.85)  # a thing that scores as high as heads do: nothing tells it apart
    score, right = np.concatenate([score, wrong]), np.concatenate([right, np.zeros(12, bool)])
    found = adapt(score, right, own_score=OWN, in_force_score=0.89)
    assert OWN <= found.threshold < 0.73
    assert found.after.kept.value > found.before.kept.value


def test_an_interval_is_where_the_share_lies_in_95_of_100() -> None:
    share = share_of(30, 40)
    assert share.low == pytest.approx(0.602, abs=0.003)
    assert share.high == pytest.approx(0.864, abs=0.003)
    assert np.isnan(share_of(0, 0).value)


# --- the command, over a real box ---


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[JudgedSite]:
    made = JudgedSite(tmp_path)
    yield made
    await made.box.stop()


def adapted(site: JudgedSite, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict[str, Any]]:
    parser = argparse.ArgumentParser()
    adapt_command.add_arguments(parser)
    asked = ["--site", str(site.file), "--camera", CAMERA, "--by", "王工", "--json", *more]
    status = adapt_command.run(parser.parse_args(asked))
    out = capsys.readouterr().out
    return status, json.loads(out.splitlines()[-1]) if out else {}


async def enough(site: JudgedSite, model: str = "") -> None:
    for number in range(NEEDED_RIGHT + NEEDED_WRONG):
        wrong = number % 3 == 2 and number // 3 < NEEDED_WRONG
        alarm = await site.alarm(0.6 + 0.001 * number if wrong else 0.8 + 0.001 * number, model=model)
        await site.judge(alarm, "false" if wrong else "true", "not_a_person" if wrong else "")


async def test_few_labels_are_refused_and_nothing_is_written(
    site: JudgedSite, capsys: pytest.CaptureFixture[str]
) -> None:
    await site.judge(await site.alarm(), "true")
    status, said = adapted(site, capsys)
    assert status == 1
    assert "1 right and 0 wrong, at least 24 right and 10 wrong" in said["classes"]["head"]["refused"]
    assert ScoreStore(site.data).versions(CAMERA) == ()


async def test_it_is_written_sealed_once_judged_by_and_undone(
    site: JudgedSite, capsys: pytest.CaptureFixture[str]
) -> None:
    await enough(site)
    status, said = adapted(site, capsys, "--dry-run")
    assert (status, ScoreStore(site.data).versions(CAMERA)) == (0, ())
    status, said = adapted(site, capsys)
    head = said["classes"]["head"]
    assert status == 0
    assert said["version"] == 1
    assert 0.63 < head["threshold"] < 0.8
    assert head["after"]["precision"]["share"] > head["before"]["precision"]["share"]
    kept = ScoreStore(site.data).newest(CAMERA)
    assert kept is not None
    assert kept.scores.scores == {"head": head["threshold"]}
    assert kept.scores.model == site.model

    eyes = StillEyes([replaced(CAMERA)])
    desk = ScoreDesk(ScoreStore(site.data), site.box.alerts, site.box.recorder, site.box.clock, lambda: eyes)
    await desk.look()
    await desk.look()
    assert eyes.scores[CAMERA] == kept.scores
    (record,) = [each for each in site.box.alerts.all_evidence() if each.kind == RecordKind.CAMERA_SCORES]
    content = orjson.loads(record.body)["content"]
    assert (content["event"], content["user"], content["sha256"]) == ("adapted", "王工", kept.sha256)

    status, said = adapted(site, capsys, "--undo")
    assert (status, said["version"], said["back_to"]) == (0, 2, 0)
    await desk.look()
    assert eyes.scores[CAMERA].scores == {}
    status, _ = adapted(site, capsys, "--undo")
    assert status == 1


async def test_labels_of_another_model_do_not_count(site: JudgedSite, capsys: pytest.CaptureFixture[str]) -> None:
    await enough(site, model="blocks 0 000000000000")
    status, said = adapted(site, capsys)
    assert status == 1
    assert "0 right and 0 wrong" in said["classes"]["head"]["refused"]


def replaced(camera: str) -> CameraState:
    """A camera's state under another name."""
    return replace(three_cameras(0)[0], camera=camera)


def test_each_undo_goes_one_further_back(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path)
    for number in (1, 2):
        add(store, 0.5 + number / 10)
    newest: list[CameraScores] = []
    for _ in range(2):
        newest.append(store.undo("cam-1", "wang", 5).scores)
    assert [(each.version, each.back_to, dict(each.scores)) for each in newest] == [(3, 1, {"head": 0.6}), (4, 0, {})]
    add(store, 0.8)
    assert store.undo("cam-1", "wang", 6).scores.back_to == 0
    with pytest.raises(LookupError, match="nothing to undo"):
        store.undo("cam-1", "wang", 7)


def test_a_version_that_was_changed_or_cut_off_is_told_and_not_used(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path)
    add(store, 0.6)
    add(store, 0.7)
    newest = next(path for path in (tmp_path / "thresholds" / "cam-1").iterdir() if path.name.startswith("v0002"))
    newest.write_bytes(newest.read_bytes().replace(b"0.7", b"0.1"))
    kept = store.newest("cam-1")
    assert kept is not None
    assert kept.scores.version == 1
    assert "its digest differs from its name" in store.faults("cam-1")[0]
    assert add(store, 0.65) == 3


def add(store: ScoreStore, score: float) -> int:
    return store.add(NewScores("cam-1", "blocks 1 abc", {"head": score}, "wang", 1, {})).scores.version
