"""The real parts of a mind and the real detector: the one module of the eye that knows them all.

In: what the gateway says of a camera. Out: `MindParts`, and a `Detects` that gives the tracker weak boxes too.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import Detections
from vision.detector import SHIPPED_MODEL, Detector, check_picture, open_detector
from vision.detector.calibrated import calibrated_thresholds, raw_thresholds
from vision.detector.faults import ModelError
from vision.detector.tiles import View
from vision.edges.keeping import EdgeStateError
from vision.edges.settings import EdgeSettings
from vision.edges.taped import guarded, taped_edges
from vision.edges.watch import EdgeWatch
from vision.eye.mind import MindParts
from vision.eye.models import ModelShelf, Scores, operating
from vision.eye.pictures import Image, decoded
from vision.eye.presets import Presets, PresetView
from vision.eye.view_edges import EdgesByView, ViewEdges, split_state
from vision.eye.watched import Drawing, Watched
from vision.health.camera_health import CameraHealth
from vision.helmets.helmets import HelmetWatch
from vision.helmets.settings import settings_at
from vision.people.clothes import ClothesLook, VestColours
from vision.people.clothes_model import open_clothes
from vision.people.settings import HookSettings
from vision.people.watch import PeopleWatch
from vision.picture.finding import FindingKind
from vision.picture.frame import Frame
from vision.tracking.tracker import Tracker, TrackerSettings

log = logging.getLogger(__name__)
HEAD_VOTE_SHARE = 0.8


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
        return self._share_of(scores, (TrackerSettings().low_share,) * 3)

    def vote_scores(self, scores: Scores) -> Scores:
        """From which scores on a box begins a track and votes: less than the operating ones, which are for one picture
        alone. Several frames must agree here."""
        return self._share_of(scores, (HEAD_VOTE_SHARE, HEAD_VOTE_SHARE, 1.0))

    def _share_of(self, scores: Scores, shares: Scores) -> Scores:
        calibration = self._detector.model.entry.calibration
        raw = raw_thresholds(np.array(scores, np.float32), calibration) * np.array(shares, np.float32)
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
    settings = watched.settings
    detector = shelf.detector(settings, now_mono_ns)
    scores = operating(detector, watched.scores) if detector is not None else TrackerSettings().thresholds
    low = detector.low_scores(scores) if detector is not None else None
    votes = detector.vote_scores(scores) if detector is not None else scores
    asked = settings_at(settings.analyse_fps, votes, settings.min_head_px, settings.vote_s)
    tracker, helmets = Tracker(TrackerSettings(thresholds=votes, low=low)), HelmetWatch(asked, watched.survey.zones)
    people = _people(watched)
    opened = _Opened(watched, detector.version if detector is not None else "", now_ns)
    if watched.presets:
        presets, edges = _presets(opened)
        return MindParts(presets, tracker, helmets, edges, None, presets, scores, people)
    only = Drawing(watched.survey, watched.reference, watched.night, watched.edge_state)
    reference = _reference(watched, only.reference, "reference picture")
    if guarded(only.survey) != only.survey:
        edges = _by_view(opened, [(only, reference)])
        edges.look_at("")
        return MindParts(CameraHealth(), tracker, helmets, edges, _grey(reference), None, scores, people)
    watch = None if reference is None else _watch(opened, only, reference)
    return MindParts(CameraHealth(), tracker, helmets, watch, _grey(reference), None, scores, people)


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


@dataclass(frozen=True, slots=True)
class _Opened:
    """For whom parts are opened: by which model of persons, and when."""

    watched: Watched
    model: str
    now_ns: int


def _presets(opened: _Opened) -> tuple[Presets, EdgesByView]:
    """A preset without a usable picture cannot be found: it is never looked at, and that is logged."""
    watched, views, found = opened.watched, [], []
    for drawing in watched.presets:
        reference = _reference(watched, drawing.reference, f"reference picture of {drawing.survey.preset!r}")
        if (grey := _grey(reference)) is not None and reference is not None:
            night = _grey(_night(watched, drawing.night, reference))
            views.append(PresetView(drawing.survey, grey, night, CameraHealth()))
        found.append((drawing, reference))
    edges = _by_view(opened, found)
    return Presets(watched.camera, views, edges, CameraHealth), edges


def _by_view(opened: _Opened, drawings: Sequence[tuple[Drawing, Image | None]]) -> EdgesByView:
    views = []
    for drawing, reference in drawings:
        survey, watch = drawing.survey, None
        held, kept = split_state(survey.preset, drawing.edge_state)
        to_watch = guarded(survey)
        if reference is not None:
            watch = _watch(opened, replace(drawing, survey=to_watch, edge_state=kept), reference)
        blind = watch is None and bool(to_watch.edges)
        views.append(ViewEdges(survey.preset, watch, taped_edges(survey), blind, held))
    return EdgesByView(views)


def _watch(opened: _Opened, drawing: Drawing, reference: Image) -> EdgeWatch | None:
    """The edge check of one drawing; None where no edge is drawn."""
    if not drawing.survey.edges:
        return None
    watched, confirm_s = opened.watched, opened.watched.settings.edge_confirm_s
    average_s = min(EdgeSettings().average_s, confirm_s / 5)
    settings = EdgeSettings(confirm_s=confirm_s, average_s=average_s)
    watch = EdgeWatch(drawing.survey, reference, settings, _night(watched, drawing.night, reference))
    if drawing.edge_state:
        _resume(watch, watched, drawing.edge_state, opened)
    return watch


def _resume(edges: EdgeWatch, watched: Watched, kept: bytes, opened: _Opened) -> None:
    try:
        edges.resume(kept, opened.model, opened.now_ns, watched.settings.edge_resume_s)
    except EdgeStateError as error:
        log.warning("event=edge_state_left camera=%s reason=%r", watched.camera, str(error))
    else:
        log.info("event=edge_state_resumed camera=%s bytes=%d", watched.camera, len(kept))


def _grey(image: Image | None) -> NDArray[np.uint8] | None:
    return None if image is None else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def _night(watched: Watched, jpeg: bytes, reference: Image) -> Image | None:
    """The reference by night. One that cannot be used is logged; the edges are judged by that of the day alone."""
    night = _reference(watched, jpeg, "reference by night")
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
