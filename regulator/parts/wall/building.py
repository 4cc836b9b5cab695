"""The wall as a part of a desk: what it hears, and what it does with time."""

from regulator.base.desk import Desk, Job
from regulator.parts.registry.building import set_code_of
from regulator.parts.wall.making import EVERY_S, TileMaker
from regulator.parts.wall.stills import take_still


def build_wall(desk: Desk) -> TileMaker:
    """Hang the taker and the job on."""
    maker = TileMaker(desk.database, set_code_of(desk), desk.settings.silent_box_s)

    def look(now_ns: int) -> None:
        maker.run(now_ns)

    desk.takers["camera_still"] = take_still
    desk.jobs.append(Job("wall", EVERY_S, look))
    return maker
