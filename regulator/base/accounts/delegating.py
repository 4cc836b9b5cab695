"""Standing in for somebody on leave: one grant, from one moment to another, with a reason. Ends by itself.

The giver keeps the grant. Whoever stands in acts `on_behalf_of` the giver, so the two never pass for two persons.
In: a transaction, the giver, times UTC ns. Out: the delegation. Raises RefusedError; nothing changed.
"""

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, insert, or_, select, update

from contract.canonical import Canonical
from regulator.base.accounts.deeds import note
from regulator.base.accounts.model import SECOND_NS, Account, Delegation
from regulator.base.accounts.rows import account_by_login, delegation_of, known_delegation, known_grant
from regulator.base.accounts.sessions import as_actor, normal_login
from regulator.base.model.actor import Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.people import delegations

DAY_NS = 86_400 * SECOND_NS
LONGEST_NS = 92 * DAY_NS
"""A leave of a quarter; longer absences are a matter of grants."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Who stands in for whom in what: from `from_ns` (inclusive) until `until_ns` (exclusive), UTC ns."""

    grant_id: str
    to_login: str
    from_ns: int
    until_ns: int
    reason: str


def delegate(db: Connection, ledger: Ledger, giver: Account, leave: Leave, now_ns: int) -> Delegation:
    """Raises RefusedError: 403 not delegable, 404 not the giver's grant, 422 nobody to stand in, no span, no reason."""
    receiver = _receiver(db, giver, leave.to_login)
    _require_own(db, giver, leave.grant_id)
    _require_span(leave, now_ns)
    said = leave.reason.strip()[:500]
    if not said:
        raise RefusedError(422, "no_reason", "请填写理由", "give a reason", "reason")
    told: dict[str, Canonical] = {
        "delegation_id": f"d-{secrets.token_hex(6)}",
        "grant_id": leave.grant_id,
        "to_user": receiver.user_id,
        "reason": said,
        "from_ns": leave.from_ns,
        "until_ns": leave.until_ns,
    }
    db.execute(insert(delegations).values(**told, from_user=giver.user_id, made_at_ns=now_ns))
    note(db, ledger, "delegated", giver.user_id, told, as_actor(giver), now_ns)
    note(db, ledger, "delegation_received", receiver.user_id, told, as_actor(giver), now_ns)
    return known_delegation(db, str(told["delegation_id"]))


def take_back(db: Connection, ledger: Ledger, giver: Account, delegation_id: str, now_ns: int) -> None:
    """It ends now. Raises RefusedError 404 for one that is not this giver's; one that has ended is fine."""
    delegation = known_delegation(db, delegation_id)
    if delegation.from_user != giver.user_id:
        raise RefusedError(404, "no_such_delegation", "没有这项代理", "no such delegation", "delegation_id")
    if delegation.ended_at_ns or delegation.until_ns <= now_ns:
        return
    mine = delegations.c.delegation_id == delegation_id
    db.execute(update(delegations).where(mine).values(ended_at_ns=now_ns))
    told = {"delegation_id": delegation_id, "to_user": delegation.to_user}
    note(db, ledger, "delegation_taken_back", giver.user_id, told, as_actor(giver), now_ns)


def delegations_of(db: Connection, user_id: str) -> list[Delegation]:
    """Given and received, newest first."""
    mine = or_(delegations.c.from_user == user_id, delegations.c.to_user == user_id)
    found = select(delegations).where(mine).order_by(delegations.c.made_at_ns.desc(), delegations.c.delegation_id)
    return [delegation_of(row) for row in db.execute(found)]


def _receiver(db: Connection, giver: Account, login: str) -> Account:
    receiver = account_by_login(db, normal_login(login))
    if receiver is None or receiver.disabled_at_ns:
        raise RefusedError(422, "no_such_person", "没有这个账号或已停用", "no such account, or disabled", "to")
    if receiver.user_id == giver.user_id:
        raise RefusedError(422, "same_person", "不能委托给自己", "you cannot stand in for yourself", "to")
    return receiver


def _require_own(db: Connection, giver: Account, grant_id: str) -> None:
    grant = known_grant(db, grant_id)
    if grant.user_id != giver.user_id or not grant.in_force:
        raise RefusedError(404, "no_such_grant", "没有这项授权", "no such grant", "grant_id")
    if Duty.ADMINISTRATOR in grant.duties:
        words = ("管理员职责不得委托", "an administrator's duty is not delegated: it needs a second person")
        raise RefusedError(403, "not_delegable", *words, "grant_id")


def _require_span(leave: Leave, now_ns: int) -> None:
    ahead = leave.from_ns < leave.until_ns and leave.until_ns > now_ns
    if ahead and leave.until_ns - leave.from_ns <= LONGEST_NS:
        return
    words_zh = "起止时间无效：结束须晚于开始和当前时间，最长 92 天"
    words_en = "expected an end after the start and after now, at most 92 days later"
    raise RefusedError(422, "bad_span", words_zh, words_en, "until")
