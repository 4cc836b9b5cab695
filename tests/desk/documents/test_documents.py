"""Documents: numbers without gaps, rendered once, checked by anybody, changed by nobody."""

import hashlib
import io
import re
import threading
from dataclasses import replace
from datetime import datetime

import cv2
import numpy as np
import pytest
from pypdf import PdfReader
from sqlalchemy import insert, select, update

from regulator.base.documents.documents import Document, issue_document
from regulator.base.documents.paper import DocumentKind, DocumentRequest
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import entries_about
from regulator.base.records.tables.documents import documents
from regulator.base.records.tables.registry import projects, regions
from regulator.parts.evidence.document_routes import Wanted, documents_in
from screens.formats import SITE_ZONE
from tests.fakes.desk_face import DeskFace

GUANGZHOU, SHENZHEN = Scope(Level.CITY, "440100"), Scope(Level.CITY, "440300")
ORDER = DocumentRequest(
    key="hazard-1/order/1",
    kind=DocumentKind.RECTIFICATION,
    region_code="440106",
    project_code="GZ-1",
    project_name="城北工地",
    subject="hazard-1",
    addressee="城北工地施工单位",
    title="2号塔机力矩超限 <b>=1+1</b>",
    paragraphs=("经研判，该处存在安全隐患。", "请按期整改并回复。"),
    legal_basis=("JGJ 33 第 4.1.15 条（待核）",),
    deadline_at_ns=1_772_928_000_000_000_000,
    deadline_rule="一般隐患 7 日内整改",
    evidence=("ab" * 32,),
)


@pytest.fixture(autouse=True)
def two_cities(face: DeskFace) -> None:
    with face.database.transaction() as db:
        db.execute(insert(regions).values(code="440106", name="天河区", level="county", parent="440100"))
        rows = [("GZ-1", "440100", "440106"), ("SZ-1", "440300", "440305")]
        for code, city, county in rows:
            db.execute(insert(projects).values(project_code=code, name=code, city_code=city, county_code=county))


def issue(face: DeskFace, request: DocumentRequest = ORDER, scope: Scope = GUANGZHOU) -> Document:
    actor = face.actor(Duty.REVIEWER, scope)
    with face.database.transaction() as db:
        return issue_document(db, face.desk, request, actor, face.clock())


def test_a_document_says_what_was_asked_in_html_and_pdf(face: DeskFace) -> None:
    document = issue(face)
    assert document.number == "ZG-440106-2026-0001"
    page = face.desk.shelf.read(document.html_sha256).decode()
    assert "天河区 监管审查台" in page
    assert "&lt;b&gt;=1+1&lt;/b&gt;" in page
    assert "<script" not in page
    pdf = PdfReader(io.BytesIO(face.desk.shelf.read(document.pdf_sha256)))
    text = re.sub(r"\s", "", "".join(sheet.extract_text() for sheet in pdf.pages))
    for said in ("整改通知单", document.number, "请按期整改并回复", "4.1.15", "一般隐患7日内整改", document.digest):
        assert said in text
    with face.database.reading() as db:
        (entry,) = entries_about(db, "hazard-1")
        body = db.scalar(select(documents.c.body))
    assert entry.fields["content"]["pdf_sha256"] == document.pdf_sha256  # type: ignore[index,call-overload]
    assert hashlib.sha256(str(body).encode()).hexdigest() == document.digest


def test_the_code_on_paper_leads_to_the_check(face: DeskFace) -> None:
    """The dark rectangles of the PDF are painted as they are placed, and read by another library."""
    document = issue(face)
    (sheet,) = PdfReader(io.BytesIO(face.desk.shelf.read(document.pdf_sha256))).pages
    drawn = re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) re\b", sheet.get_contents().get_data())  # type: ignore[union-attr]
    painted = np.full((800, 800), 255, np.uint8)
    for x, y, width, height in np.array(drawn, dtype=float) * 8:
        painted[round(y) : round(y + height), round(x) : round(x + width)] = 0
    page = face.desk.shelf.read(document.html_sha256).decode()
    read, _, _ = cv2.QRCodeDetector().detectAndDecode(np.ascontiguousarray(painted[::-1]))
    assert read.endswith(f"/documents/check/{document.number}?d={document.digest}"), read
    assert read in page


def test_the_same_cause_has_one_document_and_takes_no_number(face: DeskFace) -> None:
    first = issue(face)
    assert issue(face, replace(ORDER, title="another title")) == first
    assert issue(face, replace(ORDER, key="hazard-2/order/1")).number == "ZG-440106-2026-0002"


