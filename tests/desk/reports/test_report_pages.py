"""Reports on pages: read, signed, corrected, downloaded; by those who may."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypdf import PdfReader

from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.engine import DeskDatabase
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.statistics_month import StatisticsMonth, at

NUMBER = "YB-44-2026-03-1"
CITY = Scope(Level.CITY, "4401")


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[DeskFace]:
    """A desk on the first of April whose jobs have run."""
    folder = tmp_path_factory.mktemp("reports")
    (folder / "desk.db").write_bytes(migrated_file.read_bytes())
    database = DeskDatabase(f"sqlite:///{folder / 'desk.db'}")
    StatisticsMonth(database).fill()
    with DeskFace(folder, DeskClock(at(4, 1, 0, 20)), database=database) as face:
        for job in face.desk.jobs:
            if job.name in ("statistics-roll-up", "report-drafts"):
                job.run(face.clock())
        yield face
    database.close()


def test_a_report_goes_its_way_by_forms_alone(face: DeskFace) -> None:
    client = face.client(Duty.APPROVER)
    assert NUMBER in client.get("/reports").text
    assert client.get(f"/reports/{NUMBER}/pdf").status_code == 404  # a draft has none
    assert "草稿，尚未签发" in client.get(f"/reports/{NUMBER}/paper").text
    answer = client.submit(f"/reports/{NUMBER}", f"/reports/{NUMBER}/issue")
    assert answer.status_code == 303, answer.text[:500]
    page = client.get(f"/reports/{NUMBER}").text
    first, again = (client.get(f"/reports/{NUMBER}/pdf") for _ in range(2))
    assert first.headers["content-type"] == "application/pdf"
    assert first.content == again.content
    assert hashlib.sha256(first.content).hexdigest() in page
    assert "安全监管月报" in PdfReader(io.BytesIO(first.content)).pages[0].extract_text()
    english = client.get(f"/reports/{NUMBER}/pdf?language=en")
    assert "safety supervision" in PdfReader(io.BytesIO(english.content)).pages[0].extract_text().lower()
    assert f'filename="{NUMBER}-en.pdf"' in english.headers["content-disposition"]
    assert f"/reports/{NUMBER}/pdf?language=en" in page
    assert client.get(f"/reports/{NUMBER}/paper?language=fr").status_code == 422
    html = client.get(f"/reports/{NUMBER}/paper")
    assert "签发人：审批员" in html.text
    assert "default-src 'none'" in html.headers["content-security-policy"]
    second = client.submit(f"/reports/{NUMBER}", f"/reports/{NUMBER}/issue")
    assert second.status_code == 409
    corrected = client.submit(f"/reports/{NUMBER}", f"/reports/{NUMBER}/correct", reason="补充数据")
    assert corrected.headers["location"] == "/reports/YB-44-2026-03-2"
    assert "补充数据" in client.get("/reports/YB-44-2026-03-2").text
    rows = client.get("/reports?format=csv").content.decode("utf-8-sig").splitlines()
    assert len(rows) == 1 + 6


def test_who_may_read_may_not_sign(face: DeskFace) -> None:
    viewer = face.client(Duty.REVIEWER, CITY)
    number = "YB-4401-2026-03-1"
    assert viewer.get(f"/reports/{number}").status_code == 200
    assert "/issue" not in viewer.get(f"/reports/{number}").text
    assert viewer.submit("/me", f"/reports/{number}/issue").status_code == 403
    assert viewer.submit("/me", "/reports/draft", period="2026-02").status_code == 403
    for other in ("YB-4403-2026-03-1", NUMBER):
        assert viewer.get(f"/reports/{other}").status_code == 404
        assert viewer.get(f"/reports/{other}/paper").status_code == 404


def test_another_period_is_drafted_when_asked_and_over(face: DeskFace) -> None:
    client = face.client(Duty.APPROVER, CITY)
    made = client.submit("/me", "/reports/draft", period="2026-02")
    assert made.headers["location"] == "/reports/YB-4401-2026-02-1"
    assert client.submit("/me", "/reports/draft", period="2026-02").status_code == 409
    assert client.submit("/me", "/reports/draft", period="2026-04").status_code == 422
    assert client.submit("/me", "/reports/draft", period="spring").status_code == 422
    english = client.get("/reports?lang=en").text
    assert "The desk drafts a report when a period has ended" in english
