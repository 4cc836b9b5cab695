"""The fleet as a part of the desk: boxes, rule packs, enrolment.

GET  /fleet?show=&words=&software_is=&pack=&format=     every box of the scope, the worst first; CSV, XLSX
     /fleet/packs ...                                   see `regulator.parts.fleet.fleet_packs`
     /fleet/enrolment ...                               see `regulator.parts.fleet.fleet_enrolment`
"""

from fastapi import FastAPI

from contract import __version__
from regulator.base.desk import Desk
from regulator.base.web.pages import Pages
from regulator.base.web.part import Part
from regulator.parts.fleet.fleet_boxes import box_pages
from regulator.parts.fleet.fleet_enrolment import enrolment_pages
from regulator.parts.fleet.fleet_packs import pack_pages
from regulator.parts.fleet.offers import OfferHearing


def part(desk: Desk) -> Part:
    """It hears what boxes did with the packs that they were offered."""

    def install(app: FastAPI, pages: Pages) -> None:
        pack_pages(desk, app, pages)
        enrolment_pages(desk, app, pages)
        box_pages(desk, app, pages, __version__)

    return Part(install, listeners={"evidence_record": OfferHearing(desk.ledger).hear})
