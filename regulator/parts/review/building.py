"""The review desk as a part of a desk: its office, what it hears of boxes, what it does with time."""

from typing import Final

from pydantic import BaseModel
from sqlalchemy import Connection

from regulator.base.desk import Desk, Job
from regulator.base.model.heard import SetListener
from regulator.parts.hazards.opening import open_hazard
from regulator.parts.review.arrivals import Arrivals
from regulator.parts.review.funnel import load_funnel
from regulator.parts.review.office import ReviewOffice
from regulator.parts.review.pictures import hear_record
from regulator.parts.review.verdicts import Verdicts

SWEEP_S: Final = 30.0
FINALISE_S: Final = 2.0


def build_review(desk: Desk) -> ReviewOffice:
    """Build it and hang its listeners and jobs on the desk, once."""

    def post(db: Connection, box_id: str, kind: str, body: BaseModel, now_ns: int) -> str:
        return desk.post(db, box_id, kind, body, now_ns)  # as it is then: the intake may be built later

    office = ReviewOffice(desk.database, desk.ledger, Verdicts(desk.ledger, open_hazard, post))
    arrivals = Arrivals(load_funnel(), desk.ledger, desk.settings.alarms_to_review)
    desk.listen("alarm_transition", SetListener(arrivals.hear, arrivals.hear_all))
    desk.listen("evidence_record", hear_record)

    def sweep(now_ns: int) -> None:
        arrivals.sweep(desk.database, now_ns)

    def finalise(now_ns: int) -> None:
        office.verdicts.finalise_due(desk.database, now_ns)

    desk.jobs += [Job("review-sweep", SWEEP_S, sweep), Job("review-finalise", FINALISE_S, finalise)]
    return office
