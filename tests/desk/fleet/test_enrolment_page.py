"""Codes and boxes on their page: who may do what where, codes are told once, every deed is in the ledger."""

import base64
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from regulator.base.intake.codes import code_digest
from regulator.base.intake.findings import Finding, FindingKind, open_finding
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.box_standing import assigned_box
from regulator.base.records.ledger import entries_about
from regulator.base.records.tables.intake import box_keys, boxes, codes, findings
from regulator.base.records.tables.registry import projects
from tests.fakes.contract_box import ContractBox, alarm_body
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import PROVINCE, DeskFace

CITY, OTHER_CITY, COUNTY = Scope(Level.CITY, "4401"), Scope(Level.CITY, "4403"), Scope(Level.COUNTY, "440105")
SITE = Scope(Level.PROJECT, "p-1")
PAGE = "/fleet/enrolment"
CODE = "c" * 64
FORMULA = "=HYPERLINK(1)"


@pytest.fixture
def face(tmp_path: Path, desk_url: str, clock: DeskClock) -> Iterator[DeskFace]:
    with DeskFace(tmp_path, clock, url=desk_url) as face:
        plant(face)
        yield face


def plant(face: DeskFace) -> None:
    """`first` and `second` of p-1, the second one waits; `far` of another city; a code that is open for `third`."""
    with face.database.transaction() as db:
        for code, city, county in (("p-1", "4401", "440105"), ("p-2", "4403", "")):
            row = {"project_code": code, "name": f"<b>{code}</b>", "city_code": city, "county_code": county}
            db.execute(insert(projects).values(**row, province_code="44"))
        for box, project, waiting in (("first", "p-1", 0), ("second", "p-1", 1), ("far", "p-2", 0)):
            row = {"box_id": box, "project_code": project, "waiting": waiting, "verified_sha256": "0" * 64}
            db.execute(insert(boxes).values(**row, enrolled_at_ns=face.clock(), enrolled_by='["console"]'))
            db.execute(insert(box_keys).values(box_id=box, key_id=f"k-{box}", alg="Ed25519", public_text=""))
        code = {"code_sha256": CODE, "box_id": "third", "project_code": "p-1", "issued_name": "管理员甲"}
        db.execute(insert(codes).values(**code, expires_at_ns=face.clock() + 10**12))
        waits = Finding(FindingKind.BOX_WAITING, "second", "待审批", "waits", "p-1", "second")
        open_finding(db, face.desk.ledger, waits, face.clock())


def row_of(face: DeskFace, box_id: str) -> Any:
    with face.database.reading() as db:
        return db.execute(select(boxes).where(boxes.c.box_id == box_id)).one()


def deeds(face: DeskFace, subject: str) -> list[str]:
    with face.database.reading() as db:
        return [str(entry.fields["kind"]) for entry in entries_about(db, subject)]


ACTS: dict[str, tuple[dict[str, str], set[Duty], int]] = {
    f"{PAGE}/issue": ({"project_code": "p-1", "box_id": "new-box"}, {Duty.ADMINISTRATOR}, 200),
    f"{PAGE}/import": ({}, {Duty.ADMINISTRATOR}, 200),
    f"{PAGE}/codes/{CODE}/revoke": ({"reason": "遗失"}, {Duty.ADMINISTRATOR}, 303),
    f"{PAGE}/boxes/first/revoke": ({"reason": "被盗"}, {Duty.ADMINISTRATOR, Duty.APPROVER}, 303),
    f"{PAGE}/boxes/second/revoke": ({"reason": "不予接入"}, {Duty.ADMINISTRATOR, Duty.APPROVER}, 303),
    f"{PAGE}/boxes/second/admit": ({"reason": "两台并用", "orders": "here"}, {Duty.APPROVER}, 303),
    f"{PAGE}/boxes/first/assign": ({"reason": "改由本机"}, {Duty.APPROVER}, 303),
}
"""Each act: its form, who may do it, what it answers."""
PLACES = {"province": (PROVINCE, True), "city": (CITY, True), "county": (COUNTY, True), "other": (OTHER_CITY, False)}


