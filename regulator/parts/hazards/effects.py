"""Effects of a hazard action: columns, deadlines, orders, listings, checks by analogy.

Confirming a major hazard does at once what notices ask for: work is stopped by an order (A29), the hazard is listed for
supervision at the levels of the rule pack (E6), and look-alikes are sought in the firm's other projects (A5) and
the principals are told (B5). A confirmed accident and an order to stop work go to the key-risk list (A7).
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select

from kit.words import Words
from regulator.base.deadline_days import due_at_ns
from regulator.base.desk import HazardCause
from regulator.base.kinds import WORKS_OF_ASSET, RiskKind
from regulator.base.model.actor import Actor, Level
from regulator.base.model.hazard import Grade, HazardKind
from regulator.base.model.hazard_states import HazardAction, HazardState
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.hazards import hazard_replies
from regulator.base.records.tables.intake import alarms
from regulator.base.rules import DeadlineRule, Document, RegionRules, RuleId
from regulator.parts.hazards.analogy import lay_down_checks
from regulator.parts.hazards.deadlines import DeadlineKind, Outcome, Start, Subject, open_deadlines
from regulator.parts.hazards.notices import tell_principals
from regulator.parts.hazards.orders import OrderText, OrderWord
from regulator.parts.hazards.record import HazardRecord
from regulator.parts.hazards.requests import ask_for, decide_on, open_request, settle
from regulator.parts.hazards.sections import sections_of, sign_section, write_section
from regulator.parts.hazards.step import Offices, Step
from screens.formats import site_time

A, K = HazardAction, DeadlineKind
LISTING_RULES: Final = {
    Level.COUNTY: RuleId.LISTING_COUNTY,
    Level.CITY: RuleId.LISTING_CITY,
    Level.PROVINCE: RuleId.LISTING_PROVINCE,
}
LOOK_BACKS: Final = (RuleId.LOOK_BACK_FIRST, RuleId.LOOK_BACK_SECOND)
STANDING: Final = frozenset(HazardState) - {HazardState.PENDING, HazardState.SITE_CHECK}
SITE_ANSWERS: Final = {A.ACCEPT: "accepted", A.DISPUTE: "disputed", A.SUBMIT: "rectified"}
_WORK: Final = (K.SITE_CHECK, K.RECTIFY, K.LISTING)


def start_accident_clocks(
    db: Connection, offices: Offices, hazard: HazardRecord, rules: RegionRules, actor: Actor, now_ns: int
) -> None:
    """Two clocks from when an accident happened (A31), each of its own; none twice."""
    if hazard.kind is not HazardKind.NON_FATAL_ACCIDENT:
        return
    clocks = ((K.ACCIDENT_PROVINCE, RuleId.ACCIDENT_PROVINCE), (K.ACCIDENT_NATIONAL, RuleId.ACCIDENT_NATIONAL))
    if open_deadlines(db, hazard.hazard_id, K.ACCIDENT_PROVINCE, K.ACCIDENT_NATIONAL):
        return
    for kind, rule_id in clocks:
        rule = rules.deadline(rule_id)
        if rule is not None:
            subject = Subject(hazard.hazard_id, hazard.project_code)
            offices.deadlines.start(db, subject, Start(kind, rule, hazard.observed_at_ns), actor, now_ns)


def _confirm(step: Step) -> None:
    _end(step, K.SITE_CHECK, outcome=Outcome.MET)
    values: dict[str, object] = {"confirmed_at_ns": step.now_ns, "confirmed_by": json.dumps(sorted(step.actor.persons))}
    works_type = _works_type(step)
    major = step.ask.grade_major or step.hazard.is_major
    if major:
        values["grade"] = Grade.MAJOR.value
    step.change(**values, works_type=works_type, round=max(1, step.hazard.round))
    if step.hazard.kind is HazardKind.NON_FATAL_ACCIDENT:
        _to_key_risks(step, RiskKind.ACCIDENT, step.hazard.observed_at_ns)
    if major:
        _handle_major(step, works_type)


def _handle_major(step: Step, works_type: str) -> None:
    tell_principals(step.db, step.offices.ledger, step.hazard, step.actor, step.now_ns)
    for level in step.rules.listing:
        _list(step, level)
    if not step.hazard.is_stopped:
        _stop(step)
    hazard = replace(step.hazard, works_type=works_type)
    rule = step.rules.deadline(RuleId.ANALOGY)
    if rule is not None:
        due = due_at_ns(rule, step.now_ns)
        db, ledger = step.db, step.offices.ledger
        if lay_down_checks(db, ledger, hazard, due, step.actor, step.now_ns):
            _start(step, K.ANALOGY, rule)


def _list(step: Step, level: Level) -> None:
    """Listed supervision (挂牌督办) at one level, from today; an order tells the site. Not twice at one level."""
    running = {row.level for row in open_deadlines(step.db, step.hazard.hazard_id, K.LISTING)}
    rule = step.rules.deadline(LISTING_RULES[level])
    if rule is None or level.value in running:
        return
    _start(step, K.LISTING, rule, level)
    levels = [Level(each) for each in (*running, level.value)]
    highest = next(each for each in (Level.PROVINCE, Level.CITY, Level.COUNTY) if each in levels)
    step.change(listed_level=highest.value, listed_at_ns=step.hazard.listed_at_ns or step.now_ns)
    level_zh = {Level.COUNTY: "县级", Level.CITY: "市级", Level.PROVINCE: "省级"}[level]
    words = f"{level_zh}挂牌督办：{step.hazard.title_zh}。{step.ask.words}".rstrip("。") + "。"
    _issue(step, Document.SUPERVISE, words, rule, due_at_ns(rule, step.now_ns))


def _stop(step: Step) -> None:
    step.change(stopped_at_ns=step.now_ns)
    _to_key_risks(step, RiskKind.STOP_ORDER, step.now_ns)
    words = f"立即停止与“{step.hazard.title_zh}”有关的作业，撤出人员，停工整改。{step.ask.words}"
    rule = step.rules.deadline(RuleId.RECTIFY_MAJOR)
    _issue(step, Document.STOP_WORK, words, rule, due_at_ns(rule, step.now_ns) if rule else step.now_ns)


def _to_key_risks(step: Step, kind: RiskKind, at_ns: int) -> None:
    """Accidents and stop orders count towards the key-risk list (A7) without anybody entering them again."""
    hazard = step.hazard
    day = site_time(at_ns).date()
    cause = HazardCause(kind, hazard.hazard_id, hazard.number, hazard.project_code, hazard.title_zh, day)
    for hear in step.offices.cause_listeners:
        hear(step.db, step.offices.ledger, cause, step.actor, step.now_ns)


def _resume(step: Step) -> None:
    step.change(resumed_at_ns=step.now_ns)
    _issue(step, Document.RESUME, step.ask.words, None, 0)
    _tell(step, OrderWord("closed", step.ask.words, kinds=(Document.STOP_WORK,)))


def _order(step: Step) -> None:
    rule = step.rules.deadline(RuleId.RECTIFY_MAJOR if step.hazard.is_major else RuleId.RECTIFY_GENERAL)
    due = _start(step, K.RECTIFY, rule) if rule else 0
    step.change(ordered_at_ns=step.now_ns, round=max(1, step.hazard.round))
    words = step.ask.words.strip() or f"请按期整改：{step.hazard.title_zh}（{step.hazard.place_id}）。"
    _issue(step, Document.RECTIFY, words, rule, due)


def _answer(step: Step) -> None:
    ask, hazard = step.ask, step.hazard
    values = {
        "reply_id": ask.reply_id or f"{hazard.hazard_id}/{step.now_ns}/{ask.action.value}",
        "order_id": ask.order_id,
        "hazard_id": hazard.hazard_id,
        "project_code": hazard.project_code,
        "answer": SITE_ANSWERS[ask.action],
        "words": ask.words,
        "user_id": step.actor.user_id,
        "persons": json.dumps(sorted(step.actor.persons)),
        "answered_at_ns": ask.answered_at_ns or step.now_ns,
        "kept_at_ns": step.now_ns,
    }
    step.db.execute(insert(hazard_replies).values(**values))
    if ask.action is A.DISPUTE:
        step.change(disputed_at_ns=step.now_ns)
    if ask.action is A.SUBMIT:
        _tell(step, OrderWord("awaiting_recheck"))


def _send_back(step: Step) -> None:
    step.change(round=step.hazard.round + 1)
    _back_to_work(step)


def _back_to_work(step: Step) -> None:
    _tell(step, OrderWord("returned", step.ask.words))


def _close(step: Step) -> None:
    _end(step, *_WORK, outcome=Outcome.MET)
    step.change(closed_at_ns=step.now_ns)
    for rule_id in LOOK_BACKS:
        rule = step.rules.deadline(rule_id)
        if rule is not None:
            _start(step, K.LOOK_BACK, rule)
    _issue(
        step,
        Document.CLOSE,
        step.ask.words.strip() or f"复查合格，准予销号：{step.hazard.title_zh}。",
        None,
        step.now_ns,
    )


def _look_back(step: Step) -> None:
    rows = open_deadlines(step.db, step.hazard.hazard_id, K.LOOK_BACK)[:1]
    step.offices.deadlines.end(step.db, step.subject, rows, Outcome.MET, step.actor, step.now_ns)


def _reopen(step: Step) -> None:
    _end(step, K.LOOK_BACK, outcome=Outcome.VOID)
    step.change(closed_at_ns=0, round=step.hazard.round + 1)
    if step.target is HazardState.CONFIRMED and step.hazard.is_major:
        _handle_major(step, step.hazard.works_type)


def _doubt(step: Step) -> None:
    rule = step.rules.deadline(RuleId.SITE_CHECK)
    if rule is not None:
        _start(step, K.SITE_CHECK, rule)


def _withdraw(step: Step) -> None:
    _void_work(step)
    step.change(listed_level="", confirmed_at_ns=0, confirmed_by="[]")
    _tell(step, OrderWord("withdrawn", step.ask.words))
    _doubt(step)


def _void_work(step: Step) -> None:
    _end(step, *_WORK, outcome=Outcome.VOID)


def _grade_up(step: Step) -> None:
    works_type = _works_type(step)
    step.change(grade=Grade.MAJOR.value, works_type=works_type)
    if step.hazard.state in STANDING:
        _handle_major(step, works_type)


def _decide_regrade(step: Step) -> None:
    decide_on(step)
    if step.ask.grant:
        _end(step, K.LISTING, outcome=Outcome.VOID)
        step.change(grade=Grade.GENERAL.value, listed_level="")


def _decide_extension(step: Step) -> None:
    asked = decide_on(step)
    rows = open_deadlines(step.db, step.hazard.hazard_id, K.LISTING, K.RECTIFY)
    row = next((each for each in rows if each.deadline_id == asked.deadline_id), None)
    if not step.ask.grant or row is None:
        return
    step.offices.deadlines.end(step.db, step.subject, [row], Outcome.EXTENDED, step.actor, step.now_ns)
    start = Start(K(row.what), _same_rule(row), row.started_at_ns, row.level, asked.proposed_due_at_ns, row.deadline_id)
    step.offices.deadlines.start(step.db, step.subject, start, step.actor, step.now_ns)
    step.change(extensions=step.hazard.extensions + 1)
    kind = Document.SUPERVISE if row.what == K.LISTING.value else Document.RECTIFY
    _tell(step, OrderWord("ordered", step.ask.words, asked.proposed_due_at_ns, (kind,)))


def _same_rule(row: "Row[Any]") -> DeadlineRule:
    """As it stood when the deadline was first set, whatever the packs say by now; its warnings move with its end."""
    return DeadlineRule(
        rule_id=RuleId(row.rule_id),
        pack=row.pack,
        days=0,
        hours=0,
        warn_percent=(50, 80),
        warn_before_h=(),
        rule_zh=row.rule_zh,
        rule_en=row.rule_en,
        clause=row.clause,
        certainty=row.certainty,
    )


def _write_section(step: Step) -> None:
    section = step.ask.section
    if section is None:
        raise RefusedError(422, "no_section", "须选择部分", "choose the section", "section")
    hazard_id = step.hazard.hazard_id
    before = next(each for each in sections_of(step.db, hazard_id) if each.section is section)
    given = next((each.sha256 for each in step.ask.evidence), "") or before.evidence_sha256
    keys = (hazard_id, step.hazard.project_code)
    write_section(step.db, keys, section, (step.ask.words, given), step.actor, step.now_ns)


def _works_type(step: Step) -> str:
    """From the catalogue's article, else from what the box calls the thing that the alarm is about."""
    hazard = step.hazard
    found = step.offices.catalogue.works_type(hazard.catalogue_code, hazard.other_code)
    if found or not hazard.alarm_id:
        return found or hazard.works_type
    at = alarms.c
    kind = step.db.scalar(select(at.asset_kind).where(at.box_id == hazard.box_id, at.alarm_id == hazard.alarm_id))
    return WORKS_OF_ASSET.get(kind or "", "")


