"""One's own account: seats, password, logins, standing in during leave. Nobody else sees it.

GET  /me
POST /me/password | /me/sessions/end | /me/delegations | /me/delegations/end
"""

from datetime import date, timedelta

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from regulator.base.accounts.delegating import Leave, delegate, delegations_of, take_back
from regulator.base.accounts.directory import change_password
from regulator.base.accounts.passwords import Passwords
from regulator.base.accounts.rows import account_by_id
from regulator.base.accounts.seats import own_grants
from regulator.base.accounts.second_factor import factor_of
from regulator.base.accounts.sessions import check_password, end_session, open_session, sessions_of
from regulator.base.desk import Desk
from regulator.base.model.actor import Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.web.account_login import caller_of
from regulator.base.web.forms import Form, FormValues
from regulator.base.web.pages import Pages
from regulator.base.web.session_cookie import give_token
from regulator.base.web.visitor import presence_of
from screens.days import day_begins_ns, typed_day


def me_routes(desk: Desk, app: FastAPI, pages: Pages, passwords: Passwords) -> None:
    """The page and its forms."""

    @app.get("/me")
    def me(request: Request) -> Response:
        return _page(desk, pages, request)

    @app.post("/me/password")
    def password(request: Request, form: Form) -> Response:
        try:
            token = _new_password(desk, passwords, request, form)
        except RefusedError as refused:
            return _page(desk, pages, request, refused)
        answer = RedirectResponse("/me?done=password", 303)
        give_token(request, answer, token)
        return answer

    @app.post("/me/sessions/end")
    def end(request: Request, form: Form) -> Response:
        with desk.database.transaction() as db:
            end_session(db, desk.ledger, presence_of(request).account, form["session_id"], desk.now_ns())
        return RedirectResponse("/me", 303)

    @app.post("/me/delegations")
    def stand_in(request: Request, form: Form) -> Response:
        giver = presence_of(request).account
        try:
            leave = _leave(form)
            with desk.database.transaction() as db:
                delegate(db, desk.ledger, giver, leave, desk.now_ns())
        except RefusedError as refused:
            return _page(desk, pages, request, refused)
        return RedirectResponse("/me", 303)

    @app.post("/me/delegations/end")
    def stand_in_no_more(request: Request, form: Form) -> Response:
        with desk.database.transaction() as db:
            take_back(db, desk.ledger, presence_of(request).account, form["delegation_id"], desk.now_ns())
        return RedirectResponse("/me", 303)


def _new_password(desk: Desk, passwords: Passwords, request: Request, form: FormValues) -> str:
    """The token of a new session: all others have ended."""
    account, caller, now_ns = presence_of(request).account, caller_of(request), desk.now_ns()
    if form["password"] != form["again"]:
        raise RefusedError(422, "not_the_same", "两次输入的密码不一致", "the two passwords differ", "again")
    check_password(desk.database, desk.ledger, passwords, (account.login, form["old"]), caller, now_ns)
    with desk.database.transaction() as db:
        change_password(db, desk.ledger, passwords, account, form["password"], now_ns)
        return open_session(db, desk.ledger, account, caller, now_ns, "password_change")


def _page(desk: Desk, pages: Pages, request: Request, refused: RefusedError | None = None) -> Response:
    presence, now_ns = presence_of(request), desk.now_ns()
    with desk.database.reading() as db:
        given = delegations_of(db, presence.account.user_id)
        users = {user for each in given for user in (each.from_user, each.to_user)}
        names = {user: found.name for user in users if (found := account_by_id(db, user))}
        factor = factor_of(db, presence.account.user_id, desk.now_ns())
        held = [grant for grant in own_grants(db, presence.account.user_id) if grant.in_force]
        logins = sessions_of(db, presence.account.user_id, now_ns)
    notice = pages.text(request, "Your password was changed. All other logins have ended.")
    return pages.render(
        request,
        "account_me.html",
        refused.status if refused else 200,
        refused=refused,
        notice=notice if request.query_params.get("done") == "password" else "",
        presence=presence,
        grants=[grant for grant in held if Duty.ADMINISTRATOR not in grant.duties],
        delegations=given,
        names=names,
        sessions=logins,
        factor=factor,
    )


def _leave(form: FormValues) -> Leave:
    """Whole days in Beijing, the last one included."""
    first, last = _day(form["from"], "from"), _day(form["until"], "until")
    span_ns = (day_begins_ns(first), day_begins_ns(last + timedelta(days=1)))
    return Leave(form["grant_id"], form["to"], *span_ns, form["reason"])


def _day(typed: str, field: str) -> date:
    day = typed_day(typed)
    if day is None:
        words = ("日期应为 年-月-日", f"expected a date such as 2026-03-01, found {typed[:20]!r}")
        raise RefusedError(422, "bad_date", *words, field)
    return day
