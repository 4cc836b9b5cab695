"""From a box's signed messages to the last rung of the ladder, through the real intake, on both databases."""

from pathlib import Path
from typing import Any

from sqlalchemy import select

from contract.messages import MinuteSummary, Thumbnail, UpMessage
from contract.signing import SignKey
from regulator.base.coverage.ladder import Rung
from regulator.base.coverage.standings import Standing, standing_now, standing_on
from regulator.base.kinds import DeviceKind
from regulator.base.model.heard import Heard
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.coverage import asset_days, camera_stills
from regulator.base.web.part import hang_on
from regulator.parts.registry.arrivals import note_minutes, note_stills
from regulator.parts.registry.part import part as registry_part
from regulator.parts.registry.part import set_rules
from tests.fakes.desk_database import DeskClock
from tests.fakes.registry_desk import PROVINCE, RegistryDesk
from tests.fakes.sending_box import DeskIntake, SendingBox, desk_intake

MINUTE_NS = 60_000_000_000


def point(name: str, mean: str) -> dict[str, Any]:
    return {"point_id": name, "unit": "", "min": mean, "max": mean, "mean": mean, "count": 60, "quality": 0}


async def minute(box: SendingBox, asset: str, *points: dict[str, Any]) -> None:
    at_ns = box.clock() // MINUTE_NS * MINUTE_NS
    body = {"minute_at_ns": at_ns, "asset": asset, "points": list(points)}
    assert (await box.say("minute_summary", f"summary:{asset}:{at_ns}", body)).status == 200
    assert (await box.say("minute_summary", f"summary:{asset}:{at_ns}", body)).status == 200


def standing(made: DeskIntake, desk: RegistryDesk) -> Standing:
    with desk.database.reading() as db:
        return standing_now(db, desk.rules.set_code, PROVINCE, made.clock(), made.desk.settings.silent_box_s)


async def test_what_a_box_sends_carries_its_project_up_the_ladder(
    database: DeskDatabase, desk_key: SignKey, clock: DeskClock, tmp_path: Path
) -> None:
    made = desk_intake(database, desk_key, clock, tmp_path)
    hang_on(made.desk, registry_part(made.desk))
    desk = RegistryDesk(database, Ledger(desk_key), clock, set_rules(made.desk))
    desk.plant(1)
    desk.equip("p-001", "cam-1", kind=DeviceKind.CAMERA)
    desk.equip("p-001", "crane-1")
    desk.join("p-001")
    made.intake.reception.open()
    try:
        assert standing(made, desk).ladders["p-001"].reached is Rung.LISTED
        box = made.box("box-1", "p-001")
        await box.enrol()
        await box.beat()
        assert standing(made, desk).ladders["p-001"].reached is Rung.HEARTBEAT
        await minute(box, "cam-1", point("cam-1.usable", "1.0"), point("cam-1.offline", "0.0"))
        assert standing(made, desk).ladders["p-001"].reached is Rung.WORKS
        await minute(box, "crane-1", point("crane-1.moment_pct", "41.5"))
        await box.thumbnail("still-1", b"\xff\xd8 a picture", "")
        assert standing(made, desk).headline == "100.00"
        clock.move(hours=15.99)
        await box.beat()
        await minute(box, "cam-1", point("cam-1.usable", "0.0"), point("cam-1.black", "1.0"))
    finally:
        made.intake.reception.close()
    assert standing(made, desk).ladders["p-001"].reached is Rung.CAMERAS
    day = desk.today
    clock.move(seconds=60)
    made.run("coverage-day")
    with database.reading() as db:
        frozen = standing_on(db, PROVINCE, day)
        assert db.scalars(select(camera_stills.c.item_key)).all() == ["still-1"]
    assert frozen is not None
    assert frozen.ladders["p-001"].reached is Rung.CAMERAS


def test_minutes_and_stills_of_one_moment_count_as_those_that_come_one_by_one(database: DeskDatabase) -> None:
    with database.transaction() as db:
        for box_id, together in (("box-1", False), ("box-2", True)):
            parts = [(60, "pit"), (60, "pit"), (120, "pit"), (60, "crane"), (2**62, "pit")]
            minutes = [_told(box_id, f"m{n}", _minute(at_s, asset)) for n, (at_s, asset) in enumerate(parts)]
            stills = [_told(box_id, f"s{at_ns}", _still(at_ns)) for at_ns in (5, 9, 7)]
            for hear_all, told in ((note_minutes, minutes), (note_stills, stills)):
                for some in [told] if together else [[heard] for heard in told]:
                    hear_all(db, some, 0)
        held = {
            code: [
                tuple(row)
                for table, columns in ((asset_days, DAY), (camera_stills, STILL))
                for row in db.execute(select(*(table.c[name] for name in columns)).where(table.c.project_code == code))
            ]
            for code in ("p-1", "p-2")
        }
    assert sorted(map(str, held["p-2"])) == sorted(map(str, held["p-1"]))
    assert [row[:2] for row in held["p-2"] if row[0] == "pit"] == [("pit", 2)]
    assert ("cam-1", "s9", 9) in held["p-2"]


DAY = ("asset", "minutes", "good_minutes", "last_minute_ns", "last_state")
STILL = ("camera_id", "item_key", "captured_at_ns")


def _told(box_id: str, key: str, message: UpMessage) -> Heard:
    return Heard(box_id, box_id.replace("box", "p"), message, key)


def _minute(at: int, asset: str) -> MinuteSummary:
    return MinuteSummary.model_validate({"minute_at_ns": at, "asset": asset, "points": [point("p", "1")]})


def _still(at_ns: int) -> Thumbnail:
    said = {"camera_id": "cam-1", "captured_at_ns": at_ns, "media_type": "image/jpeg", "width_px": 1, "height_px": 1}
    return Thumbnail.model_validate({**said, "sha256": "0" * 64, "data_base64": ""})
