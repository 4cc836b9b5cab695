"""What stands before every route: kind and length of a body, where a form came from, who asks, and whether they may.

    request -> address -> body (kind, declared length) -> origin -> visitor -> access table -> route -> headers

In: requests as they arrive. Out: the same with `request.state.visitor`, or a refusal. A body is refused by what it
declares before anybody reads it; the contract's routes (`/v1/`) check signatures and lengths of their own.
"""

from dataclasses import replace
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp

from kit.web.guarding import BaseGuard, check_address, check_body, form_token
from kit.web.refusing import Refuse
from regulator.base.model.refusals import RefusedError
from regulator.base.web.access_table import Access, Door, access_of
from regulator.base.web.permissions import body_limit
from regulator.base.web.visitor import STRANGER, Visitor, actor_of, presence_of, setting_up, visitor_of
from screens.addresses import path_of
from screens.asked_route import AskedRoute


class Visitors(Protocol):
    """Says who asks. `form_key` makes forms, and lasts as long as they shall."""

    @property
    def form_key(self) -> bytes:
        """At least 32 bytes that nobody else knows."""

    def visitor(self, request: Request) -> Visitor:
        """The visitor; a stranger when nothing is known. Asks the database: called in a thread."""


class Guard(BaseGuard):
    """The outermost layer of the desk's face."""

    def __init__(self, app: ASGIApp, visitors: Visitors, refuse: Refuse) -> None:
        super().__init__(app, refuse)
        self._visitors = visitors

    def passes(self, request: Request, asked: AskedRoute) -> bool:
        """See `BaseGuard`."""
        return _door(request, asked) is Door.SIGNED

    def for_people(self, request: Request, asked: AskedRoute) -> bool:
        """See `BaseGuard`."""
        return _door(request, asked) is not Door.PLAIN and not path_of(request).startswith("/api/")

    async def admit(self, request: Request, asked: AskedRoute, browser: str) -> None:
        """See `BaseGuard`."""
        request.state.visitor = self._with_csrf(STRANGER, browser)
        check_address(request)
        check_body(request, asked, body_limit(path_of(request)))
        if _door(request, asked) is not Door.PLAIN:
            visitor = await run_in_threadpool(self._visitors.visitor, request)
            request.state.visitor = self._with_csrf(visitor, browser)
        require_access(request, access_of(request.method, asked))

    def _with_csrf(self, visitor: Visitor, browser: str) -> Visitor:
        who = visitor.login.session.session_id if visitor.login else ""
        return replace(visitor, csrf=form_token(self._visitors.form_key, browser, who))


def require_access(request: Request, access: Access | None) -> None:
    """Raises RefusedError: 401 for a stranger, 403 for a route without a row, without a role, or with another one."""
    if access is None:
        raise RefusedError(403, "not_listed", "该地址未登记访问权限，已拒绝", "nobody may ask for this address")
    if access.door in (Door.PLAIN, Door.PUBLIC):
        return
    if access.door is Door.CODE and visitor_of(request).owing is not None:
        return
    presence = setting_up(request) if access.door is Door.SET_UP else presence_of(request)
    if access.door in (Door.OWN, Door.CODE, Door.SET_UP):
        return
    if presence.account.must_change:
        raise RefusedError(403, "password_change_needed", "请先修改初始密码", "choose a password of your own first")
    if not access.admits(actor_of(request)):
        raise RefusedError(403, "duty_needed", "您的岗位无权进行此操作", "your role does not allow this")


def _door(request: Request, asked: AskedRoute) -> Door | None:
    access = access_of(request.method, asked)
    return access.door if access is not None else None
