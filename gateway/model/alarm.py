"""Alarms: a machine state about one (rule, subject), after ISA-18.2 / IEC 62682.

`active` (the condition holds) and `acknowledged` (a person has seen it) are two fields and never merge.
An alarm is not a hazard: a hazard is a record at the regulator, handled by people.
"""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """P1 is the gravest; LOG is recorded and shown, and never sounds. Domain scales map onto these four."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    LOG = "log"


class TransitionKind(StrEnum):
    """What happened to an alarm; each is sealed as evidence and may become an alert."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"
    RESET = "reset"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    OUT_OF_SERVICE = "out_of_service"
    IN_SERVICE = "in_service"
    ESCALATED = "escalated"
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"


# What the contract with a regulator knows; every other kind stays in the evidence chain.
ALERTING = frozenset({TransitionKind.RAISED, TransitionKind.ACKNOWLEDGED, TransitionKind.RETURNED})


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """What a screen, a regulator and a court need to know of a rule. `certainty` is the code of the reference table.

    `hazard` is the catalogue's code of the major accident hazard that a hit makes suspected, such as MH24-8-4; empty
    when there is none.
    """

    rule_id: str
    title_zh: str
    title_en: str
    severity: Severity
    unit: str
    limit_source: str
    clause: str
    certainty: str
    reportable: bool
    hazard: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One episode: from raised until it has returned, been acknowledged and, when it latches, been reset.

    Times are UTC ns, 0 = not yet. `latched` says that the condition is gone and a person still has to reset.
    `shelved_until_ns` and `out_of_service` silence; the alarm is judged, recorded and listed all the same.
    `first_out_id` names the alarm of the same asset that came first, when this one followed within the window.
    `escalated` holds the reasons for which it was escalated, each once.
    `suppressed_by` names the rule whose active alarm suppresses this one by design. `withheld` says that it was
    suppressed before anybody was told of it: it is raised when the suppression ends and the condition still holds.

    `unknown` says that the condition can no longer be judged; the alarm stays active (a dead sensor clears nothing).
    `suspected` says that the machine proves nothing by itself: a person or a passed deadline confirms.
    """

    alarm_id: str
    rule: RuleInfo
    subject: str
    asset: str
    asset_kind: str
    suspected: bool
    raised_at_ns: int
    measured: float
    limit: float
    active: bool = True
    acknowledged: bool = False
    unknown: bool = False
    acknowledged_at_ns: int = 0
    acknowledged_by: str = ""
    acknowledge_reason: str = ""
    returned_at_ns: int = 0
    worst: float = float("nan")
    latching: bool = False
    latched: bool = False
    shelved_at_ns: int = 0
    shelved_until_ns: int = 0
    shelved_by: str = ""
    shelve_reason: str = ""
    out_of_service: bool = False
    first_out_id: str = ""
    escalated: tuple[str, ...] = ()
    suppressed_by: str = ""
    suppressed_at_ns: int = 0
    withheld: bool = False

    @property
    def open(self) -> bool:
        """Still on the list: active, latched, shelved, or not yet acknowledged. LOG asks nobody for anything, and
        nobody was told of what was withheld."""
        if self.withheld:
            return self.active
        waiting = not (self.acknowledged or self.rule.severity is Severity.LOG)
        return self.active or self.latched or self.shelved or waiting

    @property
    def shelved(self) -> bool:
        """A person has put it aside for a while."""
        return self.shelved_until_ns > 0

    @property
    def suppressed(self) -> bool:
        """Another rule's active alarm suppresses it by design."""
        return self.suppressed_by != ""

    @property
    def silenced(self) -> bool:
        """Shown and recorded, but nobody is called: shelved, suppressed, or its device or point is out of service."""
        return self.shelved or self.out_of_service or self.suppressed


@dataclass(frozen=True, slots=True)
class Transition:
    """An alarm stepped: `alarm` is its state afterwards. `at_ns` is the observation's time (or the command's)."""

    kind: TransitionKind
    alarm: Alarm
    at_ns: int
    measured: float
    user: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OutOfService:
    """A device or a point that is being worked on. Its alarms are judged, recorded and shown, and call nobody."""

    target: str
    since_ns: int
    until_ns: int
    user: str
    reason: str


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """A device or point went out of service (or was renewed), or is back; `user` is empty when the time ran out."""

    kind: TransitionKind
    service: OutOfService
    at_ns: int
    user: str
    reason: str


@dataclass(frozen=True, slots=True)
class AlarmBounds:
    """What a site may choose of the alarm table. The figures of shelving and service are product design.

    Flood: more than 10 new alarms in 10 minutes for one operator position; chatter: 3 raises of one alarm in a minute;
    standing: active for a day. ISA-18.2 and EEMUA 191 as remembered, certainty M-M.
    """

    first_out_window_s: float = 10.0
    shelve_max_s: float = 8 * 3600.0
    out_of_service_max_s: float = 24 * 3600.0
    standing_after_s: float = 24 * 3600.0
    chatter_raises: int = 3
    chatter_window_s: float = 60.0
    flood_alarms: int = 10
    flood_window_s: float = 600.0
