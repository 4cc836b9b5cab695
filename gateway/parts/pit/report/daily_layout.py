"""Layout of the daily report: headings, facts and tables of texts, the same for HTML and PDF.

In: a `DailyReport`. Out: a `Page` of texts and marks. Every number that is not known becomes 未知 here, and no cell is
left empty but where people sign. Knows neither tags nor fonts.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import isfinite

from gateway.parts.pit.forecast.forecast import Stage
from gateway.parts.pit.model.items import ITEMS
from gateway.parts.pit.report.daily_report import (
    Control,
    DailyReport,
    ForecastRow,
    Form,
    ItemTable,
    Level,
    PatrolLine,
    PointRow,
    ReadingState,
)
from screens.citing import certainty_text, clause_text
from screens.formats import SITE_ZONE

UNKNOWN = "未知"
BY_HAND = "（现场填写）"
NONE_SET = "未设"

LEVELS: Mapping[Level, str] = {
    Level.UNKNOWN: UNKNOWN,
    Level.NORMAL: "正常",
    Level.ATTENTION: "关注",
    Level.WARNING: "预警",
    Level.ALARM: "报警",
    Level.DANGER: "危险",
}
READINGS: Mapping[ReadingState, str] = {
    ReadingState.GOOD: "有效",
    ReadingState.SUSPECT: "存疑",
    ReadingState.BAD: "无效",
    ReadingState.MISSING: "缺测",
}
SOURCES: Mapping[str, str] = {
    "design": "设计文件",
    "maker_manual": "厂家说明书",
    "site_scheme": "专项方案",
    "local_code": "地方标准",
    "national_code": "国家标准",
    "product_default": "产品默认值",
}
STAGES: Mapping[Stage, str] = {
    Stage.UNKNOWN: UNKNOWN,
    Stage.DECELERATING: "减速",
    Stage.STEADY: "等速",
    Stage.INITIAL_ACCELERATION: "初加速",
    Stage.MEDIUM_ACCELERATION: "中加速",
    Stage.IMMINENT: "临近失稳",
}
FORMS: Mapping[Form, str] = {
    **{form: f"附录{form}" for form in Form if form is not Form.OTHER},
    Form.OTHER: "附录归属待核实",
}
SIGNATURES = ("监测人", "计算人", "校核人", "项目负责人", "监理")


class Mark(StrEnum):
    """How a cell stands out; also the class name in HTML."""

    PLAIN = "plain"
    NUMBER = "number"
    UNKNOWN = "unknown"
    ATTENTION = "attention"
    DANGER = "danger"
    BY_HAND = "hand"


LEVEL_MARKS: Mapping[Level, Mark] = {
    Level.UNKNOWN: Mark.UNKNOWN,
    Level.NORMAL: Mark.PLAIN,
    Level.ATTENTION: Mark.ATTENTION,
    Level.WARNING: Mark.ATTENTION,
    Level.ALARM: Mark.DANGER,
    Level.DANGER: Mark.DANGER,
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A text and how it stands out."""

    text: str
    mark: Mark = Mark.PLAIN


