"""What a box's chain says of pictures: kept where it can be read, left alone where it cannot, never a refusal."""

import json

import pytest
from sqlalchemy import select

from contract.messages import AlarmTransition, EvidenceRecord
from regulator.base.model.heard import Heard
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.review import review_pictures
from regulator.parts.review.pictures import hear_record

SHA = "ab" * 32
GOOD = {"class": "frame", "place": 0, "sha256": SHA, "media_type": "image/jpeg", "width_px": 640, "height_px": 360}


def _said(content: object, kind: str = "media") -> str:
    return json.dumps({"kind": kind, "seq": 9, "content": content}, separators=(",", ":"))


def _hear(database: DeskDatabase, record: str) -> list[tuple[str, int, str, str]]:
    heard = Heard("box-1", "p1", EvidenceRecord.model_construct(record=record, sha256="0" * 64), "r")
    with database.transaction() as db:
        hear_record(db, heard, 1)
        hear_record(db, heard, 1)
        at = review_pictures.c
        return [tuple(row) for row in db.execute(select(at.sha256, at.width_px, at.boxes, at.versions))]


def test_boxes_and_versions_are_kept_once(database: DeskDatabase) -> None:
    boxes = [[1, 2, 3, 4, 1, 900, 7], [1, 2, 3], ["x"] * 7, [1.5, 2, 3, 4, 1, 900, 7], [True] * 7]
    content = {"alarm_id": "a1", "versions": {"model": "m1"}, "items": [GOOD | {"boxes": boxes}]}
    assert _hear(database, _said(content)) == [(SHA, 640, "[[1, 2, 3, 4, 1, 900, 7]]", '{"model": "m1"}')]


def test_what_fits_no_column_becomes_nothing(database: DeskDatabase) -> None:
    strange = GOOD | {"width_px": 10**30, "class": "a\0b", "boxes": {"x": 1}}
    content = {"alarm_id": "a1", "versions": {"model": "\ud800\0"}, "items": [strange]}
    ((sha256, width, boxes, versions),) = _hear(database, _said(content))
    assert (sha256, width, boxes) == (SHA, 0, "[]")
    assert json.loads(versions) == {"model": "\ud800\0"}


@pytest.mark.parametrize(
    "record",
    [
        '{"kind":"media"',
        '["kind":"media"]',
        '"\\"kind\\":\\"media\\""',
        '{"kind":"media","content":' + "[" * 200_000,
        _said(7),
        _said({"alarm_id": "a\0", "items": [GOOD]}),
        _said({"alarm_id": "a1", "items": [{"sha256": "no digest"}, 3, None]}),
        _said({"alarm_id": 5, "items": [GOOD]}),
        _said({"alarm_id": "a1", "items": [GOOD], "x": '"kind":"media"'}, kind="alarm_note"),
    ],
    ids=range(9),
)
def test_a_record_in_another_shape_is_the_chains_business_alone(migrated_database: DeskDatabase, record: str) -> None:
    assert _hear(migrated_database, record) == []


def test_another_message_is_not_read(database: DeskDatabase) -> None:
    with database.transaction() as db:
        hear_record(db, Heard("box-1", "p1", AlarmTransition.model_construct(), "r"), 1)
        assert list(db.execute(select(review_pictures))) == []
