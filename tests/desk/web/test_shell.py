"""The shell around every page: who is let in, what a body may be, where forms come from, what a refusal looks like."""

import json
import socket

import pytest

from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.web.permissions import MAX_PHOTO_BYTES
from tests.fakes.desk_face import PASSWORD, DeskFace

CITY = Scope(Level.CITY, "440100")


def test_a_stranger_is_led_to_the_login_and_a_program_gets_json(face: DeskFace) -> None:
    page = face.client().get("/audit?kind=x")
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=/audit%3Fkind%3Dx")
    program = face.client().get("/audit", headers={"accept": "application/json"})
    assert (program.status_code, program.json()["error"]["code"]) == (401, "login_needed")


def test_what_nobody_made_open_is_closed(face: DeskFace) -> None:
    assert face.client().get("/no/such/page").status_code == 303
    assert face.client(Duty.VIEWER).get("/no/such/page").status_code == 404


def test_every_answer_carries_the_policy(face: DeskFace) -> None:
    for path in ("/login", "/no/such/page"):
        headers = face.client().get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"


def test_log_in_look_and_log_out(face: DeskFace) -> None:
    account = face.person(Duty.REVIEWER, CITY)
    client = face.client()
    went = client.submit("/login", "/login", login=account.login.upper(), password=PASSWORD, next="/me")
    assert (went.status_code, went.headers["location"]) == (303, "/me")
    cookie = went.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    page = client.get("/")
    assert page.status_code == 200
    assert "市级 440100 · 研判" in page.text
    token = client.cookies["desk_session"]
    assert client.submit("/", "/logout").status_code == 303
    client.cookies.set("desk_session", token)
    assert client.get("/").status_code == 303


def test_a_wrong_password_says_nothing_of_the_name(face: DeskFace) -> None:
    account = face.person(Duty.VIEWER)
    answers = {
        face.client()
        .submit("/login", "/login", login=login, password="not the password")
        .text.count("登录名或密码不正确")
        for login in (account.login, "nobody")
    }
    assert answers == {1}


@pytest.mark.parametrize("wanted", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere", "/a\r\nb: c"])
def test_the_login_leads_nowhere_else(face: DeskFace, wanted: str) -> None:
    account = face.person(Duty.VIEWER)
    went = face.client().submit("/login", "/login", login=account.login, password=PASSWORD, next=wanted)
    assert went.headers["location"] == "/"


def test_a_form_without_the_token_of_this_browser_does_nothing(face: DeskFace) -> None:
    mine, other = face.client(Duty.VIEWER), face.client(Duty.REVIEWER)
    for forged in ("", "0" * 64, other.csrf("/")):
        answer = mine.post("/preferences", data={"csrf": forged, "language": "en"})
        assert answer.status_code == 403
        assert "language" not in mine.cookies


def test_a_form_from_another_site_is_refused_before_it_is_read(face: DeskFace) -> None:
    client = face.client(Duty.VIEWER)
    csrf = client.csrf("/")
    for header in ({"origin": "http://elsewhere.example"}, {"sec-fetch-site": "cross-site"}):
        answer = client.post("/preferences", data={"csrf": csrf, "language": "en"}, headers=header)
        assert (answer.status_code, "其他网站" in answer.text) == (403, True)


def test_the_language_is_kept_by_the_browser(face: DeskFace) -> None:
    client = face.client(Duty.VIEWER)
    assert '<html lang="zh-CN"' in client.get("/").text
    client.submit("/", "/preferences", language="en", theme="dark", back="/")
    page = client.get("/").text
    assert '<html lang="en" data-theme="dark"' in page
    assert "province · viewer" in page


def test_who_only_looks_changes_nothing(face: DeskFace) -> None:
    for duty in (Duty.VIEWER, Duty.AUDITOR):
        assert face.client(duty).submit("/", "/hazards").status_code == 403


def test_an_account_without_a_role_may_only_see_itself(face: DeskFace) -> None:
    client = face.client_of(face.add("nobody", "未授权"))
    assert client.get("/").status_code == 403
    assert "尚未获得任何授权" in client.get("/").text


def test_a_photo_of_50_mb_is_refused_by_what_it_declares(face: DeskFace) -> None:
    """Nothing of the body is sent: the answer comes at once."""
    cookie = face.log_in(Duty.INSPECTOR)
    host = face.url.removeprefix("http://")
    head = (
        f"POST /hazards/1/photos HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie['name']}={cookie['value']}\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {50 * 2**20}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(host.split(":")[1])), 10) as connection:
        connection.sendall(head.encode())
        answer = b""
        while b"\r\n\r\n" not in answer or not answer.endswith(b"}"):
            answer += connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413")
    error = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    assert error["code"] == "too_large"
    assert str(MAX_PHOTO_BYTES // 2**20) in error["message_zh"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/hazards/1/order", {"content-type": "text/plain"}, 415),
        ("/api/review/verdict", {"content-type": "application/x-www-form-urlencoded"}, 415),
        ("/set/import", {"content-type": "multipart/form-data; boundary=x", "content-length": str(11 * 2**20)}, 413),
        ("/login", {"content-type": "application/x-www-form-urlencoded", "content-length": str(2**21)}, 413),
    ],
)
def test_a_body_says_what_it_is(face: DeskFace, path: str, headers: dict[str, str], status: int) -> None:
    client = face.client(Duty.REVIEWER)
    request = client.build_request("POST", path, content=b"x", headers={"accept": "application/json"} | headers)
    if status == 413:
        with pytest.raises(Exception, match="Too little data"):
            client.send(request)
        return
    assert client.send(request).status_code == status


def test_other_methods_and_nul_are_refused(face: DeskFace) -> None:
    client = face.client(Duty.REVIEWER)
    assert client.delete("/hazards/1").status_code == 405
    answer = client.post("/preferences", data={"csrf": client.csrf("/"), "language": "en", "back": "a\0b"})
    assert answer.status_code == 422


def test_files_are_open_and_kept_for_ever(face: DeskFace) -> None:
    page = face.client().get("/login").text
    address = page.split('href="', 3)[2].split('"')[0]
    assert face.client().get(address).headers["cache-control"].startswith("public, max-age=31536000")
    assert face.client().get("/static/0/desk/nothing.css").status_code == 404