def submit(face: DeskFace, act: str, duty: Duty, scope: Scope) -> int:
    files = {"file": ("boxes.csv", b"project_code,box_id\np-1,new-box\n", "text/csv")}
    sent = files if act.endswith("import") else None
    return face.client(duty, scope).submit("/me", act, files=sent, **ACTS[act][0]).status_code


def test_every_act_of_the_page_is_asked(face: DeskFace) -> None:
    asked = {re.sub(f"{CODE}|first|second", "*", act) for act in ACTS}
    routes = {
        re.sub(r"\{[^}]*\}", "*", getattr(route, "path", ""))
        for route in face.app.routes
        if "POST" in (getattr(route, "methods", None) or ())
    }
    assert {path for path in routes if path.startswith(PAGE)} == asked


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("duty", list(Duty))
def test_who_may_do_what_where(face: DeskFace, duty: Duty, place: str) -> None:
    scope, ours = PLACES[place]
    for act, (_form, may, answer) in ACTS.items():
        with face.database.transaction() as db:  # each act begins with what was planted
            for table in (codes, box_keys, boxes, findings, projects):
                db.execute(table.delete())
        plant(face)
        status = submit(face, act, duty, scope)
        expected = (answer,) if duty in may and ours else (403,) if duty not in may else (404, 422)
        assert status in expected, f"{act} as {duty.value} of {place}: {status}"


@pytest.mark.parametrize("duty", list(Duty))
def test_firms_and_projects_have_no_business_there(face: DeskFace, duty: Duty) -> None:
    for act in ACTS:
        assert submit(face, act, duty, SITE) == 403
    assert face.client(duty, SITE).get(PAGE).status_code == 403


@pytest.mark.parametrize("duty", list(Duty))
def test_the_page_is_for_who_keeps_decides_or_audits(face: DeskFace, duty: Duty) -> None:
    answer = face.client(duty, CITY).get(PAGE)
    looks = duty in (Duty.ADMINISTRATOR, Duty.APPROVER, Duty.AUDITOR)
    assert answer.status_code == (200 if looks else 403)
    if looks:
        assert all(name in answer.text for name in ("first", "second", "third", "管理员甲"))
        assert "far" not in answer.text
        assert "<b>p-1" not in answer.text


def issued(face: DeskFace, **form: str) -> Any:
    return face.client(Duty.ADMINISTRATOR, CITY).submit(PAGE, f"{PAGE}/issue", **form)


def test_a_code_is_told_once_and_lets_its_box_in(face: DeskFace) -> None:
    answer = issued(face, project_code="p-1", box_id="new-box")
    (code,) = re.findall(r'class="code">([A-Z2-9-]{29})<', answer.text)
    assert answer.headers["cache-control"] == "no-store"
    assert "<script" not in answer.text
    assert code not in face.client(Duty.ADMINISTRATOR, CITY).get(PAGE).text
    with ContractBox(face.url, "new-box") as box:
        public = {"code": code.lower(), "public_key": _public(box), "project_code": "p-1", "software": "t"}
        answer = box.say("enrol", "enrol", public, "/v1/enrol")
        assert (answer.status, answer.body["admitted"]) == (200, False)
        waits = box.say("alarm_transition", "e", alarm_body("e", project_code="p-1"))
        assert (waits.status, waits.error["code"]) == (403, "not_admitted")
        admit = {"reason": "两台并用", "orders": "here"}
        approver = face.client(Duty.APPROVER, CITY)
        assert "待审批" in approver.get(PAGE).text
        assert approver.submit(PAGE, f"{PAGE}/boxes/new-box/admit", **admit).status_code == 303
        assert box.say("alarm_transition", "e", alarm_body("e", project_code="p-1")).status == 200
    with face.database.reading() as db:
        assert assigned_box(db, "p-1") == "new-box"
    told = deeds(face, "new-box")
    assert [kind for kind in told if not kind.startswith("finding")] == ["code_issued", "box_enrolled", "box_admitted"]


