"""The published API of a running desk, over a real socket: its schema, its real answers, the client, and requests that
nobody would write by hand."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract.client import DeskClient, RefusedError
from regulator.base.model.actor import Duty
from tests.fakes.desk_face import PASSWORD
from tests.fakes.postgresql import PostgreSQL
from tests.fakes.published_desk import LOGIN, PublishedDesk, published_desk
from tests.fakes.published_schema import answer_faults, operations

Asked = tuple[str, str, str, dict[str, Any]]
ITEM, SHEET = "/review/items/{item_id}", "/review/sheets/{sheet_id}"
ELSEWHERE = {
    ("GET", "/draws/{draw_id}/pool.json"),
    ("GET", "/draws/{draw_id}/result.json"),
}
"""Their real answers are compared where a draw is made: tests/desk/supervision/test_pages.py."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublishedDesk]:
    with published_desk(tmp_path_factory.mktemp("published")) as running:
        yield running


@pytest.fixture(scope="module")
def schema(desk: PublishedDesk) -> dict[str, Any]:
    served: dict[str, Any] = desk.client.ask("GET", "/api/openapi.json")
    return served


def test_the_schema_is_served_under_login(desk: PublishedDesk) -> None:
    for cookies in ({}, {"desk_session": "wrong"}):
        reply = httpx.get(f"{desk.url}/api/openapi.json", cookies=cookies)
        assert (reply.status_code, reply.json()["error"]["code"]) == (401, "login_needed")
    assert desk.face.client(Duty.VIEWER).get("/api/openapi.json").status_code == 200


def test_every_json_answer_of_a_running_desk_fits_its_schema(desk: PublishedDesk, schema: dict[str, Any]) -> None:
    checked, faults = set(), []
    for method, template, path, parts in _requests(desk):
        reply = desk.ask(method, path, **parts)
        faults += answer_faults(schema, method, template, reply.status_code, reply.headers, reply.content)
        assert reply.status_code == (404 if "nobody" in path else 200), f"{method} {path}: {reply.text[:300]}"
        checked.add((method, template))
    assert faults == []
    assert _json_operations(schema) - checked == ELSEWHERE


def _json_operations(schema: dict[str, Any]) -> set[tuple[str, str]]:
    answers = {(method, path): each["responses"].get("200", {}) for method, path, each in operations(schema)}
    return {key for key, answer in answers.items() if "application/json" in answer.get("content", {})}


def _requests(desk: PublishedDesk) -> Iterator[Asked]:
    """Method, template, path and what belongs to a request; commands in the order in which a person gives them."""
    for path in (
        *("/api/session", "/api/hazards", "/api/coverage", "/api/openapi.json", "/review/queue"),
        *("/api/wall/tiles", "/api/wall/changes"),
    ):
        yield "GET", path, path, {}
    yield "GET", "/api/hazards", "/api/hazards", {"params": {"state": "pending", "region": "4401", "due": "later"}}
    yield "GET", f"{ITEM}/facts", f"/review/items/{desk.items[0]}/facts", {}
    yield from _verdicts(desk)
    view = desk.submit("/live/p1/cam-1", reason="核实现场情况").headers["location"]
    yield "POST", "/live/views/{view}/renew", f"{view}/renew", {"data": {"csrf": desk.csrf}}
    for kind in ("coco", "yolo"):
        yield "POST", "/samples/export", "/samples/export", {"data": {"csrf": desk.csrf, "kind": kind}}
    yield "POST", "/api/logout", "/api/logout", {"json": {}}
    yield "POST", "/api/login", "/api/login", {"json": {"login": LOGIN, "password": PASSWORD}}


