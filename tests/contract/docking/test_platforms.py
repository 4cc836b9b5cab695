"""One suite for all four patterns, on real sockets: who speaks, order, acknowledgement, replay, and every trouble.

The platforms check signatures, timestamps and nonces themselves (tests/fakes/docking_patterns.py).
"""

import base64
import hashlib
import logging
from dataclasses import replace

import pytest

from gateway.model.alarm import Severity, TransitionKind
from gateway.model.alert import ReceiptKind
from gateway.uplinks.docking_records import Driver, Photo
from kit.clock import SimulatedClock
from tests.fakes.docking_box import JPEG, SECOND_NS, START_NS, DockingBox, Photos, cycle_row, polls
from tests.fakes.docking_patterns import PATTERNS
from tests.fakes.docking_server import PlatformServer, RefusalError
from tests.fakes.outbox import row, row_of, transition

ACCEPTED, REJECTED, RETRY = ReceiptKind.ACCEPTED, ReceiptKind.REJECTED, ReceiptKind.RETRY


class Line:
    """A box and its platform, on one clock."""

    def __init__(self, box: DockingBox, platform: PlatformServer) -> None:
        self.box, self.platform, self.docked = box, platform, box.docked

    async def send(self, *items):
        return list(await self.box.uplink.send_alerts(items))

    def held(self, name):
        return self.platform.of(getattr(self.docked, name))

    def field(self, record, name):
        return record.get(name, record.get(name[0].upper() + name[1:]))


@pytest.fixture(params=sorted(PATTERNS))
async def line(request, tmp_path):
    docked, clock = PATTERNS[request.param], SimulatedClock(START_NS)
    with docked.server(clock.now_ns) as platform:
        box = DockingBox(tmp_path, docked, platform.url, clock)
        yield Line(box, platform)
        await box.close()


@pytest.fixture
def readings(line):
    """The alarms behind the bits are read from the box's own file."""
    assert line.box.store.alive
    return line


def vision(number=1, rule_id="vision.bare_head"):
    said = transition(number, Severity.P2, asset="cam-1", asset_kind="camera-post", subject=f"cam-1.bare_head_{number}")
    return replace(said, alarm=replace(said.alarm, rule=replace(said.alarm.rule, rule_id=rule_id)))


async def test_alarms_are_taken_in_order_with_their_own_times(line):
    items = [row(1), row_of(transition(2, kind=TransitionKind.RETURNED), 2)]
    receipts = await line.send(*items)
    assert [receipt.kind for receipt in receipts] == [ACCEPTED, ACCEPTED], receipts
    first, second = line.held("alarm")
    assert [line.field(each, "alarmId") for each in (first, second)] == [items[0].key, items[1].key]
    assert line.field(first, "alarmTime") == "2023-11-15 06:13:20"
    assert (line.field(first, "level"), line.field(second, "event")) == (1, 3)
    assert line.platform.refusals == []


async def test_a_working_cycle_carries_the_published_fields_and_no_person(line):
    (receipt,) = await line.send(cycle_row())
    (record,) = line.held("cycle")
    assert receipt.kind is ACCEPTED
    assert (record["DeviceSN"], record["UnifiedProjectCode"], record["WorkWeight"]) == ("SN-1", "PROJECT-1", 2.25)
    assert (record["WorkWindSpeedAlarm"], record["WorkMomentAlarm"], record["StartAngle"]) == ("2", "0", 455.0)
    assert "WorkHeightAlarm" not in record, "unknown is not normal"
    assert not {"OperaterNo", "Name", "IdNo"} & record.keys()


async def test_an_ai_alarm_goes_with_its_picture_and_the_pictures_md5(line):
    line.box.uplink.sources.photos = Photos(**{"alarm-1": Photo("a.jpg", JPEG)})
    (receipt,) = await line.send(row_of(vision()))
    (record,) = line.held("ai_alarm")
    assert receipt.kind is ACCEPTED
    assert base64.b64decode(line.field(record, "photoDocument")) == JPEG
    assert line.field(record, "photoIdentify") == hashlib.md5(JPEG).hexdigest()
    assert (line.field(record, "alarmType"), line.field(record, "deviceCode")) == (2, "CAM-1")


async def test_a_picture_that_is_still_being_kept_holds_up_nobody_else(line):
    line.box.uplink.sources.photos = Photos(**{"alarm-1": None})
    waiting, other = await line.send(row_of(vision()), row(2))
    assert (waiting.kind, other.kind) == (RETRY, ACCEPTED)
    await line.box.clock.advance(61)
    (receipt,) = await line.send(row_of(vision(), created_at_ns=START_NS))
    (record,) = line.held("ai_alarm")
    assert receipt.kind is ACCEPTED
    assert line.field(record, "photoDocument") is None


