"""The page on a real socket: what waits, what was refused and why, in two languages, and who may do what."""

from collections.abc import Iterator

import pytest
from sqlalchemy import insert, select, update

from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.tables.docking import docking_lanes, docking_outbox
from regulator.base.records.tables.registry import projects
from regulator.base.settings import DeskSettings
from tests.fakes.desk_database import START_NS, DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.docking_desk import docking_settings
from tests.fakes.docking_patterns import I

HERE, ELSEWHERE = Scope(Level.CITY, "4401"), Scope(Level.CITY, "4499")
HOSTILE = "2: <script>alert(1)</script>"


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskFace]:
    folder = tmp_path_factory.mktemp("docking")
    known = {"database": f"sqlite:///{folder / 'desk.db'}", "blobs": str(folder / "blobs"), "key_file": folder / "key"}
    entry = docking_settings(folder, I, "http://127.0.0.1:9")
    with DeskFace(folder, DeskClock(), settings=DeskSettings(**known, docking=(entry,))) as face:
        with face.database.transaction() as db:
            row = {"project_code": "p1", "name": "工程一", "province_code": "44", "city_code": "4401"}
            db.execute(insert(projects).values(**row, county_code="440105"))
            for number, state in enumerate(("waiting", "waiting", "refused", "accepted")):
                said = {"platform": "province", "key": f"box-1/{number}", "kind": "alarm", "project_code": "p1"}
                said |= {"box_id": "box-1", "alarm_id": "a", "body": "{}", "state": state, "queued_at_ns": START_NS}
                words = HOSTILE if state == "refused" else ""
                db.execute(insert(docking_outbox).values(**said, words=words, settled_at_ns=START_NS))
            trouble = {"trouble": "no answer within 10 s", "trouble_since_ns": START_NS, "due_at_ns": 2**62}
            db.execute(insert(docking_lanes).values(platform="province", accepted_at_ns=START_NS, **trouble))
        yield face


def test_it_says_how_each_platform_stands(face: DeskFace) -> None:
    page = face.client(Duty.VIEWER).get("/docking").text
    assert "排序参数签名" in page
    assert "no answer within 10 s" in page
    assert "&lt;script&gt;" in page
    assert HOSTILE not in page
    assert "/docking/province/again" not in page, "a viewer sends nothing"
    english = face.client(Duty.VIEWER).get("/docking", params={"lang": "en"})
    assert english.status_code == 200


def test_counts_are_those_of_the_scope(face: DeskFace) -> None:
    assert '<span class="numeric">2</span>' in face.client(Duty.REVIEWER, HERE).get("/docking").text
    other = face.client(Duty.REVIEWER, ELSEWHERE).get("/docking").text
    assert '<span class="numeric">2</span>' not in other
    assert "script&gt;" not in other


def test_an_approver_sends_again_and_ends_the_pause(face: DeskFace) -> None:
    client = face.client(Duty.APPROVER)
    assert client.submit("/docking", "/docking/province/again", key="box-1/2", because=" ").status_code == 422
    sent = client.submit("/docking", "/docking/province/again", key="box-1/2", because="平台已更正")
    assert sent.status_code == 303
    assert client.submit("/docking", "/docking/province/now").status_code == 303
    with face.database.reading() as db:
        assert db.scalar(select(docking_outbox.c.state).where(docking_outbox.c.key == "box-1/2")) == "waiting"
        assert db.scalar(select(docking_lanes.c.due_at_ns)) == face.clock()
    with face.database.transaction() as db:
        db.execute(update(docking_outbox).where(docking_outbox.c.key == "box-1/2").values(state="refused"))


@pytest.mark.parametrize(
    ("duty", "path", "status"),
    [
        (Duty.REVIEWER, "/docking/province/again", 403),
        (Duty.REVIEWER, "/docking/province/now", 403),
        (Duty.APPROVER, "/docking/nowhere/now", 404),
    ],
)
def test_nobody_else_may(face: DeskFace, duty: Duty, path: str, status: int) -> None:
    client = face.client(duty)
    said = client.post(path, data={"csrf": client.csrf(), "key": "box-1/2", "because": "because"})
    assert said.status_code == status


def test_a_desk_that_docks_with_nobody_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    with DeskFace(tmp_path_factory.mktemp("alone"), DeskClock()) as alone:
        assert "设置中没有上级平台" in alone.client(Duty.VIEWER).get("/docking").text
        assert "docking" not in {job.name for job in alone.desk.jobs}
