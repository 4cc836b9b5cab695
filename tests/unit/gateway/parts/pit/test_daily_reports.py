"""The daily report of a pit: what the history and the alarms say of a day, printed once, the same bytes for ever."""

import asyncio
import hashlib
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from gateway.parts.pit.baseline_orders import order_baseline
from gateway.parts.pit.daily_reports import DailyReports, DayNotOverError, NoSuchReportError
from gateway.parts.pit.day_report import DayStores, Print, day_report
from gateway.parts.pit.day_rows import span_of
from gateway.parts.pit.hand_entries import Bringer, Table
from gateway.parts.pit.hand_points import pit_of
from gateway.parts.pit.model.description import Baseline, BaselineKind
from gateway.parts.pit.report.daily_report import DailyReport, Level, PointRow, ReadingState
from gateway.parts.pit.report.report_store import ReportDamagedError, ReportKind
from tests.fakes.pit_box import PitBox
from tests.fakes.site import NOW_NS, advance_until, poll, until

BY = Bringer("surveyor-1", "每日测量")
DAY = date(2023, 11, 14)
PARTS = ("DJ-01,2023-11-12 09:00,9.0", "DJ-01,2023-11-13 09:00,10.0", "DJ-01,2023-11-14 09:00,11.0")


async def box_with(folder: Path, *rows: str) -> PitBox:
    box = PitBox(folder)
    box.site.start()
    table = Table("\n".join(("测点,时间,读数", *rows)).encode(), "a.csv")
    await box.finish(box.entries.take("pit-1", table, BY))
    return box


def built(box: PitBox, day: date = DAY) -> DailyReport:
    pit = pit_of(box.settings, "pit-1")
    assert pit is not None
    stores = DayStores(box.site.reader, box.records, box.site.alerts)
    return day_report(box.settings, pit, span_of(day), stores, Print(1, box.clock.now_ns()))


def row(report: DailyReport, name: str) -> PointRow:
    return next(row for table in report.tables for row in table.rows if row.name == name)


async def test_a_row_says_the_days_reading_the_change_and_the_limits_with_their_source(tmp_path: Path) -> None:
    box = await box_with(tmp_path, *PARTS)
    found = row(built(box), "DJ-01")
    assert (found.reading, found.shown_level) == (ReadingState.GOOD, Level.NORMAL)
    assert (found.previous, found.current, found.change, found.cumulative) == (10.0, 11.0, 1.0, 11.0)
    assert found.rate_per_day == pytest.approx(1.0)
    control = found.control
    assert (control.cumulative, control.rate_per_day, control.source, control.certainty) == (
        30.0,
        3.0,
        "design",
        "SITE",
    )
    assert "设计总说明 5.2" in control.clause
    await box.stop()


async def test_a_day_without_a_reading_is_missing_and_never_normal(tmp_path: Path) -> None:
    box = await box_with(tmp_path, *PARTS[:2])
    found = row(built(box), "DJ-01")
    assert (found.reading, found.shown_level, found.previous) == (ReadingState.MISSING, Level.UNKNOWN, 10.0)
    assert found.current != found.current
    assert found.cumulative != found.cumulative
    await box.stop()


async def test_a_rate_that_is_not_known_leaves_the_point_unknown(tmp_path: Path) -> None:
    box = await box_with(tmp_path, *PARTS[1:])
    found = row(built(box), "DJ-01")
    assert (found.cumulative, found.shown_level, found.remark) == (11.0, Level.UNKNOWN, "变化速率未知，不能判为正常")
    await box.stop()


async def test_a_reading_without_a_baseline_is_good_and_its_movement_unknown(tmp_path: Path) -> None:
    box = await box_with(tmp_path, "DJ-02,2023-11-14 09:00,104.0")
    found = row(built(box), "DJ-02")
    assert (found.reading, found.current, found.shown_level) == (ReadingState.GOOD, 104.0, Level.UNKNOWN)
    assert found.cumulative != found.cumulative
    assert found.remark == "缺少初始值"
    await box.stop()


async def test_an_alarm_of_the_day_is_the_level_and_in_the_remarks_and_not_of_the_day_before(tmp_path: Path) -> None:
    box = await box_with(tmp_path, "DJ-01,2023-11-13 09:00,20.0", "DJ-01,2023-11-14 09:00,22.0")
    await until(lambda: any(alarm.rule.rule_id.endswith("cumulative.warn") for alarm in box.site.alerts.open_alarms()))
    report = built(box)
    assert row(report, "DJ-01").shown_level is Level.WARNING
    assert "累计值预警 pit-1.dj-01 自 11-14 09:00" in report.remarks
    before = built(box, date(2023, 11, 13))
    assert row(before, "DJ-01").shown_level is Level.ATTENTION
    assert "预警" not in before.remarks
    await box.stop()


