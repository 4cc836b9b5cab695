"""What the camera pages know: how each camera is, what it sees and measures, which alarms are about it.

In: the eyes (None where no camera is configured) and the view over the box. Out: rows for templates. What nobody knows
is None or NaN and never a zero. Knows no HTTP and no HTML.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Final

from gateway.model.alarm import Alarm
from gateway.model.picture import CameraLink, CameraState, Picture
from gateway.model.quantity import Point
from gateway.model.reading import Quality
from gateway.parts.camera.sight_view import SightView, sight_view
from gateway.ports import Eyes
from gateway.store.alarm_history import AlarmHistory, Chosen
from gateway.web.read_model import BoxView

BLIND: Final = frozenset(
    {"black", "frozen", "blurred", "overexposed", "underexposed", "covered"}
    | {"replayed", "noisy", "hazy", "blocky", "dirty", "torn"}
)
"""Ailments with which nothing can be judged; the same as `vision` calls not usable, but for a camera that moved."""
MOST_EVENTS: Final = 20
LOOKED_THROUGH: Final = 200
"""Closed alarms of the camera's asset: a pit with a camera has others too."""


@dataclass(frozen=True, slots=True)
class ShownCamera:
    """A camera on a page. `since_s` is how long its link has been as it is; NaN figures are not known."""

    state: CameraState
    since_s: float
    alarms: tuple[Alarm, ...]

    @property
    def live(self) -> bool:
        """Whether frames of this camera arrive now."""
        return self.state.link is CameraLink.LIVE

    @property
    def blind(self) -> bool:
        """Nothing can be judged: no frames, or a picture in which nothing is to be seen."""
        return not self.live or bool(BLIND.intersection(self.state.ailing))

    @property
    def grave(self) -> bool:
        """Blind where dangerous works are watched."""
        return self.blind and self.state.dangerous_works

    @property
    def judging(self) -> bool:
        """How often it is judged is known."""
        return isfinite(self.state.judged_per_s)


@dataclass(frozen=True, slots=True)
class CameraFigure:
    """A point of the camera's device now. `value` counts only when `known`; `age_s` is NaN before the first."""

    point: Point
    value: float
    known: bool
    age_s: float


class CameraDesk:
    """Answers the camera pages' questions. `eyes` gives the cameras as they are now; None: none is configured."""

    def __init__(self, view: BoxView, eyes: Callable[[], Eyes | None]) -> None:
        self.view = view
        self._eyes = eyes

    @property
    def eyes(self) -> Eyes | None:
        """The eyes of the box, None where it has none."""
        return self._eyes()

    def cameras(self) -> list[ShownCamera]:
        """All of them, in the order of the site file."""
        eyes = self.eyes
        return [] if eyes is None else [self._shown(state) for state in eyes.cameras()]

    def camera(self, name: str) -> ShownCamera | None:
        """One camera of the site by its name."""
        return next((each for each in self.cameras() if each.state.camera == name), None)

    def of_asset(self, asset: str) -> list[ShownCamera]:
        """The cameras that stand on an asset, for the plan."""
        return [each for each in self.cameras() if each.state.asset == asset]

    def still(self, name: str) -> Picture | None:
        """The newest still, faces blurred. Raises KeyError for an unknown camera."""
        eyes = self.eyes
        if eyes is None:
            raise KeyError(name)
        return eyes.still(name)

    def sight(self, name: str) -> SightView:
        """Of whom it could tell whether a helmet is worn. Raises KeyError for an unknown camera."""
        eyes = self.eyes
        if eyes is None:
            raise KeyError(name)
        return sight_view(eyes.sight(name, self.view.parts.clock.now_ns()))

    def figures(self, name: str) -> list[CameraFigure]:
        """Every point of the camera's device, as measured last."""
        parts = self.view.parts
        mono_ns, window = parts.clock.monotonic_ns(), parts.window
        stale, age_s = window.stale(mono_ns), window.age_s(mono_ns)
        found = []
        for index, point in enumerate(parts.points.points):
            if point.device == name:
                value = float(window.value[index])
                known = not stale[index] and window.quality[index] != Quality.BAD and isfinite(value)
                found.append(CameraFigure(point, value, bool(known), float(age_s[index])))
        return found

    def alarms(self, name: str) -> tuple[Alarm, ...]:
        """The open alarms about the camera or a point of it, gravest and newest first."""
        return tuple(alarm for alarm in self.view.shown_alarms() if self._about(alarm.subject, name))

    def past(self, shown: ShownCamera) -> list[Alarm]:
        """The last closed alarms about it, newest first. Asks the database: from a thread."""
        history = AlarmHistory(self.view.parts.alerts.path)
        found = history.closed(Chosen(shown.state.asset), None, LOOKED_THROUGH)
        return [alarm for alarm in found if self._about(alarm.subject, shown.state.camera)][:MOST_EVENTS]

    def _about(self, subject: str, name: str) -> bool:
        points = self.view.parts.points
        index = points.index_of.get(subject)
        return subject == name if index is None else points[index].device == name

    def _shown(self, state: CameraState) -> ShownCamera:
        since_s = (self.view.parts.clock.now_ns() - state.since_ns) / 1e9 if state.since_ns else float("nan")
        return ShownCamera(state, since_s, self.alarms(state.camera))
