"""The published API of a running box, over a real socket: its schema, its real answers, and requests that nobody
would write by hand."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract.client import BoxClient, RefusedError
from screens.formats import SITE_ZONE
from tests.fakes.published_box import OLD_TOKEN, WHO, PublishedBox, published_box
from tests.fakes.published_schema import answer_faults, operations, schema_faults
from tests.fakes.screen_site import TILT, WIND
from tests.fakes.waiting import wait_until

OPEN = ("/healthz", "/readyz", "/ca.crt")
CONFIG = Path(__file__).with_name("schemathesis.toml")
YESTERDAY = datetime.now(SITE_ZONE).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublishedBox]:
    with published_box(tmp_path_factory.mktemp("published")) as running:
        running.box.raise_alarm()
        yield running


@pytest.fixture(scope="module")
def schema(box: PublishedBox) -> dict[str, Any]:
    return box.schema()


def test_every_operation_says_what_it_needs_and_answers(schema: dict[str, Any]) -> None:
    assert schema_faults(schema, OPEN) == []
    assert len(list(operations(schema))) >= 40


def test_the_schema_names_the_parameter_for_suppressed_alarms(box: PublishedBox, schema: dict[str, Any]) -> None:
    (parameter,) = schema["paths"]["/api/alarms"]["get"]["parameters"]
    assert (parameter["name"], parameter["in"], parameter["required"]) == ("suppressed", "query", False)
    assert (parameter["schema"]["type"], parameter["schema"]["default"]) == ("boolean", False)
    reply = box.ask("GET", "/api/alarms?suppressed=true")
    assert not answer_faults(schema, "GET", "/api/alarms", reply.status_code, reply.headers, reply.content)


def test_the_schema_is_served_under_login(box: PublishedBox) -> None:
    for credentials in ({}, {"authorization": "Bearer wrong"}):
        reply = httpx.get(f"{box.url}/api/openapi.json", headers=credentials)
        assert (reply.status_code, reply.json()["error"]["code"]) == (401, "login_needed")
    assert httpx.get(f"{box.url}/api/openapi.json", auth=("anybody", box.token)).status_code == 200
    assert httpx.get(f"{box.url}/api/openapi.json", auth=("anybody", OLD_TOKEN)).status_code == 200


def test_every_json_answer_of_a_running_box_fits_its_schema(box: PublishedBox, schema: dict[str, Any]) -> None:
    checked, faults = set(), []
    for method, template, path, parts in _requests(box):
        reply = box.ask(method, path, **parts)
        faults += answer_faults(schema, method, template, reply.status_code, reply.headers, reply.content)
        assert reply.status_code in (200, 404 if "nobody" in path else 200), f"{method} {path}: {reply.text[:300]}"
        checked.add((method, template))
    assert faults == []
    assert _json_operations(schema) - checked == {("POST", "/api/alarms/{alarm_id}/hand_over")}, "no regulator here"


def _json_operations(schema: dict[str, Any]) -> set[tuple[str, str]]:
    return {(m, path) for m, path, op in operations(schema) if "application/json" in op["responses"]["200"]["content"]}


def _requests(box: PublishedBox) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Method, template, path and what belongs to a request; commands in the order in which a person gives them."""
    yield from _questions(box)
    yield from _commands(box)
    yield from _pit_commands()


def _questions(box: PublishedBox) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for path in (
        *("/healthz", "/readyz", "/api/alarms", "/api/points", "/api/assets", "/api/health", "/api/health/report"),
        *("/api/live", "/api/openapi.json"),
    ):
        yield "GET", path, path, {}
    alarm = box.ask("GET", "/api/alarms").json()["alarms"][0]
    one, asset = "/api/alarms/{alarm_id}", alarm["asset"]
    yield "GET", one, f"/api/alarms/{alarm['alarm_id']}", {}
    yield "GET", one, "/api/alarms/nobody", {}
    span = {"point": alarm["subject"], "from_ns": 0, "to_ns": 2**62}
    for resolution in ("raw", "minute"):
        yield "GET", "/api/history", "/api/history", {"params": span | {"resolution": resolution}}
    for asked in ({"point": alarm["subject"], "last_s": 600}, {"alarm": alarm["alarm_id"]}):
        yield "GET", "/api/curve", "/api/curve", {"params": asked}
    for name in ("cycles", "ledger"):
        yield "GET", f"/api/cranes/{{asset}}/{name}", f"/api/cranes/{asset}/{name}", {}
    day = f"{datetime.now(SITE_ZONE):%Y-%m-%d}"
    yield "GET", "/log/{name}/log.{kind}", f"/log/{day}/log.json", {}
    yield "GET", "/log/{name}/log.{kind}", f"/log/{day}/log.pdf", {}


