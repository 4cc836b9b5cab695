"""The real parts of a mind and the real detector: the one module of the eye that knows them all.

In: what the gateway says of a camera. Out: `MindParts`, and a `Detects` that gives the tracker weak boxes too.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from gateway.model.detections import Detections
from vision.camera_health import CameraHealth
from vision.detector import SHIPPED_MODEL, Detector, open_detector
from vision.detector.tiles import View
from vision.edges.keeping import EdgeStateError
from vision.edges.settings import EdgeSettings
from vision.edges.watch import EdgeWatch
from vision.eye.mind import MindParts
from vision.eye.models import ModelShelf
from vision.eye.pictures import Image, decoded
from vision.eye.watched import Watched
from vision.frame import Frame
from vision.helmets import HelmetWatch
from vision.helmets_settings import settings_at
from vision.tracker import Tracker, TrackerSettings

log = logging.getLogger(__name__)


class SiteDetector:
    """A detector as the eye uses it: boxes down to `TrackerSettings.low_share` of the operating score, because a weak
    box keeps a track alive that a strong one began."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._low = (detector.thresholds * np.float32(TrackerSettings().low_share)).astype(np.float32)

    @property
    def version(self) -> str:
        """Name, version and the digest's beginning."""
        return self._detector.model.version

    @property
    def thresholds(self) -> tuple[float, float, float]:
        """By `SeenClass`; above every score for a class that the model does not know."""
        helmet, head, person = np.minimum(self._detector.thresholds, 2.0).tolist()
        return helmet, head, person

    def detect(self, frames: Sequence[Frame], beside: Sequence[Sequence[View]]) -> list[Detections]:
        """One entry a frame; `beside` it those parts are looked at. Raises ValueError for a picture that is none."""
        return self._detector.detect(frames, beside, self._low)


def open_model(path: Path | None, backend: str, provider: str = "cpu") -> SiteDetector:
    """The shipped model when `path` is None. Raises ValueError that says what is wrong with it."""
    return SiteDetector(open_detector(path or SHIPPED_MODEL, backend, threads=1, provider=provider))


def open_parts(watched: Watched, shelf: ModelShelf, now_ns: int, now_mono_ns: int) -> MindParts:
    """Parts for one camera. Without a usable reference no edge is judged, and that is logged: unknown, not ok. The edge
    check goes on with what it knew before a restart where that still counts; everything else begins anew."""
    settings, survey = watched.settings, watched.survey
    detector = shelf.detector(settings, now_mono_ns)
    scores = detector.thresholds if detector is not None else TrackerSettings().thresholds
    asked = settings_at(settings.analyse_fps, scores, settings.min_head_px, settings.vote_s)
    reference = _reference(watched, watched.reference, "reference picture")
    edges = None
    if survey.edges and reference is not None:
        confirm_s = settings.edge_confirm_s
        average_s = min(EdgeSettings().average_s, confirm_s / 5)
        asked_of_edges = EdgeSettings(confirm_s=confirm_s, average_s=average_s)
        edges = EdgeWatch(survey, reference, asked_of_edges, _night(watched, reference))
        if watched.edge_state:
            _resume(edges, watched, detector.version if detector is not None else "", now_ns)
    grey = None if reference is None else np.asarray(cv2.cvtColor(reference, cv2.COLOR_BGR2GRAY), np.uint8)
    tracker, helmets = Tracker(TrackerSettings(thresholds=scores)), HelmetWatch(asked, survey.zones)
    return MindParts(CameraHealth(), tracker, helmets, edges, grey)


def _resume(edges: EdgeWatch, watched: Watched, model: str, now_ns: int) -> None:
    try:
        edges.resume(watched.edge_state, model, now_ns, watched.settings.edge_resume_s)
    except EdgeStateError as error:
        log.warning("event=edge_state_left camera=%s reason=%r", watched.camera, str(error))
    else:
        log.info("event=edge_state_resumed camera=%s bytes=%d", watched.camera, len(watched.edge_state))


def _night(watched: Watched, reference: Image) -> Image | None:
    """The reference by night. One that cannot be used is logged; the edges are judged by that of the day alone."""
    night = _reference(watched, watched.night, "reference by night")
    if night is None or night.shape == reference.shape:
        return night
    shapes = (night.shape, reference.shape)
    log.error("event=night_reference_unusable camera=%s found=%s expected=%s", watched.camera, *shapes)
    return None


def _reference(watched: Watched, jpeg: bytes, what: str) -> Image | None:
    if not jpeg:
        return None
    try:
        return decoded(jpeg, f"{what} of {watched.camera}")
    except ValueError as error:
        log.error("event=reference_unusable camera=%s reason=%r", watched.camera, str(error))
        return None
