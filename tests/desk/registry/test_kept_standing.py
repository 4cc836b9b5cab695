"""The standing that the first page tells: as it was looked at a moment ago, never older, and never without a member."""

import pytest
from sqlalchemy import insert

from regulator.base.coverage.ladder import Rung
from regulator.base.kinds import DeviceKind
from regulator.base.model.actor import Scope
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.intake import boxes
from regulator.parts.overview.kept import FRESH_NS, KeptStanding, StandingAt
from tests.fakes.desk_database import HOUR_NS, DeskClock
from tests.fakes.registry_desk import CITY_ADMIN, PROVINCE, RegistryDesk

CITY: Scope = CITY_ADMIN.scope
SECOND_NS = 1_000_000_000


@pytest.fixture
def desk(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> RegistryDesk:
    """A project of the set in each of two cities."""
    desk = RegistryDesk(database, ledger, clock)
    desk.plant(1)
    desk.plant(1, city="4403", county="440303", first=2)
    desk.join("p-001", "p-002")
    return desk


@pytest.fixture
def kept(desk: RegistryDesk) -> KeptStanding:
    return KeptStanding(desk.database, "44", 120)


def told(desk: RegistryDesk, kept: KeptStanding, scope: Scope = PROVINCE) -> StandingAt:
    with desk.database.reading() as db:
        return kept.told(db, scope, desk.clock())


def reached(standing: StandingAt) -> dict[str, Rung]:
    return {code: ladder.reached for code, ladder in standing.standing.ladders.items()}


def test_before_the_first_look_it_is_told_as_it_is_now(desk: RegistryDesk, kept: KeptStanding) -> None:
    assert reached(told(desk, kept, CITY)) == {"p-001": Rung.LISTED}
    assert told(desk, kept).at_ns == desk.clock()


def test_what_was_kept_is_told_with_its_time_until_it_is_stale(desk: RegistryDesk, kept: KeptStanding) -> None:
    began_ns = desk.clock()
    kept.look(began_ns)
    with desk.database.transaction() as db:
        db.execute(insert(boxes).values(box_id="box-1", project_code="p-001", verified_sha256="0" * 64))
    desk.clock.move(seconds=FRESH_NS / SECOND_NS)
    assert reached(told(desk, kept)) == {"p-001": Rung.LISTED, "p-002": Rung.LISTED}
    assert told(desk, kept, CITY) == StandingAt(told(desk, kept, CITY).standing, began_ns)
    assert reached(told(desk, kept, CITY)) == {"p-001": Rung.LISTED}
    desk.clock.move(seconds=1)
    assert reached(told(desk, kept)) == {"p-001": Rung.BOX, "p-002": Rung.LISTED}
    assert told(desk, kept).at_ns == desk.clock()


def test_a_clock_that_went_back_and_a_new_day_are_looked_at_anew(desk: RegistryDesk, kept: KeptStanding) -> None:
    kept.look(desk.clock() + SECOND_NS)
    assert told(desk, kept).at_ns == desk.clock()
    to_midnight_ns = -(desk.clock() + 8 * HOUR_NS) % (24 * HOUR_NS)
    desk.clock.move(seconds=to_midnight_ns / SECOND_NS - 1)
    kept.look(desk.clock())
    desk.clock.move(seconds=2)
    assert told(desk, kept).standing.day == desk.today
    assert told(desk, kept).at_ns == desk.clock()


def test_whoever_joined_since_is_never_missing(desk: RegistryDesk, kept: KeptStanding) -> None:
    kept.look(desk.clock())
    desk.plant(1, first=3)
    desk.join("p-003")
    assert set(reached(told(desk, kept))) == {"p-001", "p-002", "p-003"}
    assert set(reached(told(desk, kept, Scope(CITY.level, "4403")))) == {"p-002"}


def test_a_device_added_since_waits_for_the_next_look(desk: RegistryDesk, kept: KeptStanding) -> None:
    kept.look(desk.clock())
    before = told(desk, kept).standing.ladders["p-001"]
    desk.equip("p-001", "cam-1", kind=DeviceKind.CAMERA)
    assert told(desk, kept).standing.ladders["p-001"] is before
    kept.look(desk.clock())
    assert told(desk, kept).standing.ladders["p-001"] is not before
