"""Forged forms, huge bodies, roles too low: each refused before anything is done, and said clearly."""

import json

import pytest

from gateway.accounts.person import Role
from tests.fakes.account_bench import BOSS, GOOD_PASSWORD
from tests.fakes.account_face import AccountFace

PERSON = {"name": "li", "title": "李", "role": "1", "password": GOOD_PASSWORD, "again": GOOD_PASSWORD}


@pytest.mark.parametrize("csrf", [None, "", "0" * 64, "签"])
async def test_a_form_without_its_hidden_field_does_nothing(guarded: AccountFace, csrf: str | None) -> None:
    boss = await guarded.set_up()
    reply = await boss.post("/people", PERSON if csrf is None else {"csrf": csrf} | PERSON)
    assert (reply.status_code, "未执行任何操作" in reply.text) == (403, True)
    assert guarded.accounts.people.find("li") is None


async def test_the_hidden_field_of_another_person_or_browser_does_nothing(guarded: AccountFace) -> None:
    boss = await guarded.set_up()
    other = await guarded.browser_of(Role.ADMINISTRATOR)
    for foreign in (await other.csrf("/people"), await guarded.browser().csrf("/login")):
        assert (await boss.post("/people", {"csrf": foreign} | PERSON)).status_code == 403
    assert guarded.accounts.people.find("li") is None


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_form_from_another_site_does_nothing(guarded: AccountFace, headers: dict[str, str]) -> None:
    boss = await guarded.set_up()
    reply = await boss.post("/people", {"csrf": await boss.csrf("/people")} | PERSON, **headers)
    assert (reply.status_code, "请求来自其他网站" in reply.text) == (403, True)
    assert guarded.accounts.people.find("li") is None


async def test_a_login_that_another_site_sends_is_refused(guarded: AccountFace) -> None:
    await guarded.set_up()
    victim = guarded.browser()
    fields = {"csrf": await victim.csrf(), "name": "wang", "password": GOOD_PASSWORD}
    reply = await victim.post("/login", fields, origin="https://evil.example")
    assert (reply.status_code, "set-cookie" in reply.headers) == (403, False)


@pytest.mark.parametrize("path", ["/login", "/setup", "/people", "/alarms/x/acknowledge", "/wall/pair"])
async def test_a_form_of_50_mb_is_refused_by_what_it_says_before_it_is_read(guarded: AccountFace, path: str) -> None:
    boss = await guarded.set_up()
    asked = 0

    async def body():  # type: ignore[no-untyped-def]
        nonlocal asked
        while True:
            asked += 1
            yield b"x" * 65_536

    headers = {"content-type": "application/x-www-form-urlencoded", "content-length": str(50 * 2**20)}
    request = boss.client.build_request("POST", path, content=body(), headers=headers)
    reply = await boss.client.send(request)
    assert (reply.status_code, "请求内容过长" in reply.text) == (413, True)
    assert asked <= 1


async def test_a_form_that_hides_its_length_is_refused(guarded: AccountFace) -> None:
    boss = await guarded.set_up()

    async def body():  # type: ignore[no-untyped-def]
        yield b"name=x"

    headers = {"content-type": "application/x-www-form-urlencoded"}
    reply = await boss.client.post("/login", content=body(), headers=headers)
    assert reply.status_code == 411


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPERVISOR, Role.SAFETY_OFFICER])
async def test_pages_of_administrators_are_for_administrators(guarded: AccountFace, role: Role) -> None:
    await guarded.set_up()
    browser = await guarded.browser_of(role)
    for page in ("/people", "/walls"):
        assert "您的角色无权进行此操作" in (await browser.get(page, 403)).text
    reply = await browser.post("/people", {"csrf": await browser.csrf("/me")} | PERSON)
    assert reply.status_code == 403
    reply = await browser.post("/people/wang/disable", {"csrf": await browser.csrf("/me")})
    assert reply.status_code == 403
    assert guarded.accounts.people.find("li") is None


