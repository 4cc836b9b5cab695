"""Random draws (双随机、一公开): freeze, draw with a value that the world published afterwards, reveal on the day.

    freeze --> pool and its digest, digest of a nonce in the ledger
    draw   --> public value with source and time (later than the freeze) --> seed --> digest of the result in the ledger
    reveal --> on the day: nonce, seed and targets in the ledger, for everybody in scope
    begin  --> the targets become a round (regulator.parts.registry.rounds)
    redraw --> the draw is void, for a reason that is kept; another pool is frozen

The nonce keeps the targets from whoever knows the pool and the public value; its digest keeps the bureau from choosing
it afterwards. Whoever administers the database could read it before the day: that is what the day's secrecy rests on.
"""

import json
import secrets
import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, select, update

from contract.canonical import Canonical
from regulator.base.act import Act
from regulator.base.days import day_of
from regulator.base.kinds import Word
from regulator.base.model.actor import SYSTEM
from regulator.base.model.authority import require_duty, require_second_person
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.supervision import draw_projects, draws
from regulator.base.texts import read_text
from regulator.parts.registry.rounds.round_office import open_round
from regulator.parts.supervision.draw_file import DrawFile
from regulator.parts.supervision.draw_method import Target, digest, drawn, result_body, seed_of
from regulator.parts.supervision.draw_pool import LEADERS, pool_of
from screens.formats import local_day_time

REVEAL_EVERY_S = 60.0


class DrawState(Word):
    """How far a draw is."""

    FROZEN = "frozen", "已冻结，待抽取", "frozen, to be drawn"
    DRAWN = "drawn", "已抽取，待公开", "drawn, not public yet"
    REVEALED = "revealed", "已公开", "public"
    VOID = "void", "已作废", "void"


@dataclass(frozen=True, slots=True)
class NewDraw:
    """`on_day`: when the targets become known and the checks begin."""

    name: str
    on_day: date
    redraw_of: str = ""


@dataclass(frozen=True, slots=True)
class PublicValue:
    """What the world published: a lottery number, an index at its close. `at_ns`: when, UTC ns."""

    value: str
    source: str
    at_ns: int


def freeze(act: Act, file: DrawFile, new: NewDraw) -> str:
    """Freeze the pool of the actor's own body; the draw's id. Raises RefusedError 403, 409 there is one, 422."""
    require_duty(act.actor, *LEADERS)
    if new.on_day < day_of(act.now_ns):
        raise RefusedError(422, "wrong_days", "检查日早于今天", "the day has been", "on_day")
    scope, day = act.actor.scope, new.on_day.isoformat()
    _require_first(act.db, scope.level.value, scope.code, day)
    draw_id, nonce = uuid.uuid4().hex, secrets.token_hex(32)
    pool = pool_of(act.db, scope, file, draw_id)
    public = {
        "draw_id": draw_id,
        "name": read_text(new.name, "name"),
        "level": scope.level.value,
        "scope_code": scope.code,
        "on_day": day,
        "pool_sha256": digest(pool.body),
        "nonce_sha256": digest(nonce.encode()),
        "redraw_of": new.redraw_of,
    }
    kept = {"pool": pool.body.decode(), "nonce": nonce, "redraw_reason": act.reason if new.redraw_of else ""}
    act.db.execute(insert(draws).values(**public, **kept, frozen_by=act.actor.user_id, frozen_at_ns=act.now_ns))
    rows = [
        {"draw_id": draw_id, "project_code": each.code, "band": each.band.value, "weight": each.weight}
        for each in pool.projects
    ]
    act.db.execute(insert(draw_projects), rows)
    counts = {"projects": len(pool.projects), "inspectors": len(pool.inspectors)}
    act.write("draw_frozen", draw_id, {**public, **counts}, chain=_chain(draw_id))
    return draw_id


def draw(act: Act, draw_id: str, public: PublicValue) -> None:
    """Draw, once. Raises RefusedError: 403, 404, 409 drawn before, 422 published before the freeze or not yet."""
    require_duty(act.actor, *LEADERS)
    row = _own(act, draw_id, DrawState.FROZEN)
    value, source = read_text(public.value, "public_value"), read_text(public.source, "public_source", most=500)
    if not row.frozen_at_ns < public.at_ns <= act.now_ns:
        frozen = local_day_time(row.frozen_at_ns)
        zh = f"公开值的发布时间须晚于冻结时间（{frozen}），且不晚于现在"
        en = f"the public value must have been published after the freeze ({frozen}), and by now"
        raise RefusedError(422, "wrong_time", zh, en, "public_at")
    seed = seed_of(row.pool_sha256, value, row.nonce)
    targets = drawn(row.pool.encode(), seed)
    result = result_body(draw_id, seed, targets)
    said: dict[str, str | int] = {
        "public_value": value,
        "public_source": source,
        "public_at_ns": public.at_ns,
        "result_sha256": digest(result),
    }
    kept: dict[str, str | int] = {
        "seed": seed,
        "result": result.decode(),
        "drawn_by": act.actor.user_id,
        "drawn_at_ns": act.now_ns,
    }
    _move(act.db, draw_id, DrawState.DRAWN, **said, **kept)
    _place(act.db, draw_id, targets)
    act.write("draw_drawn", draw_id, said, chain=_chain(draw_id))


