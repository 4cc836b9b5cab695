"""What the desk passes on: written down with the alarm, sent once and in order by however many replicas."""

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import entries_about
from regulator.base.records.tables.docking import docking_outbox
from regulator.base.records.tables.ledger import ledger_entries
from regulator.base.settings import DeskSettings
from regulator.parts.docking.lanes import LEASE_S, open_lane, take_lane
from regulator.parts.docking.places import open_places
from tests.fakes.docking_desk import DockingDesk, docking_settings
from tests.fakes.docking_patterns import C, I, TokenFormServer
from tests.fakes.sending_box import code_of

APPROVER = Actor("u-1", "审批员", Scope(Level.PROVINCE, ""), frozenset({Duty.APPROVER}))
VIEWER = Actor("u-2", "查看员", Scope(Level.PROVINCE, ""), frozenset({Duty.VIEWER}))
ELSEWHERE = Actor("u-3", "审批员", Scope(Level.CITY, "4499"), frozenset({Duty.APPROVER}))
VISION = {"rule_id": "vision.bare_head", "asset": "cam-1", "asset_kind": "camera-post", "subject": "cam-1.bare_head_1"}


@pytest.fixture
def platform(clock):
    with I.server(clock) as server:
        yield server


@pytest.fixture
def desk(database, desk_key, clock, tmp_path, platform):
    devices = {"box-1/cam-1": "CAM-1", "box-1/crane-1": "SN-1"}
    settings = docking_settings(tmp_path, I, platform.url, projects={"P-1": "UP-1"}, devices=devices)
    return DockingDesk(database, desk_key, clock, tmp_path, settings)


async def test_an_alarm_is_passed_on_once_and_the_ledger_says_so(desk, platform):
    await desk.alarms(3)
    desk.run()
    desk.run(1)
    held = platform.of("/api/alarm")
    assert [record["alarmId"] for record in held] == [f"box-1/a-{n:03d}:raised" for n in (1, 2, 3)]
    assert (held[0]["projectCode"], held[0]["deviceSn"], held[0]["level"]) == ("UP-1", "SN-1", 1)
    assert held[0]["alarmTime"] == "2023-11-15 06:13:20"
    assert set(desk.states().values()) == {"accepted"}
    assert (platform.duplicates, len(platform.requests)) == (0, 3)
    with desk.database.reading() as db:
        (entry,) = entries_about(db, "box-1/a-001:raised")[-1:]
    assert entry.fields["kind"] == "docking.accepted"


async def test_what_is_not_asked_for_is_not_written_down(desk):
    await desk.alarms(1, severity="P3")
    await desk.alarms(1, first=2, transition="acknowledged")
    await desk.alarms(1, first=3, transition="returned")
    assert list(desk.states()) == ["a-003:returned"]


async def test_the_row_is_kept_with_the_item_or_not_at_all(desk):
    await desk.alarms(1)

    def stumble(*_):
        raise RefusedError(422, "no", "不", "no")

    desk.intake.desk.listen("alarm_transition", stumble)
    assert code_of(await desk.box.alarm("a-002")) != ""
    assert list(desk.states()) == ["a-001:raised"]


async def test_the_same_item_again_is_the_same_row(desk):
    await desk.alarms(1)
    again = await desk.intake.intake.reception.message(desk.box.sent[-1])
    assert code_of(again) == ""
    assert list(desk.states()) == ["a-001:raised"]


async def test_two_replicas_at_once_send_nothing_twice_and_all_in_order(desk, platform):
    await desk.alarms(20)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            list(pool.map(desk.run, (0, 1)))
    assert [record["alarmId"] for record in platform.of("/api/alarm")] == [
        f"box-1/a-{n:03d}:raised" for n in range(1, 21)
    ]
    assert (platform.duplicates, len(platform.requests)) == (0, 20)


async def test_a_replica_that_died_with_the_lease_is_waited_for_and_then_replaced(desk, platform):
    await desk.alarms(2)
    with desk.database.transaction() as db:
        open_lane(db, "province")
        assert take_lane(db, "province", "the-dead-one", desk.clock())
    desk.run()
    assert platform.requests == []
    desk.clock.move(seconds=LEASE_S + 1)
    desk.run()
    assert set(desk.states().values()) == {"accepted"}


