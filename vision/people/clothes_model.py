"""A model of work clothes: its card, its bytes whose digest holds, and its scores of torsos.

In: the path of a card. Out: `ClothesModel`, which tells one's own clothes from work clothes. None is shipped: what was
trained on the labels at hand is no better than a guess on cameras that it has not seen (docs/people.md). Whoever has
labels of their own trains one with `vision.training.clothes`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vision.detector.engine import Backend, Engine, open_engine
from vision.detector.faults import ModelError
from vision.people.clothes import Limits

MOST_BYTES: Final = 16 << 20
Score = Annotated[float, Field(ge=0.0, le=1.0)]


class ClothesEntry(BaseModel):
    """The card as written. Scores are of one's own clothes; `least_torso_px` is the height below which nobody can
    tell."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    version: str = Field(min_length=1)
    file: str = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    own: Score
    work: Score
    least_torso_px: Annotated[float, Field(ge=8, le=1000)]
    card: str | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "ClothesEntry":
        if self.work > self.own:
            raise ValueError(f"work: {self.work}, at most own expected, which is {self.own}")
        return self


@dataclass(frozen=True, slots=True, eq=False)
class _ClothesFile:
    file: Path
    body: bytes
    output: str | None = None


class ClothesModel:
    """A model that is loaded. One thread."""

    def __init__(self, entry: ClothesEntry, engine: Engine) -> None:
        self._engine = engine
        self.version = f"{entry.name} {entry.version} {entry.sha256[:12]}"
        self.limits = Limits(entry.own, entry.work, entry.least_torso_px)

    def scores(self, torsos: NDArray[np.uint8]) -> Sequence[float]:
        """Of torsos (n, 96, 64, 3) BGR. Raises ModelError when the model refuses them."""
        said = self._engine.run(np.ascontiguousarray(torsos.transpose(0, 3, 1, 2), dtype=np.float32))
        if said.shape != (len(torsos), 1):
            raise ModelError(f"{self.version}: output {said.shape}, ({len(torsos)}, 1) expected")
        return [float(score) for score in said[:, 0]]


def open_clothes(path: Path, backend: str = "onnxruntime") -> ClothesModel:
    """Read a card and load its model. Raises ModelError that says what is wrong."""
    entry = _entry(path)
    file = path.parent / entry.file
    try:
        body = file.read_bytes() if file.stat().st_size <= MOST_BYTES else b""
    except OSError as error:
        raise ModelError(f"{path}: file: {file}: {error.strerror}") from error
    digest = hashlib.sha256(body).hexdigest()
    if digest != entry.sha256:
        raise ModelError(f"{file}: SHA-256 of its {len(body)} bytes is {digest}, {path.name} says {entry.sha256}")
    return ClothesModel(entry, open_engine(_ClothesFile(file, body), Backend(backend), threads=1))


def _entry(path: Path) -> ClothesEntry:
    try:
        return ClothesEntry.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: no YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}".lstrip(": ") for fault in error.errors())
        raise ModelError(f"{path}: " + "; ".join(faults)) from error
