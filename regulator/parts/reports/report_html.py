"""A report as one self-contained HTML page: no script, nothing fetched. In: a `ReportPaper`. Out: UTF-8 bytes."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from regulator.parts.reports.paper import ReportPaper

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def report_html(paper: ReportPaper) -> bytes:
    """The page."""
    return _ENVIRONMENT.get_template("report.html").render(paper=paper).encode()
