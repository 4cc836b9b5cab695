"""What a reviewer's verdict says of the box that a camera's finding was raised on.

    verdicts of this box's alarms      -+
    the frame that fired, with boxes   -+--> JudgedFinding: class of the box, right or wrong, score, picture

In: the box's chain, read while the gateway may be writing it. Out: judged findings of heads and persons, oldest first.
Findings of edges have no box of a class and are left out; so is an alarm that no camera of this box raised.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from gateway.evidence.evidence import RecordKind
from gateway.line.desk_verdicts import DeskVerdict, FalseReason, JudgedAlarm, verdicts
from gateway.media.kept import MediaClass, MediaItem
from gateway.media.sealing import media_filed, read_media
from gateway.model.detections import SeenClass
from gateway.store.alarm_reader import AlarmReader
from gateway.store.alert_store import ALERTS_FILE

CLASS_OF_KEY: Final = {"bare_head": SeenClass.HEAD, "person_at_edge": SeenClass.PERSON}
"""Which class of box raises which finding."""
SEEN_WRONGLY: Final = frozenset(
    {FalseReason.LIGHT, FalseReason.WEATHER, FalseReason.OCCLUDED, FalseReason.NOT_A_PERSON}
)
"""The box itself is wrong. A duplicate, a zone drawn wrongly or another reason say nothing of it."""
OVERLAP: Final = 0.5
UPPER_QUARTER: Final = 75.0
Corners = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class JudgedFinding:
    """One judged alarm. `right`: the box holds what its class says; None where the verdict says nothing of that.
    `is_in` is what the box holds by the verdict: a class, or None for nothing; only where `known`. `score` is the upper
    quartile over the looks that were kept: votes of six looks of about 25 are enough for an alarm. `frame` is as it was
    sealed; its body may have expired."""

    alarm: JudgedAlarm
    seen: SeenClass
    right: bool | None
    known: bool
    is_in: SeenClass | None
    box_px: Corners
    score: float
    frame: MediaItem


@dataclass(frozen=True, slots=True)
class Labels:
    """`findings` oldest first, and how many judged alarms were left out, by reason."""

    findings: tuple[JudgedFinding, ...]
    left_out: Mapping[str, int]


def read_labels(folder: Path, camera: str = "") -> Labels:
    """The labels of a data folder, of one camera where it is named. Raises LookupError without the box's stores."""
    if not (folder / ALERTS_FILE).is_file():
        raise LookupError(f"{folder}: no {ALERTS_FILE}, expected the data folder of a box")
    chain, left_out = AlarmReader(folder / ALERTS_FILE), Counter[str]()
    found: list[JudgedFinding] = []
    for alarm in verdicts(chain).values():
        items = _pictures(chain, alarm.alarm_id)
        frame = next((item for item in items if item.media_class is MediaClass.FRAME), None)
        if frame is None:
            left_out["no alarm of a camera of this box"] += 1
        elif camera and frame.camera != camera:
            continue
        elif (finding := _finding(alarm, frame, items)) is None:
            left_out["no box of a head or a person"] += 1
        elif alarm.verdict is DeskVerdict.DOUBTFUL:
            left_out["doubtful"] += 1
        else:
            found.append(finding)
    found.sort(key=lambda each: (each.frame.captured_at_ns, each.alarm.alarm_id))
    return Labels(tuple(found), left_out)


def _pictures(chain: AlarmReader, alarm_id: str) -> list[MediaItem]:
    """What was sealed of an alarm, whether the bodies are still there or not."""
    sealed = (record for record in chain.about(media_filed(alarm_id)) if record.kind == RecordKind.MEDIA)
    return [item for record in sealed for item in read_media(record).items]


def _finding(alarm: JudgedAlarm, frame: MediaItem, items: Iterable[MediaItem]) -> JudgedFinding | None:
    seen = CLASS_OF_KEY.get(frame.key.rpartition("_")[0])
    box = _box_of(frame)
    if seen is None or box is None:
        return None
    right, known, is_in = _said(alarm, seen)
    return JudgedFinding(alarm, seen, right, known, is_in, box, _score(seen, box, frame, items), frame)


def _said(alarm: JudgedAlarm, seen: SeenClass) -> tuple[bool | None, bool, SeenClass | None]:
    """Whether the box is right, whether it is known what it holds, and what."""
    if alarm.verdict is DeskVerdict.TRUE:
        return True, True, seen
    if alarm.reason is FalseReason.HELMET_WORN and seen is SeenClass.HEAD:
        return False, True, SeenClass.HELMET
    if alarm.reason is FalseReason.GUARD_PRESENT and seen is SeenClass.PERSON:
        return True, True, SeenClass.PERSON
    if alarm.reason is FalseReason.NOT_A_PERSON:
        return False, True, None
    return (False if alarm.reason in SEEN_WRONGLY else None), False, None


def _box_of(frame: MediaItem) -> Corners | None:
    try:
        x1, y1, x2, y2 = (float(frame.about[f"box_{side}_px"]) for side in ("x1", "y1", "x2", "y2"))
    except (KeyError, ValueError):
        return None
    return x1, y1, x2, y2


def _score(seen: SeenClass, box: Corners, frame: MediaItem, items: Iterable[MediaItem]) -> float:
    """0 where no box was kept: it was told, so it was above the threshold; `adapting` takes it for just that."""
    track = frame.about.get("track")
    own = [row[5] for row in frame.boxes if row[4] == seen and overlap(row[:4], box) >= OVERLAP]
    strip = [item for item in items if item.media_class is MediaClass.STRIP]
    looks = [row[5] for item in strip for row in item.boxes if row[4] == seen and track is not None and row[6] == track]
    scores = [*own[:1], *looks]
    return float(np.percentile(scores, UPPER_QUARTER)) if scores else 0.0


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Intersection over union of two boxes (x1, y1, x2, y2)."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    inside = max(0.0, width) * max(0.0, height)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inside
    return inside / union if union > 0 else 0.0
