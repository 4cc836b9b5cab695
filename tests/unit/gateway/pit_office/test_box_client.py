"""The command line asks the running box: with the token, by an address that can be asked, and tells its words."""

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway.app import DRIVERS, UPLINKS
from gateway.pit_office.box_client import BoxRefusedError, ask_box
from gateway.secret import Secret
from gateway.settings import Settings, load
from tests.fakes.http_replies import HttpReplies, Reply
from tests.fakes.mosquitto import free_port
from tests.fakes.pit_box import write_pit_site

REFUSAL = {
    "error": {"code": "no_such_pit", "message_zh": "没有这个基坑", "message_en": "no such pit", "field": "asset"}
}


def settings_for(folder: Path, url: str, host: str = "127.0.0.1") -> Settings:
    settings = load(str(write_pit_site(folder, web_port=urlsplit(url).port or 0)), DRIVERS, UPLINKS)
    return replace(settings, web=settings.web.model_copy(update={"host": host}))


def test_the_token_goes_with_it_and_the_query_is_written_for_a_url(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret-of-the-box\n")
    with HttpReplies([Reply(200, body=b"{}")]) as server:
        settings = settings_for(tmp_path, server.url, host="0.0.0.0")
        web = settings.web.model_copy(update={"token": Secret(file=token)})
        assert ask_box(replace(settings, web=web), "/api/pits/pit-1/readings", {"user": "李 & 王"}, b"a,b") == b"{}"
        (request,) = server.requests
    assert request.headers["Authorization"] == "Bearer s3cret-of-the-box"
    assert request.path == "/api/pits/pit-1/readings?user=%E6%9D%8E+%26+%E7%8E%8B"
    assert (request.method, request.body) == ("POST", b"a,b")
    assert request.headers["Content-Type"] == "application/octet-stream"


def test_the_boxs_own_words_are_told(tmp_path: Path) -> None:
    with HttpReplies([Reply(404, body=json.dumps(REFUSAL).encode())]) as server:
        settings = settings_for(tmp_path, server.url)
        with pytest.raises(BoxRefusedError, match="没有这个基坑 / no such pit"):
            ask_box(settings, "/api/pits/pit-1/reports", {})


def test_an_answer_that_is_no_boxs_is_told_by_its_status(tmp_path: Path) -> None:
    with HttpReplies([Reply(502, body=b"<html>bad gateway")]) as server:
        settings = settings_for(tmp_path, server.url)
        with pytest.raises(BoxRefusedError, match="HTTP 502"):
            ask_box(settings, "/api/pits/pit-1/reports", {})


def test_a_box_that_does_not_run_is_told_with_its_address(tmp_path: Path) -> None:
    port = free_port()
    settings = settings_for(tmp_path, f"http://127.0.0.1:{port}")
    with pytest.raises(BoxRefusedError, match=f"does not answer at 127.0.0.1:{port}"):
        ask_box(settings, "/api/pits/pit-1/reports", {})
