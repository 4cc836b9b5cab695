"""Every ailment of a camera on rendered pictures: when it is said, when it is not, and when nothing can be said."""

from functools import cache

import cv2
import numpy as np
import pytest

from gateway.model.picture import CameraLink
from gateway.model.verdict import Truth
from tests.fakes.camera_scene import HEIGHT, WIDTH, Watch, at_night, grey, site, with_noise, with_person
from vision.health.camera_health import CameraHealth
from vision.picture.finding import Ailment

PICTURE = {ailment for ailment in Ailment if ailment not in (Ailment.OFFLINE, Ailment.CLOCK_WRONG)}


@pytest.fixture
def watch():
    """Has seen the quiet site for 70 s by day, with its reference."""
    watch = Watch(CameraHealth(), reference=grey(site()))
    watch.show_for(70, lambda i: with_noise(site(), i), every_s=1.25)
    return watch


def said(answers):
    return {ailment for health in answers for ailment, truth in health.ailing.items() if truth is Truth.TRUE}


def test_a_quiet_site_with_noise_ails_of_nothing_and_says_so(watch):
    answers = watch.show_for(60, lambda i: with_noise(site(), 1000 + i), every_s=0.5)

    assert said(answers) == set()
    assert all(truth is Truth.FALSE for truth in watch.last.ailing.values())
    assert all(health.usable for health in answers)


def test_before_anything_is_known_nothing_is_called_well():
    watch = Watch(CameraHealth())
    first = watch.show(with_noise(site(), 1))

    assert first.ailing[Ailment.REPLAYED] is Truth.UNKNOWN
    assert first.ailing[Ailment.MOVED] is Truth.UNKNOWN
    assert first.ailing[Ailment.FROZEN] is Truth.UNKNOWN
    assert first.ailing[Ailment.COVERED] is Truth.UNKNOWN
    assert first.ailing[Ailment.BLACK] is Truth.FALSE


@pytest.mark.parametrize(
    "weather",
    [
        pytest.param(lambda i: with_noise(at_night(site()), i, 3), id="night under lamps"),
        pytest.param(lambda i: _rain(site(), i), id="rain"),
        pytest.param(lambda i: with_noise(_sun(site(), i), i), id="sunrise in the picture"),
        pytest.param(lambda i: with_noise(with_person(site(), *_ways(90)[2 * i][0]), i), id="somebody walks about"),
        pytest.param(lambda i: with_noise(_passer_close(site(), i), i), id="somebody passes close by"),
        pytest.param(lambda i: with_noise(_sway(i), i), id="the mast sways a little"),
        pytest.param(lambda i: with_noise(_beacon(site(), i), i), id="a beacon turns"),
    ],
)
def test_what_a_site_has_every_day_is_no_ailment(watch, weather):
    assert said(watch.show_for(90, weather, every_s=0.5)) == set()


def test_dusk_into_night_is_no_ailment(watch):
    day, night = site(), at_night(site())

    def dusk(i):
        gone = min(1.0, i / 270)
        return with_noise(cv2.addWeighted(day, 1 - gone, night, gone, 0), i, 3)

    assert said(watch.show_for(600, dusk, every_s=2.0)) == set()


def test_without_frames_it_is_offline_and_the_rest_is_unknown(watch):
    health = watch.nothing_for(4)
    assert health.ailing[Ailment.OFFLINE] is Truth.FALSE
    health = watch.nothing_for(3)

    assert health.ailing[Ailment.OFFLINE] is Truth.TRUE
    assert not health.usable
    assert {truth for ailment, truth in health.ailing.items() if ailment is not Ailment.OFFLINE} == {Truth.UNKNOWN}


def test_a_link_that_says_it_is_down_is_offline_at_once(watch):
    assert watch.nothing_for(1, CameraLink.OFFLINE).ailing[Ailment.OFFLINE] is Truth.TRUE


def test_a_camera_that_never_sent_anything_goes_offline():
    watch = Watch(CameraHealth())
    assert watch.nothing_for(3).ailing[Ailment.OFFLINE] is Truth.UNKNOWN
    assert watch.nothing_for(5).ailing[Ailment.OFFLINE] is Truth.TRUE


