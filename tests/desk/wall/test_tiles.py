"""Tiles follow what is kept: alarms, silence, hazards, days, membership; numbers grow; two makers do no harm."""

from typing import Any

import pytest
from sqlalchemy import insert, select, update

from regulator.base.days import day_of
from regulator.base.model.actor import Level, Scope
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.project_set import set_memberships
from regulator.base.records.tables.supervision import risk_latest
from regulator.base.records.tables.wall import wall_tiles
from regulator.parts.wall.making import TileMaker
from regulator.parts.wall.reading import changes_after, head, mark_of, places, wall_data
from regulator.parts.wall.tile import Band, Link, Tile, tile_of
from tests.fakes.desk_database import DeskClock
from tests.fakes.wall_world import CITIES, SET, code_of, end_alarm, fixed_order, plant_set, raise_alarm

SILENT_S = 1800
COUNT = 40


class Wall:
    """The set, and one maker of its tiles."""

    def __init__(self, database: DeskDatabase, clock: DeskClock) -> None:
        self.database, self.clock = database, clock
        plant_set(database, COUNT, day_of(clock()), clock())
        self.maker = TileMaker(database, SET, SILENT_S)

    def look(self, seconds: float = 1) -> int:
        """How many tiles changed."""
        return self.maker.run(self.clock.move(seconds=seconds))

    def tile(self, number: int) -> Tile:
        """As it is kept."""
        with self.database.reading() as db:
            return tile_of(db.execute(select(wall_tiles).where(wall_tiles.c.project_code == code_of(number))).one())

    def head(self) -> int:
        """The last number."""
        with self.database.reading() as db:
            return head(db)

    def write(self, statement: Any) -> None:
        """Whoever it is."""
        with self.database.transaction() as db:
            db.execute(statement)


@pytest.fixture
def wall(database: DeskDatabase, clock: DeskClock) -> Wall:
    made = Wall(database, clock)
    assert made.look() == COUNT
    return made


def test_nothing_changes_without_a_reason(wall: Wall) -> None:
    before = wall.head()
    assert [wall.look() for _ in range(8)] == [0] * 8
    assert wall.head() == before
    assert wall.tile(0) == Tile(link=Link.HEARD, rung=wall.tile(0).rung, rung_unknown=wall.tile(0).rung_unknown)


def test_an_alarm_is_on_its_tile_and_gone_when_it_returns(wall: Wall) -> None:
    raise_alarm(wall.database, 3, "a", wall.clock(), "P2")
    raise_alarm(wall.database, 3, "b", wall.clock(), "P3")
    assert wall.look() == 1
    tile = wall.tile(3)
    assert (tile.worst, tile.unacknowledged, tile.active, tile.alarms_today) == (2, True, 2, 2)
    end_alarm(wall.database, 3, "a", wall.clock())
    assert wall.look() == 1
    assert (wall.tile(3).worst, wall.tile(3).active, wall.tile(3).alarms_today) == (3, 1, 2)


def test_a_diagnostic_is_no_alarm_of_the_wall(wall: Wall) -> None:
    raise_alarm(wall.database, 3, "a", wall.clock(), "log")
    assert wall.look() == 0


def test_a_box_that_falls_silent_is_unknown_and_one_that_never_was_too(wall: Wall) -> None:
    assert wall.look(SILENT_S + 1) == COUNT
    assert {wall.tile(number).link for number in range(COUNT)} == {Link.SILENT}
    wall.write(update(boxes).where(boxes.c.box_id == "box-7").values(last_seen_ns=wall.clock()))
    assert wall.look() == 1
    assert wall.tile(7).link is Link.HEARD


def test_midnight_begins_a_new_count_and_the_alarm_stays(wall: Wall) -> None:
    raise_alarm(wall.database, 5, "a", wall.clock())
    wall.look()
    wall.write(update(boxes).values(last_seen_ns=wall.clock() + 20 * 3600 * 10**9))
    wall.look(17 * 3600)
    assert (wall.tile(5).worst, wall.tile(5).alarms_today) == (1, 0)


def test_hazards_risk_and_what_nobody_scored(wall: Wall) -> None:
    now = wall.clock()
    same = {"project_code": code_of(2), "channel": "site", "kind": "k", "grade": "general", "title_zh": "t"}
    for number, (state, due) in enumerate([("ordered", now - 1), ("rectifying", now + 10**12), ("closed", now - 1)]):
        name = {"hazard_id": f"h{number}", "event_key": f"e{number}", "state": state, "due_at_ns": due}
        wall.write(insert(hazards).values(**same, **name))
    wall.write(
        insert(risk_latest).values(project_code=code_of(2), score=72, band="high", version="v1", day="2026-03-01")
    )
    wall.look(11)
    tile = wall.tile(2)
    assert (tile.hazards, tile.overdue, tile.score, tile.band) == (2, 1, 72, Band.HIGH)
    assert (wall.tile(1).score, wall.tile(1).band) == (-1, Band.UNKNOWN)


def test_the_order_is_by_city_and_code_and_whoever_leaves_moves_nobody(wall: Wall) -> None:
    province, today = Scope(Level.PROVINCE, ""), day_of(wall.clock())
    with wall.database.reading() as db:
        before = places(db, SET, province, today)
    assert [place.project_code for place in before] == fixed_order(COUNT)
    gone = code_of(8)
    mine = set_memberships.c.project_code == gone
    wall.write(update(set_memberships).where(mine).values(until_day=today.isoformat()))
    with wall.database.reading() as db:
        after = places(db, SET, province, today)
        city = wall_data(db, places(db, SET, Scope(Level.CITY, CITIES[1]), today))
    assert [each.project_code for each in after] == [code for code in fixed_order(COUNT) if code != gone]
    assert mark_of(before) != mark_of(after)
    assert [name for name, _, _ in city["cities"]] == [CITIES[1]]


def test_each_change_has_a_number_of_its_own_and_the_newest_state_is_what_is_replayed(wall: Wall) -> None:
    start = wall.head()
    for number in (4, 9, 4):
        raise_alarm(wall.database, number, f"a{number}-{wall.clock()}", wall.clock())
        wall.look()
    with wall.database.reading() as db:
        found = changes_after(db, start)
    assert [(change.project_code, change.seq - start) for change in found] == [(code_of(9), 2), (code_of(4), 3)]
    assert found[1].tile.active == 2


def test_a_second_maker_finds_nothing_to_do_and_what_it_missed_is_found(wall: Wall) -> None:
    other = TileMaker(wall.database, SET, SILENT_S)
    raise_alarm(wall.database, 6, "a", wall.clock())
    assert wall.look() == 1
    assert other.run(wall.clock()) == 0
    late_ns = wall.clock()  # written now, committed after both have looked beyond it
    wall.look(9)
    raise_alarm(wall.database, 6, "b", late_ns)
    assert other.run(wall.clock.move(seconds=0.5)) == 1
    assert wall.tile(6).active == 2


def test_after_a_long_absence_everything_is_looked_at_anew(wall: Wall) -> None:
    raise_alarm(wall.database, 6, "a", wall.clock())
    wall.clock.move(hours=0.2)
    wall.write(update(boxes).values(last_seen_ns=wall.clock()))
    assert TileMaker(wall.database, SET, SILENT_S).run(wall.clock()) >= 1
    assert wall.tile(6).worst == 1
