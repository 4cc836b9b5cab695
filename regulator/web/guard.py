"""What stands before every route: kind and length of a body, where a form came from, who asks, and whether they may.

    request -> address -> body (kind, declared length) -> origin -> visitor -> duty -> route -> headers of the house

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

from regulator.model.actor import Duty
from regulator.model.refusals import RefusedError
from regulator.web.permissions import (
    CONTRACT,
    LOOKING,
    OPEN_FOLDERS,
    OPEN_PATHS,
    READING,
    body_limit,
    open_to_all,
    own_business,
)
from regulator.web.visitor import STRANGER, Visitor, actor_of, presence_of
from screens.addresses import path_of
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
        if scope["type"] != "http" or str(scope["path"]).startswith(CONTRACT):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        browser = request.cookies.get(BROWSER_COOKIE, "")
        fresh = "" if browser or _for_programs(request) else secrets.token_urlsafe(24)
        sending = with_headers(send, fresh, secure=scope["scheme"] == "https")
        scope.setdefault("state", {})["visitor"] = self._with_csrf(STRANGER, browser or fresh)
        try:
            check_request(request)
            if not path_of(request).startswith(OPEN_FOLDERS) and path_of(request) not in OPEN_PATHS:
                visitor = await run_in_threadpool(self._visitors.visitor, request)
                scope["state"]["visitor"] = self._with_csrf(visitor, browser or fresh)
                require_duty(request)
        except RefusedError as refused:
            await (await self._refuse(request, refused))(scope, receive, sending)
            return
        await self._app(scope, receive, sending)

    def _with_csrf(self, visitor: Visitor, browser: str) -> Visitor:
        who = visitor.presence.session.session_id if visitor.presence else ""
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


def require_duty(request: Request) -> None:
    """Raises RefusedError: 401 for a stranger, 403 without a duty, or where only looking is allowed."""
    path = path_of(request)
    if open_to_all(path):
        return
    presence = presence_of(request)
    if own_business(path):
        return
    if presence.account.must_change:
        raise RefusedError(403, "password_change_needed", "请先修改初始密码", "choose a password of your own first")
    if request.method in READING:
        actor_of(request)
    else:
        actor_of(request, *(set(Duty) - LOOKING))


def _refuse_fault(fault: RequestFault | None) -> None:
    if fault is not None:
        raise RefusedError(*astuple(fault))


def _for_programs(request: Request) -> bool:
    path = path_of(request)
    return path.startswith(("/api/", *OPEN_FOLDERS)) or path in OPEN_PATHS
