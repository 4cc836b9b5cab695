"""Health of a camera's picture: offline, black, frozen, blurred, hazy, covered, moved, and more.

    frame -> sample (once) -> levels, sharpness, grain, edges --.
                              repeats, view, clock -------------+-> raw truths -> dwell -> PictureHealth

In: one frame (or none), the reference view of the survey, and both clocks. Out: every ailment TRUE, FALSE or UNKNOWN,
and whether the picture may be judged. What cannot be measured in this picture is UNKNOWN: a black picture is neither
sharp nor blurred. One cause is named, not all that follow from it: in fog nothing is covered. A grey picture is taken
for one under infrared light; it has limits and a usual sharpness of its own. `usable` falls with the first bad
look; an ailment is said only once it has lasted. State is bounded (see `picture_repeats`). Pure; knows no stream, no
model and no settings file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gateway.model.picture import CameraLink
from gateway.model.verdict import Truth
from vision.health.dwell import Dwell, DwellTimes
from vision.health.picture_limits import DAY, INFRARED, PictureLimits
from vision.health.picture_measures import (
    Grey,
    Levels,
    PictureSample,
    Sharpness,
    grain,
    levels,
    sample_picture,
    sharpness,
)
from vision.health.picture_repeats import FrozenWatch, ReplayWatch
from vision.health.picture_usual import UsualEdges
from vision.health.view_match import ViewMatch
from vision.picture.finding import Ailment, PictureHealth
from vision.picture.frame import Frame

NS = 1_000_000_000
OFF_NEARER = 1 / 7
BLOCKY_SHARPNESS = (0.5, 0.85)
"""Of its own sharpness a picture keeps so much at a low bit rate. One that lost its noise alone keeps all; a soft lens
takes more, and with it grain and fine edges, which is neither a low bit rate nor dirt."""
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
        Ailment.COVERED: DwellTimes(30.0, 5.0),
        Ailment.MOVED: DwellTimes(30.0, 15.0),
        Ailment.CLOCK_WRONG: DwellTimes(30.0, 30.0),
        Ailment.REPLAYED: DwellTimes(0.0, 60.0),
        Ailment.NOISY: DwellTimes(30.0, 15.0),
        Ailment.HAZY: DwellTimes(30.0, 15.0),
        Ailment.BLOCKY: DwellTimes(30.0, 15.0),
        Ailment.DIRTY: DwellTimes(60.0, 15.0),
        Ailment.TORN: DwellTimes(5.0, 15.0),
    }


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """Limits of the ailments. Levels are grey 0..255; a limit pair is (on, off), so that a value between them changes
    nothing. `moved_share` is a share of the frame's width: less is sway. `day` and `infrared` are from where on the
    detector fails; `colour_level` is the mean distance of a pixel's channels below which the light is infrared."""

    offline_after_s: float = 5.0
    frozen_after_s: float = 30.0
    black_level: tuple[float, float] = (24.0, 30.0)
    burnt_share: tuple[float, float] = (0.55, 0.4)
    bleached_level: tuple[float, float] = (225.0, 215.0)
    colour_level: tuple[float, float] = (2.5, 5.0)
    least_contrast: float = 16.0
    moved_share: float = 0.02
    clock_off_s: tuple[float, float] = (5.0, 3.0)
    day: PictureLimits = DAY
    infrared: PictureLimits = INFRARED
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
        self._infrared = False
        self._focus = {infrared: _FocusBaseline() for infrared in (False, True)}
        self._start_view(None)
        self._size: tuple[int, int] = (0, 0)

    def _start_view(self, reference: Grey | None) -> None:
        """Another light shows other edges; another survey says that what is seen now is the view."""
        self._reference = reference
        self._edges = UsualEdges()
        self._flat = _UsualFlat()

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
        sharp = self._least_sharp(sample)
        figures |= {"bright": light.high, "contrast_share": sharp.contrast / max(1.0, light.high)}
        infrared = self._is_infrared(sample, light, figures["contrast_share"])
        if infrared is not self._infrared or reference is not self._reference:
            self._start_view(reference)
        self._infrared = infrared
        truths = self._light_truths(light)
        dark = Truth.TRUE in (truths[Ailment.BLACK], truths[Ailment.UNDEREXPOSED])
        truths |= self._lens_truths(sample, sharp, dark, now_mono_ns, figures)
        truths[Ailment.FROZEN] = self._frozen.step(sample, frame.seq, now_mono_ns)
        truths[Ailment.REPLAYED] = self._replay.step(sample, now_mono_ns)
        truths[Ailment.MOVED] = self._moved(sample, reference, truths, dark)
        figures |= {"level": light.mean, "burnt_share": light.burnt_share}
        figures |= {"shift_share": self._view.shift_share, "replay_lag_s": self._replay.lag_s}
        figures["infrared"] = float(self._infrared)
        return truths

    def _is_infrared(self, sample: PictureSample, light: Levels, contrast_share: float) -> bool:
        """Fog, a cloth on the lens and darkness are grey in any light: a picture without contrast changes nothing."""
        on, off = self._settings.colour_level
        if self._infrared:
            return sample.colour < off
        lit = light.highest > self._settings.black_level[1]
        return lit and sample.colour < on and contrast_share > self._settings.day.contrast_share

    @property
    def _limits(self) -> PictureLimits:
        return self._settings.infrared if self._infrared else self._settings.day

    def _light_truths(self, light: Levels) -> dict[Ailment, Truth]:
        black = self._below(Ailment.BLACK, light.highest, self._settings.black_level)
        dim = self._below(Ailment.UNDEREXPOSED, light.high, _from_below(self._limits.bright))
        burnt = self._above(Ailment.OVEREXPOSED, light.burnt_share, self._settings.burnt_share)
        bleached = self._above(Ailment.OVEREXPOSED, light.low, self._settings.bleached_level)
        return {
            Ailment.BLACK: black,
            Ailment.UNDEREXPOSED: Truth.UNKNOWN if black is Truth.TRUE else dim,
            Ailment.OVEREXPOSED: Truth.TRUE if Truth.TRUE in (burnt, bleached) else Truth.FALSE,
        }

    def _lens_truths(
        self, sample: PictureSample, sharp: Sharpness, dark: bool, now_mono_ns: int, figures: dict[str, float]
    ) -> dict[Ailment, Truth]:
        """What the detail of the picture says, cause before consequence. Nothing is learned from what is suspected."""
        focus, limits = self._focus[self._infrared], self._limits
        hidden, finest = self._edges.compare(sample.thumb, now_mono_ns), grain(sample)
        figures |= {"sharpness": sharp.ratio, "sharpness_share": sharp.ratio / focus.best}
        figures |= {"contrast": sharp.contrast, "noise": finest.noise}
        soft, softened = (sharp.ratio < share * focus.best for share in BLOCKY_SHARPNESS)
        flat_gain = self._flat.gain(finest.flat_share) if softened and not soft else 0.0
        hurt_share = 0.0 if soft else hidden.hurt_share
        figures |= {"flat_gain": flat_gain, "dead_share": finest.dead_share}
        figures |= {"gone_share": hidden.gone_share, "hurt_share": hurt_share}
        truths = {
            Ailment.TORN: self._above(Ailment.TORN, finest.dead_share, _from_above(limits.dead_share)),
            Ailment.COVERED: self._known_above(Ailment.COVERED, hidden.gone_share, limits.gone_share),
            Ailment.BLURRED: self._blurred(sharp, focus.best, limits),
            Ailment.HAZY: self._below(Ailment.HAZY, figures["contrast_share"], _from_below(limits.contrast_share)),
            Ailment.NOISY: self._above(Ailment.NOISY, finest.noise, _from_above(limits.noise)),
            Ailment.BLOCKY: self._known_above(Ailment.BLOCKY, flat_gain, limits.flat_gain),
            Ailment.DIRTY: self._known_above(Ailment.DIRTY, hurt_share, limits.hurt_share),
        }
        thin = sharp.contrast < self._settings.least_contrast
        if truths[Ailment.HAZY] is Truth.TRUE and truths[Ailment.BLURRED] is Truth.FALSE and not thin:
            truths[Ailment.COVERED] = Truth.UNKNOWN  # fog leaves a little of everything, and sharp; a cloth does not
        truths = dict.fromkeys(truths, Truth.UNKNOWN) if dark else _first_cause(truths)
        well = not dark and Truth.TRUE not in truths.values()
        self._edges.learn(sample.thumb, now_mono_ns, trusted=well)
        self._flat.learn(finest.flat_share, now_mono_ns, trusted=well)
        focus.learn(sharp, now_mono_ns, trusted=well and truths[Ailment.BLURRED] is Truth.FALSE)
        return truths

    def _least_sharp(self, sample: PictureSample) -> Sharpness:
        """Along rows or along columns, whichever is less sharp; a direction without contrast does not count."""
        across, down = sharpness(sample.rows[::4]), sharpness(sample.columns)
        return down if down.contrast >= self._settings.least_contrast and down.ratio < across.ratio else across

    def _blurred(self, sharp: Sharpness, best_ratio: float, limits: PictureLimits) -> Truth:
        if sharp.contrast < self._settings.least_contrast:
            return Truth.UNKNOWN
        by_itself = self._below(Ailment.BLURRED, sharp.ratio, _from_below(limits.sharpness))
        if by_itself is Truth.TRUE or not np.isfinite(best_ratio):
            return by_itself
        return self._below(Ailment.BLURRED, sharp.ratio / best_ratio, _from_below(limits.sharpness_share))

    def _moved(
        self, sample: PictureSample, reference: Grey | None, truths: Mapping[Ailment, Truth], dark: bool
    ) -> Truth:
        """A picture that shows nothing cannot say where the camera looks."""
        spoilt = (Ailment.BLACK, Ailment.BLURRED, Ailment.OVEREXPOSED, Ailment.COVERED, Ailment.HAZY, Ailment.TORN)
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

    def _known_above(self, ailment: Ailment, value: float, limit: float) -> Truth:
        return self._above(ailment, value, _from_above(limit)) if np.isfinite(value) else Truth.UNKNOWN

    def _below(self, ailment: Ailment, value: float, limits: tuple[float, float]) -> Truth:
        limit = limits[1] if self._raw[ailment] is Truth.TRUE else limits[0]
        return Truth.TRUE if value < limit else Truth.FALSE


