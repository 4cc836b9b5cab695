"""The daily report as PDF, A4 landscape, by ReportLab. The same bytes for the same report.

In: a `Page` of texts. Out: PDF bytes. The font is Adobe's STSong-Light by name, which every common PDF reader and
printer brings or replaces: no font file has to be shipped. Text can be searched and copied.
"""

from collections.abc import Iterator
from html import escape
from io import BytesIO

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from gateway.parts.pit.report.daily_layout import Cell, Mark, Page, Section

FONT = "STSong-Light"
MARGIN = 10 * mm
WIDTH = landscape(A4)[0] - 2 * MARGIN
_TEXT = ParagraphStyle("text", fontName=FONT, fontSize=7.5, leading=9.5, wordWrap="CJK")
_STYLES = dict.fromkeys(Mark, _TEXT) | {Mark.NUMBER: ParagraphStyle("number", _TEXT, alignment=TA_RIGHT)}
_TITLE = ParagraphStyle("title", _TEXT, fontSize=14, leading=18, alignment=TA_CENTER)
_SECTION = ParagraphStyle("section", _TEXT, fontSize=10, leading=13, spaceBefore=6, spaceAfter=2, keepWithNext=True)
_NOTE = ParagraphStyle("note", _TEXT, fontSize=7, leading=9, textColor=HexColor("#444444"))
_GRID = HexColor("#888888")
_HEADER = HexColor("#eeeeee")
_FILL: dict[Mark, Color] = {
    Mark.UNKNOWN: HexColor("#e6e6e6"),
    Mark.ATTENTION: HexColor("#fff0b8"),
    Mark.DANGER: HexColor("#ffd9d9"),
}


def daily_pdf(page: Page) -> bytes:
    """The PDF file."""
    registerFont(UnicodeCIDFont(FONT))
    out = BytesIO()
    margins = {"leftMargin": MARGIN, "rightMargin": MARGIN, "topMargin": MARGIN, "bottomMargin": 14 * mm}
    # invariant: neither the time of rendering nor a random id in the file
    document = SimpleDocTemplate(out, pagesize=landscape(A4), title=page.title, invariant=1, **margins)

    def number_page(canvas: Canvas, _: SimpleDocTemplate) -> None:
        canvas.setFont(FONT, 7)
        canvas.drawCentredString(landscape(A4)[0] / 2, 8 * mm, f"{page.footer}    第 {canvas.getPageNumber()} 页")

    document.build(list(_flow(page)), onFirstPage=number_page, onLaterPages=number_page)
    return out.getvalue()


def _flow(page: Page) -> Iterator[Flowable]:
    yield Paragraph(escape(page.title), _TITLE)
    yield Spacer(0, 2 * mm)
    yield _facts(page)
    for section in page.sections:
        yield Paragraph(escape(section.title), _SECTION)
        yield _table(section)
        if section.note:
            yield Paragraph(escape(section.note), _NOTE)
    yield Spacer(0, 3 * mm)
    yield _signatures(page)


def _paragraph(cell: Cell) -> Paragraph:
    return Paragraph(escape(cell.text), _STYLES[cell.mark])


def _facts(page: Page) -> Table:
    pairs = [page.facts[i : i + 2] for i in range(0, len(page.facts), 2)]
    rows = [[part for label, cell in pair for part in (Cell(label), cell)] for pair in pairs]
    return _grid([[_paragraph(cell) for cell in row] for row in rows], (1, 5, 1, 5), [])


def _table(section: Section) -> Table:
    header = [_paragraph(Cell(title)) for title in section.header]
    body = [[_paragraph(cell) for cell in row] for row in section.rows]
    fills = [
        ("BACKGROUND", (x, y), (x, y), _FILL[cell.mark])
        for y, row in enumerate(section.rows, start=1)
        for x, cell in enumerate(row)
        if cell.mark in _FILL
    ]
    return _grid([header, *body], section.widths, [("BACKGROUND", (0, 0), (-1, 0), _HEADER), *fills], header_rows=1)


def _signatures(page: Page) -> Table:
    titles = [_paragraph(Cell(f"{title}（签字）")) for title in page.signatures]
    return _grid([titles, [Spacer(0, 10 * mm) for _ in titles]], (1,) * len(titles), [])


def _grid(
    rows: list[list[Flowable]], shares: tuple[float, ...], style: list[tuple[object, ...]], header_rows: int = 0
) -> Table:
    widths = [WIDTH * share / sum(shares) for share in shares]
    padding = [("TOPPADDING", (0, 0), (-1, -1), 1), ("BOTTOMPADDING", (0, 0), (-1, -1), 2)]
    grid = [("GRID", (0, 0), (-1, -1), 0.4, _GRID), ("VALIGN", (0, 0), (-1, -1), "TOP"), *padding, *style]
    return Table(rows, colWidths=widths, repeatRows=header_rows, style=TableStyle(grid))
