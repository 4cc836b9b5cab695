"""A camera that turns: which of its presets it looks at, and what judges it there.

    frame -> where does it look? (preset_match) -> zones, health, edges of that preset
                                     '-- none --> the whole picture is watched, edges are unknown

Read only: the camera is turned by whoever turns it. Each preset has health of its own, because what is sharp and
textured there is another thing than elsewhere. What its edges know stays while the camera looks elsewhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.survey import Survey, empty_survey
from vision.eye.mind import HealthPart
from vision.eye.view_edges import EdgesByView
from vision.health.preset_match import PresetFinder
from vision.picture.finding import PictureHealth
from vision.picture.frame import Frame

Grey = NDArray[np.uint8]
HIDDEN_SHARE: Final = 0.7
"""Part of the textured places of the picture that lost their outlines, from which it may be covered. Then it is not
taken to look elsewhere: a covered camera would be judged as one of which nothing is known yet."""


@dataclass(frozen=True, slots=True, eq=False)
class PresetView:
    """One preset: what is drawn there, on which picture, and the health of the camera while it looks there."""

    survey: Survey
    reference: Grey
    night: Grey | None
    health: HealthPart

    @property
    def pictures(self) -> tuple[Grey, ...]:
        """What it may look like."""
        return (self.reference,) if self.night is None else (self.reference, self.night)


class Presets:
    """The presets of one camera, and the health part of its mind."""

    def __init__(
        self, camera: str, views: Sequence[PresetView], edges: EdgesByView, open_health: Callable[[], HealthPart]
    ) -> None:
        self._views, self._edges = views, edges
        self._finder = PresetFinder([view.pictures for view in views])
        self._nothing, self._open_health = empty_survey(camera), open_health
        self._elsewhere = open_health()
        self._here: PresetView | None = None
        self._hidden = False

    @property
    def preset(self) -> str | None:
        """The one that is looked at."""
        return None if self._here is None else self._here.survey.preset

    @property
    def survey(self) -> Survey:
        """What is drawn where it looks; the empty survey at no preset."""
        return self._nothing if self._here is None else self._here.survey

    @property
    def reference(self) -> Grey | None:
        """The view that is drawn on; None at no preset."""
        return None if self._here is None else self._here.reference

    @property
    def state_of(self) -> str:
        """The preset whose edges are kept next."""
        return self._edges.state_of

    def turn(self, frame: Frame, now_mono_ns: int) -> bool:
        """Find out where it looks. Whether that is another place than before."""
        if not self._finder.due(now_mono_ns):
            return False
        grey = np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY), np.uint8)
        row = self._finder.step(grey, now_mono_ns)
        here = None if row is None else self._views[row]
        if here is self._here or (here is None and self._hidden):
            return False
        self._here, self._hidden = here, False
        if here is None:
            self._elsewhere = self._open_health()
        self._edges.look_at(self.preset)
        return True

    def look(self, frame: Frame | None, reference: Grey | None, now_ns: int, now_mono_ns: int) -> PictureHealth:
        """What is wrong with the picture, by what is known of this view."""
        if self._here is None:
            return self._elsewhere.look(frame, reference, now_ns, now_mono_ns)
        health = self._here.health.look(frame, reference, now_ns, now_mono_ns)
        self._hidden = not health.usable and health.figures.get("texture_lost_share", 0.0) > HIDDEN_SHARE
        return health
