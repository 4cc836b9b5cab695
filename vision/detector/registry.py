"""The model registry: one YAML entry per model says which file, with which digest, and how its tensors are to be read.

In: the path of an entry. Out: `Model`, whose file has been read and whose digest holds. Knows no inference library.
docs/vision.md shows an entry for each layout.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from gateway.model.detections import SeenClass
from vision.detector.faults import ModelError
from vision.detector.head_views import HeadLook

SHIPPED_MODEL = Path(__file__).resolve().parent.parent / "models" / "site_heads.yaml"
MODEL_LIMIT_BYTES = 512 << 20
Fraction = Annotated[float, Field(gt=0.0, lt=1.0)]
Side = Annotated[int, Field(ge=32, le=4096)]
Triple = tuple[float, float, float]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Knot = tuple[Share, Share]
MOST_KNOTS = 64


class Layout(StrEnum):
    """How the output tensor is laid out; n pictures, a anchors, c classes. Boxes in pixels of the input unless said.

    YOLOV8 (n, 4 + c, a): centre x, y, width, height, class scores 0..1 (also YOLO11). YOLOV5 (n, a, 5 + c): the same
    with objectness, score = objectness x class (also YOLOv7). YOLOX (n, a, 5 + c): offsets within the cells of the
    strides' grids, logarithms of sizes; decoded here. END_TO_END (n, k, 6): x1, y1, x2, y2, score, class (YOLOv10)."""

    YOLOV8 = "yolov8"
    YOLOV5 = "yolov5"
    YOLOX = "yolox"
    END_TO_END = "end_to_end"


class ModelEntry(BaseModel):
    """One entry as written. `classes` names in the model's order what each means (helmet, head, person, or null for
    one that is of no use here), or maps the model's index to it; then `class_count` says how many there are.
    `inputs` are the sizes (width, height) that may be fed; of several the one nearest to the picture's aspect is
    taken. `thresholds` are the operating scores. `resample` says how a picture is shrunk: `area` averages, `linear`
    takes the nearest four pixels only. `one_head_iou` is the overlap from which a helmet box and a bare head box are on
    one head; null keeps both. `heads` says how heads are looked at a second time; null: once. A box that spans fewer
    than `least_contrast` grey levels holds nothing; 0 keeps all. A helmet whose log odds are less than `helmet_margin`
    above those of a bare head at the same place is doubtful and told as neither; 0 asks for none. `calibration` has for
    a class the knots (score of the network, how often such a box is right) between which scores are mapped on straight
    lines; the thresholds are then calibrated scores (`vision.detector.calibrated`), those of `heads` the network's
    own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    version: str = Field(min_length=1)
    file: str = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    layout: Layout
    classes: tuple[SeenClass | None, ...] = Field(min_length=1)
    inputs: tuple[tuple[Side, Side], ...] = Field(min_length=1)
    thresholds: dict[SeenClass, Fraction]
    nms_iou: Fraction = 0.45
    one_head_iou: Fraction | None = 0.7
    least_contrast: int = Field(default=8, ge=0, le=255)
    helmet_margin: float = Field(default=0.0, ge=0.0, le=10.0)
    colour: Literal["bgr", "rgb"] = "bgr"
    scale: float = Field(default=1.0, gt=0.0)
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    letterbox: Literal["centre", "corner"] = "centre"
    fill: int = Field(default=114, ge=0, le=255)
    resample: Literal["linear", "area"] = "linear"
    strides: tuple[int, ...] = (8, 16, 32)
    heads: HeadLook | None = None
    output: str | None = None
    card: str | None = None
    calibration: dict[SeenClass, Annotated[tuple[Knot, ...], Field(min_length=2, max_length=MOST_KNOTS)]] = Field(
        default_factory=dict
    )

    @model_validator(mode="before")
    @classmethod
    def _write_out_classes(cls, entry: Any) -> Any:
        """A map of classes becomes the list that it stands for, names become codes."""
        if not isinstance(entry, dict):
            return entry
        entry = dict(entry)
        count, classes = entry.pop("class_count", None), entry.get("classes")
        if isinstance(classes, dict):
            if not isinstance(count, int) or not all(isinstance(i, int) and 0 <= i < count for i in classes):
                raise ValueError("classes as a map needs class_count and whole indices below it")
            classes = [classes.get(index) for index in range(count)]
        if isinstance(classes, list):
            entry["classes"] = [_code(name) for name in classes]
        for by_class in ("thresholds", "calibration"):
            if isinstance(entry.get(by_class), dict):
                entry[by_class] = {_code(name): value for name, value in entry[by_class].items()}
        return entry

    @field_validator("std")
    @classmethod
    def _no_zero(cls, std: Triple) -> Triple:
        if any(value <= 0 for value in std):
            raise ValueError(f"every value above 0 expected, found {std}")
        return std

    @field_validator("calibration")
    @classmethod
    def _rising(cls, calibration: dict[SeenClass, tuple[Knot, ...]]) -> dict[SeenClass, tuple[Knot, ...]]:
        """From 0 to 1 and rising in both, so that no order of boxes changes and every threshold has its raw score."""
        for code, knots in calibration.items():
            steps = list(pairwise(knots))
            rising = all(low[0] < high[0] and low[1] < high[1] for low, high in steps)
            if not rising or (knots[0][0], knots[-1][0]) != (0.0, 1.0):
                raise ValueError(f"{code.name.lower()}: knots that rise in both, from score 0 to score 1, expected")
        return calibration

    @model_validator(mode="after")
    def _thresholds_for_all(self) -> "ModelEntry":
        """Each class that is seen needs its threshold, and none other has one."""
        seen = {code for code in self.classes if code is not None}
        if not seen:
            raise ValueError("classes: at least one of helmet, head, person expected")
        if seen != set(self.thresholds):
            wanted = ", ".join(code.name.lower() for code in sorted(seen))
            raise ValueError(f"thresholds: exactly one for each of {wanted} expected")
        if not seen.issuperset(self.calibration):
            raise ValueError("calibration: only of classes that the model knows expected")
        if self.layout is Layout.YOLOX and any(w % s or h % s for w, h in self.inputs for s in self.strides):
            raise ValueError(f"inputs: sizes that every stride {self.strides} divides expected")
        return self

    @property
    def label(self) -> str:
        """What goes with every picture into the evidence: name, version, the digest of the calibration where there is
        one (with the margin that helmets need), and the beginning of the file's: what a score means depends on both."""
        knots = sorted((int(code), each) for code, each in self.calibration.items())
        read_as = repr(knots) + (repr(self.helmet_margin) if self.helmet_margin else "")
        mapped = f" cal-{hashlib.sha256(read_as.encode()).hexdigest()[:8]}" if knots else ""
        return f"{self.name} {self.version}{mapped} {self.sha256[:12]}"


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """An entry with the bytes of its file, whose digest holds. `path` is the entry's."""

    entry: ModelEntry
    path: Path
    body: bytes

    @property
    def file(self) -> Path:
        """The file whose bytes they are."""
        return self.path.parent / self.entry.file

    @property
    def output(self) -> str | None:
        """The output to read where there are several."""
        return self.entry.output

    @property
    def version(self) -> str:
        """The model's version, as `ModelEntry.label` has it."""
        return self.entry.label

    @property
    def thresholds(self) -> NDArray[np.float32]:
        """(3,) by `SeenClass`; infinite for a class that the model does not know."""
        return thresholds_by_code(self.entry.thresholds)


