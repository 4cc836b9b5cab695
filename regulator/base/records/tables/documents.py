"""Documents that were issued, each rendered once: number, content, and the digests of the bytes on the shelf."""

from sqlalchemy import Index, Table, UniqueConstraint

from regulator.base.records.tables.metadata import METADATA, moment, text, whole

documents = Table(
    "documents",
    METADATA,
    text("number", key=True),
    text("request_key", default=None),
    text("kind", default=None),
    text("region_code", default=None),
    whole("year"),
    whole("seq"),
    text("project_code", default=None),
    text("subject"),
    text("title", default=None),
    text("body", default=None),
    text("digest", default=None),
    text("html_sha256", default=None),
    text("pdf_sha256", default=None),
    text("issued_by", default=None),
    text("issuer_name", default=None),
    moment("issued_at_ns"),
    whole("ledger_seq"),
    UniqueConstraint("request_key"),
    UniqueConstraint("kind", "region_code", "year", "seq"),
    Index("ix_documents_by_project", "project_code", "issued_at_ns"),
    Index("ix_documents_by_subject", "subject", "issued_at_ns"),
    Index("ix_documents_by_time", "issued_at_ns"),
)
"""`body`: canonical JSON of what the paper says; `digest` is its SHA-256, printed in the QR code."""

document_numbers = Table(
    "document_numbers",
    METADATA,
    text("kind", key=True),
    text("region_code", key=True),
    whole("year", key=True),
    whole("last"),
)
"""The last number given; taken in the transaction of the document, so that none is missing and none is there twice."""
