"""No page, no API and no form of one city shows or changes anything of another: every route, every method, every duty.

What is another city's carries the word SECRET or an id that a city of its own does not know. The province sees it, so
that the test can tell a page that keeps its scope from a page that shows nothing to anybody; and the other city's own
people change it by the same forms.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from regulator.base.documents.documents import issue_document
from regulator.base.documents.paper import DocumentKind, DocumentRequest
from regulator.base.intake.findings import Finding, open_finding
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.model.hazard import Channel, Grade, HazardKind, NewHazard
from regulator.base.records.ledger import Deed
from regulator.base.records.tables.intake import alarm_media, boxes, codes
from regulator.base.records.tables.metadata import METADATA
from regulator.base.records.tables.registry import devices, firms, project_firms, projects, regions
from regulator.base.web.access_table import TABLE, Door
from regulator.parts.hazards.opening import open_hazard
from tests.fakes.desk_asking import DeskAsking
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import PROVINCE, DeskClient, DeskFace
from tests.fakes.review_world import ReviewWorld

OURS, THEIRS = Scope(Level.CITY, "4401"), Scope(Level.CITY, "4403")
SECRET, CODE = "SECRET", "p3"
OPEN = re.compile(r"/(static|v1|login|favicon\.ico|oidc|documents/check)(/.*)?")
PARAMETER = re.compile(r"\{([^}:]+)(:[^}]*)?\}")
ENDLESS = "/api/wall/events"
"""Never ends; that it tells nothing out of sight is asked in tests/desk/wall/test_feed.py."""
ASKED = {"project": CODE, "project_code": CODE, "city": "4403", "subject": "alarm-3", "city_code": "4403"}


@dataclass
class TwoCities:
    face: DeskFace
    values: dict[str, str]
    """What a parameter of a path is replaced by: the other city's."""

    def paths(self) -> list[str]:
        """Every GET route that asks for a login, with the other city's things in it."""
        found = []
        for route in self.face.app.routes:
            path = getattr(route, "path", "")
            asked = "GET" in (getattr(route, "methods", None) or ()) and path != ENDLESS
            if asked and not OPEN.fullmatch(path):
                found.append(PARAMETER.sub(lambda match: self.values.get(match[1], "nothing"), path))
        return found


@pytest.fixture(scope="module")
def cities(face: DeskFace) -> TwoCities:
    assert isinstance(face.clock, DeskClock)
    world = ReviewWorld(face.database, face.desk.ledger, face.clock)
    item = world.queue_alarm("alarm-3", project_code=CODE, box_id="box-3", title_zh=SECRET, title_en=SECRET)
    sha256 = face.desk.shelf.put(SECRET.encode(), "video/mp4")
    actor, now_ns, ledger = face.actor(Duty.REVIEWER, THEIRS), face.clock(), face.desk.ledger
    new = NewHazard(
        CODE, Channel.INSPECTION, HazardKind.HAZARD, Grade.GENERAL, SECRET, SECRET, "place", now_ns, "key-3"
    )
    request = DocumentRequest(
        "key-3", DocumentKind.RECTIFICATION, "440303", CODE, SECRET, "hazard", SECRET, SECRET, (SECRET,)
    )
    with face.database.transaction() as db:
        for code, level, parent in (("4401", "city", "44"), ("4403", "city", "44"), ("440303", "county", "4403")):
            db.execute(insert(regions).values(code=code, name=code, level=level, parent=parent))
        db.execute(update(projects).where(projects.c.project_code == CODE).values(name=SECRET))
        db.execute(insert(firms).values(firm_code="firm-3", name=SECRET, kind="contractor"))
        db.execute(insert(project_firms).values(project_code=CODE, firm_code="firm-3", role="contractor"))
        db.execute(insert(boxes).values(**_filled(boxes, {"box_id": "box-3", "project_code": CODE})))
        device = {"project_code": CODE, "device_code": "device-3", "name": SECRET, "kind": "tower_crane"}
        db.execute(insert(devices).values(**_filled(devices, _known(devices, device))))
        media = {"box_id": "box-3", "item_key": "m", "alarm_id": "alarm-3", "sha256": sha256, "event_id": "e"}
        db.execute(insert(alarm_media).values(**media, kind="segment", media_type="video/mp4"))
        hazard_id = open_hazard(db, ledger, new, actor, now_ns)
        document = issue_document(db, face.desk, request, actor, now_ns)
        open_finding(db, ledger, Finding("silent_box", "box-3", SECRET, SECRET, CODE, "box-3"), now_ns)
        ledger.append(db, Deed("note", "alarm-3", {"words": SECRET}, CODE), actor, now_ns)
        code = {"code_sha256": "c" * 64, "box_id": "box-4", "project_code": CODE, "issued_name": SECRET}
        db.execute(insert(codes).values(**code, expires_at_ns=2**62))
    face.add("secret", SECRET)
    values = {"code": CODE, "project_code": CODE, "hazard_id": hazard_id, "item_id": item, "sha256": sha256}
    values |= {"number": document.number, "form": "paper", "box_id": "box-3", "firm_code": "firm-3"}
    return TwoCities(face, values | {"alarm_id": "alarm-3", "camera": "cam-1", "level": "project"})


