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


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """What a screen, a regulator and a court need to know of a rule. `certainty` is the code of the reference table."""

    rule_id: str
    title_zh: str
    title_en: str
    severity: Severity
    unit: str
    limit_source: str
    clause: str
    certainty: str
    reportable: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    """One episode: from raised until it has both returned and been acknowledged. Times are UTC ns, 0 = not yet.

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

    @property
    def open(self) -> bool:
        """Still on the list: active, or not yet acknowledged. LOG asks nobody for anything."""
        return self.active or not (self.acknowledged or self.rule.severity is Severity.LOG)


@dataclass(frozen=True, slots=True)
class Transition:
    """An alarm stepped: `alarm` is its state afterwards. `at_ns` is the observation's time (or the command's)."""

    kind: TransitionKind
    alarm: Alarm
    at_ns: int
    measured: float
    user: str = ""
    reason: str = ""