def _sign_section(step: Step) -> None:
    if step.ask.section is not None:
        keys = (step.hazard.hazard_id, step.hazard.project_code)
        sign_section(step.db, keys, step.ask.section, step.actor, step.now_ns)


def _hand_over(step: Step) -> None:
    step.change(handed_over_at_ns=step.now_ns)


def _supervise(step: Step) -> None:
    _list(step, step.actor.level)
    proposed = open_request(step.db, step.hazard.hazard_id, "supervision")
    if proposed is not None:
        settle(step.db, proposed.request_id, step.actor.user_id, granted=True, now_ns=step.now_ns)


def _tell(step: Step, word: OrderWord) -> None:
    step.offices.orders.tell(step.db, step.hazard.hazard_id, word, step.now_ns)


def _issue(step: Step, kind: Document, words: str, rule: DeadlineRule | None, due_ns: int) -> None:
    said = Words(rule.rule_zh, rule.rule_en) if rule else Words("", "")
    text = OrderText(kind, words, step.rules.basis(kind), said, due_ns)
    step.offices.orders.issue(step.db, step.hazard, text, step.actor, step.now_ns)


def _start(step: Step, kind: DeadlineKind, rule: DeadlineRule, level: Level | None = None) -> int:
    start = Start(kind, rule, step.now_ns, level.value if level else "")
    step.offices.deadlines.start(step.db, step.subject, start, step.actor, step.now_ns)
    return due_at_ns(rule, step.now_ns)


