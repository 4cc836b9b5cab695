"""The wall as a part of a desk: what it hears, and what it does with time."""

from functools import partial

from regulator.base.desk import Desk, Job
from regulator.base.web.part import Part
from regulator.parts.wall.making import EVERY_S, TileMaker
from regulator.parts.wall.stills import take_still
from regulator.parts.wall.wall_routes import wall_pages


def part(desk: Desk) -> Part:
    """Tiles are made by the job, and the pages read them from the database."""
    maker = TileMaker(desk.database, desk.set_code, desk.settings.silent_box_s)
    return Part(partial(wall_pages, desk), jobs=(Job("wall", EVERY_S, maker.run),), takers={"camera_still": take_still})