COMMANDS = {
    "/api/alarms/{}/acknowledge": ({"user": "x", "reason": "到场"}, Role.SUPERVISOR),
    "/api/alarms/{}/reset": ({"user": "x", "reason": "到场"}, Role.SAFETY_OFFICER),
    "/api/alarms/{}/shelve": ({"user": "x", "reason": "到场", "for_s": 60}, Role.SAFETY_OFFICER),
    "/api/alarms/{}/unshelve": ({"user": "x", "reason": "到场"}, Role.SAFETY_OFFICER),
    "/api/subjects/host-1/out_of_service": ({"user": "x", "reason": "维修", "for_s": 60}, Role.SAFETY_OFFICER),
    "/api/subjects/host-1/in_service": ({"user": "x", "reason": "修好"}, Role.SAFETY_OFFICER),
}


@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPERVISOR, Role.SAFETY_OFFICER])
async def test_every_command_asks_for_its_role(guarded: AccountFace, path: str, role: Role) -> None:
    await guarded.set_up()
    browser = await guarded.browser_of(role)
    alarm_id = await guarded.raised()
    body, least = COMMANDS[path]
    headers = {"accept": "application/json"}
    reply = await browser.client.post(path.format(alarm_id), json=body, headers=headers)
    if role < least:
        assert (reply.status_code, reply.json()["error"]["code"]) == (403, "role_too_low")
    else:
        assert reply.status_code in (200, 409), "let through; the alarm table may still refuse"


async def test_a_command_is_done_by_whoever_has_logged_in_whatever_it_says(guarded: AccountFace) -> None:
    await guarded.set_up()
    officer = await guarded.browser_of(Role.SAFETY_OFFICER)
    body = {"user": "somebody else", "reason": "维修", "for_s": 60}
    reply = await officer.client.post("/api/subjects/host-1/out_of_service", json=body)
    assert reply.status_code == 200, reply.text
    record = guarded.site.alerts.evidence_of("service:host-1")[-1]
    assert json.loads(record.body)["content"]["user"] == "An (an)"


async def test_html_in_a_name_is_shown_as_text_everywhere(guarded: AccountFace) -> None:
    boss = await guarded.set_up()
    title = "<script>x()</script>"
    fields = PERSON | {"title": title}
    assert (await boss.submit("/people", "/people", **fields)).status_code == 303
    await guarded.accounts.walls.give("<img src=x>", BOSS)
    for page, shown in (("/people", "&lt;script&gt;x()"), ("/walls", "&lt;img src=x&gt;")):
        text = (await boss.get(page)).text
        assert shown in text
        assert "<script>x()" not in text
        assert "<img src=x" not in text
    reply = await boss.post("/people", {"csrf": await boss.csrf("/people")} | PERSON | {"name": "<b>x</b>"})
    assert (reply.status_code, "<b>x" in reply.text, "登录名最多 32 个字符" in reply.text) == (422, False, True)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_other_methods_change_nothing(guarded: AccountFace, method: str) -> None:
    boss = await guarded.set_up()
    reply = await boss.client.request(method, "/people/wang")
    assert reply.status_code in (404, 405)
    assert guarded.accounts.people.find("wang") is not None


async def test_every_page_has_the_strict_headers_and_no_inline_script(guarded: AccountFace) -> None:
    boss = await guarded.set_up()
    for page in ("/login", "/setup", "/people", "/walls", "/me", "/audit", "/wall/pair"):
        reply = await boss.client.get(page)
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["x-frame-options"] == "DENY"
        assert " style=" not in reply.text


@pytest.mark.parametrize(("address", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.168.1.77", 401), ("", 401)])
async def test_whom_a_proxy_brings_from_elsewhere_is_no_local_program(
    guarded: AccountFace, address: str, status: int
) -> None:
    browser = guarded.browser(address)
    for path in ("/api/alarms", "/metrics"):
        reply = await browser.client.get(path, headers={"accept": "application/json"})
        assert reply.status_code == status, path