async def test_a_reply_that_was_lost_leaves_one_record_and_a_receipt(line):
    await line.send(row(9))  # whoever needs a token has one
    line.platform.troubles = ["lost"]
    (first,) = await line.send(row(1))
    (second,) = await line.send(row(1))
    assert (first.kind, second.kind) == (RETRY, ACCEPTED)
    assert len(line.held("alarm")) == 2
    assert line.platform.duplicates == 1


@pytest.mark.parametrize("trouble", ["500", "garbage", "down"])
async def test_trouble_keeps_the_row_and_stops_those_behind_it(line, trouble):
    await line.send(row(9))
    line.platform.troubles = [trouble]
    receipts = await line.send(row(1), row(2))
    assert [receipt.kind for receipt in receipts] == [RETRY, RETRY]
    assert len(line.held("alarm")) == 1
    assert [receipt.kind for receipt in await line.send(row(1), row(2))] == [ACCEPTED, ACCEPTED]
    assert [line.field(each, "alarmId") for each in line.held("alarm")] == [row(n).key for n in (9, 1, 2)]


async def test_a_slow_platform_costs_the_timeout_and_nothing_else(tmp_path, line):
    (tmp_path / "fast").mkdir()
    box = DockingBox(tmp_path / "fast", line.docked, line.platform.url, line.box.clock, timeout_ms=200)
    line.platform.troubles = ["slow"]
    (receipt,) = await box.uplink.send_alerts([row(1)])
    assert (receipt.kind, "no answer within" in receipt.detail) == (RETRY, True)
    await box.close()


async def test_a_record_that_the_platform_never_takes_is_rejected_with_its_words(line):
    line.platform.refuse_fields = {"alarmId", "AlarmId"}
    refused, cycle = await line.send(row(1), cycle_row())
    assert (refused.kind, cycle.kind) == (REJECTED, ACCEPTED)
    assert "field not allowed" in refused.detail


async def test_an_unknown_code_is_asked_again_and_given_up_in_the_end(line):
    line.platform.unknown_code = 77
    (early,) = await line.send(row(1, attempts=0))
    (late,) = await line.send(row(1, attempts=49))
    assert (early.kind, late.kind) == (RETRY, REJECTED)
    assert "given up after 50 attempts" in late.detail


async def test_no_secret_is_in_a_receipt_or_a_log(line, caplog):
    caplog.set_level(logging.DEBUG)
    line.platform.unknown_code = 77
    receipts = await line.send(row(1))
    line.platform.down = True
    receipts += await line.send(row(1))
    told = caplog.text + "".join(receipt.detail for receipt in receipts)
    assert not [secret for secret in line.docked.secrets.values() if secret in told]


async def test_a_secret_that_is_gone_is_a_reason_to_wait(line):
    name = sorted(line.docked.secrets)[0]
    (line.box.folder / name).unlink()
    (receipt,) = await line.send(row(1))
    assert (receipt.kind, name in receipt.detail) == (RETRY, True)
    assert line.platform.requests == []


async def test_a_wrong_secret_is_never_refused_for_good(line):
    for name in line.docked.secrets:
        (line.box.folder / name).write_text("something else entirely")
    (receipt,) = await line.send(row(1, attempts=200))
    assert receipt.kind is RETRY
    assert line.platform.kept == []


async def test_after_an_outage_everything_leaves_once_in_order_with_original_times(line):
    line.platform.down = True
    for number in range(1, 6):
        await line.box.record(transition(number))
        await line.box.deliver()
        await line.box.clock.advance(3600)
    line.platform.down = False
    await line.box.deliver(2)
    keys = [line.field(record, "alarmId") for record in line.held("alarm")]
    assert keys == [f"alarm-{number}:raised" for number in range(1, 3)], "cranes 3 to 5 are not docked"
    assert {line.field(record, "alarmTime") for record in line.held("alarm")} == {"2023-11-15 06:13:20"}
    assert line.box.store.pending("town", 50) == []


