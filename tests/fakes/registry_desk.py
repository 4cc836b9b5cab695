"""A province in small for the registry's tests: two cities, three counties, two firms, and people with their duties.

desk = RegistryDesk(database, ledger, clock)
desk.plant(3)                                  # projects p-001 to p-003
with desk.act(ADMIN, "why") as act:
    put_firm(act, "p-001", "f-1", FirmRole.CONTRACTOR)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from regulator.base.act import Act
from regulator.base.days import day_of
from regulator.base.kinds import Category, DeviceKind, FirmRole, RegionLevel
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.parts.registry.projects.device_office import Device, add_device
from regulator.parts.registry.projects.project_office import Project, put_firm, register_project
from regulator.parts.registry.projects.region_office import Firm, Region, add_firm, add_region
from regulator.parts.registry.projects.set_office import Action, Proposal, SetRules, decide, propose
from tests.fakes.desk_database import DeskClock

PROVINCE = Scope(Level.PROVINCE, "44")


def person(user_id: str, scope: Scope, *duties: Duty, on_behalf_of: str = "") -> Actor:
    """Somebody made up."""
    return Actor(user_id, user_id.upper(), scope, frozenset(duties), on_behalf_of)


ADMIN = person("admin", PROVINCE, Duty.ADMINISTRATOR)
APPROVER = person("approver", PROVINCE, Duty.APPROVER)
INSPECTOR = person("inspector", PROVINCE, Duty.INSPECTOR)
VIEWER = person("viewer", PROVINCE, Duty.VIEWER)
CITY_ADMIN = person("city-admin", Scope(Level.CITY, "4401"), Duty.ADMINISTRATOR)
CITY_APPROVER = person("city-approver", Scope(Level.CITY, "4401"), Duty.APPROVER)
FIRM_PERSON = person("firm-person", Scope(Level.FIRM, "f-1"), Duty.RESPONDER)
REGIONS = (
    Region("44", "测试省", RegionLevel.PROVINCE),
    Region("4401", "甲市", RegionLevel.CITY, "44"),
    Region("4403", "乙市", RegionLevel.CITY, "44"),
    Region("440105", "甲东县", RegionLevel.COUNTY, "4401"),
    Region("440106", "甲西县", RegionLevel.COUNTY, "4401"),
    Region("440303", "乙南县", RegionLevel.COUNTY, "4403"),
)
FIRMS = (Firm("f-1", "第一建筑公司"), Firm("f-2", "第二建筑公司"))


class RegistryDesk:
    """The regions and firms are there from the start."""

    def __init__(self, database: DeskDatabase, ledger: Ledger, clock: DeskClock, rules: SetRules | None = None) -> None:
        self.database, self.ledger, self.clock = database, ledger, clock
        self.rules = rules or SetRules("44", 500)
        with self.act(ADMIN) as act:
            for region in REGIONS:
                add_region(act, region)
            for firm in FIRMS:
                add_firm(act, firm)

    @property
    def today(self) -> date:
        """The clock's day in Shanghai."""
        return day_of(self.clock())

    @contextmanager
    def act(self, actor: Actor, reason: str = "测试") -> Iterator[Act]:
        """One transaction of one person."""
        with self.database.transaction() as db:
            yield Act(db, self.ledger, actor, self.clock(), reason)

    def plant(self, count: int, *, city: str = "4401", county: str = "440105", first: int = 1) -> list[str]:
        """Running projects of the first firm; their codes."""
        codes = [f"p-{number:03}" for number in range(first, first + count)]
        with self.act(ADMIN) as act:
            for code in codes:
                register_project(act, Project(code, f"项目{code}", "44", city, county, started_on="2025-01-01"))
                put_firm(act, code, "f-1", FirmRole.CONTRACTOR)
        return codes

    def equip(self, project_code: str, *names: str, kind: DeviceKind = DeviceKind.TOWER_CRANE) -> None:
        """Devices whose asset is called as they are."""
        with self.act(ADMIN) as act:
            for name in names:
                add_device(act, Device(project_code, name, kind, name, asset=name))

    def join(self, *codes: str, on: date | None = None) -> None:
        """Into the set, by the two people it takes."""
        for code in codes:
            with self.act(ADMIN) as act:
                wanted = Proposal(Action.ADD, code, on or self.today, Category.GOV_BUILDING)
                proposal_id = propose(act, self.rules, wanted)
            with self.act(APPROVER) as act:
                decide(act, self.rules, proposal_id, approve=True)
