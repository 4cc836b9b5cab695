"""Which columns each kind of list has, and finding them in a header row. Pure."""

from dataclasses import dataclass
from enum import Enum

from regulator.parts.registry.importing.table import Fault, Line, Sheet


class ImportKind(Enum):
    """What the lines of a list are: projects, devices, or the set."""

    PROJECTS = "projects"
    DEVICES = "devices"
    SET = "set"


@dataclass(frozen=True, slots=True)
class Column:
    """`key` is the field's name in the registry; either name may stand in the header. `needed`: may not be absent."""

    key: str
    zh: str
    needed: bool = False


COLUMNS: dict[ImportKind, tuple[Column, ...]] = {
    ImportKind.PROJECTS: (
        Column("project_code", "项目编码", needed=True),
        Column("name", "项目名称", needed=True),
        Column("city_code", "市区划代码", needed=True),
        Column("county_code", "县区划代码"),
        Column("category", "项目类别"),
        Column("stage", "施工阶段"),
        Column("started_on", "开工日期"),
        Column("address", "地址"),
        Column("owner_code", "建设单位代码"),
        Column("owner_name", "建设单位名称"),
        Column("contractor_code", "施工单位代码"),
        Column("contractor_name", "施工单位名称"),
        Column("supervisor_code", "监理单位代码"),
        Column("supervisor_name", "监理单位名称"),
    ),
    ImportKind.DEVICES: (
        Column("project_code", "项目编码", needed=True),
        Column("device_code", "设备编号", needed=True),
        Column("kind", "设备类型", needed=True),
        Column("name", "设备名称", needed=True),
        Column("firm_code", "产权单位代码"),
        Column("serial", "出厂编号"),
        Column("registration", "使用登记编号"),
        Column("asset", "监控主机内名称"),
    ),
    ImportKind.SET: (
        Column("project_code", "项目编码", needed=True),
        Column("category", "名单类别", needed=True),
        Column("category_reason", "类别理由"),
        Column("effective_day", "生效日期", needed=True),
        Column("reason", "列入理由", needed=True),
    ),
}


@dataclass(frozen=True, slots=True)
class Header:
    """Where each column stands, from 0; `line` is the row it was read from."""

    line: Line
    place: dict[str, int]

    def name_at(self, column: int) -> str:
        """The header's own text for a column from 0."""
        cells = self.line.cells
        return cells[column].text.strip() if column < len(cells) else ""


def find_header(file: str, kind: ImportKind, sheet: Sheet) -> Header | list[Fault]:
    """The first line as a header, or all that is wrong with it: unknown, repeated, missing columns, merged cells."""
    line, known, place = sheet.lines[0], COLUMNS[kind], dict[str, int]()
    faults = []
    for number, cell in enumerate(line.cells):
        said = cell.text.strip().rstrip("*＊").strip()
        column = next((each for each in known if said in (each.zh, each.key)), None)
        if not said:
            continue
        if column is None:
            faults.append(_fault(file, line, number + 1, said, *_choices(known)))
        elif column.key in place:
            faults.append(_fault(file, line, number + 1, said, "每列只出现一次", "each column once"))
        else:
            place[column.key] = number
    for column in known:
        if column.needed and column.key not in place and not faults:
            faults.append(_fault(file, line, 0, "", f"应有列“{column.zh}”", f"a column {column.zh} ({column.key})"))
    faults += [
        _fault(file, line, 0, text, "表头不得合并单元格", "a header without merged cells")
        for first, last, text in sheet.merged
        if first <= line.row <= last
    ]
    return faults or Header(line, place)


def _choices(known: tuple[Column, ...]) -> tuple[str, str]:
    names = "、".join(column.zh for column in known)
    return f"列名应为：{names}", "one of the columns: " + ", ".join(column.key for column in known)


def _fault(file: str, line: Line, column: int, found: str, zh: str, en: str) -> Fault:
    return Fault(file, line.sheet, line.row, column, found, found, zh, en)