async def test_real_time_records_are_one_a_crane_and_interval(readings):
    line = readings
    receipt = await line.box.uplink.send_readings([polls([0, 1, 9, 10, 11, 20, 29]), polls([5, 15], "crane-2")])
    assert receipt.kind is ACCEPTED, receipt
    times = {sn: [r["DataTimeStamp"] for r in line.held("realtime") if r["DeviceSN"] == sn] for sn in ("SN-1", "SN-2")}
    first = [START_NS // 10**6 + ms for ms in (0, 10_000, 20_000)]
    second = [START_NS // 10**6 + ms for ms in (5000, 15_000)]
    if line.docked is PATTERNS["i"]:  # its map sends the newest alone
        first, second = first[-1:], second[-1:]
    assert times == {"SN-1": first, "SN-2": second}
    assert line.platform.disorder == 0


async def test_the_outage_is_filled_in_where_the_map_says_so(readings):
    line = readings
    line.platform.down = True
    blocks = [polls(range(0, 600, 5))]
    assert (await line.box.uplink.send_readings(blocks)).kind is RETRY
    await line.box.clock.advance(600)
    line.platform.down = False
    assert (await line.box.uplink.send_readings(blocks)).kind is ACCEPTED
    expected = 1 if line.docked is PATTERNS["i"] else 60
    assert len(line.held("realtime")) == expected
    assert (line.platform.disorder, line.platform.duplicates) == (0, 0)


async def test_a_break_in_the_middle_sends_nothing_twice(readings):
    line = readings
    blocks = [polls(range(0, 100, 10)), polls(range(0, 100, 10), "crane-2")]
    assert (await line.box.uplink.send_readings([polls([-10])])).kind is ACCEPTED
    line.platform.troubles = ["", "", "", "500"]
    first = await line.box.uplink.send_readings(blocks)
    second = await line.box.uplink.send_readings(blocks)
    assert second.kind is ACCEPTED
    if line.docked is not PATTERNS["i"]:
        assert first.kind is RETRY
        assert len(line.held("realtime")) == 21
    assert line.platform.duplicates == 0


async def test_a_real_time_record_that_is_refused_does_not_stop_the_next(readings):
    line = readings
    line.platform.refuse_fields = {"WindSpeed"}
    receipt = await line.box.uplink.send_readings([polls([0]), polls([10], wind_ms=float("nan"))])
    assert receipt.kind is ACCEPTED
    assert [record["DataTimeStamp"] for record in line.held("realtime")] == [START_NS // 10**6 + 10_000]
    assert line.box.uplink.records_refused == (0 if line.docked is PATTERNS["i"] else 1)


async def test_the_drivers_number_is_sent_only_where_the_site_says_so(tmp_path, line):
    (tmp_path / "open").mkdir()
    box = DockingBox(tmp_path / "open", line.docked, line.platform.url, line.box.clock, identities="send")
    assert box.store.alive
    await box.uplink.send_readings([polls([0], driver_no=7.0)])
    await box.uplink.send_alerts([cycle_row()])
    assert line.held("realtime")[-1]["OperaterNo"] == "7"
    assert {name for name in ("Name", "IdNo") if name in line.held("realtime")[-1]} == set()
    assert line.held("cycle")[-1]["IdNo"] == "1" * 18
    await box.close()


async def test_a_person_that_the_platform_echoes_is_in_no_receipt(tmp_path, line):
    (tmp_path / "open").mkdir()
    box = DockingBox(tmp_path / "open", line.docked, line.platform.url, line.box.clock, identities="send")
    box.uplink.sources.driver = lambda *_: Driver("7001", "某人甲", "ID" + "7" * 16)
    line.platform.refuse_fields = {"IdNo"}
    line.platform.echo = True
    (receipt,) = await box.uplink.send_alerts([cycle_row()])
    assert receipt.kind is REJECTED
    assert "***" in receipt.detail
    assert not [told for told in ("7001", "某人甲", "7" * 16) if told in receipt.detail]
    await box.close()


async def test_a_clock_that_is_wrong_loses_nothing(line):
    """The platform's clock is an hour ahead; then somebody sets ours."""
    skew = [3600 * SECOND_NS]
    line.platform.now_ns = lambda: line.box.clock.now_ns() + skew[0]
    (wrong,) = await line.send(row(1, attempts=500))
    skew[0] = 0
    (right,) = await line.send(row(1, attempts=501))
    assert right.kind is ACCEPTED
    by_time = line.docked in (PATTERNS["b"], PATTERNS["i"])
    assert wrong.kind is (RETRY if by_time else ACCEPTED)


async def test_a_copied_request_is_refused_by_the_platform(line):
    """What somebody on the way has copied does not work a second time, where the pattern signs a nonce."""
    await line.send(row(1))
    asked = line.platform.requests[-1]
    before = len(line.platform.kept)
    if line.docked in (PATTERNS["b"], PATTERNS["i"]):
        with pytest.raises(RefusalError, match="nonce was used before"):
            line.platform.judge(asked)
    else:
        assert line.platform.judge(asked).code == line.platform.duplicate
    assert len(line.platform.kept) == before
