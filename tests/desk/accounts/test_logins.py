"""Logins: lock-out with back-off, ends, seats, standing in during leave, the audit page. Time is the test's."""

import csv
import io
import re

import pytest

from regulator.accounts.granting import approve_grant, propose_grant
from regulator.accounts.model import Account
from regulator.accounts.rows import account_by_id
from regulator.accounts.seats import seats_of
from regulator.model.actor import Duty, Level, Scope
from regulator.model.refusals import RefusedError
from regulator.records.ledger import Deed
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import PASSWORD, DeskFace

GUANGZHOU, SHENZHEN = Scope(Level.CITY, "440100"), Scope(Level.CITY, "440300")


def try_login(face: DeskFace, login: str, password: str = "not the password") -> int:
    return face.client().submit("/login", "/login", login=login, password=password).status_code


def test_after_some_failures_each_try_must_wait_longer(face: DeskFace, clock: DeskClock) -> None:
    login = face.person(Duty.VIEWER).login
    assert [try_login(face, login) for _ in range(6)] == [401] * 6
    assert try_login(face, login, PASSWORD) == 429
    clock.move(seconds=2)
    assert try_login(face, login) == 401
    clock.move(seconds=2)
    assert try_login(face, login, PASSWORD) == 429
    clock.move(seconds=2)
    assert try_login(face, login, PASSWORD) == 303
    assert try_login(face, login) == 401


def test_guesses_at_many_names_from_one_address_wait_too(face: DeskFace) -> None:
    client = face.client()
    csrf = client.csrf("/login")
    seen = [
        client.post("/login", data={"csrf": csrf, "login": f"nobody{number}", "password": "x"}).status_code
        for number in range(42)
    ]
    assert set(seen[:40]) == {401}
    assert seen[-1] == 429


def test_a_login_ends_after_two_idle_hours_and_after_twelve(face: DeskFace, clock: DeskClock) -> None:
    idle = face.client(Duty.VIEWER)
    clock.move(hours=1.9)
    assert idle.get("/").status_code == 200
    clock.move(hours=1.9)
    assert idle.get("/").status_code == 200
    clock.move(hours=2)
    assert idle.get("/").status_code == 303
    busy = face.client(Duty.VIEWER)
    for _ in range(11):
        clock.move(hours=1)
        assert busy.get("/").status_code == 200
    clock.move(hours=1)
    assert busy.get("/").status_code == 303


def test_a_new_password_ends_all_other_logins(face: DeskFace) -> None:
    here, there = face.client(Duty.VIEWER), face.client(Duty.VIEWER)
    wrong = here.submit("/me", "/me/password", old="no", password="another-hook-8", again="another-hook-8")
    assert wrong.status_code == 401
    fields = {"old": PASSWORD, "password": "another-hook-8", "again": "another-hook-8"}
    assert here.submit("/me", "/me/password", **fields).status_code == 303
    assert (here.get("/").status_code, there.get("/").status_code) == (200, 303)


def test_somebody_with_two_roles_acts_in_one_at_a_time(face: DeskFace) -> None:
    person = face.add("two", "两岗", [(GUANGZHOU, [Duty.REVIEWER]), (SHENZHEN, [Duty.AUDITOR])])
    client = face.client_of(person)
    assert client.get("/audit").status_code == 403
    seats = re.findall(r'<option value="(g-[^"]+)"', client.get("/").text)
    assert client.submit("/", "/seat", seat=seats[1], back="/").status_code == 303
    assert client.get("/audit").status_code == 200
    assert client.submit("/", "/seat", seat="g-of-somebody-else", back="/").status_code == 404


def leave(face: DeskFace, giver: Account, receiver: Account, first: str, last: str, reason: str = "休假") -> int:
    client = face.client_of(giver)
    found = re.search(r'<option value="(g-[^"]+)"', client.get("/me").text)
    assert found is not None
    fields = {"grant_id": found[1], "to": receiver.login, "from": first, "until": last, "reason": reason}
    return client.submit("/me", "/me/delegations", **fields).status_code


def test_a_delegation_begins_and_ends_by_itself_at_midnight_in_beijing(face: DeskFace, clock: DeskClock) -> None:
    giver, receiver = face.person(Duty.APPROVER, GUANGZHOU), face.add("chen", "陈工")
    assert leave(face, giver, receiver, "2026-03-02", "2026-03-03") == 303

    def seats() -> list[tuple[str, str]]:
        with face.database.reading() as db:
            account = account_by_id(db, receiver.user_id)
            assert account is not None
            return [(seat.actor.user_id, seat.actor.on_behalf_of) for seat in seats_of(db, account, clock())]

    assert seats() == []
    clock.move(hours=16)  # from 08:00 to the midnight that begins 2026-03-02
    assert seats() == [(receiver.user_id, giver.user_id)]
    clock.move(hours=48, seconds=-1)
    assert len(seats()) == 1
    clock.move(seconds=1)
    assert seats() == []


