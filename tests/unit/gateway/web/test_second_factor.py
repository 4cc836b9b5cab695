"""The second factor at the box: set up, asked for, used once, lost and recovered; what is owed opens nothing else."""

import re
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pyotp
import pytest

from gateway.accounts.account_rows import ACCOUNTS_FILE
from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.people import Actor
from gateway.accounts.person import Role
from gateway.accounts.recovery import make_recovery_code
from gateway.accounts.workplaces import Caller
from gateway.evidence.evidence import RecordKind
from gateway.settings.schema import WebSettings
from gateway.web.account_visitors import Policy, asked_of
from screens.guessing import CODES as PACE
from screens.second_factor import BEGUN_LASTS_NS, FREE_TRIES, RECOVERY_CODES, STEP_NS
from tests.fakes.account_bench import GOOD_PASSWORD, OTHER_PASSWORD
from tests.fakes.account_face import PEOPLE, AccountFace, Browser
from tests.fakes.site import until

KEY = re.compile(r'class="factor-key">([A-Z2-7 ]+)<')
CODES = re.compile(r"<code>([a-z0-9]{4}(?:-[a-z0-9]{4}){3})</code>")
PAGE = "/me/second-factor"
OFFICER = PEOPLE[Role.SAFETY_OFFICER]


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[AccountFace]:
    """A box as it comes: administrators need a second factor."""
    face = AccountFace(tmp_path, asked_of=asked_of(WebSettings()))
    await face.start()
    yield face
    await face.close()