def _verdicts(desk: PublishedDesk) -> Iterator[Asked]:
    token = {"csrf": desk.csrf}
    first, second, third, *_ = desk.items
    for item, name, form in (
        (first, "lease", {}),
        (first, "acknowledge", {}),
        (first, "shelve", {"reason": "等待现场", "hours": "1"}),
        (first, "fetch-back", {}),
        (second, "verdict", {"verdict": "false", "reason": "1"}),
        (second, "undo", {}),
        (third, "verdict", {"verdict": "true"}),
    ):
        yield "POST", f"{ITEM}/{name}", f"/review/items/{item}/{name}", {"data": token | form}
    desk.clock.move(seconds=20)
    desk.work()
    yield "POST", f"{ITEM}/reopen", f"/review/items/{third}/reopen", {"data": token | {"words": "判断有误"}}
    yield "GET", f"{ITEM}/facts", f"/review/items/{'0' * 24}/facts?nobody", {}
    laid = desk.submit(f"/review/items/{first}/sheet").json()
    chosen = [each["id"] for each in laid["items"]]
    yield "POST", f"{ITEM}/sheet", f"/review/items/{first}/sheet", {"data": token}
    judged = token | {"verdict": "false", "reason": "1", "item_id": chosen}
    yield "POST", f"{SHEET}/verdict", f"/review/sheets/{laid['id']}/verdict", {"data": judged}
    yield "POST", f"{SHEET}/undo", f"/review/sheets/{laid['id']}/undo", {"data": token}


def test_a_program_logs_in_and_reads_alarms_hazards_and_coverage(desk: PublishedDesk) -> None:
    with DeskClient(desk.url) as client:
        for name, password in ((LOGIN, "wrong"), ("nobody", PASSWORD)):
            with pytest.raises(RefusedError, match=r"401 wrong_login: .*\(login\)"):
                client.log_in(name, password)
        session = client.log_in(f" {LOGIN.upper()} ", PASSWORD)
        assert (session.login, session.seat and session.seat["level"]) == (LOGIN, "province")
        assert client.session() == session
        assert {alarm.project_code for alarm in client.alarms()} == {"p1"}
        hazards = list(client.hazards(project="p1", channel="inspection"))
        assert [(hazard.hazard_id, hazard.due_at_ns) for hazard in hazards] == [(desk.hazard, None)]
        assert list(client.hazards(project="p2")) == []
        coverage = client.coverage()
        assert (coverage.projects, coverage.covered, coverage.percent, coverage.frozen) == (3, 0, "0.00", False)
        stopped = {row.project_code: row.stopped_at for row in coverage.ladders}
        assert stopped == {"p1": "cameras", "p2": "box", "p3": "box"}
        with pytest.raises(RefusedError, match="404 no_such_day"):
            client.coverage("2020-01-01")
        client.log_out()
        with pytest.raises(RefusedError, match="401 login_needed"):
            client.session()


def test_a_program_follows_the_walls_feed_and_catches_up(desk: PublishedDesk) -> None:
    with DeskClient(desk.url) as client:
        with pytest.raises(RefusedError, match="401"):
            next(client.events())
        client.log_in(LOGIN, PASSWORD)
        hello = next(client.events())
        assert (hello.name, hello.number) == ("hello", None)
        tiles = next(event for event in client.events(0) if event.name == "tiles")
        assert tiles.number == tiles.data["seq"] == hello.data["seq"]
        assert {row[0] for row in tiles.data["rows"]} == {"p1", "p2", "p3"}