async def test_the_heading_and_works_say_what_the_site_says_and_the_rest_is_unknown(tmp_path: Path) -> None:
    box = await box_with(tmp_path, *PARTS)
    report = built(box)
    assert (report.heading.project, report.heading.pit_title, report.heading.day) == ("示范工地", "一号基坑", DAY)
    assert (report.works.grade, report.works.design_depth_m, report.works.excavated_m) == ("一级", 12.0, 6.5)
    assert report.works.stage == ""
    assert report.weather.text == ""
    assert report.weather.lowest_c != report.weather.lowest_c
    await box.stop()


async def test_the_masts_temperature_of_the_day_is_the_weathers(tmp_path: Path) -> None:
    box = await box_with(tmp_path, *PARTS)
    temp = np.array([box.settings.points.index_of["mast-1.temp"]], dtype=np.int32)
    begin_ns = span_of(DAY).from_ns
    for hours, degrees in ((-1.0, 3.0), (6.0, 8.0), (14.0, 17.5), (24.0, 20.0)):
        at_ns = begin_ns + round(hours * 3_600_000_000_000)
        box.site.intake.offer(poll(temp, degrees, at_ns, device="mast"))
    await advance_until(box.clock, lambda: len(box.samples("mast-1.temp")) == 4)
    box.site.history.tend(box.clock.now_ns()).result()
    weather = built(box).weather
    assert (weather.lowest_c, weather.highest_c) == (8.0, 17.5)
    await box.stop()


async def test_of_an_instrument_on_a_wire_the_cumulative_value_stands_for_the_reading(tmp_path: Path) -> None:
    stream = {"name": "zq-02", "item": "wall_top_horizontal_displacement", "input": "mast-1.temp"}
    box = PitBox(tmp_path, points=[{**stream, "already_cumulative": True, "reading_interval_s": 600}])
    box.site.start()
    temp = np.array([box.settings.points.index_of["mast-1.temp"]], dtype=np.int32)
    for i in range(4):
        at_ns = span_of(DAY).from_ns + i * 300_000_000_000
        box.site.intake.offer(poll(temp, 2.0 + i, at_ns, device="mast"))
    await advance_until(box.clock, lambda: len(box.samples("pit-1.zq-02")) == 2)
    found = row(built(box), "ZQ-02")
    assert found.cumulative == found.current == 3.5
    assert "累计量" in found.remark
    (table,) = [each for each in built(box).tables if each.rows]
    assert table.instrument == "自动采集"
    await box.stop()


async def test_a_change_over_a_zero_order_is_not_comparable(tmp_path: Path) -> None:
    box = await box_with(tmp_path, *PARTS[:2])
    at_ns = span_of(DAY).from_ns
    order = Baseline(BaselineKind.RE_ZERO, at_ns, "surveyor-1", "归零", 10.0)
    await box.finish(order_baseline(box.orders, "pit-1", "dj-01", order))
    late = Table(("测点,时间,读数\n" + PARTS[2]).encode(), "b.csv")
    await box.finish(box.entries.take("pit-1", late, BY))
    box.assets.note(box.clock.now_ns(), box.site.events)
    box.assets.flush().result()
    found = row(built(box), "DJ-01")
    assert (found.previous, found.current, found.cumulative) == (10.0, 11.0, 1.0)
    assert found.change != found.change
    assert "基准变更" in found.remark
    await box.stop()


async def test_a_reading_that_is_not_believed_is_suspect_and_its_jump_is_told(tmp_path: Path) -> None:
    rows = [f"DJ-01,2023-11-{day:02d} 09:00,{5.0 + 0.1 * day}" for day in range(4, 14)]
    box = await box_with(tmp_path, *rows, "DJ-01,2023-11-14 09:00,6400.0")
    found = row(built(box), "DJ-01")
    assert (found.reading, found.shown_level) == (ReadingState.SUSPECT, Level.DANGER)
    assert found.remark in ("孤立突变，待复测", "疑似单位错误")
    assert found.current != found.current
    await box.stop()


async def test_a_bad_reading_beside_a_good_one_is_counted(tmp_path: Path) -> None:
    rows = [f"DJ-01,2023-11-{day:02d} 09:00,{5.0 + 0.1 * day}" for day in range(4, 15)]
    box = await box_with(tmp_path, *rows, "DJ-01,2023-11-14 15:00,6400.0")
    found = row(built(box), "DJ-01")
    assert (found.reading, found.current, found.shown_level) == (ReadingState.GOOD, 6.4, Level.NORMAL)
    assert found.remark == "当日无效读数 1 次"
    await box.stop()


async def test_a_forecast_is_that_of_the_days_last_reading(tmp_path: Path) -> None:
    rows = [f"ZQ-01,2023-11-{day:02d} 09:00,{0.4 * day}" for day in range(1, 15)]
    box = await box_with(tmp_path, *rows)
    (said,) = [each for each in built(box).forecasts if each.point == "ZQ-01"]
    days = [value for _, value in box.samples("pit-1.zq-01_days_to_limit")]
    assert said.forecast.days_to_limit == days[-1] == pytest.approx((20 - 5.6) / 0.4, rel=0.05)
    (before,) = [each for each in built(box, date(2023, 11, 15)).forecasts if each.point == "ZQ-01"]
    assert before.forecast.days_to_limit != before.forecast.days_to_limit
    await box.stop()


