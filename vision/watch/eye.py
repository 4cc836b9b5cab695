"""What `sitewarden vision watch` and the benchmark of clips look with: the same parts as the gateway's eye, and all
that they know of a frame, to be drawn or counted.

In: frames. Out: a `Sight` of each.

    frame -> health -> (usable?) -> detector -> cut? -> tracker -> helmet rule, edges -> Sight
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import Detections, SeenClass
from gateway.model.survey import Survey
from vision.detector.rounds import TileRound
from vision.detector.tiles import View
from vision.health.camera_health import CameraHealth
from vision.helmets.helmets import HelmetWatch, TrackView
from vision.helmets.settings import HelmetSettings
from vision.picture.finding import Finding, PictureHealth
from vision.picture.frame import Frame
from vision.picture.scene_cut import SceneCut
from vision.tracking.tracker import Tracker, TrackerSettings


class Looks(Protocol):
    """A detector that gives weak boxes too (`vision.eye.parts.SiteDetector`)."""

    @property
    def thresholds(self) -> tuple[float, float, float]:
        """Operating scores by `SeenClass`."""
        ...

    def low_scores(self, scores: tuple[float, float, float]) -> tuple[float, float, float]:
        """Down to which boxes are given at these operating scores."""
        ...

    def vote_scores(self, scores: tuple[float, float, float]) -> tuple[float, float, float]:
        """From which a box begins a track and votes at these operating scores."""
        ...

    def detect(self, frames: list[Frame], beside: list[tuple[View, ...]]) -> list[Detections]:
        """One entry a frame; `beside` it those parts of it are looked at."""
        ...


class LooksAtEdges(Protocol):
    """`vision.edges.EdgeWatch`."""

    def step(
        self, frame: Frame, persons_xyxy_px: NDArray[np.float32], usable: bool, now_ns: int
    ) -> tuple[Finding, ...]:
        """Which edges are open, by place."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One frame as it was judged. `views` are its heads, `cut` says that it began another scene."""

    frame: Frame
    detections: Detections | None
    views: tuple[TrackView, ...]
    findings: tuple[Finding, ...]
    health: PictureHealth
    cut: bool


class WatchEye:
    """One source's eye. Frames in order of time."""

    def __init__(
        self,
        detector: Looks,
        survey: Survey,
        settings: HelmetSettings | None = None,
        edges: LooksAtEdges | None = None,
        reference: NDArray[np.uint8] | None = None,
    ) -> None:
        self._detector = detector
        self._edges = edges
        self._reference = reference
        self._health = CameraHealth()
        self._cut = SceneCut()
        self._round = TileRound()
        low, votes = detector.low_scores(detector.thresholds), detector.vote_scores(detector.thresholds)
        self._tracker = Tracker(TrackerSettings(thresholds=votes, low=low))
        self.helmets = HelmetWatch(settings or HelmetSettings(thresholds=votes), survey.zones)

    def look(self, frame: Frame) -> Sight:
        """Judge the next frame."""
        now_ns = frame.captured_at_ns
        health = self._health.look(frame, self._reference, now_ns, now_ns)
        cut = self._cut.step(frame.image)
        if cut:
            self._tracker.reset()
            self.helmets.new_view()
        seen = None
        if health.usable:
            beside = self._round.next(frame.width_px, frame.height_px, None, now_ns)
            seen = self._tracker.step(self._detector.detect([frame], [beside])[0], frame.session)
        findings = self.helmets.step(seen, health.usable, now_ns)
        if self._edges is not None:
            findings += self._edges.step(frame, _persons(seen), health.usable, now_ns)
        return Sight(frame, seen, self.helmets.seen(), findings, health, cut)


def _persons(seen: Detections | None) -> NDArray[np.float32]:
    if seen is None:
        return np.zeros((0, 4), np.float32)
    rows = seen.of_class(SeenClass.PERSON)
    return seen.boxes_xyxy_px[rows[seen.track_id[rows] >= 0]]
