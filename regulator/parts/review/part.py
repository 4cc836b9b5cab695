"""The review desk as a part of a desk: its office, what it hears of boxes, what it does with time."""

from functools import partial
from typing import Final

from pydantic import BaseModel
from sqlalchemy import Connection

from regulator.base.desk import Desk, Job
from regulator.base.model.heard import SetListener
from regulator.base.web.part import Part
from regulator.parts.review.arrivals import Arrivals
from regulator.parts.review.funnel import load_funnel
from regulator.parts.review.office import ReviewOffice
from regulator.parts.review.pictures import hear_record
from regulator.parts.review.review_routes import review_pages
from regulator.parts.review.verdicts import Verdicts

SWEEP_S: Final = 30.0
FINALISE_S: Final = 2.0


def review_office(desk: Desk) -> ReviewOffice:
    """Stateless: as many as are wanted."""

    def post(db: Connection, box_id: str, kind: str, body: BaseModel, now_ns: int) -> str:
        return desk.post(db, box_id, kind, body, now_ns)  # as it is then: the intake may be built later

    return ReviewOffice(desk.database, desk.ledger, Verdicts(desk.ledger, desk.open_hazard, post))


def part(desk: Desk) -> Part:
    """After the hazards: what is judged true is opened through the desk's port."""
    office = review_office(desk)
    arrivals = Arrivals(load_funnel(), desk.ledger, desk.settings.alarms_to_review)
    return Part(
        partial(review_pages, office),
        jobs=(
            Job("review-sweep", SWEEP_S, partial(arrivals.sweep, desk.database)),
            Job("review-finalise", FINALISE_S, partial(office.verdicts.finalise_due, desk.database)),
        ),
        listeners={
            "alarm_transition": SetListener(arrivals.hear_all),
            "evidence_record": hear_record,
        },
    )
