"""From what boxes send to the standing of the set, and days that stay as they ended."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from contract.messages import MinutePoint, MinuteSummary, Thumbnail, UpMessage
from regulator.base.coverage.facts import Moment, gather
from regulator.base.coverage.ladder import Footing, Rung
from regulator.base.coverage.standings import Standing, freeze, standing_now, standing_on
from regulator.base.kinds import DeviceKind, ProjectStatus, WorkStage, WorkType
from regulator.base.model.actor import Level, Scope
from regulator.base.model.heard import Heard
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.coverage import asset_days, camera_stills
from regulator.base.records.tables.intake import boxes
from regulator.parts.registry.arrivals import camera_state, note_minutes, note_stills
from regulator.parts.registry.projects.device_office import DangerousWork, put_work, watch_work
from regulator.parts.registry.projects.project_office import move_project
from regulator.parts.registry.projects.set_suggestions import Ground, suggestions
from tests.fakes.desk_database import DeskClock
from tests.fakes.registry_desk import ADMIN, PROVINCE, RegistryDesk

MINUTE_NS, SILENT_S = 60_000_000_000, 1800


def point(name: str, mean: str | None, *, count: int = 60, quality: int = 0) -> MinutePoint:
    return MinutePoint(point_id=name, unit="", min=mean, max=mean, mean=mean, count=count, quality=quality)


def camera(asset: str, **said: str | None) -> tuple[MinutePoint, ...]:
    return tuple(point(f"{asset}.{name}", mean, count=0 if mean is None else 60) for name, mean in said.items())


class Sender:
    """One box whose summaries arrive at the clock's minute."""

    def __init__(self, desk: RegistryDesk, project_code: str) -> None:
        self.desk, self.box_id, self.project_code = desk, f"box-{project_code}", project_code
        row = {"box_id": self.box_id, "project_code": project_code, "verified_sha256": "0" * 64}
        with desk.database.transaction() as db:
            db.execute(insert(boxes).values(**row))

    def beat(self) -> None:
        with self.desk.database.transaction() as db:
            db.execute(update(boxes).where(boxes.c.box_id == self.box_id).values(last_seen_ns=self.desk.clock()))

    def minute(self, asset: str, *points: MinutePoint, ago_min: int = 0, part: str = "") -> None:
        minute_ns = self.desk.clock() // MINUTE_NS * MINUTE_NS - ago_min * MINUTE_NS
        summary = MinuteSummary(minute_at_ns=minute_ns, asset=asset, points=points)
        with self.desk.database.transaction() as db:
            note_minutes(db, [self._heard(f"summary:{asset}:{minute_ns}{part}", summary)], self.desk.clock())

    def still(self, camera_id: str, captured_at_ns: int, sha: str) -> None:
        small = Thumbnail(
            camera_id=camera_id,
            captured_at_ns=captured_at_ns,
            media_type="image/jpeg",
            width_px=16,
            height_px=9,
            sha256=sha * 64,
            data_base64="",
        )
        with self.desk.database.transaction() as db:
            note_stills(db, [self._heard(f"still:{captured_at_ns}", small)], self.desk.clock())

    def _heard(self, key: str, body: UpMessage) -> Heard:
        return Heard(self.box_id, self.project_code, body, key)


