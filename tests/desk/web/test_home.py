"""The first page: every figure counts what the list behind it shows, within the scope; unknown stands as unknown."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import insert, update

from regulator.base.intake.findings import Finding, FindingKind, open_finding
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.model.hazard import Channel, Grade, HazardKind, NewHazard
from regulator.base.records.tables.hazards import hazard_requests, hazards
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.registry import projects, regions
from regulator.base.records.tables.rounds import key_risk_checks, key_risks
from regulator.parts.hazards.opening import open_hazard
from screens.formats import local_time
from tests.fakes.desk_database import DAY_NS, HOUR_NS, DeskClock
from tests.fakes.desk_face import DeskClient, DeskFace
from tests.fakes.registry_desk import RegistryDesk, SetRules
from tests.fakes.review_world import ReviewWorld

CITY, OTHER = Scope(Level.CITY, "4401"), Scope(Level.CITY, "4403")
COUNTY = Scope(Level.COUNTY, "440105")
STATES = {"late": ("rectifying", -1), "today": ("ordered", 0), "soon": ("ordered", 4), "far": ("rectifying", 40)}


@pytest.fixture(scope="module")
def face(shared_desk_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskFace]:
    """Two cities; in the first something of everything, in the other one alarm and one hazard."""
    with DeskFace(tmp_path_factory.mktemp("home"), DeskClock(), url=shared_desk_url) as face:
        clock = face.clock
        assert isinstance(clock, DeskClock)
        world = ReviewWorld(face.database, face.desk.ledger, clock)
        world.queue_alarm("a1", severity="P1", raised_at_ns=clock() - 3 * HOUR_NS)
        world.queue_alarm("a2", severity="P2", raised_at_ns=clock() - HOUR_NS)
        world.queue_alarm("a3", severity="P2", project_code="p3", box_id="box-3")
        _hazards(face)
        _set_of_three(face, clock)
        with face.database.transaction() as db:
            for kind, code in ((FindingKind.SILENT_BOX, "p1"), (FindingKind.CHAIN_GAP, "p3")):
                open_finding(db, face.desk.ledger, Finding(kind, f"box-{code}", "问题", "trouble", code), clock())
            for code, day in (("p1", ""), ("p2", "2026-03-01")):
                row = {"entry_id": f"e-{code}", "level": "project", "code": code, "ground": "manual"}
                db.execute(insert(key_risks).values(**row, from_day="2026-02-01", entered_by="x"))
                if day:
                    check = {"check_id": "c1", "level": "project", "code": code, "on_day": day, "inspector": "x"}
                    db.execute(insert(key_risk_checks).values(**check))
        yield face


def _hazards(face: DeskFace) -> None:
    actor, now_ns = face.actor(Duty.REVIEWER), face.clock()
    with face.database.transaction() as db:
        for number, (key, (state, days)) in enumerate(STATES.items()):
            project, title = "p3" if key == "far" else "p1", f"H-{key}"
            new = NewHazard(
                project,
                Channel.INSPECTION,
                HazardKind.HAZARD,
                Grade.GENERAL,
                title,
                title,
                "x",
                now_ns,
                f"key-{number}",
            )
            hazard_id = open_hazard(db, face.desk.ledger, new, actor, now_ns)
            due = {"state": state, "due_at_ns": now_ns + days * DAY_NS + HOUR_NS}
            db.execute(update(hazards).where(hazards.c.hazard_id == hazard_id).values(**due))
            if key == "late":
                asked = {"request_id": "r1", "hazard_id": hazard_id, "project_code": "p1", "kind": "extension"}
                asked |= {"asked_by": "li", "asked_persons": '["li"]'}
                db.execute(insert(hazard_requests).values(**asked, asked_at_ns=now_ns - HOUR_NS))


def _set_of_three(face: DeskFace, clock: DeskClock) -> None:
    """p1 has a silent box, p2 none, p3 one that is heard but has no camera."""
    RegistryDesk(face.database, face.desk.ledger, clock, SetRules("province", 500)).join("p1", "p2", "p3")
    with face.database.transaction() as db:
        for box, code, seen in (("box-1", "p1", clock() - DAY_NS), ("box-3", "p3", clock())):
            row = {"box_id": box, "project_code": code, "verified_sha256": "0" * 64, "last_seen_ns": seen}
            db.execute(insert(boxes).values(**row))


def big(text: str, words: str) -> str:
    """The large figure that stands before these words."""
    found = re.search(rf'<b class="numeric">([^<]*)</b> <span class="home-words">{re.escape(words)}', text)
    assert found is not None, f"{words}: not in\n{text[:3000]}"
    return found[1]


def line(text: str, words: str) -> str:
    """The figure of a line of a list."""
    found = re.search(rf'<b class="numeric">(\d+)</b> {re.escape(words)}', text)
    return found[1] if found else ""


def home(face: DeskFace, duty: Duty, scope: Scope) -> tuple[DeskClient, str]:
    client = face.client(duty, scope)
    answer = client.get("/")
    assert answer.status_code == 200, answer.text
    return client, answer.text


def test_figures_are_those_of_the_scope(face: DeskFace) -> None:
    _, text = home(face, Duty.REVIEWER, CITY)
    assert [big(text, words) for words in ("待研判一级报警", "条隐患已逾期", "条隐患今天到期", "台监控主机失联")] == [
        "1",
        "1",
        "1",
        "1",
    ]
    assert "最久已等 3 小时" in text
    assert big(text, "名单内项目当日有有效数据") == "0.00 %"
    _, text = home(face, Duty.REVIEWER, OTHER)
    assert [big(text, words) for words in ("待研判一级报警", "条隐患已逾期", "台监控主机失联")] == ["0", "0", "0"]
    assert "p1" not in re.findall(r"/projects/(\w+)", text)


@pytest.mark.parametrize(
    ("link", "shown", "hidden"),
    [
        ("/hazards?due=overdue", "H-late", "H-today"),
        ("/hazards?due=today", "H-today", "H-late"),
        ("/hazards?state=ordered", "H-soon", "H-late"),
        ("/hazards?asked=yes", "H-late", "H-soon"),
        ("/hazards?region=440105", "H-late", "H-far"),
        ("/coverage?stopped=heartbeat", "/projects/p1", "/projects/p2"),
        ("/coverage?stopped=box", "/projects/p2", "/projects/p1"),
        ("/coverage?stopped=unknown", "/projects/p1", "/projects/p2"),
        ("/key-risks?month=open", "/projects/p1", "/projects/p2"),
        ("/key-risks?month=missed", "/projects/p1", "不可能的词"),
        ("/findings?kind=silent_box", "silent_box</code>", "chain_gap</code>"),
        ("/projects?region=440105", "工程 p1", "工程 p2"),
    ],
)
def test_a_link_leads_to_what_was_counted(face: DeskFace, link: str, shown: str, hidden: str) -> None:
    client = face.client(Duty.APPROVER)
    client.cookies.set("language", "en")
    text = client.get(link).text.partition("<main")[2]
    assert shown in text
    assert hidden not in text


@pytest.mark.parametrize("link", ["/coverage?stopped=nowhere-else", "/key-risks?month=may", "/hazards?due=never"])
def test_a_choice_that_there_is_not_is_refused(face: DeskFace, link: str) -> None:
    assert face.client(Duty.REVIEWER).get(link).status_code == 422


@pytest.mark.parametrize(
    ("duty", "words", "count"),
    [
        (Duty.REVIEWER, "条报警待研判", "2"),
        (Duty.INSPECTOR, "家重点风险本月未检查", "1"),
        (Duty.APPROVER, "项申请待审批", "1"),
        (Duty.RESPONDER, "条隐患待整改", "1"),
        (Duty.VIEWER, "条报警待研判", ""),
    ],
)
def test_what_waits_follows_the_duty(face: DeskFace, duty: Duty, words: str, count: str) -> None:
    _, text = home(face, duty, CITY)
    mine = text.partition('id="home-mine"')[2].partition("</section>")[0]
    assert line(mine, words) == count
    if duty is Duty.VIEWER:
        assert "本岗位目前没有待办" in mine
        assert 'href="/review"' not in text


def test_every_link_of_the_page_leads_somewhere(face: DeskFace) -> None:
    client, text = home(face, Duty.REVIEWER, CITY)
    links = set(re.findall(r'href="(/[^"#]*)"', text.partition("<main")[2]))
    assert len(links) > 10
    for link in links:
        assert client.get(link.replace("&amp;", "&")).status_code == 200, link


def test_without_a_set_coverage_is_unknown_and_not_zero(face: DeskFace) -> None:
    with face.database.transaction() as db:
        row = {"project_code": "p9", "name": "名单外", "province_code": "44", "city_code": "4409"}
        db.execute(insert(projects).values(**row))
    _, text = home(face, Duty.REVIEWER, Scope(Level.CITY, "4409"))
    assert "覆盖情况无从得知" in text
    assert "%</b>" not in text


def test_a_county_sees_projects_and_a_city_its_counties(face: DeskFace) -> None:
    with face.database.transaction() as db:
        db.execute(update(regions).where(regions.c.code == "440105").values(name="<b>甲东县</b>"))
    _, text = home(face, Duty.REVIEWER, CITY)
    assert "&lt;b&gt;甲东县" in text
    assert "<b>甲东县" not in text
    _, text = home(face, Duty.REVIEWER, COUNTY)
    assert 'href="/projects/p1"' in text


def test_the_set_stands_with_the_time_it_was_looked_at(face: DeskFace) -> None:
    _, text = home(face, Duty.REVIEWER, CITY)
    of_the_set = text.partition('id="home-set"')[2].partition("</section>")[0]
    assert f"截至 {local_time(face.clock())}" in of_the_set


def test_a_province_sees_findings_of_no_project(face: DeskFace) -> None:
    with face.database.transaction() as db:
        open_finding(
            db, face.desk.ledger, Finding(FindingKind.FOREIGN_KEY, "k", "未知密钥", "unknown key"), face.clock()
        )
    _, of_province = home(face, Duty.REVIEWER, Scope(Level.PROVINCE, "44"))
    _, of_city = home(face, Duty.REVIEWER, CITY)
    assert line(of_province, "未知密钥") == "1"
    assert line(of_city, "未知密钥") == ""


def test_nobody_sees_it_without_a_login(face: DeskFace) -> None:
    answer = face.client().get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/")
