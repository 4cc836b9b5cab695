"""Safety logs and check-ins (notices A16, D19): yesterday's log missing when somebody checks in today is flagged.

    box: the officer signs the log ----> sealed record --.
    desk: the firm's person enters it ------------------- +--> safety_logs --> came_at_ns of a flag, its finding closed
    box: a shift is taken over --------> sealed record --.
    desk: the firm's person checks in ------------------- +--> check_ins --> no log of the day before: flag and finding
    nobody checked in by the due time ------------------------> flag (on the page, no finding)

A flag stays, also when the log comes later: then it says when. Drafts count as nothing.
"""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, exists, insert, select, update

from regulator.base.act import Act
from regulator.base.days import day_end_ns, day_of
from regulator.base.intake.findings import Finding, close_of, open_finding
from regulator.base.intake.insertion import insert_once
from regulator.base.kinds import ProjectStatus, Word
from regulator.base.model.actor import SYSTEM, Actor, Duty, Level
from regulator.base.model.authority import require_duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.scope import require_project
from regulator.base.records.tables.ledger import ledger_heads
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.supervision import check_ins, safety_log_flags, safety_logs
from regulator.base.texts import read_text
from regulator.parts.supervision.safety_file import SafetyFile
from screens.formats import SITE_ZONE, site_time

FLAG_EVERY_S = 300.0
FINDING = "safety_log_missing"
MOST_WORDS = 4000
SITE = (Level.FIRM, Level.PROJECT)


class Role(Word):
    """Whose check-in it is. SHIFT: whoever took over a shift at the box."""

    MANAGER = "project_manager", "项目负责人", "project manager"
    OFFICER = "safety_officer", "专职安全员", "safety officer"
    SUPERVISOR = "supervisor", "总监理工程师", "chief supervisor"
    SHIFT = "shift", "接班人员", "whoever took over the shift"


class Ground(Word):
    """Why a missing log was flagged."""

    CHECK_IN = "check_in", "次日打卡时未提交", "missing at the next day's check-in"
    DUE_TIME = "due_time", "到时限未提交", "missing at the due time"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A signed log of a day. `box_id` and `seq` of the box's record; empty and 0: entered at the desk in `words`."""

    project_code: str
    day: date
    sha256: str
    signed_by: str
    signed_at_ns: int
    words: str = ""
    box_id: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class CheckIn:
    """Somebody came, at `at_ns` (UTC ns). `person`: as the box or the firm names them."""

    project_code: str
    role: Role
    person: str
    at_ns: int
    box_id: str = ""
    seq: int = 0


def enter_log(act: Act, project_code: str, day: date, words: str) -> None:
    """Sign a day's log at the desk, once. Raises RefusedError 403, 404, 409 there is one, 422."""
    require_duty(act.actor, Duty.RESPONDER, levels=SITE)
    require_project(act.db, act.actor, project_code)
    if day > day_of(act.now_ns):
        raise RefusedError(422, "wrong_days", "日期不得晚于今天", "the day lies in the future", "day")
    said = read_text(words, "words", most=MOST_WORDS)
    entry = LogEntry(project_code, day, _digest(said), act.actor.user_id, act.now_ns, said)
    if not keep_log(act.db, act.ledger, entry, act.actor, act.now_ns):
        raise RefusedError(409, "log_there", "该日安全日志已提交", "the log of that day is there", "day")


def enter_check_in(act: Act, project_code: str, role: Role, person: str) -> bool:
    """Check somebody in at the desk, now; whether yesterday's log was missing. Raises RefusedError 403, 404, 422."""
    require_duty(act.actor, Duty.RESPONDER, levels=SITE)
    require_project(act.db, act.actor, project_code)
    if role is Role.SHIFT:
        raise RefusedError(422, "not_a_role", "接班由监控主机记录", "shifts are taken over at the box", "role")
    came = CheckIn(project_code, role, read_text(person, "person"), act.now_ns)
    return keep_check_in(act.db, act.ledger, came, act.actor, act.now_ns)


def keep_log(db: Connection, ledger: Ledger, entry: LogEntry, actor: Actor, now_ns: int) -> bool:
    """Keep a signed log; False when there is one of this day from the same place. A flag of the day learns of it."""
    row: dict[str, str | int] = {
        "project_code": entry.project_code,
        "day": entry.day.isoformat(),
        "box_id": entry.box_id,
        "sha256": entry.sha256,
        "words": entry.words,
        "signed_by": entry.signed_by,
        "signed_at_ns": entry.signed_at_ns,
        "kept_at_ns": now_ns,
        "evidence_seq": entry.seq,
    }
    if not insert_once(db, safety_logs, row):
        return False
    content = {name: row[name] for name in ("day", "box_id", "sha256", "signed_by", "signed_at_ns", "evidence_seq")}
    ledger.append(db, Deed("safety_log_signed", entry.project_code, content, entry.project_code), actor, now_ns)
    at = safety_log_flags.c
    missing = (at.project_code == entry.project_code, at.day == row["day"], at.came_at_ns == 0)
    db.execute(update(safety_log_flags).where(*missing).values(came_at_ns=now_ns))
    because = "日志已到，标记保留 the log has come; the flag stays"
    close_of(db, ledger, FINDING, _subject(entry.project_code, entry.day), because, now_ns)
    return True


