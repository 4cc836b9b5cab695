"""Pictures in which the detector fails: at each limit, which cause is named, what infrared light changes."""

from dataclasses import fields, replace

import cv2
import numpy as np
import pytest

from gateway.model.verdict import Truth
from tests.fakes.camera_scene import HEIGHT, WIDTH, Watch, at_night, grey, site, with_noise, with_person
from vision.health.camera_health import CameraHealth, HealthSettings
from vision.health.picture_limits import DAY, FROM_BELOW, INFRARED, PictureLimits
from vision.health.picture_measures import grain, levels, sample_picture, sharpness
from vision.health.picture_usual import UsualEdges
from vision.picture.finding import Ailment

NS = 1_000_000_000
TILES = 144


def checks():
    """Edges in every tile: a board of small squares, each of its own colour."""
    colours = np.random.default_rng(3).integers(40, 216, (HEIGHT // 20, WIDTH // 20, 3)).astype(np.uint8)
    return cv2.resize(colours, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)


def watching(image, settings=None):
    """Has seen that picture for 80 s."""
    watch = Watch(CameraHealth(settings), reference=grey(image))
    watch.show_for(80, lambda i: with_noise(image, i, 1), every_s=4)
    assert watch.last.usable
    return watch


def raw(watch, image, looks=1, every_s=0.2):
    """What is wrong with the picture now, whether or not it has lasted."""
    watch.show_for(looks * every_s, lambda i: with_noise(image, 500 + i, 1), every_s)
    return {ailment for ailment in Ailment if watch.health._raw[ailment] is Truth.TRUE}


def covered(share):
    image = checks()
    image[:, : round(WIDTH * share)] = 120
    return image


def spotted(share):
    """The board with a blot over half of so many tiles, spread over the picture."""
    image = checks()
    for tile in range(round(share * TILES)):
        down, across = divmod(tile * 7 % TILES, 16)
        image[down * 40 : down * 40 + 40, across * 40 : across * 40 + 24] = 120
    return image


def hazed(share):
    return cv2.addWeighted(site(), share, np.full_like(site(), 190), 1 - share, 0)


def hazed_to(contrast_share):
    """As much fog as leaves that contrast, of what nine tenths of the picture are under."""
    return next(image for image in map(hazed, np.arange(0.01, 1, 0.01)) if _contrast_share(image) >= contrast_share)


def _contrast_share(image):
    sample = sample_picture(with_noise(image, 1, 1))
    return sharpness(sample.rows[::4]).contrast / levels(sample.thumb).high


def dimmed(level):
    return np.clip(site() * (level / levels(sample_picture(site()).thumb).high), 0, 255).astype(np.uint8)


def noisy(level):
    """The fakes' own noise of 1 comes on top: deviations add by their squares."""
    more = np.random.default_rng(4).normal(0, (level**2 - 1.0) ** 0.5, (HEIGHT, WIDTH, 1))
    return np.clip(site() + more, 0, 255).round().astype(np.uint8)


def torn(share):
    image = with_noise(site(), 1)
    image[round(HEIGHT * (1 - share)) :] = 128
    return image


@pytest.mark.parametrize("strength", [0.8, 1.25])
@pytest.mark.parametrize(
    ("ailment", "image"),
    [
        pytest.param(Ailment.NOISY, lambda strength: noisy(DAY.noise * strength), id="noise"),
        pytest.param(Ailment.HAZY, lambda strength: hazed_to(DAY.contrast_share / strength), id="haze"),
        pytest.param(Ailment.UNDEREXPOSED, lambda strength: dimmed(DAY.bright / strength), id="dusk"),
        pytest.param(Ailment.COVERED, lambda strength: covered(DAY.gone_share * strength), id="cover"),
        pytest.param(Ailment.DIRTY, lambda strength: spotted(DAY.hurt_share * strength), id="drops"),
    ],
)
def test_a_fault_a_little_under_its_limit_is_none_and_a_little_over_it_spoils_the_picture(ailment, image, strength):
    watch = watching(checks() if ailment in (Ailment.COVERED, Ailment.DIRTY) else site())
    found = raw(watch, image(strength), looks=8, every_s=4)

    assert found == ({ailment} if strength > 1 else set())
    assert watch.last.usable is (strength < 1)


@pytest.mark.parametrize("strength", [0.8, 1.25])
def test_lost_rows_are_counted(strength):
    """Without noise on top: what a decoder filled in has none."""
    watch = watching(site())
    health = watch.show(torn(DAY.dead_share * strength))

    assert health.figures["dead_share"] == pytest.approx(DAY.dead_share * strength, abs=0.02)
    assert (watch.health._raw[Ailment.TORN] is Truth.TRUE) is (strength > 1)
    assert health.usable is (strength < 1)


def test_a_row_that_was_dragged_down_is_lost_too():
    watch = watching(site())
    image = with_noise(site(), 9)
    image[180:] = image[179]

    assert watch.show(image).figures["dead_share"] == pytest.approx(0.5, abs=0.03)
    assert watch.show(with_noise(site(), 10)).figures["dead_share"] == 0.0


@pytest.mark.parametrize(("quality", "blocky"), [(5, True), (60, False)])
def test_a_coder_at_a_low_rate_leaves_no_grain(quality, blocky):
    """The drawn site has so little in it that blocks fill whole rows: here they count as none lost."""
    watch = watching(with_noise(site(), 1, 5), HealthSettings(day=replace(DAY, dead_share=0.9)))
    code = cv2.imencode(".jpg", with_noise(site(), 3, 5), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    watch.show(cv2.imdecode(code, cv2.IMREAD_COLOR))

    assert (watch.health._raw[Ailment.BLOCKY] is Truth.TRUE) is blocky
    assert (watch.last.figures["flat_gain"] > DAY.flat_gain) is blocky


def test_an_ailment_is_said_after_it_has_lasted_and_the_picture_is_left_alone_at_once():
    watch = watching(site())
    image = noisy(3 * DAY.noise)
    assert not watch.show(with_noise(image, 1)).usable
    assert watch.last.ailing[Ailment.NOISY] is Truth.FALSE
    watch.show_for(32, lambda i: with_noise(image, i), every_s=4)
    assert watch.last.ailing[Ailment.NOISY] is Truth.TRUE


def test_a_smear_from_top_to_bottom_is_a_blur():
    """Upright edges stay sharp in it: rows alone would not tell."""
    image = site()
    for x in range(0, WIDTH, 40):
        cv2.line(image, (x, 0), (x, HEIGHT), (20, 20, 20), 3)
    smeared = cv2.blur(image, (1, 41))
    assert sharpness(sample_picture(smeared).rows[::4]).ratio > 0.5
    assert Ailment.BLURRED in raw(watching(image), smeared)


def test_fog_is_no_cover_and_a_grey_cloth_is_no_fog():
    watch = watching(site())
    assert raw(watch, hazed(0.22)) == {Ailment.HAZY}
    assert watch.health._raw[Ailment.COVERED] is Truth.UNKNOWN
    assert raw(watch, np.full((HEIGHT, WIDTH, 3), 110, np.uint8)) == {Ailment.COVERED}


def test_people_who_come_and_go_are_no_dirt():
    watch = watching(site())

    def crowd(i):
        image = site()
        for number in range(5):
            image = with_person(image, (number * 130 + i * 37) % (WIDTH - 60), 200, 110)
        return with_noise(image, i)

    answers = watch.show_for(120, crowd, every_s=2)
    assert all(health.usable for health in answers)
    assert max(health.figures["hurt_share"] for health in answers) < DAY.hurt_share / 2


def test_dirt_is_not_learned_but_another_survey_takes_the_view_as_it_is():
    watch = watching(checks())
    dirty = spotted(2 * DAY.hurt_share)
    assert raw(watch, dirty, looks=150, every_s=4) == {Ailment.DIRTY}
    watch.reference = grey(dirty)
    assert raw(watch, dirty, looks=10, every_s=4) == set()


def test_a_grey_picture_is_under_infrared_light_and_has_a_sharpness_of_its_own():
    watch = watching(site())
    assert watch.last.figures["infrared"] == 0.0
    night = cv2.cvtColor(grey(cv2.GaussianBlur(site(), (0, 0), 2.2)), cv2.COLOR_GRAY2BGR)
    watch.show_for(90, lambda i: with_noise(night, i), every_s=4)

    assert watch.last.figures["infrared"] == 1.0
    assert watch.last.figures["sharpness_share"] == pytest.approx(1.0, abs=0.1)
    assert watch.last.usable
    assert watch.show(with_noise(site(), 3)).figures["infrared"] == 0.0
    assert watch.last.usable


def test_night_has_limits_of_its_own():
    strict = PictureLimits(**{each.name: 1e9 if each.name in FROM_BELOW else -1.0 for each in fields(PictureLimits)})
    watch = Watch(CameraHealth(HealthSettings(infrared=strict)))
    assert watch.show_for(2, lambda i: with_noise(site(), i))[-1].usable
    assert not watch.show(cv2.cvtColor(grey(site()), cv2.COLOR_GRAY2BGR)).usable


def test_fog_and_darkness_are_grey_and_no_infrared_light():
    watch = watching(site())
    for image in (np.full((HEIGHT, WIDTH, 3), 150, np.uint8), np.full((HEIGHT, WIDTH, 3), 9, np.uint8)):
        assert watch.show(with_noise(image, 1)).figures["infrared"] == 0.0


def test_the_shipped_limits_leave_a_quiet_site_alone_by_day_and_under_lamps():
    watch = watching(site())
    assert raw(watch, at_night(site())) == set()
    for limits in (DAY, INFRARED):
        assert 0 < limits.hurt_share < limits.gone_share < 1
        assert limits.sharpness < 1 < limits.noise


def test_noise_is_told_as_a_smaller_picture_would_show_it():
    noise = np.random.default_rng(1).normal(120, 8, (720, 1280, 1)).repeat(3, axis=2)
    picture = np.clip(noise, 0, 255).round().astype(np.uint8)
    assert grain(sample_picture(picture)).noise == pytest.approx(4.0, rel=0.1)
    assert grain(sample_picture(picture[:360, :640])).noise == pytest.approx(8.0, rel=0.1)


def test_before_a_blank_wall_nothing_is_known_to_be_hidden():
    wall = np.full((135, 240), 120, np.uint8)
    edges = UsualEdges()
    for second in range(0, 40, 4):
        hidden = edges.compare(wall, second * NS)
        edges.learn(wall, second * NS, trusted=True)
    assert np.isnan(hidden.gone_share)
    assert np.isnan(hidden.hurt_share)
