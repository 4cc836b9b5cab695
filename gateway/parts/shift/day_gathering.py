"""What the box knows of a day, as the sheet of its safety log: weather, cranes, pits, alarms, entries, orders.

In: the settings in force, the stores, a day. Out: a `Sheet`, each section with where it comes from. What was not
measured is unknown; what is not watched by this box is said to be so. Blocks; runs in a thread; writes nothing.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan

from gateway.evidence.evidence import RecordKind
from gateway.figures.quality import MinuteShares
from gateway.figures.spans import Span, gaps, joined, running_spans
from gateway.model.alarm import Alarm
from gateway.model.derivation import Json
from gateway.model.quantity import Point
from gateway.parts.crane.kind import TOWER_CRANE
from gateway.parts.pit.day_report import DayStores, Print, day_report
from gateway.parts.pit.day_rows import span_of
from gateway.parts.pit.model.description import PitDescription
from gateway.parts.pit.model.items import ITEMS
from gateway.parts.pit.report.daily_layout import LEVELS
from gateway.parts.pit.report.daily_report import DailyReport, Level, PointRow
from gateway.parts.pit.settings.plan import described_pits
from gateway.parts.shift.alarm_rows import alarms_section, counts_section, nothing
from gateway.parts.shift.day_extremes import DayExtremes, Extreme
from gateway.parts.shift.records_said import (
    hand_reading_row,
    notes_by_alarm,
    order_row,
    rows_of,
    service_row,
    shelving_row,
    shelvings,
)
from gateway.parts.shift.safety_log import LogDay
from gateway.parts.weather.kind import WEATHER_MAST
from gateway.settings import Settings
from gateway.settings.site_file import AssetSettings
from gateway.store.alarm_reader import AlarmReader
from gateway.store.alert_store import KeptRecord
from gateway.store.asset_reader import MAX_ROWS
from gateway.store.quality_reader import QualityReader
from gateway.web.sheet import UNKNOWN, Cell, Mark, Section, Sheet, amount, count, moment, plain
from kit.words import Words

FRESH_NS = 5_000_000_000
"""How long a day's sheet is shown again without asking: a big pit takes a second."""
_EN_LEVEL = {
    Level.UNKNOWN: "unknown",
    Level.NORMAL: "normal",
    Level.ATTENTION: "attention",
    Level.WARNING: "warning",
    Level.ALARM: "alarm",
    Level.DANGER: "danger",
}
_LEVEL_MARK = {
    Level.UNKNOWN: Mark.UNKNOWN,
    Level.WARNING: Mark.ATTENTION,
    Level.ALARM: Mark.DANGER,
    Level.DANGER: Mark.DANGER,
}
_WEATHER = (
    ("m/s", ("wind",), Words("最大风速", "Highest wind"), "high"),
    ("degC", ("temp",), Words("最高气温", "Highest temperature"), "high"),
    ("degC", ("temp",), Words("最低气温", "Lowest temperature"), "low"),
    ("mm", ("rain",), Words("降雨量（最大读数）", "Rain (highest reading)"), "high"),
)


@dataclass(frozen=True, slots=True)
class DaySources:
    """Where a day is looked for."""

    settings: Callable[[], Settings]
    stores: DayStores
    alarms: AlarmReader
    quality: QualityReader


class DayGathering:
    """Makes a day's sheet. The newest is kept for a moment: a page is opened more often than a day changes."""

    def __init__(self, sources: DaySources) -> None:
        self._sources = sources
        self._newest: tuple[LogDay, Sheet] | None = None
        self._turn = asyncio.Lock()

    async def __call__(self, day: LogDay, now_ns: int) -> Sheet:
        """The day until now, or until its end."""
        async with self._turn:
            if self._newest is not None:
                known, sheet = self._newest
                if known == day and 0 <= min(now_ns, day.to_ns) - sheet.until_ns < FRESH_NS:
                    return sheet
            made = await asyncio.to_thread(day_sheet, self._sources, day, now_ns)
            self._newest = (day, made)
            return made


def day_sheet(sources: DaySources, day: LogDay, now_ns: int) -> Sheet:
    """Everything the box knows of the day."""
    span = Span(day.from_ns, min(day.to_ns, now_ns))
    alarms = sources.alarms.alarms(span.from_ns, span.to_ns)
    return Sheet(span.to_ns, tuple(_Day(sources, day, span, alarms).sections()))