def _filled(table, values):  # type: ignore[no-untyped-def]
    """A row with something in every column that has no default."""
    needed = (column for column in table.columns if column.server_default is None and not column.nullable)
    return {column.name: column.name for column in needed} | values


def _known(table, values):  # type: ignore[no-untyped-def]
    return {name: value for name, value in values.items() if name in table.columns}


def answers(client: DeskClient, path: str) -> Iterator[tuple[int, str]]:
    """The page, its JSON, its filters set to the other city, and its downloads."""
    for more in ({}, ASKED, ASKED | {"format": "csv"}):
        yield got(client, path, params=more)
    yield got(client, path, headers={"accept": "application/json"})


def got(client: DeskClient, path: str, **asked: Any) -> tuple[int, str]:
    """An answer whole; of a feed that never ends what it begins with."""
    with client.stream("GET", path, **asked) as answer:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            return answer.status_code, next(answer.iter_text())
        return answer.status_code, answer.read().decode(errors="replace")


@pytest.mark.parametrize("duty", list(Duty))
def test_no_route_shows_another_citys(cities: TwoCities, duty: Duty) -> None:
    client = cities.face.client(duty, OURS)
    for path in cities.paths():
        for status, text in answers(client, path):
            assert SECRET not in text, f"{path} as {duty.value}: {status}"
            assert status < 500, f"{path} as {duty.value}: {text[:2000]}"


@pytest.mark.parametrize("duty", [Duty.REVIEWER, Duty.AUDITOR, Duty.RESPONDER])
def test_what_is_addressed_by_its_id_does_not_exist_for_another_city(cities: TwoCities, duty: Duty) -> None:
    client = cities.face.client(duty, OURS)
    named = [path for path in cities.paths() if any(value in path.split("/") for value in cities.values.values())]
    assert len(named) > 5
    for path in named:
        assert got(client, path)[0] in (403, 404), path


def test_the_province_sees_it_so_the_test_can_fail(cities: TwoCities) -> None:
    shown = set()
    for duty in (Duty.REVIEWER, Duty.AUDITOR):
        client = cities.face.client(duty, PROVINCE)
        shown |= {path for path in cities.paths() if any(SECRET in text for _, text in answers(client, path))}
    hazard = f"/hazards/{cities.values['hazard_id']}"
    document = f"/documents/{cities.values['number']}"
    expected = {"/hazards", hazard, "/documents", document, f"{document}/paper", "/audit", "/projects", "/projects/p3"}
    expected |= {"/fleet/enrolment"}
    assert expected | {f"/media/{cities.values['sha256']}"} <= shown
    assert any(path.startswith("/review") for path in shown)


NOT_THEIR_OWN = {"accounts", "grants", "sessions", "media_views"}
"""Tables that say who came and who asked."""
CHANGING = [route for (method, route), row in TABLE.items() if method == "POST" and row.door is Door.ROLE]


def their_rows(face: DeskFace, values: Mapping[str, str]) -> dict[str, list[str]]:
    """Every row of the database that names something of the other city, by table."""
    named = {CODE, SECRET, "4403", *(values[name] for name in ("hazard_id", "item_id", "number", "box_id"))}
    found: dict[str, list[str]] = {}
    with face.database.reading() as db:
        for table in METADATA.sorted_tables:
            if table.name not in NOT_THEIR_OWN:
                rows = (tuple(map(str, row)) for row in db.execute(select(table)))
                found[table.name] = sorted(str(row) for row in rows if named & set(row) or SECRET in str(row))
    return found


async def changes(cities: TwoCities, scope: Scope) -> tuple[set[str], list[str]]:
    """Send every form that names the other city's things, as everybody whom the table admits. Routes that did
    something, and what changed of the other city."""
    asking, done, changed = DeskAsking(cities.face), set(), []
    before = their_rows(cities.face, cities.values)
    for route in CHANGING:
        row = TABLE["POST", route]
        for duty in sorted(row.duties, key=lambda each: each.value):
            if scope.level not in row.levels:
                continue
            answer = await asking.ask(asking.somebody(duty, scope), "POST", route, cities.values | ASKED)
            assert answer.status < 500, f"{route} as {duty.value}: {answer.text[:2000]}"
            if answer.status < 400:
                done.add(route)
        after = their_rows(cities.face, cities.values)
        changed += [f"{route}: {name}" for name in after if after[name] != before[name]]
        before = after
    return done, changed


async def test_no_form_changes_another_citys(cities: TwoCities) -> None:
    done, changed = await changes(cities, OURS)
    assert changed == []
    assert done <= {"/reports/draft", "/samples/export"}, "these are about one's own city alone"


async def test_their_own_people_change_it_so_the_test_can_fail(cities: TwoCities) -> None:
    done, changed = await changes(cities, THEIRS)
    assert {
        *("/projects/{code}/firms/release", "/fleet/enrolment/issue", "/fleet/enrolment/boxes/{box_id}/revoke"),
        *("/key-risks/by-hand", "/key-risks/{level}/{code}/check", "/key-risks/{level}/{code}/exit/upload"),
        *("/hazards/new/evidence", "/projects/{code}/firms", "/review/items/{item_id}/verdict", "/samples/export"),
    } <= done
    assert len(changed) > 20
