"""The people of the box, for administrators: added, given roles, disabled. Nobody is ever deleted.

GET  /people
POST /people                                    one more
POST /people/{name}/role | password | disable | enable
"""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.requests import Request

from gateway.accounts.faults import AccountError
from gateway.accounts.people import Actor
from gateway.accounts.person import Newcomer, Person, Role
from gateway.web.account_desk import AccountDesk, actor_of, back_to, both, kept
from gateway.web.visitor import RefusedError, require

Order = Callable[[str, Mapping[str, str], Actor], Awaitable[Person]]


def people_routes(app: FastAPI, desk: AccountDesk) -> None:
    """The page and its forms."""
    people = desk.accounts.people
    orders: Mapping[str, tuple[Order, str]] = {
        "role": (lambda name, fields, by: people.change_role(name, _role(fields), by), "role"),
        "password": (lambda name, fields, by: people.set_password(name, both(fields), by), "reset"),
        "second-factor": (lambda name, _fields, by: desk.accounts.factors.reset(name, by), "factor"),
        "disable": (lambda name, _fields, by: people.disable(name, by), "disabled"),
        "enable": (lambda name, _fields, by: people.enable(name, by), "enabled"),
    }

    @app.get("/people")
    async def everyone(request: Request) -> Response:
        require(request, Role.ADMINISTRATOR)
        return _page(request, desk)

    @app.post("/people")
    async def add(request: Request) -> Response:
        by, fields = actor_of(request, Role.ADMINISTRATOR), await desk.pages.form(request)
        try:
            newcomer = Newcomer(fields.get("name", ""), fields.get("title", ""), _role(fields), both(fields))
            await kept(people.add(newcomer, by))
        except AccountError as error:
            return _page(request, desk, error, typed={name: fields.get(name, "")[:64] for name in ("name", "title")})
        return back_to("/people?done=added")

    @app.post("/people/{name}/{order}")
    async def change(request: Request, name: str, order: str) -> Response:
        by, fields = actor_of(request, Role.ADMINISTRATOR), await desk.pages.form(request)
        if order not in orders:
            raise RefusedError(404, "no_such_order", "没有这个操作", "no such order")
        carry_out, done = orders[order]
        try:
            await kept(carry_out(name, fields, by))
        except AccountError as error:
            return _page(request, desk, error)
        return back_to(f"/people?done={done}")


def _role(fields: Mapping[str, str]) -> Role:
    """Raises RefusedError for what no page offers."""
    try:
        role = Role(int(fields.get("role", "")))
    except ValueError:
        role = Role.NOBODY
    if role is Role.NOBODY:
        raise RefusedError(422, "bad_role", "没有这个角色", "no such role", "role")
    return role


def _page(
    request: Request, desk: AccountDesk, error: AccountError | None = None, typed: Mapping[str, str] | None = None
) -> Response:
    people = desk.accounts.people.all()
    with_factor = {each.name for each in people if desk.accounts.factors.of(each.name).confirmed_at_ns}
    known = {"people": people, "with_factor": with_factor, "typed": typed or {"name": "", "title": ""}}
    return desk.show(request, "account_people.html", error, **known)
