"""Everything that a reviewer sees of one item: the alarm's facts, its pictures, how its camera and rule did before.

In: an item in somebody's scope. Out: a `Dossier`. Nothing in it tells what anybody said of the alarm before, except why
this very item came back to the queue.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from regulator.base.model.actor import Actor
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.intake import alarms
from regulator.base.records.tables.review import review_verdicts
from regulator.parts.review.funnel import HOUR_NS
from regulator.parts.review.judgement import EntryKind
from regulator.parts.review.leases import find_item
from regulator.parts.review.pictures import Picture, pictures_of
from regulator.parts.review.queue import QueueRow, read_row
from regulator.parts.review.rates import FEWEST, rate_of, window_of
from regulator.parts.review.series import Series, series_of
from regulator.parts.review.spans import Span, SpanName, close_span, spans_of, wide_span
from regulator.parts.review.statistics import Share


@dataclass(frozen=True, slots=True)
class AlarmWords:
    """The alarm as the box said it. Texts may be empty; times UTC ns, 0: not yet."""

    alarm_id: str
    box_id: str
    subject: str
    asset: str
    measured: str
    limit: str
    unit: str
    limit_source: str
    clause: str
    certainty: str
    suspected_code: str
    suspected_edition: str
    active: bool
    acknowledged_at_ns: int
    returned_at_ns: int
    handed_over_at_ns: int
    late: bool
    unsealed: bool


@dataclass(frozen=True, slots=True)
class Dossier:
    """One item. `came_back`: why it is in the queue again, or empty. `hazard_id`: of an item that was
    judged true before, else empty. `rate`: of this camera and rule, None when fewer
    than twenty verdicts are there; `rate_indicative` when they cover less than thirty days."""

    row: QueueRow
    alarm: AlarmWords
    pictures: tuple[Picture, ...]
    spans: tuple[Span, ...]
    raised_in_a_day: int
    rate: Share | None
    rate_indicative: bool
    came_back: str
    hazard_id: str
    fewest: int = FEWEST


def dossier(db: Connection, actor: Actor, item_id: str, now_ns: int) -> Dossier:
    """The item. Raises RefusedError 404 when it is not open in the actor's scope, 409 without its alarm."""
    row = read_row(db, actor, item_id, now_ns)
    item = find_item(db, actor, item_id)
    alarm = alarm_row(db, item)
    window = window_of(db, actor.scope, now_ns)
    pictures = tuple(pictures_of(db, item.box_id, item.alarm_id))
    return Dossier(
        row=row,
        alarm=_words(alarm),
        pictures=pictures,
        spans=spans_of(alarm.raised_at_ns, pictures),
        raised_in_a_day=_raised_in_a_day(db, alarm),
        rate=rate_of(db, actor.scope, window, item),
        rate_indicative=window.indicative,
        came_back=_came_back(db, item_id),
        hazard_id=item.hazard_id,
    )


def series(db: Connection, actor: Actor, item_id: str, name: SpanName) -> Series:
    """What was measured around an item's alarm, on one of its axes. Raises RefusedError 404 or 409."""
    alarm = alarm_row(db, find_item(db, actor, item_id))
    if name is SpanName.WIDE:
        return series_of(db, alarm, wide_span(alarm.raised_at_ns))
    pictures = [each for each in pictures_of(db, alarm.box_id, alarm.alarm_id) if not each.blurred]
    return series_of(db, alarm, close_span(alarm.raised_at_ns, pictures))


def alarm_row(db: Connection, item: "Row[Any]") -> "Row[Any]":
    """The alarm of an item. Raises RefusedError 409."""
    at = alarms.c
    alarm = db.execute(select(alarms).where(at.box_id == item.box_id, at.alarm_id == item.alarm_id)).first()
    if alarm is None:
        raise RefusedError(409, "no_alarm", "平台尚未收到该报警", "the desk does not hold this alarm", "alarm_id")
    return alarm


def _words(alarm: "Row[Any]") -> AlarmWords:
    same = ("alarm_id", "box_id", "subject", "asset", "unit", "limit_source", "clause", "certainty")
    times = ("acknowledged_at_ns", "returned_at_ns", "handed_over_at_ns")
    return AlarmWords(
        **{name: getattr(alarm, name) for name in (*same, *times)},
        measured=alarm.measured or "",
        limit=alarm.limit_value or "",
        suspected_code=alarm.hazard_code,
        suspected_edition=alarm.hazard_edition,
        active=bool(alarm.active),
        late=bool(alarm.late),
        unsealed=not alarm.evidence_seq,
    )


def _raised_in_a_day(db: Connection, alarm: "Row[Any]") -> int:
    """How often the same rule was raised at the same place in the 24 hours up to this alarm, this one too."""
    at = alarms.c
    same = (at.box_id == alarm.box_id) & (at.rule_id == alarm.rule_id) & (at.subject == alarm.subject)
    when = (at.raised_at_ns > alarm.raised_at_ns - 24 * HOUR_NS) & (at.raised_at_ns <= alarm.raised_at_ns)
    return int(db.scalar(select(func.count()).select_from(alarms).where(same, when)) or 0)


def _came_back(db: Connection, item_id: str) -> str:
    at = review_verdicts.c
    back = (at.item_id == item_id) & at.kind.in_([EntryKind.REFUSED.value, EntryKind.REOPENED.value])
    return str(db.scalar(select(at.words).where(back).order_by(at.number.desc()).limit(1)) or "")
