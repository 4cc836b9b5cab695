"""Duties in scopes, given and taken. What needs a second person (APPROVER, ADMINISTRATOR) waits for one.

    propose --> in force at once, or waiting --> approve (by nobody whose hand proposed it) | reject
    in force --> revoke

In: a transaction, who orders it. Out: the grant as it is then. Raises RefusedError; nothing changed.
"""

import json
import secrets
from collections.abc import Iterable

from sqlalchemy import Connection, insert, update

from contract.canonical import Canonical
from regulator.base.accounts.deeds import note
from regulator.base.accounts.model import NEEDS_A_SECOND_PERSON, Grant
from regulator.base.accounts.rows import known_account, known_grant
from regulator.base.model.actor import Actor, Duty, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.people import grants


def propose_grant(
    db: Connection, ledger: Ledger, user_id: str, scope: Scope, duties: Iterable[Duty], by: Actor, now_ns: int
) -> Grant:
    """Give duties in a scope; they wait when one of them needs a second person. Raises RefusedError 404, 422."""
    held = frozenset(duties)
    known_account(db, user_id)
    if not held:
        raise RefusedError(422, "no_duty", "请至少选择一项职责", "choose at least one duty", "duties")
    if Duty.ADMINISTRATOR in held and len(held) > 1:
        words = ("管理员不得兼任其他职责", "an administrator judges nothing: no other duty goes with it")
        raise RefusedError(422, "administrator_alone", *words, "duties")
    waits = bool(held & NEEDS_A_SECOND_PERSON)
    return _write(db, ledger, (user_id, scope, held), by, now_ns, at_once=not waits)


def grant_at_set_up(db: Connection, ledger: Ledger, user_id: str, scope: Scope, by: Actor, now_ns: int) -> Grant:
    """The administrator's duty for one of the first two; whoever orders it sits at the desk's own console."""
    return _write(db, ledger, (user_id, scope, frozenset({Duty.ADMINISTRATOR})), by, now_ns, at_once=True)


def approve_grant(db: Connection, ledger: Ledger, grant_id: str, by: Actor, now_ns: int) -> Grant:
    """The second person agrees. Raises RefusedError 409: decided already, 403: not another person."""
    grant = _waiting(db, grant_id)
    if by.persons & (grant.proposed_by | {grant.user_id}):
        words = (
            "授权须由提议人和被授权人以外的人批准",
            "somebody other than the proposer and the receiver must approve",
        )
        raise RefusedError(403, "same_person", *words, "grant_id")
    _decide(db, grant_id, by, approved_at_ns=now_ns)
    note(db, ledger, "grant_approved", grant.user_id, _content(grant), by, now_ns)
    return known_grant(db, grant_id)


def reject_grant(db: Connection, ledger: Ledger, grant_id: str, reason: str, by: Actor, now_ns: int) -> Grant:
    """It will not be given. Raises RefusedError 409: decided already, 422: no reason."""
    grant = _waiting(db, grant_id)
    said = _reason(reason)
    _decide(db, grant_id, by, rejected_at_ns=now_ns)
    note(db, ledger, "grant_rejected", grant.user_id, {**_content(grant), "reason": said}, by, now_ns)
    return known_grant(db, grant_id)


def revoke_grant(db: Connection, ledger: Ledger, grant_id: str, reason: str, by: Actor, now_ns: int) -> Grant:
    """It is over. Raises RefusedError 409: not in force or one's own, 422: no reason."""
    grant = known_grant(db, grant_id)
    if not grant.in_force:
        raise RefusedError(409, "not_in_force", "该授权未生效", "this grant is not in force", "grant_id")
    if grant.user_id in by.persons:
        raise RefusedError(409, "own_grant", "不能撤销自己的授权", "you cannot revoke your own grant", "grant_id")
    said = _reason(reason)
    db.execute(update(grants).where(grants.c.grant_id == grant_id).values(revoked_at_ns=now_ns, revoked_by=by.user_id))
    note(db, ledger, "grant_revoked", grant.user_id, {**_content(grant), "reason": said}, by, now_ns)
    return known_grant(db, grant_id)


def _write(
    db: Connection,
    ledger: Ledger,
    what: tuple[str, Scope, frozenset[Duty]],
    by: Actor,
    now_ns: int,
    *,
    at_once: bool,
) -> Grant:
    user_id, scope, duties = what
    grant_id = f"g-{secrets.token_hex(6)}"
    row = {
        "grant_id": grant_id,
        "user_id": user_id,
        "level": scope.level.value,
        "scope_code": scope.code,
        "duties": json.dumps(sorted(duty.value for duty in duties)),
        "proposed_by": json.dumps(sorted(by.persons)),
        "proposed_at_ns": now_ns,
        "approved_at_ns": now_ns if at_once else 0,
        "decided_by": by.user_id if at_once else "",
    }
    db.execute(insert(grants).values(**row))
    grant = known_grant(db, grant_id)
    note(db, ledger, "grant_given" if at_once else "grant_proposed", user_id, _content(grant), by, now_ns)
    return grant


def _waiting(db: Connection, grant_id: str) -> Grant:
    grant = known_grant(db, grant_id)
    if not grant.waiting:
        raise RefusedError(409, "decided", "该授权已处理", "this grant has been decided already", "grant_id")
    return grant


def _decide(db: Connection, grant_id: str, by: Actor, **at_ns: int) -> None:
    db.execute(update(grants).where(grants.c.grant_id == grant_id).values(decided_by=by.user_id, **at_ns))


def _reason(typed: str) -> str:
    said = typed.strip()
    if not said:
        raise RefusedError(422, "no_reason", "请填写理由", "give a reason", "reason")
    return said[:500]


def _content(grant: Grant) -> dict[str, Canonical]:
    duties: list[Canonical] = [duty.value for duty in sorted(grant.duties, key=lambda duty: duty.value)]
    return {
        "grant_id": grant.grant_id,
        "level": grant.scope.level.value,
        "scope": grant.scope.code,
        "duties": duties,
    }