class Phone:
    """An authenticator app, on the box's clock."""

    def __init__(self, key: str, face: AccountFace) -> None:
        self._totp, self._face = pyotp.TOTP(key.replace(" ", "")), face

    async def code(self) -> str:
        """The code of the step that comes next."""
        await self._face.site.clock.advance(STEP_NS / 1e9)
        return self.same()

    def same(self) -> str:
        """The code that was shown last."""
        return self._totp.generate_otp(self._face.site.clock.now_ns() // STEP_NS)


async def set_up(face: AccountFace, browser: Browser) -> tuple[Phone, list[str]]:
    """The whole set-up; the phone and the recovery codes."""
    await browser.submit(PAGE, f"{PAGE}/begin")
    found = KEY.search((await browser.get(PAGE)).text)
    assert found is not None
    phone = Phone(found[1], face)
    page = await browser.submit(PAGE, f"{PAGE}/confirm", code=await phone.code())
    codes = CODES.findall(page.text)
    assert (page.status_code, len(codes)) == (200, RECOVERY_CODES)
    return phone, codes


async def officer(face: AccountFace) -> tuple[Browser, Phone, list[str]]:
    """A safety officer with a second factor: nobody asks for it, and it is asked all the same."""
    boss = await face.set_up()
    await set_up(face, boss)
    browser = await face.browser_of(Role.SAFETY_OFFICER)
    return browser, *await set_up(face, browser)


async def after_password(face: AccountFace, address: str = "127.0.0.1") -> Browser:
    """The officer's browser after the right password."""
    browser = face.browser(address)
    went = await browser.log_in(OFFICER, OTHER_PASSWORD, "/alarms")
    assert went.headers["location"] == "/login/code?next=/alarms"
    return browser


async def show(browser: Browser, code: str) -> int:
    return (await browser.submit("/login/code", "/login/code", code=code, next="/alarms")).status_code


async def refusal(browser: Browser, method: str, path: str) -> tuple[int, str]:
    headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
    reply = await browser.client.request(method, path, headers=headers, content=b"" if method == "POST" else None)
    return reply.status_code, reply.json()["error"]["code"]


async def events(face: AccountFace) -> list[str]:
    await until(lambda: face.site.recorder.last_in_line() is None)
    kept = [record for record in face.site.alerts.all_evidence() if record.kind == RecordKind.ACCOUNT]
    return re.findall(r'"event":"(\w+)"', b"".join(record.body for record in kept).decode())


async def test_the_first_administrator_sets_it_up_before_anything_else(face: AccountFace) -> None:
    boss = await face.set_up()
    went = await boss.get("/people", 303)
    assert went.headers["location"] == f"{PAGE}?next=/people"
    assert await refusal(boss, "GET", "/api/alarms") == (401, "second_factor_needed")
    assert await refusal(boss, "POST", "/people") == (401, "second_factor_needed")
    await set_up(face, boss)
    await boss.get("/people")
    assert {"second_factor_set"} <= set(await events(face))


async def test_other_roles_are_not_asked(face: AccountFace) -> None:
    await face.set_up()
    for role in (Role.VIEWER, Role.SUPERVISOR, Role.SAFETY_OFFICER):
        await (await face.browser_of(role)).get("/alarms")


async def test_a_login_that_owes_a_code_opens_nothing_but_its_page_and_the_logout(face: AccountFace) -> None:
    _, phone, _ = await officer(face)
    browser = await after_password(face)
    for path in ("/", "/alarms", "/me", PAGE, "/api/alarms", "/api/events", "/metrics", "/audit.csv"):
        assert await refusal(browser, "GET", path) == (401, "code_needed"), path
    for path in ("/me/password", f"{PAGE}/begin", f"{PAGE}/remove", "/log/x/save"):
        assert await refusal(browser, "POST", path) == (401, "code_needed"), path
    assert await show(browser, await phone.code()) == 303
    await browser.get("/alarms")
    other = await after_password(face)
    assert (await other.submit("/login/code", "/logout")).status_code == 303
    assert await refusal(other, "GET", "/me") == (401, "login_needed")
    assert {"code_shown", "second_factor_set"} <= set(await events(face))


async def test_who_owes_a_code_sees_what_a_guest_sees_and_commands_nothing(tmp_path: Path) -> None:
    policy = Policy(token=None, loopback=True, view_without_login=True)
    face = AccountFace(tmp_path, policy, asked_of(WebSettings()))
    await face.start()
    try:
        boss = await face.set_up()
        await boss.get("/alarms")
        assert await refusal(boss, "GET", "/people") == (401, "second_factor_needed")
        phone, _ = await set_up(face, boss)
        owing, guest = face.browser(), face.browser()
        await owing.log_in("wang", GOOD_PASSWORD)
        for path in ("/", "/alarms", "/api/alarms", "/api/live"):
            assert (await owing.get(path)).status_code == (await guest.get(path)).status_code == 200, path
        assert 'href="/login/code?next=' in (await owing.get("/alarms")).text
        assert await refusal(owing, "GET", "/audit.csv") == (401, "code_needed")
        assert await refusal(owing, "POST", "/people") == (401, "code_needed")
        assert (await owing.submit("/login/code", "/login/code", code=await phone.code())).status_code == 303
        await owing.get("/people")
    finally:
        await face.close()


async def test_a_code_is_taken_once(face: AccountFace) -> None:
    _, phone, _ = await officer(face)
    one, other, code = await after_password(face), await after_password(face), await phone.code()
    assert await show(one, code) == 303
    assert await show(other, code) == 401
    assert await show(other, await phone.code()) == 303
    assert "code_failed" in await events(face)


async def test_a_recovery_code_lets_in_once(face: AccountFace) -> None:
    _, _, codes = await officer(face)
    one, other = await after_password(face), await after_password(face)
    assert await show(one, codes[0].upper()) == 303
    assert f"剩余恢复码 {RECOVERY_CODES - 1} 个" in (await one.get("/me")).text
    assert await show(other, codes[0]) == 401
    assert await show(other, codes[1]) == 303


async def test_wrong_codes_from_one_address_keep_nobody_out_at_another(face: AccountFace) -> None:
    _, phone, _ = await officer(face)
    guesser, owner = await after_password(face), await after_password(face, "::1")
    assert [await show(guesser, "000000") for _ in range(FREE_TRIES)] == [401] * FREE_TRIES
    assert await show(guesser, await phone.code()) == 429
    assert await show(owner, phone.same()) == 303
    await face.site.clock.advance(901)
    assert await show(guesser, await phone.code()) == 303


async def test_a_crowd_of_addresses_has_few_tries_and_keeps_nobody_out_where_they_worked_before(
    face: AccountFace,
) -> None:
    """Whoever knows the password and comes from another network at each try."""
    _, phone, _ = await officer(face)
    clock = face.site.clock

    async def shown(address: str, code: str) -> AccountFault | None:
        try:
            await face.accounts.factors.show(OFFICER, "session", code, Actor("", address), Caller(address))
        except AccountError as error:
            return error.fault
        return None

    faults = list[AccountFault | None]()
    for number in range(300):
        await clock.advance(1)
        faults.append(await shown(f"10.0.{number // 200}.{number % 200}", "000000"))
    assert faults.count(AccountFault.WRONG_SECOND_CODE) <= PACE.burst + 300 // PACE.every_s + 1
    assert await shown("127.0.0.1", await phone.code()) is None
    waited_s = 0
    while await shown("10.9.9.9", await phone.code()) is AccountFault.WAIT:
        waited_s += STEP_NS // 10**9
    assert 0 < waited_s <= 2 * PACE.horizon_s


async def test_setting_up_needs_its_code_and_ends_other_logins(face: AccountFace) -> None:
    await face.set_up()
    browser = await face.browser_of(Role.SAFETY_OFFICER)
    other = face.browser()
    await other.log_in(OFFICER, OTHER_PASSWORD)
    assert (await browser.submit(PAGE, f"{PAGE}/confirm", code="123456")).status_code == 409
    await browser.submit(PAGE, f"{PAGE}/begin")
    assert (await browser.submit(PAGE, f"{PAGE}/confirm", code="123456")).status_code == 401
    await other.get("/me")
    await set_up(face, browser)
    await other.get("/me", 303)
    await browser.get("/me")


async def test_a_new_phone_and_new_codes_need_a_code_of_the_old_one(face: AccountFace) -> None:
    browser, phone, codes = await officer(face)
    for form in ("begin", "codes", "remove"):
        assert (await browser.submit(PAGE, f"{PAGE}/{form}", code="123456")).status_code == 401, form
    assert (await browser.submit(PAGE, f"{PAGE}/begin", code=await phone.code())).status_code == 303
    found = KEY.search((await browser.get(PAGE)).text)
    assert found is not None
    new = Phone(found[1], face)
    fresh = CODES.findall((await browser.submit(PAGE, f"{PAGE}/confirm", code=await new.code())).text)
    assert set(fresh).isdisjoint(codes)
    owing = await after_password(face)
    assert await show(owing, await phone.code()) == 401
    assert await show(owing, codes[2]) == 401
    assert await show(owing, await new.code()) == 303
    newest = CODES.findall((await owing.submit(PAGE, f"{PAGE}/codes", code=await new.code())).text)
    assert set(newest).isdisjoint(fresh)
    assert (await owing.submit(PAGE, f"{PAGE}/remove", code=newest[0])).status_code == 303
    free = face.browser()
    assert (await free.log_in(OFFICER, OTHER_PASSWORD, "/alarms")).headers["location"] == "/alarms"


async def test_a_phone_that_was_begun_and_not_confirmed_is_forgotten(face: AccountFace) -> None:
    """Whoever finds the page open later finds no secret that could still be put in force."""
    browser, phone, _ = await officer(face)
    await browser.submit(PAGE, f"{PAGE}/begin", code=await phone.code())
    begun = KEY.search((await browser.get(PAGE)).text)
    assert begun is not None
    new = Phone(begun[1], face)
    await face.site.clock.advance(BEGUN_LASTS_NS / 1e9)
    assert (await browser.submit(PAGE, f"{PAGE}/confirm", code=new.same())).status_code == 409
    assert KEY.search((await browser.get(PAGE)).text) is None
    await browser.submit(PAGE, f"{PAGE}/begin", code=await phone.code())
    again = KEY.search((await browser.get(PAGE)).text)
    assert again is not None
    assert again[1] != begun[1]


async def test_the_upkeep_takes_a_forgotten_secret_out_of_the_file(face: AccountFace, tmp_path: Path) -> None:
    boss = await face.set_up()
    await boss.submit(PAGE, f"{PAGE}/begin")

    def waiting() -> list[str]:
        with sqlite3.connect(f"file:{tmp_path / ACCOUNTS_FILE}?mode=ro", uri=True) as db:
            return [row[0] for row in db.execute("SELECT name FROM second_factor WHERE pending_secret <> ''")]

    assert waiting() == ["wang"]
    await face.site.clock.advance(BEGUN_LASTS_NS / 1e9)
    face.accounts.factors.forget_begun()
    await until(lambda: waiting() == [])


async def test_an_administrator_takes_it_away_and_it_is_sealed(face: AccountFace) -> None:
    boss = await face.set_up()
    await set_up(face, boss)
    browser = await face.browser_of(Role.SAFETY_OFFICER)
    await set_up(face, browser)
    assert "解除两步验证" in (await boss.get("/people")).text
    went = await boss.submit("/people", f"/people/{OFFICER}/second-factor")
    assert went.headers["location"] == "/people?done=factor"
    await browser.get("/me", 303)
    assert (await browser.log_in(OFFICER, OTHER_PASSWORD)).headers["location"] == "/"
    assert "second_factor_reset" in await events(face)
    refused = await browser.post("/people/wang/second-factor", {"csrf": await browser.csrf("/me")})
    assert refused.status_code == 403


async def test_a_code_made_on_the_box_itself_brings_an_administrator_back(face: AccountFace, tmp_path: Path) -> None:
    boss = await face.set_up()
    await set_up(face, boss)
    code = make_recovery_code(tmp_path, face.site.clock.now_ns())
    back = face.browser()
    fields = {"name": "wang", "title": "王工", "password": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    assert (await back.submit("/setup", "/setup", code=code, **fields)).status_code == 303
    assert (await back.get("/people", 303)).headers["location"] == f"{PAGE}?next=/people"
    await set_up(face, back)
    await back.get("/people")


async def test_a_changed_password_asks_for_no_code_of_that_login(face: AccountFace) -> None:
    browser, _, _ = await officer(face)
    fields = {"old": OTHER_PASSWORD, "password": GOOD_PASSWORD, "again": GOOD_PASSWORD}
    assert (await browser.submit("/me", "/me/password", **fields)).status_code == 303
    await browser.get("/alarms")


async def test_the_file_is_its_owners_alone_and_no_record_holds_a_secret(face: AccountFace, tmp_path: Path) -> None:
    browser, _, codes = await officer(face)
    await browser.submit(PAGE, f"{PAGE}/begin", code=codes[0])
    found = KEY.search((await browser.get(PAGE)).text)
    assert found is not None
    await events(face)
    sealed = b"".join(record.body for record in face.site.alerts.all_evidence()).decode()
    assert found[1].replace(" ", "") not in sealed
    assert not [code for code in codes if code in sealed]
    assert stat.S_IMODE((tmp_path / ACCOUNTS_FILE).stat().st_mode) == 0o600
    assert not [code for code in codes if code.replace("-", "").encode() in (tmp_path / ACCOUNTS_FILE).read_bytes()]
