"""The daily report as one self-contained HTML page: no script, nothing fetched. The same bytes for the same report.

In: a `Page` of texts. Out: UTF-8 bytes. Everything that came from outside is escaped here.
"""

from collections.abc import Iterator
from html import escape

from gateway.parts.pit.report.daily_layout import Cell, Page, Section

_STYLE = """
body{font:13px/1.45 "Noto Sans CJK SC","Source Han Sans SC","WenQuanYi Micro Hei","Microsoft YaHei",sans-serif;
margin:1.2rem;color:#111}
h1{font-size:1.3rem;text-align:center}h2{font-size:1.02rem;margin:1rem 0 .25rem}
table{border-collapse:collapse;width:100%;margin-bottom:.2rem}
td,th{border:1px solid #888;padding:.12rem .35rem;text-align:left;vertical-align:top}th{background:#eee}
.number{text-align:right;font-variant-numeric:tabular-nums}.unknown{background:#e6e6e6;color:#333;font-style:italic}
.attention{background:#fff0b8;font-weight:700}.danger{background:#ffd9d9;color:#8a0010;font-weight:700}
.hand{color:#777;height:2.2rem}.note{color:#444;margin:.1rem 0 .4rem;font-size:12px}
.sign td{height:2.4rem}footer{color:#444;font-size:12px}
@page{size:A4 landscape;margin:10mm}tr{break-inside:avoid}thead{display:table-header-group}
"""


def daily_html(page: Page) -> bytes:
    """The page, UTF-8."""
    parts = [
        f"<h1>{escape(page.title)}</h1>",
        _facts(page),
        *(_section(section) for section in page.sections),
        _signatures(page),
        f"<footer>{escape(page.footer)}</footer>",
    ]
    head = f'<meta charset="utf-8"><title>{escape(page.title)} {escape(page.footer)}</title><style>{_STYLE}</style>'
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="zh-CN">\n<head>{head}</head>\n<body>\n{body}\n</body>\n</html>\n'.encode()


def _cell(cell: Cell) -> str:
    return f'<td class="{cell.mark}">{escape(cell.text)}</td>'


def _facts(page: Page) -> str:
    rows = [page.facts[i : i + 2] for i in range(0, len(page.facts), 2)]
    lines = ("".join(f"<th>{escape(label)}</th>{_cell(cell)}" for label, cell in row) for row in rows)
    return "<table>" + "\n".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def _section(section: Section) -> str:
    return "\n".join(_section_lines(section))


def _section_lines(section: Section) -> Iterator[str]:
    yield f"<h2>{escape(section.title)}</h2>"
    header = "".join(f'<th scope="col">{escape(title)}</th>' for title in section.header)
    yield f"<table><thead><tr>{header}</tr></thead><tbody>"
    for row in section.rows:
        yield "<tr>" + "".join(_cell(cell) for cell in row) + "</tr>"
    yield "</tbody></table>"
    if section.note:
        yield f'<p class="note">{escape(section.note)}</p>'


def _signatures(page: Page) -> str:
    titles = "".join(f"<th>{escape(title)}（签字）</th>" for title in page.signatures)
    lines = "<td></td>" * len(page.signatures)
    return f'<table class="sign"><tr>{titles}</tr><tr>{lines}</tr></table>'
