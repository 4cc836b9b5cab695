import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, time

import openpyxl
import pytest

from gateway.parts.pit.hand_entry import (
    EntryFault,
    FaultCode,
    KnownPoint,
    ParsedTable,
    When,
    fault_text,
    known_by_name,
    parse,
)
from gateway.parts.pit.hand_entry.tables import MOST_BYTES, MOST_LINES

NOW = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
WHEN = When(int(NOW.timestamp()) * 1_000_000_000)
KNOWN = {
    "ZQ-1": KnownPoint("pit-1.zq-1_hand", "mm", -500.0, 500.0),
    "zl-1": KnownPoint("pit-1.zl-1_hand", "kN"),
}
HEADER = "测点,时间,读数"


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000


def of_csv(*lines: str, encoding: str = "utf-8") -> ParsedTable:
    return parse("\r\n".join(lines).encode(encoding), "读数.csv", KNOWN, WHEN)


def of_excel(rows: Sequence[Sequence[object]], merge: str = "", date_format: str = "") -> ParsedTable:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "日报"
    for row in rows:
        sheet.append(list(row))
    if merge:
        sheet.merge_cells(merge)
    for row in sheet.iter_rows():
        for cell in row:
            if date_format and isinstance(cell.value, datetime):
                cell.number_format = date_format
    return parse(saved(book), "日报.xlsx", KNOWN, WHEN)


def saved(book: openpyxl.Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def codes(table: ParsedTable) -> list[tuple[int, FaultCode]]:
    return [(fault.line, fault.code) for fault in table.faults]


def one(cell: str, header: str = HEADER) -> ParsedTable:
    return of_csv(header, cell)


def test_a_plain_table() -> None:
    table = of_csv(HEADER, "ZQ-1,2026-03-04 09:30,12.5", "ZL-1,2026-03-04 09:40,850")
    assert table.faults == ()
    assert [(row.point_id, row.value, row.line) for row in table.rows] == [
        ("pit-1.zq-1_hand", 12.5, 2),
        ("pit-1.zl-1_hand", 850.0, 3),
    ]
    assert table.rows[0].at_ns == ns("2026-03-04T09:30:00+08:00")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_what_excel_and_notepad_write(encoding: str) -> None:
    assert len(of_csv("测点编号,观测时间,本次测值", "ZQ-1,2026-03-04 09:30,12.5", encoding=encoding).rows) == 1


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_columns_are_told_apart_by_any_usual_mark(mark: str) -> None:
    assert len(of_csv(HEADER.replace(",", mark), mark.join(["ZQ-1", "2026-03-04 09:30", "12.5"])).rows) == 1


def test_every_good_line_is_taken_and_every_bad_one_is_listed() -> None:
    table = of_csv(
        HEADER,
        "ZQ-1,2026-03-04 09:30,12.5",
        "ZQ-9,2026-03-04 09:30,12.5",
        "ZQ-1,2026-03-05 09:30,未测",
        "ZQ-1,2026-03-06 09:30,12.7m",
        "ZQ-1,2026-13-06 09:30,12.8",
        "ZQ-1,06/03/2026 09:30,12.9",
        "",
        "ZQ-1,2026-03-04 09:30,12.5",
        "ZQ-1,2026-04-04 09:30,13.0",
        "ZQ-1,2026-03-09 09:30,600",
        "ZL-1,2026-03-09 09:30,13.4",
    )
    assert [row.line for row in table.rows] == [2, 12]
    assert codes(table) == [
        (3, FaultCode.UNKNOWN_POINT),
        (4, FaultCode.BAD_NUMBER),
        (5, FaultCode.UNIT_MISMATCH),
        (6, FaultCode.BAD_TIME),
        (7, FaultCode.AMBIGUOUS_TIME),
        (9, FaultCode.DUPLICATE),
        (10, FaultCode.FUTURE_TIME),
        (11, FaultCode.OUT_OF_RANGE),
    ]


def test_rows_come_in_order_of_time() -> None:
    table = of_csv(HEADER, "ZQ-1,2026-03-05 09:30,2", "ZQ-1,2026-03-04 09:30,1", "ZL-1,2026-03-04 12:00,3")
    assert [row.value for row in table.rows] == [1, 3, 2]


@pytest.mark.parametrize(
    "written", ["12.5", " 12.5 ", "+12.5", "１２．５", "12.5mm", "12.5 毫米", "1.25e1", '"12.5"', "12.50㎜"]
)
def test_a_number_as_people_write_it(written: str) -> None:
    assert [row.value for row in one(f"ZQ-1,2026-03-04 09:30,{written}").rows] == [12.5]


@pytest.mark.parametrize("written", ["−3.2", "－3.2", "-3.2"])
def test_any_minus_is_a_minus(written: str) -> None:
    assert [row.value for row in one(f"ZQ-1,2026-03-04 09:30,{written}").rows] == [-3.2]


@pytest.mark.parametrize(
    "written", ["", "/", "—", "未测", "nan", "inf", "1e999", '"12,5"', "#DIV/0!", "1.2.3", "12.5abc", "TRUE", "--1"]
)
def test_what_is_no_number_is_not_guessed(written: str) -> None:
    assert codes(one(f"ZQ-1,2026-03-04 09:30,{written}")) == [(2, FaultCode.BAD_NUMBER)]


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-04 09:30",
        "2026/3/4 9:30",
        "2026.3.4 9:30:00",
        "2026年3月4日 9时30分",
        "2026年3月4日9时30分",
        "2026-03-04T09:30:00+08:00",
        "2026-03-04T01:30Z",
        "２０２６－０３－０４ ０９：３０",
    ],
)
def test_a_time_as_people_write_it(written: str) -> None:
    assert [row.at_ns for row in one(f"ZQ-1,{written},1").rows] == [ns("2026-03-04T09:30:00+08:00")]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("04/03/2026 09:30", FaultCode.AMBIGUOUS_TIME),
        ("26-03-04 09:30", FaultCode.AMBIGUOUS_TIME),
        ("2026-03-04", FaultCode.NO_TIME_OF_DAY),
        ("2026-02-30 09:30", FaultCode.BAD_TIME),
        ("2026-03-04 25:30", FaultCode.BAD_TIME),
        ("2026-03-04 3:30 PM", FaultCode.BAD_TIME),
        ("46085.4", FaultCode.BAD_TIME),
        ("昨天", FaultCode.BAD_TIME),
        ("", FaultCode.BAD_TIME),
        ("1970-01-01 09:30", FaultCode.BAD_TIME),
        ("2026-03-10 16:06", FaultCode.FUTURE_TIME),
    ],
)
def test_a_time_that_can_be_two_things_or_none_is_not_guessed(written: str, code: FaultCode) -> None:
    assert codes(one(f"ZQ-1,{written},1")) == [(2, code)]