@dataclass(frozen=True, slots=True)
class Section:
    """A table with its title and a line below it. `widths` are shares of the page's width."""

    title: str
    header: tuple[str, ...]
    widths: tuple[float, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """The whole report, in the order in which it is printed."""

    title: str
    facts: tuple[tuple[str, Cell], ...]
    sections: tuple[Section, ...]
    signatures: tuple[str, ...]
    footer: str


def lay_out(report: DailyReport) -> Page:
    """The report as texts."""
    heading = report.heading
    sections = [
        *(_item_section(table) for table in sorted(report.tables, key=lambda table: list(Form).index(table.form))),
        _not_measured(report),
        _forecasts(report),
        _patrol(report.patrol),
    ]
    footer = f"{heading.pit} {heading.day.isoformat()} 第 {heading.number} 期"
    return Page(f"{heading.pit_title} 基坑监测日报", tuple(_facts(report)), tuple(sections), SIGNATURES, footer)


def text(known: str) -> Cell:
    """A text, 未知 when it is empty."""
    return Cell(known) if known.strip() else Cell(UNKNOWN, Mark.UNKNOWN)


def number(value: float, decimals: int, *, signed: bool = False) -> Cell:
    """A number with so many decimals, never "-0"; 未知 when it is not finite."""
    if not isfinite(value):
        return Cell(UNKNOWN, Mark.UNKNOWN)
    rounded = round(value, decimals) + 0.0
    return Cell(f"{rounded:+.{decimals}f}" if signed and rounded else f"{rounded:.{decimals}f}", Mark.NUMBER)


def _facts(report: DailyReport) -> Iterator[tuple[str, Cell]]:
    heading, works = report.heading, report.works
    yield "工程名称", text(heading.project)
    yield "项目编号", text(heading.project_code)
    yield "监测单位", text(heading.monitoring_unit)
    yield "监测日期", Cell(heading.day.isoformat())
    yield "报告期号", Cell(f"第 {heading.number} 期")
    yield "天气", _weather(report)
    yield "施工工况", text(works.stage)
    yield "开挖深度", _with_unit(works.excavated_m, 2, "m")
    yield "设计深度", _with_unit(works.design_depth_m, 2, "m")
    yield "安全等级", text(works.grade)
    yield "监控主机", text(heading.box)
    yield "编制时间", Cell(_time(heading.prepared_at))
    yield "测点状态", Cell("，".join(f"{LEVELS[level]} {report.count(level)}" for level in reversed(Level)))
    yield "说明", Cell(report.remarks or "无")


def _weather(report: DailyReport) -> Cell:
    weather = report.weather
    lowest, highest = number(weather.lowest_c, 0).text, number(weather.highest_c, 0).text
    rain = number(weather.rain_mm, 1).text
    return Cell(f"{weather.text or UNKNOWN}；气温 {lowest}～{highest} ℃；24 h 降雨 {rain} mm")


def _with_unit(value: float, decimals: int, unit: str) -> Cell:
    cell = number(value, decimals)
    return Cell(f"{cell.text} {unit}") if cell.mark is Mark.NUMBER else cell


def _time(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("a report's time has no time zone")
    return at.astimezone(SITE_ZONE).strftime("%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    width: float
    cell: Callable[[PointRow], Cell]


def _item_section(table: ItemTable) -> Section:
    facts = ITEMS[table.item]
    columns = _columns(table)
    header = tuple(column.title for column in columns)
    rows = tuple(tuple(column.cell(row) for column in columns) for row in table.rows)
    note = f"监测仪器：{table.instrument or UNKNOWN}。位移、沉降以规定方向为正；控制值的来源、条款与可信度见表。"
    title = f"{facts.title_zh}（{FORMS[table.form]}）"
    return Section(title, header, tuple(column.width for column in columns), rows, note)


def _columns(table: ItemTable) -> list[_Column]:
    facts, decimals = ITEMS[table.item], table.decimals
    unit, rate_unit = facts.unit, facts.rate_unit
    columns = [
        _Column("测点", 6, lambda row: text(row.name)),
        _Column("深度 m", 4, lambda row: number(row.depth_m, 1)),
        _Column(f"上次值 {unit}", 6, lambda row: number(row.previous, decimals)),
        _Column(f"本次值 {unit}", 6, lambda row: number(row.current, decimals)),
        _Column(f"本次变化 {unit}", 6, lambda row: number(row.change, decimals, signed=True)),
        _Column(f"累计变化 {unit}", 6, lambda row: number(row.cumulative, decimals, signed=True)),
        _Column(f"变化速率 {rate_unit}", 7, lambda row: number(row.rate_per_day, decimals, signed=True)),
        _Column(f"累计控制值 {unit}", 7, lambda row: _cumulative_limit(row.control, decimals)),
        _Column(f"速率控制值 {rate_unit}", 7, lambda row: _limit(row.control.rate_per_day, decimals)),
        _Column("控制值来源", 13, lambda row: _source(row.control)),
        _Column("状态", 5, lambda row: Cell(LEVELS[row.shown_level], LEVEL_MARKS[row.shown_level])),
        _Column("数据", 5, lambda row: _reading(row.reading)),
        _Column("备注", 9, lambda row: Cell(row.remark or "无")),
    ]
    return columns if table.form is Form.B else [column for column in columns if column.title != "深度 m"]


def _limit(value: float, decimals: int) -> Cell:
    return number(value, decimals) if isfinite(value) else Cell(NONE_SET, Mark.UNKNOWN)


def _cumulative_limit(control: Control, decimals: int) -> Cell:
    upper = _limit(control.cumulative, decimals)
    if not isfinite(control.lower):
        return upper
    lower = number(control.lower, decimals).text
    return Cell(f"≥ {lower}" if upper.mark is Mark.UNKNOWN else f"{lower} ～ {upper.text}", Mark.NUMBER)


def _source(control: Control) -> Cell:
    if not control.is_set:
        return Cell(NONE_SET, Mark.UNKNOWN)
    said = (
        SOURCES.get(control.source, control.source),
        clause_text("zh-CN", control.clause),
        certainty_text("zh-CN", control.certainty),
    )
    return Cell(" / ".join(part or UNKNOWN for part in said))


def _reading(state: ReadingState) -> Cell:
    return Cell(READINGS[state], Mark.PLAIN if state is ReadingState.GOOD else Mark.UNKNOWN)


def _not_measured(report: DailyReport) -> Section:
    """What the standard knows and this report says nothing of: not normal, not known."""
    present = {table.item for table in report.tables if table.rows}
    rows = tuple(
        (Cell(facts.title_zh), Cell(UNKNOWN, Mark.UNKNOWN)) for item, facts in ITEMS.items() if item not in present
    )
    if not rows:
        rows = ((Cell("无"), Cell("全部项目均有测点")),)
    note = "未布设测点或未接入本系统；是否应测见 GB 50497-2019 表 4.2.1 及监测方案。"
    return Section("本报告无数据的监测项目", ("监测项目", "状态"), (3, 1), rows, note)


def _forecasts(report: DailyReport) -> Section:
    notable = sorted((row for row in report.forecasts if row.notable), key=lambda row: -row.forecast.stage)
    header = ("测点", "监测项目", "变形阶段", "切线角 °", "距失稳时间 h（90 % 区间）", "达到控制值 d")
    unknown = sum(row.forecast.stage is Stage.UNKNOWN and not row.notable for row in report.forecasts)
    quiet = len(report.forecasts) - len(notable) - unknown
    rows = tuple(_forecast_row(row) for row in notable) or ((Cell("无"), *[Cell("—")] * (len(header) - 1)),)
    note = (
        f"另有 {quiet} 个测点无加速迹象，{unknown} 个测点{UNKNOWN}。"
        f"反速度法（Fukuzono/Voight）给出区间，条件不满足时为{UNKNOWN}，不等于安全；"
        "注明“也可能趋稳”的，现有读数尚不能排除变形自行停止；"
        "支撑失稳、涌水涌砂等突发破坏没有此类前兆，预报只作补充，不代替控制值判断。"
    )
    return Section("失稳预报与变形趋势", header, (2, 3, 2, 2, 3, 2), rows, note)


def _forecast_row(row: ForecastRow) -> tuple[Cell, ...]:
    said = row.forecast
    low, high = number(said.failure_low_h, 0), number(said.failure_high_h, 0)
    known = low.mark is Mark.NUMBER and high.mark is Mark.NUMBER
    unsure = "" if said.clear else "（也可能趋稳）"
    interval = Cell(f"{low.text} ～ {high.text}{unsure}", Mark.DANGER) if known else Cell(UNKNOWN, Mark.UNKNOWN)
    mark = Mark.DANGER if said.stage >= Stage.MEDIUM_ACCELERATION else Mark.ATTENTION
    return (
        text(row.point),
        Cell(ITEMS[row.item].title_zh),
        Cell(STAGES[said.stage], mark),
        number(said.tangent_deg, 0),
        interval,
        number(said.days_to_limit, 1),
    )


# What to look at on the patrol, by place: after GB 50497-2019 4.3, from memory (M-M); the site's scheme may add to it.
PATROL = (
    PatrolLine("支护结构", "支护结构成型质量；冠梁、支撑、围檩有无裂缝；支撑、立柱有无较大变形"),
    PatrolLine("支护结构", "止水帷幕有无开裂、渗漏；墙后土体有无裂缝、沉陷、滑移；坑底有无涌土、流砂、管涌"),
    PatrolLine("施工工况", "开挖后土质与勘察报告有无差异；开挖分段长度、分层厚度与支护设置是否与设计一致"),
    PatrolLine("施工工况", "场地地表水、地下水排放是否正常；降水、回灌设施是否正常；坑边地面有无超载"),
    PatrolLine("周边环境", "管道有无破损、泄漏；周边建筑有无新增裂缝；道路、地面有无裂缝、沉陷；邻近施工变化"),
    PatrolLine("监测设施", "基准点、监测点完好状况；监测元件的完好及保护情况；有无影响观测的障碍物"),
)


def _patrol(lines: tuple[PatrolLine, ...]) -> Section:
    rows = tuple(
        (Cell(line.place), Cell(line.look_at), Cell(line.finding) if line.finding else Cell(BY_HAND, Mark.BY_HAND))
        for line in lines or PATROL
    )
    note = "巡视内容参照 GB 50497-2019 第 4.3 节（M-M，待核实）；未填写不表示正常。"
    return Section("现场巡视检查（附录G）", ("部位", "巡视内容", "巡视结果"), (2, 9, 5), rows, note)
