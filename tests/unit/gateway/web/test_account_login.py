import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from gateway.accounts.person import Role
from gateway.accounts.recovery import make_recovery_code
from gateway.web.account_visitors import Policy
from tests.fakes.account_bench import BOSS, GOOD_PASSWORD, OTHER_PASSWORD
from tests.fakes.account_face import AccountFace, Browser
from tests.fakes.dead_file import take_again, take_nothing
from tests.fakes.site import until

EMOJI = "🏗️塔吊🦺安全👷🧱🚧⚠️"
LAN = "http://192.168.1.10:8080"


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[AccountFace]:
    face = AccountFace(tmp_path)
    await face.start()
    yield face
    await face.close()


async def lan_face(folder: Path, **policy: bool) -> AccountFace:
    """A box that listens beyond loopback."""
    face = AccountFace(folder, Policy(token="machine-token", loopback=False, **policy))
    await face.start()
    return face


async def test_the_first_person_is_made_with_the_code_and_is_logged_in(face: AccountFace) -> None:
    boss = await face.set_up()
    page = await boss.get("/")
    assert "王工" in page.text
    assert "/people" in page.text
    assert (await boss.get("/setup", 303)).headers["location"] == "/login"


async def test_a_wrong_code_is_refused_and_what_was_typed_is_kept_but_the_passwords(face: AccountFace) -> None:
    fields = {"name": "wang", "title": "王工", "password": GOOD_PASSWORD, "again": GOOD_PASSWORD}
    reply = await face.browser().submit("/setup", "/setup", code="AAAA-AAAA", **fields)
    assert (reply.status_code, "代码错误或已失效" in reply.text) == (403, True)
    assert 'value="王工"' in reply.text
    assert GOOD_PASSWORD not in reply.text
    assert not face.accounts.people.exist()


async def test_a_wrong_password_is_answered_clearly_and_opens_nothing(face: AccountFace) -> None:
    await face.set_up()
    browser = face.browser()
    for name in ("wang", "nobody"):
        reply = await browser.log_in(name, "not the password")
        assert reply.status_code == 401
        assert "登录名或密码错误" in reply.text
        assert "set-cookie" not in reply.headers
        assert f'value="{name}"' in reply.text
        assert "not the password" not in reply.text
    assert (await browser.get("/", 303)).headers["location"] == "/login?next=/"


async def test_too_many_wrong_passwords_are_told_how_long_to_wait(face: AccountFace) -> None:
    await face.set_up()
    browser = face.browser()
    for _ in range(5):
        await browser.log_in("wang", "not the password")
    reply = await browser.log_in("wang", GOOD_PASSWORD)
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "2")
    assert "请等待 2 秒" in reply.text
    await face.site.clock.advance(2.0)
    assert (await browser.log_in("wang", GOOD_PASSWORD)).status_code == 303


async def test_an_expired_login_is_led_to_the_login_and_back(face: AccountFace) -> None:
    boss = await face.set_up()
    await face.site.clock.advance(8 * 3600.0)
    reply = await boss.get("/?lang=en", 303)
    assert reply.headers["location"] == "/login?next=/%3Flang%3Den"
    page = await boss.get(reply.headers["location"])
    assert "登录已过期" in (await boss.get("/login")).text
    assert 'name="next" value="/?lang=en"' in page.text
    reply = await boss.log_in("wang", GOOD_PASSWORD, "/?lang=en")
    assert (reply.status_code, reply.headers["location"]) == (303, "/?lang=en")


async def test_a_form_sent_with_an_expired_login_does_nothing_and_keeps_what_was_typed(face: AccountFace) -> None:
    boss = await face.set_up()
    csrf = await boss.csrf("/people")
    await face.site.clock.advance(8 * 3600.0)
    fields = {"csrf": csrf, "name": "li", "title": "李工<b>", "role": "1", "password": GOOD_PASSWORD}
    reply = await boss.post("/people", fields)
    assert reply.status_code == 401
    assert "刚才的操作没有执行" in reply.text
    assert "李工&lt;b&gt;" in reply.text
    assert GOOD_PASSWORD not in reply.text
    assert 'name="next" value="/people"' in reply.text
    assert face.accounts.people.find("li") is None


async def test_a_page_that_refreshes_itself_keeps_no_login_alive(face: AccountFace) -> None:
    boss = await face.set_up()
    for _ in range(9):
        await face.site.clock.advance(3600.0)
        await boss.client.get("/parts/overview-alarms")
        await boss.client.get("/api/alarms")
    await boss.get("/", 303)


async def test_whoever_works_stays_logged_in_until_the_longest_time(face: AccountFace) -> None:
    boss = await face.set_up()
    for _ in range(11):
        await face.site.clock.advance(3600.0)
        await boss.get("/")
        await until(lambda: face.accounts.logins.of("wang")[0].seen_at_ns == face.site.clock.now_ns())
    await face.site.clock.advance(3600.0)
    await boss.get("/", 303)


