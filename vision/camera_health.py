"""Health of a camera's picture: offline, black, frozen, blurred, covered, moved, and more.

    frame -> sample (once) -> levels, sharpness, texture, repeats, view, clock -> raw truths -> dwell -> PictureHealth

In: one frame (or none), the reference view of the survey, and both clocks. Out: every ailment TRUE, FALSE or UNKNOWN,
and whether the picture may be judged. What cannot be measured in this picture is UNKNOWN: a black picture is neither
sharp nor blurred. `usable` falls with the first bad look; an ailment is said only once it has lasted. State is bounded
(see `picture_repeats`). Pure; knows no stream, no model and no settings file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gateway.model.picture import CameraLink
from gateway.model.verdict import Truth
from vision.dwell import Dwell, DwellTimes
from vision.finding import Ailment, PictureHealth
from vision.frame import Frame
from vision.picture_measures import (
    Grey,
    Levels,
    PictureSample,
    Sharpness,
    Tiles,
    levels,
    sample_picture,
    sharpness,
    tile_texture,
)
from vision.picture_repeats import FrozenWatch, ReplayWatch
from vision.view_match import ViewMatch

NS = 1_000_000_000
SPOILING = tuple(ailment for ailment in Ailment if ailment is not Ailment.CLOCK_WRONG)
"""What makes a picture unfit to be judged. A wrong clock spoils no picture."""


def _dwells() -> dict[Ailment, DwellTimes]:
    return {
        Ailment.OFFLINE: DwellTimes(0.0, 2.0),  # the wait is `offline_after_s`
        Ailment.BLACK: DwellTimes(5.0, 3.0),
        Ailment.FROZEN: DwellTimes(0.0, 3.0),  # the wait is `frozen_after_s`
        Ailment.BLURRED: DwellTimes(30.0, 15.0),
        Ailment.OVEREXPOSED: DwellTimes(30.0, 10.0),
        Ailment.UNDEREXPOSED: DwellTimes(30.0, 10.0),
        Ailment.COVERED: DwellTimes(15.0, 5.0),
        Ailment.MOVED: DwellTimes(30.0, 15.0),
        Ailment.CLOCK_WRONG: DwellTimes(30.0, 30.0),
        Ailment.REPLAYED: DwellTimes(0.0, 60.0),
    }


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """Limits of the ailments. Levels are grey 0..255; a limit pair is (on, off), so that a value between them changes
    nothing. `moved_share` is a share of the frame's width: less is sway. `blurred_share` is against the camera's own
    best sharpness, `blurred_ratio` holds for any camera."""

    offline_after_s: float = 5.0
    frozen_after_s: float = 30.0
    black_level: tuple[float, float] = (24.0, 30.0)
    dark_level: tuple[float, float] = (38.0, 46.0)
    burnt_share: tuple[float, float] = (0.55, 0.4)
    bleached_level: tuple[float, float] = (225.0, 215.0)
    blurred_share: tuple[float, float] = (0.5, 0.62)
    blurred_ratio: tuple[float, float] = (0.1, 0.12)
    least_contrast: float = 16.0
    covered_share: tuple[float, float] = (0.7, 0.45)
    moved_share: float = 0.02
    clock_off_s: tuple[float, float] = (5.0, 3.0)
    dwells: Mapping[Ailment, DwellTimes] = field(default_factory=_dwells)


class CameraHealth:
    """One camera. `thumbnail` is the grey thumb of the newest frame (135, 240), for gating by motion; None before the
    first."""

    def __init__(self, settings: HealthSettings | None = None) -> None:
        self._settings = settings or HealthSettings()
        self.thumbnail: Grey | None = None
        self._dwell = {ailment: Dwell(self._settings.dwells[ailment]) for ailment in Ailment}
        self._said: dict[Ailment, Truth] = dict.fromkeys(Ailment, Truth.UNKNOWN)
        self._raw: dict[Ailment, Truth] = dict.fromkeys(Ailment, Truth.UNKNOWN)
        self._newest_ns: int | None = None
        self._began_ns: int | None = None
        self._start_learning()

    def _start_learning(self) -> None:
        self._frozen = FrozenWatch(self._settings.frozen_after_s)
        self._replay = ReplayWatch()
        self._view = ViewMatch(self._settings.moved_share)
        self._focus = _FocusBaseline()
        self._texture = _TextureBaseline()
        self._size: tuple[int, int] = (0, 0)

    def look(
        self,
        frame: Frame | None,
        reference: Grey | None,
        now_ns: int,
        now_mono_ns: int,
        link: CameraLink = CameraLink.LIVE,
    ) -> PictureHealth:
        """What is wrong now. To be called for every judged frame, and about once a second without one. `reference` is
        the survey's view, grey and of any size, the same object as long as it is the same view."""
        if self._began_ns is None:
            self._began_ns = now_mono_ns
        figures: dict[str, float] = {}
        if frame is not None:
            self._newest_ns = now_mono_ns
            self._raw |= self._measured(frame, reference, now_mono_ns, figures)
            self._raw[Ailment.CLOCK_WRONG] = self._clock(frame, now_ns, figures)
        self._raw[Ailment.OFFLINE] = self._offline(link, now_mono_ns)
        if self._raw[Ailment.OFFLINE] is Truth.TRUE:
            self._raw |= {ailment: Truth.UNKNOWN for ailment in Ailment if ailment is not Ailment.OFFLINE}
        for ailment, raw in self._raw.items():
            self._said[ailment] = self._dwell[ailment].step(raw, now_mono_ns)
        return PictureHealth(dict(self._said), self._usable(), figures)

    def _usable(self) -> bool:
        """The first bad look is enough to abstain. A moved camera is believed to have moved only after its dwell:
        a truck in the picture is no reason to be blind."""
        if self._newest_ns is None:
            return False
        now = [self._raw[ailment] for ailment in SPOILING if ailment is not Ailment.MOVED]
        return Truth.TRUE not in [*now, *(self._said[ailment] for ailment in SPOILING)]

    def _offline(self, link: CameraLink, now_mono_ns: int) -> Truth:
        since_ns = self._newest_ns if self._newest_ns is not None else self._began_ns
        assert since_ns is not None
        if now_mono_ns - since_ns > self._settings.offline_after_s * NS:
            return Truth.TRUE
        if self._newest_ns is None:
            return Truth.UNKNOWN
        return Truth.TRUE if link is CameraLink.OFFLINE else Truth.FALSE

    def _measured(
        self, frame: Frame, reference: Grey | None, now_mono_ns: int, figures: dict[str, float]
    ) -> dict[Ailment, Truth]:
        sample = sample_picture(frame.image)
        if (sample.width_px, sample.height_px) != self._size:  # another stream of the camera: learn it anew
            self._start_learning()
            self._size = (sample.width_px, sample.height_px)
        self.thumbnail = sample.thumb
        light = levels(sample.thumb)
        truths = self._light_truths(light)
        dark = Truth.TRUE in (truths[Ailment.BLACK], truths[Ailment.UNDEREXPOSED])
        truths |= self._lens_truths(sample, dark, now_mono_ns, figures)
        truths[Ailment.FROZEN] = self._frozen.step(sample, frame.seq, now_mono_ns)
        truths[Ailment.REPLAYED] = self._replay.step(sample, now_mono_ns)
        truths[Ailment.MOVED] = self._moved(sample, reference, truths, dark)
        figures |= {"level": light.mean, "burnt_share": light.burnt_share, "shift_share": self._view.shift_share}
        figures["replay_lag_s"] = self._replay.lag_s
        return truths

    def _light_truths(self, light: Levels) -> dict[Ailment, Truth]:
        limits = self._settings
        black = self._below(Ailment.BLACK, light.highest, limits.black_level)
        dim = self._below(Ailment.UNDEREXPOSED, light.high, limits.dark_level)
        burnt = self._above(Ailment.OVEREXPOSED, light.burnt_share, limits.burnt_share)
        bleached = self._above(Ailment.OVEREXPOSED, light.low, limits.bleached_level)
        return {
            Ailment.BLACK: black,
            Ailment.UNDEREXPOSED: Truth.UNKNOWN if black is Truth.TRUE else dim,
            Ailment.OVEREXPOSED: Truth.TRUE if Truth.TRUE in (burnt, bleached) else Truth.FALSE,
        }

    def _lens_truths(
        self, sample: PictureSample, dark: bool, now_mono_ns: int, figures: dict[str, float]
    ) -> dict[Ailment, Truth]:
        texture = tile_texture(sample.thumb)
        lost = self._texture.lost_share(texture)
        sharp = sharpness(sample.rows)
        figures |= {"sharpness": sharp.ratio, "contrast": sharp.contrast, "texture_lost_share": lost}
        covered = self._covered(lost, dark)
        blurred = self._blurred(sharp, dark)
        self._texture.learn(texture, now_mono_ns, trusted=covered is not Truth.TRUE and not dark)
        self._focus.learn(sharp, now_mono_ns, trusted=blurred is Truth.FALSE and covered is not Truth.TRUE)
        return {Ailment.COVERED: covered, Ailment.BLURRED: blurred}

    def _covered(self, lost: float, dark: bool) -> Truth:
        """In the dark a hand on the lens looks like a lamp that went out."""
        if dark or not np.isfinite(lost):
            return Truth.UNKNOWN
        return self._above(Ailment.COVERED, lost, self._settings.covered_share)

    def _blurred(self, sharp: Sharpness, dark: bool) -> Truth:
        limits = self._settings
        if dark or sharp.contrast < limits.least_contrast:
            return Truth.UNKNOWN
        by_itself = self._below(Ailment.BLURRED, sharp.ratio, limits.blurred_ratio)
        if by_itself is Truth.TRUE or not np.isfinite(self._focus.best):
            return by_itself
        return self._below(Ailment.BLURRED, sharp.ratio / self._focus.best, limits.blurred_share)

    def _moved(
        self, sample: PictureSample, reference: Grey | None, truths: Mapping[Ailment, Truth], dark: bool
    ) -> Truth:
        """A picture that shows nothing cannot say where the camera looks."""
        spoilt = (Ailment.BLACK, Ailment.BLURRED, Ailment.OVEREXPOSED, Ailment.COVERED)
        seen = self._view.step(sample.thumb, reference)
        return Truth.UNKNOWN if dark or any(truths[ailment] is Truth.TRUE for ailment in spoilt) else seen

    def _clock(self, frame: Frame, now_ns: int, figures: dict[str, float]) -> Truth:
        """The stream's time against the box's. A frame that was received in the future tells of a box that set its own
        clock back: nothing to blame the camera for."""
        if not frame.stream_time or frame.received_at_ns > now_ns + NS:
            return Truth.UNKNOWN
        offset_s = (frame.captured_at_ns - frame.received_at_ns) / NS
        figures["clock_offset_s"] = offset_s
        return self._above(Ailment.CLOCK_WRONG, abs(offset_s), self._settings.clock_off_s)

    def _above(self, ailment: Ailment, value: float, limits: tuple[float, float]) -> Truth:
        limit = limits[1] if self._raw[ailment] is Truth.TRUE else limits[0]
        return Truth.TRUE if value > limit else Truth.FALSE

    def _below(self, ailment: Ailment, value: float, limits: tuple[float, float]) -> Truth:
        limit = limits[1] if self._raw[ailment] is Truth.TRUE else limits[0]
        return Truth.TRUE if value < limit else Truth.FALSE


