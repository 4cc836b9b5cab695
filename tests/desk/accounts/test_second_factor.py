"""The second factor at the desk: set up, asked for, used once, lost and recovered; what is owed opens nothing else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
import yaml
from sqlalchemy import select

from contract.client import DeskClient as ProgramClient
from contract.client import RefusedError as ProgramRefusedError
from regulator.base.accounts.cleaning import SessionCleaning
from regulator.base.accounts.model import Account, Caller
from regulator.base.accounts.second_factor import show
from regulator.base.accounts.sessions import open_session, whose
from regulator.base.model.actor import Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import entries_about
from regulator.base.records.tables.metadata import METADATA
from regulator.base.records.tables.people import recovery_codes, second_factors
from regulator.base.settings import DeskSettings
from regulator.base.web.session_cookie import SESSION
from screens.guessing import CODES as PACE
from screens.second_factor import BEGUN_LASTS_NS, FREE_TRIES, RECOVERY_CODES, STEP_NS
from sitewarden.__main__ import main
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import PASSWORD, DeskClient, DeskFace

KEY = re.compile(r'class="factor-key">([A-Z2-7 ]+)<')
CODES = re.compile(r"<code>([a-z0-9]{4}(?:-[a-z0-9]{4}){3})</code>")


@pytest.fixture
def face(tmp_path: Path, database: DeskDatabase, clock: DeskClock) -> Iterator[DeskFace]:
    """A desk as it comes: administrators and approvers need a second factor."""
    asked = DeskSettings.model_fields["second_factor_for"].default
    folders = {"blobs": str(tmp_path / "blobs"), "key_file": tmp_path / "desk.key.pem"}
    settings = DeskSettings(database=str(database.url), second_factor_for=asked, **folders)
    with DeskFace(tmp_path, clock, database=database, settings=settings) as face:
        yield face


class Phone:
    """An authenticator app, on the test's clock."""

    def __init__(self, key: str, clock: DeskClock) -> None:
        self._totp, self._clock = pyotp.TOTP(key.replace(" ", "")), clock

    def code(self) -> str:
        """The code of the step that comes next: one that was shown before is not shown again."""
        self._clock.at_ns += STEP_NS
        return self._totp.generate_otp(self._clock() // STEP_NS)

    def same(self) -> str:
        """The code that was shown last."""
        return self._totp.generate_otp(self._clock() // STEP_NS)


def logged_in(face: DeskFace, account: Account) -> tuple[DeskClient, str]:
    """A browser after the right password, and where it was sent."""
    client = face.client()
    went = client.submit("/login", "/login", login=account.login, password=PASSWORD, next="/projects")
    assert went.status_code == 303
    return client, went.headers["location"]


def set_up(face: DeskFace, client: DeskClient) -> tuple[Phone, list[str]]:
    """The whole set-up; the phone and the recovery codes."""
    client.submit("/me/second-factor", "/me/second-factor/begin")
    found = KEY.search(client.get("/me/second-factor").text)
    assert found is not None
    assert isinstance(face.clock, DeskClock)
    phone = Phone(found[1], face.clock)
    page = client.submit("/me/second-factor", "/me/second-factor/confirm", code=phone.code())
    codes = CODES.findall(page.text)
    assert (page.status_code, len(codes)) == (200, RECOVERY_CODES)
    return phone, codes


def told(face: DeskFace, account: Account) -> list[str]:
    with face.database.reading() as db:
        return [str(entry.fields["kind"]) for entry in entries_about(db, account.user_id)]


@pytest.mark.parametrize("duty", list(Duty))
def test_the_policy_asks_administrators_and_approvers_alone(face: DeskFace, duty: Duty) -> None:
    client, _ = logged_in(face, face.person(duty))
    page = client.get("/projects")
    if duty in (Duty.ADMINISTRATOR, Duty.APPROVER):
        assert (page.status_code, page.headers["location"]) == (303, "/me/second-factor?next=/projects")
        program = client.get("/projects", headers={"accept": "application/json"})
        assert (program.status_code, program.json()["error"]["code"]) == (401, "second_factor_needed")
        set_up(face, client)
    assert client.get("/projects").status_code == 200


def test_a_login_that_owes_a_code_opens_nothing_but_its_page_and_the_logout(face: DeskFace) -> None:
    account = face.person(Duty.REVIEWER)
    first, _ = logged_in(face, account)
    phone, _ = set_up(face, first)
    client, where = logged_in(face, account)
    assert where == "/login/code?next=/projects"
    pages = ("/", "/projects", "/me", "/me/second-factor", "/api/session", "/hazards", "/api/wall/events", "/seat")
    for page in pages:
        answer = client.get(page, headers={"accept": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "code_needed"), page
    csrf = client.csrf("/login/code")
    for form in ("/me/password", "/me/second-factor/begin", "/me/second-factor/remove", "/seat", "/me/sessions/end"):
        answer = client.post(form, data={"csrf": csrf}, headers={"accept": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "code_needed"), form
    went = client.submit("/login/code", "/login/code", code=phone.code(), next="/projects")
    assert (went.status_code, went.headers["location"]) == (303, "/projects")
    assert client.get("/projects").status_code == 200
    owing, _ = logged_in(face, account)
    assert owing.submit("/login/code", "/logout").status_code == 303
    assert owing.get("/login/code").headers["location"].startswith("/login?")
    assert {"second_factor_set", "recovery_codes_made", "code_shown"} <= set(told(face, account))


def test_a_code_is_taken_once(face: DeskFace, clock: DeskClock) -> None:
    account = face.person(Duty.REVIEWER)
    first, _ = logged_in(face, account)
    phone, _ = set_up(face, first)
    one, _ = logged_in(face, account)
    code = phone.code()
    assert one.submit("/login/code", "/login/code", code=code).status_code == 303
    other, _ = logged_in(face, account)
    answer = other.submit("/login/code", "/login/code", code=code)
    assert (answer.status_code, "验证码不正确或已使用过" in answer.text) == (401, True)
    clock.at_ns += STEP_NS
    assert other.submit("/login/code", "/login/code", code=phone.same()).status_code == 303


def test_a_recovery_code_lets_in_once(face: DeskFace) -> None:
    account = face.person(Duty.REVIEWER)
    first, _ = logged_in(face, account)
    _, codes = set_up(face, first)
    client, _ = logged_in(face, account)
    assert client.submit("/login/code", "/login/code", code=f" {codes[0].upper()} ").status_code == 303
    assert f"剩余恢复码 {RECOVERY_CODES - 1} 个" in client.get("/me").text
    again, _ = logged_in(face, account)
    assert again.submit("/login/code", "/login/code", code=codes[0]).status_code == 401
    assert again.submit("/login/code", "/login/code", code=codes[1]).status_code == 303


def test_wrong_codes_from_one_address_keep_nobody_out_at_another(face: DeskFace, clock: DeskClock) -> None:
    account = face.person(Duty.REVIEWER)
    first, _ = logged_in(face, account)
    phone, _ = set_up(face, first)
    client, _ = logged_in(face, account)
    tries = [client.submit("/login/code", "/login/code", code="000000").status_code for _ in range(FREE_TRIES + 1)]
    assert tries == [401] * FREE_TRIES + [429]
    assert client.submit("/login/code", "/login/code", code=phone.code()).status_code == 429
    with face.database.transaction() as db:  # the same tries, made from elsewhere
        db.execute(METADATA.tables["code_tries"].update().values(address="203.0.113.9"))
    assert client.submit("/login/code", "/login/code", code=phone.code()).status_code == 303
    with face.database.transaction() as db:
        db.execute(METADATA.tables["code_tries"].update().values(address="127.0.0.1"))
    later, _ = logged_in(face, account)
    assert later.submit("/login/code", "/login/code", code=phone.code()).status_code == 429
    clock.move(seconds=901)
    assert later.submit("/login/code", "/login/code", code=phone.code()).status_code == 303


def test_an_open_login_cannot_guess_the_factor_away(face: DeskFace, clock: DeskClock) -> None:
    """Whoever sits down at a login that was left open has as few tries as at the login itself."""
    account = face.person(Duty.REVIEWER)
    client, _ = logged_in(face, account)
    phone, _ = set_up(face, client)
    page = "/me/second-factor"
    forms = ["begin", "codes", "remove", "begin", "codes", "remove"]
    tries = [client.submit(page, f"{page}/{form}", code="000000").status_code for form in forms]
    assert tries == [401] * FREE_TRIES + [429]
    assert client.submit(page, f"{page}/remove", code=phone.code()).status_code == 429
    assert told(face, account).count("code_failed") == FREE_TRIES
    clock.move(seconds=901)
    assert client.submit(page, f"{page}/remove", code=phone.code()).status_code == 303


def test_the_addresses_of_one_line_have_their_tries_together(face: DeskFace, clock: DeskClock) -> None:
    """IPv6 gives a line 2^64 addresses."""
    account = face.person(Duty.REVIEWER)
    client, _ = logged_in(face, account)
    phone, _ = set_up(face, client)
    with face.database.transaction() as db:
        token = open_session(db, face.desk.ledger, account, Caller("2001:db8::1", ""), clock())
    with face.database.reading() as db:
        presence = whose(db, token, clock())
    assert presence is not None
    answers = []
    for last in range(1, FREE_TRIES + 2):
        with pytest.raises(RefusedError) as refused:
            show(face.database, face.desk.ledger, presence, "000000", Caller(f"2001:db8::{last}", ""), clock())
        answers.append(refused.value.status)
    assert answers == [401] * FREE_TRIES + [429]
    show(face.database, face.desk.ledger, presence, phone.code(), Caller("2001:db8:0:1::1", ""), clock())


def test_a_crowd_of_addresses_has_few_tries_and_keeps_nobody_out_where_they_worked_before(
    face: DeskFace, clock: DeskClock
) -> None:
    """Whoever knows the password and comes from another network at each try."""
    account = face.person(Duty.REVIEWER)
    client, _ = logged_in(face, account)
    phone, _ = set_up(face, client)
    with face.database.transaction() as db:
        token = open_session(db, face.desk.ledger, account, Caller("10.0.0.1", ""), clock())
    with face.database.reading() as db:
        presence = whose(db, token, clock())
    assert presence is not None

    def shown(address: str, code: str) -> int:
        try:
            show(face.database, face.desk.ledger, presence, code, Caller(address, ""), clock())
        except RefusedError as refused:
            return refused.status
        return 200

    statuses = []
    for number in range(60):
        clock.move(seconds=5)
        statuses.append(shown(f"10.0.0.{number}", "000000"))
    assert statuses.count(401) <= PACE.burst + 300 // PACE.every_s + 1
    assert shown("127.0.0.1", phone.code()) == 200
    waited_s = 0
    while shown("10.9.9.9", phone.code()) == 429:
        waited_s += STEP_NS // 10**9
    assert 0 < waited_s <= 2 * PACE.horizon_s


def test_setting_up_needs_the_code_of_the_secret_and_ends_other_logins(face: DeskFace) -> None:
    account = face.person(Duty.REVIEWER)
    other, _ = logged_in(face, account)
    client, _ = logged_in(face, account)
    assert client.submit("/me/second-factor", "/me/second-factor/confirm", code="123456").status_code == 409
    client.submit("/me/second-factor", "/me/second-factor/begin")
    assert client.submit("/me/second-factor", "/me/second-factor/confirm", code="123456").status_code == 401
    assert client.get("/projects").status_code == 200, "it is not in force yet"
    set_up(face, client)
    assert client.get("/projects").status_code == 200
    assert other.get("/projects").status_code == 303


def test_a_new_phone_and_new_codes_need_a_code_of_the_old_one(face: DeskFace) -> None:
    account = face.person(Duty.REVIEWER)
    client, _ = logged_in(face, account)
    phone, codes = set_up(face, client)
    page = "/me/second-factor"
    for form in ("begin", "codes", "remove"):
        assert client.submit(page, f"{page}/{form}", code="123456").status_code == 401, form
    assert client.submit(page, f"{page}/begin", code=phone.code()).status_code == 303
    found = KEY.search(client.get(page).text)
    assert found is not None
    assert isinstance(face.clock, DeskClock)
    new = Phone(found[1], face.clock)
    fresh = CODES.findall(client.submit(page, f"{page}/confirm", code=new.code()).text)
    assert set(fresh).isdisjoint(codes)
    owing, _ = logged_in(face, account)
    for old in (phone.code(), codes[3]):
        assert owing.submit("/login/code", "/login/code", code=old).status_code == 401
    assert owing.submit("/login/code", "/login/code", code=new.code()).status_code == 303
    newest = CODES.findall(owing.submit(page, f"{page}/codes", code=new.code()).text)
    assert set(newest).isdisjoint(fresh)
    assert owing.submit(page, f"{page}/remove", code=newest[0]).status_code == 303
    assert logged_in(face, account)[1] == "/projects"


def test_a_phone_that_was_begun_and_not_confirmed_is_forgotten(face: DeskFace, clock: DeskClock) -> None:
    """Whoever finds the page open later, or the table, finds no secret that could still be put in force."""
    client, _ = logged_in(face, face.person(Duty.REVIEWER))
    phone, _ = set_up(face, client)
    page = "/me/second-factor"
    client.submit(page, f"{page}/begin", code=phone.code())
    begun = KEY.search(client.get(page).text)
    assert begun is not None
    new = Phone(begun[1], clock)
    clock.move(seconds=BEGUN_LASTS_NS / 1e9)
    assert client.submit(page, f"{page}/confirm", code=new.same()).status_code == 409
    assert KEY.search(client.get(page).text) is None
    SessionCleaning(face.database).run(clock())
    with face.database.reading() as db:
        assert list(db.scalars(select(second_factors.c.pending_secret))) == [""]
    client.submit(page, f"{page}/begin", code=phone.code())
    assert KEY.search(client.get(page).text) is not None


def test_an_administrator_takes_it_away_and_it_stands_in_the_ledger(face: DeskFace) -> None:
    account, keeper = face.person(Duty.REVIEWER), face.person(Duty.ADMINISTRATOR)
    client, _ = logged_in(face, account)
    set_up(face, client)
    boss, _ = logged_in(face, keeper)
    set_up(face, boss)
    assert "解除两步验证" in boss.get("/people").text
    assert boss.submit("/people", f"/people/{account.user_id}/second-factor").status_code == 303
    assert client.get("/projects").status_code == 303
    assert logged_in(face, account)[1] == "/projects"
    assert "second_factor_reset" in told(face, account)
    reviewer = face.client(Duty.INSPECTOR)
    csrf = reviewer.csrf("/me")
    assert reviewer.post(f"/people/{keeper.user_id}/second-factor", data={"csrf": csrf}).status_code == 403


def test_the_console_takes_it_away(
    face: DeskFace, tmp_path: Path, database: DeskDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    account = face.person(Duty.ADMINISTRATOR)
    client, _ = logged_in(face, account)
    set_up(face, client)
    file = tmp_path / "desk.yaml"
    url = database.url.render_as_string(hide_password=False)
    file.write_text(yaml.safe_dump({"database": url, "blobs": "blobs", "key_file": "desk.key.pem"}), "utf-8")
    command = ["desk", str(file), "reset-second-factor"]
    assert main([*command, account.login, "--reason", "手机丢失"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"login": account.login, "second_factor": False}
    assert main([*command, "nobody", "--reason", "x"]) == 1
    assert client.get("/projects").status_code == 303
    assert "second_factor_reset" in told(face, account)


def test_a_program_shows_password_and_code_together(face: DeskFace) -> None:
    account = face.person(Duty.REVIEWER)
    client, _ = logged_in(face, account)
    phone, _ = set_up(face, client)
    with ProgramClient(face.url) as program:
        for code, refused in (("", "code_needed"), ("000000", "wrong_code")):
            with pytest.raises(ProgramRefusedError, match=refused):
                program.log_in(account.login, PASSWORD, code)
            with pytest.raises(ProgramRefusedError, match="login_needed"):
                program.session()
        assert program.log_in(account.login, PASSWORD, phone.code()).login == account.login
        assert program.session().login == account.login
    with ProgramClient(face.url) as program, pytest.raises(ProgramRefusedError, match="second_factor_needed"):
        program.log_in(face.person(Duty.APPROVER).login, PASSWORD)


def test_a_changed_password_asks_for_no_code_of_that_login(face: DeskFace) -> None:
    account = face.person(Duty.REVIEWER)
    client, _ = logged_in(face, account)
    set_up(face, client)
    new = "another-gantry-8"
    assert client.submit("/me", "/me/password", old=PASSWORD, password=new, again=new).status_code == 303
    assert client.get("/projects").status_code == 200


def test_of_whoever_signs_on_elsewhere_the_provider_asks(face: DeskFace) -> None:
    account, caller = face.person(Duty.ADMINISTRATOR), Caller("127.0.0.1", "test")
    for how, status in (("oidc", 200), ("password", 303)):
        with face.database.transaction() as db:
            token = open_session(db, face.desk.ledger, account, caller, face.clock(), how)
        client = face.client()
        client.cookies.set(SESSION, token)
        assert client.get("/projects").status_code == status, how


def test_no_deed_and_no_table_beside_its_own_holds_a_secret(face: DeskFace) -> None:
    account = face.person(Duty.REVIEWER)
    client, _ = logged_in(face, account)
    _, codes = set_up(face, client)
    with face.database.reading() as db:
        secret = str(db.scalar(select(second_factors.c.secret)))
        kept = {str(digest) for digest in db.scalars(select(recovery_codes.c.code_sha256))}
        assert len(kept) == RECOVERY_CODES
        for table in METADATA.sorted_tables:
            rows: list[Any] = list(db.execute(select(table)).all())
            if table.name != "second_factors":
                assert secret not in str(rows), table.name
            assert not any(code in str(rows) or code.replace("-", "") in str(rows) for code in codes), table.name
