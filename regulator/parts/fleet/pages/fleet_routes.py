"""The fleet's pages.

GET  /fleet?show=&words=&software_is=&pack=&format=     every box of the scope, the worst first; CSV, XLSX
     /fleet/packs ...                                   see `regulator.parts.fleet.pages.fleet_packs`
     /fleet/enrolment ...                               see `regulator.parts.fleet.pages.fleet_enrolment`
"""

from fastapi import FastAPI

from contract import __version__
from regulator.base.desk import Desk
from regulator.base.web.pages import Pages
from regulator.parts.fleet.offers import OfferHearing
from regulator.parts.fleet.pages.fleet_boxes import box_pages
from regulator.parts.fleet.pages.fleet_enrolment import enrolment_pages
from regulator.parts.fleet.pages.fleet_packs import pack_pages


def install(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """The routes, and what is heard from boxes."""
    desk.listen("evidence_record", OfferHearing(desk.ledger).hear)
    pack_pages(desk, app, pages)
    enrolment_pages(desk, app, pages)
    box_pages(desk, app, pages, __version__)
