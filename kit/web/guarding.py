"""What stands before every route of both faces, and the headers of every answer.

    request -> BaseGuard.admit, of each face: checks, who asks, access table -> route -> headers
    check_body      what a body declares of itself, its kind and its length, and where a form came from
    check_address   an address and its query: lengths, characters
    form_token      what a visitor's forms must carry (csrf)
    with_headers    the headers of the house, and the cookie that makes a browser's forms its own

In: requests. Out: the same, or a refusal that says what was expected. A body is refused by what it declares before
anybody reads it. Knows no account.
"""

import hashlib
import hmac
import secrets
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kit.refusals import RefusedError
from kit.web.refusing import Refuse
from screens.asked_route import AskedRoute, asked_route
from screens.headers import HEADERS

BROWSER_COOKIE: Final = "browser"
FORM_TYPE: Final = "application/x-www-form-urlencoded"
JSON_TYPE: Final = "application/json"
MOST_DIGITS: Final = 9
MOST_TEXT: Final = 2000
"""Characters of an address, and of each value of its query."""


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """What a path takes: content types, bytes, and the words for any other type."""

    types: tuple[str, ...]
    most_bytes: int
    code: str = "form_needed"
    message_zh: str = "请求应为表单"


def check_body(request: Request, asked: AskedRoute, limit: BodyLimit) -> None:
    """A body says what it is and how long it is before anyone reads it, and where it came from. Raises RefusedError."""
    if request.method != "POST":  # the only method with a body that any route knows
        return
    if not asked.takes_only_others:
        _check_declared(request, limit)
    _check_origin(request)


def _check_declared(request: Request, limit: BodyLimit) -> None:
    if not request.headers.get("content-type", "").startswith(limit.types):
        expected = f"expected content-type {' or '.join(limit.types)}"
        raise RefusedError(415, limit.code, limit.message_zh, expected, "content-type")
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        raise RefusedError(411, "length_needed", "请求应注明长度", "expected a content-length", "content-length")
    if len(length) > MOST_DIGITS or int(length) > limit.most_bytes:
        most = _size(limit.most_bytes)
        words = (f"请求内容过长，最多 {most}", f"the request is too large: expected at most {most}")
        raise RefusedError(413, "too_large", *words, "content-length")


def _check_origin(request: Request) -> None:
    """A browser says where a form came from; what another page sends is refused. Programs send neither header."""
    site, origin = request.headers.get("sec-fetch-site", ""), request.headers.get("origin", "")
    own = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
    if site not in ("", "same-origin", "none") or (origin and origin != own):
        said = "this request came from another site"
        raise RefusedError(403, "foreign_form", "请求来自其他网站，已拒绝", said, "origin")


def check_address(request: Request) -> None:
    """An address and its query hold short texts that a database can keep: PostgreSQL keeps no NUL. Raises
    RefusedError."""
    if not _keepable(request.scope["path"]):
        raise RefusedError(404, "no_such_page", "没有这个页面", "no such page")
    for name, value in request.query_params.multi_items():
        if not _keepable(name) or not _keepable(value):
            field = f"query.{name[:40]}"
            words = (
                "网址参数过长或含有无法保存的字符",
                f"{field}: at most {MOST_TEXT} characters, and no NUL",
            )
            raise RefusedError(422, "bad_query", *words, field)


def _keepable(text: str) -> bool:
    return len(text) <= MOST_TEXT and "\0" not in text


def _size(count: int) -> str:
    return f"{count // 2**20} MiB" if count >= 2**20 else f"{count // 1024} KiB"


class BaseGuard(ABC):
    """The outermost layer of a face. `refuse` answers a refusal as the face does."""

    def __init__(self, app: ASGIApp, refuse: Refuse) -> None:
        self._app, self._refuse = app, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        asked = asked_route(request)
        if self.passes(request, asked):
            await self._app(scope, receive, send)
            return
        browser = request.cookies.get(BROWSER_COOKIE, "")
        fresh = secrets.token_urlsafe(24) if not browser and self.for_people(request, asked) else ""
        sending = with_headers(send, fresh, secure=scope["scheme"] == "https")
        scope.setdefault("state", {})
        try:
            await self.admit(request, asked, browser or fresh)
        except RefusedError as refused:
            await (await self._refuse(request, refused))(scope, receive, sending)
            return
        await self._app(scope, receive, sending)

    def passes(self, request: Request, asked: AskedRoute) -> bool:  # noqa: ARG002 - a face may look
        """Whether a route looks after itself, headers and all."""
        return False

    @abstractmethod
    def for_people(self, request: Request, asked: AskedRoute) -> bool:
        """Whether a browser gets its first cookie here."""

    @abstractmethod
    async def admit(self, request: Request, asked: AskedRoute, browser: str) -> None:
        """Put the visitor on the request's state. Raises RefusedError."""


def form_token(key: bytes, *who: str) -> str:
    """What this visitor's forms must carry; another site can neither read nor make it. `key`: 32 random bytes."""
    return hmac.new(key, "\0".join(who).encode(), hashlib.sha256).hexdigest()


def fits(given: str, token: str) -> bool:
    """Whether a form carries its token."""
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


def with_headers(send: Send, fresh_browser: str, *, secure: bool) -> Send:
    """`send` with the headers of the house; `fresh_browser` is the value of a browser's first cookie, or empty."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)  # a sealed paper brings a policy of its own, stricter but for its style
            headers.setdefault("cache-control", "no-store")
            if fresh_browser:
                cookie = f"{BROWSER_COOKIE}={fresh_browser}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000"
                headers.append("set-cookie", cookie + ("; Secure" if secure else ""))
        await send(message)

    return sending
