"""Accounts as those who keep them meet them: made, given duties by two, disabled; nobody is deleted."""

import pytest
from sqlalchemy import func, insert, select

from regulator.base.accounts.model import Account, NewAccount
from regulator.base.accounts.setup import create_first_administrator
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import entries_of, verify_ledger
from regulator.base.records.tables.people import accounts, grants
from regulator.base.records.tables.registry import projects, regions
from tests.fakes.desk_face import PASSWORD, PROVINCE, QUICK, DeskClient, DeskFace

GUANGZHOU, SHENZHEN = Scope(Level.CITY, "440100"), Scope(Level.CITY, "440300")
TIANHE = Scope(Level.COUNTY, "440106")
KEEPER = Duty.ADMINISTRATOR


@pytest.fixture(autouse=True)
def register(face: DeskFace) -> None:
    with face.database.transaction() as db:
        for code, level, parent in (("440100", "city", "44"), ("440106", "county", "440100"), ("440300", "city", "44")):
            db.execute(insert(regions).values(code=code, name=code, level=level, parent=parent))
        db.execute(insert(projects).values(project_code="GZ-1", name="GZ-1", city_code="440100", county_code="440106"))


def second_keeper(face: DeskFace) -> DeskClient:
    """Another administrator of the whole desk."""
    return face.client_of(face.add("second", "第二人", [(PROVINCE, [KEEPER])]))


def kinds(face: DeskFace, account: Account) -> list[str]:
    """What is in the account's chain; it is whole."""
    key = face.desk.key.public
    with face.database.reading() as db:
        chain = f"account:{account.user_id}"
        verify_ledger(db, chain, {key.key_id: key})
        return [str(entry.fields["kind"]) for entry in entries_of(db, chain)]


def grants_of(face: DeskFace, user_id: str) -> list[tuple[str, bool]]:
    with face.database.reading() as db:
        found = select(grants).where(grants.c.user_id == user_id).order_by(grants.c.proposed_at_ns, grants.c.grant_id)
        return [(row.grant_id, bool(row.approved_at_ns and not row.revoked_at_ns)) for row in db.execute(found)]


def by_login(face: DeskFace, login: str) -> Account:
    with face.database.reading() as db:
        user_id = db.scalar(select(accounts.c.user_id).where(accounts.c.login == login))
    assert user_id is not None, login
    return Account(user_id, login, "", GUANGZHOU, must_change=False, made_at_ns=0)


def test_the_first_two_administrators_are_made_at_the_console_and_no_third(face: DeskFace) -> None:
    def first(login: str) -> Account:
        new = NewAccount(login, "管理员", PASSWORD)
        return create_first_administrator(face.database, face.desk.ledger, QUICK, new, "44", face.clock())

    one, _two = first("wang"), first("li")
    with pytest.raises(RefusedError, match="set_up_already"):
        first("zhao")
    client = face.client()
    assert client.submit("/login", "/login", login="wang", password=PASSWORD).headers["location"] == "/me"
    assert client.get("/people").headers["location"] == "/me"
    answer = client.submit("/me", "/me/password", old=PASSWORD, password="another-hook-8", again="another-hook-8")
    assert answer.status_code == 303
    assert client.get("/people").status_code == 200
    assert kinds(face, one) == ["account_made", "grant_given", "logged_in", "password_changed", "logged_in"]


def test_a_newcomer_gets_a_duty_at_once_and_must_choose_a_password(face: DeskFace) -> None:
    keeper = face.client(KEEPER)
    assert keeper.submit("/people", "/people", login="chen", name="陈工", password=PASSWORD).status_code == 303
    chen = by_login(face, "chen")
    at = f"/people/{chen.user_id}/grants"
    assert keeper.submit("/people", at, level="city", code="440100", duty=["reviewer", "viewer"]).status_code == 303
    client = face.client()
    client.submit("/login", "/login", login="chen", password=PASSWORD)
    for page in ("/", "/audit", "/documents"):
        assert client.get(page).headers["location"] == "/me"
    refused = client.submit("/me", "/me/password", old=PASSWORD, password=PASSWORD, again=PASSWORD)
    assert (refused.status_code, "不能与原密码相同" in refused.text) == (422, True)


def test_an_approver_needs_somebody_else_to_agree(face: DeskFace) -> None:
    keeper, other = face.client(KEEPER), second_keeper(face)
    person = face.add("chen", "陈工")
    at = f"/people/{person.user_id}/grants"
    assert keeper.submit("/people", at, level="city", code="440100", duty="approver").status_code == 303
    ((grant_id, in_force),) = grants_of(face, person.user_id)
    assert not in_force
    own = keeper.submit("/people", f"/grants/{grant_id}/approve")
    assert (own.status_code, "以外的人批准" in own.text) == (403, True)
    assert other.submit("/people", f"/grants/{grant_id}/approve").status_code == 303
    assert grants_of(face, person.user_id) == [(grant_id, True)]
    assert other.submit("/people", f"/grants/{grant_id}/approve").status_code == 409
    assert other.submit("/people", f"/grants/{grant_id}/revoke", reason="离岗").status_code == 303
    assert grants_of(face, person.user_id) == [(grant_id, False)]
    assert kinds(face, person)[-3:] == ["grant_proposed", "grant_approved", "grant_revoked"]