async def test_a_reply_that_died_with_a_replica_leaves_one_record(desk, platform):
    await desk.alarms(1)
    platform.troubles = ["lost"]
    desk.run()
    desk.clock.move(seconds=5)
    desk.run(1)
    assert (len(platform.kept), platform.duplicates) == (1, 1)
    assert desk.states() == {"a-001:raised": "accepted"}


@pytest.mark.parametrize("trouble", ["500", "garbage", "down"])
async def test_trouble_keeps_everything_and_pauses_longer_each_time(desk, platform, trouble):
    await desk.alarms(2)
    platform.troubles = [trouble] * 2
    desk.run()
    first = desk.lane()
    desk.run()
    assert len(platform.requests) == 1, "a pause is a pause"
    desk.clock.move(seconds=3)
    desk.run(1)
    second = desk.lane()
    assert second.trouble
    assert second.trouble_since_ns == first.trouble_since_ns
    assert second.due_at_ns - desk.clock() > first.due_at_ns - first.trouble_since_ns
    desk.clock.move(seconds=600)
    desk.run()
    assert (desk.lane().trouble, set(desk.states().values())) == ("", {"accepted"})
    assert [record["alarmId"] for record in platform.of("/api/alarm")] == ["box-1/a-001:raised", "box-1/a-002:raised"]


async def test_after_an_outage_of_a_day_all_leave_in_order_with_their_own_times(desk, platform):
    platform.down = True
    for day in range(4):
        await desk.alarms(3, first=1 + 3 * day, observed_at_ns=1_700_000_000_000_000_000 + day * 3600 * 10**9)
        desk.clock.move(hours=6)
        desk.run()
    platform.down = False
    desk.clock.move(hours=1)
    desk.run()
    held = platform.of("/api/alarm")
    assert [record["alarmId"] for record in held] == [f"box-1/a-{n:03d}:raised" for n in range(1, 13)]
    assert held[-1]["alarmTime"] == "2023-11-15 09:13:20"


async def test_what_is_refused_waits_for_a_person_with_the_platforms_words(desk, platform):
    await desk.alarms(1)
    platform.refuse_fields = {"alarmId"}
    desk.run()
    (row,) = desk.office.refused(APPROVER)
    assert "field not allowed: alarmId" in row.words
    assert desk.office.refused(ELSEWHERE) == []
    for actor, status in ((VIEWER, 403), (ELSEWHERE, 404)):
        with pytest.raises(RefusedError) as refused:
            desk.office.send_again(actor, "province", row.key, "their map was wrong", desk.clock())
        assert refused.value.status == status
    platform.refuse_fields = set()
    desk.office.send_again(APPROVER, "province", row.key, "their map was wrong", desk.clock())
    desk.run()
    assert desk.states() == {"a-001:raised": "accepted"}
    with pytest.raises(RefusedError) as refused:
        desk.office.send_again(APPROVER, "province", row.key, "again", desk.clock())
    assert refused.value.status == 409


async def test_what_was_refused_does_not_stop_what_comes_after(desk, platform):
    await desk.alarms(1, title_zh="")
    platform.refuse_fields = {"title"}
    await desk.alarms(2, first=2)
    desk.run()
    assert desk.states() == {"a-001:raised": "accepted", "a-002:raised": "refused", "a-003:raised": "refused"}


async def test_an_ai_alarm_waits_for_its_picture_and_lets_others_pass(desk, platform):
    await desk.alarms(1, **VISION)
    await desk.alarms(1, first=2)
    desk.run()
    assert [path for path, _ in platform.kept] == ["/api/alarm"]
    await desk.box.thumbnail("thumb-1", b"\xff\xd8\xff small", "a-001:raised")
    desk.clock.move(seconds=6)
    desk.run()
    (record,) = platform.of("/api/ai/alarm")
    assert base64.b64decode(record["photoDocument"]) == b"\xff\xd8\xff small"
    assert record["photoIdentify"] == hashlib.md5(b"\xff\xd8\xff small").hexdigest()
    assert (record["alarmType"], record["deviceCode"], record["zoneId"]) == (2, "CAM-1", "cam-1.bare_head_1")