@pytest.fixture
def desk(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> RegistryDesk:
    return RegistryDesk(database, ledger, clock)


def now(desk: RegistryDesk, scope: Scope = PROVINCE) -> Standing:
    with desk.database.reading() as db:
        return standing_now(db, "44", scope, desk.clock(), SILENT_S)


def equipped(desk: RegistryDesk, code: str) -> Sender:
    """A member with a crane and a camera on a running pit, everything in order."""
    desk.equip(code, "cam-1", kind=DeviceKind.CAMERA)
    desk.equip(code, "crane-1")
    with desk.act(ADMIN) as act:
        put_work(act, DangerousWork(code, "w-1", WorkType.PIT, "一号基坑", WorkStage.RUNNING, "2026-01-01"))
        watch_work(act, code, "w-1", "cam-1", watches=True)
    sender = Sender(desk, code)
    all_is_well(sender)
    return sender


def all_is_well(sender: Sender) -> None:
    sender.beat()
    sender.minute("cam-1", *camera("cam-1", usable="1.0", offline="0.0"))
    sender.minute("crane-1", point("crane-1.moment_pct", "40.0"))


def test_what_a_camera_says_of_itself() -> None:
    assert camera_state(camera("c", usable="1.0", offline="0.0", blurred="0.0")) == "usable"
    assert camera_state(camera("c", usable="1.0", moved="1.0")) == "usable"
    assert camera_state(camera("c", usable="0.1", black="0.9", frozen="1.0")) == "black+frozen"
    assert camera_state(camera("c", usable=None, offline="1.0")) == "offline"
    assert camera_state(camera("c", usable=None, offline=None)) == "unknown"
    assert camera_state((point("crane-1.moment_pct", "3.0"),)) == ""


def test_the_headline_counts_whole_ladders_only(desk: RegistryDesk) -> None:
    desk.plant(3)
    desk.join("p-001", "p-002", "p-003")
    first, second = equipped(desk, "p-001"), equipped(desk, "p-002")
    standing = now(desk)
    assert (standing.covered, standing.unknown, standing.headline) == (2, 0, "66.66")
    assert standing.ladders["p-003"].reached is Rung.LISTED
    assert standing.on_rung[Rung.LISTED] == 3
    assert standing.on_rung[Rung.DATA] == 2
    desk.clock.move(seconds=SILENT_S + 1)
    all_is_well(first)
    standing = now(desk)
    assert (standing.covered, standing.unknown) == (1, 1)
    stopped = standing.ladders["p-002"].stopped_at
    assert stopped is not None
    assert (stopped.rung, stopped.en) == (Rung.HEARTBEAT, "silent since 2026-03-01 08:00:00")
    assert {step.footing for step in standing.ladders["p-002"].steps[3:]} == {Footing.UNKNOWN}
    second.beat()
    stopped = now(desk).ladders["p-002"].stopped_at
    assert stopped is not None
    assert (stopped.rung, stopped.footing) == (Rung.CAMERAS, Footing.UNKNOWN)


def test_scope_bounds_the_standing(desk: RegistryDesk) -> None:
    desk.plant(1)
    desk.plant(1, city="4403", county="440303", first=2)
    desk.join("p-001", "p-002")
    assert set(now(desk, Scope(Level.CITY, "4403")).ladders) == {"p-002"}
    assert now(desk, Scope(Level.COUNTY, "440106")).headline == "–"


def test_minutes_are_counted_once_and_late_ones_do_not_speak_of_now(desk: RegistryDesk) -> None:
    desk.plant(1)
    sender = equipped(desk, "p-001")
    sender.minute("crane-1", point("crane-1.x", "1.0"), part=":1000")
    sender.minute("crane-1", point("crane-1.x", None, count=0, quality=2), ago_min=3)
    sender.minute("cam-1", *camera("cam-1", usable="0.0", black="1.0"), ago_min=5)
    sender.minute("crane-1", point("crane-1.x", "1.0"), ago_min=-90)
    at = asset_days.c
    with desk.database.reading() as db:
        columns = (at.asset, at.minutes, at.good_minutes, at.usable_minutes, at.last_state)
        rows = [tuple(row) for row in db.execute(select(*columns).order_by(at.asset))]
    assert rows == [("cam-1", 2, 2, 1, "usable"), ("crane-1", 2, 1, 0, "")]


def test_a_minute_in_which_most_people_could_not_be_judged_covers_nothing(desk: RegistryDesk) -> None:
    desk.plant(1)
    sender = equipped(desk, "p-001")
    for ago_min, judged in enumerate(("0.2", "0.9", "0.5", None), start=1):
        sender.minute("cam-1", *camera("cam-1", usable="1.0", judged=judged), ago_min=ago_min)
    sender.minute("cam-1", *camera("cam-1", usable="0.2", judged="0.9"), ago_min=9)
    at = asset_days.c
    with desk.database.reading() as db:
        row = db.execute(select(at.usable_minutes, at.judged_minutes).where(at.asset == "cam-1")).one()
    assert tuple(row) == (5, 3), "the box's first minute says nothing of it: an older box counts as before"


def test_a_camera_that_judges_for_less_than_half_of_its_usable_minutes_covers_no_work(desk: RegistryDesk) -> None:
    desk.plant(1)
    desk.join("p-001")
    sender = equipped(desk, "p-001")
    for ago_min in range(1, 9):
        sender.minute("cam-1", *camera("cam-1", usable="1.0", judged="0.0"), ago_min=ago_min)
    assert now(desk).ladders["p-001"].reached is Rung.DATA, "nine minutes are too few to say so"
    sender.minute("cam-1", *camera("cam-1", usable="1.0", judged="0.0"), ago_min=10)
    ladder = now(desk).ladders["p-001"]
    assert (ladder.reached, ladder.stopped_at and ladder.stopped_at.footing) == (Rung.PICTURE, Footing.NO)
    for ago_min in range(11, 20):
        sender.minute("cam-1", *camera("cam-1", usable="1.0", judged="1.0"), ago_min=ago_min)
    assert now(desk).ladders["p-001"].reached is Rung.DATA


def test_two_boxes_of_a_project_may_name_a_camera_alike(desk: RegistryDesk) -> None:
    moment = Moment.today(desk.clock(), SILENT_S)
    same = {"project_code": "p-001", "day": moment.day.isoformat(), "asset": "cam-1", "camera": 1}
    with desk.database.transaction() as db:
        for box_id, minutes in (("box-a", 7), ("box-b", 5)):
            db.execute(insert(asset_days).values(**same, box_id=box_id, usable_minutes=90, judged_minutes=minutes))
        assert gather(db, moment, ["p-001"])["p-001"].camera_minutes == 12


def test_the_newest_still_is_kept_whatever_order_they_come_in(desk: RegistryDesk) -> None:
    desk.plant(1)
    sender = Sender(desk, "p-001")
    for at_ns, sha in ((desk.clock() - 5, "a"), (desk.clock() - 9, "b"), (desk.clock() + 10**16, "c")):
        sender.still("cam-1", at_ns, sha)
    with desk.database.reading() as db:
        assert db.scalars(select(camera_stills.c.sha256)).all() == ["a" * 64]


def test_a_day_stays_as_it_ended(desk: RegistryDesk) -> None:
    desk.plant(2)
    desk.join("p-001", "p-002")
    sender = equipped(desk, "p-001")
    day = desk.today
    desk.clock.move(hours=15.99)
    all_is_well(sender)
    desk.clock.move(seconds=90)
    with desk.database.transaction() as db:
        assert freeze(db, "44", desk.clock(), SILENT_S) == 2
    with desk.database.transaction() as db:
        assert freeze(db, "44", desk.clock(), SILENT_S) == 0
    desk.clock.move(days=3)
    assert now(desk).covered == 0
    with desk.database.reading() as db:
        frozen = standing_on(db, PROVINCE, day)
        assert standing_on(db, PROVINCE, day + timedelta(days=1)) is None
    assert frozen is not None
    assert (frozen.covered, frozen.headline, frozen.frozen) == (1, "50.00", True)


def test_a_desk_that_slept_over_midnight_says_so(desk: RegistryDesk) -> None:
    desk.plant(1)
    desk.join("p-001")
    equipped(desk, "p-001")
    day = desk.today
    desk.clock.move(days=1)
    with desk.database.transaction() as db:
        freeze(db, "44", desk.clock(), SILENT_S)
    with desk.database.reading() as db:
        frozen = standing_on(db, PROVINCE, day)
    assert frozen is not None
    assert (frozen.covered, frozen.unknown) == (0, 1)


def test_suggestions_name_their_ground_and_change_nothing(desk: RegistryDesk) -> None:
    desk.plant(6)
    desk.join("p-001", "p-002", "p-003", "p-004")
    quiet = Sender(desk, "p-004")
    with desk.act(ADMIN) as act:
        move_project(act, "p-001", ProjectStatus.FINISHED, desk.today)
        move_project(act, "p-002", ProjectStatus.STOPPED, desk.today - timedelta(days=62))
        put_work(act, DangerousWork("p-005", "w", WorkType.FORMWORK, "高支模", WorkStage.PLANNED, "2026-04-20"))
    assert suggested(desk) == [("remove", "p-001", Ground.FINISHED)]
    desk.clock.move(days=29)
    quiet.minute("cam-1", *camera("cam-1", usable="1.0"))
    assert suggested(desk) == [
        ("remove", "p-001", Ground.FINISHED),
        ("remove", "p-002", Ground.STOPPED),
        ("add", "p-005", Ground.DANGEROUS_WORKS),
    ]
    desk.clock.move(days=2)
    assert ("remove", "p-003", Ground.NO_PICTURE) in suggested(desk)
    assert ("remove", "p-004", Ground.NO_PICTURE) not in suggested(desk)
    assert len(now(desk).ladders) == 4


def suggested(desk: RegistryDesk) -> list[tuple[str, str, Ground]]:
    with desk.database.reading() as db:
        found = suggestions(db, "44", PROVINCE, desk.clock(), 30)
    return [(each.action.value, each.project_code, each.ground) for each in found]
