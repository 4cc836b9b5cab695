"""The access table against the running application: every route, every method, every role at every level.

A route that the table does not list fails the first test, and the guard refuses it. What the table admits, no route
refuses for the role; what it does not admit, the guard refuses before the route.
"""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from sqlalchemy import insert, update
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from regulator.base.accounts.model import Account
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.people import accounts, second_factors
from regulator.base.records.tables.registry import regions
from regulator.base.web.access_table import LOOK, TABLE, WORK, Access, Door, each_row
from regulator.base.web.guard import Guard
from regulator.base.web.visitor import STRANGER, Visitor
from screens.second_factor import new_secret
from tests.fakes.asgi_asking import ask
from tests.fakes.desk_asking import DeskAsking, Somebody, code_of, filled
from tests.fakes.desk_face import DeskFace

ONE_LOOP = pytest.mark.asyncio(loop_scope="module")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SCOPES = {
    Level.PROVINCE: Scope(Level.PROVINCE, ""),
    Level.CITY: Scope(Level.CITY, "4401"),
    Level.COUNTY: Scope(Level.COUNTY, "440103"),
    Level.FIRM: Scope(Level.FIRM, "firm-1"),
    Level.PROJECT: Scope(Level.PROJECT, "p1"),
}
WITH_PROVIDER = {("GET", "/oidc/start"), ("GET", "/oidc/callback")}
REFUSED_FOR_THE_ROLE = {
    *("login_needed", "no_seat", "password_change_needed", "duty_needed", "not_listed"),
    *("code_needed", "second_factor_needed"),
    *("not_your_duty", "no_review", "no_reviewer", "no_checker", "not_supervision"),
}
ENDS_LOGINS = {"/logout", "/api/logout", "/me/sessions/end", "/me/password"}
"""Asked last of each person: after them nobody is logged in any more."""


@pytest.fixture(scope="module")
def asking(face: DeskFace) -> DeskAsking:
    bodies = [("4401", "city", ""), ("440103", "county", "4401")]
    with face.database.transaction() as db:
        for code, level, parent in bodies:
            db.execute(insert(regions).values(code=code, name=code, level=level, parent=parent))
    return DeskAsking(face)


@pytest.fixture(scope="module")
def strict(face: DeskFace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskFace]:
    """The same desk with the policy that it comes with: approvers need a second factor."""
    settings = face.settings.model_copy(update={"second_factor_for": (Duty.APPROVER,)})
    folder = tmp_path_factory.mktemp("strict")
    with DeskFace(folder, face.clock, database=face.database, settings=settings) as strict:
        yield strict


@pytest.fixture(scope="module")
def routes(face: DeskFace) -> list[str]:
    """Every address, as registered; those that end a login last."""
    found = {str(getattr(route, "path", "")) for route in face.app.routes}
    return sorted(found, key=lambda path: (path in ENDS_LOGINS, path))


def taken(face: DeskFace) -> set[tuple[str, str]]:
    """What the application takes."""
    return {(method, getattr(route, "path", "")) for route in face.app.routes for method in route.methods}  # type: ignore[attr-defined]


def test_every_route_is_listed_and_every_row_is_a_route(face: DeskFace) -> None:
    listed = [key for key, _ in each_row()]
    assert len(listed) == len(set(listed)), "a route has two rows"
    assert taken(face) - set(listed) == set(), "give the route a row in regulator/base/web/access_table.py"
    assert set(listed) - taken(face) == WITH_PROVIDER, "they are there with a provider alone"


def answering(face: DeskFace, method: str, route: str) -> str:
    """The route that answers at an address: `GET /import/preview` asks for `/import/{import_id}`."""
    scope = {"type": "http", "path": filled(route, {}), "method": method, "headers": []}
    fitting = (each for each in face.app.routes if each.matches(scope)[0] is Match.FULL)
    return str(getattr(next(fitting, None), "path", ""))


def expected(face: DeskFace, method: str, route: str) -> Access:
    """The row; for a method that no route takes, what the table says of such."""
    row = TABLE.get((method, answering(face, method, route)))
    if row is not None:
        return row
    doors = {access.door for (_, path), access in TABLE.items() if path == route}
    if doors & {Door.PUBLIC, Door.PLAIN, Door.SIGNED}:
        return Access(Door.PUBLIC)
    return LOOK if method in ("GET", "HEAD") else WORK


async def verdict(asking: DeskAsking, who: Somebody, method: str, route: str) -> tuple[int, str]:
    """Status, and the refusal when it was for the role."""
    answer = await asking.ask(who, method, route)
    assert answer.status < 500, f"{method} {route}: {answer.text[:2000]}"
    code = code_of(answer)
    return answer.status, code if code in REFUSED_FOR_THE_ROLE else ""


