"""Whose box is heard: issuing and revoking codes, revoking boxes, admitting a second one, saying where orders go.

    administrator   issues codes for boxes of projects in the scope, one or a list; revokes codes and boxes
    approver        admits a box that waits, unless it came with the approver's own code; says which box has the orders

Every deed is an entry of the project's ledger. In: actors, forms, lists. Out: codes, once; rows for pages.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, exists, select, update

from regulator.base.act import Act
from regulator.base.intake.codes import Issued, Wanted, is_open, issue_codes, revoke_open_codes
from regulator.base.intake.enrolment import retire_keys
from regulator.base.intake.findings import FindingKind, close_of
from regulator.base.model.actor import Actor, Duty
from regulator.base.model.authority import require_duty, require_second_person
from regulator.base.model.refusals import RefusedError
from regulator.base.records.among import among
from regulator.base.records.box_standing import IS_HEARD, box_for_orders
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.intake import boxes, codes
from regulator.base.records.tables.registry import projects
from regulator.base.texts import read_reason

BOX_ID: Final = re.compile(r"[a-z0-9]([a-z0-9_.-]{0,62}[a-z0-9])?")
KEEPERS: Final = (Duty.ADMINISTRATOR,)
DECIDERS: Final = (Duty.APPROVER,)
LOOKERS: Final = (Duty.ADMINISTRATOR, Duty.APPROVER, Duty.AUDITOR)
NO_SUCH_BOX: Final = RefusedError(404, "no_such_box", "没有这台监控主机", "no such box in your scope", "box_id")


@dataclass(frozen=True, slots=True)
class Standings:
    """Rows for the page, within the scope. `boxes`: with `assigned`, whether orders go to it; those that wait first."""

    boxes: "Sequence[Row[Any]]"
    codes: "Sequence[Row[Any]]"


def issue(act: Act, wanted: Sequence[Wanted], *, registered: bool = True) -> list[Issued]:
    """A code for each, all or none. `registered` no: for projects, too, that are not in the register yet.

    Raises RefusedError: 403, 404 for a project outside the scope, 422.
    """
    require_duty(act.actor, *KEEPERS)
    faults = faults_of(act, wanted, registered=registered)
    if faults:
        raise next(iter(faults.values()))
    return issue_codes(act.db, act.ledger, wanted, act.actor, act.now_ns)


def faults_of(act: Act, wanted: Sequence[Wanted], *, registered: bool = True) -> dict[int, RefusedError]:
    """What is wrong with the entries of a list, by place."""
    known = (
        _projects_in_scope(act, wanted) if registered else {each.project_code for each in wanted if each.project_code}
    )
    taken = _boxes_of_others(act, wanted)
    faults: dict[int, RefusedError] = {}
    for place, each in enumerate(wanted):
        fault = _fault(each, known, taken)
        if fault is not None:
            faults[place] = fault
        taken.add(each.box_id)
    return faults


def _projects_in_scope(act: Act, wanted: Sequence[Wanted]) -> set[str]:
    at = projects.c.project_code
    listed = among(at, [each.project_code for each in wanted])
    return set(act.db.scalars(select(at).where(listed, in_scope(act.actor.scope, at))))


def _boxes_of_others(act: Act, wanted: Sequence[Wanted]) -> set[str]:
    """Ids that a project outside the scope has, or has an open code for."""
    ids, scope = [each.box_id for each in wanted], act.actor.scope
    held = select(boxes.c.box_id).where(among(boxes.c.box_id, ids), ~in_scope(scope, boxes.c.project_code))
    promised = select(codes.c.box_id).where(among(codes.c.box_id, ids), ~in_scope(scope, codes.c.project_code))
    return {*act.db.scalars(held), *act.db.scalars(promised.where(*is_open(act.now_ns)))}


def _fault(wanted: Wanted, known: set[str], taken: set[str]) -> RefusedError | None:
    if not BOX_ID.fullmatch(wanted.box_id):
        zh = f"“{wanted.box_id[:64]}”不是监控主机编号：应为 1 至 64 位小写字母、数字、点、下划线或连字符"
        en = f"{wanted.box_id[:64]!r} is no box id: 1 to 64 lower-case letters, digits, dots, underscores or hyphens"
        return RefusedError(422, "not_a_box_id", zh, en, "box_id")
    if wanted.project_code not in known:
        zh, en = f"没有项目 {wanted.project_code[:64]}", f"no project {wanted.project_code[:64]} in your scope"
        return RefusedError(404, "no_such_project", zh, en, "project_code")
    if wanted.box_id in taken:
        zh, en = f"监控主机编号 {wanted.box_id} 已被使用", f"the box id {wanted.box_id} is taken"
        return RefusedError(422, "box_id_taken", zh, en, "box_id")
    return None


def revoke_code(act: Act, code_sha256: str) -> None:
    """Nobody enrols with it any more. Raises RefusedError: 403, 404, 409 for one that is not open, 422."""
    require_duty(act.actor, *KEEPERS)
    because, at = read_reason(act.reason), codes.c
    mine = (at.code_sha256 == code_sha256, in_scope(act.actor.scope, at.project_code))
    row = act.db.execute(select(codes).where(*mine).with_for_update()).first()
    if row is None:
        raise RefusedError(404, "no_such_code", "没有这个登记码", "no such code in your scope", "code")
    if not revoke_open_codes(act.db, act.ledger, [row.box_id], because, act.actor, act.now_ns):
        words = ("该登记码已使用、已吊销或已过期", "this code was used, revoked or has expired")
        raise RefusedError(409, "code_not_open", *words, "code")


def revoke_box(act: Act, box_id: str) -> None:
    """It is not heard any more, and no open code lets it in; a new code does. Its records stay. Also refuses a box that
    waits, and takes back the codes of one that never came. Raises RefusedError: 403, 404, 409, 422."""
    require_duty(act.actor, *KEEPERS, *DECIDERS)
    because, box = read_reason(act.reason), _box(act, box_id)
    ours = (codes.c.box_id == box_id, in_scope(act.actor.scope, codes.c.project_code), *is_open(act.now_ns))
    promised = act.db.scalar(select(exists().where(*ours)))
    if box is None and not promised:
        raise NO_SUCH_BOX
    if box is not None and box.revoked_at_ns and not promised:
        raise RefusedError(409, "revoked_already", "该监控主机已吊销", "this box was revoked already", "box_id")
    revoke_open_codes(act.db, act.ledger, [box_id], because, act.actor, act.now_ns)
    if box is not None and not box.revoked_at_ns:
        retire_keys(act.db, box_id, act.now_ns)
        _change(act, box, "box_revoked", revoked_at_ns=act.now_ns, waiting=0)


def admit(act: Act, box_id: str, *, takes_orders: bool) -> None:
    """A box that waits is heard from now on; with `takes_orders` the project's orders go to it, too.

    Raises RefusedError: 403 also for whoever issued its code, 404, 409 for a box that does not wait, 422.
    """
    require_duty(act.actor, *DECIDERS)
    box = _known(act, box_id)
    if not box.waiting:
        raise RefusedError(409, "not_waiting", "该监控主机无需审批", "this box does not wait for anybody", "box_id")
    require_second_person(act.actor, set(json.loads(box.enrolled_by or "[]")))
    _change(act, box, "box_admitted", waiting=0, **({"assigned_at_ns": act.now_ns} if takes_orders else {}))


def assign(act: Act, box_id: str) -> None:
    """The project's orders go to this box from now on. Raises RefusedError: 403, 404, 409, 422."""
    require_duty(act.actor, *DECIDERS)
    box = _known(act, box_id)
    if box.waiting or box.revoked_at_ns:
        raise RefusedError(409, "not_heard", "该监控主机待审批或已吊销", "this box waits or was revoked", "box_id")
    _change(act, box, "box_assigned", assigned_at_ns=act.now_ns)


