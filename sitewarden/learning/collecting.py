"""A site's own labelled set from its judged pictures, in the layout that `sitewarden vision evaluate` and the training
read.

    DIR/images/<camera>-<digits>.jpg    the frame that fired, faces blurred as on every page
    DIR/labels/<camera>-<digits>.txt    the judged box as the verdict says, the others as the detector said
    DIR/sources.csv                     file, set, core, person_labels
    DIR/manifest.json                   written last: digests, alarms, verdicts, and what was left out

In: judged findings, the shelf of bodies. Out: files. Bounded by pictures and bytes, the newest first. A body that is
not what its digest says, or whose faces cannot be blurred, is left out. Knows no store and no desk.
"""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gateway.media.kept import MediaItem
from gateway.media.shelf import DamagedError, MediaShelf, NotKeptError
from gateway.model.detections import SeenClass
from sitewarden.learning.labels import OVERLAP, Corners, JudgedFinding, overlap

BoxRow = tuple[float, float, float, float, int, float, int]
Blur = Callable[[bytes, Sequence[BoxRow]], bytes]
HEADS: Final = frozenset({SeenClass.HELMET, SeenClass.HEAD})


class NotEmptyError(ValueError):
    """The folder to collect into holds something already."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is collected at most."""

    pictures: int = 2000
    size_bytes: int = 2**30


@dataclass(frozen=True, slots=True)
class Collected:
    """What was written; `manifest_sha256` is of the manifest, which holds the digests of all else."""

    pictures: int
    size_bytes: int
    left_out: Mapping[str, int]
    manifest_sha256: str


@dataclass(frozen=True, slots=True)
class _Made:
    """One picture with its label, before it is written."""

    name: str
    picture: bytes
    label: str
    finding: JudgedFinding

    def row(self) -> dict[str, Any]:
        """The picture as a line of the manifest says it."""
        finding, frame = self.finding, self.finding.frame
        alarm = finding.alarm
        return {
            "file": f"images/{self.name}.jpg",
            "sha256": hashlib.sha256(self.picture).hexdigest(),
            "label_sha256": hashlib.sha256(self.label.encode()).hexdigest(),
            "evidence_sha256": frame.sha256,
            "alarm_id": alarm.alarm_id,
            "camera": frame.camera,
            "finding": frame.key,
            "verdict": str(alarm.verdict),
            "reason": str(alarm.reason or ""),
            "holds": finding.is_in.name.lower() if finding.is_in is not None else "",
            "model": frame.versions.get("model", ""),
            "captured_at_ns": frame.captured_at_ns,
            "judged_at_ns": alarm.judged_at_ns,
            "verdict_record": alarm.seq,
        }


def collect(
    findings: Sequence[JudgedFinding],
    thresholds: Mapping[str, Mapping[SeenClass, float]],
    shelf: MediaShelf,
    blur: Blur,
    out: Path,
    bounds: Bounds,
) -> Collected:
    """Write the set. `thresholds` by camera: boxes of the detector below them are no labels. Raises NotEmptyError,
    OSError."""
    if out.exists() and any(out.iterdir()):
        raise NotEmptyError(f"{out}: is not empty; a set is collected into a folder of its own")
    for folder in ("images", "labels"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    made: list[_Made] = []
    left_out, size_bytes = Counter[str](), 0
    for one in _made(findings, thresholds, shelf, blur, left_out):
        if len(made) >= bounds.pictures or size_bytes + len(one.picture) > bounds.size_bytes:
            left_out["beyond the bound"] += 1
            continue
        (out / "images" / f"{one.name}.jpg").write_bytes(one.picture)
        (out / "labels" / f"{one.name}.txt").write_text(one.label, encoding="ascii")
        size_bytes += len(one.picture)
        made.append(one)
    (out / "sources.csv").write_text(_sources(made), encoding="utf-8")
    rows = [one.row() for one in made]
    manifest = json.dumps({"version": 1, "pictures": rows, "left_out": dict(left_out)}, ensure_ascii=False, indent=1)
    (out / "manifest.json").write_text(manifest, encoding="utf-8")
    return Collected(len(made), size_bytes, dict(left_out), hashlib.sha256(manifest.encode()).hexdigest())


def _made(
    findings: Sequence[JudgedFinding],
    thresholds: Mapping[str, Mapping[SeenClass, float]],
    shelf: MediaShelf,
    blur: Blur,
    left_out: Counter[str],
) -> Iterator[_Made]:
    """Newest first; one picture that several alarms share is taken once."""
    seen: set[str] = set()
    for finding in reversed(findings):
        frame = finding.frame
        why = _why_not(finding, seen)
        if why:
            left_out[why] += 1
            continue
        seen.add(frame.sha256)
        try:
            picture = blur(shelf.read(frame.sha256), frame.boxes)
        except NotKeptError:
            left_out["picture is kept no more"] += 1
        except DamagedError:
            left_out["picture is not what was sealed"] += 1
        except ValueError:
            left_out["faces could not be blurred"] += 1
        else:
            digits = hashlib.sha256(finding.alarm.alarm_id.encode()).hexdigest()[:16]
            label = label_text(finding, thresholds.get(frame.camera, {}))
            yield _Made(f"{frame.camera}-{digits}", picture, label, finding)


def _why_not(finding: JudgedFinding, seen: set[str]) -> str:
    if not finding.known:
        return "the verdict does not say what is in the box"
    if not finding.frame.sha256 or not finding.frame.width_px:
        return "no picture was kept"
    return "same picture as another alarm" if finding.frame.sha256 in seen else ""


def label_text(finding: JudgedFinding, thresholds: Mapping[SeenClass, float]) -> str:
    """YOLO text: the judged box first, where it holds anything; then what the detector said beside it, with its score
    in the sixth column, which marks a label that no person made."""
    frame, lines = finding.frame, []
    if finding.is_in is not None:
        lines.append(_line(finding.is_in, finding.box_px, frame))
    for row in frame.boxes:
        code, score = SeenClass(row[4]), row[5]
        judged = finding.seen in HEADS if code in HEADS else finding.seen is code
        if judged and overlap(row[:4], finding.box_px) >= OVERLAP:
            continue
        if score >= thresholds.get(code, 1.0):
            lines.append(f"{_line(code, row[:4], frame)} {score:.3f}")
    return "".join(f"{line}\n" for line in lines)


def _line(code: SeenClass, box: Corners, frame: MediaItem) -> str:
    x1, x2 = (min(max(side / frame.width_px, 0.0), 1.0) for side in (box[0], box[2]))
    y1, y2 = (min(max(side / frame.height_px, 0.0), 1.0) for side in (box[1], box[3]))
    return f"{int(code)} {(x1 + x2) / 2:.6f} {(y1 + y2) / 2:.6f} {x2 - x1:.6f} {y2 - y1:.6f}"


def _sources(made: Sequence[_Made]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "set", "core", "person_labels"])
    writer.writerows([f"images/{one.name}.jpg", f"site_{one.finding.frame.camera}", 1, "pseudo"] for one in made)
    return text.getvalue()
