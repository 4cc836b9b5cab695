"""The ledger tells every change, removal and insertion; an entry is kept with its deed or not at all."""

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from contract.chain import ChainFault, ChainHead
from contract.signing import SignKey, generate_key
from regulator.base.model.actor import SYSTEM, Actor, Duty, Level, Scope
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Deed, Ledger, entries_about, entries_of, verify_ledger
from regulator.base.records.scope import in_scope, may_see
from regulator.base.records.tables.ledger import ledger_entries, ledger_heads
from regulator.base.records.tables.registry import project_firms, projects

CHAIN = "project:p1"


def _write(database: DeskDatabase, ledger: Ledger, count: int) -> None:
    for number in range(count):
        with database.transaction() as db:
            ledger.append(db, Deed("tested", f"thing-{number}", {"n": number}, "p1"), SYSTEM, 1000 + number)


def _verify(database: DeskDatabase, key: SignKey) -> ChainHead | ChainFault:
    with database.reading() as db:
        return verify_ledger(db, CHAIN, {key.public.key_id: key.public})


def test_entries_follow_each_other_and_hold(database: DeskDatabase, ledger: Ledger, desk_key: SignKey) -> None:
    _write(database, ledger, 3)
    with database.reading() as db:
        entries = entries_of(db, CHAIN)
        assert [entry.fields["content"] for entry in entries] == [{"n": 0}, {"n": 1}, {"n": 2}]
        assert [entry.seq for entry in entries_about(db, "thing-1")] == [2]
    assert _verify(database, desk_key) == ChainHead(3, entries[-1].sha256)


def test_a_deed_that_fails_leaves_no_entry(database: DeskDatabase, ledger: Ledger) -> None:
    deed = Deed("tested", "thing", {}, "p1")
    with pytest.raises(ZeroDivisionError), database.transaction() as db:
        assert ledger.append(db, deed, SYSTEM, 1).seq // 0
    with database.reading() as db:
        assert entries_of(db, CHAIN) == []


@pytest.mark.parametrize("what", ["changed", "removed", "tail", "signature", "stranger"])
def test_tampering_is_told(database: DeskDatabase, ledger: Ledger, desk_key: SignKey, what: str) -> None:
    _write(database, ledger, 3)
    at = ledger_entries.c
    key = generate_key() if what == "stranger" else desk_key
    with database.transaction() as db:
        if what == "changed":
            body = db.scalar(select(at.body).where(at.seq == 2))
            db.execute(update(ledger_entries).where(at.seq == 2).values(body=str(body).replace('"n":1', '"n":7')))
        elif what == "removed":
            db.execute(delete(ledger_entries).where(at.seq == 2))
        elif what == "tail":
            db.execute(delete(ledger_entries).where(at.seq == 3))
        elif what == "signature":
            other = db.scalar(select(at.signature).where(at.seq == 3))
            db.execute(update(ledger_entries).where(at.seq == 2).values(signature=other))
    fault = _verify(database, key)
    assert isinstance(fault, ChainFault)
    assert fault.seq == {"changed": 2, "removed": 3, "tail": 3, "signature": 2, "stranger": 1}[what]


def test_reading_cannot_write(database: DeskDatabase) -> None:
    with database.reading() as db, pytest.raises(DBAPIError):
        db.execute(text("DELETE FROM ledger_entries"))


def test_heads_are_one_a_chain(database: DeskDatabase, ledger: Ledger) -> None:
    _write(database, ledger, 2)
    with database.transaction() as db:
        ledger.append(db, Deed("tested", "x", {}, chain="account:u"), SYSTEM, 5)
    with database.reading() as db:
        heads = {row.chain: row.seq for row in db.execute(select(ledger_heads))}
    assert heads == {CHAIN: 2, "account:u": 1}


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (Scope(Level.PROVINCE, "44"), {"p1", "p2", "p3", "lost"}),
        (Scope(Level.PROVINCE, "35"), {"lost"}),
        (Scope(Level.CITY, "4401"), {"p1", "p2"}),
        (Scope(Level.COUNTY, "440105"), {"p1"}),
        (Scope(Level.COUNTY, ""), set()),
        (Scope(Level.FIRM, "f2"), {"p2", "p3"}),
        (Scope(Level.PROJECT, "p3"), {"p3"}),
        (Scope(Level.PROJECT, ""), set()),
    ],
)
def test_scopes_see_their_projects(database: DeskDatabase, scope: Scope, seen: set[str]) -> None:
    regions = [("p1", "44", "4401", "440105"), ("p2", "44", "4401", "440106"), ("p3", "44", "4403", "440303")]
    with database.transaction() as db:
        for code, province, city, county in [*regions, ("lost", "", "", "")]:
            row = {"project_code": code, "name": code, "province_code": province, "city_code": city}
            db.execute(insert(projects).values(**row, county_code=county))
        for code in ("p2", "p3"):
            db.execute(insert(project_firms).values(project_code=code, firm_code="f2", role="contractor"))
    actor = Actor("u", "U", scope, frozenset({Duty.VIEWER}))
    with database.reading() as db:
        found = set(db.scalars(select(projects.c.project_code).where(in_scope(scope, projects.c.project_code))))
        assert found == seen
        assert {code for code in ("p1", "p2", "p3", "lost") if may_see(db, actor, code)} == seen
