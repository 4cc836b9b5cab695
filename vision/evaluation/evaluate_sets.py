"""Run a detector over labelled pictures and keep what matching leaves. Bad files are named and kept out.

In: a folder of pictures, a folder of YOLO labels, a detector. Out: `SetResult`, which
`vision.evaluation.evaluate_report` turns into figures.
"""

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import SeenClass
from vision.detector import Detector, PictureError, Tiling, check_picture
from vision.detector.boxes import Boxes
from vision.evaluation.error_words import Words, error_words
from vision.evaluation.label_file import LabelError, Labels, read_labels
from vision.evaluation.picture_file import PICTURE_SUFFIXES, decode_picture, read_body
from vision.picture.detection_scores import Matches, iou_matrix, match_image

UNSURE_IOU = 0.3
FLOOR = 0.01
"""Candidates are kept down to this score, so that the curve and AP reach far enough; operating figures do not."""


class DataError(ValueError):
    """Folders or lists that cannot be evaluated at all."""


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Pictures and where their labels are. `only` keeps those whose file name or stem is in it, all when None."""

    name: str
    images: Path
    labels: Path
    only: frozenset[str] | None = None


@dataclass(slots=True, eq=False)
class SetResult:
    """What one detector did on one set. `matches` holds for each class a `Matches` an image, in the order of `names`.
    `skipped` is (file, reason). Times are nanoseconds an image; `whole_ns` is letterbox, inference, decoding and
    suppression at the operating thresholds, without reading the file; `cpu_ns` is the processor's time for the same,
    which other work on the machine stretches less. `data_sha256` is of all names, pictures and
    labels that counted."""

    name: str
    model_version: str
    backend: str
    thresholds: NDArray[np.float32]
    names: list[str] = field(default_factory=list)
    matches: dict[SeenClass, list[Matches]] = field(default_factory=lambda: {code: [] for code in SeenClass})
    skipped: list[tuple[str, str]] = field(default_factory=list)
    inference_ns: list[int] = field(default_factory=list)
    whole_ns: list[int] = field(default_factory=list)
    cpu_ns: list[int] = field(default_factory=list)
    data_sha256: str = ""
    errors: Words = field(default_factory=Words)


def evaluate_set(
    detector: Detector,
    chosen: LabelledSet,
    tiling: Tiling | None = None,
    told: Callable[[str], None] | None = None,
    errors_from_px: float | None = None,
) -> SetResult:
    """Judge every picture of a set by itself. Raises DataError when the set has none, ModelError when the model's
    outputs cannot be used. `told` is called with a word on progress now and then. With `errors_from_px` errors are
    counted in words, of heads from that height on."""
    result = SetResult(chosen.name, detector.model.version, detector.backend, detector.thresholds)
    digest = hashlib.sha256()
    files = picture_files(chosen)
    for number, file in enumerate(files, start=1):
        try:
            body = read_body(file)
            picture = decode_picture(body, file.name)
            check_picture(picture, file.name)
            label_file = chosen.labels / f"{file.stem}.txt"
            labels = read_labels(label_file, picture.shape[1], picture.shape[0])
        except (PictureError, LabelError) as error:
            result.skipped.append((file.name, str(error)))
            continue
        digest.update(file.name.encode() + b"\0" + hashlib.sha256(body).digest())
        digest.update(hashlib.sha256(label_file.read_bytes()).digest())
        seen, weak = _judge(detector, picture, labels, tiling, result)
        if errors_from_px is not None:
            result.errors += error_words(picture, seen, weak, labels, errors_from_px)
        result.names.append(file.name)
        if told and number % 200 == 0:
            told(f"{chosen.name}: {number} of {len(files)} pictures")
    result.data_sha256 = digest.hexdigest()
    return result


def picture_files(chosen: LabelledSet) -> list[Path]:
    """The pictures of a set, by name. Raises DataError when a folder or every picture is missing."""
    for folder in (chosen.images, chosen.labels):
        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder")
    files = sorted(path for path in chosen.images.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    if chosen.only is not None:
        files = [path for path in files if path.name in chosen.only or path.stem in chosen.only]
    if not files:
        raise DataError(f"{chosen.images}: no picture ({', '.join(sorted(PICTURE_SUFFIXES))}) to evaluate")
    return files


def read_list(path: Path) -> frozenset[str]:
    """File names or stems, one a line. Raises DataError."""
    try:
        lines: Iterable[str] = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}") from error
    return frozenset(Path(line.strip()).name for line in lines if line.strip())


def _judge(
    detector: Detector, picture: NDArray[np.uint8], labels: Labels, tiling: Tiling | None, result: SetResult
) -> tuple[Boxes, Boxes]:
    """Time the operating path; read the same output once more down to the floor for the curve, untimed. Both, without
    what lies on heads of which nobody can tell."""
    before, cpu_ns = _spent(detector), time.process_time_ns()
    views = (tiling or Tiling(1, 1)).views(picture.shape[1], picture.shape[0])
    [look] = detector.look([picture], [views[1:]])
    operating = detector.boxes(look)
    result.cpu_ns.append(time.process_time_ns() - cpu_ns)
    inference_ns, whole_ns = (after - earlier for after, earlier in zip(_spent(detector), before, strict=True))
    result.inference_ns.append(inference_ns)
    result.whole_ns.append(whole_ns)
    floor = np.minimum(detector.thresholds, np.where(np.isfinite(detector.thresholds), FLOOR, np.inf))
    weak = _sure(detector.boxes(look, floor.astype(np.float32)), labels)
    _match(weak, labels, result)
    return _sure(operating, labels), weak


def _sure(seen: Boxes, labels: Labels) -> Boxes:
    unsure = np.asarray(iou_matrix(seen.xyxy, labels.unsure_px).max(axis=1, initial=0.0) >= UNSURE_IOU)
    return seen.take(~(unsure & (seen.class_id != SeenClass.PERSON)))


def _match(seen: Boxes, labels: Labels, result: SetResult) -> None:
    for code in SeenClass:
        rows = seen.class_id == code
        result.matches[code].append(match_image(seen.xyxy[rows], seen.score[rows], labels.of_class(code)))


def _spent(detector: Detector) -> tuple[int, int]:
    spent = detector.spent
    return spent.infer_ns, spent.prepare_ns + spent.infer_ns + spent.read_ns
