"""Site checks: what is doubtful on a screen is looked at on site, and what was found decides.

doubtful verdict, final --> asked --found--> hazard, in the same transaction
                              '----not found--> closed with words
"""

from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection, Row, and_, select, update

from regulator.base.desk import OpenHazard
from regulator.base.model.actor import Actor, Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.intake import alarms
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.review import review_items, review_site_checks
from regulator.parts.review.judgement import MAX_WORDS, REVIEW_LEVELS
from regulator.parts.review.proposals import proposed_hazard

CHECKERS = (Duty.INSPECTOR, Duty.REVIEWER)
ROWS = 200


class Outcome(Enum):
    """What was seen on site."""

    FOUND = "found"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person says of the site. Raises RefusedError 422 without words."""

    outcome: Outcome
    words: str

    def __post_init__(self) -> None:
        if not self.words.strip() or len(self.words) > MAX_WORDS:
            zh, en = f"须填写核查情况（{MAX_WORDS} 字以内）", f"say what was seen, in at most {MAX_WORDS} characters"
            raise RefusedError(422, "words_needed", zh, en, "words")


@dataclass(frozen=True, slots=True)
class SiteCheck:
    """One check; `outcome` is empty while it waits. Times UTC ns."""

    item_id: str
    project_code: str
    project_name: str
    title_zh: str
    title_en: str
    severity: str
    source_id: str
    asked_name: str
    asked_at_ns: int
    outcome: str
    found_words: str
    done_name: str
    done_at_ns: int
    hazard_id: str


def list_checks(db: Connection, actor: Actor) -> list[SiteCheck]:
    """Those that wait first, the oldest first; then what was done, the newest first."""
    at, item, alarm = review_site_checks.c, review_items.c, alarms.c
    query = (
        select(review_site_checks, projects.c.name, alarm.title_zh, alarm.title_en, item.severity, item.source_id)
        .join(review_items, item.item_id == at.item_id)
        .outerjoin(alarms, (alarm.box_id == item.box_id) & (alarm.alarm_id == item.alarm_id))
        .outerjoin(projects, projects.c.project_code == at.project_code)
        .where(in_scope(actor.scope, at.project_code))
    )
    waiting = db.execute(query.where(at.outcome == "").order_by(at.asked_at_ns).limit(ROWS)).all()
    done = db.execute(query.where(at.outcome != "").order_by(at.done_at_ns.desc()).limit(ROWS)).all()
    return [_check(row) for row in (*waiting, *done)]


def record_outcome(
    db: Connection, ledger: Ledger, open_hazard: OpenHazard, actor: Actor, item_id: str, seen: Seen, now_ns: int
) -> str:
    """Write down what was seen; the hazard's id when something was found. Raises RefusedError 403, 404 or 409."""
    if actor.level not in REVIEW_LEVELS or not actor.has(*CHECKERS):
        raise RefusedError(403, "no_checker", "无现场核查权限", "site checks are for inspectors and reviewers", "")
    at = review_site_checks.c
    here = and_(at.item_id == item_id, in_scope(actor.scope, at.project_code))
    row = db.execute(select(review_site_checks).where(here).with_for_update()).first()
    if row is None:
        raise RefusedError(404, "no_such_check", "没有这项核查", "no such site check in your scope", "item_id")
    if row.outcome:
        raise RefusedError(409, "checked_already", "该项已有核查结论", "this check has an outcome", "item_id")
    item = db.execute(select(review_items).where(review_items.c.item_id == item_id)).one()
    found, words = seen.outcome is Outcome.FOUND, seen.words.strip()
    hazard_id = open_hazard(db, ledger, proposed_hazard(db, item), actor, now_ns) if found else ""
    values = {"outcome": seen.outcome.value, "found_words": words, "hazard_id": hazard_id, "done_at_ns": now_ns}
    db.execute(update(review_site_checks).where(here).values(**values, done_by=actor.user_id, done_name=actor.name))
    content = {"outcome": seen.outcome.value, "words": words, "hazard_id": hazard_id}
    ledger.append(db, Deed("review_site_checked", item_id, content, row.project_code), actor, now_ns)
    return hazard_id


def _check(row: "Row[tuple[object, ...]]") -> SiteCheck:
    return SiteCheck(
        item_id=row.item_id,
        project_code=row.project_code,
        project_name=row.name or row.project_code,
        title_zh=row.title_zh or "",
        title_en=row.title_en or "",
        severity=row.severity,
        source_id=row.source_id,
        asked_name=row.asked_name,
        asked_at_ns=row.asked_at_ns,
        outcome=row.outcome,
        found_words=row.found_words,
        done_name=row.done_name,
        done_at_ns=row.done_at_ns,
        hazard_id=row.hazard_id,
    )
