"""The command line asks the running box: with the token, by an address that can be asked, and tells its words."""

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway.accounts.local_token import write_local_token
from gateway.parts.pit.box_client import TOKEN_VARIABLE, BoxRefusedError, ask_box
from gateway.settings import Settings, load
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.http_replies import HttpReplies, Reply
from tests.fakes.mosquitto import free_port
from tests.fakes.pit_box import write_pit_site

REFUSAL = {
    "error": {"code": "no_such_pit", "message_zh": "没有这个基坑", "message_en": "no such pit", "field": "asset"}
}


def settings_for(folder: Path, url: str, host: str = "127.0.0.1") -> Settings:
    settings = load(str(write_pit_site(folder, web_port=urlsplit(url).port or 0)), DRIVERS, UPLINKS, KINDS)
    return replace(settings, web=settings.web.model_copy(update={"host": host}))


@pytest.mark.parametrize("named", [False, True])
def test_a_token_goes_with_it_and_the_query_is_written_for_a_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    """The command line's own, of the box's folder; or a program's, of the environment."""
    if named:
        monkeypatch.setenv(TOKEN_VARIABLE, "swt_of-a-program")
    with HttpReplies([Reply(200, body=b"{}")]) as server:
        settings = settings_for(tmp_path, server.url, host="0.0.0.0")
        settings.storage.folder.mkdir(parents=True, exist_ok=True)
        own = write_local_token(settings.storage.folder)
        assert ask_box(settings, "/api/pits/pit-1/readings", {"user": "李 & 王"}, b"a,b") == b"{}"
        (request,) = server.requests
    assert request.headers["Authorization"] == f"Bearer {'swt_of-a-program' if named else own}"
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
