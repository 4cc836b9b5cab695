"""Rounds: opening, inspecting, following the registry, and closing at 100 % of firms, projects and devices only.

open --> items for every running project of the scope, its devices and its contractors
check --> ticks an item's sheet, once and for all; what is not in order opens a hazard at once
follow --> adds what was registered since; what was taken down uninspected stays on the list, marked as dropped
close --> only when nothing is left at any level, by an approver who did not open it
"""

import json
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from regulator.base.act import Act
from regulator.base.desk import OpenHazard
from regulator.base.kinds import Answer, DeviceKind, FirmRole, ItemLevel, ProjectStatus, Standing
from regulator.base.model.actor import Duty, Scope
from regulator.base.model.authority import require_duty, require_second_person
from regulator.base.model.hazard import Channel, Grade, HazardKind, NewHazard
from regulator.base.model.refusals import RefusedError
from regulator.base.records.scope import in_scope, require_project
from regulator.base.records.tables.registry import devices, project_firms, projects
from regulator.base.records.tables.rounds import round_checks, round_items, rounds
from regulator.base.records.tables.supervision import round_targets
from regulator.base.texts import read_text, read_word
from regulator.parts.registry.rounds.coverage import coverage_of, items_in
from regulator.parts.registry.rounds.sheets import REQUIRED, Question, SheetBook, SheetKind

INSPECTORS = (Duty.INSPECTOR, Duty.REVIEWER)
INSPECTED = (ProjectStatus.RUNNING.value, ProjectStatus.STOPPED.value)


@dataclass(frozen=True, slots=True)
class ItemKey:
    """What is inspected: codes that do not belong to its level are empty."""

    level: ItemLevel
    firm_code: str = ""
    project_code: str = ""
    device_code: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A filled-in sheet: an answer to every question of it. `words`: what was found, needed with a hazard.

    `at_project`: where the hazards of a firm's own sheet were found; of other sheets it is the item's project."""

    item: ItemKey
    sheet: SheetKind
    answers: Mapping[str, Answer]
    words: str = ""
    at_project: str = ""

    @property
    def place(self) -> str:
        """The project that its hazards belong to."""
        return self.item.project_code or self.at_project


@dataclass(frozen=True, slots=True)
class Inspecting:
    """What sheets are filled in with: their questions, and how what they find becomes a hazard."""

    book: SheetBook
    open_hazard: OpenHazard


def open_round(act: Act, name: str, starts_on: date, due_on: date, targets: Collection[str] = ()) -> str:
    """Begin a round over the actor's own scope; its id. `targets`: over these projects only, for ever (a random draw).
    Raises RefusedError: 403, 422 days, nothing to inspect."""
    require_duty(act.actor, Duty.ADMINISTRATOR, Duty.APPROVER)
    if due_on < starts_on:
        raise RefusedError(422, "wrong_days", "截止日早于开始日", "it is due before it begins", "due_on")
    round_id = uuid.uuid4().hex
    row = {
        "round_id": round_id,
        "name": read_text(name, "name"),
        "level": act.actor.level.value,
        "scope_code": act.actor.scope.code,
        "starts_on": starts_on.isoformat(),
        "due_on": due_on.isoformat(),
    }
    act.db.execute(insert(rounds).values(**row, opened_by=act.actor.user_id, opened_at_ns=act.now_ns))
    if targets:
        act.db.execute(insert(round_targets), [{"round_id": round_id, "project_code": code} for code in targets])
    added = _add_missing(act.db, round_id, act.actor.scope)
    if not added:
        raise RefusedError(422, "nothing_to_inspect", "辖区内无在建项目", "no running project in the scope", "name")
    act.write("round_opened", round_id, {**row, "items": added}, chain=f"round:{round_id}")
    return round_id


def follow_registry(act: Act, round_id: str) -> int:
    """Add what was registered since the round was opened, and mark what ended uninspected; how many were added."""
    row = take_round(act, round_id)
    require_duty(act.actor, Duty.ADMINISTRATOR, Duty.APPROVER, *INSPECTORS)
    added = _add_missing(act.db, round_id, Scope(act.actor.level, row.scope_code))
    dropped = _drop_ended(act.db, round_id)
    if added or dropped:
        act.write("round_followed", round_id, {"added": added, "dropped": dropped}, chain=f"round:{round_id}")
    return added


def check_item(act: Act, inspecting: Inspecting, round_id: str, check: Check) -> str:
    """Record a sheet; the check's id. Each answer HAZARD opens a hazard (channel ROUND) in the same transaction.

    Raises RefusedError: 403, 404 not on the list or no such project, 409 closed or done before, 422 a question without
    an answer, or a hazard without words or project."""
    require_duty(act.actor, *INSPECTORS)
    take_round(act, round_id, of_scope=False)
    ours = _item_clause(round_id, check.item, check.sheet)
    item = act.db.execute(select(round_items).where(items_in(act.actor.scope), *ours).with_for_update()).first()
    if item is None:
        raise RefusedError(404, "not_on_the_list", "不在本轮名录内", "not on this round's list", "device_code")
    if item.check_id:
        raise RefusedError(409, "checked_before", "该项已检查", "it was inspected before", "device_code")
    asked = inspecting.book.questions(check.sheet)
    outcome = _outcome(act, asked, check)
    check_id = uuid.uuid4().hex
    row = _check_row(act, round_id, check, check_id, outcome)
    act.db.execute(insert(round_checks).values(**row))
    act.db.execute(update(round_items).where(*ours).values(check_id=check_id, checked_at_ns=act.now_ns))
    chain = "" if check.item.project_code else f"round:{round_id}"
    subject = check.item.device_code or check.item.project_code or check.item.firm_code
    act.write("round_checked", subject, row, check.item.project_code, chain)
    for question in asked:
        if check.answers[question.key] is Answer.HAZARD:
            inspecting.open_hazard(act.db, act.ledger, _hazard(act, round_id, check, question), act.actor, act.now_ns)
    return check_id


def close_round(act: Act, round_id: str) -> None:
    """End it. Raises RefusedError: 403 not an approver or whoever opened it; 409 below 100 % at any level."""
    require_duty(act.actor, Duty.APPROVER)
    row = take_round(act, round_id)
    require_second_person(act.actor, frozenset({row.opened_by}))
    _add_missing(act.db, round_id, Scope(act.actor.level, row.scope_code))
    _drop_ended(act.db, round_id)
    coverage = coverage_of(act.db, round_id, act.actor.scope)
    if not all(each.complete for each in coverage):
        zh = "、".join(f"{each.level.zh} {each.checked}/{each.all}（{each.percent} %）" for each in coverage)
        en = ", ".join(f"{each.level.en} {each.checked}/{each.all} ({each.percent} %)" for each in coverage)
        raise RefusedError(409, "not_complete", f"未全覆盖，不能关闭：{zh}", f"not all inspected: {en}", "round_id")
    closed = {"state": "closed", "closed_by": act.actor.user_id, "closed_at_ns": act.now_ns}
    act.db.execute(update(rounds).where(rounds.c.round_id == round_id).values(**closed))
    counts = {each.level.value: each.all for each in coverage}
    act.write("round_closed", round_id, counts, chain=f"round:{round_id}")


def take_round(act: Act, round_id: str, *, of_scope: bool = True) -> "Row[tuple[str, ...]]":
    """The open round, kept for this transaction. `of_scope`: of exactly the actor's own scope. Raises RefusedError."""
    row = act.db.execute(select(rounds).where(rounds.c.round_id == round_id).with_for_update()).first()
    own = row is not None and (row.level, row.scope_code) == (act.actor.level.value, act.actor.scope.code)
    if row is None or (of_scope and not own):
        raise RefusedError(404, "no_such_round", "没有这一轮检查", "no such round", "round_id")
    if row.state != "open":
        raise RefusedError(409, "round_closed", "该轮检查已关闭", "this round is closed", "round_id")
    return row


