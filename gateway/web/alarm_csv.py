"""Closed alarms as a table for a spreadsheet: UTF-8 with a mark at its beginning, and no cell that is a formula.

In: alarms, a language, the assets' names. Out: bytes. Times are the site's, numbers SI as measured.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gateway.model.alarm import Alarm
from gateway.web.reasons import reason_in
from screens.catalogue import Language
from screens.citing import certainty_text, clause_text
from screens.formats import local_day_time

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_HEADS_ZH: Final = """
报警编号 级别 报警 对象 测点或设备 报警值 最不利值 限值 单位 发生 恢复 确认 确认人 确认原因 限值来源 依据 依据可信度
规则
"""
_HEADS_EN: Final = (
    "alarm id|severity|alarm|asset|point or device|measured|worst|limit|unit|raised|returned|acknowledged"
    "|acknowledged by|reason|limit source|clause|certainty|rule"
)


def table_of(alarms: Sequence[Alarm], language: str, titles: Mapping[str, tuple[str, str]]) -> bytes:
    """One line an alarm, below a line of heads."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_HEADS_EN.split("|") if language == "en" else _HEADS_ZH.split())
    for alarm in alarms:
        writer.writerow(list(_cells(alarm, language, titles)))
    return BYTE_ORDER_MARK + text.getvalue().encode()


def safe_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cells(alarm: Alarm, language: str, titles: Mapping[str, tuple[str, str]]) -> Iterator[object]:
    info, english = alarm.rule, language == "en"
    spoken: Language = "en" if english else "zh-CN"
    zh, en = titles.get(alarm.asset, (alarm.asset, alarm.asset))
    yield from map(safe_cell, (alarm.alarm_id, str(info.severity), info.title_en if english else info.title_zh))
    yield from map(safe_cell, (en if english else zh, alarm.subject))
    yield from (_figure(alarm.measured), _figure(alarm.worst), _figure(alarm.limit), safe_cell(info.unit))
    for at_ns in (alarm.raised_at_ns, alarm.returned_at_ns, alarm.acknowledged_at_ns):
        yield local_day_time(at_ns) if at_ns else ""
    reason = reason_in(language, alarm.acknowledge_reason)
    yield from map(safe_cell, (alarm.acknowledged_by, reason, info.limit_source))
    yield from map(safe_cell, (clause_text(spoken, info.clause), certainty_text(spoken, info.certainty)))
    yield safe_cell(info.rule_id)


def _figure(value: float) -> object:
    return "" if value != value else value  # noqa: PLR0124 - NaN is an empty cell
