"""The figures of section C as a report prints them, and what of them nobody knows and why."""

import math

from contract.canonical import Canonical, decimal_text
from regulator.reports.paper import UNKNOWN, Section, grid
from regulator.reports.statistics.figure import Certainty, Figure
from regulator.reports.statistics.gathering import Statistics
from regulator.reports.statistics.review_figures import CameraRate
from regulator.reports.statistics.shown import target_text, value_text

GROUPS = (("alarms", "报警"), ("hazards", "隐患"), ("review", "研判"), ("feed", "数据接入"))
HEADS = ("指标", "数值", "n", "统计窗口", "目标", "达标", "说明")
WIDTHS = (20, 13, 7, 17, 10, 7, 36)
BASIS = {Certainty.SECONDARY: "（二手来源）", Certainty.PROPOSAL: "（建议值）", Certainty.RULE: "", Certainty.NONE: ""}
MOST_RATES = 100


def figure_section(found: Statistics) -> Section:
    """Every figure, by group; the false-alarm rates of the cameras behind them."""
    grids = [
        grid(name, HEADS, [_row(each) for each in found.figures if each.definition.group == group], WIDTHS)
        for group, name in GROUPS
    ]
    rates = [_rate(rate) for rate in found.rates[:MOST_RATES]]
    heads = ("项目", "摄像机或设备", "规则", "n", "误报率（95% 区间）")
    words = "每项注明样本数 n 与统计窗口；未知即注明未知，绝不以零代替；有数据不足 30 天的标注“仅供参考”。"
    return Section(
        "一、统计指标", (words,), (*grids, grid("各摄像机与规则的误报率", heads, rates, (22, 24, 24, 8, 22)))
    )


def unknown_section(found: Statistics, more: list[tuple[str, str]]) -> Section:
    """What is not known. `more`: other things, with their reason."""
    rows = [(each.definition.zh, each.why.zh) for each in found.figures if each.unknown] + more
    said = () if rows else ("本期没有未知项。",)
    return Section("九、未知事项及原因", said, (grid("未知事项", ("事项", "原因"), rows, (40, 60)),) if rows else ())


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


def _row(figure: Figure) -> tuple[str, ...]:
    what, window = figure.definition, figure.window
    meets = {None: "", True: "是", False: "否"}[figure.meets]
    days = f"{window.days} 天中 {window.covered_days} 天有数据" if window else "期末时点"
    said = f"{days}，仅供参考" if figure.indicative else days
    words = "；".join(text for text in (figure.why.zh, what.formula_zh, figure.note.zh) if text)
    target = target_text(figure) or "看趋势"
    return what.zh, _value(figure), str(figure.n), said, f"{target}{BASIS[what.certainty]}", meets, words


def _value(figure: Figure) -> str:
    if figure.unknown:
        return UNKNOWN
    unit = figure.definition.unit
    text = f"{value_text(figure.value, unit)} {unit}".strip()
    if math.isnan(figure.low):
        return text
    return f"{text}（{value_text(figure.low, unit)}–{value_text(figure.high, unit)}）"


def _rate(rate: CameraRate) -> tuple[str, ...]:
    share = rate.share
    said = "样本不足 20，不显示"
    if share is not None:
        value, low, high = (value_text(100 * each, "%") for each in (share.value, share.low, share.high))
        said = f"{value} %（{low}–{high}）"
    return rate.project_name, rate.source_id, rate.rule_id, str(rate.n), said