def _public(box: ContractBox) -> str:
    return base64.b64encode(box.public).decode()


def test_who_issued_the_code_does_not_admit_the_box(face: DeskFace) -> None:
    both = face.add("both", "两职一身", [(PROVINCE, [Duty.ADMINISTRATOR, Duty.APPROVER])])
    with face.database.transaction() as db:
        db.execute(boxes.update().where(boxes.c.box_id == "second").values(enrolled_by=f'["{both.user_id}"]'))
    refused = face.client_of(both).submit("/me", f"{PAGE}/boxes/second/admit", reason="两台并用")
    assert (refused.status_code, row_of(face, "second").waiting) == (403, 1)


def test_a_revoked_box_is_not_heard_and_has_no_key_and_no_order(face: DeskFace) -> None:
    client = face.client(Duty.ADMINISTRATOR, CITY)
    assert client.submit(PAGE, f"{PAGE}/boxes/first/revoke", reason="被盗").status_code == 303
    with face.database.reading() as db:
        assert db.scalar(select(box_keys.c.retired_at_ns).where(box_keys.c.box_id == "first")) == face.clock()
        assert assigned_box(db, "p-1") == ""
    assert deeds(face, "first") == ["box_revoked"]
    assert client.submit(PAGE, f"{PAGE}/boxes/first/revoke", reason="被盗").status_code == 409
    assert client.submit("/me", f"{PAGE}/boxes/first/revoke", reason=" ").status_code == 422
    assert "已吊销" in client.get("/fleet").text
    assert "已吊销" in client.get("/projects/p-1").text


def test_what_waits_is_decided_once_and_its_finding_closes(face: DeskFace) -> None:
    approver = face.client(Duty.APPROVER, CITY)
    assert approver.submit(PAGE, f"{PAGE}/boxes/second/admit", reason="两台并用").status_code == 303
    assert approver.submit(PAGE, f"{PAGE}/boxes/second/admit", reason="两台并用").status_code == 409
    with face.database.reading() as db:
        assert db.scalar(select(findings.c.closed_at_ns)) == face.clock()
        assert assigned_box(db, "p-1") == "first", "orders stay where they went"
    assert approver.submit(PAGE, f"{PAGE}/boxes/nobody/admit", reason="两台并用").status_code == 404
    assert approver.submit(PAGE, f"{PAGE}/boxes/second/assign", reason="改由本机").status_code == 303
    with face.database.reading() as db:
        assert assigned_box(db, "p-1") == "second"


def test_the_code_of_a_box_that_never_came_is_taken_back(face: DeskFace) -> None:
    client = face.client(Duty.ADMINISTRATOR, CITY)
    assert client.submit(PAGE, f"{PAGE}/boxes/third/revoke", reason="不装了").status_code == 303
    assert deeds(face, "third") == ["code_revoked"]
    assert client.submit(PAGE, f"{PAGE}/codes/{CODE}/revoke", reason="遗失").status_code == 409


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"project_code": "p-9", "box_id": "b"}, 404),
        ({"project_code": "p-2", "box_id": "b"}, 404),
        ({"project_code": "p-1", "box_id": "far"}, 422),
        ({"project_code": "p-1", "box_id": "Upper"}, 422),
        ({"project_code": "p-1", "box_id": "../x"}, 422),
        ({"project_code": "p-1", "box_id": ""}, 422),
        ({"project_code": "p-1"}, 422),
    ],
)
def test_a_code_for_what_is_not_there_is_refused(face: DeskFace, form: dict[str, str], status: int) -> None:
    assert issued(face, **form).status_code == status
    with face.database.reading() as db:
        assert db.scalars(select(codes.c.code_sha256)).all() == [CODE]


