"""Permits and warnings as a part of the desk: acknowledgements of boxes, and boxes that enrol later."""

from functools import partial
from typing import Final

from regulator.base.desk import Desk, Job
from regulator.base.web.part import Part
from regulator.parts.site.hearing import SiteHearing
from regulator.parts.site.office import NoticeOffice
from regulator.parts.site.site_routes import notice_pages

CATCH_UP_S: Final = 60.0


def part(desk: Desk) -> Part:
    """A notice reaches every box of its target, whenever it comes."""
    office = NoticeOffice(desk)
    return Part(
        partial(notice_pages, office),
        jobs=(Job("site-notices", CATCH_UP_S, office.catch_up),),
        listeners={"evidence_record": SiteHearing(desk.ledger).hear},
    )
