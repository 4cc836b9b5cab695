"""The pages of supervision over a real socket: both languages, every step by its form, and refusals."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.tables.registry import projects
from tests.fakes.contract_box import ContractBox, alarm_body
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import PROVINCE, DeskFace
from tests.fakes.published_schema import answer_faults
from tests.fakes.registry_desk import RegistryDesk

CITY = Scope(Level.CITY, "4403")
REASON = "年度计划"


@pytest.fixture
def clock() -> DeskClock:
    return DeskClock()


@pytest.fixture
def face(tmp_path: Path, clock: DeskClock) -> Iterator[DeskFace]:
    with DeskFace(tmp_path, clock) as face:
        desk = RegistryDesk(face.database, face.desk.ledger, clock)
        desk.plant(3)
        desk.plant(2, city="4403", county="440303", first=4)
        for number in range(2):
            face.add(f"in-{number}", f"检查员{number}", [(PROVINCE, [Duty.INSPECTOR])])
        _work(face)
        yield face


def _work(face: DeskFace) -> None:
    """Every job once."""
    for job in face.desk.jobs:
        job.run(face.clock())


def test_a_draw_from_the_freeze_to_its_round_in_both_languages(face: DeskFace, clock: DeskClock) -> None:
    leader, viewer = face.client(Duty.APPROVER), face.client(Duty.VIEWER)
    frozen = leader.submit("/draws", "/draws", name="第一次双随机", on_day="2026-03-02", reason=REASON)
    page = frozen.headers["location"]
    clock.move(hours=1)
    form = {"public_value": "3141.59", "public_source": "指数收盘", "public_at": "2026-03-01T08:30"}
    early = leader.submit(page, f"{page}/draw", **(form | {"public_at": "2026-03-01T08:00"}))
    assert early.status_code == 422
    assert leader.submit(page, f"{page}/draw", **(form | {"public_at": "gestern"})).status_code == 422
    assert leader.submit(page, f"{page}/draw", **form).status_code == 303
    assert "检查日前保密" in viewer.get(page).text
    assert viewer.get(f"{page}/result.json").status_code == 404
    clock.move(days=1)
    _work(face)
    leader, viewer = face.client(Duty.APPROVER), face.client(Duty.VIEWER)
    city = face.client(Duty.VIEWER, CITY)
    shown = viewer.get(page).text
    pool, result = (viewer.get(f"{page}/{name}.json") for name in ("pool", "result"))
    for file, reply in (("pool", pool), ("result", result)):
        told = ("GET", f"/draws/{{draw_id}}/{file}.json", reply.status_code, reply.headers, reply.content)
        assert answer_faults(face.app.openapi(), *told) == []
    assert json.loads(result.text)["seed"] in shown
    codes = [target["code"] for target in json.loads(result.text)["targets"]]
    assert re.findall(r'href="/projects/(p-\d+)"', shown) == codes
    assert set(re.findall(r'href="/projects/(p-\d+)"', city.get(page).text)) == {c for c in codes if c > "p-003"}
    assert city.get(f"{page}/pool.json").status_code == 404
    begun = leader.submit(page, f"{page}/begin", due_on="2026-03-20", reason=REASON)
    assert viewer.get(begun.headers["location"]).status_code == 200
    _speaks_both(face, [page, "/draws"])


def test_every_page_speaks_both_languages(face: DeskFace) -> None:
    leader = face.client(Duty.ADMINISTRATOR)
    theme = leader.submit("/themes", "/themes", month="2026-03", topic="fire", reason=REASON).headers["location"]
    form = {"project_code": "p-001", "outcome": "hazard", "words": "灭火器过期"}
    assert face.client(Duty.INSPECTOR).submit(theme, f"{theme}/checks", **form).status_code == 303
    done = leader.submit("/calendar", "/calendar/plan", due_on="2026-04-30", words="粤建〔2026〕1 号")
    assert done.status_code == 303
    pages = ["/risk", "/risk/how", "/risk/projects/p-001", "/draws", "/calendar", "/themes", theme, "/safety-logs"]
    _speaks_both(face, [*pages, "/safety-logs/p-001", "/risk?band=low&q=p-0&region=4401&factor=key_people"])


def _speaks_both(face: DeskFace, paths: list[str]) -> None:
    person, catalogue = face.client(Duty.APPROVER), face.app.state.pages.catalogue
    for path in paths:
        person.cookies.delete("language")
        before = set(catalogue.missing)
        chinese = person.get(path)
        assert chinese.status_code == 200, path
        assert catalogue.missing == before, path
        person.submit("/me", "/preferences", language="en", theme="auto", back=path)
        english = person.get(path)
        assert english.status_code == 200, path
        assert 'lang="en"' in english.text
        person.submit("/me", "/preferences", language="zh-CN", theme="auto", back=path)


def test_a_calendar_file_and_what_is_out_of_scope(face: DeskFace) -> None:
    viewer, city = face.client(Duty.VIEWER), face.client(Duty.VIEWER, CITY)
    file = viewer.get("/calendar.ics")
    assert file.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "BEGIN:VEVENT" in file.text
    assert city.get("/risk/projects/p-001").status_code == 404
    assert city.get("/safety-logs/p-001").status_code == 404
    assert set(re.findall(r'href="/risk/projects/(p-\d+)"', city.get("/risk").text)) == {"p-004", "p-005"}
    assert viewer.get("/draws/" + "0" * 32).status_code == 404
    assert viewer.get("/themes/" + "0" * 32).status_code == 404
    assert viewer.get("/risk?band=huge").status_code == 422
    assert viewer.get("/safety-logs?day=gestern").status_code == 422
    assert viewer.submit("/me", "/draws", name="x", on_day="2026-03-02", reason="x").status_code == 403
    assert viewer.submit("/me", "/calendar/plan", due_on="2026-04-30", words="x").status_code == 403
    assert face.client().get("/risk").headers["location"].startswith("/login")


def test_conflicts_are_declared_by_form_and_end(face: DeskFace) -> None:
    leader = face.client(Duty.APPROVER)
    page = leader.get("/draws").text
    user_id = re.findall(r'<option value="([^"]+)">检查员0<', page)[0]
    form = {"user_id": user_id, "project_code": "p-001", "reason": "亲属任职"}
    assert leader.submit("/draws", "/draws/conflicts", **form).status_code == 303
    short = leader.submit("/draws", "/draws", name="x", on_day="2026-03-02", reason=REASON)
    assert short.status_code == 422
    conflict = re.findall(r"/draws/conflicts/([0-9a-f]{32})/end", leader.get("/draws").text)[0]
    assert leader.submit("/draws", f"/draws/conflicts/{conflict}/end", reason="已离职").status_code == 303
    assert "尚无申报" in leader.get("/draws").text


def test_an_alarm_that_arrives_is_in_the_score_a_minute_later(face: DeskFace, clock: DeskClock) -> None:
    with face.database.transaction() as db:
        db.execute(insert(projects).values(project_code="CONTRACT-1", name="合同工地", status="running"))
    changed = next(job for job in face.desk.jobs if job.name == "risk-changed")
    with ContractBox(face.url, "box-1") as box:
        assert box.enrol(face.code_for("box-1", "CONTRACT-1")).status == 200
        changed.run(clock.move(seconds=30))
        viewer = face.client(Duty.VIEWER)
        assert "无未恢复报警" not in viewer.get("/risk/projects/CONTRACT-1").text
        assert box.say("alarm_transition", "event-1", alarm_body("event-1")).status == 200
        changed.run(clock.move(seconds=30))
    shown = viewer.get("/risk/projects/CONTRACT-1").text
    assert "起重机械状态：未恢复报警 P1×1" in shown
