"""Addresses and host names that lie: rights are decided by the path that routes see, and nobody is led elsewhere."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.requests import Request

from screens.addresses import local_path, path_of
from tests.fakes.web_face import Face

LYING_HOSTS = [
    "x/static/y?",
    "x/static/y#",
    "127.0.0.1:8080/static/?",
    "x/healthz?",
    "x\\static\\",
    "a@x/login?",
    "[",
    "[::1",
    "",
    "x" * 5000,
]


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[Face]:
    made = Face(tmp_path, token="s3cret")
    yield made
    await made.close()


@pytest.mark.parametrize("host", LYING_HOSTS)
async def test_a_host_name_opens_no_path(face: Face, host: str) -> None:
    for path in ("/api/alarms", "/api/points", "/metrics", "/alarms"):
        reply = await face.client.get(path, headers={"host": host})
        assert reply.status_code == 401, path
    refused = await face.client.post("/api/reload", json={}, headers={"host": host})
    assert refused.status_code == 401


@pytest.mark.parametrize("path", ["/static/../api/alarms", "/static/..%2fapi/alarms", "/static/%2e%2e/api/alarms"])
async def test_a_path_out_of_the_open_folder_reaches_nothing(face: Face, path: str) -> None:
    reply = await face.client.get(path)
    assert reply.status_code in (401, 404)
    assert 'alarms":' not in reply.text


def test_the_path_is_that_of_the_route_whatever_the_host_says() -> None:
    headers = [(b"host", b"x/static/y?")]
    scope = {"type": "http", "method": "GET", "path": "/api/reload", "query_string": b"", "headers": headers}
    assert path_of(Request(scope)) == "/api/reload"


@pytest.mark.parametrize(
    "wanted", ["/", "/alarms?tab=acked", "/alarms/7#note", "/a//b", "/x?next=//evil.example", "/["]
)
def test_a_page_of_this_box_may_be_gone_on_to(wanted: str) -> None:
    assert local_path(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        " /a",
        "alarms",
        "//evil.example",
        "///evil.example",
        "//[",
        "http://[",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/a\r\nset-cookie: a=b",
    ],
)
def test_nobody_is_led_elsewhere_after_a_login(wanted: str) -> None:
    assert local_path(wanted) == "/"