def reveal_due(database: DeskDatabase, ledger: Ledger, now_ns: int) -> int:
    """Job: make known whatever's day has come; how many."""
    at, today = draws.c, day_of(now_ns).isoformat()
    with database.transaction() as db:
        due = select(draws).where(at.state == DrawState.DRAWN.value, at.on_day <= today).order_by(at.draw_id)
        rows = db.execute(due.with_for_update()).all()
        for row in rows:
            _move(db, row.draw_id, DrawState.REVEALED, revealed_at_ns=now_ns, revealed_by=SYSTEM.user_id)
            content: dict[str, Canonical] = {
                "nonce": row.nonce,
                "seed": row.seed,
                "result_sha256": row.result_sha256,
                "targets": json.loads(row.result)["targets"],
            }
            ledger.append(db, Deed("draw_revealed", row.draw_id, content, chain=_chain(row.draw_id)), SYSTEM, now_ns)
    return len(rows)


def begin(act: Act, draw_id: str, due_on: date) -> str:
    """Open the round over the targets; its id. Raises RefusedError: 403, 404, 409 not public yet or begun, 422."""
    require_duty(act.actor, *LEADERS)
    row = _own(act, draw_id, DrawState.REVEALED)
    if row.round_id:
        raise RefusedError(409, "begun", "检查轮次已建立", "the round was opened", "draw_id")
    codes = [target["code"] for target in json.loads(row.result)["targets"]]
    round_id = open_round(act, row.name, day_of(act.now_ns), due_on, codes)
    act.db.execute(update(draws).where(draws.c.draw_id == draw_id).values(round_id=round_id))
    act.write("draw_begun", draw_id, {"round_id": round_id}, chain=_chain(draw_id))
    return round_id


def redraw(act: Act, file: DrawFile, draw_id: str) -> str:
    """Void a draw that is not public yet, for `act.reason`, and freeze the pool again; the new draw's id.

    Raises RefusedError: 403 also for whoever drew it, 404, 409 it is public, 422 no reason.
    """
    require_duty(act.actor, *LEADERS)
    row = _own(act, draw_id, DrawState.FROZEN, DrawState.DRAWN)
    if row.drawn_by:
        require_second_person(act.actor, frozenset({row.drawn_by}))
    _move(act.db, draw_id, DrawState.VOID)
    act.write("draw_void", draw_id, {"state": row.state}, chain=_chain(draw_id))
    return freeze(act, file, NewDraw(row.name, max(date.fromisoformat(row.on_day), day_of(act.now_ns)), draw_id))


def _require_first(db: Connection, level: str, scope_code: str, day: str) -> None:
    at = draws.c
    same = (at.level == level, at.scope_code == scope_code, at.on_day == day, at.state != DrawState.VOID.value)
    if db.scalar(select(at.draw_id).where(*same).limit(1)) is not None:
        zh, en = "该日已有抽取；重抽须在原抽取中说明理由", "there is a draw for that day; to draw again, say why there"
        raise RefusedError(409, "draw_exists", zh, en, "on_day")


def _own(act: Act, draw_id: str, *states: DrawState) -> Any:
    """The draw of the actor's own body, kept for this transaction."""
    row = act.db.execute(select(draws).where(draws.c.draw_id == draw_id).with_for_update()).first()
    scope = act.actor.scope
    if row is None or (row.level, row.scope_code) != (scope.level.value, scope.code):
        raise RefusedError(404, "no_such_draw", "没有这次抽取", "no such draw of your body", "draw_id")
    state = DrawState.of(row.state)
    if state not in states:
        raise RefusedError(409, "wrong_state", f"该抽取{state.zh}", f"this draw is {state.en}", "draw_id")
    return row


def _move(db: Connection, draw_id: str, state: DrawState, **values: str | int) -> None:
    db.execute(update(draws).where(draws.c.draw_id == draw_id).values(state=state.value, **values))


def _place(db: Connection, draw_id: str, targets: tuple[Target, ...]) -> None:
    at = draw_projects.c
    for place, target in enumerate(targets, 1):
        one = update(draw_projects).where(at.draw_id == draw_id, at.project_code == target.code)
        db.execute(one.values(place=place, inspectors=json.dumps(list(target.inspectors))))


def _chain(draw_id: str) -> str:
    return f"draw:{draw_id}"