async def test_an_ai_alarm_without_a_picture_goes_after_a_minute(desk, platform):
    await desk.alarms(1, **VISION)
    desk.run()
    desk.clock.move(seconds=61)
    desk.run()
    (record,) = platform.of("/api/ai/alarm")
    assert "photoDocument" not in record


async def test_a_device_without_a_code_is_refused_here_and_never_invented(desk, platform):
    await desk.alarms(1, **VISION | {"asset": "cam-2"})
    desk.clock.move(seconds=61)
    desk.run()
    (row,) = desk.office.refused(APPROVER)
    assert "deviceCode is required and not known" in row.words
    assert platform.requests == []


async def test_a_secret_that_is_gone_is_trouble_and_not_a_refusal(desk, tmp_path, platform):
    await desk.alarms(1)
    (tmp_path / "app_secret").unlink()
    desk.run()
    assert "app_secret" in desk.lane().trouble
    assert platform.requests == []
    assert desk.states() == {"a-001:raised": "waiting"}


async def test_no_secret_stands_in_the_database(desk, platform):
    platform.unknown_code = 77
    await desk.alarms(1)
    desk.run()
    with desk.database.reading() as db:
        told = str(db.execute(select(docking_outbox)).all()) + str(desk.lane())
        assert db.scalar(select(func.count()).select_from(ledger_entries)) >= 0
    assert "secret-1" not in told


async def test_a_token_platform_is_spoken_to_as_well(database, desk_key, clock, tmp_path):
    from tests.fakes.docking_patterns import A

    with TokenFormServer(clock) as server:
        settings = docking_settings(tmp_path, A, server.url)
        desk = DockingDesk(database, desk_key, clock, tmp_path, settings)
        await desk.alarms(2)
        desk.run()
        assert (len(server.of("/alarm")), len(server.tokens)) == (2, 1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"platform": "pattern-x"}, "expected one of pattern-a"),
        ({"secret_files": {}}, "api_key is missing"),
        ({"ids": {"key": "x"}}, "key: no credential"),
        ({"ids": {"app_secret": "9f8d7e"}}, "ids: app_secret: a secret by its name (not shown)"),
        ({"ca_file": Path("no/such/ca.pem")}, "ca_file: no/such/ca.pem is no file"),
        ({"url": "http://province.example"}, "expected https"),
        ({"url": "ftp://province.example"}, "expected https"),
    ],
)
def test_a_desk_does_not_start_with_a_wrong_entry(tmp_path, changes, words):
    settings = docking_settings(tmp_path, C, "https://province.example")
    with pytest.raises(ValueError, match="docking: province") as caught:
        open_places([settings.model_copy(update=changes)])
    assert words in str(caught.value)
    assert "9f8d7e" not in str(caught.value)


def test_a_wrong_map_and_a_name_used_twice_are_told_with_file_and_line(tmp_path):
    (tmp_path / "mine.yaml").write_text("version: 1\nrecords:\n  alarm: {path: /x, fields: [{name: A, of: nothing}]}\n")
    settings = docking_settings(tmp_path, C, "https://province.example", platform=str(tmp_path / "mine.yaml"))
    with pytest.raises(ValueError, match="named twice") as caught:
        open_places([settings, settings])
    assert f"{tmp_path}/mine.yaml:3: records.alarm.fields[0].of" in str(caught.value)


def test_relative_paths_are_taken_from_the_desks_file(tmp_path):
    entry = {"name": "p", "platform": "maps/own.yaml", "url": "https://a.example", "secret_files": {"k": "k.txt"}}
    known = {"database": "sqlite:///d.db", "blobs": "b", "key_file": "k.pem"}
    (place,) = DeskSettings.model_validate(known | {"docking": [entry]}).beside(tmp_path).docking
    assert place.platform == str(tmp_path / "maps/own.yaml")
    assert place.secret_files == {"k": tmp_path / "k.txt"}
