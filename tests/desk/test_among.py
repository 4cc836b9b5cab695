"""One of many texts, as one bound value, finds what an IN list finds; on both databases."""

import pytest
from sqlalchemy import insert, select

from regulator.base.records.among import among
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.registry import projects


@pytest.mark.parametrize(
    ("wanted", "found"),
    [(["p2", "p1", "p1"], ["p1", "p2"]), ([], []), (['o"dd, {1}'], ['o"dd, {1}']), (["p"], [])],
)
def test_it_finds_what_an_in_list_finds(database: DeskDatabase, wanted: list[str], found: list[str]) -> None:
    at = projects.c
    with database.transaction() as db:
        db.execute(insert(projects), [{"project_code": code, "name": "x"} for code in ("p1", "p2", "p3", 'o"dd, {1}')])
        asked = select(at.project_code).where(among(at.project_code, wanted)).order_by(at.project_code)
        assert list(db.scalars(asked)) == found
        assert found == list(db.scalars(select(at.project_code).where(at.project_code.in_(wanted)).order_by(at[0])))
