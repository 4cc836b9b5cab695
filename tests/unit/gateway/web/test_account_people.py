import pytest

from gateway.accounts.person import Role
from tests.fakes.account_bench import GOOD_PASSWORD, OTHER_PASSWORD
from tests.fakes.account_face import AccountFace

PERSON = {"name": "li", "title": "李工", "role": "3", "password": GOOD_PASSWORD, "again": GOOD_PASSWORD}


async def test_a_person_is_added_and_listed(guarded: AccountFace) -> None:
    boss = await guarded.set_up()
    assert (await boss.submit("/people", "/people", **PERSON)).headers["location"] == "/people?done=added"
    text = (await boss.get("/people?done=added")).text
    for shown in ("李工", "安全员", "尚未自设密码", "人员已添加"):
        assert shown in text


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"name": "wang"}, 409, "该登录名已存在"),
        ({"name": ""}, 422, "登录名最多 32 个字符"),
        ({"title": ""}, 422, "姓名为 1 至 24 个可见字符"),
        ({"again": "other"}, 422, "两次输入的密码不一致"),
        ({"password": "1234567890", "again": "1234567890"}, 422, "该密码过于常见"),
        ({"role": "0"}, 422, "没有这个角色"),
        ({"role": "9"}, 422, "没有这个角色"),
        ({"role": "x"}, 422, "没有这个角色"),
    ],
)
async def test_what_is_wrong_with_a_new_person_is_said_and_nothing_is_done(
    guarded: AccountFace, changed: dict[str, str], status: int, words: str
) -> None:
    boss = await guarded.set_up()
    reply = await boss.submit("/people", "/people", **(PERSON | changed))
    assert (reply.status_code, words in reply.text) == (status, True)
    assert [person.name for person in guarded.accounts.people.all()] == ["wang"]
    if "role" not in changed and changed.get("title") is None:
        assert 'value="李工"' in reply.text, "what was typed is kept"
    assert GOOD_PASSWORD not in reply.text


async def test_a_role_changes_and_the_person_logs_in_again(guarded: AccountFace) -> None:
    boss = await guarded.set_up()
    viewer = await guarded.browser_of(Role.VIEWER)
    reply = await boss.submit("/people", "/people/kan/role", role="4")
    assert reply.headers["location"] == "/people?done=role"
    await viewer.get("/people", 303)
    await viewer.log_in("kan", OTHER_PASSWORD)
    await viewer.get("/people")


async def test_the_last_administrator_is_told_why_not(guarded: AccountFace) -> None:
    boss = await guarded.set_up()
    for order, fields in (("disable", {}), ("role", {"role": "1"})):
        reply = await boss.submit("/people", f"/people/wang/{order}", **fields)
        assert (reply.status_code, "必须保留至少一位系统管理员" in reply.text) == (409, True)


async def test_an_unknown_person_or_order_is_said(guarded: AccountFace) -> None:
    boss = await guarded.set_up()
    assert (await boss.submit("/people", "/people/nobody/disable")).status_code == 404
    assert (await boss.submit("/people", "/people/wang/delete")).status_code == 404


async def test_a_chinese_login_name_works_in_addresses(guarded: AccountFace) -> None:
    boss = await guarded.set_up()
    assert (await boss.submit("/people", "/people", **(PERSON | {"name": "李工"}))).status_code == 303
    page = (await boss.get("/people")).text
    assert "/people/%E6%9D%8E%E5%B7%A5/disable" in page
    assert (await boss.submit("/people", "/people/%E6%9D%8E%E5%B7%A5/disable")).status_code == 303
    person = guarded.accounts.people.find("李工")
    assert person is not None
    assert person.disabled_at_ns