def keep_check_in(db: Connection, ledger: Ledger, came: CheckIn, actor: Actor, now_ns: int) -> bool:
    """Keep a check-in; whether the log of the day before was missing then, and is flagged now."""
    day = day_of(came.at_ns)
    row: dict[str, str | int] = {
        "check_in_id": uuid.uuid4().hex,
        "project_code": came.project_code,
        "day": day.isoformat(),
        "role": came.role.value,
        "person": came.person,
        "at_ns": came.at_ns,
        "box_id": came.box_id,
        "evidence_seq": came.seq,
    }
    db.execute(insert(check_ins).values(**row, recorded_by=actor.user_id, recorded_at_ns=now_ns))
    ledger.append(db, Deed("checked_in", came.project_code, row, came.project_code), actor, now_ns)
    before = day - timedelta(days=1)
    if not _expected(db, came.project_code, before) or _signed_by(db, came.project_code, before, came.at_ns):
        return False
    _flag(db, ledger, came.project_code, before, Ground.CHECK_IN, now_ns)
    return True


def flag_due(database: DeskDatabase, ledger: Ledger, file: SafetyFile, now_ns: int) -> int:
    """Job: after the due time, flag yesterday's missing logs of all running projects; how many were new."""
    now = site_time(now_ns)
    due = datetime.combine(now.date(), file.due, SITE_ZONE)
    if now < due:
        return 0
    day = now.date() - timedelta(days=1)
    with database.reading() as db:
        codes = list(db.scalars(missing_logs(day)))
    flagged = 0
    for code in codes:
        with database.transaction() as db:
            _hold(db, code)
            if db.scalar(missing_logs(day).where(projects.c.project_code == code)) is not None:
                flagged += _flag(db, ledger, code, day, Ground.DUE_TIME, now_ns)
    return flagged


def missing_logs(day: date) -> "Select[Any]":
    """Codes of running projects, known by the end of the day, without a signed log of it and without a flag."""
    at, log, flag = projects.c, safety_logs.c, safety_log_flags.c
    iso = day.isoformat()
    there = exists().where(log.project_code == at.project_code, log.day == iso)
    flagged = exists().where(flag.project_code == at.project_code, flag.day == iso)
    expected = (at.status == ProjectStatus.RUNNING.value, at.registered_at_ns < day_end_ns(day))
    return select(at.project_code).where(*expected, ~there, ~flagged).order_by(at.project_code)


def _flag(db: Connection, ledger: Ledger, code: str, day: date, ground: Ground, now_ns: int) -> bool:
    row = {"project_code": code, "day": day.isoformat(), "ground": ground.value, "flagged_at_ns": now_ns}
    new = insert_once(db, safety_log_flags, row)
    if new:
        ledger.append(
            db, Deed("safety_log_missing", code, {"day": row["day"], "ground": ground.value}, code), SYSTEM, now_ns
        )
    if ground is Ground.CHECK_IN:
        zh = f"{day.isoformat()} 的安全日志在次日到岗打卡时仍未提交"
        en = f"the safety log of {day.isoformat()} was missing at the next day's check-in"
        open_finding(db, ledger, Finding(FINDING, _subject(code, day), zh, en, code), now_ns)
    return new


def _hold(db: Connection, code: str) -> None:
    """Take the project's ledger before its flags, as whoever keeps a log or a check-in does: no two wait in a ring."""
    chain = ledger_heads.c.chain == f"project:{code}"
    db.execute(select(ledger_heads.c.seq).where(chain).with_for_update()).first()


def _expected(db: Connection, code: str, day: date) -> bool:
    at = projects.c
    running = (at.project_code == code, at.status == ProjectStatus.RUNNING.value)
    return db.scalar(select(at.project_code).where(*running, at.registered_at_ns < day_end_ns(day))) is not None


def _signed_by(db: Connection, code: str, day: date, at_ns: int) -> bool:
    """Whether the log of a day was signed when the clock stood there."""
    at = safety_logs.c
    signed = (at.project_code == code, at.day == day.isoformat(), at.signed_at_ns <= at_ns)
    return db.scalar(select(at.day).where(*signed).limit(1)) is not None


def _subject(code: str, day: date) -> str:
    return f"{code}:{day.isoformat()}"


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()
