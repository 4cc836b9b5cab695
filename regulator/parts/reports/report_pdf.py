"""A report as PDF, A4, by ReportLab. The same bytes for the same paper.

In: a `ReportPaper`. Out: PDF bytes. The font is Adobe's STSong-Light by name, as of the documents: no font file has to
be shipped. Cells are laid out line by line by their own width, which is what keeps 500 rows within seconds.
"""

from collections.abc import Iterator, Sequence
from html import escape
from io import BytesIO

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, LongTable, PageTemplate, Paragraph, Spacer, TableStyle

from regulator.parts.reports.paper import Grid, ReportPaper

FONT = "STSong-Light"
MARGIN = 14 * mm
WIDTH = A4[0] - 2 * MARGIN
SIZE, LEADING, PAD = 7.5, 9.5, 2.5
_GREY, _HEAD = HexColor("#777777"), HexColor("#eeeeee")


class FontMissingError(Exception):
    """The font cannot be had. Nothing was made."""


def report_pdf(paper: ReportPaper, font: str = FONT) -> bytes:
    """The PDF file. Raises FontMissingError naming the font."""
    _register(font)
    out = BytesIO()
    # invariant: neither the time of rendering nor a random id in the file
    document = BaseDocTemplate(out, pagesize=A4, title=f"{paper.title} {paper.head.number}", invariant=1)
    frame = Frame(MARGIN, 16 * mm, WIDTH, A4[1] - 30 * mm, 0, 0, 0, 0)

    def foot(canvas: Canvas, _document: BaseDocTemplate) -> None:
        canvas.setFont(font, SIZE)
        canvas.drawString(MARGIN, 9 * mm, f"{paper.head.number}  SHA-256 {paper.digest}")
        canvas.drawRightString(
            A4[0] - MARGIN, 9 * mm, paper.say(f"第 {canvas.getPageNumber()} 页", f"page {canvas.getPageNumber()}")
        )

    document.addPageTemplates([PageTemplate("page", [frame], onPage=foot)])
    document.build(list(_flow(paper, font)))
    return out.getvalue()


def broken(text: str, font: str, width_pt: float) -> str:
    """A text in lines of at most `width_pt`: Chinese breaks between any two characters, other words at a space."""
    lines = []
    for given in text.split("\n"):
        line, length = "", 0.0
        for character in given:
            step = stringWidth(character, font, SIZE)
            if line and length + step > width_pt:
                kept, line = _parted(line, character)
                lines.append(kept)
                length = stringWidth(line, font, SIZE)
            line, length = line + character, length + step
        lines.append(line)
    return "\n".join(lines)


def _parted(line: str, following: str) -> tuple[str, str]:
    """A full line, and the beginning of a word that goes on in the next one."""
    kept, space, word = line.rpartition(" ")
    if not space or not word.isascii() or not following.isascii() or following == " ":
        return line, ""
    return kept, word


def _register(font: str) -> None:
    try:
        registerFont(UnicodeCIDFont(font))
    except (KeyError, OSError, ValueError) as error:
        raise FontMissingError(f"{font}: {error}") from None


def _flow(paper: ReportPaper, font: str) -> Iterator[Flowable]:
    text = ParagraphStyle("text", fontName=font, fontSize=10, leading=15, wordWrap=paper.say("CJK", ""))
    middle = ParagraphStyle("middle", text, alignment=TA_CENTER)
    title = ParagraphStyle("title", middle, fontSize=17, leading=26)
    heading = ParagraphStyle("heading", text, fontSize=12, leading=20, spaceBefore=8)
    caption = ParagraphStyle("caption", text, fontSize=9, leading=14, spaceBefore=4)
    yield Paragraph(escape(paper.title), title)
    for line in paper.lines:
        yield Paragraph(escape(line), middle)
    for section in paper.sections:
        yield Paragraph(escape(section.title), heading)
        for sentence in section.sentences:
            yield Paragraph(escape(sentence), text)
        for grid in section.grids:
            yield Paragraph(escape(grid.caption), caption)
            yield _table(grid, font)
            if grid.left_out:
                left = grid.left_out
                told = (
                    f"另有 {left} 项未列出，见平台导出。",
                    f"{left} more are not listed here: see the desk's export.",
                )
                yield Paragraph(paper.say(*told), caption)
            yield Spacer(0, 2 * mm)


def _table(grid: Grid[str], font: str) -> LongTable:
    whole = sum(grid.widths)
    widths = [WIDTH * share / whole for share in grid.widths]
    rows = [_cells(row, widths, font) for row in (grid.heads, *grid.rows)]
    style = [
        ("FONT", (0, 0), (-1, -1), font, SIZE, LEADING),
        ("GRID", (0, 0), (-1, -1), 0.4, _GREY),
        ("BACKGROUND", (0, 0), (-1, 0), _HEAD),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), PAD),
        ("RIGHTPADDING", (0, 0), (-1, -1), PAD),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ]
    return LongTable(rows, colWidths=widths, repeatRows=1, style=TableStyle(style), splitByRow=1, splitInRow=1)


def _cells(row: Sequence[str], widths: Sequence[float], font: str) -> list[str]:
    return [broken(text, font, width - 2 * PAD) for text, width in zip(row, widths, strict=True)]
