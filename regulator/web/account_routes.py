"""Pages about people: logging in and out, one's own account, everybody's accounts, what was done."""

from fastapi import FastAPI

from regulator.accounts.passwords import Passwords
from regulator.desk import Desk
from regulator.web.account_login import login_routes
from regulator.web.pages import Pages


def install(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """All routes about people."""
    passwords = Passwords()
    login_routes(desk, app, pages, passwords)
