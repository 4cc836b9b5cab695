"""Operating scores of one camera in place of its model's own: numbers alone, never weights. Pure.

A version is never changed; going back makes a new one. They hold for one model with one calibration (`model` is what
goes with every picture), because another model's scores mean something else: for any other they are not used.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from gateway.model.detections import SeenClass

CLASSES: Final = tuple(seen.name.lower() for seen in SeenClass)


class CameraScoresError(ValueError):
    """What was read is no version of a camera's scores."""


@dataclass(frozen=True, slots=True)
class CameraScores:
    """One version. `scores` by class name; a class that is not there keeps the model's own. `instead_of` is the version
    that was in force before it, 0 for the model's own. `back_to` is None but for a roll-back: the version (0: the
    model's own) that is in force again. `figures` say in plain numbers what it was made on. Times UTC ns."""

    camera: str
    version: int
    model: str
    scores: Mapping[str, float]
    made_at_ns: int
    made_by: str
    instead_of: int = 0
    back_to: int | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def in_force(self) -> int:
        """The version whose scores these are: its own number, or that to which it goes back."""
        return self.version if self.back_to is None else self.back_to

    def document(self) -> dict[str, Any]:
        """The scores as plain data that JSON can hold."""
        return asdict(self)


def read_scores(document: object) -> CameraScores:
    """Back from plain data. Raises CameraScoresError that says what is wrong."""
    if not isinstance(document, dict) or set(document) != set(CameraScores.__dataclass_fields__):
        raise CameraScoresError("expected a version of a camera's scores with all its keys and no other")
    scores, whole = document["scores"], (document["version"], document["made_at_ns"], document["instead_of"])
    texts = (document["camera"], document["model"], document["made_by"])
    if not isinstance(scores, dict) or not set(scores) <= set(CLASSES):
        raise CameraScoresError(f"scores: expected numbers by {', '.join(CLASSES)}")
    if not all(isinstance(score, float) and 0.0 < score < 1.0 for score in scores.values()):
        raise CameraScoresError("scores: expected numbers between 0 and 1")
    if not all(isinstance(number, int) and number >= 0 for number in whole) or document["version"] < 1:
        raise CameraScoresError("version, made_at_ns, instead_of: expected whole numbers")
    if not all(isinstance(text, str) and text for text in texts) or not isinstance(document["figures"], dict):
        raise CameraScoresError("camera, model, made_by: expected texts; figures: an object")
    if document["back_to"] is not None and not isinstance(document["back_to"], int):
        raise CameraScoresError("back_to: expected a version or null")
    return CameraScores(**document)
