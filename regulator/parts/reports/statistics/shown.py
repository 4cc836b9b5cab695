"""How figures are written, drawn and exported: one text of a value for page, file and report. Pure."""

import math
from collections.abc import Iterable, Iterator, Sequence

from regulator.base.documents.exports import Column, Table, Value
from regulator.parts.reports.statistics.figure import Certainty, Figure, Sense
from regulator.parts.reports.statistics.gathering import Statistics
from regulator.parts.reports.statistics.review_figures import CameraRate
from screens.formats import local_day

_BASIS = {
    Certainty.SECONDARY: "二手来源 secondary source",
    Certainty.PROPOSAL: "产品建议值 proposal of the product",
    Certainty.RULE: "规则规定 set by a rule",
    Certainty.NONE: "",
}
SPARK_WIDTH, SPARK_HEIGHT = 300, 40
FIGURE_COLUMNS = (
    Column("key", "标识", "key"),
    Column("zh", "指标", "figure (Chinese)"),
    Column("en", "指标（英文）", "figure"),
    Column("known", "是否可知", "known", "", "yes, or no: then why_zh and why_en say the reason"),
    Column("value", "数值", "value", "", "empty when not known, never zero instead"),
    Column("unit", "单位", "unit"),
    Column("n", "样本数", "n"),
    Column("low", "区间下限", "low", "", "95 % interval"),
    Column("high", "区间上限", "high", "", "95 % interval"),
    Column("from_day", "起", "from", "", "Shanghai day, included; empty: as things stood at the end"),
    Column("to_day", "止", "to", "", "Shanghai day, included"),
    Column("covered_days", "有数据天数", "days with data"),
    Column("indicative", "仅供参考", "indicative", "", "yes: fewer than thirty days with data"),
    Column("target", "目标", "target"),
    Column("certainty", "目标依据", "basis of the target", "", "empty: none"),
    Column("source", "来源", "source"),
    Column("formula_zh", "算法", "formula (Chinese)"),
    Column("formula_en", "算法（英文）", "formula"),
    Column("why_zh", "未知原因", "why not known (Chinese)"),
    Column("why_en", "未知原因（英文）", "why not known"),
    Column("note_zh", "说明", "note (Chinese)"),
    Column("note_en", "说明（英文）", "note"),
)
RATE_COLUMNS = (
    Column("project_code", "项目编号", "project"),
    Column("project_name", "项目", "name"),
    Column("source_id", "摄像机或设备", "camera or device"),
    Column("rule_id", "规则", "rule"),
    Column("n", "样本数", "n", "", "verdicts: true and false"),
    Column("rate", "误报率", "false-alarm rate", "%", "empty when n is below 20"),
    Column("low", "区间下限", "low", "%", "Wilson, 95 %"),
    Column("high", "区间上限", "high", "%", "Wilson, 95 %"),
)


def value_text(value: float | None, unit: str) -> str:
    """A number as a person reads it; a dash for none."""
    if value is None or math.isnan(value):
        return "–"
    if unit in ("", "s", "d") and float(value).is_integer():
        return str(int(value))
    return f"{value:.1f}" if unit == "%" and abs(value) >= 10 else f"{value:.2f}"


def target_text(figure: Figure) -> str:
    """`≤ 12`; empty for a figure that is only followed over time."""
    target = figure.definition.target
    return "" if target.sense is Sense.TREND else f"{target.sense.value} {value_text(target.value, '')}"


def figure_table(found: Statistics) -> Table:
    """The figures as a table for a spreadsheet."""
    return Table("statistics", FIGURE_COLUMNS, (_figure_row(figure) for figure in found.figures))


def rate_table(rates: Iterable[CameraRate]) -> Table:
    """False-alarm rates of cameras for a spreadsheet."""
    return Table("false-alarm-rates", RATE_COLUMNS, (_rate_row(rate) for rate in rates))


def spark_lines(values: Sequence[float | None]) -> list[str]:
    """Points of the lines of a small curve, from 0 to the largest value; it breaks off where nothing is known."""
    most = max((value for value in values if value is not None), default=0) or 1
    step = SPARK_WIDTH / max(1, len(values) - 1)
    lines: list[str] = []
    run: list[str] = []
    for place, value in enumerate((*values, None)):
        if value is not None:
            run.append(f"{place * step:.1f},{SPARK_HEIGHT - 2 - (SPARK_HEIGHT - 4) * value / most:.1f}")
        elif run:
            lines.append(" ".join(run if len(run) > 1 else [run[0], _beside(run[0])]))
            run = []
    return lines


def _beside(point: str) -> str:
    """A day alone is a short stroke."""
    x, _, y = point.partition(",")
    return f"{float(x) + 2:.1f},{y}"


def _figure_row(figure: Figure) -> tuple[Value, ...]:
    what, window = figure.definition, figure.window
    return (
        what.key, what.zh, what.en, "no" if figure.unknown else "yes",
        None if figure.value is None else round(figure.value, 6), what.unit, figure.n,
        *(None if math.isnan(end) else round(end, 6) for end in (figure.low, figure.high)),
        *_window(figure), window.covered_days if window else None, "yes" if figure.indicative else "no",
        target_text(figure), _BASIS[what.certainty], what.source, what.formula_zh, what.formula_en,
        figure.why.zh, figure.why.en, figure.note.zh, figure.note.en,
    )  # fmt: skip


def _window(figure: Figure) -> Iterator[str]:
    window = figure.window
    yield local_day(window.from_ns) if window else ""
    yield local_day(window.to_ns - 1) if window else ""


def _rate_row(rate: CameraRate) -> tuple[Value, ...]:
    share = rate.share
    numbers = (share.value, share.low, share.high) if share else (None, None, None)
    told = (None if number is None else round(100 * number, 3) for number in numbers)
    return (rate.project_code, rate.project_name, rate.source_id, rate.rule_id, rate.n, *told)