@pytest.mark.parametrize(
    "going_on",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "",
    ],
)
async def test_a_login_never_leads_to_another_site(face: AccountFace, going_on: str) -> None:
    await face.set_up()
    reply = await face.browser().log_in("wang", GOOD_PASSWORD, going_on)
    assert (reply.status_code, reply.headers["location"]) == (303, "/")


async def test_a_session_from_outside_is_never_taken_up(face: AccountFace) -> None:
    boss = await face.set_up()
    planted = "a-token-that-an-attacker-has-planted"
    victim = face.browser()
    victim.client.cookies.set("session", planted, domain="127.0.0.1", path="/")
    await victim.log_in("wang", GOOD_PASSWORD)
    tokens = [cookie.value for cookie in victim.client.cookies.jar if cookie.name == "session"]
    assert planted not in tokens or len(tokens) == 2
    attacker = face.browser()
    attacker.client.cookies.set("session", planted)
    await attacker.get("/", 303)
    assert boss.client.cookies["session"] not in tokens


async def test_logging_in_anew_ends_the_session_that_the_browser_had(face: AccountFace) -> None:
    boss = await face.set_up()
    before = boss.client.cookies["session"]
    await boss.post("/login", {"csrf": await boss.csrf("/me"), "name": "wang", "password": GOOD_PASSWORD})
    assert boss.client.cookies["session"] != before
    assert face.accounts.logins.whose(before) is None
    await boss.get("/")


async def test_a_logout_ends_the_session_here_and_takes_the_cookie(face: AccountFace) -> None:
    boss = await face.set_up()
    token = boss.client.cookies["session"]
    reply = await boss.submit("/me", "/logout")
    assert reply.headers["location"] == "/login?done=logout"
    assert "session" not in boss.client.cookies
    assert "您已退出登录" in (await boss.get("/login?done=logout")).text
    boss.client.cookies.set("session", token)
    await boss.get("/", 303)


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(face: AccountFace) -> None:
    await face.set_up()
    reply = await face.browser().log_in("wang", GOOD_PASSWORD)
    (cookie,) = [text for text in reply.headers.get_list("set-cookie") if text.startswith("session=")]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert "Max-Age" not in cookie


async def test_under_tls_cookies_are_for_this_host_alone(tmp_path: Path) -> None:
    face = await lan_face(tmp_path)
    try:
        browser = face.browser("192.168.1.55", "https://192.168.1.10:8443")
        fields = {"name": "wang", "title": "王工", "password": GOOD_PASSWORD, "again": GOOD_PASSWORD}
        reply = await browser.submit("/setup", "/setup", code=face.codes[-1], **fields)
        cookies = reply.headers.get_list("set-cookie")
        (cookie,) = [text for text in cookies if text.startswith("__Host-session=")]
        assert {"HttpOnly", "SameSite=strict", "Path=/", "Secure"} <= set(cookie.split("; "))
        await browser.get("/")
    finally:
        await face.close()


async def test_over_plain_http_people_are_refused_and_told_why(tmp_path: Path) -> None:
    face = await lan_face(tmp_path)
    try:
        await face.set_up()  # at the box itself
        browser = face.browser("192.168.1.55", LAN)
        page = await browser.get("/login")
        assert "本页未加密" in page.text
        assert 'name="password"' not in page.text
        fields = {"csrf": await browser.csrf("/login"), "name": "wang", "password": GOOD_PASSWORD}
        reply = await browser.post("/login", fields)
        assert (reply.status_code, "web.commands_over_plain_http" in reply.text) == (403, True)
        assert "set-cookie" not in reply.headers
    finally:
        await face.close()


async def test_a_screen_on_the_network_is_paired_over_plain_http_because_it_may_only_look(tmp_path: Path) -> None:
    face = await lan_face(tmp_path)
    try:
        await face.set_up()
        _, token = await face.accounts.walls.give("门卫室电视", BOSS)
        screen = face.browser("192.168.1.90", LAN)
        reply = await screen.submit("/wall/pair", "/wall/pair", code=face.accounts.walls.pairing_code(token))
        assert reply.status_code == 303
        await screen.get("/wall")
        reply = await screen.post("/people", {"csrf": await screen.csrf("/login")})
        assert reply.status_code == 403
    finally:
        await face.close()


async def test_the_switch_allows_plain_http_and_the_page_warns(tmp_path: Path) -> None:
    face = await lan_face(tmp_path, commands_over_plain_http=True)
    try:
        await face.set_up()
        browser = face.browser("192.168.1.55", LAN)
        assert "同一网络中的任何人都能看到您的密码" in (await browser.get("/login")).text
        assert (await browser.log_in("wang", GOOD_PASSWORD)).status_code == 303
        await browser.get("/people")
    finally:
        await face.close()