class _Day:
    """One day being gathered."""

    def __init__(self, sources: DaySources, day: LogDay, span: Span, alarms: Sequence[Alarm]) -> None:
        self._sources = sources
        self._settings = sources.settings()
        self._day = day
        self._span = span
        self._alarms = alarms
        self._extremes = DayExtremes(sources.stores.history, span)

    def sections(self) -> Iterator[Section]:
        """In the order of the paper."""
        yield self._weather()
        yield self._cranes()
        yield self._pits()
        yield counts_section(self._alarms, self._span.from_ns, self._span.to_ns)
        notes = notes_by_alarm(self._records(RecordKind.ALARM_NOTE))
        title = Words("当日报警及处置", "Alarms of the day and how they were handled")
        yield alarms_section("alarms", title, self._alarms, notes)
        yield self._hand_entries()
        yield self._services()
        yield self._shelved()
        yield self._blind()
        yield self._orders()
        yield _video()

    def _records(self, kind: RecordKind) -> list[KeptRecord]:
        return self._sources.alarms.records([kind], self._span.from_ns, self._span.to_ns)

    def _weather(self) -> Section:
        masts = {asset.id for asset in self._settings.assets if asset.kind == WEATHER_MAST.id}
        points = [point for point in self._settings.points.points if point.asset in masts]
        rows = []
        for unit, beginnings, title, side in _WEATHER:
            for point in points:
                if point.unit == unit and point.quantity.startswith(beginnings) and "direction" not in point.quantity:
                    found = self._extremes.highest(point) if side == "high" else self._extremes.lowest(point)
                    rows.append((Cell(title), _extreme_cell(found, unit), moment(found.at_ns), plain(point.point_id)))
        header = (Words("项目", "Item"), Words("数值", "Value"), Words("时间", "Time"), Words("测点", "Point"))
        note = Words(
            "来源：现场气象站。未接入的项目由安全员填写。",
            "Source: the site's weather mast. What it does not measure is for the officer to write.",
        )
        return Section("weather", Words("天气", "Weather"), header, tuple(rows) or (_unknown_row(4),), note)

    def _cranes(self) -> Section:
        cranes = [asset for asset in self._settings.assets if asset.kind == TOWER_CRANE.id]
        header = (
            Words("塔式起重机", "Tower crane"),
            Words("工作循环", "Cycles"),
            Words("循环用时", "Time in cycles"),
            Words("最大力矩百分比", "Largest load moment"),
            Words("力矩报警循环", "Cycles with a moment alarm"),
            Words("最大风速", "Highest wind"),
            Words("报警", "Alarms"),
        )
        rows = tuple(self._crane_row(crane) for crane in cranes)
        note = Words("来源：塔机监测仪，由本机推算。", "Source: the cranes' monitors, derived on this box.")
        return Section("cranes", Words("塔式起重机", "Tower cranes"), header, rows or (nothing(len(header)),), note)

    def _crane_row(self, crane: AssetSettings) -> tuple[Cell, ...]:
        cycles = self._sources.stores.records.cycles(crane.id, self._span.from_ns, self._span.to_ns, MAX_ROWS)
        worked_s = sum(_cycle_s(cycle.content) for cycle in cycles)
        overloads = sum(cycle.content.get("moment_alarm") is True for cycle in cycles)
        heard = self._heard(crane.id)
        moment_pct = self._highest(self._points(crane.id, "moment_pct"))
        wind = self._highest(self._points(crane.id, "wind"))
        raised = sum(alarm.asset == crane.id and alarm.raised_at_ns >= self._span.from_ns for alarm in self._alarms)
        return (
            plain(crane.title_zh, crane.title_en),
            count(len(cycles)) if heard else UNKNOWN,
            amount(worked_s / 3600.0, "h") if heard else UNKNOWN,
            _extreme_cell(moment_pct, "%", Mark.DANGER if moment_pct.value >= 100.0 else Mark.NUMBER),
            count(overloads, Mark.DANGER if overloads else Mark.NUMBER) if heard else UNKNOWN,
            _extreme_cell(wind, "m/s"),
            count(raised, Mark.ATTENTION if raised else Mark.NUMBER),
        )

    def _points(self, asset: str, beginning: str) -> list[Point]:
        found = [point for point in self._settings.points.points if point.asset == asset]
        exact = [point for point in found if point.quantity == beginning]
        return exact or [point for point in found if point.quantity.startswith(beginning) and point.unit == "m/s"]

    def _heard(self, asset: str) -> bool:
        """Whether anything usable came of the asset at all: no cycles of a deaf crane are unknown, not none."""
        points = [point for point in self._settings.points.points if point.asset == asset and ":" not in point.device]
        found = (self._extremes.highest(point) for point in points[:8])
        return any(isfinite(each.value) or isfinite(each.doubtful) for each in found)

    def _highest(self, points: Sequence[Point]) -> Extreme:
        """Of points that mean the same."""
        found = [self._extremes.highest(point) for point in points]
        value = max((each.value for each in found if isfinite(each.value)), default=nan)
        doubtful = max((each.doubtful for each in found if isfinite(each.doubtful)), default=nan)
        return Extreme(value, 0, nan if doubtful <= value else doubtful)

    def _pits(self) -> Section:
        header = (
            Words("基坑", "Pit"),
            Words("开挖深度", "Excavated"),
            Words("最不利测点", "Worst point"),
            Words("状态", "State"),
            Words("累计变化", "Cumulative"),
            Words("变化速率", "Rate"),
            Words("未知测点", "Points unknown"),
        )
        rows = tuple(self._pit_row(pit) for pit in described_pits(self._settings))
        note = Words(
            "来源：基坑监测数据，按设计控制值判断；详见监测日报。",
            "Source: the pit's monitoring, judged by its control values; the daily report has all of it.",
        )
        return Section("pits", Words("深基坑", "Deep pits"), header, rows or (nothing(len(header)),), note)

    def _pit_row(self, pit: PitDescription) -> tuple[Cell, ...]:
        how = Print(0, self._span.to_ns)
        report = day_report(self._settings, pit, span_of(self._day.day), self._sources.stores, how)
        title = plain(
            report.heading.pit_title, next((a.title_en for a in self._settings.assets if a.id == pit.asset), None)
        )
        unknown = count(report.count(Level.UNKNOWN), Mark.UNKNOWN if report.count(Level.UNKNOWN) else Mark.NUMBER)
        depth = amount(_known(report.works.excavated_m), "m")
        worst = worst_point(report)
        if worst is None:
            return title, depth, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, unknown
        row, unit, rate_unit = worst
        level = Words(LEVELS[row.shown_level], _EN_LEVEL[row.shown_level])
        return (
            title,
            depth,
            plain(row.name),
            Cell(level, _LEVEL_MARK.get(row.shown_level, Mark.PLAIN)),
            amount(_known(row.cumulative), unit),
            amount(_known(row.rate_per_day), rate_unit),
            unknown,
        )

    def _hand_entries(self) -> Section:
        header = (
            Words("时间", "Time"),
            Words("基坑", "Pit"),
            Words("读数", "Readings"),
            Words("录入人", "Brought by"),
            Words("说明", "Reason"),
        )
        rows = rows_of(self._records(RecordKind.HAND_READINGS), hand_reading_row, len(header))
        title = Words("人工监测录入", "Readings made by hand")
        return Section("hand_entries", title, header, rows or (nothing(len(header)),))

    def _services(self) -> Section:
        header = _aside_header(Words("设备或测点", "Device or point"))
        rows = rows_of(self._records(RecordKind.SERVICE), service_row, len(header))
        title = Words("设备停用与恢复", "Devices out of service")
        return Section("services", title, header, rows or (nothing(len(header)),))

    def _shelved(self) -> Section:
        header = _aside_header(Words("报警", "Alarm"))
        rows = rows_of(shelvings(self._records(RecordKind.TRANSITION)), shelving_row, len(header))
        title = Words("报警搁置", "Alarms shelved")
        return Section("shelved", title, header, rows or (nothing(len(header)),))

    def _blind(self) -> Section:
        """When the box did not run, and which assets were not heard."""
        header = (Words("对象", "What"), Words("时长", "How long"), Words("说明", "Remark"))
        rows = [*self._off_rows(), *self._deaf_rows()]
        note = Words("未知时段不等于正常。", "What was not seen is not normal.")
        title = Words("监测中断与数据缺失", "Blind times")
        return Section("blind", title, header, tuple(rows) or (nothing(len(header)),), note)

    def _off_rows(self) -> Iterator[tuple[Cell, ...]]:
        starts = self._sources.alarms.starts(RecordKind.STARTED, RecordKind.STOPPED)
        running = joined(running_spans(starts, self._span.to_ns))
        for gap in gaps(running, self._span):
            said = f"{moment(gap.from_ns).words.zh} – {moment(gap.to_ns).words.zh}"
            yield plain("监控主机", "this box"), _minutes(gap.seconds / 60), Cell(Words(said, said), Mark.UNKNOWN)

    def _deaf_rows(self) -> Iterator[tuple[Cell, ...]]:
        points = [point for point in self._settings.points.points if ":" not in point.device]
        (shares,) = self._sources.quality.shares(points, [self._span])
        for asset in self._settings.assets:
            own = [shares[point.point_id] for point in points if point.asset == asset.id]
            if own and (minutes := _blind_minutes(own)):
                remark = Words("数据缺失或无效（最差测点）", "data missing or bad (worst point)")
                yield plain(asset.title_zh, asset.title_en), _minutes(minutes), Cell(remark, Mark.UNKNOWN)

    def _orders(self) -> Section:
        header = (
            Words("收到时间", "Received"),
            Words("编号", "Number"),
            Words("事项", "What"),
            Words("期限", "Deadline"),
        )
        rows = rows_of(self._records(RecordKind.MESSAGE), order_row, len(header))
        title = Words("监管部门指令", "Orders from the regulator")
        return Section("orders", title, header, rows or (nothing(len(header)),))


