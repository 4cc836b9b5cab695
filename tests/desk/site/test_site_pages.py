"""The desk's permits and warnings on a real socket: two languages, hostile texts, no page without a right."""

from collections.abc import Iterator

import pytest
from sqlalchemy import insert

from contract.chain import GENESIS
from regulator.base.intake import mailbox as box_mail
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.registry import projects
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace

CITY, OTHER = Scope(Level.CITY, "4401"), Scope(Level.CITY, "4403")
HOSTILE = """<script>alert(1)</script>'; DROP TABLE site_notices; --"""
SPAN = {"valid_from": "2026-03-01T08:00", "valid_until": "2026-03-01T12:00"}
RAIN = {"kind": "rainstorm", "level": "red", "target_level": "city", "target_code": "4401", "source": "市气象台"} | SPAN


@pytest.fixture(scope="module")
def face(shared_desk_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskFace]:
    with DeskFace(tmp_path_factory.mktemp("site"), DeskClock(), url=shared_desk_url) as face:
        key = face.desk.key
        face.desk.post = lambda db, box_id, kind, body, now_ns: box_mail.post(db, box_id, kind, body, key, now_ns)
        with face.database.transaction() as db:
            row = {"project_code": "p1", "name": "工程一", "province_code": "44", "city_code": "4401"}
            db.execute(insert(projects).values(**row, county_code="440105"))
            db.execute(insert(boxes).values(box_id="box-1", project_code="p1", verified_sha256=GENESIS))
        yield face


def test_a_warning_is_entered_seen_and_withdrawn_by_forms_alone(face: DeskFace) -> None:
    client = face.client(Duty.REVIEWER, CITY)
    went = client.submit("/permits", "/permits/warning", words=HOSTILE, **RAIN)
    assert went.status_code == 303
    page = client.get(went.headers["location"])
    assert "等待监控主机接收" in page.text
    assert "&lt;script&gt;" in page.text
    assert HOSTILE not in page.text
    here = went.headers["location"].partition("?")[0]
    assert client.submit(here, f"{here}/withdraw", reason=" ").status_code == 422
    assert client.submit(here, f"{here}/withdraw", reason=HOSTILE).status_code == 303
    assert "已撤销" in client.get("/permits").text
    english = client.get(here, params={"lang": "en"}).text
    assert "Why it was withdrawn" in english


def test_a_permit_is_entered_and_its_mistakes_come_back_with_what_was_typed(face: DeskFace) -> None:
    client = face.client(Duty.REVIEWER, CITY)
    fields = {"project_code": "p1", "work": "climbing", "asset": "crane-1", "number": "2026-017", "place": ""}
    fields |= {"holder": "安装负责人", "issued_by": "县住建局", "reason": "第3次顶升"} | SPAN
    wrong = client.submit("/permits", "/permits/permit", **fields | {"holder": ""})
    assert (wrong.status_code, "2026-017" in wrong.text) == (422, True)
    elsewhere = client.submit("/permits", "/permits/permit", **fields | {"project_code": "p9"})
    assert (elsewhere.status_code, "范围内没有项目" in elsewhere.text) == (404, True)
    backwards = client.submit("/permits", "/permits/permit", **fields | {"valid_until": "2026-02-01T08:00"})
    assert "结束须晚于开始" in backwards.text
    assert client.submit("/permits", "/permits/permit", **fields).status_code == 303


def test_who_may_not_issue_sees_no_form_and_is_refused(face: DeskFace) -> None:
    viewer = face.client(Duty.VIEWER, CITY)
    assert "/permits/warning" not in viewer.get("/permits").text
    assert viewer.submit("/me", "/permits/warning", **RAIN).status_code == 403
    assert face.client(Duty.REVIEWER, OTHER).get("/permits").text.count("工程一") == 0
    assert face.client().get("/permits").status_code == 303


def test_a_notice_of_another_city_does_not_exist(face: DeskFace) -> None:
    went = face.client(Duty.REVIEWER, CITY).submit("/permits", "/permits/warning", **RAIN)
    here = went.headers["location"].partition("?")[0]
    assert face.client(Duty.REVIEWER, OTHER).get(here).status_code == 404


def test_no_text_is_left_untranslated(face: DeskFace) -> None:
    client = face.client(Duty.REVIEWER, CITY)
    catalogue = face.app.state.pages.catalogue
    catalogue.missing.clear()
    went = client.submit("/permits", "/permits/warning", **RAIN)
    client.get(went.headers["location"])
    assert catalogue.missing == set()
