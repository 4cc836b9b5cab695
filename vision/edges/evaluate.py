"""`sitewarden vision evaluate-edges DIR`: the edge check over recorded or rendered cameras with known truth.

DIR holds one folder for each camera (or is one itself):

    survey.json      as `Survey.document()` gives it
    reference.png    (or .jpg) the picture it was drawn on, protection in place
    night.png        (or .jpg) the same by lamps, as the reference by night; optional
    frames/SSSSSS.jpg  one picture for each judged second
    persons.json     {"SSSSSS": [[x1, y1, x2, y2], ...]}, optional
    truth.json       {"every_s": 1, "missing": [{edge_id, from_m, to_m, from_s, to_s, what, counts}, ...]}

The last line printed is one JSON object. A folder that cannot be read is said with what was expected; the others are
still evaluated, and the command ends with 1. An edge whose `protection` is tape is open from its first second on.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.survey import Survey, SurveyError
from vision.edges.scoring import MissingSection, Tally, summary
from vision.edges.taped import guarded, taped_edges
from vision.edges.watch import EdgeWatch
from vision.picture.frame import Frame
from vision.survey.parsing import read_survey

SECOND: Final = 1_000_000_000


class BenchFolderError(ValueError):
    """A folder that is no camera of a benchmark. Says what, where and what was expected."""


@dataclass(frozen=True, slots=True, eq=False)
class RecordedCamera:
    """One folder, read; pictures are opened one by one."""

    name: str
    survey: Survey
    reference: NDArray[np.uint8]
    night: NDArray[np.uint8] | None
    frames: tuple[Path, ...]
    persons: Mapping[str, Any]
    truth: tuple[MissingSection, ...]
    every_s: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that this command takes."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="one folder for each camera, or one camera")
    parser.add_argument("--json", action="store_true", help="print the last line only")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, print, and return 0, or 1 when a folder could not be read."""
    cv2.setNumThreads(1)
    faults: list[str] = []
    tallies: list[Tally] = []
    spent_s, every_s = 0.0, 1.0
    for folder in camera_folders(arguments.folder):
        try:
            camera = read_camera(folder)
            tally, seconds = judge(camera)
        except BenchFolderError as fault:
            faults.append(str(fault))
            print(f"error: {fault}", file=sys.stderr)
            continue
        tallies.append(tally)
        spent_s, every_s = spent_s + seconds, camera.every_s
        if not arguments.json:
            _print_camera(camera, tally)
    said = summary(tallies, every_s)
    said["ms_per_frame"] = round(spent_s * 1000 / max(1, said["frames"]), 2)
    said["faults"] = faults
    print(json.dumps(said, ensure_ascii=False))
    return 1 if faults or not tallies else 0


def camera_folders(folder: Path) -> Sequence[Path]:
    """The cameras of a benchmark; the folder itself when it is one or holds none."""
    inner = sorted(part for part in folder.iterdir() if part.is_dir()) if folder.is_dir() else []
    cameras = [part for part in inner if (part / "survey.json").exists()]
    return cameras or [folder]


def read_camera(folder: Path) -> RecordedCamera:
    """Read all but the pictures. Raises BenchFolderError."""
    try:
        survey = read_survey(_json(folder / "survey.json"))
    except SurveyError as error:
        raise BenchFolderError(f"{folder / 'survey.json'}: {error}") from error
    reference, night = _named_picture(folder, "reference"), _named_picture(folder, "night")
    if reference is None:
        raise BenchFolderError(f"{folder}: no reference.png or reference.jpg, expected the picture that was drawn on")
    frames = tuple(sorted((folder / "frames").glob("*.jpg")))
    if not frames:
        raise BenchFolderError(f"{folder / 'frames'}: no *.jpg, expected one picture for each judged second")
    truth = _json(folder / "truth.json")
    persons = _json(folder / "persons.json") if (folder / "persons.json").exists() else {}
    try:
        missing = tuple(MissingSection(**row) for row in truth["missing"])
        every_s = float(truth["every_s"])
    except (TypeError, KeyError, ValueError) as error:
        raise BenchFolderError(f"{folder / 'truth.json'}: {error}, expected every_s and missing sections") from error
    return RecordedCamera(folder.name, survey, reference, night, frames, persons, missing, every_s)


def judge(camera: RecordedCamera) -> tuple[Tally, float]:
    """Run the check over one camera: its tally and the seconds the check itself took. Raises BenchFolderError for a
    picture that is none."""
    watch, taped, tally, spent = _watch(camera), taped_edges(camera.survey), Tally(camera.truth), 0.0
    for number, path in enumerate(camera.frames):
        if not path.stem.isdigit():
            raise BenchFolderError(f"{path}: expected the second as the name, such as 000120.jpg")
        second = int(path.stem)
        image, now = _picture(path), second * SECOND
        boxes = np.array(camera.persons.get(path.stem, []), np.float32).reshape(-1, 4)
        begun = time.perf_counter()
        frame = Frame(camera.name, number, now, now, True, 1, image)
        findings = watch.step(frame, boxes, True, now)
        spent += time.perf_counter() - begun
        told = (*findings, *(each for edge in taped for each in edge.step(frame, boxes, True, now)))
        tally.take(second, told, (*watch.sections(now), *(edge.section for edge in taped)))
    return tally, spent


def _watch(camera: RecordedCamera) -> EdgeWatch:
    try:
        return EdgeWatch(guarded(camera.survey), camera.reference, night_image=camera.night)
    except ValueError as error:
        raise BenchFolderError(f"{camera.name}: {error}") from error


def _named_picture(folder: Path, name: str) -> NDArray[np.uint8] | None:
    """NAME.png, else NAME.jpg; None when there is neither."""
    found = [path for path in (folder / f"{name}.png", folder / f"{name}.jpg") if path.exists()]
    return _picture(found[0]) if found else None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BenchFolderError(f"{path}: {error.strerror}, expected a file of JSON") from error
    except ValueError as error:
        raise BenchFolderError(f"{path}: {error}, expected JSON") from error


def _picture(path: Path) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(path.read_bytes() or b"\0", np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise BenchFolderError(f"{path}: not a picture, expected a whole JPEG or PNG")
    return np.asarray(image, np.uint8)


def _print_camera(camera: RecordedCamera, tally: Tally) -> None:
    print(f"{camera.name}: {len(camera.frames)} frames, survey version {camera.survey.version}")
    for one in tally.chased:
        section = one.section
        found = f"found after {one.delay_s:.0f} s" if one.delay_s is not None else "not found"
        where = f"{section.edge_id} {section.from_m:.1f}-{section.to_m:.1f} m {section.what}"
        print(f"  {where}: {found}; unknown in {one.unknown} of {one.frames} frames")
    for false in tally.false:
        print(f"  false: {dict(false)}")