def _from_above(limit: float) -> tuple[float, float]:
    return limit, limit * (1 - OFF_NEARER)


def _from_below(limit: float) -> tuple[float, float]:
    return limit, limit * (1 + OFF_NEARER)


def _first_cause(truths: Mapping[Ailment, Truth]) -> dict[Ailment, Truth]:
    """The first that is TRUE leaves the later ones UNKNOWN: what follows from it says nothing."""
    ailments = list(truths)
    first = next((number for number, ailment in enumerate(ailments) if truths[ailment] is Truth.TRUE), len(ailments))
    return {ailment: truths[ailment] if n <= first else Truth.UNKNOWN for n, ailment in enumerate(ailments)}


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


class _UsualFlat:
    """How much of the picture is usually without any grain, over about five minutes."""

    FOLLOWS_IN_S = 300.0
    LEAST_SHARE = 0.5

    def __init__(self) -> None:
        self._mean = float("nan")
        self._last_ns = 0

    def gain(self, flat_share: float) -> float:
        """Share of the usual grain that is gone; NaN before the second picture. 0 while half of it is there."""
        if flat_share < self.LEAST_SHARE:
            return 0.0
        return 1 - (1 - flat_share) / max(0.05, 1 - self._mean)

    def learn(self, flat_share: float, now_ns: int, *, trusted: bool) -> None:
        """A picture that is suspected is not learned from."""
        passed_s = min(10.0, (now_ns - self._last_ns) / NS)
        self._last_ns = now_ns
        if not np.isfinite(self._mean):
            self._mean = flat_share
        elif trusted:
            self._mean += (flat_share - self._mean) * passed_s / self.FOLLOWS_IN_S
