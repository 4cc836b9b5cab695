"""Pages about people: logging in and out, one's own account, everybody's accounts, what was done."""

from fastapi import FastAPI

from regulator.base.accounts.cleaning import CLEAN_EVERY_S, SessionCleaning
from regulator.base.accounts.passwords import Passwords
from regulator.base.desk import Desk, Job
from regulator.base.web.account_audit import audit_routes
from regulator.base.web.account_login import login_routes
from regulator.base.web.account_me import me_routes
from regulator.base.web.account_oidc import oidc_routes
from regulator.base.web.account_people import people_routes
from regulator.base.web.account_second_factor import second_factor_routes
from regulator.base.web.pages import Pages
from regulator.base.web.part import Part


def part(desk: Desk) -> Part:
    """All routes about people, and what is cleaned after them."""

    def install(app: FastAPI, pages: Pages) -> None:
        passwords: Passwords = app.state.passwords
        login_routes(desk, app, pages, passwords)
        oidc_routes(desk, app, pages)
        me_routes(desk, app, pages, passwords)
        second_factor_routes(desk, app, pages)
        people_routes(desk, app, pages, passwords)
        audit_routes(desk, app, pages)

    return Part(install, jobs=(Job("sessions", CLEAN_EVERY_S, SessionCleaning(desk.database).run),))
