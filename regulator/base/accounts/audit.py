"""What was done: entries of the ledger within an actor's scope, newest first, with filters, by keyset.

A project's entries follow the project; an account's chain follows whoever keeps the account; what belongs to neither
(lists, packs, anchors) is the province's. In: filters and the place of the last entry shown. Out: entries.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select, tuple_

from contract.canonical import Canonical
from regulator.base.accounts.coverage import coverage_of
from regulator.base.accounts.deeds import CHAIN
from regulator.base.accounts.rows import account_of
from regulator.base.model.actor import Actor, Level
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.ledger import ledger_entries
from regulator.base.records.tables.people import accounts


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Empty fields do not filter. `from_ns` and `until_ns` (exclusive) UTC ns, 0: open."""

    kind: str = ""
    person: str = ""
    project: str = ""
    subject: str = ""
    from_ns: int = 0
    until_ns: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the time, chain and number of its last entry."""

    at_ns: int
    chain: str
    seq: int


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One deed. `person` is the name that the entry holds; `on_behalf_of` the user id of who was on leave, or empty."""

    place: Place
    kind: str
    person: str
    user_id: str
    on_behalf_of: str
    project_code: str
    subject: str
    content: Mapping[str, Canonical]
    sha256: str


def audit_entries(
    db: Connection, actor: Actor, wanted: AuditFilter, after: Place | None, limit: int
) -> list[AuditEntry]:
    """Entries older than `after`, newest first."""
    entries = ledger_entries.c
    order = (entries.at_ns, entries.chain, entries.seq)
    found = select(ledger_entries).where(_visible(db, actor), *_conditions(wanted))
    if after is not None:
        found = found.where(tuple_(*order) < tuple_(after.at_ns, after.chain, after.seq))
    rows = db.execute(found.order_by(*(column.desc() for column in order)).limit(limit))
    return [_entry(row) for row in rows]


def audit_kinds(db: Connection) -> list[str]:
    """Every kind of deed that there is, for the filter."""
    return sorted(db.scalars(_KINDS))


def _visible(db: Connection, actor: Actor) -> "ColumnElement[bool]":
    entries = ledger_entries.c
    of_projects = (entries.project_code != "") & in_scope(actor.scope, entries.project_code)
    of_accounts = entries.chain.in_(_account_chains(db, actor))
    if actor.level is not Level.PROVINCE:
        return or_(of_projects, of_accounts)
    of_nobody = (entries.project_code == "") & ~entries.chain.startswith(CHAIN, autoescape=True)
    return or_(of_projects, of_accounts, of_nobody)


def _account_chains(db: Connection, actor: Actor) -> list[str]:
    coverage = coverage_of(db, actor.scope)
    people = (account_of(row) for row in db.execute(select(accounts)))
    return [f"{CHAIN}{person.user_id}" for person in people if coverage.holds(person.home)]


def _conditions(wanted: AuditFilter) -> "list[ColumnElement[bool]]":
    entries = ledger_entries.c
    exact = (
        (entries.kind, wanted.kind),
        (entries.user_id, wanted.person),
        (entries.project_code, wanted.project),
        (entries.subject, wanted.subject),
    )
    conditions: list[ColumnElement[bool]] = [column == value for column, value in exact if value]
    if wanted.from_ns:
        conditions.append(entries.at_ns >= wanted.from_ns)
    if wanted.until_ns:
        conditions.append(entries.at_ns < wanted.until_ns)
    return conditions


def _entry(row: Row[Any]) -> AuditEntry:
    body = json.loads(row.body)
    return AuditEntry(
        place=Place(row.at_ns, row.chain, row.seq),
        kind=row.kind,
        person=body["actor"]["name"],
        user_id=row.user_id,
        on_behalf_of=body["actor"]["on_behalf_of"],
        project_code=row.project_code,
        subject=row.subject,
        content=body["content"],
        sha256=row.sha256,
    )


def _each_kind() -> "Select[tuple[str]]":
    """Kinds, one step along the index for each: a DISTINCT would read all entries of all years."""
    at = ledger_entries.c.kind
    found = select(func.min(at).label("kind")).cte("kinds", recursive=True)
    following = select(func.min(at)).where(at > found.c.kind).correlate(found).scalar_subquery()
    every = found.union_all(select(following).where(found.c.kind.is_not(None)))
    return select(every.c.kind).where(every.c.kind.is_not(None))


_KINDS = _each_kind()
