"""All pages about accounts, put on the box's web face."""

from fastapi import FastAPI

from gateway.accounts.accounts import Accounts
from gateway.web.account_desk import AccountDesk
from gateway.web.account_visitors import AccountVisitors
from gateway.web.login_page import login_routes
from gateway.web.me_page import me_routes
from gateway.web.pages import Pages
from gateway.web.people_page import people_routes
from gateway.web.second_factor_page import second_factor_routes
from gateway.web.setup_page import setup_routes
from gateway.web.tokens_page import token_routes
from gateway.web.wall_tokens_page import wall_routes


def account_routes(app: FastAPI, pages: Pages, accounts: Accounts, visitors: AccountVisitors) -> None:
    """Login, set-up, one's own account, people, wall screens and tokens of programs."""
    desk = AccountDesk(pages, accounts, visitors)
    login_routes(app, desk)
    setup_routes(app, desk)
    me_routes(app, desk)
    second_factor_routes(app, desk)
    people_routes(app, desk)
    wall_routes(app, desk)
    token_routes(app, desk)