def _commands(box: PublishedBox) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    tilt = box.box.raise_alarm(TILT, "crane-2").alarm_id
    wind = box.box.raise_alarm(WIND, "crane-2").alarm_id
    timed, judged = WHO | {"for_s": 600}, WHO | {"cause": "nothing_found"}
    for alarm, name, body in (
        (wind, "acknowledge", WHO),
        (wind, "shelve", timed),
        (wind, "unshelve", WHO),
        (wind, "note", WHO | {"reason": "已到现场\n正在核实"}),
        (tilt, "false_alarm", judged),
        (tilt, "withdraw_judgement", WHO),
    ):
        yield "POST", f"/api/alarms/{{alarm_id}}/{name}", f"/api/alarms/{alarm}/{name}", {"json": body}
    for name, body in (("out_of_service", timed), ("in_service", WHO)):
        yield "POST", f"/api/subjects/{{subject}}/{name}", f"/api/subjects/crane-1-host/{name}", {"json": body}
    yield "POST", "/api/alarms/{alarm_id}/reset", "/api/alarms/nobody/reset", {"json": WHO}
    yield "POST", "/api/cranes/{asset}/tilt_baseline", "/api/cranes/crane-1/tilt_baseline", {"json": WHO}
    yield "POST", "/api/reload", "/api/reload", {"json": WHO}


def _pit_commands() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    table = f"测点,时间,读数\nDJ-01,{YESTERDAY:%Y-%m-%d %H:%M},1.5\nDJ-99,{YESTERDAY:%Y-%m-%d %H:%M},1".encode()
    csv = {"params": WHO, "content": table, "headers": {"content-type": "text/csv"}}
    readings, typed = "/api/pits/{asset}/readings", {"point": "DJ-01", "at": YESTERDAY.isoformat(), "value": 1.75}
    yield "POST", readings, "/api/pits/pit-1/readings", csv
    yield "POST", readings, "/api/pits/pit-1/readings", {"params": WHO, "json": typed | {"at": _later()}}
    order = WHO | {"point": "dj-01", "kind": "initial", "zero": 0}
    yield "POST", "/api/pits/{asset}/baselines", "/api/pits/pit-1/baselines", {"json": order}
    day = f"{YESTERDAY:%Y-%m-%d}"
    yield "GET", "/api/pits/{asset}/reports/{name}", f"/api/pits/pit-1/reports/{day}.pdf", {}
    yield "GET", "/api/pits/{asset}/reports", "/api/pits/pit-1/reports", {}


def _later() -> str:
    return (YESTERDAY + timedelta(hours=1)).isoformat()


def test_files_streams_and_metrics_come_with_the_media_type_of_the_schema(
    box: PublishedBox, schema: dict[str, Any]
) -> None:
    point = {"point": "crane-1.moment_pct", "last_s": 60}
    faults = []
    for template, params in (
        *(("/alarms/history.csv", {}), ("/audit.csv", {}), ("/figures.csv", {}), ("/metrics", {})),
        *(("/curves.csv", point), ("/curves.svg", point)),
    ):
        reply = box.ask("GET", template, params=params)
        assert reply.status_code == 200, reply.text
        faults += answer_faults(schema, "GET", template, 200, reply.headers, reply.content)
    camera = re.findall(r'href="/cameras/([^"/]+)"', box.ask("GET", "/cameras").text)[0]
    for template in ("/cameras/{camera}/still.jpg", "/cameras/{camera}/live.mp4", "/api/events"):
        with box.client.stream("GET", template.format(camera=camera)) as reply:
            first = next(reply.iter_raw(), b"")
            body = first if reply.status_code == 200 else b"{}" + first
            faults += answer_faults(schema, "GET", template, reply.status_code, reply.headers, body[-len(first) :])
            assert first, template
    assert faults == []


