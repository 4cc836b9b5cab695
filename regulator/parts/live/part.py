"""Live video as a part of a desk: what it hears of boxes, and what ends with time."""

from functools import partial
from typing import Final

from pydantic import BaseModel
from sqlalchemy import Connection, exists, select

from regulator.base.desk import Desk, Job
from regulator.base.records.tables.live import live_sessions, live_viewers
from regulator.base.web.part import Part
from regulator.parts.live.live_routes import Live, live_pages
from regulator.parts.live.office import LiveOffice
from regulator.parts.live.relay import relay_for
from regulator.parts.live.taking import LiveTaking

SWEEP_S: Final = 2.0


def part(desk: Desk) -> Part:
    """One relay a desk."""

    def post(db: Connection, box_id: str, kind: str, body: BaseModel, now_ns: int) -> str:
        return desk.post(db, box_id, kind, body, now_ns)

    relay = relay_for(desk.database)
    office = LiveOffice(desk.ledger, relay, post)
    taking = LiveTaking(office, relay)

    def sweep(now_ns: int) -> None:
        """Reads first: most of the time nothing runs, and a writer is not to be held up for that."""
        with desk.database.reading() as db:
            views = db.scalar(select(exists().where(live_viewers.c.ended_at_ns == 0)))
            sessions = db.scalar(select(exists().where(live_sessions.c.ended_at_ns == 0)))
        if views or sessions:
            with desk.database.transaction() as db:
                office.sweep(db, now_ns)

    return Part(
        partial(live_pages, desk, Live(office, relay)),
        jobs=(Job("live", SWEEP_S, sweep),),
        takers={"live_view_answer": taking.answer, "live_part": taking.part},
    )
