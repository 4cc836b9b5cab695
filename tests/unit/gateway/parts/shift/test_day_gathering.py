"""What the box knows of a day: each section from what was really recorded, and what was not is unknown."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from contract.canonical import Canonical, canonical_bytes
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry
from gateway.model.alarm import Severity
from gateway.parts.pit.day_report import DayStores
from gateway.parts.pit.hand_entries import Bringer, Table
from gateway.parts.pit.model.items import PitItem
from gateway.parts.pit.report.daily_report import (
    DailyReport,
    Heading,
    ItemTable,
    Level,
    PointRow,
    ReadingState,
    Weather,
    Works,
)
from gateway.parts.shift.day_gathering import DayGathering, DaySources, day_sheet, worst_point
from gateway.parts.shift.safety_log import log_day
from gateway.store.alarm_reader import AlarmReader
from gateway.store.alert_store import Commit
from gateway.store.quality_reader import QualityReader
from gateway.web.sheet import Mark, Section, Sheet
from tests.fakes.made_alarm import alarm
from tests.fakes.office_face import site_settings
from tests.fakes.pit_box import PitBox
from tests.fakes.site import MINUTE_NS, NOW_NS, info, poll, until

DAY = log_day(date(2023, 11, 15))
HOUR_NS = 60 * MINUTE_NS


class Day:
    """A box, and the sheet of its day."""

    def __init__(self, folder: Path) -> None:
        self.box = PitBox(folder, settings=site_settings(folder))
        self.box.site.start()
        stores = DayStores(self.box.site.reader, self.box.records, self.box.site.alerts)
        self.sources = DaySources(
            lambda: self.box.settings,
            stores,
            AlarmReader(self.box.site.alerts.path),
            QualityReader(self.box.site.history.path),
        )

    async def record(self, kind: RecordKind, at_ns: int, about: str = "", **content: Canonical) -> None:
        await self.box.site.recorder.record(Entry(kind, at_ns, content, about=about))

    async def wind(self, *values: float) -> None:
        index = np.array([self.box.site.table.index_of["mast-1.wind"]], dtype=np.int32)
        for minute, value in enumerate(values):
            self.box.site.intake.offer(poll(index, value, NOW_NS + minute * MINUTE_NS, device="mast"))
        await until(lambda: self.box.site.pipeline.judged_polls >= len(values))
        self.box.site.history.flush(NOW_NS).done.result()
        self.box.site.history.tend(NOW_NS + HOUR_NS).result()

    def sheet(self, now_ns: int = NOW_NS + HOUR_NS) -> Sheet:
        return day_sheet(self.sources, DAY, now_ns)

    def section(self, key: str) -> Section:
        return next(section for section in self.sheet().sections if section.key == key)

    def said(self, key: str) -> list[list[str]]:
        return [[cell.words.zh for cell in row] for row in self.section(key).rows]


@pytest.fixture
async def day(tmp_path: Path) -> AsyncIterator[Day]:
    day = Day(tmp_path)
    yield day
    await day.box.stop()


def marks(rows: Sequence[Sequence[object]]) -> set[object]:
    return {getattr(cell, "mark") for row in rows for cell in row}  # noqa: B009


async def test_a_day_of_which_nothing_is_known_says_unknown_and_not_none(day: Day) -> None:
    weather = day.section("weather")
    assert {row[1].mark for row in weather.rows} == {Mark.UNKNOWN}
    crane = day.section("cranes").rows[0]
    assert [cell.mark for cell in crane[1:6]] == [Mark.UNKNOWN] * 5
    assert day.said("alarms")[0][0] == "无"
    assert day.section("video").rows[0][1].mark is Mark.UNKNOWN


async def test_the_weather_is_the_days_extremes_with_their_time_and_point(day: Day) -> None:
    await day.wind(3.0, 11.5, 4.0)
    rows = {row[0]: row for row in day.said("weather")}
    assert rows["最大风速"] == ["最大风速", "11.5 m/s", "2023-11-15 06:14:00", "mast-1.wind"]
    assert rows["最高气温"][1] == "未知"


async def test_a_gust_of_just_now_is_in_it_though_no_minute_was_rolled_up(day: Day) -> None:
    index = np.array([day.box.site.table.index_of["mast-1.wind"]], dtype=np.int32)
    for quality, value in ((0, 17.5), (1, 55.0)):
        day.box.site.intake.offer(poll(index, value, NOW_NS + quality, quality, device="mast"))
    await until(lambda: day.box.site.pipeline.judged_polls >= 2)
    day.box.site.history.flush(NOW_NS).done.result()
    sheet = day.sheet(NOW_NS + 1_000_000_000)
    wind = next(row for row in sheet.sections[0].rows if row[0].words.zh == "最大风速")
    assert wind[1].words.zh == "17.5 m/s（存疑数据 55.0 m/s）"
    assert wind[1].words.en == "17.5 m/s (doubtful data: 55.0 m/s)"


async def test_doubtful_data_alone_is_shown_as_such_and_never_as_known(day: Day) -> None:
    index = np.array([day.box.site.table.index_of["mast-1.wind"]], dtype=np.int32)
    day.box.site.intake.offer(poll(index, 9.0, NOW_NS, 1, device="mast"))
    await until(lambda: day.box.site.pipeline.judged_polls >= 1)
    day.box.site.history.flush(NOW_NS).done.result()
    day.box.site.history.tend(NOW_NS + HOUR_NS).result()
    row = next(row for row in day.said("weather") if row[0] == "最大风速")
    assert row[1:3] == ["未知（存疑数据 9.0 m/s）", "–"]
    assert day.section("weather").rows[0][1].mark is Mark.UNKNOWN


async def test_a_pit_says_its_worst_point_and_how_deep_it_is(day: Day) -> None:
    lines = "\n".join(
        ("测点,时间,读数", "DJ-01,2023-11-14 20:00,30.0", "DJ-01,2023-11-15 02:00,44.0", "ZQ-01,2023-11-15 02:00,5.0")
    )
    table = Table(lines.encode(), "a.csv")
    await day.box.finish(day.box.entries.take("pit-1", table, Bringer("测量员", "例行测量")))
    (row,) = day.said("pits")
    assert (row[1], row[2], row[4]) == ("6.50 m", "DJ-01", "44.0 mm")
    assert day.said("hand_entries")[0][1:] == ["pit-1", "3", "测量员", "例行测量"]


async def test_alarms_are_counted_and_named_with_answers_and_notes(day: Day) -> None:
    answered = {
        "acknowledged": True,
        "acknowledged_at_ns": NOW_NS + 9,
        "acknowledged_by": "主管",
        "acknowledge_reason": "已停吊",
    }
    made = [
        alarm(NOW_NS, "a", **answered, active=False, returned_at_ns=NOW_NS + HOUR_NS // 2),
        alarm(NOW_NS + 1, "b", rule=info("b", Severity.P2)),
        alarm(NOW_NS - 40 * HOUR_NS, "old", rule=info("old", Severity.P3)),
    ]
    day.box.site.alerts.commit(Commit(NOW_NS, alarms=made)).result()
    note = {"transition": "judged_false", "user": "安全员", "reason": "吊具刮碰 <b>"}
    await day.record(RecordKind.ALARM_NOTE, NOW_NS + 10, made[0].alarm_id, **note)
    assert [row[1:] for row in day.said("alarm_counts")] == [["1", "1", "0", "0"], ["1", "0", "1", "1"], ["0"] * 4]
    rows = day.said("alarms")
    assert [row[0] for row in rows] == ["一级", "二级", "三级"], "an old alarm that is open is named too"
    assert rows[0][6] == "已停吊；误报 安全员 吊具刮碰 <b>"
    assert "主管" in rows[0][5]
    assert rows[1][5] == "未确认"


async def test_what_was_put_aside_and_taken_back_is_there_with_who_and_why(day: Day) -> None:
    service = {"transition": "out_of_service", "target": "mast", "since_ns": NOW_NS, "until_ns": NOW_NS + HOUR_NS}
    service |= {"taken_out_by": "主管", "taken_out_because": "检修", "user": "主管", "reason": "检修"}
    await day.record(RecordKind.SERVICE, NOW_NS, "service:mast", **service)
    held = {"title_zh": "风速", "title_en": "wind", "subject": "mast-1.wind", "shelved_until_ns": NOW_NS + HOUR_NS}
    shelving: dict[str, Canonical] = {"transition": "shelved", "user": "安全员", "reason": "阵风", "alarm": held}
    await day.record(RecordKind.TRANSITION, NOW_NS + 1, "x", **shelving)
    await day.record(RecordKind.TRANSITION, NOW_NS + 2, "x", **(shelving | {"transition": "raised"}))
    assert day.said("services")[0][1:] == ["停用", "mast", "2023-11-15 07:13:20", "主管", "检修"]
    assert [row[1:3] for row in day.said("shelved")] == [["搁置", "风速 mast-1.wind"]]


async def test_an_order_of_the_regulator_is_listed_and_one_that_is_garbled_is_not_left_out(day: Day) -> None:
    body: dict[str, Canonical] = {
        "number": "整改〔2023〕7号",
        "title_zh": "限期整改",
        "deadline_at_ns": NOW_NS + HOUR_NS,
    }
    text = canonical_bytes({"kind": "order", "message_id": "m1", "body": body}).decode()
    await day.record(RecordKind.MESSAGE, NOW_NS, text=text)
    await day.record(RecordKind.MESSAGE, NOW_NS + 1, text="{")
    rows = day.said("orders")
    assert rows[0][1:3] == ["整改〔2023〕7号", "限期整改"]
    assert rows[1][1] == "第 2 号记录"


async def test_the_time_in_which_the_box_did_not_run_and_nobody_was_heard_is_blind(day: Day) -> None:
    await day.record(RecordKind.STARTED, NOW_NS)
    await day.wind(3.0, 3.0)
    rows = {row[0]: row for row in day.said("blind")}
    assert rows["监控主机"][2] == "2023-11-15 00:00:00 – 2023-11-15 06:13:20"
    mast = next(row for name, row in rows.items() if name != "监控主机")
    assert int(mast[1].split()[0]) > 300
    assert marks([row[1:] for row in day.section("blind").rows]) == {Mark.UNKNOWN}


async def test_nothing_of_tomorrow_is_in_it(day: Day) -> None:
    day.box.site.alerts.commit(Commit(NOW_NS, alarms=[alarm(DAY.to_ns, "tomorrow")])).result()
    sheet = day.sheet(DAY.to_ns + HOUR_NS)
    assert sheet.until_ns == DAY.to_ns
    assert "tomorrow" not in str(sheet)


async def test_a_sheet_is_shown_again_for_a_moment_and_then_made_anew(day: Day) -> None:
    gathering = DayGathering(day.sources)
    first = await gathering(DAY, NOW_NS)
    assert await gathering(DAY, NOW_NS + 1_000_000_000) is first
    assert (await gathering(DAY, NOW_NS + MINUTE_NS)).until_ns == NOW_NS + MINUTE_NS
    yesterday = log_day(date(2023, 11, 14))
    assert (await gathering(yesterday, NOW_NS)).until_ns == yesterday.to_ns
    assert replace(first, until_ns=0) != first


def test_a_point_in_danger_is_the_worst_though_it_was_not_read_today() -> None:
    heading = Heading("工地", "pit-1", "一号基坑", DAY.day, 1, datetime(2023, 11, 15, tzinfo=UTC))
    rows = (
        PointRow("moved", Level.WARNING, ReadingState.GOOD, current=40.0, cumulative=40.0),
        PointRow("gone", Level.DANGER, ReadingState.MISSING),
        PointRow("still", Level.UNKNOWN, ReadingState.MISSING),
    )
    table = ItemTable(PitItem.GROUND_SETTLEMENT, rows)
    found = worst_point(DailyReport(heading, Weather(), Works(), (table,)))
    assert found is not None
    assert found[0].name == "gone"
    silent = ItemTable(PitItem.GROUND_SETTLEMENT, rows[2:])
    assert worst_point(DailyReport(heading, Weather(), Works(), (silent,))) is None