def _add_missing(db: Connection, round_id: str, scope: Scope) -> int:
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    known = {tuple(row) for row in db.execute(_keys(round_id))}
    rows = [
        {
            "round_id": round_id,
            "level": item.level.value,
            "firm_code": item.firm_code,
            "project_code": item.project_code,
            "device_code": item.device_code,
            "sheet": sheet.value,
        }
        for item in _to_inspect(db, round_id, scope)
        for sheet in REQUIRED[item.level]
        if (item.level.value, item.firm_code, item.project_code, item.device_code, sheet.value) not in known
    ]
    if rows:
        db.execute(dialect.insert(round_items).on_conflict_do_nothing(), rows)
    return len(rows)


def _keys(round_id: str) -> "Select[tuple[Any, ...]]":
    at = round_items.c
    columns = (at.level, at.firm_code, at.project_code, at.device_code, at.sheet)
    return select(*columns).where(at.round_id == round_id)


def _to_inspect(db: Connection, round_id: str, scope: Scope) -> Iterable[ItemKey]:
    """Every running or stopped project (of a drawn round: its targets), what stands there but cameras, its builders."""
    running = [in_scope(scope, projects.c.project_code), projects.c.status.in_(INSPECTED)]
    drawn = select(round_targets.c.project_code).where(round_targets.c.round_id == round_id)
    if db.scalar(drawn.limit(1)) is not None:
        running.append(projects.c.project_code.in_(drawn))
    codes = list(db.scalars(select(projects.c.project_code).where(*running).order_by(projects.c.project_code)))
    of_project = select(projects.c.project_code).where(*running)
    at, firm = devices.c, project_firms.c
    standing = select(at.project_code, at.device_code).where(
        at.project_code.in_(of_project), at.status == Standing.ACTIVE.value, at.kind != DeviceKind.CAMERA.value
    )
    builders = select(firm.firm_code).where(
        firm.project_code.in_(of_project), firm.role == FirmRole.CONTRACTOR.value, firm.status == Standing.ACTIVE.value
    )
    yield from (ItemKey(ItemLevel.FIRM, firm_code=code) for code in sorted(set(db.scalars(builders))))
    yield from (ItemKey(ItemLevel.PROJECT, project_code=code) for code in codes)
    for row in db.execute(standing.order_by(at.project_code, at.device_code)):
        yield ItemKey(ItemLevel.DEVICE, project_code=row.project_code, device_code=row.device_code)


