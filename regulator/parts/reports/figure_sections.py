"""The figures of section C as a report prints them, and what of them nobody knows and why."""

import math

from contract.canonical import Canonical, decimal_text
from kit.words import Words
from regulator.parts.reports.paper import UNKNOWN, Section, Text, TextSection, grid
from regulator.parts.reports.statistics.figure import Certainty, Figure
from regulator.parts.reports.statistics.gathering import Statistics
from regulator.parts.reports.statistics.review_figures import CameraRate
from regulator.parts.reports.statistics.shown import target_text, value_text

GROUPS = (
    ("alarms", Words("报警", "Alarms")),
    ("hazards", Words("隐患", "Hazards")),
    ("review", Words("研判", "Review")),
    ("feed", Words("数据接入", "What arrives")),
)
HEADS = (
    Words("指标", "Figure"),
    Words("数值", "Value"),
    "n",
    Words("统计窗口", "Window"),
    Words("目标", "Target"),
    Words("达标", "Met"),
    Words("说明", "Remarks"),
)
WIDTHS = (20, 13, 7, 17, 10, 7, 36)
BASIS = {
    Certainty.SECONDARY: Words("（二手来源）", " (secondary source)"),
    Certainty.PROPOSAL: Words("（建议值）", " (proposal)"),
    Certainty.RULE: Words(),
    Certainty.NONE: Words(),
}
MOST_RATES = 100


def figure_section(found: Statistics) -> TextSection:
    """Every figure, by group; the false-alarm rates of the cameras behind them."""
    grids = [
        grid(name, HEADS, [_row(each) for each in found.figures if each.definition.group == group], WIDTHS)
        for group, name in GROUPS
    ]
    rates = [_rate(rate) for rate in found.rates[:MOST_RATES]]
    heads = (
        Words("项目", "Project"),
        Words("摄像机或设备", "Camera or device"),
        Words("规则", "Rule"),
        "n",
        Words("误报率（95% 区间）", "False alarms (95 % interval)"),
    )
    words = Words(
        "每项注明样本数 n 与统计窗口；未知即注明未知，绝不以零代替；有数据不足 30 天的标注“仅供参考”。",
        "Each figure says of how many it is made (n) and of which days. What is unknown says so and is never written "
        "as zero. Figures from fewer than 30 days with data are marked indicative.",
    )
    caption = Words("各摄像机与规则的误报率", "False alarms by camera and rule")
    title = Words("一、统计指标", "1. Figures")
    return Section(title, (words,), (*grids, grid(caption, heads, rates, (22, 24, 24, 8, 22))))


def unknown_section(found: Statistics, more: list[tuple[Words, Words]]) -> TextSection:
    """What is not known. `more`: other things, with their reason."""
    rows = [(_name(each), each.why) for each in found.figures if each.unknown] + more
    said = () if rows else (Words("本期没有未知项。", "Nothing is unknown in this period."),)
    caption, heads = Words("未知事项", "What is unknown"), (Words("事项", "Matter"), Words("原因", "Why"))
    title = Words("九、未知事项及原因", "9. What is unknown, and why")
    return Section(title, said, (grid(caption, heads, rows, (40, 60)),) if rows else ())


def figure_body(figure: Figure) -> dict[str, Canonical]:
    """A figure for programs. `value` is a decimal text; null: not known."""
    what, window = figure.definition, figure.window
    return {
        "key": what.key,
        "zh": what.zh,
        "en": what.en,
        "value": None if figure.value is None else decimal_text(figure.value),
        "unit": what.unit,
        "n": figure.n,
        "low": decimal_text(figure.low),
        "high": decimal_text(figure.high),
        "days": window.days if window else 0,
        "covered_days": window.covered_days if window else 0,
        "indicative": figure.indicative,
        "target": target_text(figure),
        "certainty": what.certainty.value,
        "source": what.source,
        "why_zh": figure.why.zh,
        "why_en": figure.why.en,
    }


def _name(figure: Figure) -> Words:
    return Words(figure.definition.zh, figure.definition.en)


def _row(figure: Figure) -> tuple[Text, ...]:
    what = figure.definition
    meets = {None: Words(), True: Words("是", "yes"), False: Words("否", "no")}[figure.meets]
    zh = "；".join(text for text in (figure.why.zh, what.formula_zh, figure.note.zh) if text)
    en = "; ".join(text for text in (figure.why.en, what.formula_en, figure.note.en) if text)
    target, basis = target_text(figure), BASIS[what.certainty]
    aim = Words(f"{target or '看趋势'}{basis.zh}", f"{target or 'trend'}{basis.en}")
    return _name(figure), _value(figure), str(figure.n), _window(figure), aim, meets, Words(zh, en)


def _window(figure: Figure) -> Words:
    window = figure.window
    if window is None:
        return Words("期末时点", "at the end")
    zh, en = (
        f"{window.days} 天中 {window.covered_days} 天有数据",
        f"{window.covered_days} of {window.days} days with data",
    )
    return Words(f"{zh}，仅供参考", f"{en}, indicative") if figure.indicative else Words(zh, en)


def _value(figure: Figure) -> Text:
    if figure.unknown:
        return UNKNOWN
    unit = figure.definition.unit
    text = f"{value_text(figure.value, unit)} {unit}".strip()
    if math.isnan(figure.low):
        return text
    span = f"{value_text(figure.low, unit)}–{value_text(figure.high, unit)}"
    return Words(f"{text}（{span}）", f"{text} ({span})")


def _rate(rate: CameraRate) -> tuple[Text, ...]:
    share = rate.share
    said = Words("样本不足 20，不显示", "fewer than 20, not shown")
    if share is not None:
        value, low, high = (value_text(100 * each, "%") for each in (share.value, share.low, share.high))
        said = Words(f"{value} %（{low}–{high}）", f"{value} % ({low}–{high})")
    return rate.project_name, rate.source_id, rate.rule_id, str(rate.n), said
