"""Review items: what a row of the queue is made from, and how one comes into being, once.

In: an alarm and the stage of the funnel that it reached. Out: an item and its entry in the ledger, in the caller's
transaction. An item's id follows from its alarm, so that two replicas make the same one.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from regulator.base.model.actor import SYSTEM
from regulator.base.records.among import among
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.many import insert_new
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.review import review_items
from regulator.parts.review.blind import drawn, sample_secret
from regulator.parts.review.funnel import HOUR_NS, MINUTE_NS, Stage

CAMERA_KIND = "camera-post"
RANKS = {"P1": 1, "P2": 2, "P3": 3, "log": 4}
ID_LENGTH = 24


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """What of an alarm decides where its item stands. Times UTC ns. `suspected_major`: a code of the national list."""

    project_code: str
    box_id: str
    alarm_id: str
    rule_id: str
    severity: str
    subject: str
    asset: str
    asset_kind: str
    raised_at_ns: int
    suspected_major: bool

    @property
    def source_id(self) -> str:
        """The camera that saw it, or the crane, pit or device."""
        camera = self.subject.rpartition(".")[0]
        return camera if self.asset_kind == CAMERA_KIND and camera else self.asset

    @property
    def group_key(self) -> str:
        """Alike: the same source and rule within the same hour."""
        return f"{self.box_id}|{self.source_id}|{self.rule_id}|{self.raised_at_ns // HOUR_NS}"


_ADD = {
    name: dialect.insert(review_items).on_conflict_do_nothing().returning(review_items.c.item_id)
    for name, dialect in (("postgresql", postgresql), ("sqlite", sqlite))
}
"""Built once: every alarm asks for them, and building a statement costs more than running it."""


def item_id_of(box_id: str, alarm_id: str, round_number: int = 1) -> str:
    """The item's name; says nothing of its alarm."""
    text = f"{box_id}\0{alarm_id}\0{round_number}"
    return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]


def enqueue_all(db: Connection, ledger: Ledger, due: Sequence[tuple[AlarmFacts, Stage]], now_ns: int) -> int:
    """Put many alarms before the reviewers, in their order; how many were not there yet. Others stay as they are."""
    if not due:
        return 0
    at = projects.c
    named = select(at.project_code, at.dangerous_works).where(among(at.project_code, {f.project_code for f, _ in due}))
    works, secret = {row.project_code: row.dangerous_works for row in db.execute(named)}, sample_secret(db)
    rows = []
    for facts, stage in due:
        item_id = item_id_of(facts.box_id, facts.alarm_id)
        reasons = _risk_reasons(works.get(facts.project_code), facts, stage)
        rows.append(_values(item_id, facts, stage, reasons, now_ns) | {"sampled": int(drawn(secret, item_id))})
    made = insert_new(db, review_items, rows)
    deeds = [_queued(item_id_of(facts.box_id, facts.alarm_id), facts, stage) for facts, stage in due]
    ledger.append_all(db, [deed for deed in deeds if deed.subject in made], SYSTEM, now_ns)
    return len(made)


def _queued(item_id: str, facts: AlarmFacts, stage: Stage) -> Deed:
    content = {"box_id": facts.box_id, "alarm_id": facts.alarm_id, "stage": stage.value, "severity": facts.severity}
    return Deed("review_queued", item_id, content, facts.project_code)


def _values(item_id: str, facts: AlarmFacts, stage: Stage, reasons: list[str], now_ns: int) -> dict[str, object]:
    return {
        "item_id": item_id,
        "project_code": facts.project_code,
        "box_id": facts.box_id,
        "alarm_id": facts.alarm_id,
        "round": 1,
        "rule_id": facts.rule_id,
        "source_id": facts.source_id,
        "asset_kind": facts.asset_kind,
        "severity": facts.severity,
        "rank": RANKS[facts.severity],
        "aged_min": facts.raised_at_ns // MINUTE_NS,
        "risk": sum(RISK[reason] for reason in reasons),
        "risk_reasons": " ".join(reasons),
        "raised_at_ns": facts.raised_at_ns,
        "queued_at_ns": now_ns,
        "stage": stage.value,
        "group_key": facts.group_key,
    }


RISK = {"major": 4, "repeated": 2, "works": 1}
"""Points of what makes an item more pressing among those as old and as grave: a suspected major hazard, a repetition,
a project with dangerous works. A proposal; the reasons are shown, never the points alone."""


def second_round(db: Connection, row: "Row[tuple[object, ...]]", now_ns: int) -> str | None:
    """The blind second look at an item that was drawn; its id, or None when it was made before."""
    kept = ("project_code", "box_id", "alarm_id", "rule_id", "source_id", "asset_kind", "severity", "rank", "risk")
    more = ("risk_reasons", "raised_at_ns", "stage", "group_key")
    item_id = item_id_of(row.box_id, row.alarm_id, 2)
    values = {name: getattr(row, name) for name in (*kept, *more)}
    values |= {"item_id": item_id, "round": 2, "aged_min": now_ns // MINUTE_NS, "queued_at_ns": now_ns}
    values |= {"barred_user": row.judged_by, "barred_for": row.judged_for}
    return item_id if insert_once(db, values) else None


def insert_once(db: Connection, values: dict[str, object]) -> bool:
    """Insert an item unless it is there; whether it was inserted."""
    return db.scalar(_ADD[db.dialect.name], values) is not None


def set_fields(db: Connection, item_id: str, **values: object) -> None:
    """Change how an item stands; the caller writes the verdict row and the ledger entry that say why."""
    db.execute(update(review_items).where(review_items.c.item_id == item_id).values(**values))


def _risk_reasons(works: str | None, facts: AlarmFacts, stage: Stage) -> list[str]:
    found = {
        "major": facts.suspected_major,
        "repeated": stage is Stage.REPEATED,
        "works": works not in (None, "", "[]"),
    }
    return [reason for reason, holds in found.items() if holds]
