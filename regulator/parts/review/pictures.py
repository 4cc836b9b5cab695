"""Pictures of an alarm: what arrived, and what the box's chain says of it (boxes beside the pixels, versions).

    evidence_record of kind media --in its transaction--> review_pictures
    thumbnail, media_segment      --intake-->             alarm_media
    both, by digest               -->                     Picture

A thumbnail is a small rendition of the frame that fired, faces blurred: it takes that frame's boxes, which the page
scales. Knows no HTTP.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects import postgresql, sqlite

from contract.messages import EvidenceRecord
from regulator.base.model.heard import Heard
from regulator.base.records.tables.intake import alarm_media
from regulator.base.records.tables.review import review_pictures

CLASSES = ("thumbnail", "frame", "strip", "clip")
BOX_FIELDS = 7
MAX_BOXES = 200
DIGEST = re.compile(r"[0-9a-f]{64}")
WORD = re.compile(r"[a-z0-9/+.-]{1,60}")
PLAIN = re.compile(r"[^\x00\ud800-\udfff]{1,200}")


@dataclass(frozen=True, slots=True)
class Picture:
    """One body. `boxes`: rows of x1, y1, x2, y2 in pixels of a picture `width_px` x `height_px`, class code, score in
    thousandths, track. `blurred`: faces cannot be seen in it."""

    media_class: str
    place: int
    sha256: str
    media_type: str
    at_ns: int
    duration_ms: int
    width_px: int
    height_px: int
    boxes: tuple[tuple[int, ...], ...]
    versions: dict[str, str]
    blurred: bool


def hear_record(db: Connection, heard: Heard, _now_ns: int) -> None:
    """A listener of `evidence_record`: keeps what a record of kind `media` says. Records that say something else, or
    say it in a shape that is not known here, are the chain's business alone."""
    message = heard.body
    if not isinstance(message, EvidenceRecord) or '"kind":"media"' not in message.record:
        return
    for values in _rows(heard.box_id, _media_record(message.record)):
        dialect = postgresql if db.dialect.name == "postgresql" else sqlite
        db.execute(dialect.insert(review_pictures).values(**values).on_conflict_do_nothing())


def pictures_of(db: Connection, box_id: str, alarm_id: str) -> list[Picture]:
    """What arrived of an alarm: thumbnail, frame, strip from the oldest, clip."""
    media = select(alarm_media).where(alarm_media.c.box_id == box_id, alarm_media.c.alarm_id == alarm_id)
    said = select(review_pictures).where(review_pictures.c.box_id == box_id, review_pictures.c.alarm_id == alarm_id)
    by_digest = {row.sha256: row for row in db.execute(said)}
    frame = next((row for row in by_digest.values() if row.media_class == "frame"), None)
    found = [_picture(row, by_digest.get(row.sha256), frame) for row in db.execute(media)]
    return sorted(found, key=lambda each: (_order(each.media_class), each.place, each.at_ns, each.sha256))


def _media_record(text: str) -> dict[str, Any]:
    """The record if it is one of kind `media`; empty when it is another one, or none at all."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    whole = isinstance(record, dict) and record.get("kind") == "media" and isinstance(record.get("content"), dict)
    return record if whole else {}


def _rows(box_id: str, record: dict[str, Any]) -> list[dict[str, object]]:
    content = record.get("content", {})
    alarm_id, said = content.get("alarm_id"), content.get("items")
    if not isinstance(alarm_id, str) or not PLAIN.fullmatch(alarm_id) or not isinstance(said, list):
        return []
    versions = content.get("versions") if isinstance(content.get("versions"), dict) else {}
    found = [item for item in said if isinstance(item, dict) and DIGEST.fullmatch(str(item.get("sha256")))]
    return [_row(box_id, alarm_id, record.get("seq", 0), versions, item) for item in found]


def _row(box_id: str, alarm_id: str, seq: int, versions: Any, item: dict[str, Any]) -> dict[str, object]:
    numbers = ("place", "width_px", "height_px", "captured_at_ns", "duration_ms")
    return {
        "box_id": box_id,
        "alarm_id": alarm_id,
        "sha256": item["sha256"],
        "media_class": _word(item.get("class")),
        "media_type": _word(item.get("media_type")),
        "boxes": json.dumps(_boxes(item.get("boxes"))),
        "versions": json.dumps({str(name): str(value) for name, value in versions.items()}),
        "record_seq": _number(seq),
        **{name: _number(item.get(name)) for name in numbers},
    }


def _number(value: object) -> int:
    """What fits into a column; 0 for anything else."""
    return value if type(value) is int and 0 <= value < 2**63 else 0


def _word(value: object) -> str:
    return value if isinstance(value, str) and WORD.fullmatch(value) else ""


def _boxes(said: object) -> list[list[int]]:
    """Whole boxes of whole numbers; what has another shape is left out."""
    rows = said if isinstance(said, list) else []
    whole = [row for row in rows if isinstance(row, list) and len(row) == BOX_FIELDS]
    return [row for row in whole if all(type(value) is int for value in row)][:MAX_BOXES]


def _picture(row: "Row[Any]", said: "Row[Any] | None", frame: "Row[Any] | None") -> Picture:
    thumbnail = row.kind == "thumbnail"
    source = frame if thumbnail else said
    clip = row.media_type.startswith("video/")
    media_class = "thumbnail" if thumbnail else (said.media_class if said else ("clip" if clip else "frame"))
    return Picture(
        media_class=media_class,
        place=said.place if said else 0,
        sha256=row.sha256,
        media_type=row.media_type or "image/jpeg",
        at_ns=row.started_at_ns,
        duration_ms=row.duration_ms,
        width_px=source.width_px if source else 0,
        height_px=source.height_px if source else 0,
        boxes=tuple(tuple(box) for box in json.loads(source.boxes)) if source else (),
        versions=json.loads(source.versions) if source else {},
        blurred=thumbnail,
    )


def _order(media_class: str) -> int:
    return CLASSES.index(media_class) if media_class in CLASSES else len(CLASSES)
