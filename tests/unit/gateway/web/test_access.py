"""The access table against a whole running box: every route, every method, every kind of visitor, plain HTTP and TLS.

A route that the table does not list fails the first test, and the guard refuses it. What the table admits, no route
refuses for the role; what it does not admit, the guard refuses before the route.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from gateway.accounts.person import Newcomer, Role
from gateway.accounts.tokens import TokenScope, Wanted
from gateway.settings import load
from gateway.web.access_table import LOOK, READING, TABLE, WORK, Access, Door, access_of, each_row
from gateway.web.account_visitors import SESSION, WALL
from gateway.web.guard import Guard
from gateway.web.plain_door import authority_route
from gateway.web.token_scopes import OF_THE_SITE_FILE, role_of
from gateway.web.visitor import RefusedError, Visitor, VisitorKind
from kit.web.guarding import BROWSER_COOKIE, form_token
from screens.asked_route import AskedRoute
from screens.second_factor import new_secret
from sitewarden.composition.box import DRIVERS, UPLINKS, Gateway
from sitewarden.composition.kinds import KINDS
from tests.fakes.account_bench import BOSS, GOOD_PASSWORD, HERE, OTHER_PASSWORD
from tests.fakes.asgi_asking import ask
from tests.fakes.mosquitto import free_port
from tests.fakes.screen_site import write_site

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
PEOPLE = {Role.VIEWER: "kan", Role.SUPERVISOR: "zhu", Role.SAFETY_OFFICER: "an", Role.ADMINISTRATOR: "guan"}
TOKEN = "the-box-token-of-this-test"
ONLY_WITH_AN_AUTHORITY = {("GET", "/ca.crt")}
PROGRAMS = {**{f"token:{scope}": (scope,) for scope in TokenScope}, "token of the site file": OF_THE_SITE_FILE}
REFUSED_FOR_THE_ROLE = {
    *("code_needed", "second_factor_needed", "login_needed", "role_too_low"),
    *("wall_may_only_look", "plain_http", "not_listed", "outside_scope"),
}
ENDS_LOGINS = ("/logout", "/me/password")
ONE_LOOP = pytest.mark.asyncio(loop_scope="module")
PARAMETER = re.compile(r"\{([^}:]+)(:[^}]*)?\}")
VALUES = {"name": "acknowledge", "kind": "html", "sha256": "0" * 64, "seq": "1", "asset": "pit-1", "digest": "0"}
FORMS_OF_AN_ALARM = {
    **dict.fromkeys(("acknowledge", "note"), Role.SUPERVISOR),
    **dict.fromkeys(("false_alarm", "withdraw_judgement", "hand_over", "shelve", "unshelve"), Role.SAFETY_OFFICER),
    "reset": Role.SAFETY_OFFICER,
}


@dataclass
class Who:
    """Somebody who asks. `role` is what the table is asked with."""

    name: str
    role: Role
    headers: dict[str, str]
    csrf: str = ""
    person: bool = False
    scopes: tuple[str, ...] = ()


class WholeBox:
    """A box that runs, and everybody who may come to it."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        app = gateway.web.app
        assert isinstance(app, FastAPI)
        self.app = app
        self.routes = {(method, str(route.path)) for route in app.routes for method in route.methods}  # type: ignore[attr-defined]
        self.people: dict[str, Who] = {"stranger": Who("stranger", Role.NOBODY, {})}

    async def come(self) -> None:
        """An account of each role, a wall screen, a token of each scope, and the one of the site file."""
        accounts = self.gateway.accounts
        for role, name in sorted(PEOPLE.items(), reverse=True):  # no box is without an administrator
            await accounts.people.add(Newcomer(name, name, role, GOOD_PASSWORD), BOSS)
            person = await accounts.people.change_password(name, OTHER_PASSWORD, BOSS)
            await self._give_factor(name)
            token = await accounts.logins.open(person, HERE, shown=True)
            csrf = form_token(accounts.form_key, "b", VisitorKind.PERSON.value, name)
            self.people[name] = Who(name, role, self._cookie(SESSION, token), csrf, person=True)
        await self._owing("code", Role.SUPERVISOR)
        await self._owing("set_up", Role.ADMINISTRATOR)
        wall, token = await accounts.walls.give("大屏", BOSS)
        csrf = form_token(accounts.form_key, "b", VisitorKind.WALL.value, wall.wall_id)
        self.people["wall"] = Who("wall", Role.VIEWER, self._cookie(WALL, token), csrf)
        for name, scopes in PROGRAMS.items():
            draft = await accounts.tokens.make(Wanted("程序", scopes), BOSS)
            secret = TOKEN if scopes is OF_THE_SITE_FILE else draft.secret
            self.people[name] = Who(name, Role.NOBODY, {"authorization": f"Bearer {secret}"}, scopes=scopes)

    async def _owing(self, name: str, role: Role) -> None:
        """Somebody who has logged in with the password alone, and has or needs a second factor."""
        accounts = self.gateway.accounts
        person = await accounts.people.add(Newcomer(f"owes-{name}", name, role, GOOD_PASSWORD), BOSS)
        if name == "code":
            await self._give_factor(person.name)
        token = await accounts.logins.open(person, HERE)
        csrf = form_token(accounts.form_key, "b", VisitorKind.STRANGER.value, person.name)
        self.people[name] = Who(name, Role.NOBODY, self._cookie(SESSION, token), csrf)

    async def _give_factor(self, name: str) -> None:
        sql = "INSERT INTO second_factor(name, secret, confirmed_at_ns) VALUES (?, ?, 1)"
        row = (name, new_secret())
        change = self.gateway.accounts._store.change(lambda db: db.execute(sql, row).rowcount)
        await asyncio.wrap_future(change)

    @staticmethod
    def _cookie(name: str, token: str) -> dict[str, str]:
        return {"cookie": f"{BROWSER_COOKIE}=b; {name}={token}; __Host-{name}={token}"}

    def answering(self, method: str, path: str) -> AskedRoute:
        """The route that answers at an address."""
        scope = {"type": "http", "path": path, "method": method, "headers": []}
        for route in self.app.routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                return AskedRoute(str(getattr(route, "path", "")), taken=True, values=found["path_params"])
        return AskedRoute()

    async def refusal(self, who: Who, method: str, path: str, scheme: str = "https", address: str = "10.0.0.9") -> str:
        """The refusal, when it was for who asked or how; a server's fault fails the test."""
        headers, body = who.headers | {"accept": "application/json"}, b""
        if method == "POST":
            headers["content-type"], body = _body(path, who.csrf)
        answer = await ask(self.app, method, path, headers=headers, body=body, scheme=scheme, address=address)
        assert answer.status < 500 or answer.status == 503, f"{method} {path}: {answer.text[:2000]}"
        if answer.status < 400 or not answer.headers.get("content-type", "").startswith("application/json"):
            return ""
        code = json.loads(answer.body).get("error", {}).get("code", "")
        return code if code in REFUSED_FOR_THE_ROLE else ""


