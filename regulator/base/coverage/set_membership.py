"""Who is in the set on a day: memberships as intervals [from_day, until_day), read and rebuilt.

    from_day ... last day in | until_day = first day out        empty until_day: goes on

`members_on` reads the table; `rebuilt_from` makes the same from the ledger alone, so that either can be held against
the other. Days are ISO texts, which sort as they follow.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Select, select

from regulator.base.kinds import Category
from regulator.base.model.actor import Scope
from regulator.base.records.ledger import LedgerEntry
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.project_set import set_memberships

T = TypeVar("T", bound=tuple[Any, ...])


@dataclass(frozen=True, slots=True)
class Membership:
    """One stay of a project in the set. `until_day` empty: it goes on."""

    membership_id: str
    project_code: str
    city_code: str
    category: Category
    category_reason: str
    from_day: str
    until_day: str
    added_by: str
    removed_by: str

    def holds_on(self, day: str) -> bool:
        """Whether the day lies within."""
        return self.from_day <= day and (not self.until_day or day < self.until_day)


class Stay(NamedTuple):
    """The days of one membership, ISO texts; `until_day` empty: it goes on."""

    from_day: str
    until_day: str


def member_codes_on(db: Connection, set_code: str, day: date, scope: Scope | None = None) -> list[str]:
    """Project codes of the members on a day, in their order; only those in the scope when one is given."""
    return list(db.scalars(_on(select(set_memberships.c.project_code), set_code, day, scope)))


def stays_on(db: Connection, set_code: str, day: date, scope: Scope) -> dict[str, Stay]:
    """By project code, since when its members on a day are in and until when; only those in the scope."""
    at = set_memberships.c
    chosen: Select[Any] = select(at.project_code, at.from_day, at.until_day)
    return {row[0]: Stay(row[1], row[2]) for row in db.execute(_on(chosen, set_code, day, scope))}


def members_on(db: Connection, set_code: str, day: date, scope: Scope | None = None) -> list[Membership]:
    """Members on a day, by project code; only those in the scope when one is given."""
    found = _on(select(set_memberships), set_code, day, scope)
    return [membership_of(row._mapping) for row in db.execute(found)]


def memberships_of(db: Connection, set_code: str, project_code: str = "") -> list[Membership]:
    """All stays of one project, or of all, in the order of their beginning."""
    at = set_memberships.c
    found = select(set_memberships).where(at.set_code == set_code)
    if project_code:
        found = found.where(at.project_code == project_code)
    return [membership_of(row._mapping) for row in db.execute(found.order_by(at.from_day, at.project_code))]


def _on(chosen: Select[T], set_code: str, day: date, scope: Scope | None) -> Select[T]:
    at, iso = set_memberships.c, day.isoformat()
    found = chosen.where(at.set_code == set_code, at.from_day <= iso, (at.until_day == "") | (at.until_day > iso))
    if scope is not None:
        found = found.where(in_scope(scope, at.project_code))
    return found.order_by(at.project_code)


def most_from(stays: Iterable[Membership], day: str) -> int:
    """The largest number of members on any day from `day` on: what a hard limit has to be held against."""
    later = [stay for stay in stays if not stay.until_day or stay.until_day > day]
    days = {day, *(stay.from_day for stay in later if stay.from_day > day)}
    return max(sum(stay.holds_on(each) for stay in later) for each in days)


def rebuilt_from(entries: Sequence[LedgerEntry]) -> list[Membership]:
    """The memberships as the set's ledger alone tells them, in the order of their beginning."""
    stays: dict[str, Membership] = {}
    for entry in entries:
        told = entry.fields
        content = told["content"]
        assert isinstance(content, dict)
        if told["kind"] == "set_added":
            stay = membership_of(content)
            stays[stay.membership_id] = stay
        elif told["kind"] == "set_removed":
            key = str(content["membership_id"])
            stays[key] = replace(stays[key], until_day=str(content["until_day"]), removed_by=str(content["removed_by"]))
    return sorted(stays.values(), key=lambda stay: (stay.from_day, stay.project_code))


def membership_of(row: Mapping[Any, Any]) -> Membership:
    """From a row's mapping or an entry's content: the same names."""
    fields = {name: str(row[name]) for name in Membership.__slots__ if name != "category"}
    return Membership(**fields, category=Category.of(str(row["category"])))
