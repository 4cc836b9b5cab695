"""Alarms on their way into the queue: at once when they arrive, or when the desk's sweep finds them due.

    alarm_transition --in its transaction--> handed over? P1? the third within a day? a flood?   --> item
    sweep, every 30 s                    --> P2 that nobody acknowledges, a camera blind for long --> item
                                             the last week each time, what is older once, in bites

In: what a box said, or what the alarms' table holds. Out: items, each made once however often an alarm is heard of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, or_, select
from sqlalchemy.sql import ColumnElement

from contract.messages import AlarmTransition
from regulator.base.model.heard import Heard
from regulator.base.records.books import read_book, take_book, turn_book
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.intake import alarms
from regulator.base.records.tables.review import review_items
from regulator.parts.review.crowds import Crowd, crowds_of
from regulator.parts.review.funnel import HOUR_NS, Funnel, Stage
from regulator.parts.review.items import AlarmFacts, enqueue_all

SWEPT_NS = 7 * 24 * HOUR_NS
"""How far back every sweep looks for alarms that nobody acknowledges: with a year of them stored it may not look at all
of them each time. What is older is looked at once: the book says up to which arrival that was done."""
BOOK = "review-unacknowledged"
OLDER_LIMIT = 2_000
"""Older alarms that a sweep looks at; the next sweep goes on. A desk that stood still for weeks catches up so."""
SWEEP_LIMIT = 500
"""Items a sweep makes for one stage; the next sweep goes on."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Decides who comes. `to_review`: the priorities that the desk's settings let in."""

    funnel: Funnel
    ledger: Ledger
    to_review: tuple[str, ...]

    def hear_all(self, db: Connection, told: Sequence[Heard], now_ns: int) -> None:
        """Hears `alarm_transition`: of many of one moment with a few questions."""
        said = [(each, each.body) for each in told]
        heard = [(m.transition, facts_of(each, m)) for each, m in said if isinstance(m, AlarmTransition)]
        crowds = crowds_of(db, self.funnel.stages, [facts for _, facts in heard])
        due: list[tuple[AlarmFacts, Stage]] = []
        for (transition, facts), crowd in zip(heard, crowds, strict=True):
            stage = self._stage_among(transition, facts, crowd, due)
            if stage is not None and not crowd.queued:
                due.append((facts, stage))
        enqueue_all(db, self.ledger, due, now_ns)

    def _stage_among(
        self, transition: str, facts: AlarmFacts, crowd: Crowd, before: list[tuple[AlarmFacts, Stage]]
    ) -> Stage | None:
        """Whether an alarm comes at once. `before`: items that are about to be made for alarms before this one."""
        stages = self.funnel.stages
        if transition == "handed_over":
            return Stage.HANDED_OVER
        if transition != "raised":
            return None
        if stages.priority and facts.severity in self._allowed(stages.priority.severities):
            return Stage.PRIORITY
        repeated, flood = stages.repeated, stages.flood
        if repeated and facts.severity in self._allowed(repeated.severities) and crowd.at_place + 1 >= repeated.times:
            return Stage.REPEATED
        if flood is None or crowd.in_project + 1 <= flood.more_than or crowd.flood:
            return None
        since_ns = facts.raised_at_ns - flood.within_ns
        stands = (
            stage is Stage.FLOOD and other.project_code == facts.project_code and other.raised_at_ns > since_ns
            for other, stage in before
        )
        return None if any(stands) else Stage.FLOOD

    def sweep(self, database: DeskDatabase, now_ns: int) -> int:
        """What has become due by waiting; how many items were made. One transaction a project, as each has a chain."""
        made = 0
        for stage, due in self._waiting(now_ns):
            query = select(alarms).where(due, ~_queued()).order_by(alarms.c.raised_at_ns).limit(SWEEP_LIMIT)
            made += self._enqueue_all(database, query, stage, now_ns)
        return made + self._sweep_older(database, now_ns)

    def _sweep_older(self, database: DeskDatabase, now_ns: int) -> int:
        """What has been unacknowledged for longer than a sweep looks back, each arrival once."""
        unseen = self._unacknowledged()
        if unseen is None:
            return 0
        end_ns, at = now_ns - self._after_ns - SWEPT_NS, alarms.c.accepted_at_ns
        with database.reading() as db:
            since_ns = read_book(db, BOOK)
            later = select(at).where(unseen, at > since_ns, at <= end_ns).order_by(at)
            until_ns = db.scalar(later.offset(OLDER_LIMIT - 1).limit(1)) or end_ns
        if until_ns <= since_ns:
            return 0
        query = select(alarms).where(unseen, at > since_ns, at <= until_ns, ~_queued()).order_by(alarms.c.raised_at_ns)
        made = self._enqueue_all(database, query, Stage.UNACKNOWLEDGED, now_ns)
        with database.transaction() as db:
            take_book(db, BOOK)
            turn_book(db, BOOK, until_ns)
        return made

    def _enqueue_all(self, database: DeskDatabase, query: "Select[Any]", stage: Stage, now_ns: int) -> int:
        with database.reading() as db:
            found = sorted(map(_facts_of_row, db.execute(query)), key=lambda facts: facts.project_code)
        made = 0
        for _, of_project in groupby(found, key=lambda facts: facts.project_code):
            with database.transaction() as db:
                made += enqueue_all(db, self.ledger, [(facts, stage) for facts in of_project], now_ns)
        return made

    def _waiting(self, now_ns: int) -> "list[tuple[Stage, ColumnElement[bool]]]":
        stages, at = self.funnel.stages, alarms.c
        found: list[tuple[Stage, ColumnElement[bool]]] = []
        unseen = self._unacknowledged()
        if unseen is not None:
            since_ns = now_ns - self._after_ns
            lately = (at.accepted_at_ns <= since_ns) & (at.accepted_at_ns > since_ns - SWEPT_NS)
            found.append((Stage.UNACKNOWLEDGED, unseen & lately))
        if stages.blinded:
            blind = or_(*(at.rule_id.like(pattern, escape="\\") for pattern in stages.blinded.like_patterns))
            lasting = (at.active == 1) & (at.accepted_at_ns <= now_ns - stages.blinded.after_ns)
            found.append((Stage.BLINDED, and_(blind, lasting)))
        return found

    @property
    def _after_ns(self) -> int:
        stage = self.funnel.stages.unacknowledged
        return stage.after_ns if stage else 0

    def _unacknowledged(self) -> "ColumnElement[bool] | None":
        """What the index of unacknowledged alarms answers; None when they are no way into the queue."""
        stage = self.funnel.stages.unacknowledged
        if stage is None:
            return None
        return alarms.c.severity.in_(self._allowed(stage.severities)) & (alarms.c.acknowledged == 0)

    def _allowed(self, severities: tuple[str, ...]) -> list[str]:
        return [severity for severity in severities if severity in self.to_review]


def facts_of(heard: Heard, message: AlarmTransition) -> AlarmFacts:
    """What the queue needs of a transition."""
    return AlarmFacts(
        project_code=heard.project_code,
        box_id=heard.box_id,
        alarm_id=message.alarm_id,
        rule_id=message.rule_id,
        severity=message.severity,
        subject=message.subject,
        asset=message.asset,
        asset_kind=message.asset_kind,
        raised_at_ns=message.raised_at_ns,
        suspected_major=message.hazard is not None and bool(message.hazard.code),
    )


def _facts_of_row(row) -> AlarmFacts:  # type: ignore[no-untyped-def]  # a row of `alarms`
    same = (
        "project_code",
        "box_id",
        "alarm_id",
        "rule_id",
        "severity",
        "subject",
        "asset",
        "asset_kind",
        "raised_at_ns",
    )
    return AlarmFacts(**{name: getattr(row, name) for name in same}, suspected_major=bool(row.hazard_code))


def _queued() -> "ColumnElement[bool]":
    at = review_items.c
    return exists().where(at.box_id == alarms.c.box_id, at.alarm_id == alarms.c.alarm_id, at.round == 1)