def test_a_program_answers_an_alarm_and_hears_of_it_after_a_break(box: PublishedBox) -> None:
    with BoxClient(box.url, "wrong") as stranger, pytest.raises(RefusedError, match="401 login_needed"):
        stranger.alarms()
    raised = box.box.raise_alarm(WIND, "crane-1").alarm_id
    with BoxClient(box.url, box.token) as client:
        (alarm,) = [each for each in client.alarms() if each.alarm_id == raised]
        assert (alarm.asset, alarm.acknowledged, alarm.active) == ("crane-1", False, True)
        number = client.acknowledge(raised, "wang", "已通知司机停机")
        with pytest.raises(RefusedError, match="409 cannot_acknowledge"):
            client.acknowledge(raised, "wang", "再次")
        heard = next(event for event in client.events(number - 1) if event.name == "alarm")
        assert (heard.number, heard.data["alarm"]["alarm_id"]) == (number, raised)
        with pytest.raises(RefusedError, match="404 no_such_alarm"):
            client.acknowledge("nobody", "wang", "看到")


PAGES = ("/", "/alarms", "/cameras", "/curves", "/figures", "/health", "/log", "/orders", "/permits", "/sound", "/wall")


@pytest.mark.parametrize("path", [*PAGES, "/audit", "/handover", "/parts/health", "/parts/topbar"])
def test_a_page_is_html_for_a_reader_and_no_page_for_a_stranger(box: PublishedBox, path: str) -> None:
    reply = box.ask("GET", path)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    stranger = httpx.get(f"{box.url}{path}", headers={"accept": "text/html"})
    way = stranger.headers["location"].partition("?")[0]
    assert (stranger.status_code, way) == (303, "/setup"), "a box without an account asks for the first one"


def test_a_method_that_no_route_takes_is_405_and_says_which_are(box: PublishedBox) -> None:
    for path in ("/api/alarms", "/healthz", "/metrics"):
        for method in ("POST", "PUT", "DELETE"):
            reply = box.ask(method, path)
            assert (reply.status_code, reply.headers["allow"]) == (405, "GET"), f"{method} {path}"


def test_a_body_that_is_no_utf_8_is_said_to_be_unreadable(box: PublishedBox) -> None:
    reply = box.ask("POST", "/api/reload", content=b"\xff\x17", headers={"content-type": "application/json"})
    assert (reply.status_code, reply.json()["error"]["code"], reply.json()["error"]["field"]) == (
        422,
        "bad_request",
        "body",
    )


@pytest.mark.parametrize("day", ["0001-01-01", "0078-06-28", "1969-12-31", "9999-12-31"])
def test_a_day_long_ago_or_far_ahead_has_no_alarms(box: PublishedBox, day: str) -> None:
    reply = box.ask("GET", "/alarms/history.csv", params={"day": day})
    assert (reply.status_code, len(reply.text.splitlines())) == (200, 1)


@pytest.mark.timeout(240)
def test_generated_requests_find_nothing(box: PublishedBox, tmp_path: Path) -> None:
    """Schemathesis with all its checks, the same requests each time, at most two minutes."""
    (tmp_path / "schemathesis.toml").write_text(CONFIG.read_text(encoding="utf-8"), encoding="utf-8")
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color", "--config-file", "schemathesis.toml", "run"]
    header = f"Authorization: Bearer {box.token}"
    bounds = ["--max-time", "75", "--request-timeout", "30", "--workers", "1", "--continue-on-failure", "--no-shrink"]
    line = [*command, f"{box.url}/api/openapi.json", "--header", header, "--checks", "all", *bounds]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=220)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    found = re.search(r"Tested: (\d+)", done.stdout)
    assert found is not None, done.stdout[-5_000:]
    assert int(found[1]) >= 40, done.stdout[-5_000:]
    wait_until(lambda: box.ask("GET", "/readyz").status_code == 200, "the box ready after all that")
    print(json.dumps(re.findall(r"\d+ generated.*", done.stdout)))
