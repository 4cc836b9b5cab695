"""The detectors of the eye process, each opened once and shared by all cameras that name it.

In: a camera's settings. Out: detections of a batch of frames, or None with a reason that is said. A model that cannot
be loaded is a state, not an end: pictures go on being shown and looked after, nothing is judged, and it is tried again.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.model.camera_scores import CameraScores
from gateway.model.detections import Detections, SeenClass
from vision.detector.tiles import View
from vision.eye.settings import CameraDeviceSettings
from vision.picture.frame import Frame

log = logging.getLogger(__name__)
TRY_AGAIN_NS = 60_000_000_000


Scores = tuple[float, float, float]
"""Operating scores by `SeenClass`."""


class Detects(Protocol):
    """`vision.detector`: a loaded model."""

    @property
    def version(self) -> str:
        """Name, version and digest, for the evidence."""
        ...

    def detect(
        self, frames: Sequence[Frame], beside: Sequence[Sequence[View]], scores: Sequence[Scores] | None = None
    ) -> list[Detections]:
        """One entry a frame; `beside` it those parts of it are looked at. `scores` are the operating ones of each
        frame's camera, the model's own when None."""
        ...

    @property
    def thresholds(self) -> Scores:
        """The operating scores by `SeenClass`."""
        ...

    def low_scores(self, scores: Scores) -> Scores:
        """Down to which boxes are given at these operating scores."""
        ...

    def vote_scores(self, scores: Scores) -> Scores:
        """From which a box begins a track and votes at these operating scores."""
        ...


ModelKey = tuple[str, str, str]
Opener = Callable[[Path | None, str, str], Detects]


def key_of(settings: CameraDeviceSettings) -> ModelKey:
    """What cameras with the same detector share."""
    return str(settings.model or ""), settings.backend, settings.provider


def operating(detector: Detects, own: CameraScores | None) -> Scores:
    """At which scores a camera is judged: its own where they were made for this very model, else the model's."""
    scores = detector.thresholds
    if own is None or own.model != detector.version:
        return scores
    helmet, head, person = (own.scores.get(seen.name.lower(), scores[seen]) for seen in SeenClass)
    return helmet, head, person


@dataclass(slots=True)
class _Shelved:
    detector: Detects | None
    reason: str
    tried_mono_ns: int


class ModelShelf:
    """Opens with `open_model(path or None for the shipped one, backend, provider)`, which may raise ValueError or
    OSError."""

    def __init__(self, open_model: Opener) -> None:
        self._open = open_model
        self._shelved: dict[ModelKey, _Shelved] = {}

    @property
    def failures(self) -> dict[str, str]:
        """Reason by model, for those that cannot be used now."""
        return {key[0] or "shipped": each.reason for key, each in self._shelved.items() if each.detector is None}

    def detector(self, settings: CameraDeviceSettings, now_mono_ns: int) -> Detects | None:
        """The camera's detector; None while it cannot be loaded. A failure is tried again after a minute."""
        key = key_of(settings)
        known = self._shelved.get(key)
        if known is None or (known.detector is None and now_mono_ns - known.tried_mono_ns >= TRY_AGAIN_NS):
            known = self._shelved[key] = self._opened(settings, now_mono_ns)
        return known.detector

    def _opened(self, settings: CameraDeviceSettings, now_mono_ns: int) -> _Shelved:
        try:
            return _Shelved(self._open(settings.model, settings.backend, settings.provider), "", now_mono_ns)
        except (ValueError, OSError, RuntimeError, ImportError) as error:
            reason = f"{type(error).__name__}: {error}"[:500]
            log.error("event=model_failed model=%r reason=%r", str(settings.model or "shipped"), reason)
            return _Shelved(None, reason, now_mono_ns)
