"""Lists of boxes in, sheets of codes out: for a person who carries one slip to each site.

    CSV: project_code, box_id (项目编号、监控主机编号) --> entries with their rows --issued--> printable page | CSV

A code stands on the sheet and nowhere else: the desk keeps its digest. Knows no database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from regulator.base.documents.exports import Column, Table
from regulator.base.intake.codes import Issued, Wanted
from regulator.base.model.refusals import RefusedError
from regulator.parts.registry.importing.csv_table import read_csv
from regulator.parts.registry.importing.table import Fault, Line, unreadable
from screens.formats import local_day_time, site_time
from screens.templating import paper_environment

HEADS: Final[Mapping[str, tuple[str, ...]]] = {
    "project_code": ("project_code", "项目编号", "项目编码"),
    "box_id": ("box_id", "监控主机编号", "监控主机"),
}
MOST_BOXES: Final = 1000
COLUMNS: Final = (
    Column("project_code", "项目编号", "project code"),
    Column("box_id", "监控主机编号", "box"),
    Column("code", "登记码", "code", "", "for this box of this project, once"),
    Column("expires_at", "有效至", "valid until", "UTC+8"),
)
_ENVIRONMENT = paper_environment(Path(__file__).parent)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the list. `row`: as the person's program shows it."""

    row: int
    wanted: Wanted


def read_boxes(file: str, content: bytes) -> list[Entry]:
    """The entries. Raises UnreadableError: no CSV, a column missing, no line or too many."""
    lines = read_csv(file, content).lines
    if not lines:
        raise unreadable(file, "首行应为列名", "a first line with the names of the columns", row=1)
    places = _places(file, lines[0])
    entries = [_entry(line, places) for line in lines[1:]]
    if not 1 <= len(entries) <= MOST_BOXES:
        raise unreadable(file, f"1 至 {MOST_BOXES} 行", f"1 to {MOST_BOXES} lines", found=str(len(entries)))
    return entries


def list_faults(file: str, entries: Sequence[Entry], refused: Mapping[int, RefusedError]) -> list[Fault]:
    """What was wrong with entries, as faults of the file."""
    return [_fault(file, entries[place], why) for place, why in sorted(refused.items())]


def sheet_table(issued: Sequence[Issued]) -> Table:
    """The codes for other programs."""
    rows = [
        (each.project_code, each.box_id, each.code, site_time(each.expires_at_ns).isoformat(timespec="minutes"))
        for each in issued
    ]
    return Table("enrolment-codes", COLUMNS, rows)


def sheet_html(desk_zh: str, desk_en: str, issued: Sequence[Issued], names: Mapping[str, str], now_ns: int) -> bytes:
    """A slip for each code, to be printed and cut: one page by itself, no script, nothing fetched."""
    slips = [(each, names.get(each.project_code, ""), local_day_time(each.expires_at_ns)) for each in issued]
    made = local_day_time(now_ns)
    page = _ENVIRONMENT.get_template("code_sheet.html")
    return page.render(desk_zh=desk_zh, desk_en=desk_en, slips=slips, made=made).encode()


def _places(file: str, head: Line) -> dict[str, int]:
    names = [cell.text.strip().lower() for cell in head.cells]
    places = {key: names.index(name) for key, known in HEADS.items() for name in known if name in names}
    for key, known in HEADS.items():
        if key not in places:
            raise unreadable(file, f"应有列 {known[1]}", f"a column {key}", row=head.row, found=", ".join(names))
    return places


def _entry(line: Line, places: Mapping[str, int]) -> Entry:
    def text(key: str) -> str:
        place = places[key]
        return line.cells[place].text.strip() if place < len(line.cells) else ""

    return Entry(line.row, Wanted(text("project_code"), text("box_id")))


def _fault(file: str, entry: Entry, why: RefusedError) -> Fault:
    found = entry.wanted.box_id if why.field == "box_id" else entry.wanted.project_code
    column = list(HEADS).index(why.field) + 1
    return Fault(file, "", entry.row, column, why.field, found[:80], why.message_zh, why.message_en)