def _body(path: str, csrf: str) -> tuple[str, bytes]:
    if path.startswith("/api/"):
        said = {"user": "x", "reason": "到场", "for_s": 60, "cause": "device_fault"}
        return "application/json", json.dumps(said).encode()
    if path.endswith("/answer"):
        return "multipart/form-data; boundary=edge", (
            f'--edge\r\ncontent-disposition: form-data; name="csrf"\r\n\r\n{csrf}\r\n--edge--\r\n'.encode()
        )
    return "application/x-www-form-urlencoded", f"csrf={csrf}&reason=x".encode()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def box(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WholeBox]:
    folder = tmp_path_factory.mktemp("box")
    (folder / "token").write_text(TOKEN)
    web = {"host": "127.0.0.1", "port": free_port(), "token": {"file": str(folder / "token")}}
    web["second_factor_for"] = ["administrator"]
    ports = {name: free_port() for name in ("crane-1", "crane-2", "pit-1")}
    gateway = Gateway(load(write_site(folder, ports, free_port(), web=web), DRIVERS, UPLINKS, KINDS))
    stop, started = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(gateway.run(stop, started.set))
    await started.wait()
    box = WholeBox(gateway)
    await box.come()
    yield box
    stop.set()
    await running


def filled(route: str) -> str:
    """A route's address with something in the place of each parameter."""
    return PARAMETER.sub(lambda match: VALUES.get(match[1], "nothing"), route)


def test_every_route_is_listed_and_every_row_is_a_route(box: WholeBox) -> None:
    listed = [key for key, _ in each_row()]
    assert len(listed) == len(set(listed)), "a route has two rows"
    assert box.routes - set(listed) == set(), "give the route a row in gateway/web/access_table.py"
    assert set(listed) - box.routes == ONLY_WITH_AN_AUTHORITY
    app = FastAPI(openapi_url=None)
    authority_route(app, None)
    assert {("GET", str(getattr(route, "path", ""))) for route in app.routes} == ONLY_WITH_AN_AUTHORITY


def expected(box: WholeBox, method: str, route: str) -> Access:
    """The row; for a method that no route takes, what the table says of such."""
    asked = box.answering(method, filled(route))
    row = TABLE.get((method, asked.path))
    if row is not None:
        return row
    is_open = any(access.role is Role.NOBODY for (_, path), access in TABLE.items() if path == route)
    return Access(Door.PUBLIC) if is_open else LOOK if method in READING else WORK


OWES = {"code": "code_needed", "set_up": "second_factor_needed"}
ADMITS = {"code": (Door.CODE,), "set_up": (Door.SET_UP,)}
"""Logins that owe something, and the doors that they may use all the same."""


