"""From a box's signed message to a hazard with its evidence, through the real intake, on both databases."""

from pathlib import Path

import pytest
from sqlalchemy import insert, select

from contract.chain import ChainHead
from contract.signing import SignKey
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import verify_ledger
from regulator.base.records.tables.hazards import hazard_evidence, hazards
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.review import review_items
from regulator.base.web.part import hang_on
from regulator.parts.hazards.part import part as hazard_part
from regulator.parts.review.judgement import read_judgement
from regulator.parts.review.office import ReviewOffice
from regulator.parts.review.part import part as review_part
from regulator.parts.review.part import review_office
from regulator.parts.review.queue import Wanted
from regulator.twins.picture import drawn_picture
from tests.fakes.desk_database import DeskClock
from tests.fakes.sending_box import PROJECT, DeskIntake, desk_intake

LING = Actor("u-ling", "凌一", Scope(Level.CITY, "4401"), frozenset({Duty.REVIEWER}))
CLIP = b"a clip's bytes"


def review_of(made: DeskIntake) -> ReviewOffice:
    """The review on this desk, which opens hazards."""
    hang_on(made.desk, hazard_part(made.desk))
    hang_on(made.desk, review_part(made.desk))
    return review_office(made.desk)


async def test_an_alarm_is_judged_and_becomes_a_hazard_with_its_pictures(
    database: DeskDatabase, desk_key: SignKey, clock: DeskClock, tmp_path: Path
) -> None:
    made = desk_intake(database, desk_key, clock, tmp_path)
    office = review_of(made)
    with database.transaction() as db:
        db.execute(insert(projects).values(project_code=PROJECT, name="工程", city_code="4401"))
    made.intake.reception.open()
    try:
        box = made.box()
        await box.enrol()
        about = {"severity": "P1", "asset_kind": "camera-post", "subject": "cam-1.person_at_edge_1"}
        about |= {"raised_at_ns": clock(), "observed_at_ns": clock()}
        assert (await box.alarm("a1", **about)).status == 200
        await box.alarm("a1", **about)
        await box.thumbnail("a1:thumbnail", drawn_picture(1), "a1:raised")
        await box.segment("a1:clip:0", CLIP, "a1:raised")
        await box.alarm("a2", **about | {"severity": "P2", "subject": "cam-2.bare_head_1"})
    finally:
        made.intake.reception.close()
    (row,) = office.queue(LING, clock(), Wanted(), None).rows
    assert (row.severity, row.stage, row.project_name) == ("P1", "priority", "工程")
    found = office.dossier(LING, row.item_id, clock())
    assert [picture.media_class for picture in found.pictures] == ["thumbnail", "clip"]
    small = office.thumbnail(LING, row.item_id)
    assert small is not None
    assert small[0] == drawn_picture(1)
    office.lease(LING, row.item_id, clock())
    office.judge(LING, row.item_id, read_judgement("true", "", ""), clock())
    clock.move(seconds=10)
    made.run("review-finalise")
    with database.reading() as db:
        hazard = db.execute(select(hazards)).one()
        kept = list(db.scalars(select(hazard_evidence.c.sha256)))
        assert isinstance(verify_ledger(db, f"project:{PROJECT}", {desk_key.public.key_id: desk_key.public}), ChainHead)
    assert (hazard.alarm_id, hazard.opened_by, hazard.state) == ("a1", "u-ling", "confirmed")
    assert kept == [found.pictures[1].sha256]
    clock.move(seconds=590)
    made.run("review-sweep")
    with database.reading() as db:
        stages = set(db.execute(select(review_items.c.alarm_id, review_items.c.stage)))
    assert {tuple(stage) for stage in stages} == {("a1", "priority"), ("a2", "unacknowledged")}


@pytest.mark.parametrize("title", ["'; DROP TABLE review_items; --", "<b>字</b>"])
async def test_hostile_words_come_through_as_words(
    database: DeskDatabase, desk_key: SignKey, clock: DeskClock, tmp_path: Path, title: str
) -> None:
    made = desk_intake(database, desk_key, clock, tmp_path)
    office = review_of(made)
    with database.transaction() as db:
        db.execute(insert(projects).values(project_code=PROJECT, name=title, city_code="4401"))
    made.intake.reception.open()
    try:
        box = made.box()
        await box.enrol()
        times = {"raised_at_ns": clock(), "observed_at_ns": clock()}
        assert (await box.alarm("a1", severity="P1", title_zh=title, subject=title, asset=title, **times)).status == 200
    finally:
        made.intake.reception.close()
    (row,) = office.queue(LING, clock(), Wanted(title), None).rows
    assert (row.title_zh, row.project_name, row.source_id) == (title, title, title)