def _end(step: Step, *kinds: DeadlineKind, outcome: Outcome) -> None:
    rows = open_deadlines(step.db, step.hazard.hazard_id, *kinds)
    step.offices.deadlines.end(step.db, step.subject, rows, outcome, step.actor, step.now_ns)


EFFECTS: Final[dict[HazardAction, Callable[[Step], None]]] = {
    A.CONFIRM: _confirm,
    A.REJECT: _void_work,
    A.DOUBT: _doubt,
    A.WITHDRAW: _withdraw,
    A.ORDER: _order,
    A.ACCEPT: _answer,
    A.DISPUTE: _answer,
    A.SUBMIT: _answer,
    A.SEND_BACK: _send_back,
    A.CLOSE: _close,
    A.HAND_OVER: _hand_over,
    A.RESUME_RECTIFICATION: _back_to_work,
    A.LOOK_BACK: _look_back,
    A.REOPEN: _reopen,
    A.WRITE_SECTION: _write_section,
    A.SIGN_SECTION: _sign_section,
    A.GRADE_UP: _grade_up,
    A.ASK_REGRADE: ask_for,
    A.DECIDE_REGRADE: _decide_regrade,
    A.ASK_EXTENSION: ask_for,
    A.DECIDE_EXTENSION: _decide_extension,
    A.STOP_WORK: _stop,
    A.RESUME_WORK: _resume,
    A.SUPERVISE: _supervise,
}