def told(who: Who, access: Access, method: str, route: str, *, taken: bool) -> str:
    """What the guard tells somebody whom the table does not admit; empty for anybody else. A program has the role that
    its scopes give it for this request (tests/unit/gateway/web/test_tokens.py); what no route takes is told to all."""
    role = role_of(who.scopes, method, filled(route)) if who.scopes else who.role
    if role >= access.role or (who.scopes and not taken) or access.door in ADMITS.get(who.name, ()):
        return ""
    if who.scopes:
        return "outside_scope"
    if who.name in OWES:
        return OWES[who.name]
    if who.name == "stranger":
        return "login_needed"
    return "wall_may_only_look" if who.name == "wall" else "role_too_low"


@ONE_LOOP
@pytest.mark.parametrize("name", ["stranger", "code", "set_up", "wall", *PEOPLE.values(), *PROGRAMS])
async def test_every_visitor_gets_what_the_table_says(box: WholeBox, name: str) -> None:
    who, wrong = box.people[name], []
    for route in sorted({path for _, path in box.routes}):
        for method in METHODS:
            if method == "POST" and route in ENDS_LOGINS:
                continue
            taken = box.answering(method, filled(route)).taken
            wanted = told(who, expected(box, method, route), method, route, taken=taken)
            own = f"{route}/".startswith("/me/") and who.name not in OWES
            if own and not wanted and not who.person and (method, route) in box.routes:
                wanted = "login_needed"  # it is nobody's own account
            code = await box.refusal(who, method, filled(route))
            if code != wanted:
                wrong.append(f"{method} {route}: {code or 'admitted'}, the table says {wanted or 'admitted'}")
    assert wrong == []


@ONE_LOOP
@pytest.mark.parametrize("role", list(PEOPLE))
@pytest.mark.parametrize("name", FORMS_OF_AN_ALARM)
async def test_each_form_of_an_alarm_asks_for_its_role(box: WholeBox, role: Role, name: str) -> None:
    code = await box.refusal(box.people[PEOPLE[role]], "POST", f"/alarms/nothing/{name}")
    assert code == ("" if role >= FORMS_OF_AN_ALARM[name] else "role_too_low")


@ONE_LOOP
@pytest.mark.parametrize("name", ["zhu", "guan", "stranger"])
async def test_over_a_network_without_tls_only_what_commands_nothing_is_sent(box: WholeBox, name: str) -> None:
    """A loopback address may send: nobody on a network reads along."""
    who = box.people[name]
    for method, route in sorted(box.routes):
        access = TABLE[method, route]
        if method != "POST" or who.role < access.role or route in ENDS_LOGINS:
            continue
        path = filled(route)
        wanted = "" if access.unencrypted else "plain_http"
        person = Who(who.name, who.role, {"cookie": who.headers.get("cookie", "")}, who.csrf)
        assert await box.refusal(person, method, path, "http") == wanted, route
        assert await box.refusal(person, method, path, "http", "127.0.0.1") == "", route


@ONE_LOOP
@pytest.mark.parametrize("method", METHODS)
async def test_a_route_without_a_row_is_closed_to_everybody(method: str) -> None:
    app = FastAPI(openapi_url=None)
    done: list[str] = []
    app.add_api_route("/alarms/forgotten/list", lambda: done.append("done"), methods=list(METHODS))
    app.add_middleware(Guard, visitors=_Everything(), refuse=_refusal)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await ask(app, method, "/alarms/forgotten/list", headers=headers)
    assert (answer.status, answer.text, done) == (403, "not_listed", [])


@ONE_LOOP
@pytest.mark.parametrize(("path", "goes_on"), [("/cameras/{camera}/live.mp4", False), ("/api/events", True)])
async def test_what_goes_on_for_long_ends_with_the_role_that_it_asks_for(path: str, goes_on: bool) -> None:
    """Whoever logs out where guests may look is a guest: live video is no guest's, the feed is."""
    app, visitors = FastAPI(openapi_url=None), _Everything()
    said: list[bool] = []

    @app.get(path)
    async def watch(request: Request) -> Response:
        for role in (Role.SUPERVISOR, Role.VIEWER, Role.NOBODY):
            visitors.role = role
            said.append(await request.state.welcome())
        return Response()

    app.add_middleware(Guard, visitors=visitors, refuse=_refusal)
    assert (await ask(app, "GET", filled(path))).status == 200
    assert said == [True, goes_on, False]


class _Everything:
    """An administrator behind every request, until `role` is another."""

    form_key, local = b"k" * 32, False

    def __init__(self) -> None:
        self.role = Role.ADMINISTRATOR

    async def visitor(self, request: Request) -> Visitor:
        return Visitor(VisitorKind.PERSON, self.role, "x")

    async def check(self, request: Request, visitor: Visitor, access: Access) -> None:
        """Nothing."""


async def _refusal(request: Request, refused: RefusedError) -> Response:
    return Response(refused.code, refused.status)


def test_an_address_that_nobody_thought_of_asks_for_a_role() -> None:
    for method in METHODS:
        access = access_of(method, AskedRoute())
        assert access is not None
        assert access.role is (Role.VIEWER if method in READING else Role.SUPERVISOR)
    assert access_of("POST", AskedRoute("/new", taken=True)) is None
