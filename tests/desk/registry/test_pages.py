"""The registry's pages over a real socket: every page in both languages, refusals, and what two people do."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy import insert, select

from regulator.base.kinds import DeviceKind
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.tables.coverage import camera_stills
from regulator.base.records.tables.intake import items
from regulator.base.records.tables.ledger import ledger_entries
from regulator.parts.registry.projects.region_office import Firm, add_firm
from regulator.parts.registry.projects.set_office import SetRules
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.registry_desk import ADMIN, RegistryDesk

CITY = Scope(Level.CITY, "4403")
HTML = "<b onmouseover=alert(1)>甲</b>'; DROP TABLE projects;--"


@pytest.fixture
def face(tmp_path: Path, desk_url: str, clock: DeskClock) -> Iterator[DeskFace]:
    with DeskFace(tmp_path, clock, url=desk_url) as face:
        yield face


@pytest.fixture
def desk(face: DeskFace, clock: DeskClock) -> RegistryDesk:
    made = RegistryDesk(face.database, face.desk.ledger, clock, SetRules("province", 500))
    made.plant(3)
    made.plant(1, city="4403", county="440303", first=4)
    made.equip("p-001", "crane-1")
    made.equip("p-001", "cam-1", kind=DeviceKind.CAMERA)
    made.join("p-001", "p-004")
    return made


def test_every_page_speaks_both_languages(face: DeskFace, desk: RegistryDesk) -> None:
    people = {duty: face.client(duty) for duty in (Duty.ADMINISTRATOR, Duty.APPROVER, Duty.INSPECTOR, Duty.VIEWER)}
    people[Duty.VIEWER].get("/me")
    catalogue = face.app.state.pages.catalogue
    before = set(catalogue.missing)
    people[Duty.ADMINISTRATOR].submit(
        "/set", "/set/proposals", change="add", project_code="p-002", category="urban_rail", category_reason="",
        effective_day="2026-03-01", reason="年度更新",
    )  # fmt: skip
    opened = people[Duty.ADMINISTRATOR].submit(
        "/rounds", "/rounds", name="第一轮", starts_on="2026-03-01", due_on="2026-06-30", reason="年度计划"
    )
    a_round = opened.headers["location"]
    sheet = f"{a_round}/sheet?level=device&sheet=site&project=p-001&device=crane-1"
    pages = ["/projects", "/projects/p-001", "/set", "/coverage", "/coverage?day=2026-01-01", "/rounds", a_round,
             "/key-risks"]  # fmt: skip
    wanted = [(duty, page) for duty in people for page in pages]
    wanted += [(Duty.ADMINISTRATOR, "/import"), (Duty.INSPECTOR, sheet)]
    for language in ("zh-CN", "en"):
        for duty, page in wanted:
            client = people[duty]
            client.cookies.set("language", language)
            answer = client.get(page)
            assert answer.status_code == 200, f"{page}: {answer.text[-800:]}"
    assert catalogue.missing == before


def test_a_list_that_is_wrong_is_shown_line_by_line_and_kept_as_text(face: DeskFace, desk: RegistryDesk) -> None:
    client = face.client(Duty.ADMINISTRATOR)
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "名录"
    for row in (
        ["项目编码", "项目名称", "市区划代码"],
        ["n-1", HTML, 4401],
        ["n-2", "=A1", 4401],
        ["n-3", "合并", 4401],
    ):
        sheet.append(row)
    sheet.merge_cells("B4:C4")
    book.save(kept := io.BytesIO())
    sent = client.submit("/import", "/import/preview", files={"file": ("名录.xlsx", kept.getvalue())}, kind="projects")
    assert sent.status_code == 303
    page = client.get(sent.headers["location"]).text
    assert "填写值，不用公式" in page
    assert "B4:C4" in page
    assert HTML not in page
    assert "&lt;b onmouseover=alert(1)&gt;" in page
    taken = client.submit(sent.headers["location"], f"{sent.headers['location']}/commit", reason="年度名录")
    assert taken.status_code == 303
    assert "&lt;b onmouseover=alert(1)&gt;" in client.get("/projects/n-1").text
    assert client.get("/projects/n-2").status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("坏.xlsx", b"PK\x03\x04broken", "XLSX"),
        ("坏.csv", "a,b".encode("utf-16"), "GB18030"),
        ("列.csv", "编号,名字\n1,2\n".encode(), "列名应为"),
    ],
)
def test_a_file_that_cannot_be_read(face: DeskFace, desk: RegistryDesk, name: str, content: bytes, said: str) -> None:
    client = face.client(Duty.ADMINISTRATOR)
    sent = client.submit("/import", "/import/preview", files={"file": (name, content)}, kind="projects")
    answer = sent if sent.status_code == 422 else client.get(sent.headers["location"])
    assert said in answer.text


def test_the_set_needs_two_people_on_the_page_too(face: DeskFace, desk: RegistryDesk) -> None:
    proposer, approver = face.client(Duty.ADMINISTRATOR), face.client(Duty.APPROVER)
    fields = {"change": "remove", "project_code": "p-001", "effective_day": "2026-03-02", "reason": "竣工"}
    assert proposer.submit("/set", "/set/proposals", **fields).status_code == 303
    page = approver.get("/set").text
    action = page.split('action="/set/proposals/')[1].split('"')[0]
    assert proposer.submit("/set", f"/set/proposals/{action}", verdict="approve", reason="x").status_code == 403
    past = fields | {"project_code": "p-004", "effective_day": "2026-02-01"}
    refused = proposer.submit("/set", "/set/proposals", **past)
    assert refused.status_code == 422
    assert "不得倒签" in refused.text
    assert approver.submit("/set", f"/set/proposals/{action}", verdict="approve", reason="同意").status_code == 303
    assert ">p-001</a>" not in approver.get("/set?day=2026-03-02").text.split('id="members"')[1].split("</section>")[0]
    assert ">p-001</a>" in approver.get("/set?day=2026-03-01").text.split('id="members"')[1].split("</section>")[0]


def test_a_city_sees_its_own(face: DeskFace, desk: RegistryDesk) -> None:
    client = face.client(Duty.VIEWER, CITY)
    page = client.get("/projects").text
    assert "p-004" in page
    assert "p-001" not in page
    assert "p-001" not in client.get("/coverage").text
    assert "p-001" not in client.get("/set").text
    assert client.get("/projects/p-001").status_code == 404
    assert client.get("/projects/p-001/cameras/cam-1/still").status_code == 404


def test_pages_follow_each_other_by_key(face: DeskFace, desk: RegistryDesk) -> None:
    desk.plant(60, first=100)
    client = face.client(Duty.VIEWER)
    first = client.get("/projects?status=running").text
    after = first.split("after=")[1].split('"')[0]
    second = client.get(f"/projects?status=running&after={after}").text
    shown = [page.count('<td class="nowrap"><a href="/projects/') for page in (first, second)]
    assert shown == [50, 14]
    assert ('rel="next"' in first, 'rel="next"' in second) == (True, False)
    assert client.get("/projects?q=%25").text.count('<td class="nowrap"><a') == 0
    assert client.get("/projects?status=nonsense").status_code == 422
    assert client.get("/projects?q=' OR 1=1--").text.count('<td class="nowrap"><a') == 0
    assert client.get("/projects?q=%00").status_code == 422


def test_a_look_at_a_still_is_put_on_record(face: DeskFace, desk: RegistryDesk) -> None:
    with face.database.transaction() as db:
        body = '{"data_base64":"/9j/4AAQ","media_type":"image/jpeg"}'
        kept = {"box_id": "b", "key": "still:1", "kind": "thumbnail", "body": body, "body_sha256": "", "receipt": ""}
        kept |= {"envelope": "", "envelope_signature": ""}
        db.execute(insert(items).values(**kept))
        still = {"project_code": "p-001", "camera_id": "cam-1", "sha256": "a" * 64, "media_type": "image/jpeg"}
        db.execute(insert(camera_stills).values(**still, box_id="b", item_key="still:1", captured_at_ns=desk.clock()))
    viewer = face.client(Duty.VIEWER)
    assert "/projects/p-001/cameras/cam-1/still" in viewer.get("/projects/p-001").text
    answer = viewer.get("/projects/p-001/cameras/cam-1/still")
    assert (answer.status_code, answer.content[:2]) == (200, b"\xff\xd8")
    with face.database.reading() as db:
        at = ledger_entries.c
        looked = db.execute(select(at.subject, at.user_id).where(at.kind == "still_viewed")).all()
    assert [tuple(row) for row in looked] == [("cam-1", face.person(Duty.VIEWER).user_id)]


def test_a_round_from_sheet_to_close(face: DeskFace, desk: RegistryDesk) -> None:
    keeper, inspector, approver = (
        face.client(duty, CITY) for duty in (Duty.ADMINISTRATOR, Duty.INSPECTOR, Duty.APPROVER)
    )
    fields = {"name": "城区第一轮", "starts_on": "2026-03-01", "due_on": "2026-06-30", "reason": "计划"}
    a_round = keeper.submit("/rounds", "/rounds", **fields).headers["location"]
    refused = approver.submit(a_round, f"{a_round}/close", reason="完成")
    assert refused.status_code == 409
    assert "0.00 %" in refused.text
    for level, codes, sheet in (
        ("firm", {"firm": "f-1"}, "duty"),
        ("project", {"project": "p-004"}, "site"),
        ("project", {"project": "p-004"}, "duty"),
    ):
        page = inspector.get(f"{a_round}/sheet", params={"level": level, "sheet": sheet, **codes}).text
        answers = {part.split('"')[0]: "fits" for part in page.split('type="radio" name="')[1:]}
        assert len(answers) == 5
        sent = inspector.submit("/me", f"{a_round}/checks", level=level, sheet=sheet, **codes, **answers)
        assert sent.status_code == 303
    assert approver.submit(a_round, f"{a_round}/close", reason="完成").status_code == 303
    assert "已关闭" in approver.get(a_round).text


def test_key_risks_on_the_page(face: DeskFace, desk: RegistryDesk) -> None:
    keeper, inspector, approver = (face.client(duty) for duty in (Duty.REVIEWER, Duty.INSPECTOR, Duty.APPROVER))
    sent = keeper.submit("/key-risks", "/key-risks/by-hand", level="project", code="p-002", reason="突出隐患")
    assert sent.status_code == 303
    desk.clock.move(days=25)
    keeper, inspector, approver = (face.client(duty) for duty in (Duty.REVIEWER, Duty.INSPECTOR, Duty.APPROVER))
    assert "<strong>待检查</strong>" in inspector.get("/key-risks").text
    assert inspector.submit("/key-risks", "/key-risks/project/p-002/check", reason="已检查").status_code == 303
    assert "<strong>待检查</strong>" not in inspector.get("/key-risks").text
    report = {"report": ("评估.pdf", b"%PDF-1.7 report")}
    sent = keeper.submit("/key-risks", "/key-risks/project/p-002/exit/upload", files=report, reason="评估通过")
    assert sent.status_code == 303
    assert approver.submit("/key-risks", "/key-risks/project/p-002/exit/approve", reason="同意").status_code == 303
    assert "p-002" not in keeper.get("/key-risks").text


ADMIN_44 = Scope(Level.PROVINCE, "44")


def test_regions_and_firms_are_kept_by_forms(face: DeskFace, desk: RegistryDesk) -> None:
    client = face.client(Duty.ADMINISTRATOR, ADMIN_44)
    region = {"code": "440107", "name": HTML, "level": "county", "parent": "4401", "reason": "新设"}
    assert client.submit("/regions", "/regions", **region).status_code == 303
    wrong = client.submit("/regions", "/regions", **(region | {"code": "440108", "parent": "44"}))
    assert (wrong.status_code, "上级区划应为市" in wrong.text) == (422, True)
    assert client.submit("/regions", "/regions", **region).status_code == 409
    assert client.submit("/regions", "/regions/440107/name", name="甲南县", reason="更名").status_code == 303
    assert client.submit("/regions", "/regions/999/name", name="甲南县", reason="更名").status_code == 404
    firm = {"firm_code": "f-9", "name": "第九建筑公司", "kind": "contractor", "reason": "新入库"}
    assert client.submit("/regions", "/firms", **firm).status_code == 303
    assert client.submit("/regions", "/firms/f-9/name", name="第九集团", reason="更名").status_code == 303
    assert client.submit("/regions", "/firms/f-9/end", reason="注销").status_code == 303
    text = client.get("/regions", params={"q": "f-9"}).text
    assert "第九集团" in text
    assert "已停用" in text
    assert "<b onmouseover" not in text
    with face.database.reading() as db:
        at = ledger_entries.c
        kinds = list(
            db.scalars(select(at.kind).where(at.chain.startswith("registry:")).order_by(at.at_ns, at.chain, at.seq))
        )
    assert set(kinds) >= {"region_added", "region_renamed", "firm_added", "firm_renamed", "firm_ended"}


def test_who_keeps_nothing_sees_no_form_and_no_firm_of_others(face: DeskFace, desk: RegistryDesk) -> None:
    with desk.act(ADMIN, "测试") as act:
        add_firm(act, Firm("f-8", "别处的公司"))
    city = face.client(Duty.ADMINISTRATOR, CITY)
    text = city.get("/regions").text
    assert "第一建筑公司" in text
    assert "别处的公司" not in text
    assert 'action="/regions"' in text
    assert 'action="/regions/44/name"' not in text
    assert city.submit("/regions", "/regions/4403/name", name="别名", reason="试").status_code == 403
    assert city.submit("/regions", "/firms/f-1/end", reason="试").status_code == 403
    viewer = face.client(Duty.VIEWER, CITY)
    assert 'method="post" action="/firms' not in viewer.get("/regions").text


def test_a_project_is_changed_and_a_firm_released_on_its_page(face: DeskFace, desk: RegistryDesk) -> None:
    client = face.client(Duty.ADMINISTRATOR, ADMIN_44)
    page = "/projects/p-001"
    values = {
        "name": "新名称",
        "province_code": "44",
        "city_code": "4401",
        "county_code": "440106",
        "category": "other",
    }
    changed = client.submit(page, f"{page}/change", **values, started_on="2025-01-01", reason="区划调整")
    assert (changed.status_code, changed.headers["location"]) == (303, page)
    again = client.submit(page, f"{page}/change", **values, started_on="2025-01-01", reason="区划调整")
    assert (again.status_code, "没有变更" in again.text) == (422, True)
    lost = client.submit(page, f"{page}/change", **(values | {"county_code": "440303"}), reason="区划调整")
    assert (lost.status_code, "没有县区" in lost.text) == (422, True)
    released = client.submit(page, f"{page}/firms/release", firm_code="f-1", role="contractor", reason="合同终止")
    assert released.status_code == 303
    assert (
        client.submit(page, f"{page}/firms/release", firm_code="f-1", role="contractor", reason="再试").status_code
        == 404
    )
    text = client.get(page).text
    assert "新名称" in text
    assert "第一建筑公司" not in text.partition("<h2")[2].partition("</section>")[0]
    other = face.client(Duty.ADMINISTRATOR, CITY)
    assert other.submit("/projects", f"{page}/change", **values, reason="试").status_code == 404
