"""How the site stands at a handover: what waits is there however old it is, and what cannot be seen is said."""

from pathlib import Path

import pytest

from contract.chain import ChainHead
from gateway.evidence.evidence import RecordKind, seal
from gateway.model.alarm import OutOfService, Severity
from gateway.parts.shift.shift_gathering import DownLink, ShiftSnapshot, UnknownRule, shift_sheet
from gateway.store.alarm_reader import AlarmReader
from gateway.store.alert_store import AlertStore, Commit, KeptRecord
from gateway.web.sheet import Mark, Section
from kit.words import Words
from tests.fakes.made_alarm import alarm
from tests.fakes.site import BOX, NOW_NS, SECOND_NS, info

HOUR_NS = 3_600 * SECOND_NS
QUIET = ShiftSnapshot((), (), (), (), ())


@pytest.fixture
def reader(tmp_path: Path) -> AlarmReader:
    store = AlertStore(tmp_path, 64 * 1024)
    record = seal(ChainHead(), BOX, RecordKind.STARTED, NOW_NS - 20 * HOUR_NS, {})
    kept = KeptRecord(record.seq, str(record.kind), record.at_ns, "", record.sha256, record.body)
    store.commit(Commit(NOW_NS, records=[kept])).result()
    return AlarmReader(store.path)


def section(snapshot: ShiftSnapshot, reader: AlarmReader, key: str) -> Section:
    return next(each for each in shift_sheet(snapshot, reader, NOW_NS).sections if each.key == key)


def said(snapshot: ShiftSnapshot, reader: AlarmReader, key: str) -> list[list[str]]:
    return [[cell.words.zh for cell in row] for row in section(snapshot, reader, key).rows]


def test_a_quiet_site_says_none_in_every_section(reader: AlarmReader) -> None:
    sheet = shift_sheet(QUIET, reader, NOW_NS)
    told = [each.rows[0][0].words.zh for each in sheet.sections if each.key != "alarm_counts"]
    assert set(told) == {"无"}


def test_unacknowledged_grave_alarms_stand_apart_and_first(reader: AlarmReader) -> None:
    grave, seen = alarm(NOW_NS, "a"), alarm(NOW_NS, "b", acknowledged=True)
    light = alarm(NOW_NS, "c", rule=info("c", Severity.P3))
    snapshot = ShiftSnapshot((seen, light, grave), (), (), (), ())
    assert shift_sheet(snapshot, reader, NOW_NS).sections[0].key == "urgent"
    assert len(said(snapshot, reader, "urgent")) == 1
    assert [row[0] for row in said(snapshot, reader, "open")] == ["一级", "三级"]


def test_what_was_put_aside_says_until_when_by_whom_and_why(reader: AlarmReader) -> None:
    shelved = alarm(NOW_NS, "a", shelved_until_ns=NOW_NS + HOUR_NS, shelved_by="安全员", shelve_reason="阵风")
    held = alarm(NOW_NS, "b", suppressed_by="graver", withheld=True)
    service = OutOfService("host-1", NOW_NS, NOW_NS + HOUR_NS, "主管", "检修")
    snapshot = ShiftSnapshot((shelved,), (held,), (service,), (), ())
    assert said(snapshot, reader, "shelved")[0][2:] == ["2023-11-15 07:13:20", "安全员", "阵风"]
    assert said(snapshot, reader, "suppressed")[0][3] == "graver"
    assert said(snapshot, reader, "services")[0][3:] == ["主管", "检修"]


def test_rules_that_cannot_be_judged_and_links_that_are_down_are_unknown(reader: AlarmReader) -> None:
    rules = tuple(UnknownRule(Words("力矩", "moment"), f"crane-1.q{i}", Words("", "")) for i in range(120))
    link = DownLink("host-1", Words("中断", "down"), 0, "timed out")
    snapshot = ShiftSnapshot((), (), (), rules, (link,))
    unknown = section(snapshot, reader, "unknown")
    assert len(unknown.rows) == 100
    assert unknown.note.zh == "另有 20 条"
    assert unknown.rows[0][0].mark is Mark.UNKNOWN
    row = section(snapshot, reader, "links").rows[0]
    assert [cell.words.zh for cell in row] == ["host-1", "中断", "未知", "timed out"]


def test_an_alarm_that_is_active_for_a_day_stands(reader: AlarmReader) -> None:
    young = alarm(NOW_NS - 24 * HOUR_NS + 1, "a")
    old = alarm(NOW_NS - 24 * HOUR_NS, "b")
    over = alarm(NOW_NS - 99 * HOUR_NS, "c", active=False, returned_at_ns=NOW_NS - HOUR_NS)
    snapshot = ShiftSnapshot((young, old, over), (), (), (), ())
    assert section(snapshot, reader, "standing").note.zh == "共 1 条"


def test_a_box_that_was_off_within_the_shift_says_so(tmp_path: Path) -> None:
    store = AlertStore(tmp_path, 64 * 1024)
    head, records = ChainHead(), []
    for kind, ago in ((RecordKind.STARTED, 20), (RecordKind.STOPPED, 6), (RecordKind.STARTED, 4)):
        record = seal(head, BOX, kind, NOW_NS - ago * HOUR_NS, {})
        head = record.head
        records.append(KeptRecord(record.seq, str(kind), record.at_ns, "", record.sha256, record.body))
    store.commit(Commit(NOW_NS, records=records)).result()
    rows = said(QUIET, AlarmReader(store.path), "links")
    assert rows == [["监控主机", "未运行", "2023-11-15 00:13:20 – 2023-11-15 02:13:20", "–"]]