def test_what_the_framework_would_refuse_comes_in_the_houses_shape(desk: PublishedDesk) -> None:
    reply = desk.ask("DELETE", "/api/hazards")
    assert (reply.status_code, reply.headers["allow"], reply.json()["error"]["code"]) == (405, "GET", "no_such_page")
    wrong = ("/api/hazards?state=lost", "/api/wall/changes?after=-1", "/projects?q=%00", f"/projects?q={'x' * 2001}")
    for path in wrong:
        assert desk.ask("GET", path).json()["error"]["field"].startswith("query."), path
    assert desk.ask("GET", "/hazards/%00").json()["error"]["code"] == "no_such_page"
    reply = desk.ask("GET", "/api/hazards?state=lost", headers={"accept": "text/html"})
    assert (reply.status_code, reply.headers["content-type"]) == (422, "application/json"), "an API speaks JSON"
    reply = desk.ask("POST", "/api/login", content=b"\xff", headers={"content-type": "application/json"})
    assert (reply.status_code, reply.json()["error"]["field"]) == (422, "body")


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "2262-04-12", "9999-12-31"])
def test_a_day_that_nobody_means_is_refused_by_its_name(desk: PublishedDesk, day: str) -> None:
    warning = {"kind": "wind", "level": "blue", "source": "x", "words": "大风", "target_level": "province"}
    span = {"valid_from": f"{day}T00:00", "valid_until": f"{day}T00:00"}
    leave = {"from": day, "until": day, "grant_id": "g", "to": "u", "reason": "休假"}
    for field, reply in (
        ("from", desk.ask("GET", f"/audit?from={day}")),
        ("until", desk.ask("GET", f"/audit?until={day}")),
        ("day", desk.ask("GET", f"/safety-logs?day={day}")),
        ("day", desk.ask("GET", f"/coverage?day={day}")),
        ("from", desk.ask("GET", f"/statistics?period=days&from={day}&to={day}")),
        ("period", desk.submit("/reports/draft", period=f"{day[:4] if day < '2' else '9999'}-01")),
        ("on_day", desk.submit("/draws", name="双随机", on_day=day, reason="年度计划")),
        ("from", desk.submit("/me/delegations", **leave)),
        ("valid_from", desk.submit("/permits/warning", **warning, **span)),
    ):
        told = reply.text if reply.headers["content-type"].startswith("text/html") else reply.json()["error"]["field"]
        assert reply.status_code == 422, f"{field}: {reply.status_code} {reply.text[:200]}"
        assert told == field or told.startswith("<!doctype"), f"{field}: {told[:200]}"
    assert desk.ask("GET", f"/api/coverage?day={day}").status_code in (200, 404), (
        "a program gets what was kept, or none"
    )


@pytest.fixture
def on_postgresql(tmp_path: Path, postgresql: PostgreSQL, migrated: str) -> Iterator[PublishedDesk]:
    """It keeps less than SQLite does: no NUL, no number beyond 64 bits."""
    name = postgresql.create(migrated)
    with published_desk(tmp_path / "desk", postgresql.url(name)) as running:
        yield running
    postgresql.drop(name)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("paths", "bounds", "least"),
    [
        ("^/(api/|healthz|readyz)", ["--max-time", "25"], 5),
        ("^/(?!api/|healthz|readyz)", ["--max-time", "50", "--phases", "fuzzing"], 40),
    ],
    ids=["api", "pages"],
)
def test_generated_requests_find_nothing(
    on_postgresql: PublishedDesk, tmp_path: Path, paths: str, bounds: list[str], least: int
) -> None:
    """Schemathesis with all its checks, the same requests each time, as somebody who may do everything."""
    desk, login = on_postgresql, on_postgresql.page.cookies
    for name in ("schemathesis.toml", "schemathesis_hooks.py"):
        shutil.copy(Path(__file__).with_name(name), tmp_path)
    (tmp_path / "schema.json").write_text(json.dumps(desk.client.ask("GET", "/api/openapi.json")), encoding="utf-8")
    known = {"csrf": desk.csrf, "browser": login["browser"], "code": "p1", "camera": "cam-1"}
    known |= {"hazard_id": desk.hazard, "item_id": desk.items[0]}
    environment = os.environ | {"PUBLISHED_DESK": json.dumps(known), "DESK_SESSION": login["desk_session"]}
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color", "--config-file", "schemathesis.toml", "run"]
    line = [*command, "schema.json", "--url", desk.url, "--include-path-regex", paths, *bounds, "--checks", "all"]
    line += ["--request-timeout", "30", "--workers", "1", "--continue-on-failure", "--no-shrink"]
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=220)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    found = re.search(r"Tested: (\d+)", done.stdout)
    assert found is not None, done.stdout[-5_000:]
    assert int(found[1]) >= least, done.stdout[-5_000:]
    assert desk.client.session().login == LOGIN, "the login held to the end"
    assert desk.ask("GET", "/readyz").status_code == 200, "the desk works after all that"
