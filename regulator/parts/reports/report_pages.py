"""Reports: the list, one of them, its papers as they were rendered, signing, correcting, asking for a draft.

GET  /reports?kind=&format=             those of the actor's region and below
GET  /reports/{number}                  GET /reports/{number}/paper | /pdf, ?language=en for the English one
POST /reports/{number}/issue            POST /reports/{number}/correct      POST /reports/draft
"""

from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from regulator.base.documents.documents import HTML_TYPE, PDF_TYPE
from regulator.base.documents.exports import Column, Table
from regulator.base.documents.paper_html import paper_policy
from regulator.base.model.refusals import RefusedError
from regulator.base.web.forms import Form
from regulator.base.web.pages import Pages
from regulator.base.web.table_answer import table_answer, wanted_format
from regulator.parts.reports.periods import PeriodKind, ended_last, read_period
from regulator.parts.reports.regions import report_regions, signs_for
from regulator.parts.reports.report_office import SIGNERS, Report, ReportOffice, list_reports
from screens.formats import local_day_time

MOST_LISTED: Final = 300
COLUMNS: Final = (
    Column("number", "编号", "number"),
    Column("kind", "种类", "kind", "", "month, half_year, year"),
    Column("period", "期间", "period"),
    Column("level", "层级", "level"),
    Column("region_code", "区划", "region"),
    Column("edition", "版次", "edition"),
    Column("state", "状态", "state", "", "draft, issued"),
    Column("replaces", "更正", "corrects"),
    Column("issuer_name", "签发人", "issued by"),
    Column("issued_at", "签发时间", "issued at", "", "Beijing time"),
    Column("digest", "内容校验值", "content digest", "", "SHA-256 of the frozen content"),
    Column("pdf_sha256", "PDF 校验值", "PDF digest", "", "SHA-256 of the stored PDF file"),
)


def report_pages(app: FastAPI, pages: Pages, office: ReportOffice) -> None:
    """Add the routes below `/reports` to the application."""
    _looking(app, pages, office)
    _doing(app, pages, office)


def _looking(app: FastAPI, pages: Pages, office: ReportOffice) -> None:
    database = pages.desk.database

    @app.get("/reports")
    def listed(request: Request, kind: str = "") -> Response:
        """The page with the reports of the actor's region."""
        actor, export = pages.actor(request), wanted_format(request)
        if kind and kind not in {each.value for each in PeriodKind}:
            raise RefusedError(422, "no_such_kind", "没有这个种类", "no such kind", "kind")
        with database.reading() as db:
            found = list_reports(db, actor, kind, MOST_LISTED)
        if export:
            return table_answer(request, Table("reports", COLUMNS, (_row(report) for report in found)))
        return pages.render(
            request, "report_list.html", found=found, kind=kind, kinds=PeriodKind, may_sign=actor.has(*SIGNERS),
            periods=[period.label for period in ended_last(pages.now_ns())],
        )  # fmt: skip

    @app.get("/reports/{number}")
    def one(request: Request, number: str) -> Response:
        """The page of one report, with what was said of it."""
        actor = pages.actor(request)
        with database.reading() as db:
            report = office.known(db, actor, number)
            english = office.has_english(db, report)
            editions = [each for each in list_reports(db, actor, report.kind.value, MOST_LISTED) if _same(each, report)]
        may_sign = actor.has(*SIGNERS) and signs_for(actor, report.level.value, report.region_code)
        newest = report.edition == max(each.edition for each in editions)
        values = {"report": report, "editions": editions, "may_sign": may_sign and newest, "english": english}
        return pages.render(request, "report_one.html", 200, **values)

    @app.get("/reports/{number}/{form}")
    def paper(request: Request, number: str, form: str, language: str = "zh") -> Response:
        """The report itself, as HTML or PDF, in either language."""
        actor = pages.actor(request)
        if form not in ("paper", "pdf"):
            raise RefusedError(404, "no_such_report", "没有这份报告", "no such report", "number")
        if language not in ("zh", "en"):
            raise RefusedError(422, "no_such_language", "没有这种语言", "no such language", "language")
        with database.reading() as db:
            content = office.paper(db, actor, number, pdf=form == "pdf", language="en" if language == "en" else "zh")
        if form == "pdf":
            name = number if language == "zh" else f"{number}-en"
            headers = {"content-disposition": f'inline; filename="{name}.pdf"'}
            return Response(content, media_type=PDF_TYPE, headers=headers)
        return Response(content, media_type=HTML_TYPE, headers={"content-security-policy": paper_policy(content)})


def _doing(app: FastAPI, pages: Pages, office: ReportOffice) -> None:
    database = pages.desk.database

    @app.post("/reports/draft")
    def draft(request: Request, form: Form) -> Response:
        """Draft the report of a period for a region."""
        actor, now_ns = pages.actor(request, *SIGNERS), pages.now_ns()
        period = read_period(form["period"])
        with database.reading() as db:
            known = report_regions(db, pages.desk.settings.province_code, pages.desk.settings.name_zh)
        region = next((each for each in known if signs_for(actor, each.level.value, each.code)), None)
        if region is None:
            raise RefusedError(
                403, "not_your_duty", "只有省、市、县可编制报告", "only supervision bodies make reports", ""
            )
        made = office.draft(region, period, actor, now_ns)
        if made is None:
            raise RefusedError(409, "drafted_already", "该期间已有报告", "there is a report of this period", "period")
        return RedirectResponse(f"/reports/{made.number}", 303)

    @app.post("/reports/{number}/issue")
    def issue(request: Request, number: str, form: Form) -> Response:  # noqa: ARG001 - the form is the check
        """Issue a report: it stands from now on."""
        office.issue(number, pages.actor(request), pages.now_ns())
        return RedirectResponse(f"/reports/{number}", 303)

    @app.post("/reports/{number}/correct")
    def correct(request: Request, number: str, form: Form) -> Response:
        """Draft a correction of a report that stands, with the reason."""
        made = office.correct(number, form["reason"], pages.actor(request), pages.now_ns())
        return RedirectResponse(f"/reports/{made.number}", 303)


def _same(one: Report, other: Report) -> bool:
    return (one.period, one.level, one.region_code) == (other.period, other.level, other.region_code)


def _row(report: Report) -> tuple[str | int, ...]:
    return (
        report.number, report.kind.value, report.period, report.level.value, report.region_code, report.edition,
        "issued" if report.issued else "draft", report.replaces, report.issuer_name,
        local_day_time(report.issued_at_ns) if report.issued else "", report.digest, report.pdf_sha256,
    )  # fmt: skip
