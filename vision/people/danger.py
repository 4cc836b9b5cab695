"""Who stands in a drawn danger zone, and who under a hook that carries a load: each one frame's say. Pure geometry.

        o  person              feet: the middle of the lower edge of the box. Whoever is cut off by the lower edge of
       /|\\                     the frame has them elsewhere: inside, that cannot be told.
       / \\
    ====x====  ground          under the hook: feet -> site metres by the ground's corners, then the distance to the
    .--( + )--.  circle        point below the hook. A foot is known to a few pixels, far away that is metres: what lies
    '---------'  radius_m      between "inside" and "inside or not" cannot be told.

In: persons of a frame, zones, where the hooks are. Out: `Told`s. No memory.
"""

from collections.abc import Mapping, Sequence
from math import isfinite, isnan

import numpy as np

from gateway.model.hook import HookPose
from gateway.model.survey import Zone, ZoneUse
from vision.people.persons import Person
from vision.people.settings import HookSettings
from vision.people.votes import Say, Told
from vision.survey.ground import Floats, Ground, ground_of
from vision.survey.zones import inside

FOOT_SHARE, FOOT_PX = 0.03, 1.0
"""How well the lower edge of a box tells the feet: of its height, and at least."""
SECOND_NS = 1_000_000_000


class DangerZones:
    """The danger zones of one version of a survey; falsy without any."""

    def __init__(self, zones: Sequence[Zone]) -> None:
        self._zones = [(zone, _outline(zone)) for zone in zones if zone.use is ZoneUse.DANGER]

    def __bool__(self) -> bool:
        return bool(self._zones)

    def told(self, persons: Sequence[Person]) -> list[Told]:
        """What the frame says of everybody in it."""
        return [self._of(person) for person in persons]

    def _of(self, person: Person) -> Told:
        for zone, outline in self._zones:
            if inside(person.feet, outline)[0]:
                say = Say.CANNOT_TELL if person.without_feet else Say.YES
                return Told(person.track, say, person.box_px, zone.zone_id, {"zone": zone.zone_id, "title": zone.title})
        return Told(person.track, Say.NO, person.box_px)


class HookZones:
    """The circles below the hooks, on the ground of one version of a survey; falsy where no ground is surveyed."""

    def __init__(self, settings: HookSettings, zones: Sequence[Zone]) -> None:
        self._settings = settings
        self._grounds = [ground_of(zone) for zone in zones if zone.use is ZoneUse.GROUND]
        self._hooks: Mapping[str, HookPose] = {}

    def __bool__(self) -> bool:
        return bool(self._grounds)

    def use(self, hooks: Sequence[HookPose]) -> None:
        """Take in where the cranes' hooks are now."""
        self._hooks = {hook.crane: hook for hook in hooks}

    def known(self, now_mono_ns: int) -> Mapping[str, bool]:
        """For each crane that is asked for, whether it is known where its hook is."""
        return {crane: self._fresh(crane, now_mono_ns) is not None for crane in self._settings.cranes}

    def told(self, persons: Sequence[Person], now_mono_ns: int) -> list[Told]:
        """What the frame says of everybody who stands on surveyed ground; nothing of the others."""
        found = [self._fresh(crane, now_mono_ns) for crane in self._settings.cranes]
        hooks = [hook for hook in found if hook is not None and self._dangerous(hook)]
        said = []
        for person in persons:
            ground = next((each for each in self._grounds if each.holds(person.feet)[0]), None)
            if ground is not None:
                said.append(self._of(person, ground, hooks))
        return said

    def _of(self, person: Person, ground: Ground, hooks: Sequence[HookPose]) -> Told:
        """The nearest hook decides."""
        if not hooks:
            return Told(person.track, Say.NO, person.box_px)
        place = ground.site_m(person.feet)[0]
        away = [float(np.hypot(place[0] - hook.x_m, place[1] - hook.y_m)) for hook in hooks]
        nearest = int(np.argmin(away))
        away_m, error_m = away[nearest], _error_m(person, ground)
        about: dict[str, str | int | float] = {
            "crane": hooks[nearest].crane,
            "away_m": round(away_m, 1),
            "error_m": round(error_m, 1),
        }
        return Told(person.track, self._say(away_m, error_m), person.box_px, ground.zone_id, about)

    def _say(self, away_m: float, error_m: float) -> Say:
        radius_m = self._settings.radius_m
        if not away_m <= radius_m + error_m:
            return Say.NO
        return Say.YES if away_m <= radius_m and error_m <= radius_m else Say.CANNOT_TELL

    def _fresh(self, crane: str, now_mono_ns: int) -> HookPose | None:
        hook = self._hooks.get(crane)
        if hook is None or not (isfinite(hook.x_m) and isfinite(hook.y_m)):
            return None
        return hook if now_mono_ns - hook.at_mono_ns <= self._settings.stale_s * SECOND_NS else None

    def _dangerous(self, hook: HookPose) -> bool:
        """A load hangs, and high enough; both count as so where they are not known."""
        settings = self._settings
        return hook.loaded != 0.0 and (isnan(hook.z_m) or hook.z_m - settings.ground_z_m > settings.above_m)


def _error_m(person: Person, ground: Ground) -> float:
    """How far from where they seem to stand the feet may be; endless for somebody cut off by the frame."""
    if person.without_feet:
        return float("inf")
    off_px = max(FOOT_PX, FOOT_SHARE * person.height_px)
    off = np.array([off_px / person.frame_width_px, off_px / person.frame_height_px])
    spread_m = ground.spread_m(person.feet[0], off)
    return ground.error_m + (spread_m if isfinite(spread_m) else float("inf"))


def _outline(zone: Zone) -> Floats:
    return np.array(zone.outline, dtype=np.float64)