def _drop_ended(db: Connection, round_id: str) -> int:
    """What was taken down or finished before anybody came: still listed, by name, and no longer counted."""
    at, device = round_items.c, devices.c
    open_items = (at.round_id == round_id, at.check_id == "", at.dropped == "")
    gone = (
        select(device.device_code)
        .where(
            device.project_code == at.project_code,
            device.device_code == at.device_code,
            device.status == Standing.ENDED.value,
        )
        .exists()
    )
    over = (
        select(projects.c.project_code)
        .where(projects.c.project_code == at.project_code, projects.c.status.not_in(INSPECTED))
        .exists()
    )
    ended = db.execute(update(round_items).where(*open_items, gone).values(dropped="device_ended"))
    finished = db.execute(update(round_items).where(*open_items, over).values(dropped="project_over"))
    return ended.rowcount + finished.rowcount


def _item_clause(round_id: str, item: ItemKey, sheet: SheetKind) -> "tuple[ColumnElement[bool], ...]":
    at = round_items.c
    return (
        at.round_id == round_id,
        at.level == item.level.value,
        at.firm_code == item.firm_code,
        at.project_code == item.project_code,
        at.device_code == item.device_code,
        at.sheet == sheet.value,
    )


def _outcome(act: Act, questions: Sequence[Question], check: Check) -> Answer:
    asked = {question.key for question in questions}
    if missing := sorted(asked ^ set(check.answers)):
        names = ", ".join(missing)
        raise RefusedError(422, "not_answered", f"未逐项回答：{names}", f"answer exactly: {names}", missing[0])
    if Answer.HAZARD in check.answers.values():
        read_text(check.words, "words", most=4000)
        _require_place(act, check)
        return Answer.HAZARD
    return Answer.FITS


def _require_place(act: Act, check: Check) -> None:
    """A hazard is one of a project: of a firm's own sheet, of the firm's project where it was found."""
    if not check.place:
        raise RefusedError(422, "project_needed", "须填写隐患所在项目", "say at which project", "at_project")
    require_project(act.db, act.actor, check.place)
    at = project_firms.c
    builds = select(at.firm_code).where(at.firm_code == check.item.firm_code, at.project_code == check.place)
    if check.item.level is ItemLevel.FIRM and act.db.scalar(builds.limit(1)) is None:
        raise RefusedError(422, "not_of_the_firm", "该企业未参建此项目", "the firm does not build there", "at_project")


def _hazard(act: Act, round_id: str, check: Check, question: Question) -> NewHazard:
    """One a question, for good: the same sheet of the same round never opens it twice."""
    item = check.item
    thing = "/".join((item.level.value, item.firm_code, item.project_code, item.device_code))
    return NewHazard(
        project_code=check.place,
        channel=Channel.ROUND,
        kind=HazardKind.HAZARD,
        grade=Grade.GENERAL,
        title_zh=question.hazard_zh,
        title_en=question.hazard_en,
        place_id=item.device_code or item.firm_code or item.project_code,
        observed_at_ns=act.now_ns,
        event_key=f"round/{round_id}/{thing}/{check.sheet.value}/{question.key}",
        words=check.words,
    )


def _check_row(act: Act, round_id: str, check: Check, check_id: str, outcome: Answer) -> dict[str, str | int]:
    answers = {key: answer.value for key, answer in check.answers.items()}
    return {
        "check_id": check_id,
        "round_id": round_id,
        "level": check.item.level.value,
        "firm_code": check.item.firm_code,
        "project_code": check.item.project_code,
        "device_code": check.item.device_code,
        "sheet": check.sheet.value,
        "outcome": outcome.value,
        "answers": json.dumps(answers, sort_keys=True),
        "words": read_text(check.words, "words", most=4000, needed=False),
        "inspector": act.actor.user_id,
        "checked_at_ns": act.now_ns,
    }


def read_answers(book: SheetBook, sheet: SheetKind, given: Mapping[str, str]) -> dict[str, Answer]:
    """A form's answers by question; a question without one is left out, for `check_item` to refuse."""
    asked = [question.key for question in book.questions(sheet)]
    return {key: read_word(Answer, given[key], key) for key in asked if given.get(key)}