async def test_a_wall_screen_looks_for_ever_and_never_commands(guarded: AccountFace) -> None:
    boss = await guarded.set_up()
    reply = await boss.submit("/walls", "/walls", title="门卫室电视")
    token = reply.text.split("/wall?token=")[1].split('"')[0]
    assert len(token) == 43
    wall = guarded.browser()
    assert (await wall.get(f"/wall?token={token}", 303)).headers["location"] == f"/wall/pair?token={token}"
    reply = await wall.get(f"/wall/pair?token={token}", 303)
    assert reply.headers["location"] == "/wall"
    (cookie,) = [text for text in reply.headers.get_list("set-cookie") if text.startswith("wall=")]
    assert {"HttpOnly", "SameSite=strict", "Max-Age=34560000"} <= set(cookie.split("; "))
    await guarded.site.clock.advance(200 * 86_400.0)
    await wall.get("/")
    await wall.get("/api/alarms")
    reply = await wall.client.post(
        "/api/subjects/host-1/out_of_service", json={"user": "x", "reason": "y", "for_s": 60}
    )
    assert (reply.status_code, "大屏只能查看" in reply.text) == (403, True)
    await wall.get("/people", 403)
    await wall.get("/me", 303)


async def test_a_screen_whose_browser_somebody_is_logged_in_with_stays_when_the_login_ends(
    guarded: AccountFace,
) -> None:
    boss = await guarded.set_up()
    reply = await boss.submit("/walls", "/walls", title="门卫室电视")
    token = reply.text.split("/wall?token=")[1].split('"')[0]
    path = (await boss.get(f"/wall?token={token}", 303)).headers["location"]
    assert (await boss.get(path, 303)).headers["location"] == "/wall"
    await guarded.site.clock.advance(13 * 3600.0)
    await boss.get("/wall")
    await boss.get("/people", 403)


async def test_a_revoked_wall_screen_sees_nothing_more(guarded: AccountFace) -> None:
    boss = await guarded.set_up()
    reply = await boss.submit("/walls", "/walls", title="门卫室电视")
    token = reply.text.split("/wall?token=")[1].split('"')[0]
    wall = guarded.browser()
    await wall.get(f"/wall/pair?token={token}", 303)
    await wall.get("/")
    wall_id = guarded.accounts.walls.all()[0].wall_id
    assert (await boss.submit("/walls", f"/walls/{wall_id}/revoke")).headers["location"] == "/walls?done=revoked"
    await wall.get("/", 303)
    reply = await wall.client.get("/api/alarms", headers={"accept": "application/json"})
    assert reply.status_code == 401
    page = await wall.get(f"/wall/pair?token={token}", 404)
    assert "没有此大屏，或已被撤销" in page.text
    assert "门卫室电视" in (await boss.get("/walls")).text, "it is kept in the list"
    assert (await boss.submit("/walls", f"/walls/{wall_id}/revoke")).status_code == 404


async def test_a_screen_is_paired_with_a_short_code_once_and_in_time(guarded: AccountFace) -> None:
    boss = await guarded.set_up()
    codes = []
    for title in ("一号", "二号"):
        reply = await boss.submit("/walls", "/walls", title=title)
        codes.append(reply.text.split('account-code">')[1].split("<")[0])
    wall = guarded.browser()
    assert (await wall.submit("/wall/pair", "/wall/pair", code=codes[0].lower())).headers["location"] == "/wall"
    await wall.get("/")
    second = guarded.browser()
    assert (await second.submit("/wall/pair", "/wall/pair", code=codes[0])).status_code == 403
    await guarded.site.clock.advance(600.0)
    reply = await second.submit("/wall/pair", "/wall/pair", code=codes[1])
    assert (reply.status_code, "代码错误或已失效" in reply.text) == (403, True)


async def test_a_guesser_of_pairing_codes_waits(guarded: AccountFace) -> None:
    await guarded.set_up()
    browser = guarded.browser()
    statuses = [(await browser.submit("/wall/pair", "/wall/pair", code="AAAA-AAAA")).status_code for _ in range(21)]
    assert statuses == [403] * 20 + [429]
