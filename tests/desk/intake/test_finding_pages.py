"""Findings on their page: each scope sees its own, whoever judges may close one with a reason, the ledger says who."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from regulator.base.intake.findings import Finding, FindingKind, open_finding
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.ledger import entries_about
from regulator.base.records.tables.registry import projects
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def face(tmp_path: Path, desk_url: str, clock: DeskClock) -> Iterator[DeskFace]:
    with DeskFace(tmp_path, clock, url=desk_url) as face:
        yield face


@pytest.fixture
def finding_ids(face: DeskFace) -> dict[str, str]:
    """One of a project in each of two cities, one about no project."""
    ids = {}
    with face.database.transaction() as db:
        for city in ("4401", "4403"):
            row = {"project_code": f"P-{city}", "name": city, "province_code": "44", "city_code": city}
            db.execute(insert(projects).values(**row))
            found = Finding(
                FindingKind.SILENT_BOX, f"box-{city}", f"沉默 {HOSTILE}", "silent", f"P-{city}", f"box-{city}"
            )
            ids[city] = open_finding(db, face.desk.ledger, found, face.clock())
        ids[""] = open_finding(db, face.desk.ledger, Finding("foreign_key", "x", "无项目", "no project"), face.clock())
    return ids


def test_each_scope_sees_its_own(face: DeskFace, finding_ids: dict[str, str]) -> None:
    city = face.client(Duty.VIEWER, Scope(Level.CITY, "4401")).get("/findings").text
    assert finding_ids["4401"] in city
    assert finding_ids["4403"] not in city
    assert "无项目" not in city
    assert "<script>alert" not in city
    province = face.client(Duty.VIEWER).get("/findings").text
    assert all(finding_id in province for finding_id in finding_ids.values())


def test_a_finding_is_closed_once_with_a_reason_by_whoever_judges(face: DeskFace, finding_ids: dict[str, str]) -> None:
    address = f"/findings/{finding_ids['4401']}/close"
    assert face.client(Duty.VIEWER).submit("/me", address, because="已联系项目").status_code == 403
    other = face.client(Duty.REVIEWER, Scope(Level.CITY, "4403"))
    assert other.submit("/findings", address, because="已联系项目").status_code == 404
    reviewer = face.client(Duty.REVIEWER)
    assert reviewer.submit("/findings", address, because=" ").status_code == 422
    assert reviewer.submit("/findings", address, because="已联系项目").status_code == 303
    assert reviewer.submit("/me", address, because="再次").status_code == 409
    assert finding_ids["4401"] not in reviewer.get("/findings").text
    assert "已联系项目" in reviewer.get("/findings?closed=1").text
    with face.database.reading() as db:
        last = entries_about(db, "box-4401")[-1].fields
    assert last["kind"] == "finding_closed"
    assert last["actor"]["name"] == "研判员"  # type: ignore[index, call-overload]


def test_the_contract_is_heard_without_a_login_and_refuses_with_a_signature(face: DeskFace) -> None:
    client = face.client(Duty.VIEWER)
    for method, address, status in (("GET", "/v1/messages", 405), ("GET", "/v1/nothing", 404)):
        answer = client.request(method, address)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, "not_found")
        face.desk.key.public.verify(answer.headers["sitewarden-signature"], answer.content)
    assert client.post("/v1/messages", content=b"rubbish").json()["error"]["code"] == "malformed"