def test_who_stands_in_is_no_second_person(face: DeskFace, clock: DeskClock) -> None:
    giver, receiver = face.person(Duty.APPROVER, GUANGZHOU), face.person(Duty.REVIEWER, GUANGZHOU)
    assert leave(face, giver, receiver, "2026-03-01", "2026-03-03") == 303
    newcomer, itself = face.add("chen", "陈工"), face.actor(Duty.APPROVER, GUANGZHOU)
    with face.database.transaction() as db:
        standing_in = seats_of(db, receiver, clock())[1].actor
        held = (newcomer.user_id, GUANGZHOU, [Duty.APPROVER])
        grant = propose_grant(db, face.desk.ledger, *held, standing_in, clock())
        assert grant.proposed_by == {giver.user_id, receiver.user_id} == standing_in.persons
        with pytest.raises(RefusedError, match="same_person"):
            approve_grant(db, face.desk.ledger, grant.grant_id, itself, clock())


@pytest.mark.parametrize(
    ("first", "last", "reason", "status"),
    [
        ("2026-03-03", "2026-03-02", "休假", 422),
        ("2026-02-01", "2026-02-02", "休假", 422),
        ("2026-03-01", "2026-12-31", "休假", 422),
        ("2026-03-01", "2026-03-02", " ", 422),
        ("tomorrow", "2026-03-02", "休假", 422),
    ],
)
def test_a_leave_without_sense_is_refused(face: DeskFace, first: str, last: str, reason: str, status: int) -> None:
    giver, receiver = face.person(Duty.REVIEWER, GUANGZHOU), face.add("chen", "陈工")
    assert leave(face, giver, receiver, first, last, reason) == status


def test_nobody_delegates_to_themselves_or_takes_back_anothers(face: DeskFace) -> None:
    giver, receiver = face.person(Duty.REVIEWER, GUANGZHOU), face.person(Duty.REVIEWER, SHENZHEN)
    assert leave(face, giver, giver, "2026-03-01", "2026-03-02") == 422
    assert leave(face, giver, receiver, "2026-03-01", "2026-03-02") == 303
    page = face.client_of(giver).get("/me").text
    found = re.search(r'name="delegation_id" value="([^"]+)"', page)
    assert found is not None
    other = face.client_of(receiver)
    assert other.submit("/me", "/me/delegations/end", delegation_id=found[1]).status_code == 404
    assert face.client_of(giver).submit("/me", "/me/delegations/end", delegation_id=found[1]).status_code == 303
    assert "收回" in face.client_of(giver).get("/me").text


def test_the_audit_page_shows_its_scope_filters_pages_and_exports(face: DeskFace, clock: DeskClock) -> None:
    auditor = face.client(Duty.AUDITOR)
    actor = face.actor(Duty.REVIEWER)
    with face.database.transaction() as db:
        for number in range(105):
            deed = Deed("anchored", f"thing-{number:03d}", {"note": "=1+1"}, chain="set:44")
            face.desk.ledger.append(db, deed, actor, clock.move(seconds=1))
    first = auditor.get("/audit?kind=anchored").text
    assert "thing-104" in first
    assert "thing-004" not in first
    older = re.search(r'href="(/audit\?[^"]*after=[^"]*)"', first)
    assert older is not None
    rest = auditor.get(older[1].replace("&amp;", "&")).text
    assert [f"thing-{number:03d}" in rest for number in (4, 0, 5)] == [True, True, False]
    rows = list(csv.DictReader(io.StringIO(auditor.get("/audit?kind=anchored&format=csv").content.decode("utf-8-sig"))))
    assert len(rows) == 105
    assert rows[0]["对象"] == "thing-104"
    assert "没有符合条件的记录" in auditor.get("/audit?from=2026-03-02").text
    assert auditor.get("/audit?from=yesterday").status_code == 422
    assert auditor.get("/audit?after=x").status_code == 422
    assert "thing-104" not in face.client(Duty.AUDITOR, GUANGZHOU).get("/audit?kind=anchored").text
    assert face.client(Duty.REVIEWER).get("/audit").status_code == 403