class _FocusBaseline:
    """The camera's own sharpness: quick to learn a better one, slow (a day) to get used to a worse one."""

    def __init__(self) -> None:
        self.best = float("nan")
        self._began_ns: int | None = None
        self._last_ns = 0
        self._mean = float("nan")

    def learn(self, sharp: Sharpness, now_ns: int, *, trusted: bool) -> None:
        """`best` is known after a minute of trusted pictures."""
        if not trusted:
            self._last_ns = now_ns
            return
        if self._began_ns is None:
            self._began_ns, self._last_ns, self._mean = now_ns, now_ns, sharp.ratio
        passed_s = min(10.0, (now_ns - self._last_ns) / NS)
        time_s = 60.0 if sharp.ratio > self._mean else 86_400.0
        if now_ns - self._began_ns < 60 * NS:
            time_s = 20.0
        self._mean += (sharp.ratio - self._mean) * min(1.0, passed_s / time_s)
        self._last_ns = now_ns
        if now_ns - self._began_ns >= 60 * NS:
            self.best = self._mean


class _TextureBaseline:
    """How much edge each tile usually has, over about five minutes; a cover takes it from most tiles at once."""

    TEXTURED_LEVEL = 2.0
    KEPT_SHARE = 0.35
    FEWEST_TILES = 24
    LEARNED_AFTER_S = 10.0
    FOLLOWS_IN_S = 300.0

    def __init__(self) -> None:
        self._usual: Tiles | None = None
        self._began_ns = 0
        self._last_ns = 0

    def lost_share(self, texture: Tiles) -> float:
        """Share of the textured tiles that lost their edges; NaN while unknown, or where few have any."""
        if self._usual is None or self._last_ns - self._began_ns < self.LEARNED_AFTER_S * NS:
            return float("nan")
        textured = self._usual > self.TEXTURED_LEVEL
        if int(textured.sum()) < self.FEWEST_TILES:
            return float("nan")
        return float((texture[textured] < self.KEPT_SHARE * self._usual[textured]).mean())

    def learn(self, texture: Tiles, now_ns: int, *, trusted: bool) -> None:
        """Follows slow change (dusk, fog); a picture that is suspected is not learned from."""
        if self._usual is None:
            self._usual, self._began_ns, self._last_ns = texture, now_ns, now_ns
            return
        passed_s = min(10.0, (now_ns - self._last_ns) / NS)
        self._last_ns = now_ns
        if trusted:
            young = now_ns - self._began_ns < 3 * self.LEARNED_AFTER_S * NS
            share = min(1.0, passed_s / (self.LEARNED_AFTER_S if young else self.FOLLOWS_IN_S))
            self._usual = self._usual + (texture - self._usual) * np.float32(share)
