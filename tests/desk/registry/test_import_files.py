"""Files that are not what they should be: told with sheet, row, column and what was expected; nothing explodes."""

import io
import zipfile

import pytest
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from regulator.parts.registry.importing.columns import Header, ImportKind, find_header
from regulator.parts.registry.importing.csv_table import read_csv
from regulator.parts.registry.importing.lines import ReadLine, read_lines
from regulator.parts.registry.importing.table import MAX_ROWS, Fault, Sheet, UnreadableError
from regulator.parts.registry.importing.workbook_table import read_workbook

HEAD = ["项目编码", "项目名称", "市区划代码"]


def book(*rows: list[object], merged: str = "", title: str = "项目") -> bytes:
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    if merged:
        sheet.merge_cells(merged)
    made.save(kept := io.BytesIO())
    return kept.getvalue()


def rewritten(content: bytes, part: str, change: tuple[bytes, bytes]) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data.replace(*change) if name == part else data)
    return kept.getvalue()


def first(content: bytes) -> Sheet:
    return read_workbook("f.xlsx", content)[0]


def header_faults(sheet: Sheet) -> list[Fault]:
    found = find_header("f", ImportKind.PROJECTS, sheet)
    assert not isinstance(found, Header)
    return found


def lines(sheet: Sheet) -> list[ReadLine]:
    header = find_header("f", ImportKind.PROJECTS, sheet)
    assert isinstance(header, Header)
    return read_lines("f", ImportKind.PROJECTS, sheet, header)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_as_programs_in_china_write_it(encoding: str, mark: str) -> None:
    text = mark.join(HEAD) + "\r\n" + mark.join(["p-1", '"地铁\n二号线"', "4401"]) + "\r\n\r\np-2" + mark + "x\r\n"
    sheet = read_csv("f.csv", text.encode(encoding))
    assert [line.row for line in sheet.lines] == [1, 2, 5]
    assert lines(sheet)[0].values["name"] == "地铁\n二号线"


def test_text_stays_text_in_csv() -> None:
    name = '=HYPERLINK("x")<b>\'; DROP TABLE projects;--'
    quoted = '"' + name.replace('"', '""') + '"'
    read = lines(read_csv("f.csv", f"{','.join(HEAD)}\np-1,{quoted},4401\n".encode()))
    assert read[0].values["name"] == name
    assert read[0].faults == ()


@pytest.mark.parametrize(
    ("content", "expected", "row"),
    [
        ("项目".encode("utf-16"), "UTF-8 or GB18030", 0),
        (b"a,b\n\x00", "UTF-8 or GB18030", 0),
        (b"a,b\n\xff\xff\xff", "UTF-8 or GB18030", 2),
        (b'a,b\nc,"open', "CSV", 2),
        (b"a\n" * (MAX_ROWS + 3), "at most 5000 lines", MAX_ROWS + 2),
        (b",".join([b"a"] * 41), "at most 40 columns", 1),
        (b"a" * 4001, "4000 characters", 1),
    ],
)
def test_csv_that_cannot_be_read(content: bytes, expected: str, row: int) -> None:
    with pytest.raises(UnreadableError) as told:
        read_csv("f.csv", content)
    assert expected in told.value.fault.expected_en
    assert told.value.fault.row == row


def test_wrong_columns_are_named_with_what_may_stand_there() -> None:
    unknown = header_faults(first(book(["项目编码", "工程名", "市区划代码"], ["p", "x", "4401"])))
    assert [(fault.sheet, fault.row, fault.column, fault.found) for fault in unknown] == [("项目", 1, 2, "工程名")]
    assert "name" in unknown[0].expected_en
    missing = header_faults(first(book(["项目编码", "项目名称"], ["p", "x"])))
    assert "city_code" in missing[0].expected_en
    twice = header_faults(first(book([*HEAD, "项目编码"], ["p", "x", "4401", "q"])))
    assert twice[0].column == 4


def test_merged_cells_put_only_their_lines_aside() -> None:
    sheet = first(book(HEAD, ["a", "甲", "4401"], ["b", "乙", "4401"], ["c", "丙", "4401"], merged="C3:C4"))
    read = lines(sheet)
    assert [bool(each.faults) for each in read] == [False, True, True]
    assert read[1].faults[0].found == "C3:C4"
    assert header_faults(first(book([*HEAD, ""], ["a", "甲", "4401"], merged="C1:D1")))[0].found == "C1:D1"


def test_cells_that_do_not_say_what_they_show() -> None:
    read = lines(first(book(HEAD, ["=A1", "甲", 4401], [4401000000000000123, "乙", 4401.0], ["", "x", "4401", "y"])))
    assert read[0].faults[0].expected_en == "a value, no formula"
    assert (read[0].faults[0].row, read[0].faults[0].column, read[0].faults[0].column_name) == (2, 1, "项目编码")
    assert read[1].faults[0].expected_en == "a long code has to be formatted as text"
    assert read[1].values["city_code"] == "4401"
    assert [fault.column for fault in read[2].faults] == [1, 4]


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    content = book(HEAD, ["a", "甲", "4401"])
    kept = io.BytesIO(content)
    with zipfile.ZipFile(kept, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet2.xml", b" " * (33 * 1024 * 1024))
    assert len(kept.getvalue()) < 100_000
    with pytest.raises(UnreadableError, match="at most 32 MB"):
        first(kept.getvalue())


def test_an_entity_bomb_is_refused() -> None:
    bomb = rewritten(book(HEAD), "xl/workbook.xml", (b"<workbook", b'<!DOCTYPE x [<!ENTITY a "aa">]><workbook'))
    with pytest.raises(UnreadableError, match="DOCTYPE"):
        first(bomb)


def test_far_away_cells_and_giant_merges_cost_nothing() -> None:
    part = "xl/worksheets/sheet1.xml"
    far = rewritten(book(HEAD, ["a", "甲", "4401"]), part, (b'r="2"', b'r="1048576"'))
    assert len(first(far).lines) == 1
    giant = book(HEAD, ["a", "甲", "4401"], merged="A2:B2")
    giant = rewritten(giant, part, (b'ref="A2:B2"', b'ref="A2:XFD1048576"'))
    assert lines(first(giant))[0].faults
    wide = f"{get_column_letter(16384)}2".encode()
    assert (
        len(first(rewritten(book(HEAD, ["a", "甲", "x"]), part, (b'r="C2"', b'r="' + wide + b'"'))).lines[1].cells) == 2
    )


@pytest.mark.parametrize("content", [b"PK\x03\x04 no zip", b"PK\x03\x04", b""])
def test_what_is_no_workbook(content: bytes) -> None:
    with pytest.raises(UnreadableError, match="an XLSX workbook"):
        first(content)


def test_a_zip_that_is_no_workbook() -> None:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as packed:
        packed.writestr("a.txt", "x")
    with pytest.raises(UnreadableError, match="an XLSX workbook"):
        first(kept.getvalue())
