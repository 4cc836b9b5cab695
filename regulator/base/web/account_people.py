"""Everybody's accounts, for those who keep them: made, disabled, given passwords and duties. Nobody is ever deleted.

GET  /people
POST /people                                     one more account
POST /people/{user_id}/disable | enable | password | grants | release-binding
POST /grants/{grant_id}/approve | reject | revoke
"""

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from regulator.base.accounts.bindings import release
from regulator.base.accounts.directory import make_account, set_disabled, set_password
from regulator.base.accounts.granting import approve_grant, propose_grant, reject_grant, revoke_grant
from regulator.base.accounts.keeping import people_kept, require_grant_kept, require_keeper, scope_to_grant
from regulator.base.accounts.model import NewAccount
from regulator.base.accounts.passwords import Passwords
from regulator.base.accounts.second_factor import reset
from regulator.base.accounts.sessions import normal_login
from regulator.base.desk import Desk
from regulator.base.model.actor import Actor, Duty, Level
from regulator.base.model.refusals import RefusedError
from regulator.base.web.forms import Form, FormValues
from regulator.base.web.pages import Pages


def people_routes(desk: Desk, app: FastAPI, pages: Pages, passwords: Passwords) -> None:
    """The page and its forms."""

    @app.get("/people")
    def people(request: Request) -> Response:
        return _page(desk, pages, request)

    @app.post("/people")
    def add(request: Request, form: Form) -> Response:
        actor = pages.actor(request, Duty.ADMINISTRATOR)
        new = NewAccount(form["login"], form["name"], form["password"])
        try:
            kept = passwords.hashed(new.password, normal_login(new.login)) if new.password else ""
            with desk.database.transaction() as db:
                make_account(db, desk.ledger, new, kept, actor.scope, actor, desk.now_ns())
        except RefusedError as refused:
            return _page(desk, pages, request, refused, new)
        return RedirectResponse("/people", 303)

    @app.post("/people/{user_id}/{deed}")
    def change(request: Request, user_id: str, deed: str, form: Form) -> Response:
        actor = pages.actor(request, Duty.ADMINISTRATOR)
        try:
            with desk.database.transaction() as db:
                _change(db, desk, passwords, (user_id, deed), form, actor)
        except RefusedError as refused:
            return _page(desk, pages, request, refused)
        return RedirectResponse("/people", 303)

    @app.post("/grants/{grant_id}/{deed}")
    def decide(request: Request, grant_id: str, deed: str, form: Form) -> Response:
        actor = pages.actor(request, Duty.ADMINISTRATOR)
        try:
            with desk.database.transaction() as db:
                _decide(db, desk, (grant_id, deed), form, actor)
        except RefusedError as refused:
            return _page(desk, pages, request, refused)
        return RedirectResponse("/people", 303)


def _change(
    db: Connection, desk: Desk, passwords: Passwords, what: tuple[str, str], form: FormValues, actor: Actor
) -> None:
    (user_id, deed), ledger, now_ns = what, desk.ledger, desk.now_ns()
    account = require_keeper(db, actor, user_id)
    match deed:
        case "disable" | "enable":
            set_disabled(db, ledger, user_id, disabled=deed == "disable", by=actor, now_ns=now_ns)
        case "password":
            set_password(db, ledger, user_id, passwords.hashed(form["password"], account.login), actor, now_ns)
        case "release-binding":
            release(db, ledger, user_id, actor, now_ns)
        case "second-factor":
            reset(db, ledger, user_id, actor, now_ns)
        case "grants":
            scope = scope_to_grant(db, actor, form["level"], form.get("code"))
            propose_grant(db, ledger, user_id, scope, _duties(form), actor, now_ns)
        case _:
            raise RefusedError(404, "no_such_page", "没有这个页面", "no such page")


def _decide(db: Connection, desk: Desk, what: tuple[str, str], form: FormValues, actor: Actor) -> None:
    (grant_id, deed), ledger, now_ns = what, desk.ledger, desk.now_ns()
    require_grant_kept(db, actor, grant_id)
    match deed:
        case "approve":
            approve_grant(db, ledger, grant_id, actor, now_ns)
        case "reject":
            reject_grant(db, ledger, grant_id, form["reason"], actor, now_ns)
        case "revoke":
            revoke_grant(db, ledger, grant_id, form["reason"], actor, now_ns)
        case _:
            raise RefusedError(404, "no_such_page", "没有这个页面", "no such page")


def _duties(form: FormValues) -> list[Duty]:
    try:
        return [Duty(value) for value in form.every("duty")]
    except ValueError:
        raise RefusedError(422, "bad_duty", "没有这项职责", "no such duty", "duty") from None


def _page(
    desk: Desk, pages: Pages, request: Request, refused: RefusedError | None = None, typed: NewAccount | None = None
) -> Response:
    actor = pages.actor(request, Duty.ADMINISTRATOR)
    with desk.database.reading() as db:
        people = people_kept(db, actor)
    names = {kept.account.user_id: kept.account.name for kept in people}
    waiting = [(kept.account, grant) for kept in people for grant in kept.grants if grant.waiting]
    return pages.render(
        request,
        "account_people.html",
        refused.status if refused else 200,
        refused=refused,
        typed=typed or NewAccount("", "", ""),
        people=people,
        waiting=waiting,
        names=names,
        levels=tuple(Level),
    )
