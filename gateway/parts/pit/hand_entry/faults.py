"""What can be wrong with a line of a surveyor's table, and how it is said in Chinese and English.

In: a code and what was found. Out: a sentence. Knows nothing of how faults are found.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

SHOWN_CHARACTERS = 60


class FaultCode(StrEnum):
    """The reasons for which a line, or a whole file, is not taken."""

    UNREADABLE = "unreadable"
    OLD_EXCEL = "old_excel"
    TOO_LARGE = "too_large"
    NO_HEADER = "no_header"
    TWO_COLUMNS = "two_columns"
    UNKNOWN_POINT = "unknown_point"
    BAD_NUMBER = "bad_number"
    OUT_OF_RANGE = "out_of_range"
    UNIT_MISMATCH = "unit_mismatch"
    BAD_TIME = "bad_time"
    AMBIGUOUS_TIME = "ambiguous_time"
    NO_TIME_OF_DAY = "no_time_of_day"
    FUTURE_TIME = "future_time"
    DUPLICATE = "duplicate"
    NOT_NEWER = "not_newer"


@dataclass(frozen=True, slots=True)
class EntryFault:
    """One line that was not taken. `line` is 1-based, 0 for the file or sheet as a whole; `sheet` is empty for CSV.

    `found` is what stands there, shortened; `expected` belongs into the sentence where it has a place for it.
    """

    sheet: str
    line: int
    code: FaultCode
    found: str = ""
    expected: str = ""


_TEXTS: dict[FaultCode, tuple[str, str]] = {
    FaultCode.UNREADABLE: ("文件无法读取（{found}）", "the file cannot be read ({found})"),
    FaultCode.OLD_EXCEL: (
        "旧版 Excel（.xls）或加密文件，请另存为 .xlsx 或 CSV",
        "an old Excel file (.xls) or an encrypted one: save it as .xlsx or CSV",
    ),
    FaultCode.TOO_LARGE: ("文件过大（上限 {expected}）", "the file is too large (at most {expected})"),
    FaultCode.NO_HEADER: (
        "没有找到表头：需要测点、时间、读数三列",
        "no header row: columns for point, time and reading are needed",
    ),
    FaultCode.TWO_COLUMNS: ("表头中“{found}”与前面的列重复", "the header has a second column for the same: {found}"),
    FaultCode.UNKNOWN_POINT: ("未知测点“{found}”", "unknown point {found!r}"),
    FaultCode.BAD_NUMBER: ("读数“{found}”不是数字", "the reading {found!r} is no number"),
    FaultCode.OUT_OF_RANGE: ("读数 {found} 超出合理范围 {expected}", "the reading {found} is outside {expected}"),
    FaultCode.UNIT_MISMATCH: (
        "单位“{found}”与测点单位 {expected} 不符",
        "the unit {found!r} is not the point's, {expected}",
    ),
    FaultCode.BAD_TIME: ("时间“{found}”无法识别", "the time {found!r} cannot be read"),
    FaultCode.AMBIGUOUS_TIME: (
        "日期“{found}”有歧义，请写成 2026-03-04 09:30",
        "the date {found!r} can be read two ways: write 2026-03-04 09:30",
    ),
    FaultCode.NO_TIME_OF_DAY: ("“{found}”缺少时刻，请写明几点几分", "{found!r} has no time of day"),
    FaultCode.FUTURE_TIME: ("时间 {found} 晚于当前时间", "the time {found} is in the future"),
    FaultCode.DUPLICATE: (
        "同一测点同一时间重复（首次在第 {expected} 行）",
        "the same point and time a second time (first on line {expected})",
    ),
    FaultCode.NOT_NEWER: (
        "时间 {found} 不晚于该测点已有的读数 {expected}",
        "the time {found} is not later than the point's last reading, {expected}",
    ),
}


def fault_text(fault: EntryFault, language: Literal["zh", "en"] = "zh") -> str:
    """One sentence with its place."""
    chinese, english = _TEXTS[fault.code]
    sheet = f"{fault.sheet}：" if fault.sheet else ""
    if language == "zh":
        place = f"{sheet}第 {fault.line} 行：" if fault.line else sheet
        return place + chinese.format(found=fault.found, expected=fault.expected)
    sheet = f"{fault.sheet}, " if fault.sheet else ""
    place = f"{sheet}line {fault.line}: " if fault.line else sheet
    return place + english.format(found=fault.found, expected=fault.expected)


def shortened(text: str) -> str:
    """What is shown of something that was found."""
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
