"""Who acts at the desk: a person, the level and duty they act in, and the piece of the country they may see.

In: what an account says. Out: `Actor`, the one thing every office asks for. Knows no session and no database.
"""

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """Whom somebody belongs to (省、市、县 of the supervision, a firm, one project)."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    FIRM = "firm"
    PROJECT = "project"


class Duty(Enum):
    """What somebody may do in their scope.

    VIEWER reads. INSPECTOR (also bought services) records checks and evidence. REVIEWER judges, orders, rechecks.
    APPROVER decides what needs a second or a higher person. ADMINISTRATOR keeps accounts, lists and packs and judges
    nothing. AUDITOR reads all records of the scope, the viewing of video too. RESPONDER answers orders for a firm or a
    project.
    """

    VIEWER = "viewer"
    INSPECTOR = "inspector"
    REVIEWER = "reviewer"
    APPROVER = "approver"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    RESPONDER = "responder"


@dataclass(frozen=True, slots=True)
class Scope:
    """A piece of the country: `code` is a region's, a firm's or a project's, as `level` says."""

    level: Level
    code: str


@dataclass(frozen=True, slots=True)
class Actor:
    """A person at work. `on_behalf_of` is the user id of whoever delegated this duty on leave, else empty.

    Two-person rules compare `persons`, so that a delegate never passes for a second person.
    """

    user_id: str
    name: str
    scope: Scope
    duties: frozenset[Duty]
    on_behalf_of: str = ""

    @property
    def level(self) -> Level:
        """The administrative level of the actor's scope."""
        return self.scope.level

    @property
    def persons(self) -> frozenset[str]:
        """Every person whose hand this deed may be."""
        return frozenset({self.user_id, self.on_behalf_of} - {""})

    def has(self, *duties: Duty) -> bool:
        """Whether any of these duties is held."""
        return bool(self.duties & set(duties))


CONSOLE = Actor("console", "控制台", Scope(Level.PROVINCE, ""), frozenset({Duty.ADMINISTRATOR}))
"""Whoever works at the desk's own machine with `sitewarden desk`."""
SYSTEM = Actor("system", "系统", Scope(Level.PROVINCE, ""), frozenset())
"""The desk itself: deadlines that pass, boxes that fall silent. It judges, orders and closes nothing."""
