"""A camera with a reference by day and one by night: lamps show another rail than the sun, and both are known."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.model.verdict import Truth
from tests.fakes.edge_site import FOOT_Y, HEIGHT, LENGTH_M, SECOND, WIDTH, Look, Site, bare, painted, survey, x_of
from vision.edges.evaluate import BenchFolderError, judge, read_camera
from vision.edges.keeping import EdgeStateError
from vision.edges.learnt import Learnt
from vision.edges.light_spread import light_apart, light_spread, lit_as
from vision.edges.live import look_of
from vision.edges.view import view_of
from vision.edges.watch import EdgeWatch

Image = NDArray[np.uint8]
MODEL = "site_heads 1 abc"
GAP = bare(Look(), (4.0, 6.0))
CLEAN = Look(noise=0.0)
GUARDED = Look()


@cache
def under_other_lamps(look: Look, seed: int = 0) -> Image:
    """The lower bar bright, the upper one as dim as the yard, and a pool of light that no day has: what the reference
    by day shows agrees by a half, guarded or bare."""
    yard, seen = (painted(bare(CLEAN, *gone)).astype(np.float32) for gone in (((0.0, LENGTH_M),), look.gone))
    bars = np.abs(seen - yard).max(2) > 20
    rows = np.arange(HEIGHT)[:, None]
    pool = (0.15 + 0.5 * np.abs(rows - FOOT_Y + 25) / 90).clip(0, 0.7)[..., None]
    lit, upper = yard * pool, bars & (rows < FOOT_Y - 30)
    lit[bars] = 200.0
    lit[upper] = (140 * pool * np.ones_like(lit))[upper]
    lit[FOOT_Y - 60 : FOOT_Y - 57] = 230
    return np.clip(lit + np.random.default_rng(seed).normal(0, 14, lit.shape), 0, 255).astype(np.uint8)


def site_by_night(night: Image | None) -> Site:
    site = Site()
    site.watch = EdgeWatch(survey(), painted(seed=99), None, night)
    return site


def show_night(site: Site, seconds: int, look: Look = GUARDED) -> None:
    for _ in range(seconds):
        site.second += 1
        site.show(under_other_lamps(look, int(site.second) % 12))


NIGHT = under_other_lamps(Look(), 77)


@pytest.mark.parametrize(("night", "truth"), [(None, Truth.UNKNOWN), (NIGHT, Truth.FALSE)], ids=["without", "with it"])
def test_a_guarded_edge_by_lamps_is_unknown_without_a_reference_by_night_and_ok_with_it(
    night: Image | None, truth: Truth
) -> None:
    site = site_by_night(night)
    show_night(site, 90)
    assert (site.truth(), site.fired) == (truth, [])


@pytest.mark.parametrize("night", [None, NIGHT], ids=["without", "with it"])
def test_a_panel_that_is_away_when_the_eye_starts_by_night_is_found_with_and_without_a_reference_by_night(
    night: Image | None,
) -> None:
    site = site_by_night(night)
    show_night(site, 90, GAP)
    assert [round(float(one.about["from_m"])) for one in site.fired] == [4]
    assert site.truth() is Truth.TRUE


@pytest.mark.parametrize("behind", [255, 2], ids=["burnt out", "black"])
def test_a_panel_that_goes_is_found_when_what_it_hid_is_burnt_out_or_black(behind: int) -> None:
    """Lamps stand still: what was neither while the panel stood has changed itself."""
    site = site_by_night(NIGHT)
    show_night(site, 60)
    for _ in range(60):
        site.second += 1
        image = under_other_lamps(GAP, int(site.second) % 12).copy()
        image[FOOT_Y - 36 : FOOT_Y - 8, x_of(4.0) : x_of(6.0)] = behind
        site.show(image)
    assert [round(float(one.about["from_m"])) for one in site.fired] == [4]


def test_what_is_seen_between_the_lines_is_no_light_beside_them() -> None:
    """A net that goes lets another brightness through, by day and by night."""
    view = view_of(survey().edges[0], WIDTH, HEIGHT)
    day = look_of(np.asarray(cv2.cvtColor(painted(), cv2.COLOR_BGR2GRAY), np.uint8), view)
    brighter = day.level * np.where(view.protected > 0, np.float32(1.5), np.float32(1))
    before = Learnt(day, view)
    changed = []
    for learnt in (before, Learnt(day, view, before)):
        bands = learnt.light.bands(brighter, np.ones_like(brighter))
        changed.append(float(learnt.light.change(bands, np.full(brighter.shape[1], np.nan, np.float32)).max()))
    assert max(changed) < 0.01


def test_a_border_of_light_that_the_day_does_not_show_counts_for_no_protection() -> None:
    lit = under_other_lamps(GUARDED, 5).copy()
    lit[FOOT_Y - 28 : FOOT_Y - 26] = 250  # between the bars, along the whole edge
    view = view_of(survey().edges[0], WIDTH, HEIGHT)
    by_day, by_night = (
        look_of(np.asarray(cv2.cvtColor(one, cv2.COLOR_BGR2GRAY), np.uint8), view) for one in (painted(), lit)
    )
    border = np.abs(view.map_y - (FOOT_Y - 27)) < 2
    alone, both = Learnt(by_night, view).appearances, Learnt(by_night, view, Learnt(by_day, view)).appearances
    assert alone.weight[border].mean() > 0.3
    assert both.weight[border].mean() < 0.35 * alone.weight[border].mean()
    assert both.weight.sum() > 0.3 * alone.weight[~border].sum()


def test_the_day_is_judged_by_the_reference_by_day_before_and_after_a_night() -> None:
    site = site_by_night(NIGHT)
    site.run(60)
    assert site.truth() is Truth.FALSE
    show_night(site, 90)
    assert site.truth() is Truth.FALSE
    site.run(60)
    assert (site.truth(), site.fired) == (Truth.FALSE, [])
    site.run(60, GAP)
    assert [round(float(one.about["from_m"])) for one in site.fired] == [4]


def test_a_gap_of_the_day_stays_open_through_the_night_and_is_told_once() -> None:
    site = site_by_night(NIGHT)
    site.run(45)
    site.run(60, GAP)
    show_night(site, 90, GAP)
    assert (site.truth(), len(site.fired)) == (Truth.TRUE, 1)
    show_night(site, 90)
    assert (site.truth(), len(site.fired)) == (Truth.FALSE, 1)


def test_a_reference_by_night_that_lies_some_pixels_off_is_laid_over_that_by_day() -> None:
    move = np.array([[1, 0, 4], [0, 1, -3]], np.float32)
    site = site_by_night(np.asarray(cv2.warpAffine(NIGHT, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)))
    apart = site.watch._standpoint.apart
    assert (apart.dx_px, apart.dy_px) == pytest.approx((4, -3), abs=0.7)
    show_night(site, 90, GAP)
    assert [round(float(one.about["from_m"])) for one in site.fired] == [4]


def test_pictures_of_another_size_are_judged_by_it_too() -> None:
    site = site_by_night(NIGHT)
    for look in (GUARDED, GAP):
        for _ in range(60):
            site.second += 1
            site.show(under_other_lamps(look, int(site.second) % 12).repeat(2, axis=0).repeat(2, axis=1))
        assert site.truth() is (Truth.TRUE if look is GAP else Truth.FALSE)
    assert [round(float(one.about["from_m"])) for one in site.fired] == [4]


@pytest.mark.parametrize(
    ("night", "told"),
    [
        (np.zeros((HEIGHT, WIDTH + 2, 3), np.uint8), "reference by night: .*expected .* as by day"),
        (np.zeros((HEIGHT, WIDTH), np.uint8), "reference by night: .*expected .h, w, 3. uint8"),
    ],
)
def test_a_reference_by_night_of_another_kind_is_refused(night: Image, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        EdgeWatch(survey(), painted(), None, night)


def test_what_was_learnt_by_night_is_kept_for_a_restart_and_of_use_to_the_same_references_alone() -> None:
    drawn = replace(survey(), night_sha256="1" * 64)

    def watch(night_sha256: str, night: Image | None) -> EdgeWatch:
        return EdgeWatch(replace(drawn, night_sha256=night_sha256), painted(seed=99), None, night)

    site = site_by_night(NIGHT)
    site.watch = watch("1" * 64, NIGHT)
    site.run(45)
    show_night(site, 90)
    state = site.watch.kept(MODEL, int(site.second * SECOND))
    later = int((site.second + 5) * SECOND)
    for other, picture in (("2" * 64, NIGHT), ("", None)):
        with pytest.raises(EdgeStateError, match="night_sha256: found"):
            watch(other, picture).resume(state, MODEL, later, 600)
    with pytest.raises(EdgeStateError, match="edges: found"):
        watch("1" * 64, None).resume(state, MODEL, later, 600)
    again = site_by_night(NIGHT)
    again.watch, again.second = watch("1" * 64, NIGHT), site.second + 5
    again.watch.resume(state, MODEL, later, 600)
    assert again.watch.kept(MODEL, later).partition(b"\n")[2] == state.partition(b"\n")[2]
    show_night(again, 1)
    assert again.truth() is Truth.FALSE


@cache
def smoothed(look: Look) -> Image:
    """As a camera shows it that averages its noise away: next to no grain tells that it is night."""
    return np.mean([under_other_lamps(look, seed) for seed in range(12)], axis=0).astype(np.uint8)


@pytest.mark.parametrize(("look", "found"), [(GUARDED, []), (GAP, [4])], ids=["guarded", "bare"])
def test_a_camera_that_smooths_its_noise_away_is_judged_by_the_reference_that_it_is_lit_like(
    look: Look, found: list[int]
) -> None:
    site = site_by_night(smoothed(CLEAN))
    for _ in range(90):
        site.second += 1
        site.show(smoothed(look))
    assert [round(float(finding.about["from_m"])) for finding in site.fired] == found
    assert site.truth() is (Truth.TRUE if found else Truth.FALSE)


@pytest.mark.parametrize(
    ("from_day", "from_night", "before", "as_by_night"),
    [(0.5, 0.02, False, True), (0.3, 0.2, False, False), (0.3, 0.2, True, True), (0.3, 0.28, True, False)],
    ids=["night", "dusk", "a foggy night", "dawn"],
)
def test_the_reference_by_night_is_taken_where_the_light_is_much_nearer_to_it_and_kept_while_it_is_nearer(
    from_day: float, from_night: float, before: bool, as_by_night: bool
) -> None:
    assert lit_as(from_night, from_day, before) is as_by_night


def test_exposure_does_not_move_the_spread_of_light_and_lamps_do() -> None:
    day, night = (cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) for image in (painted(), NIGHT))
    darker = light_spread(np.asarray(day * 0.7, np.uint8))
    assert light_apart(light_spread(day), darker) < 0.03
    assert light_apart(light_spread(day), light_spread(night)) > 0.2


@pytest.mark.parametrize("by_night", [False, True], ids=["without", "with it"])
def test_a_recorded_camera_is_evaluated_with_the_reference_by_night_that_lies_in_its_folder(
    by_night: bool, tmp_path: Path
) -> None:
    (tmp_path / "frames").mkdir()
    (tmp_path / "survey.json").write_text(json.dumps(survey().document()), "utf-8")
    (tmp_path / "truth.json").write_text(json.dumps({"every_s": 1, "missing": []}))
    cv2.imwrite(str(tmp_path / "reference.png"), painted(seed=99))
    if by_night:
        cv2.imwrite(str(tmp_path / "night.png"), NIGHT)
    for second in range(60):
        cv2.imwrite(str(tmp_path / "frames" / f"{second:06d}.jpg"), under_other_lamps(GUARDED, second % 12), [1, 100])
    tally, _ = judge(read_camera(tmp_path))
    assert tally.false == []
    assert (tally.unknown_metre_frames < 0.8 * tally.metre_frames) == by_night


def test_a_reference_by_night_of_another_size_is_said_with_the_folder(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    (tmp_path / "survey.json").write_text(json.dumps(survey().document()), "utf-8")
    (tmp_path / "truth.json").write_text(json.dumps({"every_s": 1, "missing": []}))
    for name, image in (("reference.png", painted()), ("night.png", NIGHT[:90]), ("frames/000001.jpg", painted())):
        cv2.imwrite(str(tmp_path / name), image)
    with pytest.raises(BenchFolderError, match=r"reference by night: \(90, 480\), expected \(270, 480\)"):
        judge(read_camera(tmp_path))
