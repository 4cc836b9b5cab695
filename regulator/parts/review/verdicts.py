"""Verdicts: judged, undone within ten seconds, final with what follows from them, reopened with a reason.

Every step changes the item, adds a row to the verdicts and an entry to the project's chain, in one transaction. A
hazard is opened in the transaction that makes the verdict final (see `judgement`), in the name of whoever judged, and
the box of a camera's alarm is told in it (see `telling`).
"""

import json
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, and_, insert, select, update

from contract.canonical import Canonical, canonical_bytes
from regulator.base.desk import OpenHazard, Post
from regulator.base.model.actor import SYSTEM, Actor, Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.review import review_items, review_site_checks, review_verdicts
from regulator.parts.review.items import second_round, set_fields
from regulator.parts.review.judgement import (
    UNDO_NS,
    EntryKind,
    ItemState,
    Judgement,
    Verdict,
    require_reviewer,
)
from regulator.parts.review.leases import find_item, free_for, visible, why_not
from regulator.parts.review.proposals import proposed_hazard
from regulator.parts.review.telling import hold_box, tell_box

NO_VERDICT = {"verdict": "", "false_reason": 0, "judged_by": "", "judged_for": "", "judged_name": "", "judged_at_ns": 0}
FINALISE_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of it. `undo_until_ns` is 0 when it cannot be taken back."""

    item_id: str
    state: ItemState
    undo_until_ns: int
    hazard_id: str = ""


@dataclass(frozen=True, slots=True)
class _Step:
    """What is written down of one step."""

    kind: EntryKind
    said: Judgement | None = None
    words: str = ""
    took_ms: int = 0
    sheet_id: str = ""
    hazard_id: str = ""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Stateless: any replica, any thread."""

    ledger: Ledger
    open_hazard: OpenHazard
    post: Post | None = None
    """Into a box's mailbox; None where boxes are told nothing."""

    def judge(
        self, db: Connection, actor: Actor, item_id: str, said: Judgement, now_ns: int, *, sheet_id: str = ""
    ) -> Judged:
        """Judge one item that nobody else holds. Raises RefusedError 403, 404 or 409."""
        require_reviewer(actor)
        row = find_item(db, actor, item_id, lock=True)
        at = review_items.c
        mine = and_(at.item_id == item_id, at.state == ItemState.OPEN.value, visible(actor), free_for(actor, now_ns))
        number = row.verdict_number + 1
        took_ms = (now_ns - row.lease_since_ns) // 1_000_000 if row.lease_by == actor.user_id else 0
        values = {
            "state": ItemState.PROVISIONAL.value,
            "verdict": said.verdict.value,
            "false_reason": said.reason_number,
            "verdict_number": number,
            "judged_by": actor.user_id,
            "judged_for": actor.on_behalf_of,
            "judged_name": actor.name,
            "judged_at_ns": now_ns,
            "took_ms": took_ms,
            "bulk": int(bool(sheet_id)),
            "sheet_id": sheet_id,
            "lease_until_ns": now_ns,
        }
        if db.execute(update(review_items).where(mine).values(**values)).rowcount != 1:
            raise why_not(row, actor, now_ns)
        step = _Step(EntryKind.JUDGED, said=said, took_ms=took_ms, sheet_id=sheet_id)
        self._write(db, row, step, actor, now_ns)
        return Judged(item_id, ItemState.PROVISIONAL, now_ns + UNDO_NS)

    def undo(self, db: Connection, actor: Actor, item_id: str, now_ns: int) -> None:
        """Take an own verdict back while it is provisional. Raises RefusedError 404 or 409."""
        row = find_item(db, actor, item_id, lock=True)
        own = row.state == ItemState.PROVISIONAL.value and row.judged_by == actor.user_id
        if not own or now_ns - row.judged_at_ns >= UNDO_NS:
            raise RefusedError(409, "too_late", "撤销时限（10 秒）已过", "ten seconds to undo have passed", "item_id")
        set_fields(db, item_id, state=ItemState.OPEN.value, verdict_number=row.verdict_number + 1, **NO_VERDICT)
        self._write(db, row, _Step(EntryKind.UNDONE), actor, now_ns)

    def undo_sheet(self, db: Connection, actor: Actor, sheet_id: str, now_ns: int) -> int:
        """Take back everything that was judged together; how many items."""
        at = review_items.c
        together = and_(at.sheet_id == sheet_id, at.state == ItemState.PROVISIONAL.value, at.judged_by == actor.user_id)
        query = select(at.item_id).where(together, visible(actor)).order_by(at.item_id)
        items = list(db.scalars(query.with_for_update()))  # all rows before any entry: no two wait for each other
        if not items:
            raise RefusedError(409, "too_late", "撤销时限（10 秒）已过", "ten seconds to undo have passed", "sheet_id")
        for item_id in items:
            self.undo(db, actor, item_id, now_ns)
        return len(items)

    def reopen(self, db: Connection, actor: Actor, item_id: str, words: str, now_ns: int) -> None:
        """Judge again what was final. A hazard that was opened stays and is closed where hazards are. 404, 409, 422."""
        require_reviewer(actor)
        if not words.strip():
            raise RefusedError(422, "words_needed", "重新研判须说明理由", "reopening needs a reason", "words")
        hold_box(db, item_id)
        row = find_item(db, actor, item_id, lock=True)
        if row.state != ItemState.FINAL.value:
            raise RefusedError(409, "not_final", "该项尚无最终判定", "this item has no final verdict", "item_id")
        set_fields(db, item_id, state=ItemState.OPEN.value, verdict_number=row.verdict_number + 1, **NO_VERDICT)
        self._write(db, row, _Step(EntryKind.REOPENED, words=words.strip()), actor, now_ns)
        self._tell(db, row, "open", now_ns)

    def finalise_due(self, database: DeskDatabase, now_ns: int) -> int:
        """Make final what nobody took back; each in a transaction of its own, so that one refusal holds up none."""
        at = review_items.c
        due = and_(at.state == ItemState.PROVISIONAL.value, at.judged_at_ns <= now_ns - UNDO_NS)
        with database.reading() as db:
            found = list(db.scalars(select(at.item_id).where(due).order_by(at.judged_at_ns).limit(FINALISE_LIMIT)))
        return sum(self._finalise_one(database, item_id, now_ns) for item_id in found)

    def finalise(self, db: Connection, item_id: str, now_ns: int) -> str:
        """Make one provisional verdict final now; the hazard's id, or nothing. Another replica may have been first."""
        hold_box(db, item_id)
        at = review_items.c
        provisional = and_(at.item_id == item_id, at.state == ItemState.PROVISIONAL.value)
        row = db.execute(select(review_items).where(provisional).with_for_update()).first()
        if row is None:
            return ""
        judge = self._judge_of(db, row)
        hazard_id = self._follow(db, row, judge, now_ns)
        number = row.verdict_number + 1
        set_fields(db, item_id, state=ItemState.FINAL.value, verdict_number=number, hazard_id=hazard_id)
        self._write(db, row, _Step(EntryKind.FINAL, hazard_id=hazard_id), judge, now_ns)
        self._tell(db, row, row.verdict, now_ns)
        if row.sampled and row.round == 1:
            second_round(db, row, now_ns)
        return hazard_id

    def _finalise_one(self, database: DeskDatabase, item_id: str, now_ns: int) -> bool:
        try:
            with database.transaction() as db:
                self.finalise(db, item_id, now_ns)
        except RefusedError as refused:
            with database.transaction() as db:
                self._back_to_queue(db, item_id, refused, now_ns)
            return False
        return True

    def _back_to_queue(self, db: Connection, item_id: str, refused: RefusedError, now_ns: int) -> None:
        """What must follow could not be done: a person has to look again, and is told why."""
        at = review_items.c
        still = and_(at.item_id == item_id, at.state == ItemState.PROVISIONAL.value)
        row = db.execute(select(review_items).where(still).with_for_update()).first()
        if row is not None:
            set_fields(db, item_id, state=ItemState.OPEN.value, verdict_number=row.verdict_number + 1, **NO_VERDICT)
            step = _Step(EntryKind.REFUSED, words=f"{refused.message_zh} / {refused}")
            self._write(db, row, step, SYSTEM, now_ns)

    def _follow(self, db: Connection, row: "Row[tuple[object, ...]]", judge: Actor, now_ns: int) -> str:
        """A hazard or a site check; the second look decides nothing."""
        if row.round != 1:
            return ""
        if row.verdict == Verdict.TRUE.value:
            return self.open_hazard(db, self.ledger, proposed_hazard(db, row), judge, now_ns)
        if row.verdict == Verdict.DOUBTFUL.value:
            ask_site_check(db, row, now_ns)
        return str(row.hazard_id)

    def _tell(
        self, db: Connection, row: "Row[Any]", said: Literal["true", "false", "doubtful", "open"], now_ns: int
    ) -> None:
        if self.post is not None:
            tell_box(db, self.post, row, said, now_ns)

    def _judge_of(self, db: Connection, row: "Row[tuple[object, ...]]") -> Actor:
        at = review_verdicts.c
        newest = and_(at.item_id == row.item_id, at.number == row.verdict_number)
        return actor_from(str(db.scalar(select(at.actor).where(newest))))

    def _write(self, db: Connection, row: "Row[tuple[object, ...]]", step: _Step, actor: Actor, now_ns: int) -> None:
        """The row that is never changed and the entry in the chain."""
        number = row.verdict_number + 1
        verdict = step.said.verdict.value if step.said else str(row.verdict)
        reason = step.said.reason_number if step.said else int(row.false_reason)
        words, bulk = step.said.words if step.said else step.words, bool(step.sheet_id)
        content: dict[str, Canonical] = {
            "number": number,
            "verdict": verdict,
            "false_reason": reason,
            "words": words,
            "round": int(row.round),
            "bulk": bulk,
            "sheet_id": step.sheet_id,
            "took_ms": step.took_ms,
            "hazard_id": step.hazard_id,
        }
        deed = Deed(f"review_{step.kind.value}", row.item_id, content, row.project_code)
        entry = self.ledger.append(db, deed, actor, now_ns)
        kept = {"item_id": row.item_id, "number": number, "kind": step.kind.value, "words": words, "bulk": int(bulk)}
        kept |= {"verdict": verdict, "false_reason": reason, "took_ms": step.took_ms, "sheet_id": step.sheet_id}
        kept |= {"user_id": actor.user_id, "user_name": actor.name, "actor": actor_text(actor), "at_ns": now_ns}
        db.execute(insert(review_verdicts).values(**kept, ledger_seq=entry.seq))


def ask_site_check(db: Connection, row: "Row[tuple[object, ...]]", now_ns: int) -> None:
    """A doubtful item: somebody looks on site. One check an item; a reopened item keeps its first."""
    known = db.scalar(select(review_site_checks.c.item_id).where(review_site_checks.c.item_id == row.item_id))
    if known is None:
        values = {"item_id": row.item_id, "project_code": row.project_code, "asked_at_ns": now_ns}
        db.execute(insert(review_site_checks).values(**values, asked_by=row.judged_by, asked_name=row.judged_name))


def actor_text(actor: Actor) -> str:
    """An actor as it is kept beside a verdict."""
    fields: dict[str, Canonical] = {
        "user_id": actor.user_id,
        "name": actor.name,
        "level": actor.level.value,
        "scope": actor.scope.code,
        "duties": sorted(duty.value for duty in actor.duties),
        "on_behalf_of": actor.on_behalf_of,
    }
    return canonical_bytes(fields).decode()


def actor_from(text: str) -> Actor:
    """The same, read back."""
    said = json.loads(text)
    duties = frozenset(Duty(name) for name in said["duties"])
    return Actor(
        said["user_id"], said["name"], Scope(Level(said["level"]), said["scope"]), duties, said["on_behalf_of"]
    )
