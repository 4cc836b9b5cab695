"""Parts of a camera's mind that say what a test tells them, and frames and slots without a camera."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import Detections
from gateway.model.survey import Survey, Zone, empty_survey
from gateway.model.verdict import Truth
from vision.detector.tiles import View
from vision.eye.mind import MindParts
from vision.eye.models import Scores
from vision.eye.settings import CameraDeviceSettings
from vision.eye.watched import Watched
from vision.helmets.people import People
from vision.picture.finding import Ailment, Finding, FindingKind, PictureHealth
from vision.picture.frame import Frame

WELL = dict.fromkeys(Ailment, Truth.FALSE)
NOW_NS = 1_790_000_000_000_000_000
SECOND_NS = 1_000_000_000
NOBODY = People(0.1)


def frame(camera: str, seq: int, seed: int = 0, size: tuple[int, int] = (120, 160)) -> Frame:
    """Noise; another seed, another picture."""
    image = np.random.default_rng(seed).integers(0, 255, (*size, 3), dtype=np.uint8)
    at_ns = NOW_NS + seq * SECOND_NS // 5
    return Frame(camera, seq, at_ns, at_ns, False, 1, image)


def boxes(of: Frame, *rows: tuple[float, float, float, float, int]) -> Detections:
    """Boxes x1, y1, x2, y2, class; all certain."""
    n = len(rows)
    sides = np.array([row[:4] for row in rows], np.float32).reshape(n, 4)
    codes = np.array([row[4] for row in rows], np.uint8)
    score, tracks = np.ones(n, np.float32), np.full(n, -1, np.int32)
    return Detections(of.camera, of.seq, of.captured_at_ns, of.width_px, of.height_px, sides, score, codes, tracks)


def watched(camera: str = "cam-1", survey: Survey | None = None, **settings: object) -> Watched:
    asked = {"id": camera, "link": camera, "asset": camera, "table": "site-camera"} | settings
    return Watched(camera, "", CameraDeviceSettings.model_validate(asked), survey or empty_survey(camera))


@dataclass
class ToldHealth:
    """As it is told; counts its looks."""

    health: PictureHealth = field(default_factory=lambda: PictureHealth(WELL, True, {"clock_offset_s": 0.25}))
    frames: int = 0
    without: int = 0

    def look(
        self, frame: Frame | None, reference: NDArray[np.uint8] | None, now_ns: int, now_mono_ns: int
    ) -> PictureHealth:
        self.frames += frame is not None
        self.without += frame is None
        return self.health


class CountingTracker:
    """Numbers the boxes of a frame from 1."""

    def step(self, detections: Detections, session: int | None = None) -> Detections:
        return replace(detections, track_id=np.arange(1, len(detections) + 1, dtype=np.int32))

    def reset(self) -> None:
        """Numbers begin again with every frame anyway."""


@dataclass
class ToldHelmets:
    """Says what it is told, and keeps what it was asked."""

    findings: tuple[Finding, ...] = ()
    asked: list[tuple[int, bool]] = field(default_factory=list)
    zones: Sequence[Zone] = ()
    views: int = 0
    people: People | None = NOBODY

    def step(self, detections: Detections, usable: bool, now_ns: int) -> tuple[Finding, ...]:
        self.asked.append((len(detections), usable))
        return self.findings

    def use_zones(self, zones: Sequence[Zone]) -> None:
        self.zones = zones

    def new_view(self) -> None:
        self.views += 1


@dataclass
class ToldEdges:
    """The same for edges; keeps how many persons it was shown."""

    findings: tuple[Finding, ...] = ()
    persons: list[int] = field(default_factory=list)

    def kept(self, model: str, now_ns: int) -> bytes:
        return f"{model} {now_ns}".encode()

    def step(
        self, frame: Frame, persons_xyxy_px: NDArray[np.float32], usable: bool, now_ns: int
    ) -> tuple[Finding, ...]:
        self.persons.append(len(persons_xyxy_px))
        return self.findings


def parts(**given: object) -> MindParts:
    """All well, nothing found, but for what is given."""
    told = {"health": ToldHealth(), "tracker": CountingTracker(), "helmets": ToldHelmets(), "edges": None}
    return MindParts(**{**told, "reference": None, **given})  # type: ignore[arg-type]


def bare_head(place: int = 1, truth: Truth = Truth.TRUE, fired: bool = False) -> Finding:
    about = {"zone": "yard", "track": 7, "frames": 26}
    return Finding(FindingKind.BARE_HEAD, place, truth, 1.0, (10.0, 20.0, 30.0, 44.0), about, fired)


def edge_open(metres: float, place: int = 1, fired: bool = False) -> Finding:
    about = {"edge": "north-edge", "from_m": 6.0, "to_m": 6.0 + metres, "what": "missing"}
    return Finding(FindingKind.EDGE_OPEN, place, Truth.TRUE, metres, (60.0, 40.0, 90.0, 60.0), about, fired)


@dataclass
class ToldModel:
    """A detector: what it says by camera, and an error where there is one."""

    version: str = "test 1 abc"
    thresholds: tuple[float, float, float] = (0.5, 0.5, 0.5)
    heads: dict[str, int] = field(default_factory=dict)
    poison: frozenset[str] = frozenset()
    batches: list[list[str]] = field(default_factory=list)
    beside: list[list[tuple[View, ...]]] = field(default_factory=list)
    scores: list[list[Scores]] = field(default_factory=list)

    def low_scores(self, scores: Scores) -> Scores:
        return scores

    def vote_scores(self, scores: Scores) -> Scores:
        return scores

    def detect(
        self, frames: Sequence[Frame], beside: Sequence[Sequence[View]], scores: Sequence[Scores] | None = None
    ) -> list[Detections]:
        self.batches.append([each.camera for each in frames])
        self.scores.append(list(scores or ()))
        self.beside.append([tuple(views) for views in beside])
        if bad := self.poison.intersection(each.camera for each in frames):
            raise ValueError(f"{min(bad)}: not a picture")
        row = (5.0, 5.0, 25.0, 30.0, 1)
        return [boxes(each, *[row] * self.heads.get(each.camera, 0)) for each in frames]


@dataclass
class HandSlot:
    """A slot that a test fills by hand."""

    newest_frame: Frame | None = None
    closed: bool = False
    taken: int = 0

    def newest(self, after_seq: int = 0, session: int | None = None) -> Frame | None:
        found = self.newest_frame
        if found is None or (found.seq <= after_seq and session in (None, found.session)):
            return None
        self.taken += 1
        return found

    def close(self) -> None:
        self.closed = True


def opener(model: ToldModel | None, reason: str = "no such file"):
    """Opens the model, or fails with the reason."""

    def open_model(path: Path | None, backend: str, provider: str) -> ToldModel:
        if model is None:
            raise ValueError(reason)
        return model

    return open_model
