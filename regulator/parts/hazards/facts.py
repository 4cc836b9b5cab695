"""Gathers what the guards look at, inside the transaction that will change the hazard."""

import json
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from regulator.base.deadline_days import HOUR_NS
from regulator.base.model.actor import Actor, Level
from regulator.base.model.hazard_states import HazardAction
from regulator.base.records.tables.hazards import hazard_deadlines, hazard_replies
from regulator.base.records.tables.intake import alarms
from regulator.parts.hazards.deadlines import DeadlineKind
from regulator.parts.hazards.evidence import EvidenceKind, NewEvidence, evidence_of
from regulator.parts.hazards.guards import Facts
from regulator.parts.hazards.record import HazardRecord
from regulator.parts.hazards.requests import REQUEST_OF, deadline_level, open_request
from regulator.parts.hazards.sections import Section, sections_of, unsigned


@dataclass(frozen=True, slots=True)
class Asking:
    """The part of a request that the facts depend on."""

    action: HazardAction
    words: str
    override: str
    section: Section | None
    fresh: tuple[NewEvidence, ...]


def gather(db: Connection, hazard: HazardRecord, asking: Asking, actor: Actor, quiet_hours: int, now_ns: int) -> Facts:
    """The facts, as they are committed and locked."""
    sections = sections_of(db, hazard.hazard_id)
    chosen = next((each for each in sections if each.section is asking.section), None)
    request = open_request(db, hazard.hazard_id, REQUEST_OF.get(asking.action, ""))
    repliers = repliers_of(db, hazard.hazard_id)
    return Facts(
        persons=actor.persons,
        level=actor.level,
        words=asking.words,
        major=hazard.is_major,
        needs_sections=hazard.needs_sections,
        new_evidence=bool(asking.fresh) or _came_before(db, hazard, asking.action, repliers),
        rule_true=rule_true(db, hazard, quiet_hours, now_ns),
        override=asking.override,
        unsigned=unsigned(sections),
        section_ready=chosen is not None and chosen.is_ready,
        section_writers=frozenset() if chosen is None else chosen.writers,
        repliers=repliers,
        confirmers=hazard.confirmed_by,
        askers=frozenset() if request is None else frozenset(json.loads(request.asked_persons)),
        asked=request is not None,
        deadline_level=deadline_level(db, hazard),
        stopped=hazard.is_stopped,
        handed_over=hazard.handed_over_at_ns > 0,
        listed=_listed_at(db, hazard, actor.level),
    )


def rule_true(db: Connection, hazard: HazardRecord, quiet_hours: int, now_ns: int) -> bool:
    """Whether the alarm that raised a hazard is active, or was until lately; not known counts as active."""
    if not hazard.opened_by_alarm:
        return False
    at = alarms.c
    found = select(at.active, at.returned_at_ns).where(at.box_id == hazard.box_id, at.alarm_id == hazard.alarm_id)
    row = db.execute(found).first()
    if row is None or row.active:
        return True
    return bool(now_ns - row.returned_at_ns < quiet_hours * HOUR_NS)


def repliers_of(db: Connection, hazard_id: str) -> frozenset[str]:
    """Everyone whose hand was in an answer of the site."""
    found = db.scalars(select(hazard_replies.c.persons).where(hazard_replies.c.hazard_id == hazard_id))
    return frozenset(person for persons in found for person in json.loads(persons))


def _listed_at(db: Connection, hazard: HazardRecord, level: Level) -> bool:
    at = hazard_deadlines.c
    listed = (at.hazard_id == hazard.hazard_id, at.what == DeadlineKind.LISTING.value, at.level == level.value)
    return bool(db.scalar(select(func.count()).where(*listed, at.ended_at_ns == 0)))


def _came_before(db: Connection, hazard: HazardRecord, action: HazardAction, repliers: frozenset[str]) -> bool:
    """Evidence that was added for this step before it: the site's for its answer, a third person's for a recheck."""
    items = [item for item in evidence_of(db, hazard.hazard_id) if item.round == hazard.round]
    last = last_reply_ns(db, hazard.hazard_id)
    if action is HazardAction.CLOSE:
        mine = [item for item in items if item.kind is EvidenceKind.RECHECK and item.added_at_ns >= last]
        return any(not item.persons & repliers for item in mine)
    if action is HazardAction.SUBMIT:
        return any(item.kind is EvidenceKind.RECTIFIED and item.added_at_ns >= last for item in items)
    return False


def last_reply_ns(db: Connection, hazard_id: str) -> int:
    """When the site last said that it is put right; 0 for never."""
    at = hazard_replies.c
    told = select(func.max(at.kept_at_ns)).where(at.hazard_id == hazard_id, at.answer == "rectified", at.outcome == "")
    return db.scalar(told) or 0
