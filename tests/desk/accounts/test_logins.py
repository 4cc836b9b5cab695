"""Logins: lock-out with back-off, ends, seats, standing in during leave, the audit page. Time is the test's."""

import csv
import io
import re
import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Literal

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, insert, select

from regulator.base.accounts.granting import approve_grant, propose_grant
from regulator.base.accounts.model import Account, Caller
from regulator.base.accounts.passwords import Passwords
from regulator.base.accounts.rows import account_by_id
from regulator.base.accounts.seats import seats_of
from regulator.base.accounts.tries import begin_try, forget_old, remember_workplace, succeeded
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Deed
from regulator.base.records.tables.people import accounts, login_tries, login_workplaces
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import HASH, PASSWORD, DeskFace

GUANGZHOU, SHENZHEN = Scope(Level.CITY, "440100"), Scope(Level.CITY, "440300")


def try_login(face: DeskFace, login: str, password: str = "not the password", address: str = "127.0.0.1") -> int:
    """As a proxy on the desk's own machine passes it on."""
    client = face.client()
    fields = {"csrf": client.csrf("/login"), "login": login, "password": password}
    return client.post("/login", data=fields, headers={"x-forwarded-for": address}).status_code


def test_after_some_failures_each_try_must_wait_longer(face: DeskFace, clock: DeskClock) -> None:
    login = face.person(Duty.VIEWER).login
    assert [try_login(face, login) for _ in range(3)] == [401] * 3
    assert try_login(face, login, PASSWORD) == 429
    clock.move(seconds=2)
    assert try_login(face, login) == 401
    clock.move(seconds=2)
    assert try_login(face, login, PASSWORD) == 429
    clock.move(seconds=2)
    assert try_login(face, login, PASSWORD) == 303
    assert [try_login(face, login) for _ in range(5)] == [401] * 5, "it is the person's own workplace now"
    assert try_login(face, login, PASSWORD) == 429


def test_guesses_from_elsewhere_keep_nobody_from_their_own_workplace_or_a_new_one(face: DeskFace) -> None:
    login = face.person(Duty.VIEWER).login
    assert try_login(face, login, PASSWORD, "10.0.0.5") == 303
    for n in range(6):
        for _ in range(4):
            try_login(face, login, address=f"198.51.100.{n}")
        assert try_login(face, login, PASSWORD, f"198.51.100.{n}") == 429
    assert try_login(face, login, PASSWORD, "10.0.0.5") == 303
    assert try_login(face, login, PASSWORD, "203.0.113.9") == 303


def test_200_addresses_that_guess_for_an_hour_have_few_guesses_and_keep_nobody_out(
    database: DeskDatabase, clock: DeskClock
) -> None:
    """At the database, where each guess that may be looked at is one row's change."""
    own = Caller("10.0.0.5")
    with database.transaction() as db:
        db.execute(insert(accounts).values(user_id="u-1", login="li", name="李", home_level="province"))
        remember_workplace(db, "u-1", own, clock())
    guesses, due_ns = 0, [0] * 200
    for step in range(360):
        with database.transaction() as db:
            for n in range(200):
                if due_ns[n] <= clock():
                    wait_s = _guess(db, Caller(f"198.51.100.{n}"), clock())
                    guesses += wait_s == 0
                    due_ns[n] = clock() + wait_s * 1_000_000_000
            if step % 30 == 0:
                for rightful in (own, Caller(f"2001:db8:{step}::7")):
                    succeeded(db, begin_try(db, "li", rightful, clock()), clock())
        clock.move(seconds=10)
    assert 1500 < guesses <= 14 * 200


def _guess(db: Connection, caller: Caller, now_ns: int) -> int:
    """Seconds that a guesser is told to wait; 0: the guess is looked at."""
    try:
        begin_try(db, "li", caller, now_ns)
    except RefusedError as refused:
        return int(refused.message_en.split()[-2])
    return 0


def test_a_browser_that_has_logged_in_is_not_slowed_by_a_guesser_at_its_own_address(
    face: DeskFace, clock: DeskClock
) -> None:
    login, browser = face.person(Duty.VIEWER).login, face.client()
    fields = {"login": login, "password": PASSWORD}
    assert browser.submit("/login", "/login", **fields).status_code == 303
    browser.submit("/", "/logout")
    for _ in range(12):
        try_login(face, login)
    assert try_login(face, login, PASSWORD) == 429
    assert browser.submit("/login", "/login", **fields).status_code == 303


def test_tries_and_workplaces_are_forgotten_in_time_and_bounded(face: DeskFace, clock: DeskClock) -> None:
    person = face.person(Duty.VIEWER)
    try_login(face, person.login)
    for n in range(20):
        with face.database.transaction() as db:
            remember_workplace(db, person.user_id, Caller(f"10.0.0.{n}"), clock.move(seconds=1))

    def kept() -> tuple[list[str], int]:
        with face.database.transaction() as db:
            forget_old(db, clock())
            workplaces = db.scalars(select(login_workplaces.c.workplace).order_by(login_workplaces.c.last_ns)).all()
            return list(workplaces), len(db.execute(select(login_tries)).all())

    assert kept() == ([f"address:10.0.0.{n}" for n in range(4, 20)], 3)
    clock.move(hours=1.1)
    assert kept() == ([f"address:10.0.0.{n}" for n in range(4, 20)], 0)
    clock.move(days=90)
    assert kept() == ([], 0)


def test_a_crowd_of_strangers_leaves_a_place_to_hash_for_people_at_their_workplace() -> None:
    """Eight strangers wait, a ninth is told so at once; somebody at their own workplace is looked at."""
    go_on = threading.Event()

    class Slow(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            if password == "slow":
                assert go_on.wait(20)
            return super().verify(hash, password)

    passwords = Passwords(Slow(time_cost=1, memory_cost=8, parallelism=1))
    assert not passwords.fits("", "the hash of nobody is made")
    with ThreadPoolExecutor(9) as threads:
        crowd = [threads.submit(passwords.fits, "", "slow", stranger=True) for _ in range(9)]
        (refused,), waiting = wait(crowd, 20, FIRST_COMPLETED)
        fits = passwords.fits(HASH, PASSWORD)
        go_on.set()
    assert fits
    assert str(refused.exception()).startswith("busy")
    assert [each.result() for each in waiting] == [False] * 8


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
