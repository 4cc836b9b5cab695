"""The real parts of a mind and the real detector: the one module of the eye that knows them all.

In: what the gateway says of a camera. Out: `MindParts`, and a `Detects` that gives the tracker weak boxes too.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import Detections
from vision.camera_health import CameraHealth
from vision.detector import SHIPPED_MODEL, Detector, check_picture, open_detector
from vision.detector.calibrated import calibrated_thresholds, raw_thresholds
from vision.detector.faults import ModelError
from vision.detector.tiles import View
from vision.edges.keeping import EdgeStateError
from vision.edges.settings import EdgeSettings
from vision.edges.watch import EdgeWatch
from vision.eye.mind import MindParts
from vision.eye.models import ModelShelf, Scores, operating
from vision.eye.pictures import Image, decoded
from vision.eye.watched import Watched
from vision.finding import FindingKind
from vision.frame import Frame
from vision.helmets import HelmetWatch
from vision.helmets_settings import settings_at
from vision.people.clothes import ClothesLook, VestColours
from vision.people.clothes_model import open_clothes
from vision.people.settings import HookSettings
from vision.people.watch import PeopleWatch
from vision.tracker import Tracker, TrackerSettings

log = logging.getLogger(__name__)


class SiteDetector:
    """A detector as the eye uses it: boxes down to `TrackerSettings.low_share` of the operating score, because a weak
    box keeps a track alive that a strong one began."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    @property
    def version(self) -> str:
        """Name, version and the digest's beginning."""
        return self._detector.model.version

    @property
    def thresholds(self) -> Scores:
        """By `SeenClass`; above every score for a class that the model does not know."""
        helmet, head, person = np.minimum(self._detector.thresholds, 2.0).tolist()
        return helmet, head, person

    def low_scores(self, scores: Scores) -> Scores:
        """`TrackerSettings.low_share` of the network's own scores, whatever they are mapped to."""
        calibration = self._detector.model.entry.calibration
        raw = raw_thresholds(np.array(scores, np.float32), calibration) * np.float32(TrackerSettings().low_share)
        helmet, head, person = calibrated_thresholds(raw, calibration).tolist()
        return helmet, head, person

    def detect(
        self, frames: Sequence[Frame], beside: Sequence[Sequence[View]], scores: Sequence[Scores] | None = None
    ) -> list[Detections]:
        """One entry a frame; `beside` it those parts are looked at. Raises ValueError for a picture that is none."""
        for frame in frames:
            check_picture(frame.image, frame.camera)
        looks = self._detector.look([frame.image for frame in frames], beside)
        at = [self.thresholds] * len(frames) if scores is None else scores
        return [
            self._detector.detections(frame, look, *self._levels(each))
            for frame, look, each in zip(frames, looks, at, strict=True)
        ]

    def _levels(self, scores: Scores) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """How low candidates are kept, and the operating scores."""
        return np.array(self.low_scores(scores), np.float32), np.array(scores, np.float32)


def open_model(path: Path | None, backend: str, provider: str = "cpu") -> SiteDetector:
    """The shipped model when `path` is None. Raises ValueError that says what is wrong with it."""
    return SiteDetector(open_detector(path or SHIPPED_MODEL, backend, threads=1, provider=provider))


def open_parts(watched: Watched, shelf: ModelShelf, now_ns: int, now_mono_ns: int) -> MindParts:
    """Parts for one camera. Without a usable reference no edge is judged, and that is logged: unknown, not ok. The edge
    check goes on with what it knew before a restart where that still counts; everything else begins anew."""
    settings, survey = watched.settings, watched.survey
    detector = shelf.detector(settings, now_mono_ns)
    scores = operating(detector, watched.scores) if detector is not None else TrackerSettings().thresholds
    low = detector.low_scores(scores) if detector is not None else None
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
    tracker, helmets = Tracker(TrackerSettings(thresholds=scores, low=low)), HelmetWatch(asked, survey.zones)
    return MindParts(CameraHealth(), tracker, helmets, edges, grey, scores, _people(watched))


def _people(watched: Watched) -> PeopleWatch | None:
    """The checks on people that the camera is asked for. A model of clothes that cannot be used is logged; what it
    should judge is unknown then, and vest colours do not take its place."""
    settings, zones = watched.settings, watched.survey.zones
    kinds = [FindingKind(name) for name in settings.checks]
    if not kinds:
        return None
    look = None
    if FindingKind.NO_WORK_CLOTHES in kinds:
        try:
            path = settings.clothes_model
            look = ClothesLook(open_clothes(path, settings.backend) if path else VestColours())
        except ModelError as error:
            log.error("event=clothes_model_failed camera=%s reason=%r", watched.camera, str(error))
    hook = None
    if settings.hook_radius_m:
        hook = HookSettings(
            settings.hook_cranes, settings.hook_radius_m, settings.hook_above_m, settings.hook_ground_z_m
        )
    return PeopleWatch(kinds, settings.analyse_fps, zones, look, hook)


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
