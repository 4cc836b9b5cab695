"""Issued documents: the list, the papers as they were rendered, and the public check that the QR code leads to.

GET /documents?kind=&project=&before=&format=      the list of the scope, newest first
GET /documents/{number}                            what is known of one, with its papers
GET /documents/{number}/paper | /pdf               the stored bytes
GET /documents/check/{number}?d=<digest>           anybody: whether this desk issued it with this content
"""

from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.responses import Response
from sqlalchemy import Connection, select

from regulator.base.desk import Desk
from regulator.base.documents.documents import (
    HTML_TYPE,
    PDF_TYPE,
    Document,
    checked_document,
    document_of,
    known_document,
)
from regulator.base.documents.exports import Column, Table
from regulator.base.documents.paper import DocumentKind
from regulator.base.documents.paper_html import paper_policy
from regulator.base.model.actor import Actor
from regulator.base.model.refusals import RefusedError
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.documents import documents
from regulator.base.web.pages import Pages
from regulator.base.web.table_answer import table_answer, wanted_format
from screens.formats import local_day_time

PAGE = 50
MOST_ROWS = 50_000
DAMAGED = RefusedError(
    500, "document_damaged", "保存的文书与签发时的校验值不符", "the stored paper is not the one that was issued"
)
COLUMNS = (
    Column("number", "编号", "number"),
    Column("kind", "种类", "kind", "", "rectification, stop_work, supervision, closure"),
    Column("project_code", "项目编号", "project"),
    Column("subject", "事项编号", "subject", "", "the hazard it is about"),
    Column("title", "标题", "title"),
    Column("issuer_name", "签发人", "issued by"),
    Column("issued_at", "签发时间", "issued at", "", "Beijing time"),
    Column("digest", "内容校验值", "content digest", "", "SHA-256 of the content"),
    Column("pdf_sha256", "PDF 校验值", "PDF digest", "", "SHA-256 of the stored PDF file"),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list shows. `before`: the number of the last one shown."""

    kind: str
    project: str
    before: str


def document_pages(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """The routes; the public check first, as its address is the more special one."""

    @app.get("/documents/check/{number}")
    def check(request: Request, number: str, d: str = "") -> Response:
        """The page that says whether a paper is one of this desk."""
        with desk.database.reading() as db:
            found = checked_document(db, number, d)
        status = 200 if found else 404
        return pages.render(request, "document_check.html", status, found=found, number=number)

    @app.get("/documents")
    def listed(request: Request, kind: str = "", project: str = "", before: str = "") -> Response:
        """The page with the papers of the actor's scope."""
        wanted, export = Wanted(kind, project, before), wanted_format(request)
        with desk.database.reading() as db:
            found = documents_in(db, pages.actor(request), wanted, MOST_ROWS if export else PAGE + 1)
        if export:
            return table_answer(request, Table("documents", COLUMNS, (_row(document) for document in found)))
        more = found[PAGE - 1].number if len(found) > PAGE else ""
        shown = found[:PAGE]
        return pages.render(request, "document_list.html", found=shown, more=more, wanted=wanted, kinds=DocumentKind)

    @app.get("/documents/{number}")
    def one(request: Request, number: str) -> Response:
        """The page of one paper that this desk made."""
        with desk.database.reading() as db:
            found = known_document(db, pages.actor(request), number)
        return pages.render(request, "document.html", document=found)

    @app.get("/documents/{number}/{form}")
    def paper(request: Request, number: str, form: str) -> Response:
        """The paper itself, as HTML or PDF."""
        with desk.database.reading() as db:
            found = known_document(db, pages.actor(request), number)
        if form not in ("paper", "pdf"):
            raise RefusedError(404, "no_such_document", "没有这份文书", "no such document", "number")
        return _stored(desk, found, pdf=form == "pdf")


def documents_in(db: Connection, actor: Actor, wanted: Wanted, limit: int) -> list[Document]:
    """Documents of the actor's scope that fit the filters, newest first."""
    found = select(documents).where(in_scope(actor.scope, documents.c.project_code))
    for column, value in ((documents.c.kind, wanted.kind), (documents.c.project_code, wanted.project)):
        found = found.where(column == value) if value else found
    order = (documents.c.issued_at_ns, documents.c.number)
    if wanted.before:
        last = known_document(db, actor, wanted.before)
        older = (order[0] < last.issued_at_ns) | ((order[0] == last.issued_at_ns) & (order[1] < last.number))
        found = found.where(older)
    return [document_of(row) for row in db.execute(found.order_by(*(each.desc() for each in order)).limit(limit))]


def _stored(desk: Desk, document: Document, *, pdf: bool) -> Response:
    """The bytes as they were rendered; the shelf checks their digest again."""
    try:
        content = desk.shelf.read(document.pdf_sha256 if pdf else document.html_sha256)
    except (LookupError, ValueError):
        raise DAMAGED from None
    if pdf:
        name = f'inline; filename="{document.number}.pdf"'
        return Response(content, media_type=PDF_TYPE, headers={"content-disposition": name})
    return Response(content, media_type=HTML_TYPE, headers={"content-security-policy": paper_policy(content)})


def _row(document: Document) -> tuple[str, ...]:
    return (
        document.number,
        document.kind.value,
        document.project_code,
        document.subject,
        document.title,
        document.issuer_name,
        local_day_time(document.issued_at_ns),
        document.digest,
        document.pdf_sha256,
    )
