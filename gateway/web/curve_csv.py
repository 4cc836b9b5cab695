"""Curves as CSV, as Excel opens it: a mark of UTF-8 in front, a header in both languages, nothing that calculates.

One line a sample or a stretch of unknown. In: `PointCurve`s. Out: text.
"""

import csv
import io
from collections.abc import Iterator, Sequence

from gateway.model.alarm import Alarm
from gateway.store.curve_series import Resolution, Unknown
from gateway.web.curve_data import PointCurve
from gateway.web.curve_rows import TableLine, table_lines
from screens.formats import local_day_time, unit_sign

BYTE_ORDER_MARK = "\ufeff"
HEADER = (
    "时间 (UTC+8) / Time (UTC+8)",
    "至 / Until",
    "UTC ns",
    "设备 / Asset",
    "测点 / Point",
    "名称 / Title (zh)",
    "Title (en)",
    "单位 / Unit",
    "最低 / Lowest",
    "最高 / Highest",
    "平均 / Mean",
    "质量 / Quality",
    "分辨率 / Resolution",
    "报警 / Alarm",
)
QUALITIES = {
    None: "正常 good",
    Unknown.MISSING: "未知：无数据 missing",
    Unknown.BAD: "未知：坏数据 bad",
    Unknown.SUSPECT: "未知：可疑数据 suspect",
    Unknown.PARTLY: "部分未知 partly unknown",
}
RESOLUTIONS = {Resolution.RAW: "原始 raw", Resolution.MINUTE: "一分钟 minute"}
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def curves_csv(curves: Sequence[PointCurve]) -> str:
    """The whole file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    for curve in curves:
        writer.writerows(_lines(curve))
    return BYTE_ORDER_MARK + out.getvalue()


def plain(text: str) -> str:
    """A text that no table program takes for a formula."""
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) else text


def _lines(curve: PointCurve) -> Iterator[list[str]]:
    point = curve.point
    named = [
        plain(text) for text in (point.asset, point.point_id, point.title_zh, point.title_en, unit_sign(point.unit))
    ]
    for line in table_lines(curve.series):
        times = [local_day_time(line.at_ns), local_day_time(line.until_ns), str(line.at_ns)]
        values = [_number(value) for value in (line.low, line.high, line.mean)]
        yield [*times, *named, *values, QUALITIES[line.unknown], _resolution(curve, line), _alarms(curve, line)]


def _resolution(curve: PointCurve, line: TableLine) -> str:
    part = next((part for part in curve.series.parts if line.at_ns <= part.to_ns), curve.series.parts[-1])
    return RESOLUTIONS[part.resolution]


def _alarms(curve: PointCurve, line: TableLine) -> str:
    return " ".join(plain(alarm.rule.rule_id) for alarm in curve.episodes if _held(alarm, line))


def _held(alarm: Alarm, line: TableLine) -> bool:
    ended = alarm.returned_at_ns if not alarm.active else line.until_ns + 1
    return alarm.raised_at_ns <= line.until_ns and line.at_ns < ended


def _number(value: float | None) -> str:
    """As it was read; a number is never taken for a formula."""
    return "" if value is None else repr(value)
