"""What stands before every route: kind and length of a body, where a form came from, who asks, and whether they may.

    request -> address -> body (kind, declared length) -> origin -> visitor -> access table -> route -> headers

In: requests as they arrive. Out: the same with `request.state.visitor`, or a refusal. A body is refused by what it
declares before anybody reads it; the contract's routes (`/v1/`) check signatures and lengths of their own.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import astuple, replace
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from regulator.base.model.refusals import RefusedError
from regulator.base.web.access_table import Access, Door, access_of
from regulator.base.web.permissions import body_limit
from regulator.base.web.visitor import STRANGER, Visitor, actor_of, presence_of, setting_up, visitor_of
from screens.addresses import path_of
from screens.asked_route import asked_route
from screens.guarding import (
    BROWSER_COOKIE,
    RequestFault,
    address_fault,
    body_fault,
    form_token,
    origin_fault,
    with_headers,
)
from screens.refusing import takes_only_others

Refuse = Callable[[Request, RefusedError], Awaitable[Response]]


class Visitors(Protocol):
    """Says who asks. `form_key` makes forms, and lasts as long as they shall."""

    @property
    def form_key(self) -> bytes:
        """At least 32 bytes that nobody else knows."""

    def visitor(self, request: Request) -> Visitor:
        """The visitor; a stranger when nothing is known. Asks the database: called in a thread."""


class Guard:
    """The outermost layer of the desk's face."""

    def __init__(self, app: ASGIApp, visitors: Visitors, refuse: Refuse) -> None:
        self._app, self._visitors, self._refuse = app, visitors, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        access = access_of(request.method, asked_route(request))
        if access is not None and access.door is Door.SIGNED:
            await self._app(scope, receive, send)
            return
        plain = access is not None and access.door is Door.PLAIN
        browser = request.cookies.get(BROWSER_COOKIE, "")
        fresh = "" if browser or plain or _for_programs(request) else secrets.token_urlsafe(24)
        sending = with_headers(send, fresh, secure=scope["scheme"] == "https")
        scope.setdefault("state", {})["visitor"] = self._with_csrf(STRANGER, browser or fresh)
        try:
            check_request(request)
            if not plain:
                visitor = await run_in_threadpool(self._visitors.visitor, request)
                scope["state"]["visitor"] = self._with_csrf(visitor, browser or fresh)
            require_access(request, access)
        except RefusedError as refused:
            await (await self._refuse(request, refused))(scope, receive, sending)
            return
        await self._app(scope, receive, sending)

    def _with_csrf(self, visitor: Visitor, browser: str) -> Visitor:
        who = visitor.login.session.session_id if visitor.login else ""
        return replace(visitor, csrf=form_token(self._visitors.form_key, browser, who))


def check_request(request: Request) -> None:
    """Raises RefusedError for an address that cannot be kept, a body that is too long or of the wrong kind, or a form
    from elsewhere."""
    _refuse_fault(address_fault(request))
    if request.method == "POST":  # the only method with a body that any route knows
        fault = body_fault(request, body_limit(path_of(request)))
        if fault is not None and not takes_only_others(request):
            _refuse_fault(fault)
        _refuse_fault(origin_fault(request))


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


def _refuse_fault(fault: RequestFault | None) -> None:
    if fault is not None:
        raise RefusedError(*astuple(fault))


def _for_programs(request: Request) -> bool:
    return path_of(request).startswith("/api/")
