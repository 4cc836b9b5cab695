"""A report as one self-contained HTML page: no script, nothing fetched. In: a `ReportPaper`. Out: UTF-8 bytes."""

from pathlib import Path

from regulator.parts.reports.paper import ReportPaper
from screens.templating import paper_environment

_ENVIRONMENT = paper_environment(Path(__file__).parent)


def report_html(paper: ReportPaper) -> bytes:
    """The page as the bytes of one HTML file."""
    return _ENVIRONMENT.get_template("report.html").render(paper=paper).encode()
