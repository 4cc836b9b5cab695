"""What the pages about accounts share: their parts, words for refusals, and the way back from a form.

In: requests and refusals. Out: texts in the visitor's language and answers. Knows no single page.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from gateway.accounts.accounts import Accounts
from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.people import Actor
from gateway.accounts.person import Role
from gateway.accounts.workplaces import Caller
from gateway.model.errors import StoreError
from gateway.web.account_visitors import AccountVisitors, address_of
from gateway.web.pages import Pages
from gateway.web.visitor import RefusedError, require
from kit.web.guarding import BROWSER_COOKIE

T = TypeVar("T")
KEPT_WITHIN_S: Final = 10.0
FAULTS: Final[Mapping[AccountFault, str]] = {
    AccountFault.WRONG_LOGIN: "The name or the password is wrong",
    AccountFault.WAIT: "Too many wrong tries: wait %(seconds)s s, then try again",
    AccountFault.BUSY: "Many people are logging in: try again in a few seconds",
    AccountFault.WRONG_CODE: "The code is wrong or has run out",
    AccountFault.ALREADY_SET_UP: "The first administrator has been made already",
    AccountFault.BAD_NAME: "A login name has up to 32 letters, digits, dots, hyphens or underscores",
    AccountFault.BAD_TITLE: "A display name has 1 to 24 visible characters",
    AccountFault.NAME_TAKEN: "This login name exists already",
    AccountFault.NO_SUCH_PERSON: "There is no such person",
    AccountFault.NO_SUCH_WALL: "There is no such wall screen, or it has been revoked",
    AccountFault.NO_SUCH_TOKEN: "There is no such token, or it has been revoked",
    AccountFault.BAD_SCOPE: "Tick what the token may do",
    AccountFault.BAD_DAYS: "A token ends after 1 to 400 days",
    AccountFault.BAD_WALL_DAYS: "A wall screen ends after 1 to 3660 days, or never when the field is empty",
    AccountFault.TOO_MANY_TOKENS: "There are 100 tokens in force: revoke one first",
    AccountFault.LAST_ADMINISTRATOR: "The last administrator must stay; make another one first",
    AccountFault.WRONG_PASSWORD: "The old password is wrong",
    AccountFault.TOO_SHORT: "The password needs at least 10 characters",
    AccountFault.TOO_LONG: "The password may have at most 128 characters",
    AccountFault.IS_THE_NAME: "The password must not be the login name",
    AccountFault.TOO_COMMON: "This password is common and is guessed first. Choose another",
    AccountFault.NOT_THE_SAME: "The two passwords differ",
    AccountFault.WRONG_SECOND_CODE: "The code is wrong or was used before",
    AccountFault.NO_SECOND_FACTOR: "You have no second factor",
    AccountFault.NOTHING_BEGUN: "Scan the picture first",
    AccountFault.SAME_AS_BEFORE: "The new password is the same as the old one. Choose another",
}
STATUS: Final[Mapping[AccountFault, int]] = {
    AccountFault.WRONG_LOGIN: 401,
    AccountFault.WAIT: 429,
    AccountFault.BUSY: 503,
    AccountFault.WRONG_CODE: 403,
    AccountFault.ALREADY_SET_UP: 409,
    AccountFault.NAME_TAKEN: 409,
    AccountFault.LAST_ADMINISTRATOR: 409,
    AccountFault.NO_SUCH_PERSON: 404,
    AccountFault.NO_SUCH_WALL: 404,
    AccountFault.NO_SUCH_TOKEN: 404,
    AccountFault.TOO_MANY_TOKENS: 409,
    AccountFault.WRONG_PASSWORD: 403,
    AccountFault.WRONG_SECOND_CODE: 401,
    AccountFault.NO_SECOND_FACTOR: 409,
    AccountFault.NOTHING_BEGUN: 409,
}
ROLES: Final[Mapping[Role, str]] = {
    Role.VIEWER: "viewer",
    Role.SUPERVISOR: "supervisor",
    Role.SAFETY_OFFICER: "safety officer",
    Role.ADMINISTRATOR: "administrator",
}
DONE: Final[Mapping[str, str]] = {
    "password": "The password has been changed; other logins have ended",
    "ended": "That login has ended",
    "added": "The person has been added. They choose their own password at the first login",
    "role": "The role has been changed; the person must log in again",
    "reset": "The password has been set. The person chooses another one at the next login",
    "factor": "The second factor has been taken away; the person's logins have ended",
    "disabled": "The person can no longer log in",
    "enabled": "The person can log in again",
    "revoked": "The wall screen can no longer look",
    "token_revoked": "The token opens nothing any more",
    "logout": "You are logged out",
}


@dataclass(frozen=True, slots=True)
class AccountDesk:
    """The parts that every page about accounts needs."""

    pages: Pages
    accounts: Accounts
    visitors: AccountVisitors

    def refusal(self, request: Request, error: AccountError) -> tuple[str, int]:
        """Why something was refused, in the visitor's language, and the status of the answer."""
        text = self.pages.text(request, FAULTS[error.fault], **({"seconds": error.wait_s} if error.wait_s else {}))
        return text, STATUS.get(error.fault, 422)

    def show(self, request: Request, template: str, error: AccountError | None = None, **values: object) -> Response:
        """A page, after a refusal with its words and status."""
        text, status = self.refusal(request, error) if error else ("", 200)
        known = {"error": text, "notice": self.pages.done(request, DONE), "roles": ROLES} | values
        answer = self.pages.render(request, template, status, **known)
        if error is not None and error.wait_s:
            answer.headers["retry-after"] = str(error.wait_s)
        return answer


def actor_of(request: Request, role: Role) -> Actor:
    """Who orders this, for the record. Raises RefusedError when the role is too low."""
    visitor = require(request, role)
    return Actor(visitor.name, visitor.address)


def caller_of(request: Request) -> Caller:
    """Where somebody logs in from."""
    browser = request.cookies.get(BROWSER_COOKIE, "")
    return Caller(address_of(request), request.headers.get("user-agent", ""), browser)


def both(fields: Mapping[str, str]) -> str:
    """A new password that was typed twice. Raises AccountError when the two differ."""
    password = fields.get("password", "")
    if password != fields.get("again", ""):
        raise AccountError(AccountFault.NOT_THE_SAME)
    return password


async def kept(doing: Awaitable[T]) -> T:
    """Carry it out to its end. Raises RefusedError when the disk does not take it."""
    try:
        async with asyncio.timeout(KEPT_WITHIN_S):
            return await asyncio.shield(doing)
    except TimeoutError:
        words = "操作尚未写入，请勿关闭设备", "carried out, but not on the disk yet"
        raise RefusedError(503, "not_kept_yet", *words) from None
    except StoreError as error:
        raise RefusedError(503, "not_kept", "写入失败，未执行任何操作", f"nothing was done: {error}") from None


def back_to(path: str) -> Response:
    """After a form: the page anew, so that reloading it sends nothing twice."""
    return RedirectResponse(path, 303)