def test_nobody_approves_what_they_would_receive(face: DeskFace) -> None:
    receiver = face.person(KEEPER, GUANGZHOU)
    proposer = face.client(KEEPER)
    at = f"/people/{receiver.user_id}/grants"
    proposer.submit("/people", at, level="city", code="440100", duty="approver")
    waiting = next(grant_id for grant_id, in_force in grants_of(face, receiver.user_id) if not in_force)
    assert face.client(KEEPER, GUANGZHOU).submit("/people", f"/grants/{waiting}/approve").status_code == 403


def test_a_rejection_needs_a_reason_and_is_final(face: DeskFace) -> None:
    keeper, other = face.client(KEEPER), second_keeper(face)
    person = face.add("chen", "陈工")
    keeper.submit("/people", f"/people/{person.user_id}/grants", level="province", duty="administrator")
    ((grant_id, _),) = grants_of(face, person.user_id)
    assert other.submit("/people", f"/grants/{grant_id}/reject", reason=" ").status_code == 422
    assert other.submit("/people", f"/grants/{grant_id}/reject", reason="未任命").status_code == 303
    assert other.submit("/people", f"/grants/{grant_id}/approve").status_code == 409


@pytest.mark.parametrize(
    ("level", "code", "duty", "status"),
    [
        ("county", "440106", "reviewer", 303),
        ("project", "GZ-1", "responder", 303),
        ("city", "440300", "reviewer", 403),
        ("province", "", "reviewer", 403),
        ("city", "999999", "reviewer", 422),
        ("galaxy", "1", "reviewer", 422),
        ("city", "440100", "emperor", 422),
        ("city", "440100", "", 422),
    ],
)
def test_a_city_grants_only_what_lies_in_it(face: DeskFace, level: str, code: str, duty: str, status: int) -> None:
    keeper = face.client(KEEPER, GUANGZHOU)
    keeper.submit("/people", "/people", login="chen", name="陈工", password=PASSWORD)
    at = f"/people/{by_login(face, 'chen').user_id}/grants"
    assert keeper.submit("/people", at, level=level, code=code, duty=duty).status_code == status


def test_a_city_keeps_nobody_elses_people(face: DeskFace) -> None:
    face.client(KEEPER, SHENZHEN).submit("/people", "/people", login="chen", name="陈工", password=PASSWORD)
    chen = by_login(face, "chen")
    keeper = face.client(KEEPER, GUANGZHOU)
    assert "chen" not in keeper.get("/people").text
    for deed in ("disable", "password", "grants"):
        fields = {"password": PASSWORD, "level": "city", "code": "440100", "duty": "viewer"}
        assert keeper.submit("/people", f"/people/{chen.user_id}/{deed}", **fields).status_code == 404


def test_an_administrator_judges_nothing(face: DeskFace) -> None:
    person = face.add("chen", "陈工")
    at = f"/people/{person.user_id}/grants"
    answer = face.client(KEEPER).submit("/people", at, level="province", duty=["administrator", "reviewer"])
    assert (answer.status_code, grants_of(face, person.user_id)) == (422, [])


def test_who_is_disabled_is_out_at_once_and_never_deleted(face: DeskFace) -> None:
    person = face.person(Duty.REVIEWER)
    working = face.client(Duty.REVIEWER)
    assert working.get("/").status_code == 200
    keeper = face.client(KEEPER)
    assert keeper.submit("/people", f"/people/{person.user_id}/disable").status_code == 303
    assert working.get("/").status_code == 303
    failed = face.client().submit("/login", "/login", login=person.login, password=PASSWORD)
    assert failed.status_code == 401
    own = face.person(KEEPER)
    assert keeper.submit("/people", f"/people/{own.user_id}/disable").status_code == 409
    with face.database.reading() as db:
        assert db.scalar(select(func.count()).select_from(accounts).where(accounts.c.user_id == person.user_id)) == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"login": "a b", "name": "陈工", "password": PASSWORD}, "登录名应为"),
        ({"login": "<script>", "name": "陈工", "password": PASSWORD}, "登录名应为"),
        ({"login": "chen", "name": " ", "password": PASSWORD}, "姓名应为"),
        ({"login": "chen", "name": "陈工", "password": "short"}, "至少 10 个字符"),
        ({"login": "chen", "name": "陈工", "password": "admin123456"}, "过于常见"),
    ],
)
def test_bad_input_says_what_was_expected(face: DeskFace, fields: dict[str, str], said: str) -> None:
    answer = face.client(KEEPER).submit("/people", "/people", **fields)
    assert (answer.status_code, said in answer.text) == (422, True)


def test_html_and_sql_in_a_name_stay_text(face: DeskFace) -> None:
    name = "<b>'; DROP TABLE x;--"
    keeper = face.client(KEEPER)
    keeper.submit("/people", "/people", login="chen", name=name, password=PASSWORD)
    page = keeper.get("/people").text
    assert "&lt;b&gt;&#39;; DROP TABLE x;--" in page
    assert "<b>'" not in page


@pytest.mark.parametrize("duty", [duty for duty in Duty if duty is not Duty.ADMINISTRATOR])
def test_only_administrators_keep_people(face: DeskFace, duty: Duty) -> None:
    client = face.client(duty)
    assert client.get("/people").status_code == 403
    assert client.submit("/", "/people", login="chen", name="陈工", password=PASSWORD).status_code == 403