def test_a_watch_that_is_a_little_fast_is_no_future() -> None:
    assert len(one("ZQ-1,2026-03-10 16:04,1").rows) == 1


def test_date_and_time_of_day_may_be_two_columns() -> None:
    header = "日期,时间,测点,读数"
    assert [row.at_ns for row in one("2026-03-04,09:30,ZQ-1,1", header).rows] == [ns("2026-03-04T09:30:00+08:00")]
    assert codes(one("2026-03-04,,ZQ-1,1", header)) == [(2, FaultCode.NO_TIME_OF_DAY)]
    assert codes(one("2026-03-04 09:30,09:31,ZQ-1,1", header)) == [(2, FaultCode.BAD_TIME)]


@pytest.mark.parametrize(
    ("header", "line", "taken"),
    [
        ("测点,时间,读数（mm）", "ZQ-1,2026-03-04 09:30,1", True),
        ("测点,时间,读数(cm)", "ZQ-1,2026-03-04 09:30,1", False),
        ("测点,时间,读数,单位", "ZQ-1,2026-03-04 09:30,1,毫米", True),
        ("测点,时间,读数,单位", "ZQ-1,2026-03-04 09:30,1,m", False),
        ("测点,时间,读数,单位", "ZQ-1,2026-03-04 09:30,1,尺", False),
        ("测点,时间,读数,单位", "ZL-1,2026-03-04 09:30,1,KN", True),
        ("测点,时间,读数,单位", "ZQ-1,2026-03-04 09:30,1,", True),
    ],
)
def test_a_unit_that_is_written_must_be_the_points(header: str, line: str, taken: bool) -> None:
    table = one(line, header)
    assert (len(table.rows) == 1) is taken
    assert taken or codes(table) == [(2, FaultCode.UNIT_MISMATCH)]


def test_the_header_may_stand_below_a_title_and_come_again() -> None:
    table = of_csv(
        "基坑监测日报表,,", ",,", HEADER, "ZQ-1,2026-03-04 09:30,1", HEADER, "ZQ-1,2026-03-05 09:30,2", "审核：,,"
    )
    assert [row.line for row in table.rows] == [4, 6]
    assert codes(table) == [(7, FaultCode.UNKNOWN_POINT)]