def test_black_is_black_and_neither_sharp_nor_covered(watch):
    watch.show_for(8, lambda i: with_noise(np.full((HEIGHT, WIDTH, 3), 14, np.uint8), i, 1))

    assert watch.last.ailing[Ailment.BLACK] is Truth.TRUE
    for unknown in (Ailment.BLURRED, Ailment.COVERED, Ailment.MOVED, Ailment.FROZEN, Ailment.UNDEREXPOSED):
        assert watch.last.ailing[unknown] is Truth.UNKNOWN


def test_abstaining_comes_before_saying(watch):
    first = watch.show(np.full((HEIGHT, WIDTH, 3), 14, np.uint8))

    assert not first.usable
    assert first.ailing[Ailment.BLACK] is Truth.FALSE


def test_too_dark_and_too_bright(watch):
    watch.show_for(35, lambda i: with_noise((site() * 0.15).astype(np.uint8), i, 2), every_s=0.5)
    assert watch.last.ailing[Ailment.UNDEREXPOSED] is Truth.TRUE
    watch.show_for(
        45, lambda i: with_noise(np.clip(site().astype(int) * 3, 0, 255).astype(np.uint8), i, 1), every_s=0.5
    )
    assert watch.last.ailing[Ailment.OVEREXPOSED] is Truth.TRUE
    assert watch.last.ailing[Ailment.UNDEREXPOSED] is Truth.FALSE


def test_the_same_frame_again_and_again_is_frozen_and_comes_back(watch):
    still = with_noise(site(), 7)
    early = watch.show_for(28, lambda i: still)
    assert said(early) == set()
    watch.show_for(5, lambda i: still)
    assert watch.last.ailing[Ailment.FROZEN] is Truth.TRUE
    assert watch.last.ailing[Ailment.REPLAYED] is Truth.FALSE
    watch.show_for(5, lambda i: with_noise(site(), 9000 + i))
    assert watch.last.ailing[Ailment.FROZEN] is Truth.FALSE


