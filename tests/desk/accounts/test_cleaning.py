"""Logins that are over go after a week; a login that is in force, and every record of one that was not, stay."""

from sqlalchemy import func, select

from regulator.base.accounts.cleaning import KEEP_NS, SessionCleaning
from regulator.base.accounts.sessions import IDLE_NS
from regulator.base.model.actor import Duty
from regulator.base.records.tables.ledger import ledger_entries
from regulator.base.records.tables.people import sessions
from regulator.base.records.tables.viewing import media_views
from regulator.parts.evidence.viewing import Shown, write_viewing
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace


def count(face: DeskFace, table) -> int:
    with face.database.reading() as db:
        return int(db.scalar(select(func.count()).select_from(table)) or 0)


def test_a_login_goes_a_week_after_it_was_over_and_its_record_stays(face: DeskFace, clock: DeskClock) -> None:
    cleaning = SessionCleaning(face.database)
    ended = face.client(Duty.VIEWER)
    ended.submit("/me", "/logout")
    with face.database.transaction() as db:
        write_viewing(
            db, face.desk.ledger, Shown("a" * 64, "image/jpeg", "p", "h"), face.actor(Duty.VIEWER), "s", clock()
        )
    entries = count(face, ledger_entries)
    clock.at_ns += KEEP_NS
    assert cleaning.clean(clock()) == 0
    clock.move(seconds=1)
    assert cleaning.clean(clock()) == 1
    assert (count(face, sessions), count(face, ledger_entries), count(face, media_views)) == (0, entries, 1)


def test_a_login_that_ran_out_goes_and_one_in_force_stays(face: DeskFace, clock: DeskClock) -> None:
    face.client(Duty.VIEWER)
    clock.at_ns += KEEP_NS + IDLE_NS + 1
    here = face.client(Duty.REVIEWER)
    job = next(job for job in face.desk.jobs if job.name == "sessions")
    job.run(clock())
    job.run(clock())
    assert count(face, sessions) == 1
    assert here.get("/hazards").status_code == 200
