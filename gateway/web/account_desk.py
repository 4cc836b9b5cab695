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
from kit.words import Words

T = TypeVar("T")
KEPT_WITHIN_S: Final = 10.0
ROLES: Final[Mapping[Role, str]] = {
    Role.VIEWER: "viewer",
    Role.SUPERVISOR: "supervisor",
    Role.SAFETY_OFFICER: "safety officer",
    Role.ADMINISTRATOR: "administrator",
}
DONE: Final[Mapping[str, Words]] = {
    "password": Words("密码已修改，其他登录已结束", "The password has been changed; other logins have ended"),
    "ended": Words("该登录已结束", "That login has ended"),
    "added": Words(
        "人员已添加，首次登录时自设密码", "The person has been added. They choose their own password at the first login"
    ),
    "role": Words("角色已修改，该人员需重新登录", "The role has been changed; the person must log in again"),
    "reset": Words(
        "密码已设置，该人员下次登录时自设密码",
        "The password has been set. The person chooses another one at the next login",
    ),
    "factor": Words(
        "已解除两步验证，该人员的登录已全部结束",
        "The second factor has been taken away; the person's logins have ended",
    ),
    "disabled": Words("该人员已停用，不能再登录", "The person can no longer log in"),
    "enabled": Words("该人员可重新登录", "The person can log in again"),
    "revoked": Words("该大屏已撤销，不能再查看", "The wall screen can no longer look"),
    "token_revoked": Words("令牌已撤销，不能再使用", "The token opens nothing any more"),
    "logout": Words("您已退出登录", "You are logged out"),
}


@dataclass(frozen=True, slots=True)
class AccountDesk:
    """The parts that every page about accounts needs."""

    pages: Pages
    accounts: Accounts
    visitors: AccountVisitors

    def show(self, request: Request, template: str, error: AccountError | None = None, **values: object) -> Response:
        """A page, after a refusal with its words and status."""
        known = {
            "error": error.said(self.pages.language(request)) if error else "",
            "notice": self.pages.done(request, DONE),
            "roles": ROLES,
        } | values
        answer = self.pages.render(request, template, error.fault.status if error else 200, **known)
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