async def test_somebody_who_was_given_a_password_chooses_another_before_anything_else(face: AccountFace) -> None:
    boss = await face.set_up()
    fields = {"name": "li", "title": "李工", "role": "2", "password": GOOD_PASSWORD, "again": GOOD_PASSWORD}
    assert (await boss.submit("/people", "/people", **fields)).headers["location"] == "/people?done=added"
    browser = face.browser()
    assert (await browser.log_in("li", GOOD_PASSWORD)).headers["location"] == "/me"
    alarm_id = await face.raised()
    command = {"user": "x", "reason": "看到"}
    reply = await browser.client.post(f"/api/alarms/{alarm_id}/acknowledge", json=command)
    assert reply.status_code == 403
    passwords = {"password": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    reply = await browser.submit("/me", "/me/password", old=GOOD_PASSWORD, **passwords)
    assert reply.headers["location"] == "/me?done=password"
    reply = await browser.client.post(f"/api/alarms/{alarm_id}/acknowledge", json=command)
    assert reply.status_code == 200, reply.text
    record = json.loads(face.site.alerts.evidence_of(alarm_id)[-1].body)["content"]
    assert record["user"] == "李工 (li)", "whatever the request says"


@pytest.mark.parametrize(
    ("old", "password", "again", "status", "words"),
    [
        ("wrong old one", OTHER_PASSWORD, OTHER_PASSWORD, 403, "旧密码错误"),
        (GOOD_PASSWORD, OTHER_PASSWORD, OTHER_PASSWORD + "x", 422, "两次输入的密码不一致"),
        (GOOD_PASSWORD, "short", "short", 422, "密码至少 10 个字符"),
        (GOOD_PASSWORD, GOOD_PASSWORD, GOOD_PASSWORD, 422, "新密码与旧密码相同"),
        (GOOD_PASSWORD, "x" * 200, "x" * 200, 422, "密码最多 128 个字符"),
    ],
)
async def test_a_password_that_is_not_changed(
    face: AccountFace, old: str, password: str, again: str, status: int, words: str
) -> None:
    boss = await face.set_up()
    reply = await boss.submit("/me", "/me/password", old=old, password=password, again=again)
    assert (reply.status_code, words in reply.text) == (status, True)
    await boss.get("/me")


async def test_an_emoji_password_works(face: AccountFace) -> None:
    boss = await face.set_up()
    reply = await boss.submit("/me", "/me/password", old=GOOD_PASSWORD, password=EMOJI, again=EMOJI)
    assert reply.status_code == 303
    browser = face.browser()
    assert (await browser.log_in("wang", EMOJI)).status_code == 303
    await browser.get("/me")


async def test_ones_own_other_login_can_be_ended(face: AccountFace) -> None:
    boss = await face.set_up()
    phone = face.browser("127.0.0.7")
    await phone.log_in("wang", GOOD_PASSWORD)
    other = next(each for each in face.accounts.logins.of("wang") if each.address == "127.0.0.7")
    reply = await boss.submit("/me", f"/me/sessions/{other.session_id}/end")
    assert reply.headers["location"] == "/me?done=ended"
    await phone.get("/me", 303)
    await boss.get("/me")


async def test_a_disabled_person_is_out_at_once_with_a_page_open(face: AccountFace) -> None:
    boss = await face.set_up()
    viewer = await face.browser_of(Role.VIEWER)
    await viewer.get("/")
    await boss.submit("/people", "/people/kan/disable")
    await viewer.get("/", 303)
    assert (await viewer.client.get("/api/alarms", headers={"accept": "application/json"})).status_code == 401
    assert (await viewer.log_in("kan", OTHER_PASSWORD)).status_code == 401


async def test_before_the_first_account_local_programs_may_command_and_afterwards_nobody_unknown(
    face: AccountFace,
) -> None:
    alarm_id = await face.raised()
    path, command = f"/api/alarms/{alarm_id}/acknowledge", {"user": "script", "reason": "看到"}
    headers = {"accept": "application/json"}
    program = face.browser().client
    assert (await program.post(path, json=command, headers=headers)).status_code == 200
    await face.set_up()
    for reply in (
        await program.post(path, json=command, headers=headers),
        await program.get("/api/alarms", headers=headers),
    ):
        assert reply.status_code == 401
        assert reply.json()["error"]["code"] == "login_needed"
    for open_path in ("/healthz", "/readyz", "/metrics"):
        assert (await program.get(open_path, headers=headers)).status_code == 200


async def test_the_command_line_on_the_box_goes_on_working_and_from_elsewhere_its_token_is_nothing(
    face: AccountFace,
) -> None:
    await face.set_up()
    path, body = "/api/subjects/host-1/out_of_service", {"user": "李工", "reason": "维修", "for_s": 60}
    headers = {"accept": "application/json", "authorization": "Bearer local-token"}
    elsewhere = face.browser("192.168.1.77").client
    assert (await elsewhere.post(path, json=body, headers=headers)).status_code == 401
    assert (await face.browser().client.post(path, json=body, headers=headers)).status_code == 200


async def test_a_lost_administrator_comes_back_with_a_code_made_on_the_box(face: AccountFace, tmp_path: Path) -> None:
    await face.set_up()
    code = make_recovery_code(tmp_path, face.site.clock.now_ns())
    browser = face.browser()
    assert "恢复管理员" in (await browser.get("/setup")).text
    fields = {"name": "wang", "title": "王工", "password": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    assert (await browser.submit("/setup", "/setup", code="AAAA-AAAA", **fields)).status_code == 403
    assert (await browser.submit("/setup", "/setup", code=code, **fields)).status_code == 303
    await browser.get("/people")
    await face.browser().get("/setup", 303)


async def test_a_guest_may_look_where_the_site_allows_it_and_not_command(tmp_path: Path) -> None:
    face = AccountFace(tmp_path, Policy(token=None, loopback=True, view_without_login=True))
    await face.start()
    try:
        await face.set_up()
        alarm_id = await face.raised()
        guest = face.browser()
        assert "登录" in (await guest.get("/")).text
        reply = await guest.client.post(f"/api/alarms/{alarm_id}/acknowledge", json={"user": "x", "reason": "y"})
        assert reply.status_code == 401 or reply.headers.get("location", "").startswith("/login")
        await guest.get("/people", 303)
        assert "/me" in (await guest.get("/me", 303)).headers["location"]
    finally:
        await face.close()


async def test_an_open_form_outlives_a_restart_of_the_box(tmp_path: Path) -> None:
    face = AccountFace(tmp_path)
    await face.start()
    boss = await face.set_up()
    csrf, cookies = await boss.csrf("/people"), boss.client.cookies
    await face.close()
    again = AccountFace(tmp_path)
    await again.start()
    browser = again.browser()
    browser.client.cookies = cookies
    fields = {"name": "li", "title": "李", "role": "1", "password": GOOD_PASSWORD, "again": GOOD_PASSWORD}
    assert (await browser.post("/people", {"csrf": csrf} | fields)).status_code == 303
    await again.close()


@pytest.mark.parametrize("how", ["disabled", "revoked"])
async def test_the_live_feed_ends_for_whoever_may_look_no_more(face: AccountFace, how: str) -> None:
    boss = await face.set_up()
    if how == "disabled":
        watcher, order = await face.browser_of(Role.VIEWER), "/people/kan/disable"
    else:
        wall, token = await face.accounts.walls.give("TV", BOSS)
        watcher, order = face.browser(), f"/walls/{wall.wall_id}/revoke"
        await watcher.get(f"/wall/pair?token={token}", 303)
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/events",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8080"), (b"cookie", _cookies(watcher).encode())],
        "client": ("127.0.0.1", 50_001),
        "scheme": "http",
        "server": ("127.0.0.1", 8080),
    }
    sent: list[dict[str, object]] = []
    ticking = asyncio.create_task(face.feed.run())
    asking = asyncio.create_task(face.app(scope, asyncio.Event().wait, _keep(sent)))
    await until(lambda: len(sent) > 2)
    assert sent[0]["status"] == 200
    await boss.submit("/people", order)
    await face.site.clock.advance(1.0)
    await asyncio.wait_for(asking, 5)
    assert sent[-1].get("more_body") is False
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)


def _cookies(browser: Browser) -> str:
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.client.cookies.jar)


def _keep(sent: list[dict[str, object]]) -> Callable[[dict[str, object]], Awaitable[None]]:
    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    return send


async def test_a_full_disk_refuses_a_change_clearly_and_changes_nothing(face: AccountFace) -> None:
    boss = await face.set_up()
    csrf = await boss.csrf("/people")
    take_nothing(face.accounts._store)
    fields = {"name": "li", "title": "李", "role": "1", "password": GOOD_PASSWORD, "again": GOOD_PASSWORD}
    reply = await boss.post("/people", {"csrf": csrf} | fields)
    assert (reply.status_code, "未执行任何操作" in reply.text) == (503, True)
    take_again(face.accounts._store)
    assert face.accounts.people.find("li") is None
    await face.accounts.people.disable("nobody", BOSS) if face.accounts.people.find("nobody") else None
    await until(lambda: face.site.recorder.last_in_line() is None)