def thresholds_by_code(thresholds: dict[SeenClass, float]) -> NDArray[np.float32]:
    """(3,) float32 by `SeenClass`; infinite where none is given."""
    return np.array([thresholds.get(code, np.inf) for code in SeenClass], dtype=np.float32)


def read_model(path: Path) -> Model:
    """Read an entry and its file. Raises ModelError that names the entry, the key and what was expected."""
    entry = read_entry(path)
    file = path.parent / entry.file
    try:
        if file.stat().st_size > MODEL_LIMIT_BYTES:
            raise ModelError(f"{file}: {file.stat().st_size} bytes, at most {MODEL_LIMIT_BYTES} expected")
        body = file.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: file: {file}: {error.strerror}") from error
    if not body:
        raise ModelError(f"{file}: the file is empty, an ONNX model expected")
    digest = hashlib.sha256(body).hexdigest()
    if digest != entry.sha256:
        raise ModelError(
            f"{file}: SHA-256 of its {len(body)} bytes is {digest}, {path.name} says {entry.sha256}: "
            "another model, or the file was changed or cut off"
        )
    return Model(entry, path, body)


def read_entry(path: Path) -> ModelEntry:
    """Read an entry alone. Raises ModelError."""
    try:
        plain = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(plain, dict):
        raise ModelError(f"{path}: a map of keys expected, found {type(plain).__name__}")
    try:
        return ModelEntry.model_validate(plain)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}".lstrip(": ") for fault in error.errors())
        raise ModelError(f"{path}: " + "; ".join(faults)) from error


def _code(name: Any) -> SeenClass | None:
    if name is None:
        return None
    try:
        return SeenClass[str(name).upper()]
    except KeyError:
        names = ", ".join(code.name.lower() for code in SeenClass)
        raise ValueError(f"{name!r} is no class: one of {names}, or null, expected") from None