def hand_in(face: DeskFace, text: str | bytes, **form: str) -> Any:
    content = text.encode() if isinstance(text, str) else text
    files = {"file": ("boxes.csv", content, "text/csv")}
    return face.client(Duty.ADMINISTRATOR, CITY).submit(PAGE, f"{PAGE}/import", files=files, **form)


def test_a_list_of_five_hundred_becomes_a_sheet_and_every_code_works(face: DeskFace) -> None:
    lines = [f"p-1,site-{number:03d}" for number in range(500)]
    answer = hand_in(face, "项目编号,监控主机编号\n" + "\n".join(lines), **{"as": "sheet"})
    told = re.findall(r'class="box">(site-\d{3})<.*?class="code">([A-Z2-9-]{29})<', answer.text, re.DOTALL)
    assert [box for box, _ in told] == [f"site-{number:03d}" for number in range(500)]
    with face.database.reading() as db:
        held = {row.box_id: row.code_sha256 for row in db.execute(select(codes))}
    assert all(held[box] == code_digest(code) for box, code in told)
    assert deeds(face, "site-499") == ["code_issued"]


def test_a_list_becomes_csv_that_a_spreadsheet_opens(face: DeskFace) -> None:
    answer = hand_in(face, "box_id;project_code\nsite-1;p-1\n".encode("gb18030"), **{"as": "csv"})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    head, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert head[:4] == ["项目编号", "监控主机编号", "登记码", "有效至 (UTC+8)"]
    assert (row[0], row[1], row[3]) == ("p-1", "site-1", "2026-03-02T08:00+08:00")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("project_code,box_id\np-1,a\np-9,b\np-1,Ü\np-2,c\n", ["没有项目 p-9", "不是监控主机编号", "没有项目 p-2"]),
        ("project_code,box_id\np-1,a\np-1,a\np-1,far\n", ["编号 a 已被使用", "编号 far 已被使用"]),
        (f"project_code,box_id\n{FORMULA},a\n", ["没有项目"]),
        ("project_code\np-1\n", ["应有列 监控主机编号"]),
        ("project_code,box_id\n", ["1 至 1000 行"]),
        ("project_code,box_id\n" + "p-1,x\n" * 1001, ["1 至 1000 行"]),
        ("", ["首行应为列名"]),
        (b"\xff\xfe\x00", ["UTF-8"]),
    ],
)  # fmt: skip
def test_a_list_with_faults_issues_nothing_and_names_each_line(
    face: DeskFace, text: str | bytes, says: list[str]
) -> None:
    answer = hand_in(face, text)
    assert answer.status_code == 422
    assert all(words in answer.text for words in says), answer.text
    with face.database.reading() as db:
        assert db.scalars(select(codes.c.code_sha256)).all() == [CODE]


def test_the_box_of_another_city_is_not_taken_by_a_promise_either(face: DeskFace) -> None:
    """An open code of another city for a box that has not come: an administrator here neither sees nor voids it."""
    there = face.client(Duty.ADMINISTRATOR, OTHER_CITY)
    assert there.submit(PAGE, f"{PAGE}/issue", project_code="p-2", box_id="promised").status_code == 200
    assert issued(face, project_code="p-1", box_id="promised").status_code == 422
    assert "promised" not in face.client(Duty.ADMINISTRATOR, CITY).get(PAGE).text
    with face.database.reading() as db:
        row = db.execute(select(codes).where(codes.c.box_id == "promised")).one()
    assert (row.project_code, row.revoked_at_ns) == ("p-2", 0)


def test_a_form_without_its_token_does_nothing(face: DeskFace) -> None:
    client = face.client(Duty.ADMINISTRATOR, CITY)
    for act, (form, _, _) in ACTS.items():
        files = {"file": ("boxes.csv", b"x", "text/csv")} if act.endswith("import") else None
        assert client.post(act, data=form, files=files).status_code == 403
    assert deeds(face, "first") == deeds(face, "third") == []