def _video() -> Section:
    header = (Words("项目", "Item"), Words("结果", "Result"))
    row = (
        plain("视频巡查", "Video checks"),
        Cell(Words("未接入视频识别", "no video recognition installed"), Mark.UNKNOWN),
    )
    return Section("video", Words("视频巡查", "Video checks"), header, (row,))


def _aside_header(what: Words) -> tuple[Words, ...]:
    return (
        Words("时间", "Time"),
        Words("操作", "Action"),
        what,
        Words("截止", "Until"),
        Words("操作人", "Who"),
        Words("原因", "Reason"),
    )


def _unknown_row(width: int) -> tuple[Cell, ...]:
    return tuple(UNKNOWN for _ in range(width))


def _extreme_cell(found: Extreme, unit: str, mark: Mark = Mark.NUMBER) -> Cell:
    """What was good, and what doubtful data said beyond it."""
    cell = amount(_known(found.value), unit, mark)
    if not isfinite(found.doubtful):
        return cell
    beyond = amount(found.doubtful, unit).words.zh
    words = Words(f"{cell.words.zh}（存疑数据 {beyond}）", f"{cell.words.en} (doubtful data: {beyond})")
    return Cell(words, cell.mark if cell.mark in (Mark.DANGER, Mark.UNKNOWN) else Mark.ATTENTION)


