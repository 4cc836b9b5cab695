"""What the page of one hazard shows, gathered in one reading."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from regulator.base.deadline_days import DueClass, Urgency, Warned, due_class, due_day, urgency
from regulator.base.model.actor import Actor
from regulator.base.model.shelf import Shelf
from regulator.base.records.tables.hazards import hazard_deadlines, hazard_replies
from regulator.base.records.tables.registry import projects
from regulator.parts.hazards.accidents import AccidentClock, FollowedUp, clocks_of, follow_ups_of, receipts_of
from regulator.parts.hazards.analogy import AnalogyCheck, checks_of
from regulator.parts.hazards.chain import ChainEvent, chain_of, contradictions
from regulator.parts.hazards.deadlines import DeadlineKind
from regulator.parts.hazards.evidence import EvidenceItem, evidence_of
from regulator.parts.hazards.facts import rule_true
from regulator.parts.hazards.hazard_forms import ActionForm, form_of
from regulator.parts.hazards.notices import HazardNotice, notices_of
from regulator.parts.hazards.office import HazardOffice
from regulator.parts.hazards.orders import IssuedOrder, orders_of
from regulator.parts.hazards.record import HazardRecord, find_hazard
from regulator.parts.hazards.refused_days import day_of_refusal, refused_since
from regulator.parts.hazards.requests import requests_of
from regulator.parts.hazards.sections import WrittenSection, sections_of
from regulator.parts.hazards.watch import holders_of, warnings_of
from regulator.parts.hazards.words import DEADLINES


@dataclass(frozen=True, slots=True)
class DeadlineLine:
    """One deadline with its rule's words and warnings; `last_day` ISO."""

    name_zh: str
    name_en: str
    level: str
    last_day: str
    due_at_ns: int
    due: DueClass
    urgency: Urgency
    warned: tuple[tuple[str, int, bool], ...]
    rule_zh: str
    rule_en: str
    clause: str
    certainty: str
    pack: str
    outcome: str
    of_hours: bool


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One item, and what the shelf says of its bytes: whole, changed, missing or unreadable."""

    item: EvidenceItem
    state: str


@dataclass(frozen=True, slots=True)
class HazardView:
    """Everything of one hazard. `people`: names by user id, of those who did something about it."""

    hazard: HazardRecord
    project_name: str
    deadlines: tuple[DeadlineLine, ...]
    evidence: tuple[EvidenceLine, ...]
    sections: tuple[WrittenSection, ...]
    orders: tuple[IssuedOrder, ...]
    replies: "tuple[Row[Any], ...]"
    requests: "tuple[Row[Any], ...]"
    holders: "tuple[Row[Any], ...]"
    analogies: tuple[AnalogyCheck, ...]
    clocks: tuple[AccidentClock, ...]
    receipts: "tuple[Row[Any], ...]"
    follow_ups: tuple[FollowedUp, ...]
    events: tuple[ChainEvent, ...]
    wrong: tuple[str, ...]
    notices: tuple[HazardNotice, ...]
    refused_days: int
    actions: tuple[ActionForm, ...]
    rule_true: bool
    people: dict[str, str]


def view_of(
    db: Connection, office: HazardOffice, shelf: Shelf, actor: Actor, hazard_id: str, now_ns: int
) -> HazardView:
    """Raises RefusedError 404."""
    hazard = find_hazard(db, actor, hazard_id)
    name = db.scalar(select(projects.c.name).where(projects.c.project_code == hazard.project_code))
    quiet = office.rules(db, hazard.project_code).quiet_hours
    since = refused_since(db, [hazard_id])
    events = chain_of(db, hazard_id)
    return HazardView(
        hazard=hazard,
        project_name=name or hazard.project_code,
        deadlines=_deadlines(db, hazard_id, now_ns),
        evidence=tuple(EvidenceLine(item, _state(shelf, item.sha256)) for item in evidence_of(db, hazard_id)),
        sections=sections_of(db, hazard_id),
        orders=orders_of(db, hazard_id),
        replies=tuple(_replies(db, hazard_id)),
        requests=tuple(requests_of(db, hazard_id)),
        holders=tuple(holders_of(db, hazard_id)),
        analogies=checks_of(db, hazard_id),
        clocks=clocks_of(db, hazard_id, now_ns),
        receipts=tuple(receipts_of(db, hazard_id)),
        follow_ups=follow_ups_of(db, hazard_id),
        events=events,
        wrong=contradictions(db, hazard),
        notices=notices_of(db, hazard_id),
        refused_days=day_of_refusal(since[hazard_id], now_ns) if hazard_id in since else 0,
        actions=tuple(form_of(action) for action in office.allowed(hazard, actor)),
        rule_true=rule_true(db, hazard, quiet, now_ns),
        people={event.user_id: event.name for event in events},
    )


def _state(shelf: Shelf, sha256: str) -> str:
    try:
        shelf.read(sha256)
    except LookupError:
        return "missing"
    except ValueError:
        return "changed"
    except OSError:
        return "unreadable"
    return "whole"


def _replies(db: Connection, hazard_id: str) -> "list[Row[Any]]":
    at = hazard_replies.c
    return list(db.execute(select(hazard_replies).where(at.hazard_id == hazard_id).order_by(at.kept_at_ns)))


def _deadlines(db: Connection, hazard_id: str, now_ns: int) -> tuple[DeadlineLine, ...]:
    at = hazard_deadlines.c
    found = select(hazard_deadlines).where(at.hazard_id == hazard_id).order_by(at.ended_at_ns > 0, at.due_at_ns)
    rows = list(db.execute(found))
    warned = warnings_of(db, [row.deadline_id for row in rows])
    return tuple(_line(row, [each for each in warned if each.deadline_id == row.deadline_id], now_ns) for row in rows)


def _line(row: "Row[Any]", warned: "list[Row[Any]]", now_ns: int) -> DeadlineLine:
    name = DEADLINES[DeadlineKind(row.what)]
    at_ns = row.ended_at_ns or now_ns
    return DeadlineLine(
        name_zh=name.zh,
        name_en=name.en,
        level=row.level,
        last_day=due_day(row.due_at_ns).isoformat(),
        due_at_ns=row.due_at_ns,
        due=due_class(row.due_at_ns, at_ns),
        urgency=urgency(row.due_at_ns, tuple(Warned(each.name, each.at_ns) for each in warned), at_ns),
        warned=tuple((each.name, each.at_ns, each.given_at_ns > 0) for each in warned),
        rule_zh=row.rule_zh,
        rule_en=row.rule_en,
        clause=row.clause,
        certainty=row.certainty,
        pack=row.pack,
        outcome=row.outcome,
        of_hours=row.what in {DeadlineKind.ACCIDENT_PROVINCE.value, DeadlineKind.ACCIDENT_NATIONAL.value},
    )