async def test_a_report_is_printed_once_and_is_the_same_bytes_after_more_readings(tmp_path: Path) -> None:
    box = await box_with(tmp_path, *PARTS[:2])
    first = await box.finish(box.reports.report("pit-1", DAY, ReportKind.HTML))
    pdf = await box.finish(box.reports.report("pit-1", DAY, ReportKind.PDF))
    late = Table(("测点,时间,读数\n" + PARTS[2]).encode(), "b.csv")
    await box.finish(box.entries.take("pit-1", late, BY))
    assert await box.finish(box.reports.report("pit-1", DAY, ReportKind.HTML)) == first
    (record,) = box.sealed("report")
    assert record["html_sha256"] == hashlib.sha256(first).hexdigest()
    assert record["pdf_sha256"] == hashlib.sha256(pdf).hexdigest()
    (kept,) = box.reports.kept("pit-1")
    assert (kept.day, kept.html_sha256) == (DAY, record["html_sha256"])
    await box.stop()


async def test_a_damaged_print_is_said_and_never_made_anew(tmp_path: Path) -> None:
    box = await box_with(tmp_path, *PARTS)
    await box.finish(box.reports.report("pit-1", DAY, ReportKind.HTML))
    page = tmp_path / "box" / "reports" / "pit-1" / "2023-11-14.html"
    page.write_bytes(page.read_bytes() + b" ")
    with pytest.raises(ReportDamagedError):
        await box.finish(box.reports.report("pit-1", DAY, ReportKind.HTML))
    await box.stop()


async def test_a_print_that_was_altered_with_its_digest_is_found_by_the_chain(tmp_path: Path) -> None:
    box = await box_with(tmp_path, *PARTS)
    await box.finish(box.reports.report("pit-1", DAY, ReportKind.HTML))
    shelf = tmp_path / "box" / "reports" / "pit-1"
    page, index = shelf / "2023-11-14.html", shelf / "SHA256SUMS"
    old = page.read_bytes()
    page.write_bytes(old.replace("一号基坑".encode(), "二号基坑".encode()))
    digests = [hashlib.sha256(each).hexdigest() for each in (old, page.read_bytes())]
    index.write_text(index.read_text().replace(*digests))
    with pytest.raises(ReportDamagedError, match="chain"):
        await box.finish(box.reports.report("pit-1", DAY, ReportKind.HTML))
    await box.stop()


async def test_a_sealed_print_that_is_gone_altogether_is_damage_too(tmp_path: Path) -> None:
    box = await box_with(tmp_path, *PARTS)
    await box.finish(box.reports.report("pit-1", DAY, ReportKind.HTML))
    for file in (tmp_path / "box" / "reports" / "pit-1").iterdir():
        file.unlink()
    with pytest.raises(ReportDamagedError, match="gone"):
        await box.finish(box.reports.report("pit-1", DAY, ReportKind.HTML))
    await box.stop()


async def test_today_has_no_report_yet_and_a_crane_never(tmp_path: Path) -> None:
    box = await box_with(tmp_path, *PARTS)
    with pytest.raises(DayNotOverError):
        await box.reports.report("pit-1", date(2023, 11, 15), ReportKind.PDF)
    with pytest.raises(NoSuchReportError):
        await box.reports.report("crane-1", DAY, ReportKind.PDF)
    await box.stop()


async def test_the_day_before_is_printed_by_itself_five_minutes_after_midnight(tmp_path: Path) -> None:
    box = await box_with(tmp_path, *PARTS)
    await run_until(box, box.reports, kept=1)
    assert [each.day for each in box.reports.kept("pit-1")] == [DAY]
    midnight_ns = span_of(date(2023, 11, 15)).to_ns
    box.clock.move_to(midnight_ns + 240_000_000_000)
    again = DailyReports(lambda: box.settings, _stores(box), box.site.recorder, box.clock)
    task = asyncio.create_task(again.run())
    await box.clock.advance(30.0)
    await until(lambda: box.site.recorder.last_in_line() is None)
    assert len(again.kept("pit-1")) == 1
    await advance_until(box.clock, lambda: len(again.kept("pit-1")) == 2, step_s=5.0)
    assert box.clock.now_ns() >= midnight_ns + 300_000_000_000
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await box.stop()


async def test_a_pit_of_which_nothing_was_ever_heard_is_not_printed_by_itself(tmp_path: Path) -> None:
    box = PitBox(tmp_path, NOW_NS)
    box.site.start()
    task = asyncio.create_task(box.reports.run())
    await until(lambda: bool(box.reports._settled))
    assert box.reports.kept("pit-1") == []
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await box.stop()


async def run_until(box: PitBox, reports: DailyReports, kept: int) -> None:
    task = asyncio.create_task(reports.run())
    await advance_until(box.clock, lambda: sum(each.evidence_seq > 0 for each in reports.kept("pit-1")) == kept)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _stores(box: PitBox) -> DayStores:
    return DayStores(box.site.reader, box.records, box.site.alerts)
