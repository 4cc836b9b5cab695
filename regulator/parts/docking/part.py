"""Docking with platforms above the desk as a part of it: what it hears of alarms, and what it sends on."""

from functools import partial

from regulator.base.desk import Desk, Job
from regulator.base.web.part import Part
from regulator.parts.docking.delivering import EVERY_S, DockingDelivery
from regulator.parts.docking.docking_routes import docking_pages
from regulator.parts.docking.hazard_queueing import FOLLOW_EVERY_S, HazardFollowing
from regulator.parts.docking.office import DockingOffice
from regulator.parts.docking.places import open_places
from regulator.parts.docking.queueing import DockingHearing


def part(desk: Desk) -> Part:
    """Raises ValueError for a map or an entry of the settings that says nonsense: the desk does not start with it."""
    places = open_places(desk.settings.docking)
    pages = partial(docking_pages, DockingOffice(desk.database, desk.ledger, places))
    if not places:
        return Part(pages)
    delivery = DockingDelivery(desk.database, desk.ledger, places, desk.now_ns)
    return Part(
        pages,
        jobs=(
            Job("docking", EVERY_S, delivery.run),
            Job("docking-hazards", FOLLOW_EVERY_S, HazardFollowing(desk.database, places).run),
        ),
        listeners={"alarm_transition": DockingHearing(places).hear},
    )
