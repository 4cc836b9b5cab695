"""The published API of a running desk, over a real socket: its schema, its real answers, the client, and requests that
nobody would write by hand."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from contract.client import DeskClient, RefusedError
from regulator.model.actor import Duty
from tests.fakes.desk_face import PASSWORD
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