@ONE_LOOP
@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("duty", list(Duty))
async def test_every_role_at_every_level_gets_what_the_table_says(
    face: DeskFace, asking: DeskAsking, routes: list[str], duty: Duty, level: Level
) -> None:
    who, actor = asking.somebody(duty, SCOPES[level]), face.actor(duty, SCOPES[level])
    wrong = []
    for route in routes:
        methods = {method for method, path in TABLE if path == route} | (set(METHODS) if level is Level.CITY else set())
        for method in sorted(methods - {"POST"} if route in ENDS_LOGINS else methods):
            row = expected(face, method, route)
            status, code = await verdict(asking, who, method, route)
            told = "duty_needed" if row.door is Door.ROLE and not row.admits(actor) else ""
            if code != told:
                wrong.append(f"{method} {route}: {status} {code or 'admitted'}, the table says {told or 'admitted'}")
    assert wrong == []


@ONE_LOOP
@pytest.mark.parametrize(
    ("who", "kept_out", "from_own"),
    [
        ("stranger", "login_needed", True),
        ("roleless", "no_seat", False),
        ("fresh", "password_change_needed", False),
        ("owes_code", "code_needed", True),
        ("owes_set_up", "second_factor_needed", True),
    ],
)
async def test_whoever_has_no_role_gets_what_is_open(
    strict: DeskFace, routes: list[str], who: str, kept_out: str, from_own: bool
) -> None:
    face, asking = strict, DeskAsking(strict)
    somebody = asking.nobody() if who == "stranger" else asking.of(_account(face, who))
    wrong = []
    for route in routes:
        for method in METHODS if route not in ENDS_LOGINS or who == "stranger" else ("GET", "PUT"):
            row = expected(face, method, route)
            status, code = await verdict(asking, somebody, method, route)
            told = kept_out if row.door is Door.ROLE or (row.door in CLOSED_TO.get(who, ()) and from_own) else ""
            if code != told:
                wrong.append(f"{method} {route}: {status} {code or 'admitted'}, the table says {told or 'admitted'}")
    assert wrong == []


CLOSED_TO = {
    "stranger": (Door.OWN, Door.CODE, Door.SET_UP),
    "owes_code": (Door.OWN, Door.SET_UP),
    "owes_set_up": (Door.OWN,),
}
"""Doors, beside those for a role, that somebody cannot use."""


def _account(face: DeskFace, who: str) -> Account:
    duty = Duty.APPROVER if who == "owes_set_up" else Duty.REVIEWER
    account = face.add(who, who, [] if who == "roleless" else [(SCOPES[Level.CITY], [duty])])
    if who == "owes_code":
        with face.database.transaction() as db:
            db.execute(insert(second_factors).values(user_id=account.user_id, secret=new_secret(), confirmed_at_ns=1))
    if who == "fresh":
        with face.database.transaction() as db:
            db.execute(update(accounts).where(accounts.c.user_id == account.user_id).values(must_change=1))
    return account


class _Keeper:
    """A keeper of the province behind every request."""

    form_key = b"k" * 32

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor

    def visitor(self, request: Request) -> Visitor:
        return self._visitor


async def _refusal(request: Request, refused: RefusedError) -> Response:
    return Response(refused.code, refused.status)


@ONE_LOOP
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("known", [True, False])
async def test_a_route_without_a_row_is_closed_to_everybody(
    face: DeskFace, asking: DeskAsking, method: str, known: bool
) -> None:
    who = asking.somebody(Duty.ADMINISTRATOR)
    request = Request({"type": "http", "path": "/", "method": "GET", "query_string": b"", "client": ("127.0.0.1", 1),
                       "scheme": "http", "headers": [(b"cookie", f"desk_session={who.cookie}".encode())]})  # fmt: skip
    visitor = _visitors(face).visitor(request) if known else STRANGER
    app = FastAPI(openapi_url=None)
    done: list[str] = []
    app.add_api_route("/hazards/forgotten", lambda: done.append("done"), methods=list(METHODS))
    app.add_middleware(Guard, visitors=_Keeper(visitor), refuse=_refusal)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await ask(app, method, "/hazards/forgotten", headers=headers)
    assert (answer.status, answer.text, done) == (403, "not_listed", [])


def _visitors(face: DeskFace):  # type: ignore[no-untyped-def]
    from regulator.base.web.account_visitors import AccountVisitors

    return AccountVisitors(face.desk)


def test_a_row_says_who_is_admitted() -> None:
    row = Access(Door.ROLE, frozenset({Duty.APPROVER}), frozenset({Level.CITY}))
    actor = Actor("u", "u", SCOPES[Level.CITY], frozenset({Duty.APPROVER, Duty.VIEWER}))
    assert row.admits(actor)
    assert not row.admits(Actor("u", "u", SCOPES[Level.PROVINCE], frozenset({Duty.APPROVER})))
    assert not row.admits(Actor("u", "u", SCOPES[Level.CITY], frozenset({Duty.VIEWER})))


def test_filled_addresses_ask_for_the_route_that_was_meant(face: DeskFace) -> None:
    """Else a row would be asked in the place of another."""
    for method, route in sorted(taken(face)):
        assert answering(face, method, route) == route
