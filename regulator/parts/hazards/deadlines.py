"""Starting and ending deadlines. A deadline's end is never moved: an extension ends one and starts its successor.

Each start and each end has its entry in the ledger, with the rule's words. In: a transaction, a rule. Out: rows.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from contract.canonical import Canonical
from regulator.base.deadline_days import due_at_ns, warnings
from regulator.base.model.actor import Actor
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.hazards import hazard_deadlines, hazard_warnings, hazards
from regulator.base.rules import DeadlineRule


class DeadlineKind(Enum):
    """What has to be done by then."""

    SITE_CHECK = "site_check"
    RECTIFY = "rectify"
    LISTING = "listing"
    LOOK_BACK = "look_back"
    ANALOGY = "analogy"
    ACCIDENT_PROVINCE = "accident_province"
    ACCIDENT_NATIONAL = "accident_national"


class Outcome(Enum):
    """How a deadline ended. VOID: what it was for is no more owed."""

    MET = "met"
    EXTENDED = "extended"
    VOID = "void"


URGING = (
    DeadlineKind.SITE_CHECK,
    DeadlineKind.RECTIFY,
    DeadlineKind.LISTING,
    DeadlineKind.ACCIDENT_PROVINCE,
    DeadlineKind.ACCIDENT_NATIONAL,
)
"""Those by which the board sorts a hazard."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose deadline it is."""

    hazard_id: str
    project_code: str


@dataclass(frozen=True, slots=True)
class Start:
    """A deadline to begin. `due_at_ns` 0: what the rule says; an extension gives its own. `level`: whose it is."""

    kind: DeadlineKind
    rule: DeadlineRule
    start_ns: int
    level: str = ""
    due_at_ns: int = 0
    predecessor: str = ""


class Deadlines:
    """Writes with the desk's ledger. Stateless."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def start(self, db: Connection, subject: Subject, start: Start, actor: Actor, now_ns: int) -> str:
        """Begin one; its id."""
        due = start.due_at_ns or due_at_ns(start.rule, start.start_ns)
        at = hazard_deadlines.c
        count = db.scalar(select(func.count()).where(at.hazard_id == subject.hazard_id)) or 0
        deadline_id = f"{subject.hazard_id}/{start.kind.value}/{count + 1}"
        row: dict[str, Canonical] = {
            "deadline_id": deadline_id,
            "hazard_id": subject.hazard_id,
            "project_code": subject.project_code,
            "what": start.kind.value,
            "level": start.level,
            "started_at_ns": start.start_ns,
            "due_at_ns": due,
            "rule_id": start.rule.rule_id.value,
            "pack": start.rule.pack,
            "rule_zh": start.rule.rule_zh,
            "rule_en": start.rule.rule_en,
            "clause": start.rule.clause,
            "certainty": start.rule.certainty,
            "predecessor": start.predecessor,
        }
        db.execute(insert(hazard_deadlines).values(**row))
        for warned in warnings(start.rule, start.start_ns, due):
            values = {"deadline_id": deadline_id, "project_code": subject.project_code}
            db.execute(insert(hazard_warnings).values(**values, name=warned.name, at_ns=warned.at_ns))
        self._write(db, "deadline_started", subject, row, actor, now_ns)
        refresh_due(db, subject.hazard_id)
        return deadline_id

    def end(
        self, db: Connection, subject: Subject, rows: "list[Row[Any]]", outcome: Outcome, actor: Actor, now_ns: int
    ) -> None:
        """End these."""
        for row in rows:
            mine = hazard_deadlines.c.deadline_id == row.deadline_id
            db.execute(update(hazard_deadlines).where(mine).values(ended_at_ns=now_ns, outcome=outcome.value))
            content: dict[str, Canonical] = {
                "deadline_id": row.deadline_id,
                "what": row.what,
                "level": row.level,
                "due_at_ns": row.due_at_ns,
                "outcome": outcome.value,
                "late": now_ns >= row.due_at_ns,
            }
            self._write(db, "deadline_ended", subject, content, actor, now_ns)
        refresh_due(db, subject.hazard_id)

    def _write(
        self, db: Connection, kind: str, subject: Subject, content: "dict[str, Canonical]", actor: Actor, now_ns: int
    ) -> None:
        self._ledger.append(db, Deed(kind, subject.hazard_id, content, subject.project_code), actor, now_ns)


def open_deadlines(db: Connection, hazard_id: str, *kinds: DeadlineKind) -> "list[Row[Any]]":
    """Those that run, the next first; of these kinds, or all."""
    at = hazard_deadlines.c
    found = (
        select(hazard_deadlines)
        .where(at.hazard_id == hazard_id, at.ended_at_ns == 0)
        .order_by(at.due_at_ns, at.deadline_id)
    )
    if kinds:
        found = found.where(at.what.in_([kind.value for kind in kinds]))
    return list(db.execute(found))


def refresh_due(db: Connection, hazard_id: str) -> None:
    """What the hazard's row says of its next urging deadline."""
    rows = open_deadlines(db, hazard_id, *URGING)
    due = rows[0].due_at_ns if rows else 0
    db.execute(update(hazards).where(hazards.c.hazard_id == hazard_id).values(due_at_ns=due))
