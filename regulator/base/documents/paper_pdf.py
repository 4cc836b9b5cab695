"""A document as PDF, A4, by ReportLab. The same bytes for the same paper.

In: a `Paper`. Out: PDF bytes. The font is Adobe's STSong-Light by name, which every common PDF reader and printer
brings or replaces: no font file has to be shipped. Text can be searched and copied.
"""

import re
from collections.abc import Iterator
from html import escape
from io import BytesIO

from reportlab.lib.colors import HexColor, black
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from regulator.base.documents.check_code import check_code
from regulator.base.documents.paper import Paper

FONT = "STSong-Light"
MARGIN = 22 * mm
WIDTH = A4[0] - 2 * MARGIN
CODE_MM = 34
_DARK = re.compile(b"\x01+")
_TEXT = ParagraphStyle("text", fontName=FONT, fontSize=11, leading=17, wordWrap="CJK")
_BODY = ParagraphStyle("body", _TEXT, firstLineIndent=22)
_SMALL = ParagraphStyle("small", _TEXT, fontSize=8, leading=11)
_MIDDLE = ParagraphStyle("middle", _TEXT, alignment=TA_CENTER)
_HEADING = ParagraphStyle("heading", _MIDDLE, fontSize=18, leading=26)
_TITLE = ParagraphStyle("title", _TEXT, fontSize=12, leading=20, spaceBefore=6)


def paper_pdf(paper: Paper) -> bytes:
    """The paper as the bytes of a PDF file."""
    registerFont(UnicodeCIDFont(FONT))
    out = BytesIO()
    margins = {"leftMargin": MARGIN, "rightMargin": MARGIN, "topMargin": 18 * mm, "bottomMargin": 18 * mm}
    # invariant: neither the time of rendering nor a random id in the file
    document = SimpleDocTemplate(out, pagesize=A4, title=f"{paper.heading} {paper.number}", invariant=1, **margins)
    document.build(list(_flow(paper)))
    return out.getvalue()


def _flow(paper: Paper) -> Iterator[Flowable]:
    yield _words(paper.issuer, _MIDDLE)
    yield _words(paper.heading, _HEADING)
    yield _words(f"编号：{paper.number}", _MIDDLE)
    yield Spacer(0, 4 * mm)
    yield _words(f"{paper.addressee}：", _TEXT)
    yield _words(paper.title, _TITLE)
    for text in paper.paragraphs:
        yield _words(text, _BODY)
    yield Spacer(0, 3 * mm)
    yield _facts(paper)
    yield Spacer(0, 5 * mm)
    yield _check(paper)


def _words(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(text), style)


def _facts(paper: Paper) -> Table:
    rows = [*paper.facts, *((f"依据 {number}", text) for number, text in enumerate(paper.basis, 1))]
    cells = [[_words(label, _TEXT), _words(value, _TEXT)] for label, value in rows]
    grid = [("GRID", (0, 0), (-1, -1), 0.4, HexColor("#777777")), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    return Table(cells, colWidths=[28 * mm, WIDTH - 28 * mm], style=TableStyle(grid))


def _check(paper: Paper) -> Table:
    said = ("扫码核验本文书是否由本单位签发且内容未改。", paper.check_address, f"内容 SHA-256：{paper.digest}")
    texts = [_words(text, _SMALL) for text in said]
    return Table([[_Code(paper.check_address), texts]], colWidths=[(CODE_MM + 4) * mm, WIDTH - (CODE_MM + 4) * mm])


class _Code(Flowable):  # type: ignore[misc]
    """The QR code, with the quiet zone of four that the standard asks for: a path of one rectangle a run of squares."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.width = self.height = CODE_MM * mm
        self._rows = [bytes(row) for row in check_code(address).matrix_iter(border=4)]

    def draw(self) -> None:
        """As ReportLab asks it to, from its lower left corner."""
        size, path = self.width / len(self._rows), self.canv.beginPath()
        for y, row in enumerate(reversed(self._rows)):
            for run in _DARK.finditer(row):
                path.rect(run.start() * size, y * size, len(run[0]) * size, size)
        self.canv.setFillColor(black)
        self.canv.drawPath(path, stroke=0, fill=1)