def test_a_frozen_picture_with_a_running_clock_in_it_is_frozen(watch):
    still = with_noise(site(), 7)

    def clocked(i):
        image = still.copy()
        cv2.putText(image, f"12:00:{i // 5:02d}", (10, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 2)
        return image

    watch.show_for(40, clocked)
    assert watch.last.ailing[Ailment.FROZEN] is Truth.TRUE


def test_an_encoder_that_rests_between_key_frames_is_not_frozen(watch):
    """A quiet scene: every picture of ten seconds is the key frame's, bit for bit; the next key frame has new noise."""
    assert said(watch.show_for(120, lambda i: with_noise(at_night(site()), i // 20, 1), every_s=0.5)) == set()


def test_blurred_against_its_own_sharpness(watch):
    watch.show_for(45, lambda i: with_noise(cv2.GaussianBlur(site(), (0, 0), 5), i), every_s=0.5)

    assert watch.last.ailing[Ailment.BLURRED] is Truth.TRUE
    assert not watch.last.usable
    watch.show_for(20, lambda i: with_noise(site(), i))
    assert watch.last.ailing[Ailment.BLURRED] is Truth.FALSE


def test_a_camera_that_was_never_sharp_is_blurred_without_a_baseline():
    watch = Watch(CameraHealth())
    watch.show_for(40, lambda i: with_noise(cv2.GaussianBlur(site(), (0, 0), 14), i, 1), every_s=0.5)

    assert watch.last.ailing[Ailment.BLURRED] is Truth.TRUE


def test_a_blank_wall_is_neither_sharp_nor_blurred_and_shows_nothing_to_judge():
    watch = Watch(CameraHealth())
    watch.show_for(40, lambda i: with_noise(np.full((HEIGHT, WIDTH, 3), 128, np.uint8), i), every_s=0.5)

    assert watch.last.ailing[Ailment.BLURRED] is Truth.UNKNOWN
    assert watch.last.ailing[Ailment.COVERED] is Truth.UNKNOWN
    assert watch.last.ailing[Ailment.HAZY] is Truth.TRUE
    assert not watch.last.usable


def test_a_cloth_over_the_lens_is_a_cover(watch):
    cloth = cv2.GaussianBlur(with_noise(np.full((HEIGHT, WIDTH, 3), 110, np.uint8), 3, 30), (0, 0), 25)
    early = watch.show_for(28, lambda i: with_noise(cloth, i), every_s=0.5)
    assert Ailment.COVERED not in said(early)
    assert not early[0].usable
    watch.show_for(5, lambda i: with_noise(cloth, i))
    assert watch.last.ailing[Ailment.COVERED] is Truth.TRUE
    watch.show_for(20, lambda i: with_noise(site(), i))
    assert watch.last.ailing[Ailment.COVERED] is Truth.FALSE


def test_a_cover_over_half_of_the_lens_is_a_cover_and_not_dirt(watch):
    def half(i):
        image = site()
        image[:, : WIDTH // 2] = 100
        return with_noise(image, i)

    assert said(watch.show_for(28, half, every_s=0.5)) == set()
    watch.show_for(4, half, every_s=0.5)
    assert watch.last.ailing[Ailment.COVERED] is Truth.TRUE
    assert watch.last.ailing[Ailment.DIRTY] is Truth.UNKNOWN


@pytest.mark.parametrize("shift_px", [40, 160])
def test_a_turned_camera_has_moved(watch, shift_px):
    answers = watch.show_for(20, lambda i: with_noise(site(shift_px), i))
    assert Ailment.MOVED not in said(answers)
    watch.show_for(25, lambda i: with_noise(site(shift_px), i), every_s=0.5)

    assert watch.last.ailing[Ailment.MOVED] is Truth.TRUE
    watch.show_for(40, lambda i: with_noise(site(), i), every_s=0.5)
    assert watch.last.ailing[Ailment.MOVED] is Truth.FALSE


@pytest.mark.parametrize(("degrees", "zoom"), [(5, 1.0), (10, 1.0), (0, 1.2)])
def test_a_rolled_or_zoomed_camera_has_moved(degrees, zoom):
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), degrees, zoom)
    turned = cv2.warpAffine(site(), turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
    watch = Watch(CameraHealth(), reference=grey(site()))
    watch.show_for(55, lambda i: with_noise(turned, i), every_s=1.0)

    assert watch.last.ailing[Ailment.MOVED] is Truth.TRUE


def test_moved_is_seen_by_night_against_a_reference_of_the_day(watch):
    watch.show_for(60, lambda i: with_noise(at_night(site(0)), i, 2), every_s=0.5)
    assert watch.last.ailing[Ailment.MOVED] is not Truth.TRUE
    watch.show_for(60, lambda i: with_noise(at_night(site(60)), i, 2), every_s=0.5)
    assert watch.last.ailing[Ailment.MOVED] is Truth.TRUE


def test_without_a_reference_nobody_knows_whether_it_moved(watch):
    watch.reference = None
    watch.show_for(10, lambda i: with_noise(site(80), i))

    assert watch.last.ailing[Ailment.MOVED] is Truth.UNKNOWN


def test_a_clock_that_is_off_is_wrong_but_spoils_no_picture(watch):
    watch.clock_off_s = -3600.0
    watch.show_for(35, lambda i: with_noise(site(), i + 5000), every_s=0.5)

    assert watch.last.ailing[Ailment.CLOCK_WRONG] is Truth.TRUE
    assert watch.last.figures["clock_offset_s"] == pytest.approx(-3600, abs=0.01)
    assert watch.last.usable


def test_a_stream_without_a_time_has_no_wrong_clock(watch):
    watch.stream_time = False
    assert watch.show(with_noise(site(), 1)).ailing[Ailment.CLOCK_WRONG] is Truth.UNKNOWN


@pytest.mark.parametrize("loop_s", [4, 20])
def test_a_file_that_begins_again_is_a_replay(watch, loop_s):
    count = round(loop_s * 5)
    loop = [with_noise(with_person(site(), 20 + i * 4), 40_000 + i) for i in range(count)]
    answers = watch.show_for(loop_s + 12, lambda i: loop[i % count])

    assert said(answers[:count]) == set()
    assert watch.last.ailing[Ailment.REPLAYED] is Truth.TRUE
    assert watch.last.figures["replay_lag_s"] == pytest.approx(loop_s, abs=0.3)
    watch.show_for(75, lambda i: with_noise(site(), 70_000 + i), every_s=0.5)
    assert watch.last.ailing[Ailment.REPLAYED] is Truth.FALSE


def test_a_loop_that_was_encoded_anew_is_a_replay(watch):
    """Not a bit is the same the second time; the same people walk the same ways after the same time."""
    path = _ways(40)

    def again(i):
        image = site()
        for x, y, tall in path[i % 200]:
            image = with_person(image, x, y, tall)
        return with_noise(image, 100_000 + i, 1)

    answers = watch.show_for(85, again)
    assert said(answers[:200]) == set()
    assert watch.last.ailing[Ailment.REPLAYED] is Truth.TRUE
    assert watch.last.figures["replay_lag_s"] == pytest.approx(40, abs=0.6)


def test_people_who_never_walk_alike_are_no_replay(watch):
    path = _ways(150)

    def walking(i):
        image = site()
        for x, y, tall in path[2 * i]:
            image = with_person(image, x, y, tall)
        return with_noise(image, i, 1)

    assert Ailment.REPLAYED not in said(watch.show_for(149, walking, every_s=0.4))


def test_another_resolution_is_learned_anew_and_is_no_cover(watch):
    answers = watch.show_for(40, lambda i: with_noise(cv2.resize(site(), (320, 180)), i)[:, :].copy(), every_s=0.5)
    assert said(answers) == set()


def test_a_picture_that_is_no_picture_is_refused_by_name():
    watch = Watch(CameraHealth())
    with pytest.raises(ValueError, match=r"expected \(h, w, 3\) uint8"):
        watch.show(np.zeros((4, 4, 3), np.uint8))


def test_the_thumbnail_is_there_for_motion_gating(watch):
    assert watch.health.thumbnail is not None
    assert watch.health.thumbnail.shape == (135, 240)


def _rain(image, i):
    draw = np.random.default_rng(i)
    out = image.copy()
    for _ in range(250):
        x, y = int(draw.integers(0, WIDTH)), int(draw.integers(0, HEIGHT))
        cv2.line(out, (x, y), (x + 2, y + 14), (215, 215, 215), 1)
    return with_noise((out * 0.85).astype(np.uint8), i, 2)


def _sun(image, i):
    light = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.circle(light, (480, 60), 40 + i // 8, 1.0, -1)
    light = cv2.GaussianBlur(light, (0, 0), 30)[..., None]
    return np.clip(image * (1 + 0.3 * i / 450) + 255 * light, 0, 255).astype(np.uint8)


def _passer_close(image, i):
    """Once every 30 s somebody fills three quarters of the picture for 8 s."""
    out = image.copy()
    if i % 150 < 40:
        cv2.rectangle(out, (80, 0), (80 + 480, HEIGHT), (70, 90, 80), -1)
    return out


def _sway(i):
    shift = round(4 * np.sin(i / 3.0))
    return site(shift)


def _beacon(image, i):
    out = image.astype(np.float32)
    light = np.zeros((HEIGHT, WIDTH), np.float32)
    angle = i * 0.7
    spot = (int(320 + 200 * np.cos(angle)), int(180 + 80 * np.sin(angle)))
    cv2.circle(light, spot, 60, 1.0, -1)
    return np.clip(out + 80 * cv2.GaussianBlur(light, (0, 0), 20)[..., None], 0, 255).astype(np.uint8)


@cache
def _ways(seconds):
    """Three people who go about at random: their places, five times a second."""
    draw = np.random.default_rng(17)
    spots = draw.uniform((60, 140), (520, 240), (3, 2))
    speed = np.zeros((3, 2))
    ways = []
    for _ in range(seconds * 5):
        speed = np.clip(speed * 0.93 + draw.normal(0, 3, (3, 2)), -14, 14)
        spots = np.clip(spots + speed, (10, 120), (590, 250))
        ways.append([(int(x), int(y), 60 + 25 * k) for k, (x, y) in enumerate(spots)])
    return ways
