"""Verdicts as labels for training: COCO JSON and YOLO text, with the pictures' digests and the boxes kept beside them.

The boxes are the detector's, as the box sealed them; the verdict is a person's and is about the alarm, not about each
box. So an export says both and mixes neither: `judged true` means that a person saw what the alarm says; in a picture
that was judged false the boxes are what the detector got wrong or saw besides. Pictures themselves are not exported:
they show people.
"""

import csv
import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import Connection, and_, select

from contract.canonical import Canonical
from regulator.base.model.actor import Actor
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.review import review_items, review_pictures
from regulator.parts.review.judgement import ItemState, Verdict
from screens.formats import local_day_time

CATEGORIES = ((0, "helmet"), (1, "head"), (2, "person"))
"""The class codes that boxes carry; a head box covers the whole head, helmet included."""
MOST = 20_000
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
READ_ME = """Labels from verdicts.

labels/true/SHA256.txt    boxes of pictures whose alarm a person judged true
labels/false/SHA256.txt   boxes of pictures whose alarm a person judged false; the reason is in manifest.csv
classes.txt               class names by number; a head box covers the whole head, helmet included
manifest.csv              digest, size, verdict, reason, whether judged in bulk, rule, camera, versions

Each line of a label: class centre_x centre_y width height, as shares of the picture. The boxes are the detector's.
Pictures are not part of it; they are found by their SHA-256.
"""


class LabelKind(Enum):
    """The form of an export."""

    COCO = "coco"
    YOLO = "yolo"


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A picture of the frame that fired, with its alarm's verdict. Boxes as in `pictures.Picture`."""

    sha256: str
    width_px: int
    height_px: int
    captured_at_ns: int
    boxes: tuple[tuple[int, ...], ...]
    versions: dict[str, str]
    project_code: str
    source_id: str
    rule_id: str
    verdict: str
    false_reason: int
    in_bulk: bool


def labelled_pictures(db: Connection, actor: Actor) -> list[LabelledPicture]:
    """Frames of items with a final verdict of true or false, oldest first."""
    at, seen = review_items.c, review_pictures.c
    decided = and_(at.round == 1, at.state == ItemState.FINAL.value)
    told = at.verdict.in_([Verdict.TRUE.value, Verdict.FALSE.value])
    query = (
        select(review_pictures, review_items)
        .join(review_items, (at.box_id == seen.box_id) & (at.alarm_id == seen.alarm_id))
        .where(decided, told, seen.media_class == "frame", seen.width_px > 0, seen.height_px > 0)
        .where(in_scope(actor.scope, at.project_code))
        .order_by(at.judged_at_ns, seen.sha256)
        .limit(MOST)
    )
    return [_picture(row) for row in db.execute(query)]


def coco(pictures: list[LabelledPicture]) -> bytes:
    """COCO's object detection format; `verdict` and the like are fields of each image beside the usual ones."""
    annotations = [
        _annotation(number, image, box)
        for number, (image, box) in enumerate(
            ((image, box) for image, picture in enumerate(pictures, 1) for box in _known(picture)), 1
        )
    ]
    document = {
        "info": {"description": "Sitewarden: labels from verdicts; boxes are the detector's", "version": "1"},
        "categories": [{"id": code, "name": name} for code, name in CATEGORIES],
        "images": [_image(number, picture) for number, picture in enumerate(pictures, 1)],
        "annotations": annotations,
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def yolo(pictures: list[LabelledPicture]) -> bytes:
    """A zip of text files, the same bytes for the same labels."""
    files = {f"labels/{each.verdict}/{each.sha256}.txt": _yolo_text(each) for each in pictures}
    files |= {"classes.txt": "".join(f"{name}\n" for _, name in CATEGORIES), "README.txt": READ_ME}
    files["manifest.csv"] = _manifest(pictures)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, ZIP_TIME), text)
    return packed.getvalue()


@dataclass(frozen=True, slots=True)
class Export:
    """A file of labels that was handed out."""

    kind: str
    sha256: str
    pictures: int


def record_export(db: Connection, ledger: Ledger, actor: Actor, export: Export, now_ns: int) -> None:
    """Who took which labels away."""
    content: dict[str, Canonical] = {"kind": export.kind, "pictures": export.pictures, "sha256": export.sha256}
    ledger.append(db, Deed("review_labels_exported", export.sha256, content, chain="review:exports"), actor, now_ns)


def packed(kind: LabelKind, pictures: list[LabelledPicture]) -> bytes:
    """The file of an export."""
    return coco(pictures) if kind is LabelKind.COCO else yolo(pictures)


def export_of(kind: LabelKind, content: bytes, pictures: list[LabelledPicture]) -> Export:
    """What is written down of it."""
    return Export(kind.value, hashlib.sha256(content).hexdigest(), len(pictures))


def _picture(row: Any) -> LabelledPicture:
    return LabelledPicture(
        sha256=row.sha256,
        width_px=row.width_px,
        height_px=row.height_px,
        captured_at_ns=row.captured_at_ns,
        boxes=tuple(tuple(box) for box in json.loads(row.boxes)),
        versions=json.loads(row.versions),
        project_code=row.project_code,
        source_id=row.source_id,
        rule_id=row.rule_id,
        verdict=row.verdict,
        false_reason=row.false_reason,
        in_bulk=bool(row.bulk),
    )


def _known(picture: LabelledPicture) -> list[tuple[int, ...]]:
    return [box for box in picture.boxes if box[4] in dict(CATEGORIES)]


def _image(number: int, picture: LabelledPicture) -> dict[str, object]:
    return {
        "id": number,
        "file_name": f"{picture.sha256}.jpg",
        "sha256": picture.sha256,
        "width": picture.width_px,
        "height": picture.height_px,
        "date_captured": local_day_time(picture.captured_at_ns),
        "captured_at_ns": picture.captured_at_ns,
        "verdict": picture.verdict,
        "false_reason": picture.false_reason,
        "judged_in_bulk": picture.in_bulk,
        "project": picture.project_code,
        "camera": picture.source_id,
        "rule": picture.rule_id,
        "versions": picture.versions,
    }


def _annotation(number: int, image: int, box: tuple[int, ...]) -> dict[str, object]:
    x1, y1, x2, y2, code, score, track = box
    width, height = x2 - x1, y2 - y1
    place = {"id": number, "image_id": image, "category_id": code, "bbox": [x1, y1, width, height]}
    return place | {
        "area": width * height,
        "iscrowd": 0,
        "score": score / 1000,
        "track_id": track,
        "source": "detector",
    }


def _yolo_text(picture: LabelledPicture) -> str:
    lines = []
    for x1, y1, x2, y2, code, *_ in _known(picture):
        centre = ((x1 + x2) / 2 / picture.width_px, (y1 + y2) / 2 / picture.height_px)
        size = ((x2 - x1) / picture.width_px, (y2 - y1) / picture.height_px)
        lines.append(f"{code} " + " ".join(f"{value:.6f}" for value in (*centre, *size)) + "\n")
    return "".join(lines)


def _manifest(pictures: list[LabelledPicture]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["sha256", "width_px", "height_px", "verdict", "false_reason", "bulk", "rule", "camera", "versions"]
    )
    for each in pictures:
        versions = " ".join(f"{name}={value}" for name, value in sorted(each.versions.items()))
        size = (each.width_px, each.height_px)
        judged = (each.verdict, each.false_reason, int(each.in_bulk))
        writer.writerow([each.sha256, *size, *judged, each.rule_id, each.source_id, versions])
    return text.getvalue()