def standings(db: Connection, actor: Actor, now_ns: int) -> Standings:
    """What the page shows. Raises RefusedError 403 for who has no business there."""
    require_duty(actor, *LOOKERS)
    at = boxes.c
    assigned = at.box_id == box_for_orders(at.project_code).scalar_subquery()
    columns = (at.box_id, at.project_code, at.enrolled_at_ns, at.last_seen_ns, at.waiting, at.revoked_at_ns)
    found = select(*columns, at.enrolled_by, projects.c.name, (assigned & IS_HEARD).label("assigned"))
    found = found.outerjoin(projects, projects.c.project_code == at.project_code)
    found = found.where(in_scope(actor.scope, at.project_code))
    ranked = (at.waiting.desc(), at.revoked_at_ns > 0, at.project_code, at.box_id)
    waiting = select(codes).where(in_scope(actor.scope, codes.c.project_code), *is_open(now_ns))
    order = (codes.c.expires_at_ns, codes.c.box_id)
    return Standings(db.execute(found.order_by(*ranked)).all(), db.execute(waiting.order_by(*order)).all())


def _box(act: Act, box_id: str) -> "Row[Any] | None":
    """The box's row, held until the transaction ends, if it is in the scope."""
    mine = (boxes.c.box_id == box_id, in_scope(act.actor.scope, boxes.c.project_code))
    return act.db.execute(select(boxes).where(*mine).with_for_update()).first()


def _known(act: Act, box_id: str) -> "Row[Any]":
    box = _box(act, box_id)
    if box is None:
        raise NO_SUCH_BOX
    return box


def _change(act: Act, box: "Row[Any]", deed: str, **values: int) -> None:
    act.db.execute(update(boxes).where(boxes.c.box_id == box.box_id).values(**values))
    content = {"box_id": box.box_id, "takes_orders": "assigned_at_ns" in values}
    act.write(deed, box.box_id, content, box.project_code)
    if box.waiting:
        close_of(act.db, act.ledger, FindingKind.BOX_WAITING, box.box_id, act.reason, act.now_ns)