def test_what_is_rolled_back_leaves_no_gap(face: DeskFace) -> None:
    actor = face.actor(Duty.REVIEWER, GUANGZHOU)

    def deed_that_fails() -> None:
        with face.database.transaction() as db:
            issue_document(db, face.desk, ORDER, actor, face.clock())
            raise RuntimeError("the deed failed")

    with pytest.raises(RuntimeError, match="the deed failed"):
        deed_that_fails()
    assert issue(face).number.endswith("-0001")


def test_numbers_begin_anew_with_the_year_of_beijing(face: DeskFace) -> None:
    last = int(datetime(2026, 12, 31, 23, 59, 59, tzinfo=SITE_ZONE).timestamp()) * 1_000_000_000
    face.clock.at_ns = last  # type: ignore[attr-defined]
    assert issue(face).number == "ZG-440106-2026-0001"
    face.clock.at_ns = last + 1_000_000_000  # type: ignore[attr-defined]
    assert issue(face, replace(ORDER, key="next")).number == "ZG-440106-2027-0001"
    other = replace(ORDER, key="stop", kind=DocumentKind.STOP_WORK)
    assert issue(face, other).number == "TG-440106-2027-0001"


def test_many_at_once_get_numbers_of_their_own(face: DeskFace) -> None:
    face.actor(Duty.REVIEWER, GUANGZHOU)
    numbers: list[str] = []
    requests = [replace(ORDER, key=f"h/{number}", subject=f"h-{number}") for number in range(8)]
    threads = [threading.Thread(target=lambda each=each: numbers.append(issue(face, each).number)) for each in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(numbers) == [f"ZG-440106-2026-{number:04d}" for number in range(1, 9)]


def test_nobody_issues_for_another_city_nor_without_words(face: DeskFace) -> None:
    with pytest.raises(RefusedError) as refused:
        issue(face, scope=SHENZHEN)
    assert refused.value.status == 404
    with pytest.raises(RefusedError, match="lacks addressee, paragraphs"):
        issue(face, replace(ORDER, addressee=" ", paragraphs=()))


def test_a_reprint_is_the_same_bytes_and_a_changed_one_is_not_shown(face: DeskFace) -> None:
    document = issue(face)
    client = face.client(Duty.VIEWER, GUANGZHOU)
    face.clock.move(days=40)  # type: ignore[attr-defined]
    client = face.client(Duty.VIEWER, GUANGZHOU)
    pdf = client.get(f"/documents/{document.number}/pdf")
    assert hashlib.sha256(pdf.content).hexdigest() == document.pdf_sha256
    page = client.get(f"/documents/{document.number}/paper")
    assert hashlib.sha256(page.content).hexdigest() == document.html_sha256
    assert "style-src 'sha256-" in page.headers["content-security-policy"]
    path = face.desk.shelf.path(document.pdf_sha256)  # type: ignore[attr-defined]
    path.chmod(0o600)
    path.write_bytes(pdf.content.replace(b"%PDF", b"%PDf"))
    assert client.get(f"/documents/{document.number}/pdf").status_code == 500


def test_anybody_can_check_and_learns_nothing_else(face: DeskFace) -> None:
    document = issue(face)
    stranger = face.client()
    good = stranger.get(f"/documents/check/{document.number}?d={document.digest}")
    assert (good.status_code, "存档内容未改" in good.text) == (200, True)
    for number, digest in (
        (document.number, "0" * 64),
        (document.number, ""),
        ("ZG-440106-2026-0009", document.digest),
    ):
        answer = stranger.get(f"/documents/check/{number}?d={digest}")
        assert (answer.status_code, "塔机" in answer.text) == (404, False)
    with face.database.transaction() as db:
        db.execute(update(documents).values(body=documents.c.body + " "))
    assert stranger.get(f"/documents/check/{document.number}?d={document.digest}").status_code == 404
    assert stranger.get(f"/documents/{document.number}").status_code == 303


def test_the_list_keeps_its_scope_filters_and_pages(face: DeskFace) -> None:
    numbers = [issue(face, replace(ORDER, key=f"h/{number}")).number for number in range(3)]
    other = issue(face, replace(ORDER, key="sz", project_code="SZ-1", region_code="440305"), SHENZHEN).number
    actor = face.actor(Duty.VIEWER, GUANGZHOU)
    with face.database.reading() as db:
        first = documents_in(db, actor, Wanted("", "", ""), 2)
        rest = documents_in(db, actor, Wanted("", "", first[-1].number), 2)
    assert [document.number for document in (*first, *rest)] == numbers[::-1]
    client = face.client(Duty.VIEWER, GUANGZHOU)
    assert other not in client.get("/documents").text
    assert client.get(f"/documents/{other}/pdf").status_code == 404
    assert len(client.get("/documents?kind=rectification&format=csv").text.splitlines()) == 4
    assert len(client.get("/documents?kind=closure&format=csv").text.splitlines()) == 1
    assert client.get("/documents?format=pdf").status_code == 422
