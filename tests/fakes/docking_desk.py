"""A desk that docks with a platform above it: a real intake with boxes, real rows, the real job on real sockets."""

from pathlib import Path

from sqlalchemy import insert, select

from contract.signing import SignKey
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.docking import docking_lanes, docking_outbox
from regulator.base.records.tables.registry import projects
from regulator.base.settings import DockingSettings
from regulator.parts.docking.delivering import DockingDelivery
from regulator.parts.docking.office import DockingOffice
from regulator.parts.docking.places import open_places
from regulator.parts.docking.queueing import DockingHearing
from tests.fakes.desk_database import DeskClock
from tests.fakes.docking_patterns import Docked
from tests.fakes.sending_box import PROJECT, SendingBox, desk_intake


def docking_settings(folder: Path, docked: Docked, url: str, **changes: object) -> DockingSettings:
    """An entry of the desk's file, its secrets on disk."""
    files = {}
    for name, text in docked.secrets.items():
        files[name] = folder / name
        files[name].write_text(text + "\n")
    known = {"name": "province", "platform": docked.platform, "url": url, "ids": dict(docked.ids)}
    return DockingSettings(**known | {"secret_files": files} | changes)


class DockingDesk:
    """`replicas` hands on one database; `box` sends alarms of one project."""

    def __init__(
        self, database: DeskDatabase, key: SignKey, clock: DeskClock, folder: Path, *settings: DockingSettings
    ) -> None:
        self.database, self.clock = database, clock
        self.intake = desk_intake(database, key, clock, folder)
        self.places = open_places(settings)
        ledger = self.intake.desk.ledger
        self.intake.desk.listen("alarm_transition", DockingHearing(self.places).hear)
        self.replicas = [DockingDelivery(database, ledger, self.places, clock) for _ in range(2)]
        self.office = DockingOffice(database, ledger, self.places)
        self.box: SendingBox = self.intake.box()
        with database.transaction() as db:
            row = {"project_code": PROJECT, "name": "一号工地", "province_code": "44", "city_code": "4401"}
            db.execute(insert(projects).values(**row, county_code="440105"))

    async def alarms(self, many: int, first: int = 1, **changes: object) -> None:
        """So many alarms arrive, a second apart."""
        if not self.box.seq:
            await self.box.enrol()
        for number in range(first, first + many):
            self.clock.move(seconds=1)
            await self.box.alarm(f"a-{number:03d}", **changes)

    def run(self, replica: int = 0) -> None:
        """The job, once."""
        self.replicas[replica].run(self.clock())

    def states(self) -> dict[str, str]:
        """State by key."""
        with self.database.reading() as db:
            rows = db.execute(select(docking_outbox).order_by(docking_outbox.c.queued_at_ns))
            return {row.key.removeprefix("box-1/"): row.state for row in rows}

    def lane(self):  # type: ignore[no-untyped-def]  # a row
        """The lane's row."""
        with self.database.reading() as db:
            return db.execute(select(docking_lanes)).one()