def _known(value: float) -> float | None:
    return float(value) if isfinite(value) else None


def _minutes(minutes: float) -> Cell:
    text = str(round(minutes))
    return Cell(Words(f"{text} 分钟", f"{text} min"), Mark.UNKNOWN)


def _cycle_s(content: Mapping[str, Json]) -> float:
    """How long a cycle took; 0 when its record does not say."""
    begun, ended = content.get("start_ns"), content.get("end_ns")
    if not isinstance(begun, int) or not isinstance(ended, int):
        return 0.0
    return max(0, ended - begun) / 1e9


def _blind_minutes(shares: Sequence[MinuteShares]) -> int:
    """Of the worst point."""
    return max(each.missing + each.bad for each in shares)


def worst_point(report: DailyReport) -> tuple[PointRow, str, str] | None:
    """The point on the highest step, whether or not it was read today; of several the one nearest to its control value,
    or the one that moved most."""
    steps = list(Level)
    rows = [
        (row, ITEMS[table.item].unit, ITEMS[table.item].rate_unit)
        for table in report.tables
        for row in table.rows
        if isfinite(row.cumulative) or row.shown_level not in (Level.UNKNOWN, Level.NORMAL)
    ]
    return max(rows, key=lambda each: (steps.index(each[0].shown_level), _used(each[0])), default=None)


def _used(row: PointRow) -> float:
    """The share of the control value; without one the movement itself counts little, and what is not known nothing."""
    limit = row.control.cumulative
    if not isfinite(row.cumulative):
        return 0.0
    return abs(row.cumulative) / abs(limit) if isfinite(limit) and limit else abs(row.cumulative) * 1e-6
