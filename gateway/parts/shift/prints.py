"""Prints of papers: a PDF in Chinese, and CSV. The same bytes for the same paper; its digest stands on each.

In: the texts and the sheet of a paper. Out: bytes. The font of the PDF is the one of the monitoring reports; it has no
pictograms, so a character beyond the basic plane is printed as a box and said to be so (the JSON file has it).
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.parts.pit.report import daily_layout as paper
from gateway.web.sheet import Cell, Mark, Section, Sheet

BOM = "\ufeff"
ROW_CHARACTERS = 600
"""A row of a table must fit on a page: a longer line becomes several rows."""
_MARKS = {
    Mark.PLAIN: paper.Mark.PLAIN,
    Mark.NUMBER: paper.Mark.NUMBER,
    Mark.UNKNOWN: paper.Mark.UNKNOWN,
    Mark.ATTENTION: paper.Mark.ATTENTION,
    Mark.DANGER: paper.Mark.DANGER,
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_FIGURE = re.compile(r"[-+]?\d+(\.\d+)?( ?[A-Za-z%‰°℃µ²³/·]{1,10})?")
_BOXED = "注：字体中没有的符号以 □ 打印，原文见 JSON 文件。"


@dataclass(frozen=True, slots=True)
class Written:
    """A text with its title, as it is printed."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class PrintedPaper:
    """What is printed: facts above (label, text), the texts, the sheet, who signs on paper, the line at each foot."""

    title: str
    facts: Sequence[tuple[str, str]]
    written: Sequence[Written]
    sheet: Sheet
    signatures: tuple[str, ...]
    footer: str


def paper_pdf(printed: PrintedPaper) -> bytes:
    """The paper as the bytes of a PDF file."""
    sections = [*_text_sections(printed.written), *(_section(section) for section in printed.sheet.sections)]
    facts = tuple((label, paper.text(_printable(said))) for label, said in printed.facts)
    page = paper.Page(printed.title, facts, tuple(sections), printed.signatures, printed.footer)
    from gateway.parts.pit.report.daily_pdf import daily_pdf  # noqa: PLC0415 - a box starts without ReportLab

    return daily_pdf(page)


def paper_csv(printed: PrintedPaper, language: str) -> str:
    """Facts, texts, then every table under its title, with a mark that makes spreadsheets read UTF-8."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow([printed.title])
    table.writerows([label, _harmless(said)] for label, said in printed.facts)
    table.writerows([_harmless(each.title), _harmless(each.text)] for each in printed.written)
    for section in printed.sheet.sections:
        table.writerow([])
        table.writerow([section.title.said(language)])
        table.writerow([words.said(language) for words in section.header])
        table.writerows([[_harmless(cell.words.said(language)) for cell in row] for row in section.rows])
    return BOM + out.getvalue()


def _text_sections(written: Sequence[Written]) -> Iterator[paper.Section]:
    for each in written:
        lines = list(_lines(_printable(each.text))) or ["（未填写）"]
        rows = tuple((paper.Cell(line),) for line in lines)
        boxed = _BOXED if _printable(each.text) != each.text else ""
        yield paper.Section(each.title, ("内容",), (1,), rows, boxed)


def _section(section: Section) -> paper.Section:
    header = tuple(words.zh for words in section.header)
    rows = tuple(tuple(_cell(cell) for cell in row) for row in section.rows)
    return paper.Section(section.title.zh, header, (1,) * len(header), rows, section.note.zh)


def _cell(cell: Cell) -> paper.Cell:
    return paper.Cell(_printable(cell.words.zh)[:ROW_CHARACTERS], _MARKS[cell.mark])


def _lines(text: str) -> Iterator[str]:
    """Its lines, the long ones cut, without the empty ones."""
    for line in text.split("\n"):
        yield from (line[i : i + ROW_CHARACTERS] for i in range(0, len(line), ROW_CHARACTERS))


def _printable(text: str) -> str:
    return "".join(character if ord(character) < 0x10000 else "□" for character in text)


def _harmless(text: str) -> str:
    """A text that a spreadsheet would take for a formula stays a text. A figure with its unit is none; what follows a
    figure may be one."""
    return f"'{text}" if text.startswith(_FORMULA) and _FIGURE.fullmatch(text) is None else text
