"""Hazards as a part of the desk: answers from boxes, and a look at the clock every minute."""

from functools import partial

from regulator.base.desk import Desk, Job
from regulator.base.packs import load_packs
from regulator.base.web.part import Part
from regulator.parts.hazards.catalogue_file import load_catalogue
from regulator.parts.hazards.hazard_routes import hazard_pages
from regulator.parts.hazards.office import HazardOffice
from regulator.parts.hazards.opening import open_hazard
from regulator.parts.hazards.orders_follow import OrdersFollow
from regulator.parts.hazards.replies import ReplyListener
from regulator.parts.hazards.watch import EVERY_S, HazardWatch


def part(desk: Desk) -> Part:
    """From now on other parts open hazards through `desk.open_hazard`. Raises PackError for packs or a catalogue."""
    office = HazardOffice(desk, load_packs(desk.settings.packs), load_catalogue())
    desk.open_hazard = open_hazard
    return Part(
        partial(hazard_pages, desk, office),
        jobs=(
            Job("hazard-watch", EVERY_S, HazardWatch(desk.database, office).run),
            Job("orders-follow", EVERY_S, OrdersFollow(desk).run),
        ),
        listeners={"order_reply": ReplyListener(office)},
    )