@pytest.mark.parametrize("header", ["a,b,c", "测点,读数", "测点,时间"])
def test_without_a_header_nothing_is_taken(header: str) -> None:
    assert codes(one("ZQ-1,2026-03-04 09:30,1", header)) == [(0, FaultCode.NO_HEADER)]


def test_two_columns_of_readings_are_not_chosen_between() -> None:
    table = one("ZQ-1,2026-03-04 09:30,1,2", "测点,时间,读数,测值")
    assert table.rows == ()
    assert codes(table) == [(1, FaultCode.TWO_COLUMNS)]


def test_a_short_line_is_a_fault_and_not_a_crash() -> None:
    assert codes(one("ZQ-1")) == [(2, FaultCode.BAD_NUMBER)]


def test_what_is_not_newer_than_the_last_reading_is_listed() -> None:
    known = {"ZQ-1": KnownPoint("p", "mm", last_ns=ns("2026-03-05T09:30:00+08:00"))}
    lines = [HEADER, "ZQ-1,2026-03-05 09:30,1", "ZQ-1,2026-03-05 09:31,2"]
    table = parse("\n".join(lines).encode(), "a.csv", known, WHEN)
    assert [row.value for row in table.rows] == [2]
    assert codes(table) == [(2, FaultCode.NOT_NEWER)]
    assert "2026-03-05 09:30:00" in fault_text(table.faults[0], "zh")


def test_a_point_may_be_named_by_its_id() -> None:
    assert len(one("pit-1.zq-1_hand,2026-03-04 09:30,1").rows) == 1


def test_a_name_that_two_pits_have_means_neither() -> None:
    points = [("zq-1", KnownPoint("pit-1.zq-1", "mm")), ("zq-1", KnownPoint("pit-2.zq-1", "mm"))]
    assert known_by_name([*points, ("zq-2", KnownPoint("pit-1.zq-2", "mm"))]).keys() == {"zq-2"}


def test_an_excel_table_with_dates_numbers_and_numbers_as_text() -> None:
    table = of_excel(
        [
            ["测点", "时间", "读数", "单位"],
            ["ZQ-1", datetime(2026, 3, 4, 9, 30), 12.5, "mm"],
            ["ZQ-1", datetime(2026, 3, 5, 9, 30), "12.7", None],
            ["ZQ-1", "2026-03-06 09:30", 13, None],
            ["ZL-1", datetime(2026, 3, 4, 9, 30), True, None],
            ["ZL-1", datetime(2026, 3, 5, 9, 30), None, None],
        ]
    )
    assert [(row.value, row.sheet, row.line) for row in table.rows] == [
        (12.5, "日报", 2),
        (12.7, "日报", 3),
        (13.0, "日报", 4),
    ]
    assert table.rows[0].at_ns == ns("2026-03-04T09:30:00+08:00")
    assert codes(table) == [(5, FaultCode.BAD_NUMBER), (6, FaultCode.BAD_NUMBER)]


def test_merged_cells_count_for_every_line_they_cover() -> None:
    rows = [["测点", "时间", "读数"], ["ZQ-1", datetime(2026, 3, 4, 9, 30), 1], [None, datetime(2026, 3, 5, 9, 30), 2]]
    table = of_excel(rows, merge="A2:A3")
    assert [(row.point_id, row.value) for row in table.rows] == [("pit-1.zq-1_hand", 1), ("pit-1.zq-1_hand", 2)]
    assert codes(of_excel(rows)) == [(3, FaultCode.UNKNOWN_POINT)]


def test_a_table_may_stand_anywhere_on_its_sheet() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for column, (name, value) in enumerate([("测点", "ZQ-1"), ("时间", datetime(2026, 3, 4, 9, 30)), ("读数", 1)]):
        sheet.cell(5, 3 + column, name)
        sheet.cell(6, 3 + column, value)
    sheet.cell(7, 4, datetime(2026, 3, 5, 9, 30))
    sheet.cell(7, 5, 2)
    sheet.merge_cells("C6:C7")
    table = parse(saved(book), "a.xlsx", KNOWN, WHEN)
    assert [(row.line, row.value) for row in table.rows] == [(6, 1), (7, 2)]


