"""Issuing documents (整改通知单、停工通知、督办通知、销号单): numbered without gaps, rendered once, stored and hashed.

    issue_document(db, desk, DocumentRequest, actor, now_ns) -> Document
    number  <prefix>-<region>-<year>-<4 digits>, one row of numbers for each kind, region and calendar year (Beijing)

Call it in the transaction of the deed that the document is about: both are kept or neither, and the number with them.
A re-print is the same bytes from the shelf. Raises RefusedError; OSError when the shelf cannot be reached.
"""

import hashlib
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from contract.canonical import canonical_bytes
from regulator.base.desk import Desk
from regulator.base.documents.paper import PREFIXES, DocumentKind, DocumentRequest, content_of, paper_of
from regulator.base.documents.paper_html import paper_html
from regulator.base.documents.paper_pdf import paper_pdf
from regulator.base.model.actor import Actor
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import Deed
from regulator.base.records.scope import in_scope, require_project
from regulator.base.records.tables.documents import document_numbers, documents
from regulator.base.records.tables.registry import regions
from screens.formats import site_time

HTML_TYPE = "text/html; charset=utf-8"
PDF_TYPE = "application/pdf"


@dataclass(frozen=True, slots=True)
class Document:
    """One issued document. Digests are SHA-256 in hex; `digest` is of what it says."""

    number: str
    kind: DocumentKind
    region_code: str
    project_code: str
    subject: str
    title: str
    digest: str
    html_sha256: str
    pdf_sha256: str
    issuer_name: str
    issued_at_ns: int


def issue_document(db: Connection, desk: Desk, request: DocumentRequest, actor: Actor, now_ns: int) -> Document:
    """The document, new or the one that this `request.key` was issued before. Raises RefusedError 404: the project is
    outside the actor's scope, 422: something it must say is missing."""
    require_project(db, actor, request.project_code)
    _require_words(request)
    desk.ledger.hold(db, f"project:{request.project_code}")  # before the number: see regulator.base.records.locks
    number = _next_number(db, request, now_ns)  # it makes two that ask at once wait for each other
    before = db.execute(select(documents).where(documents.c.request_key == request.key)).first()
    if before is not None:
        _give_back(db, request, now_ns)
        return document_of(before)
    issuer = _issuer(db, desk, request.region_code)
    content = content_of(request, number, issuer, actor.name, now_ns)
    body = canonical_bytes(content)
    digest = hashlib.sha256(body).hexdigest()
    paper = paper_of(request, content, digest, check_address(desk, number, digest))
    html_sha256 = desk.shelf.put(paper_html(paper), HTML_TYPE)
    pdf_sha256 = desk.shelf.put(paper_pdf(paper), PDF_TYPE)
    told = {"number": number, "digest": digest, "html_sha256": html_sha256, "pdf_sha256": pdf_sha256}
    deed = Deed("document_issued", request.subject or number, told, request.project_code)
    entry = desk.ledger.append(db, deed, actor, now_ns)
    year, seq = number.split("-")[-2:]
    row = {
        "number": number,
        "request_key": request.key,
        "kind": request.kind.value,
        "region_code": request.region_code,
        "year": int(year),
        "seq": int(seq),
        "project_code": request.project_code,
        "subject": request.subject,
        "title": request.title,
        "body": body.decode(),
        "digest": digest,
        "html_sha256": html_sha256,
        "pdf_sha256": pdf_sha256,
        "issued_by": actor.user_id,
        "issuer_name": actor.name,
        "issued_at_ns": now_ns,
        "ledger_seq": entry.seq,
    }
    db.execute(insert(documents).values(**row))
    return document_of(db.execute(select(documents).where(documents.c.number == number)).one())


def known_document(db: Connection, actor: Actor, number: str) -> Document:
    """One document of the actor's scope. Raises RefusedError 404."""
    seen = in_scope(actor.scope, documents.c.project_code)
    row = db.execute(select(documents).where(documents.c.number == number, seen)).first()
    if row is None:
        raise RefusedError(404, "no_such_document", "没有这份文书", "no such document", "number")
    return document_of(row)


def checked_document(db: Connection, number: str, digest: str) -> Document | None:
    """What the QR code asks, by anybody: the document of this number when it says exactly what was issued."""
    row = db.execute(select(documents).where(documents.c.number == number, documents.c.digest == digest)).first()
    if row is None or hashlib.sha256(row.body.encode()).hexdigest() != row.digest:
        return None
    return document_of(row)


def check_address(desk: Desk, number: str, digest: str) -> str:
    """Where the QR code leads. Without `public_url` only whoever knows the desk's address can use it."""
    return f"{desk.settings.public_url.rstrip('/')}/documents/check/{number}?d={digest}"


def document_of(row: "Row[tuple[object, ...]]") -> Document:
    """A document, read from a row of `documents`."""
    known = row._mapping
    values = {name: known[name] for name in Document.__slots__ if name != "kind"}
    return Document(kind=DocumentKind(known["kind"]), **values)


def _require_words(request: DocumentRequest) -> None:
    needed = {"key": request.key, "region_code": request.region_code, "title": request.title}
    missing = [name for name, value in (needed | {"addressee": request.addressee}).items() if not value.strip()]
    if not request.paragraphs:
        missing.append("paragraphs")
    if missing:
        names = ", ".join(missing)
        raise RefusedError(422, "document_incomplete", f"文书缺少：{names}", f"the document lacks {names}", missing[0])


def _numbers_of(request: DocumentRequest, now_ns: int) -> tuple[str, str, int]:
    return request.kind.value, request.region_code, site_time(now_ns).year


def _next_number(db: Connection, request: DocumentRequest, now_ns: int) -> str:
    kind, region, year = _numbers_of(request, now_ns)
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    first = dialect.insert(document_numbers).values(kind=kind, region_code=region, year=year, last=0)
    db.execute(first.on_conflict_do_nothing())
    row = _row_of(kind, region, year)
    last = db.scalar(select(document_numbers.c.last).where(row).with_for_update()) or 0
    db.execute(update(document_numbers).where(row).values(last=last + 1))
    return f"{PREFIXES[request.kind]}-{region}-{year}-{last + 1:04d}"


def _give_back(db: Connection, request: DocumentRequest, now_ns: int) -> None:
    """The number that was just taken is the next one's: the row is still locked."""
    row = _row_of(*_numbers_of(request, now_ns))
    db.execute(update(document_numbers).where(row).values(last=document_numbers.c.last - 1))


def _row_of(kind: str, region: str, year: int) -> "ColumnElement[bool]":
    numbers = document_numbers.c
    return (numbers.kind == kind) & (numbers.region_code == region) & (numbers.year == year)


def _issuer(db: Connection, desk: Desk, region_code: str) -> str:
    name = db.scalar(select(regions.c.name).where(regions.c.code == region_code))
    return f"{name} {desk.settings.name_zh}" if name else desk.settings.name_zh