def test_a_title_merged_over_the_table_is_no_header() -> None:
    rows = [["基坑监测日报", None, None], ["测点", "时间", "读数"], ["ZQ-1", datetime(2026, 3, 4, 9, 30), 1]]
    assert len(of_excel(rows, merge="A1:C1").rows) == 1


def test_an_excel_date_without_a_time_of_day_is_no_midnight() -> None:
    rows = [["测点", "时间", "读数"], ["ZQ-1", datetime(2026, 3, 4), 1]]
    assert codes(of_excel(rows, date_format="yyyy-mm-dd")) == [(2, FaultCode.NO_TIME_OF_DAY)]
    assert [row.at_ns for row in of_excel(rows, date_format="yyyy-mm-dd hh:mm").rows] == [
        ns("2026-03-04T00:00:00+08:00")
    ]


def test_excel_dates_and_times_in_two_columns() -> None:
    rows = [["日期", "时间", "测点", "读数"], [date(2026, 3, 4), time(9, 30), "ZQ-1", 1]]
    assert [row.at_ns for row in of_excel(rows).rows] == [ns("2026-03-04T09:30:00+08:00")]


def test_excels_own_count_of_days_is_a_date() -> None:
    rows = [["测点", "时间", "读数"], ["ZQ-1", 46085 + 9.5 / 24, 1], ["ZQ-1", 46085, 1], ["ZQ-1", 9.5, 1]]
    table = of_excel(rows)
    assert [row.at_ns for row in table.rows] == [ns("2026-03-04T09:30:00+08:00")]
    assert codes(table) == [(3, FaultCode.NO_TIME_OF_DAY), (4, FaultCode.BAD_TIME)]


def test_hidden_sheets_and_sheets_without_a_header_are_passed_over() -> None:
    book = openpyxl.Workbook()
    book.active.append(["说明"])
    for title, state in (("数据", "visible"), ("旧数据", "hidden")):
        sheet = book.create_sheet(title)
        sheet.sheet_state = state
        sheet.append(["测点", "时间", "读数"])
        sheet.append(["ZQ-1", datetime(2026, 3, 4, 9, 30), 1])
    table = parse(saved(book), "a.xlsx", KNOWN, WHEN)
    assert [row.sheet for row in table.rows] == ["数据"]
    assert table.faults == ()


def broken_excel() -> bytes:
    whole = saved(openpyxl.Workbook())
    return whole[: len(whole) // 2]


def bomb(merged: str) -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["测点", "时间", "读数"])
    book.active.merge_cells("B2:C2")
    source, target = io.BytesIO(saved(book)), io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.namelist():
            new.writestr(entry, old.read(entry).replace(b'ref="B2:C2"', f'ref="{merged}"'.encode()))
    return target.getvalue()


def unpacks_to(size: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b" " * size)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", FaultCode.NO_HEADER),
        (b"\xff\xff\xff\xff\x80", FaultCode.UNREADABLE),
        (b"a,b\0c", FaultCode.UNREADABLE),
        (b"\xd0\xcf\x11\xe0" + b"x" * 100, FaultCode.OLD_EXCEL),
        (broken_excel(), FaultCode.UNREADABLE),
        (b"PK\x03\x04", FaultCode.UNREADABLE),
        (b"x" * (MOST_BYTES + 1), FaultCode.TOO_LARGE),
        (b"a,b\n" * (MOST_LINES + 1), FaultCode.TOO_LARGE),
        (b"," * 200, FaultCode.TOO_LARGE),
        (b'a,"' + b"x" * 200_000, FaultCode.UNREADABLE),
        (bomb("A1:XFD1048576"), FaultCode.TOO_LARGE),
        (bomb("nonsense"), FaultCode.UNREADABLE),
        (unpacks_to(9 * 2**20), FaultCode.TOO_LARGE),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_table_is_one_fault(content: bytes, code: FaultCode) -> None:
    table = parse(content, "a.csv", KNOWN, WHEN)
    assert table.rows == ()
    assert codes(table) == [(0, code)]


def test_every_fault_is_said_in_both_languages() -> None:
    for code in FaultCode:
        fault = EntryFault("日报", 7, code, "found", "expected")
        assert fault_text(fault, "zh").startswith("日报：第 7 行：")
        assert fault_text(fault, "en").startswith("日报, line 7: ")
        assert "{" not in fault_text(fault, "zh") + fault_text(fault, "en")


def test_a_long_cell_is_shown_shortened() -> None:
    table = one(f"{'长' * 500},2026-03-04 09:30,1")
    assert len(table.faults[0].found) == 60
